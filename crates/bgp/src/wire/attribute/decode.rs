//! Reading attributes from hostile octets. One arm per attribute, each with its section of RFC 7606.

use super::{Aggregator, AttributeCode, Fault, Handling, MpReach, MpUnreach, PathAttributes, Problem, flag};
use crate::wire::as_path::{AsPath, AsnWidth};
use crate::wire::negotiated::{Negotiated, PeerKind};
use crate::wire::nlri;
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::reader::Reader;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use terms::{Asn, Community, ExtendedCommunity, Family, LargeCommunity, Origin};

/// What was read, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) said: PathAttributes,
    pub(crate) faults: Vec<Fault>,
    as4_path: Option<AsPath>,
    as4_aggregator: Option<Aggregator>,
}

/// Why an attribute is not taken.
enum Rejection {
    Fault(Problem, Handling),
    Reset(ErrorCode),
}

use Handling::{Discard, Withdraw};

impl<P: Into<Problem>> From<(P, Handling)> for Rejection {
    fn from((problem, handling): (P, Handling)) -> Self {
        Rejection::Fault(problem.into(), handling)
    }
}

/// One attribute as it stands in the message.
struct RawAttribute<'a> {
    flags: u8,
    code: AttributeCode,
    value: &'a [u8],
    /// Flags, type, length and value: what a NOTIFICATION quotes (RFC 4271 section 6.3).
    whole: &'a [u8],
}

impl<'a> RawAttribute<'a> {
    /// The next attribute; the error is the type of one that does not end within the list (RFC 7606 section 4).
    fn read(list: &mut Reader<'a>) -> Result<Self, AttributeCode> {
        let start = list.rest();
        let header = list.array();
        let code = AttributeCode(start.get(1).copied().unwrap_or_default());
        let [flags, _] = header.ok_or(code)?;
        let length = if flags & flag::EXTENDED_LENGTH == 0 { list.u8().map(u16::from) } else { list.u16() };
        let value = list.take(length.ok_or(code)?.into()).ok_or(code)?;
        let whole = &start[..start.len() - list.rest().len()];
        Ok(RawAttribute { flags, code, value, whole })
    }
}

impl Attributes {
    /// Reads the attributes of an UPDATE. The error ends the session.
    pub(crate) fn decode(octets: &[u8], negotiated: &Negotiated) -> Result<Attributes, Notification> {
        let mut attributes = Attributes::default();
        let mut seen = BTreeSet::new();
        let mut list = Reader::new(octets);
        while !list.is_empty() {
            let raw = match RawAttribute::read(&mut list) {
                Ok(raw) => raw,
                Err(code) => {
                    attributes.fault(code, Problem::Framing, Withdraw);
                    break;
                }
            };
            if seen.insert(raw.code) {
                attributes.take(&raw, negotiated)?;
            } else if [AttributeCode::MP_REACH_NLRI, AttributeCode::MP_UNREACH_NLRI].contains(&raw.code) {
                // RFC 7606 section 3g: which of them counts cannot be known.
                return Err(ErrorCode::MALFORMED_ATTRIBUTE_LIST.into());
            } else {
                attributes.fault(raw.code, Problem::Repeated, Discard);
            }
        }
        attributes.complete_numbers(negotiated);
        attributes.judge_confederations(negotiated);
        Ok(attributes)
    }

    pub(crate) fn fault(&mut self, attribute: AttributeCode, problem: Problem, handling: Handling) {
        self.faults.push(Fault { attribute, problem, handling });
    }

    fn take(&mut self, raw: &RawAttribute<'_>, negotiated: &Negotiated) -> Result<(), Notification> {
        match raw.code.category() {
            // RFC 7606 section 3c. The value is read all the same: it may hold the prefixes to withdraw.
            Some(category) if raw.flags & (flag::OPTIONAL | flag::TRANSITIVE) != category => {
                self.fault(raw.code, Problem::Flags(raw.flags), Withdraw);
            }
            // RFC 4271 section 6.3: only optional attributes may be unknown to a speaker.
            None if raw.flags & flag::OPTIONAL == 0 => {
                return Err(Notification::new(ErrorCode::UNRECOGNIZED_WELL_KNOWN, raw.whole));
            }
            Some(_) | None => {}
        }
        match self.read_value(raw.code, raw.value, negotiated) {
            Ok(()) => {}
            Err(Rejection::Fault(problem, handling)) => self.fault(raw.code, problem, handling),
            Err(Rejection::Reset(error)) => return Err(Notification::new(error, raw.whole)),
        }
        Ok(())
    }

    fn read_value(
        &mut self,
        code: AttributeCode,
        value: &[u8],
        negotiated: &Negotiated,
    ) -> Result<(), Rejection> {
        let said = &mut self.said;
        let wrong_length = |handling| Rejection::Fault(Problem::Length(value.len()), handling);
        let width = if negotiated.four_octet_asn { AsnWidth::Four } else { AsnWidth::Two };
        let from_old_neighbour =
            || if negotiated.four_octet_asn { Err((Problem::FourOctetNeighbour, Discard)) } else { Ok(()) };
        match code {
            // RFC 7606 section 7.1
            AttributeCode::ORIGIN => {
                let [value] = array(value).ok_or(wrong_length(Withdraw))?;
                said.origin = Some(origin(value).ok_or((Problem::Origin(value), Withdraw))?);
            }
            // RFC 7606 section 7.2
            AttributeCode::AS_PATH => {
                said.as_path = Some(AsPath::decode(value, width).map_err(|problem| (problem, Withdraw))?);
            }
            // RFC 7606 section 7.3
            AttributeCode::NEXT_HOP => {
                let address = Ipv4Addr::from(array::<4>(value).ok_or(wrong_length(Withdraw))?);
                if address.is_unspecified() || address.is_multicast() || address.is_broadcast() {
                    return Err((Problem::NextHop(address), Withdraw).into());
                }
                said.next_hop = Some(address);
            }
            // RFC 7606 section 7.4
            AttributeCode::MULTI_EXIT_DISC => {
                said.med = Some(u32::from_be_bytes(array(value).ok_or(wrong_length(Withdraw))?));
            }
            // RFC 7606 section 7.5
            AttributeCode::LOCAL_PREF => match negotiated.peer_kind {
                PeerKind::External => return Err((Problem::InternalOnly, Discard).into()),
                PeerKind::Internal => {
                    said.local_pref = Some(u32::from_be_bytes(array(value).ok_or(wrong_length(Withdraw))?));
                }
            },
            // RFC 7606 section 7.6
            AttributeCode::ATOMIC_AGGREGATE if value.is_empty() => said.atomic_aggregate = true,
            AttributeCode::ATOMIC_AGGREGATE => return Err(wrong_length(Discard)),
            // RFC 7606 section 7.7
            AttributeCode::AGGREGATOR => said.aggregator = Some(aggregator(value, width)?),
            // RFC 7606 section 7.8
            AttributeCode::COMMUNITIES => {
                let labels = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.communities =
                    labels.iter().map(|&octets| Community(u32::from_be_bytes(octets))).collect();
            }
            // RFC 7606 section 7.14
            AttributeCode::EXTENDED_COMMUNITIES => {
                let labels = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.extended_communities = labels.iter().copied().map(ExtendedCommunity).collect();
            }
            // RFC 8092 section 6
            AttributeCode::LARGE_COMMUNITY => {
                let labels: &[[u8; 12]] = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.large_communities = labels.iter().filter_map(large_community).collect();
            }
            // RFC 7606 sections 7.11 and 7.12
            AttributeCode::MP_REACH_NLRI => said.mp_reach = Some(mp_reach(value, negotiated)?),
            AttributeCode::MP_UNREACH_NLRI => said.mp_unreach = Some(mp_unreach(value, negotiated)?),
            // RFC 6793 sections 4.1 and 6
            AttributeCode::AS4_PATH => {
                from_old_neighbour()?;
                let path = AsPath::decode(value, AsnWidth::Four).map_err(|problem| (problem, Discard))?;
                self.as4_path = Some(path);
            }
            AttributeCode::AS4_AGGREGATOR => {
                from_old_neighbour()?;
                self.as4_aggregator = Some(aggregator(value, AsnWidth::Four)?);
            }
            AttributeCode(_unknown) => {}
        }
        Ok(())
    }

    /// Puts numbers of four octets where AS_TRANS stands for them (RFC 6793 section 4.2.3).
    fn complete_numbers(&mut self, negotiated: &Negotiated) {
        if negotiated.four_octet_asn {
            return;
        }
        if let Some(aggregator) = &mut self.said.aggregator {
            if aggregator.asn == Asn::TRANS {
                *aggregator = self.as4_aggregator.unwrap_or(*aggregator);
            } else if self.as4_aggregator.is_some() {
                // A network in between aggregated anew: both AS4 attributes are out of date.
                return;
            }
        }
        if let (Some(path), Some(four_octets)) = (&mut self.said.as_path, &self.as4_path) {
            *path = std::mem::take(path).completed_by(four_octets);
        }
    }

    /// RFC 5065 section 5: a confederation does not show outside of it.
    fn judge_confederations(&mut self, negotiated: &Negotiated) {
        let shows = self.said.as_path.as_ref().is_some_and(AsPath::has_confederation);
        if shows && negotiated.peer_kind == PeerKind::External {
            self.fault(AttributeCode::AS_PATH, Problem::Confederation, Withdraw);
        }
    }
}

fn array<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
    value.try_into().ok()
}

/// At least one item of `N` octets and nothing else.
fn fixed_size<const N: usize>(value: &[u8]) -> Option<&[[u8; N]]> {
    let (items, rest) = value.as_chunks();
    (!items.is_empty() && rest.is_empty()).then_some(items)
}

fn origin(value: u8) -> Option<Origin> {
    match value {
        0 => Some(Origin::Igp),
        1 => Some(Origin::Egp),
        2 => Some(Origin::Incomplete),
        _ => None,
    }
}

fn large_community(octets: &[u8; 12]) -> Option<LargeCommunity> {
    let mut reader = Reader::new(octets);
    Some(LargeCommunity { global: reader.u32()?, first: reader.u32()?, second: reader.u32()? })
}

fn aggregator(value: &[u8], width: AsnWidth) -> Result<Aggregator, Rejection> {
    let wrong_length = || Rejection::Fault(Problem::Length(value.len()), Discard);
    let mut reader = Reader::new(value);
    let number = width.read(&mut reader).ok_or_else(wrong_length)?;
    let router = array::<4>(reader.rest()).ok_or_else(wrong_length)?;
    let asn = Asn::try_from(number).map_err(|_| (Problem::AsZero, Discard))?;
    Ok(Aggregator { asn, router: Ipv4Addr::from(router) })
}

/// The family, if the session carries it. Routes of another one are ignored (RFC 4760 section 7).
fn negotiated_family(reader: &mut Reader<'_>, negotiated: &Negotiated) -> Result<Family, Rejection> {
    let cut_short = || Rejection::Reset(ErrorCode::OPTIONAL_ATTRIBUTE);
    let afi = reader.u16().ok_or_else(cut_short)?;
    let safi = reader.u8().ok_or_else(cut_short)?;
    let family = nlri::family(afi, safi).filter(|family| negotiated.families.contains(family));
    family.ok_or_else(|| (Problem::NotNegotiated, Discard).into())
}

fn mp_reach(value: &[u8], negotiated: &Negotiated) -> Result<MpReach, Rejection> {
    // A next hop of the wrong length hides where the prefixes begin, so nothing can be withdrawn either.
    let unreadable = || Rejection::Reset(ErrorCode::OPTIONAL_ATTRIBUTE);
    let mut reader = Reader::new(value);
    let family = negotiated_family(&mut reader, negotiated)?;
    let length = reader.u8().ok_or_else(unreadable)?;
    let octets = reader.take(length.into()).ok_or_else(unreadable)?;
    let _reserved = reader.u8().ok_or_else(unreadable)?;
    let (next_hop, link_local) = match (family, octets.len()) {
        (Family::Ipv4, 4) => (array::<4>(octets).map(IpAddr::from), None),
        (Family::Ipv6, 16) => (array::<16>(octets).map(IpAddr::from), None),
        (Family::Ipv6, 32) => {
            (array::<16>(&octets[..16]).map(IpAddr::from), array::<16>(&octets[16..]).map(Ipv6Addr::from))
        }
        (Family::Ipv4 | Family::Ipv6, _) => return Err(unreadable()),
    };
    let next_hop = next_hop.ok_or_else(unreadable)?;
    let prefixes = nlri::decode(reader.rest(), family).map_err(|_| unreadable())?;
    Ok(MpReach { family, next_hop, link_local, prefixes })
}

fn mp_unreach(value: &[u8], negotiated: &Negotiated) -> Result<MpUnreach, Rejection> {
    let mut reader = Reader::new(value);
    let family = negotiated_family(&mut reader, negotiated)?;
    let prefixes =
        nlri::decode(reader.rest(), family).map_err(|_| Rejection::Reset(ErrorCode::OPTIONAL_ATTRIBUTE))?;
    Ok(MpUnreach { family, prefixes })
}
