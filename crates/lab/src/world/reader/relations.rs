//! Who sells transit to whom, who peers, and where many peer at once.

use super::Reader;
use crate::world::relation::{End, Meeting, Sentence};
use crate::world::{Exchange, Network, Relation, RouterRef};
use document::{Spanned, Table};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use terms::{Asn, nearest_spelling};

/// The route servers have the numbers from here on, of those set aside for private use (RFC 6996).
const ROUTE_SERVERS: u32 = 4_200_000_000;
/// Exchanges, and members of one, for which the plan has addresses.
const MOST_EXCHANGES: usize = 200;
const MOST_MEMBERS: usize = 200;

impl<'d> Reader<'d> {
    pub(super) fn relations(&self, table: &Table<'d>, networks: &[Network]) -> Option<Vec<Relation>> {
        let (transit, peering) = (table.optional("transit"), table.optional("peering"));
        let mut joined = BTreeSet::new();
        let sentences = [(transit, '>'), (peering, '=')].into_iter().flat_map(|(value, sign)| {
            value.parse_list::<Sentence>().into_iter().map(move |sentence| (sentence, sign))
        });
        let read = |(sentence, sign): (Spanned<Sentence>, char)| {
            if !self.document.source().text()[sentence.span.clone()].contains([sign]) {
                let message = format!("a relation of this list has a `{sign}` between its networks");
                self.document.fault(sentence.span, message);
                return None;
            }
            let left = self.end(&sentence.left, networks, &sentence.span);
            let right = self.end(&sentence.right, networks, &sentence.span);
            let (left, right) = (left?, right?);
            if left.network == right.network {
                self.document.fault(sentence.span, "a network has no relation with itself");
                return None;
            }
            if !joined.insert((left.min(right), left.max(right))) {
                self.document.fault(sentence.span, "these two routers are joined already");
                return None;
            }
            self.begin_cable(left, &networks[left.network], &sentence.span);
            Some(Relation { kind: sentence.value.kind, left, right })
        };
        let relations: Vec<Option<Relation>> = sentences.map(read).collect();
        relations.into_iter().collect()
    }

    /// `ixp = "ams-ix @ amsterdam: A, B, C"`, or a list of them.
    pub(super) fn exchanges(&self, table: &Table<'d>, networks: &[Network]) -> Option<Vec<Exchange>> {
        let written = table.optional("ixp").one_or_many();
        if let Some(first_too_many) = written.get(MOST_EXCHANGES) {
            let message = format!("a world has {MOST_EXCHANGES} exchanges at most");
            self.document.fault(first_too_many.span(), message);
        }
        let number = Cell::new(ROUTE_SERVERS);
        let exchanges: Vec<Option<Exchange>> = written
            .iter()
            .map(|value| {
                let asn = Asn::try_from(number.replace(number.get().saturating_add(1))).ok()?;
                self.exchange(&value.parse::<Meeting>()?, asn, networks)
            })
            .collect();
        exchanges.into_iter().collect()
    }

    fn exchange(&self, meeting: &Spanned<Meeting>, asn: Asn, networks: &[Network]) -> Option<Exchange> {
        let span = &meeting.span;
        let name = self.take(&meeting.name, span);
        let city = Spanned { value: meeting.city.as_str(), span: span.clone() };
        let place = self.place(&city);
        if let Some(network) = networks.iter().find(|network| network.asn == asn) {
            let message = format!("AS {asn} is that of the route server, and {}'s", network.name);
            self.document.fault(span.clone(), message);
        }
        let mut seen = BTreeSet::new();
        let member = |name: &String| {
            let end = End { network: name.clone(), city: meeting.city.clone() };
            let router = self.end(&end, networks, span)?;
            if !seen.insert(router) {
                self.document.fault(span.clone(), format!("`{name}` is here twice"));
                return None;
            }
            Some(router)
        };
        let members: Vec<Option<RouterRef>> = meeting.members.iter().map(member).collect();
        if !(2..=MOST_MEMBERS).contains(&members.len()) {
            let message = format!("an exchange has 2 to {MOST_MEMBERS} members, not {}", members.len());
            self.document.fault(span.clone(), message);
            return None;
        }
        let members = members.into_iter().collect::<Option<_>>();
        Some(Exchange { name: name?, place: place?, asn, members: members? })
    }

    pub(super) fn end(&self, end: &End, networks: &[Network], span: &Range<usize>) -> Option<RouterRef> {
        let network = self.network_called(&end.network, networks, span)?;
        let places = &networks[network].places;
        let place = places.iter().position(|place| place.key == end.city);
        if place.is_none() {
            let message = format!("{} has no router in {}", end.network, end.city);
            let known: Vec<&str> = places.iter().map(|place| place.key.as_str()).collect();
            self.document.fault_with_hint(span.clone(), message, format!("it is in: {}", known.join(", ")));
        }
        Some(RouterRef { network, place: place? })
    }

    pub(super) fn network_called(
        &self,
        name: &str,
        networks: &[Network],
        span: &Range<usize>,
    ) -> Option<usize> {
        let found = networks.iter().position(|network| network.name == name);
        if found.is_none() {
            let message = format!("no network is called `{name}`");
            match nearest_spelling(name, networks.iter().map(|network| network.name.as_str())) {
                Some(guess) => {
                    self.document.fault_with_hint(span.clone(), message, format!("did you mean {guess}?"))
                }
                None => self.document.fault(span.clone(), message),
            }
        }
        found
    }
}
