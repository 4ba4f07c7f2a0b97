//! Real UPDATEs read by three decoders: ours, bgpkit-parser and netgauze-bgp-pkt. Where they differ, the reason is
//! written here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bgp::session::PeerKind;
use bgp::wire::as_path::AsPathError;
use bgp::wire::attribute::{Fault, Problem};
use bgp::wire::framer::Framer;
use bgp::wire::message::Message;
use bgp::wire::negotiated::Negotiated;
use bgp::wire::update::{Update, Verdict};
use netgauze_bgp_pkt::path_attribute as netgauze;
use netgauze_parse_utils::{reader::SliceReader, traits::ParseFromWithOneInput};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// What an UPDATE says, in words that three decoders can share: empty things are left out, sets are sorted.
type Reading = BTreeMap<&'static str, String>;

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

fn sorted<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let mut words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    words.sort();
    words.dedup();
    words.join(" ")
}

fn without_empty(reading: Reading) -> Reading {
    reading.into_iter().filter(|(_, said)| !said.is_empty()).collect()
}

fn origin(code: u8) -> String {
    ["igp", "egp", "incomplete"].get(usize::from(code)).copied().unwrap_or("?").to_owned()
}

fn yes(said: bool) -> String {
    option(said.then_some("yes"))
}

fn option<T: Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn ours(update: &Update) -> Reading {
    let said = &update.attributes;
    without_empty(Reading::from([
        ("announced", sorted(update.announced())),
        ("withdrawn", sorted(update.unreachable())),
        ("origin", option(said.origin)),
        ("path", said.as_path.as_ref().map(|path| list(path.networks())).unwrap_or_default()),
        ("next hop", option(said.next_hop)),
        ("mp next hop", option(said.mp_reach.as_ref().map(|reach| reach.next_hop))),
        ("med", option(said.med)),
        ("local pref", option(said.local_pref)),
        ("atomic", yes(said.atomic_aggregate)),
        ("aggregator", option(said.aggregator.map(|by| format!("{} {}", by.asn, by.router)))),
        ("communities", sorted(said.communities.iter().map(|community| community.0))),
        ("extended", yes(!said.extended_communities.is_empty())),
        ("large", sorted(&said.large_communities)),
    ]))
}

mod bgpkit {
    use super::{Reading, list, option, origin, sorted, without_empty, yes};
    use bgpkit_parser::models::{
        AsPathSegment, AsnLength, AttributeValue, BgpMessage, Community, MetaCommunity, Nlri, Safi,
    };

    /// The unicast part of what bgpkit-parser reads; none where it gives up.
    pub(crate) fn read(message: &[u8], four_octet_asn: bool) -> Option<Reading> {
        let mut octets = bytes::Bytes::copy_from_slice(message);
        let width = if four_octet_asn { AsnLength::Bits32 } else { AsnLength::Bits16 };
        let parsed = bgpkit_parser::parser::bgp::parse_bgp_message(&mut octets, false, &width).ok()?;
        let BgpMessage::Update(update) = parsed else { return None };
        let said = &update.attributes;
        let unicast = |nlri: Option<&Nlri>| nlri.filter(|nlri| nlri.safi == Safi::Unicast).cloned();
        let reach = unicast(said.get_reachable_nlri());
        let unreach = unicast(said.get_unreachable_nlri());
        let prefixes =
            |nlri: &Option<Nlri>| nlri.iter().flat_map(|nlri| nlri.prefixes.clone()).collect::<Vec<_>>();
        let path = said.effective_as_path().map(|path| {
            let segments = path.iter_segments().flat_map(|segment| match segment {
                AsPathSegment::AsSequence(asns)
                | AsPathSegment::AsSet(asns)
                | AsPathSegment::ConfedSequence(asns)
                | AsPathSegment::ConfedSet(asns) => asns.to_vec(),
            });
            list(segments.map(|asn| asn.to_u32()))
        });
        let next_hop = said.iter().find_map(|attribute| match attribute {
            AttributeValue::NextHop(address) => Some(*address),
            _ => None,
        });
        let has_origin = said.iter().any(|attribute| matches!(attribute, AttributeValue::Origin(_)));
        let mut plain = Vec::new();
        let mut large = Vec::new();
        let mut extended = false;
        for community in said.iter_communities() {
            match community {
                MetaCommunity::Plain(Community::NoExport) => plain.push(0xffff_ff01),
                MetaCommunity::Plain(Community::NoAdvertise) => plain.push(0xffff_ff02),
                MetaCommunity::Plain(Community::NoExportSubConfed) => plain.push(0xffff_ff03),
                MetaCommunity::Plain(Community::Custom(asn, value)) => {
                    plain.push(asn.to_u32() << 16 | u32::from(value))
                }
                MetaCommunity::Large(community) => large.push(community.to_string()),
                MetaCommunity::Extended(_) | MetaCommunity::Ipv6Extended(_) => extended = true,
            }
        }
        Some(without_empty(Reading::from([
            (
                "announced",
                sorted(update.announced_prefixes.iter().cloned().chain(prefixes(&reach)).map(|p| p.prefix)),
            ),
            (
                "withdrawn",
                sorted(update.withdrawn_prefixes.iter().cloned().chain(prefixes(&unreach)).map(|p| p.prefix)),
            ),
            ("origin", if has_origin { origin(said.origin() as u8) } else { String::new() }),
            ("path", path.unwrap_or_default()),
            ("next hop", option(next_hop)),
            ("mp next hop", option(reach.and_then(|nlri| nlri.next_hop).map(|hop| hop.addr()))),
            ("med", option(said.multi_exit_discriminator())),
            ("local pref", option(said.local_preference())),
            ("atomic", yes(said.atomic_aggregate())),
            ("aggregator", option(said.aggregator().map(|(asn, id)| format!("{} {id}", asn.to_u32())))),
            ("communities", sorted(plain)),
            ("extended", yes(extended)),
            ("large", sorted(large)),
        ])))
    }
}

/// The unicast part of what netgauze-bgp-pkt reads; none where it gives up.
fn netgauze(message: &[u8], four_octet_asn: bool) -> Option<Reading> {
    use netgauze::{Aggregator, AsPath, MpReach, MpUnreach, PathAttributeValue};
    use netgauze_bgp_pkt::BgpMessage;
    use netgauze_bgp_pkt::wire::deserializer::BgpParsingContext;

    let mut context = BgpParsingContext::new(four_octet_asn, [].into(), [].into(), true, true, true, true);
    let parsed = BgpMessage::parse(&mut SliceReader::new(message), &mut context).ok()?;
    let BgpMessage::Update(update) = parsed else { return None };
    let mut announced: Vec<String> =
        update.nlri().iter().map(|prefix| prefix.network().to_string()).collect();
    let mut withdrawn: Vec<String> =
        update.withdraw_routes().iter().map(|prefix| prefix.network().to_string()).collect();
    let mut reading = Reading::new();
    for attribute in update.path_attributes() {
        let (name, said) = match attribute.value() {
            PathAttributeValue::Origin(value) => ("origin", origin(*value as u8)),
            PathAttributeValue::AsPath(AsPath::As2PathSegments(segments)) => {
                ("path", list(segments.iter().flat_map(|segment| segment.as_numbers().to_vec())))
            }
            PathAttributeValue::AsPath(AsPath::As4PathSegments(segments)) => {
                ("path", list(segments.iter().flat_map(|segment| segment.as_numbers().to_vec())))
            }
            PathAttributeValue::NextHop(hop) => ("next hop", hop.next_hop().to_string()),
            PathAttributeValue::MultiExitDiscriminator(med) => ("med", med.metric().to_string()),
            PathAttributeValue::LocalPreference(pref) => ("local pref", pref.metric().to_string()),
            PathAttributeValue::AtomicAggregate(_) => ("atomic", yes(true)),
            PathAttributeValue::Aggregator(Aggregator::As2Aggregator(by)) => {
                ("aggregator", format!("{} {}", by.asn(), by.origin()))
            }
            PathAttributeValue::Aggregator(Aggregator::As4Aggregator(by)) => {
                ("aggregator", format!("{} {}", by.asn(), by.origin()))
            }
            PathAttributeValue::Communities(labels) => {
                ("communities", sorted(labels.communities().iter().map(|label| label.value())))
            }
            PathAttributeValue::ExtendedCommunities(_) => ("extended", yes(true)),
            PathAttributeValue::LargeCommunities(labels) => ("large", sorted(labels.communities())),
            PathAttributeValue::MpReach(MpReach::Ipv6Unicast { next_hop_global, nlri, .. }) => {
                announced.extend(nlri.iter().map(|prefix| prefix.network().to_string()));
                ("mp next hop", next_hop_global.to_string())
            }
            PathAttributeValue::MpReach(MpReach::Ipv4Unicast { next_hop, nlri, .. }) => {
                announced.extend(nlri.iter().map(|prefix| prefix.network().to_string()));
                ("mp next hop", next_hop.to_string())
            }
            PathAttributeValue::MpUnreach(MpUnreach::Ipv6Unicast { nlri }) => {
                withdrawn.extend(nlri.iter().map(|prefix| prefix.network().to_string()));
                continue;
            }
            PathAttributeValue::MpUnreach(MpUnreach::Ipv4Unicast { nlri }) => {
                withdrawn.extend(nlri.iter().map(|prefix| prefix.network().to_string()));
                continue;
            }
            _ => continue,
        };
        reading.insert(name, said);
    }
    reading.insert("announced", sorted(announced));
    reading.insert("withdrawn", sorted(withdrawn));
    Some(without_empty(reading))
}

/// The UPDATEs that are checked in, or every stream of a directory that the environment names: those with "two-octet"
/// in their name have AS numbers of two octets.
fn samples() -> Vec<(bool, Vec<u8>)> {
    let directory = std::env::var_os("BGP_UPDATES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data"), PathBuf::from);
    let mut streams: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    streams.retain(|path| path.extension().is_some_and(|extension| extension == "bgp"));
    streams.sort();
    assert!(streams.len() >= 2, "{streams:?}");
    let mut samples = Vec::new();
    for path in streams {
        let four_octet_asn = !path.to_string_lossy().contains("two-octet");
        let mut framer = Framer::default();
        framer.allow_extended_messages();
        framer.push(&std::fs::read(path).unwrap());
        while let Some(message) = framer.next_message().unwrap() {
            samples.push((four_octet_asn, message.to_vec()));
        }
    }
    samples
}

fn verdict(message: &[u8], four_octet_asn: bool) -> Verdict {
    let negotiated = Negotiated { four_octet_asn, ..Negotiated::plain(PeerKind::External) };
    let Ok(Message::Update(body)) = Message::decode(message) else { panic!("no UPDATE") };
    Verdict::decode(&body, &negotiated)
}

/// What the two readings say differently, by name; all of it if the other decoder gives up.
fn difference(left: &Reading, right: Option<&Reading>) -> String {
    let Some(right) = right else { return "everything".to_owned() };
    let names = left.keys().chain(right.keys());
    sorted(names.filter(|name| left.get(*name) != right.get(*name)))
}

/// Why another decoder reads an UPDATE otherwise, and who is right.
fn reason(decoder: &str, faults: &[Fault], four_octet_asn: bool, difference: &str) -> &'static str {
    // What only neighbours of the same network may send is discarded whatever else is wrong.
    let (internal, problems): (Vec<_>, Vec<_>) =
        faults.iter().map(|fault| &fault.problem).partition(|problem| **problem == Problem::InternalOnly);
    match (decoder, &problems[..], difference) {
        (_, [] | [Problem::NotNegotiated], "") => "they agree",
        (_, [], "local pref") if !internal.is_empty() => {
            "collectors peer with other networks, so LOCAL_PREF is to be discarded (RFC 7606 section 7.5); \
             the others show it and leave that to their users"
        }
        (_, [Problem::AsZero], "aggregator local pref") if !internal.is_empty() => {
            "an aggregator of AS 0 is to be discarded as well (RFC 7607); the others show it"
        }
        ("netgauze", [], "path") if !four_octet_asn => {
            "an AS4_PATH completes AS_PATH (RFC 6793 section 4.2.3); netgauze leaves them apart for its users"
        }
        ("netgauze", [Problem::NotNegotiated], "everything") => {
            "netgauze gives up on multicast prefixes (SAFI 2); routes of a family that was not negotiated \
             are ignored (RFC 4760 section 7), the rest of the UPDATE holds"
        }
        unexplained => panic!("a disagreement that nobody has explained: {unexplained:?}"),
    }
}

/// Why a real UPDATE is treated as if it withdrew its routes, while the others show them.
fn withdrawn(faults: &[Fault]) -> &'static str {
    let strongest = faults.iter().max_by_key(|fault| fault.handling).map(|fault| &fault.problem);
    match strongest {
        Some(Problem::Path(AsPathError::AsZero)) => {
            "AS 0 in the path is to be treated as a withdraw (RFC 7607); the others show it"
        }
        Some(Problem::NextHop(IpAddr::V6(Ipv6Addr::UNSPECIFIED))) => {
            "IPv6 routes towards `::`, which is no host (RFC 4271 section 6.3), from a router that has no IPv6 \
             address on the session; the others show them"
        }
        unexplained => panic!("a withdraw that nobody has explained: {unexplained:?}"),
    }
}

#[test]
fn disagreements() {
    let mut table: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (four_octet_asn, message) in samples() {
        let (update, faults) = match verdict(&message, four_octet_asn) {
            Verdict::Accept(update) => (update, Vec::new()),
            Verdict::DiscardAttribute(update, faults) => (update, faults),
            Verdict::TreatAsWithdraw(_, faults) => {
                *table.entry(("both", withdrawn(&faults))).or_default() += 1;
                continue;
            }
            other => panic!("a working session would have suffered: {other:?}"),
        };
        let theirs = [
            ("bgpkit", bgpkit::read(&message, four_octet_asn)),
            ("netgauze", netgauze(&message, four_octet_asn)),
        ];
        for (decoder, theirs) in theirs {
            let difference = difference(&ours(&update), theirs.as_ref());
            *table.entry((decoder, reason(decoder, &faults, four_octet_asn, &difference))).or_default() += 1;
        }
    }
    insta::assert_debug_snapshot!(table);
}
