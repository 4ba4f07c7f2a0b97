//! Reading attributes from hostile octets. One arm per attribute, each with its section of RFC 7606.

use super::multiprotocol::{mp_reach, mp_unreach, negotiated_family};
use super::{
    Aggregator, AttributeCode, Fault, Handling, Ipv6ExtendedCommunity, PathAttributes, Problem, flag,
};
use crate::wire::as_path::{AsPath, AsnWidth};
use crate::wire::negotiated::{Negotiated, PeerKind};
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::reader::Reader;
use std::net::{IpAddr, Ipv4Addr};
use terms::{Asn, Community, ExtendedCommunity, Family, LargeCommunity, Origin};

/// What was read, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) said: PathAttributes,
    pub(crate) faults: Vec<Fault>,
    /// Families whose routes cannot be read, and why.
    pub(crate) disabled: Vec<(Family, Fault)>,
    as4_path: Option<AsPath>,
    as4_aggregator: Option<Aggregator>,
}

/// Why an attribute is not taken.
pub(super) enum Rejection {
    Fault(Problem, Handling),
    Disable(Family, Problem),
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

/// An attribute that does not end within the list (RFC 7606 section 4), and what there is of its value.
struct Overrun<'a> {
    code: AttributeCode,
    value: &'a [u8],
}

impl<'a> RawAttribute<'a> {
    /// The next attribute.
    fn read(list: &mut Reader<'a>) -> Result<Self, Overrun<'a>> {
        let start = list.rest();
        let header = list.array();
        let code = AttributeCode(start.get(1).copied().unwrap_or_default());
        let [flags, _] = header.ok_or(Overrun { code, value: &[] })?;
        let length = if flags & flag::EXTENDED_LENGTH == 0 { list.u8().map(u16::from) } else { list.u16() };
        let value = length.and_then(|length| list.take(length.into()));
        let value = value.ok_or(Overrun { code, value: list.rest() })?;
        let whole = &start[..start.len() - list.rest().len()];
        Ok(RawAttribute { flags, code, value, whole })
    }
}

/// Attribute types that were there already.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// Whether it is there for the first time.
    fn insert(&mut self, AttributeCode(code): AttributeCode) -> bool {
        let (word, bit) = (&mut self.0[usize::from(code / 64)], 1 << (code % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

impl Attributes {
    /// Reads the attributes of an UPDATE. The error ends the session.
    pub(crate) fn decode(octets: &[u8], negotiated: &Negotiated) -> Result<Attributes, Notification> {
        let mut attributes = Attributes::default();
        let mut seen = Seen::default();
        let mut list = Reader::new(octets);
        while !list.is_empty() {
            let raw = match RawAttribute::read(&mut list) {
                Ok(raw) => raw,
                Err(overrun) => {
                    attributes.end_early(&overrun, negotiated)?;
                    break;
                }
            };
            if seen.insert(raw.code) {
                attributes.take(&raw, negotiated)?;
            } else if raw.code.has_prefixes() {
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

    /// RFC 7606 section 4.
    fn end_early(&mut self, overrun: &Overrun<'_>, negotiated: &Negotiated) -> Result<(), Notification> {
        self.fault(overrun.code, Problem::Framing, Withdraw);
        if !overrun.code.has_prefixes() {
            return Ok(());
        }
        self.disable(overrun.code, overrun.value, Problem::Framing, negotiated).map_err(Notification::from)
    }

    /// Prefixes that cannot be read, or not be believed, cannot be withdrawn either (RFC 7606 section 3j).
    fn disable(
        &mut self,
        code: AttributeCode,
        value: &[u8],
        problem: Problem,
        negotiated: &Negotiated,
    ) -> Result<(), ErrorCode> {
        let rejection = match negotiated_family(&mut Reader::new(value), negotiated) {
            Ok(family) => Rejection::Disable(family, problem),
            Err(rejection) => rejection,
        };
        self.reject(code, rejection)
    }

    /// Notes what is wrong; the error ends the session.
    fn reject(&mut self, attribute: AttributeCode, rejection: Rejection) -> Result<(), ErrorCode> {
        match rejection {
            Rejection::Fault(problem, handling) => self.fault(attribute, problem, handling),
            Rejection::Disable(family, problem) => {
                self.disabled.push((family, Fault { attribute, problem, handling: Handling::Disable }));
            }
            Rejection::Reset(error) => return Err(error),
        }
        Ok(())
    }

    fn take(&mut self, raw: &RawAttribute<'_>, negotiated: &Negotiated) -> Result<(), Notification> {
        let problem = Problem::Flags(raw.flags);
        match raw.code.category() {
            Some(category) if raw.flags & (flag::OPTIONAL | flag::TRANSITIVE) != category => {
                if raw.code.has_prefixes() {
                    // RFC 7606 section 5.3
                    let disabled = self.disable(raw.code, raw.value, problem, negotiated);
                    return disabled.map_err(|error| Notification::new(error, raw.whole));
                }
                // RFC 7606 section 3c
                self.fault(raw.code, problem, Withdraw);
            }
            // RFC 4271 section 6.3: only optional attributes may be unknown to a speaker.
            None if raw.flags & flag::OPTIONAL == 0 => {
                return Err(Notification::new(ErrorCode::UNRECOGNIZED_WELL_KNOWN, raw.whole));
            }
            Some(_) | None => {}
        }
        match self.read_value(raw.code, raw.value, negotiated) {
            Ok(()) => Ok(()),
            Err(rejection) => {
                self.reject(raw.code, rejection).map_err(|error| Notification::new(error, raw.whole))
            }
        }
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
        let only_from = |may: bool, problem| if may { Ok(()) } else { Err((problem, Discard)) };
        let internal = || only_from(negotiated.peer_kind == PeerKind::Internal, Problem::InternalOnly);
        let two_octets = || only_from(!negotiated.four_octet_asn, Problem::FourOctetNeighbour);
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
                if !is_host(address.into()) {
                    return Err((Problem::NextHop(address.into()), Withdraw).into());
                }
                said.next_hop = Some(address);
            }
            // RFC 7606 section 7.4
            AttributeCode::MULTI_EXIT_DISC => {
                said.med = Some(u32::from_be_bytes(array(value).ok_or(wrong_length(Withdraw))?));
            }
            // RFC 7606 section 7.5
            AttributeCode::LOCAL_PREF => {
                internal()?;
                said.local_pref = Some(u32::from_be_bytes(array(value).ok_or(wrong_length(Withdraw))?));
            }
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
            // RFC 7606 section 7.9
            AttributeCode::ORIGINATOR_ID => {
                internal()?;
                let octets: [u8; 4] = array(value).ok_or(wrong_length(Withdraw))?;
                said.originator_id = Some(Ipv4Addr::from(octets));
            }
            // RFC 7606 section 7.10
            AttributeCode::CLUSTER_LIST => {
                internal()?;
                let reflectors: &[[u8; 4]] = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.cluster_list = reflectors.iter().copied().map(Ipv4Addr::from).collect();
            }
            // RFC 7606 section 7.14
            AttributeCode::EXTENDED_COMMUNITIES => {
                let labels = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.extended_communities = labels.iter().copied().map(ExtendedCommunity).collect();
            }
            // RFC 7606 section 7.15
            AttributeCode::IPV6_EXTENDED_COMMUNITIES => {
                let labels = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.ipv6_extended_communities = labels.iter().copied().map(Ipv6ExtendedCommunity).collect();
            }
            // RFC 8092 section 6
            AttributeCode::LARGE_COMMUNITY => {
                let labels: &[[u8; 12]] = fixed_size(value).ok_or(wrong_length(Withdraw))?;
                said.large_communities = labels.iter().filter_map(large_community).collect();
            }
            // RFC 7606 sections 7.11 and 7.12
            AttributeCode::MP_REACH_NLRI => {
                let reach = said.mp_reach.insert(mp_reach(value, negotiated)?);
                let next_hop = reach.next_hop;
                // Some routers have no other address on the link than the link-local one.
                let on_link = next_hop.is_unspecified()
                    && reach.link_local.is_some_and(|address| address.is_unicast_link_local());
                if !is_host(next_hop) && !on_link {
                    return Err((Problem::NextHop(next_hop), Withdraw).into());
                }
            }
            AttributeCode::MP_UNREACH_NLRI => said.mp_unreach = Some(mp_unreach(value, negotiated)?),
            // RFC 9234 section 5
            AttributeCode::ONLY_TO_CUSTOMER => {
                let number = u32::from_be_bytes(array(value).ok_or(wrong_length(Withdraw))?);
                let asn = Asn::try_from(number).map_err(|_| (Problem::AsZero, Withdraw))?;
                said.only_to_customer = Some(asn);
            }
            // RFC 6793 sections 4.1 and 6
            AttributeCode::AS4_PATH => {
                two_octets()?;
                let path = AsPath::decode(value, AsnWidth::Four).map_err(|problem| (problem, Discard))?;
                self.as4_path = Some(path);
            }
            AttributeCode::AS4_AGGREGATOR => {
                two_octets()?;
                self.as4_aggregator = Some(aggregator(value, AsnWidth::Four)?);
            }
            AttributeCode(_unknown) => {}
        }
        Ok(())
    }

    /// RFC 4760 section 3: beside MP_REACH_NLRI and without prefixes of its own, NEXT_HOP does not matter.
    pub(crate) fn ignore_next_hop(&mut self) {
        for fault in &mut self.faults {
            let about_value = matches!(fault.problem, Problem::Length(_) | Problem::NextHop(_));
            if fault.attribute == AttributeCode::NEXT_HOP && about_value {
                fault.handling = Discard;
            }
        }
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

pub(super) fn array<const N: usize>(value: &[u8]) -> Option<[u8; N]> {
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

/// Whether packets can be sent to the address: it is neither "this network" nor this host, neither a group nor
/// reserved (RFC 4271 section 6.3, RFC 1122 section 3.2.1.3).
fn is_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !matches!(address.octets()[0], 0 | 127 | 224..),
        IpAddr::V6(address) => !(address.is_unspecified() || address.is_loopback() || address.is_multicast()),
    }
}
