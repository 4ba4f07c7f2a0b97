//! What networks agreed, as a sentence: `EuroNet > Atlas @ london`, `Gulf > EuroNet @ dubai=frankfurt`, and where many
//! meet: `ams-ix @ amsterdam: Atlas, Borea`.

use super::RelationKind;
use std::str::FromStr;

/// The sentence's words, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    pub(super) kind: RelationKind,
    pub(super) left: End,
    pub(super) right: End,
}

/// A network and the city where it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) network: String,
    pub(super) city: String,
}

/// A text that is no such sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no relation: write `customer > provider @ city` or `peer = peer @ city` (or `@ city=city`)"
)]
pub(super) struct SentenceError(String);

impl FromStr for Sentence {
    type Err = SentenceError;
    fn from_str(text: &str) -> Result<Self, SentenceError> {
        let wrong = || SentenceError(text.to_owned());
        let (networks, cities) = text.split_once('@').ok_or_else(wrong)?;
        let (kind, (left, right)) = match (networks.split_once('>'), networks.split_once('=')) {
            (Some(pair), None) => (RelationKind::Transit, pair),
            (None, Some(pair)) => (RelationKind::Peering, pair),
            _ => return Err(wrong()),
        };
        let (left_city, right_city) = cities.split_once('=').unwrap_or((cities, cities));
        let end = |network: &str, city: &str| {
            let (network, city) = (network.trim(), city.trim());
            let both_are_words = !network.is_empty() && !city.is_empty();
            both_are_words.then(|| End { network: network.into(), city: city.into() }).ok_or_else(wrong)
        };
        Ok(Sentence { kind, left: end(left, left_city)?, right: end(right, right_city)? })
    }
}

/// An Internet exchange and its members, not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    pub(super) name: String,
    pub(super) city: String,
    pub(super) members: Vec<String>,
}

/// A text that names no exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no exchange: write `name @ city: member, member`")]
pub(super) struct MeetingError(String);

impl FromStr for Meeting {
    type Err = MeetingError;
    fn from_str(text: &str) -> Result<Self, MeetingError> {
        let wrong = || MeetingError(text.to_owned());
        let (head, members) = text.split_once(':').ok_or_else(wrong)?;
        let (name, city) = head.split_once('@').ok_or_else(wrong)?;
        let members: Vec<String> = members.split(',').map(|member| member.trim().to_owned()).collect();
        let (name, city) = (name.trim().to_owned(), city.trim().to_owned());
        let all_are_words = [&name, &city].into_iter().chain(&members).all(|word| !word.is_empty());
        if all_are_words { Ok(Meeting { name, city, members }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(network: &str, city: &str) -> End {
        End { network: network.into(), city: city.into() }
    }

    #[test]
    fn an_exchange_has_a_name_a_city_and_members() {
        let meeting: Meeting = "ams-ix @ amsterdam: Atlas,Euro Net".parse().unwrap();
        assert_eq!((meeting.name.as_str(), meeting.city.as_str()), ("ams-ix", "amsterdam"));
        assert_eq!(meeting.members, ["Atlas", "Euro Net"]);
        for wrong in ["", "x @ y", "x: A, B", "x @ y: A,, B", "@ y: A", "x @ y:"] {
            assert!(wrong.parse::<Meeting>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_relation_has_two_networks_and_one_or_two_cities() {
        let transit: Sentence = "EuroNet > Atlas @ london".parse().unwrap();
        assert_eq!(transit.kind, RelationKind::Transit);
        assert_eq!((transit.left, transit.right), (end("EuroNet", "london"), end("Atlas", "london")));
        let peering: Sentence = "SeaNet=BharatNet@singapore = mumbai".parse().unwrap();
        assert_eq!(peering.kind, RelationKind::Peering);
        assert_eq!((peering.left, peering.right), (end("SeaNet", "singapore"), end("BharatNet", "mumbai")));
        for wrong in ["", "A > B", "A B @ c", "A > @ c", "A > B = C @ d", "A > B @ ", "A > B @ c="] {
            assert!(wrong.parse::<Sentence>().is_err(), "{wrong}");
        }
    }
}
