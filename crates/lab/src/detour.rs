//! Why a client is answered from further away than it could be: what the router that decided says about it.

use crate::policy::Neighbour;
use std::cmp::{Ordering, Reverse};
use std::fmt;
use std::net::IpAddr;

/// A route to the anycast address as a router tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Whether this is the one that is used.
    pub(crate) best: bool,
    /// The networks on the way, the next one first.
    pub(crate) path: Vec<u32>,
    /// LOCAL_PREF.
    pub(crate) preference: u32,
    /// NEXT_HOP.
    pub(crate) next_hop: Option<IpAddr>,
}

/// The routes that a router has to choose from, as BIRD tells them (`show route for ADDRESS all`), in its order.
pub(crate) fn candidates(told: &str) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for line in told.lines() {
        let words = line.trim();
        // A route begins with its kind and the protocol it came from: `unicast [to_atlas_london 12:00:00] * (100)`.
        if words.contains("unicast [") {
            candidates.push(Candidate { best: words.contains("] * ("), ..Candidate::default() });
        }
        let Some(current) = candidates.last_mut() else { continue };
        if let Some(path) = words.strip_prefix("BGP.as_path:") {
            current.path = path.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        }
        if let Some(preference) = words.strip_prefix("BGP.local_pref:") {
            current.preference = preference.trim().parse().unwrap_or(0);
        }
        if let Some(hop) = words.strip_prefix("BGP.next_hop:") {
            // Over IPv6 the address that is valid on the link only may follow.
            current.next_hop = hop.split_whitespace().next().and_then(|hop| hop.parse().ok());
        }
    }
    candidates
}

/// What the router that decided says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reasons<'a> {
    /// The router's network.
    pub(crate) network: &'a str,
    /// Its city.
    pub(crate) city: &'a str,
    /// What it had to choose from.
    pub(crate) candidates: &'a [Candidate],
}

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reasons { network, city, candidates } = self;
        let Some(best) = candidates.iter().find(|candidate| candidate.best) else {
            return write!(f, "{network} in {city} has no route");
        };
        write!(f, "{network} in {city} takes {best}")?;
        let others = candidates.iter().filter(|candidate| !candidate.best);
        let Some(second) = others.max_by_key(|other| (other.preference, Reverse(other.path.len()))) else {
            return f.write_str("; it is told of no other way");
        };
        match (best.preference.cmp(&second.preference), best.path.len().cmp(&second.path.len())) {
            (Ordering::Equal, Ordering::Less) => write!(f, ", shorter than {second}"),
            (Ordering::Equal, _) => write!(f, ", closer by than {second}"),
            (Ordering::Less | Ordering::Greater, _) => write!(f, " rather than {second}"),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AS path")?;
        self.path.iter().try_for_each(|network| write!(f, " {network}"))?;
        let gave = |neighbour: &Neighbour| neighbour.preference() == self.preference;
        let source = match Neighbour::ALL.into_iter().find(gave) {
            Some(neighbour) => format!("a {}'s, ", neighbour.word()),
            // Whoever told it asked for less, or traffic is shifted away from there.
            None => String::new(),
        };
        write!(f, " ({source}preference {})", self.preference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "\
Table master4:
198.18.0.0/24        unicast [to_surlink_saopaulo 14:54:30.682] * (100) [AS64501i]
\tvia 10.13.0.64 on surlink-saopaulo
\tType: BGP univ
\tBGP.origin: IGP
\tBGP.as_path: 64613 64500 64501
\tBGP.next_hop: 10.13.0.64
\tBGP.local_pref: 300
                     unicast [to_atlas_newyork 14:54:31.385] (100) [AS64501i]
\tvia 10.1.2.66 on atlas-newyork
\tType: BGP univ
\tBGP.as_path: 64601 64500 64501
\tBGP.local_pref: 200
";

    #[test]
    fn a_router_prefers_its_customer_although_a_peer_is_nearer() {
        let candidates = candidates(TOLD);
        assert_eq!(candidates[0].next_hop, "10.13.0.64".parse().ok());
        let reasons = Reasons { network: "Borea", city: "Amsterdam", candidates: &candidates };
        assert_eq!(
            reasons.to_string(),
            "Borea in Amsterdam takes AS path 64613 64500 64501 (a customer's, preference 300) \
             rather than AS path 64601 64500 64501 (a peer's, preference 200)"
        );
    }

    #[test]
    fn lengths_decide_between_equals_and_a_single_way_is_no_choice() {
        let route = |best, path: &[u32]| Candidate {
            best,
            path: path.to_vec(),
            preference: 100,
            ..Candidate::default()
        };
        let say =
            |candidates: &[Candidate]| Reasons { network: "Gulf", city: "Dubai", candidates }.to_string();
        assert!(
            say(&[route(true, &[1, 2]), route(false, &[1, 3, 2])]).contains(", shorter than AS path 1 3 2")
        );
        assert!(say(&[route(true, &[1, 2]), route(false, &[3, 2])]).contains(", closer by than AS path 3 2"));
        assert!(say(&[route(true, &[1, 2])]).ends_with("; it is told of no other way"));
        assert_eq!(say(&[]), "Gulf in Dubai has no route");
        assert_eq!(candidates("no route\n\tBGP.local_pref: x"), []);
    }
}
