//! Values of the wire format, as many kinds of them as there are.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::{ErrorCode, HoldTime, Notification};
use bgp::wire::as_path::{AsPath, Segment, SegmentKind};
use bgp::wire::attribute::{Aggregator, MpReach, MpUnreach, PathAttributes};
use bgp::wire::capability::{AddPath, Capability, GracefulRestart, LONGEST_RESTART};
use bgp::wire::negotiated::{Negotiated, PeerKind};
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

pub(crate) fn negotiated() -> impl Strategy<Value = Negotiated> {
    let kind = prop_oneof![Just(PeerKind::Internal), Just(PeerKind::External)];
    (kind, any::<bool>())
        .prop_map(|(peer_kind, four_octet_asn)| Negotiated { four_octet_asn, ..Negotiated::plain(peer_kind) })
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
    (1u32..0xe000_0000).prop_map(Ipv4Addr::from)
}

fn mp_reach() -> impl Strategy<Value = MpReach> {
    prop_oneof![
        (host(), vec(prefix(Family::Ipv4), 0..8)).prop_map(|(next_hop, prefixes)| MpReach {
            family: Family::Ipv4,
            next_hop: next_hop.into(),
            link_local: None,
            prefixes
        }),
        (any::<u128>(), option::of(any::<u128>()), vec(prefix(Family::Ipv6), 0..8)).prop_map(
            |(next_hop, link_local, prefixes)| MpReach {
                family: Family::Ipv6,
                next_hop: Ipv6Addr::from(next_hop).into(),
                link_local: link_local.map(Ipv6Addr::from),
                prefixes
            }
        ),
    ]
}

fn mp_unreach() -> impl Strategy<Value = MpUnreach> {
    family().prop_flat_map(|family| {
        vec(prefix(family), 0..8).prop_map(move |prefixes| MpUnreach { family, prefixes })
    })
}

prop_compose! {
    /// Attributes of an announcement that a neighbour of that kind may send.
    fn attributes(peer_kind: PeerKind)(
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
        mp_reach in option::of(mp_reach()),
        mp_unreach in option::of(mp_unreach()),
    ) -> PathAttributes {
        PathAttributes {
            origin: Some(origin),
            as_path: Some(as_path),
            next_hop: Some(next_hop),
            med,
            local_pref: (peer_kind == PeerKind::Internal).then_some(local_pref),
            atomic_aggregate,
            aggregator: aggregator.map(|(asn, router)| Aggregator { asn, router: router.into() }),
            communities,
            extended_communities,
            large_communities,
            mp_reach,
            mp_unreach,
        }
    }
}

/// An UPDATE that a neighbour may send, and what was negotiated with it.
pub(crate) fn update() -> impl Strategy<Value = (Negotiated, Update)> {
    negotiated().prop_flat_map(|negotiated| {
        let prefixes = || vec(prefix(Family::Ipv4), 0..8);
        (prefixes(), attributes(negotiated.peer_kind), prefixes()).prop_map(
            move |(withdrawn, attributes, reached)| {
                (negotiated.clone(), Update { withdrawn, attributes, reached })
            },
        )
    })
}
