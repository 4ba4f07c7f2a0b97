//! Values of the wire format, as many kinds of them as there are.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{ErrorCode, HoldTime, Notification};
use bgp::wire::as_path::{AsPath, Segment, SegmentKind};
use bgp::wire::attribute::{Aggregator, Ipv6ExtendedCommunity, MpReach, MpUnreach, PathAttributes};
use bgp::wire::capability::{AddPath, Capability, GracefulRestart, LONGEST_RESTART};
use bgp::wire::negotiated::{Negotiated, PeerKind};
use bgp::wire::nlri::Nlri;
use bgp::wire::open::Open;
use bgp::wire::role::Role;
use bgp::wire::update::Update;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Asn, Community, ExtendedCommunity, Family, LargeCommunity, Origin, Prefix, RouterId};

pub(crate) fn asn() -> impl Strategy<Value = Asn> {
    prop_oneof![1u32..=65535, 65536u32..].prop_map(|number| Asn::try_from(number).unwrap())
}

pub(crate) fn prefix(family: Family) -> impl Strategy<Value = Prefix> {
    (any::<u128>(), 0..=family.bits()).prop_map(move |(bits, length)| {
        let address = match family {
            Family::Ipv4 => IpAddr::from((bits as u32).to_be_bytes()),
            Family::Ipv6 => IpAddr::from(bits.to_be_bytes()),
        };
        Prefix::containing(address, length).unwrap()
    })
}

pub(crate) fn family() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)]
}

fn capability() -> impl Strategy<Value = Capability> {
    prop_oneof![
        family().prop_map(Capability::Multiprotocol),
        Just(Capability::RouteRefresh),
        btree_set(Just(Family::Ipv4), 0..2).prop_map(Capability::ExtendedNextHop),
        Just(Capability::ExtendedMessage),
        prop::sample::select(&Role::ALL[..]).prop_map(Capability::Role),
        graceful_restart().prop_map(Capability::GracefulRestart),
        btree_map(family(), add_path(), 0..3).prop_map(Capability::AddPath),
        Just(Capability::EnhancedRouteRefresh),
        (71u8.., vec(any::<u8>(), 0..40)).prop_map(|(code, value)| Capability::Unknown { code, value }),
        // L2VPN EVPN, which is not spoken here
        Just(Capability::Unknown { code: 1, value: vec![0, 25, 0, 70] }),
    ]
}

fn graceful_restart() -> impl Strategy<Value = GracefulRestart> {
    let families = btree_map(family(), any::<bool>(), 0..3);
    (any::<bool>(), any::<bool>(), 0..=LONGEST_RESTART, families).prop_map(
        |(restarting, notification, time, families)| GracefulRestart {
            restarting,
            notification,
            time,
            families,
        },
    )
}

/// At least one direction.
fn add_path() -> impl Strategy<Value = AddPath> {
    (1..=3u8).prop_map(|bits| AddPath { receive: bits & 1 != 0, send: bits & 2 != 0 })
}

/// With the capability that tells the number where two octets cannot.
pub(crate) fn open() -> impl Strategy<Value = Open> {
    let hold = prop_oneof![Just(0u16), 3u16..].prop_map(|seconds| HoldTime::try_from(seconds).unwrap());
    (asn(), hold, 1u32.., vec(capability(), 0..12)).prop_map(|(asn, hold_time, id, mut capabilities)| {
        capabilities.push(Capability::FourOctetAsn(asn));
        Open { asn, hold_time, router_id: RouterId::try_from(id).unwrap(), capabilities }
    })
}

pub(crate) fn notification() -> impl Strategy<Value = Notification> {
    (any::<u8>(), any::<u8>(), vec(any::<u8>(), 0..300))
        .prop_map(|(code, subcode, data)| Notification::new(ErrorCode { code, subcode }, data))
}

/// Agreed with a neighbour that writes as we do: what it sends with path identifiers, we send with them.
pub(crate) fn negotiated() -> impl Strategy<Value = Negotiated> {
    let kind = prop_oneof![Just(PeerKind::Internal), Just(PeerKind::External)];
    let paths = btree_set(family(), 0..3);
    let next_hops = btree_set(Just(Family::Ipv4), 0..2);
    (kind, any::<bool>(), any::<bool>(), paths, next_hops).prop_map(
        |(peer_kind, four_octet_asn, extended_messages, paths, extended_next_hop)| {
            let both = AddPath { receive: true, send: true };
            let add_path = paths.into_iter().map(|family| (family, both)).collect();
            let plain = Negotiated::plain(peer_kind);
            Negotiated { four_octet_asn, extended_messages, add_path, extended_next_hop, ..plain }
        },
    )
}

/// Up to so many prefixes, with path identifiers where the session has them.
fn nlri(family: Family, negotiated: &Negotiated, most: usize) -> impl Strategy<Value = Vec<Nlri>> + use<> {
    let with_path = negotiated.add_path(family).send;
    let entry = (prefix(family), any::<u32>())
        .prop_map(move |(prefix, path)| Nlri { prefix, path: if with_path { path } else { 0 } });
    vec(entry, 0..most)
}

fn as_path() -> impl Strategy<Value = AsPath> {
    let kind = prop_oneof![4 => Just(SegmentKind::Sequence), 1 => Just(SegmentKind::Set)];
    let segment = (kind, vec(asn(), 1..8)).prop_map(|(kind, networks)| Segment { kind, networks });
    vec(segment, 0..4).prop_map(|mut segments| {
        // Two sequences in a row mean the same as one; only one of both forms survives a two-octet neighbour.
        segments.dedup_by(|a, b| a.kind == SegmentKind::Sequence && b.kind == SegmentKind::Sequence);
        AsPath { segments }
    })
}

fn host() -> impl Strategy<Value = Ipv4Addr> {
    (1u8..224, any::<[u8; 3]>())
        .prop_map(|(first, [b, c, d])| Ipv4Addr::new(if first == 127 { 128 } else { first }, b, c, d))
}

fn ipv6_host() -> impl Strategy<Value = Ipv6Addr> {
    (2u128..0xff << 120).prop_map(Ipv6Addr::from)
}

fn mp_reach(negotiated: &Negotiated) -> impl Strategy<Value = MpReach> + use<> {
    let reach =
        |family| {
            let ipv6 = family == Family::Ipv6 || negotiated.extended_next_hop.contains(&family);
            let next_hop = match (family, ipv6) {
                (Family::Ipv6, _) => (ipv6_host().prop_map(IpAddr::from), option::of(ipv6_host())).boxed(),
                (Family::Ipv4, false) => (host().prop_map(IpAddr::from), Just(None)).boxed(),
                (Family::Ipv4, true) => prop_oneof![
                    (host().prop_map(IpAddr::from), Just(None)),
                    (ipv6_host().prop_map(IpAddr::from), option::of(ipv6_host())),
                ]
                .boxed(),
            };
            (next_hop, nlri(family, negotiated, 8)).prop_map(move |((next_hop, link_local), prefixes)| {
                MpReach { family, next_hop, link_local, prefixes }
            })
        };
    prop_oneof![reach(Family::Ipv4), reach(Family::Ipv6)]
}

fn mp_unreach(negotiated: &Negotiated) -> impl Strategy<Value = MpUnreach> + use<> {
    let unreach =
        |family| nlri(family, negotiated, 8).prop_map(move |prefixes| MpUnreach { family, prefixes });
    prop_oneof![unreach(Family::Ipv4), unreach(Family::Ipv6)]
}

prop_compose! {
    /// Attributes of an announcement that a neighbour of that kind may send.
    fn attributes(negotiated: Negotiated)(
        origin in prop_oneof![Just(Origin::Igp), Just(Origin::Egp), Just(Origin::Incomplete)],
        as_path in as_path(),
        next_hop in host(),
        med in option::of(any::<u32>()),
        local_pref in any::<u32>(),
        atomic_aggregate: bool,
        aggregator in option::of((asn(), any::<u32>())),
        communities in btree_set(any::<u32>().prop_map(Community), 0..6),
        extended_communities in btree_set(any::<[u8; 8]>().prop_map(ExtendedCommunity), 0..4),
        large_communities in btree_set(any::<(u32, u32, u32)>().prop_map(
            |(global, first, second)| LargeCommunity { global, first, second }), 0..4),
        ipv6_extended_communities in
            btree_set(any::<[u8; 20]>().prop_map(Ipv6ExtendedCommunity), 0..3),
        reflected in (option::of(host()), vec(host(), 0..4)),
        only_to_customer in option::of(asn()),
        mp_reach in option::of(mp_reach(&negotiated)),
        mp_unreach in option::of(mp_unreach(&negotiated)),
        internal in Just(negotiated.peer_kind == PeerKind::Internal),
    ) -> PathAttributes {
        PathAttributes {
            origin: Some(origin),
            as_path: Some(as_path),
            next_hop: Some(next_hop),
            med,
            local_pref: internal.then_some(local_pref),
            atomic_aggregate,
            aggregator: aggregator.map(|(asn, router)| Aggregator { asn, router: router.into() }),
            communities,
            extended_communities,
            large_communities,
            ipv6_extended_communities,
            originator_id: reflected.0.filter(|_| internal),
            cluster_list: if internal { reflected.1 } else { Vec::new() },
            only_to_customer,
            mp_reach,
            mp_unreach,
        }
    }
}

/// An UPDATE that a neighbour may send, and what was negotiated with it.
pub(crate) fn update() -> impl Strategy<Value = (Negotiated, Update)> {
    negotiated().prop_flat_map(|negotiated| updates(negotiated, 8))
}

/// An UPDATE that only an extended message holds.
pub(crate) fn long_update() -> impl Strategy<Value = (Negotiated, Update)> {
    let extended = negotiated().prop_map(|negotiated| Negotiated { extended_messages: true, ..negotiated });
    extended.prop_flat_map(|negotiated| updates(negotiated, 2000))
}

fn updates(negotiated: Negotiated, most: usize) -> impl Strategy<Value = (Negotiated, Update)> {
    let prefixes = || nlri(Family::Ipv4, &negotiated, most);
    (prefixes(), attributes(negotiated.clone()), prefixes()).prop_map(
        move |(withdrawn, attributes, reached)| {
            (negotiated.clone(), Update { withdrawn, attributes, reached })
        },
    )
}
