//! Writing attributes.

use super::{AttributeCode, MpReach, MpUnreach, PathAttributes, flag};
use crate::wire::as_path::{AsPath, AsnWidth};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri;
use std::net::IpAddr;
use terms::{Family, Origin};

/// The attributes in the order that neighbours like best: MP_REACH_NLRI and MP_UNREACH_NLRI first (RFC 7606 section
/// 5.1), the others by type (RFC 4271 section 5).
pub(crate) fn encode(attributes: &PathAttributes, negotiated: &Negotiated) -> Vec<u8> {
    let four_octet_asn = negotiated.four_octet_asn;
    let with_path = |family| negotiated.add_path(family).send;
    let width = if four_octet_asn { AsnWidth::Four } else { AsnWidth::Two };
    let mut list = List { octets: Vec::with_capacity(USUAL) };
    if let Some(reach) = &attributes.mp_reach {
        list.put(AttributeCode::MP_REACH_NLRI, |out| mp_reach(reach, with_path(reach.family), out));
    }
    if let Some(unreach) = &attributes.mp_unreach {
        list.put(AttributeCode::MP_UNREACH_NLRI, |out| mp_unreach(unreach, with_path(unreach.family), out));
    }
    if let Some(origin) = attributes.origin {
        list.put(AttributeCode::ORIGIN, |out| out.push(origin_value(origin)));
    }
    if let Some(path) = &attributes.as_path {
        list.put(AttributeCode::AS_PATH, |out| path.encode(width, out));
    }
    if let Some(next_hop) = attributes.next_hop {
        list.put(AttributeCode::NEXT_HOP, |out| out.extend(next_hop.octets()));
    }
    if let Some(med) = attributes.med {
        list.put(AttributeCode::MULTI_EXIT_DISC, |out| out.extend(med.to_be_bytes()));
    }
    if let Some(local_pref) = attributes.local_pref {
        list.put(AttributeCode::LOCAL_PREF, |out| out.extend(local_pref.to_be_bytes()));
    }
    if attributes.atomic_aggregate {
        list.put(AttributeCode::ATOMIC_AGGREGATE, |_| ());
    }
    if let Some(aggregator) = attributes.aggregator {
        list.put(AttributeCode::AGGREGATOR, |out| aggregator_value(aggregator, width, out));
    }
    list.put_labels(AttributeCode::COMMUNITIES, attributes.communities.iter().map(|c| c.0.to_be_bytes()));
    if let Some(originator) = attributes.originator_id {
        list.put(AttributeCode::ORIGINATOR_ID, |out| out.extend(originator.octets()));
    }
    list.put_labels(
        AttributeCode::CLUSTER_LIST,
        attributes.cluster_list.iter().map(|reflector| reflector.octets()),
    );
    list.put_labels(
        AttributeCode::EXTENDED_COMMUNITIES,
        attributes.extended_communities.iter().map(|community| community.0),
    );
    if !four_octet_asn {
        if let Some(path) = attributes.as_path.as_ref().and_then(AsPath::four_octet_remainder) {
            list.put(AttributeCode::AS4_PATH, |out| path.encode(AsnWidth::Four, out));
        }
        if let Some(aggregator) = attributes.aggregator.filter(|by| !by.asn.fits_two_octets()) {
            list.put(AttributeCode::AS4_AGGREGATOR, |out| aggregator_value(aggregator, AsnWidth::Four, out));
        }
    }
    list.put_labels(
        AttributeCode::IPV6_EXTENDED_COMMUNITIES,
        attributes.ipv6_extended_communities.iter().map(|community| community.0),
    );
    list.put_labels(
        AttributeCode::LARGE_COMMUNITY,
        attributes.large_communities.iter().flat_map(|c| [c.global, c.first, c.second]).map(u32::to_be_bytes),
    );
    if let Some(asn) = attributes.only_to_customer {
        list.put(AttributeCode::ONLY_TO_CUSTOMER, |out| out.extend(asn.get().to_be_bytes()));
    }
    list.octets
}

/// More octets than most lists of attributes have.
const USUAL: usize = 256;

/// The list as far as it is written.
struct List {
    octets: Vec<u8>,
}

impl List {
    /// Adds an attribute; `write` appends its value.
    fn put(&mut self, code: AttributeCode, write: impl FnOnce(&mut Vec<u8>)) {
        let flags = code.category().unwrap_or_default();
        let start = self.octets.len();
        let head = [flags, code.0, 0];
        self.octets.extend(head);
        write(&mut self.octets);
        let length = self.octets.len() - start - head.len();
        match u8::try_from(length) {
            Ok(length) => self.octets[start + 2] = length,
            Err(_) => {
                // The caller refuses a message that is too long; until then the length must not wrap.
                let length = u16::try_from(length).unwrap_or(u16::MAX);
                self.octets[start] |= flag::EXTENDED_LENGTH;
                self.octets.splice(start + 2..start + 3, length.to_be_bytes());
            }
        }
    }

    /// An attribute without a label is left out: an empty one is malformed (RFC 7606 section 7.8).
    fn put_labels<const N: usize>(&mut self, code: AttributeCode, labels: impl Iterator<Item = [u8; N]>) {
        let mut labels = labels.peekable();
        if labels.peek().is_some() {
            self.put(code, |out| labels.for_each(|label| out.extend(label)));
        }
    }
}

fn origin_value(origin: Origin) -> u8 {
    match origin {
        Origin::Igp => 0,
        Origin::Egp => 1,
        Origin::Incomplete => 2,
    }
}

fn aggregator_value(aggregator: super::Aggregator, width: AsnWidth, out: &mut Vec<u8>) {
    width.write(aggregator.asn, out);
    out.extend(aggregator.router.octets());
}

fn family(family: Family) -> [u8; 3] {
    let [high, low] = nlri::afi(family).to_be_bytes();
    [high, low, nlri::SAFI_UNICAST]
}

fn mp_reach(reach: &MpReach, with_path: bool, out: &mut Vec<u8>) {
    out.extend(family(reach.family));
    let mut next_hop = match reach.next_hop {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    next_hop.extend(reach.link_local.iter().flat_map(|address| address.octets()));
    out.push(u8::try_from(next_hop.len()).unwrap_or(u8::MAX));
    out.extend(next_hop);
    out.push(0);
    nlri::encode(&reach.prefixes, with_path, out);
}

fn mp_unreach(unreach: &MpUnreach, with_path: bool, out: &mut Vec<u8>) {
    out.extend(family(unreach.family));
    nlri::encode(&unreach.prefixes, with_path, out);
}
