//! `blackhole`: how a neighbour is asked to drop what is sent to one of our addresses (RFC 7999).

use crate::policy::{Label, Labels, refuse_graceful_shutdown};
use bgp::session::PeerKind;
use document::{Table, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Community, Family};

/// How a neighbour is told of blackholes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blackhole {
    /// What has it drop the traffic, and keeps the route within its network.
    pub labels: Labels,
    /// How many it is told of at most.
    pub max: u32,
    /// The shortest prefix that it drops traffic to, in each family that the session carries. The longest is a single
    /// address.
    pub shortest: BTreeMap<Family, u8>,
    /// The next hop of such a route, where it is not that of every other: an address that the neighbour's routers
    /// discard (RFC 5635 section 3).
    pub next_hops: BTreeMap<Family, IpAddr>,
}

impl Blackhole {
    /// Of how many a neighbour is told at most, where the file does not say.
    pub const MAX: u32 = 16;
}

/// More than any neighbour takes from a customer.
const MOST: u32 = 1024;

/// `true`, `false` or a table, for a session of that kind with those families. Nothing is told where the file does not
/// say so; none where the kind of the session is not known.
pub(super) fn read(value: &Value, kind: Option<PeerKind>, families: &BTreeSet<Family>) -> Option<Blackhole> {
    if value.is_table() {
        return read_table(&value.table()?, kind, families);
    }
    value.flag().filter(|flag| flag.value)?;
    Some(Blackhole {
        labels: labels(None, is_kept_inside(None, kind?)),
        max: Blackhole::MAX,
        shortest: families.iter().map(|family| (*family, family.bits())).collect(),
        next_hops: BTreeMap::new(),
    })
}

fn read_table(table: &Table, kind: Option<PeerKind>, families: &BTreeSet<Family>) -> Option<Blackhole> {
    let [communities, no_export] = ["communities", "no_export"].map(|key| table.optional(key));
    let listed = communities.parse_list::<Label>();
    listed.iter().for_each(|label| refuse_graceful_shutdown(table.document(), label));
    if communities.is_empty_list() {
        let message = "no community would tell the peer to drop anything";
        table.document().fault_with_hint(
            communities.span(),
            message,
            "leave `communities` out for 65535:666",
        );
    }
    let listed = communities.is_given().then(|| listed.into_iter().map(|label| label.value).collect());
    let no_export = no_export.flag().map(|flag| flag.value);
    let max = table.optional("max").number_in(1..=MOST).map_or(Blackhole::MAX, |max| max.value);
    // Every key is read, so that each mistake is told.
    let shortest = [("shortest4", Family::Ipv4), ("shortest6", Family::Ipv6)].map(|(key, family)| {
        let value = table.optional(key);
        let shortest = value.number_in(1..=family.bits());
        refuse_uncarried(&value, family, families);
        (family, shortest.map_or(family.bits(), |shortest| shortest.value))
    });
    let (next_hop4, next_hop6) = (table.optional("next_hop4"), table.optional("next_hop6"));
    let next_hops = [
        (Family::Ipv4, next_hop4.parse::<Ipv4Addr>().map(|hop| IpAddr::from(hop.value))),
        (Family::Ipv6, next_hop6.parse::<Ipv6Addr>().map(|hop| IpAddr::from(hop.value))),
    ];
    refuse_uncarried(&next_hop4, Family::Ipv4, families);
    refuse_uncarried(&next_hop6, Family::Ipv6, families);
    Some(Blackhole {
        labels: labels(listed, is_kept_inside(no_export, kind?)),
        max,
        shortest: shortest.into_iter().filter(|(family, _)| families.contains(family)).collect(),
        next_hops: next_hops.into_iter().filter_map(|(family, hop)| Some((family, hop?))).collect(),
    })
}

/// Whether the neighbour is asked to keep the route within its network. RFC 7999 section 3.2 has it see to that itself;
/// saying it costs nothing where it forgets. A router of our own AS is to tell others, that is what it is asked for.
fn is_kept_inside(no_export: Option<bool>, kind: PeerKind) -> bool {
    no_export.unwrap_or(match kind {
        PeerKind::External => true,
        PeerKind::Internal => false,
    })
}

fn labels(listed: Option<Vec<Label>>, no_export: bool) -> Labels {
    let listed = listed.unwrap_or_else(|| vec![Label::Standard(Community::BLACKHOLE)]);
    let kept_inside = no_export.then_some(Label::Standard(Community::NO_EXPORT));
    Labels::of(listed.into_iter().chain(kept_inside))
}

fn refuse_uncarried(value: &Value, family: Family, families: &BTreeSet<Family>) {
    if value.is_given() && !families.contains(&family) {
        let message = format!("the session does not carry {family}, so no blackhole of it is told");
        let hint = format!("remove it, or add \"{family}\" to `families`");
        value.document().fault_with_hint(value.key_span(), message, hint);
    }
}
