//! UPDATE: routes that appear and disappear (RFC 4271 section 4.3), and the verdict on a received one (RFC 7606).

use crate::wire::attribute::{self, AttributeCode, Attributes, Fault, Handling, PathAttributes, Problem};
use crate::wire::attribute::{MpReach, MpUnreach};
use crate::wire::message::{HEADER, framed, kind};
use crate::wire::negotiated::Negotiated;
use crate::wire::nlri::{self, Nlri};
use crate::wire::notification::{ErrorCode, Notification};
use crate::wire::reader::Reader;
use terms::{Family, Prefix};

/// The content of an UPDATE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Update {
    /// IPv4 prefixes that cannot be reached any more.
    pub withdrawn: Vec<Nlri>,
    /// What is said about the prefixes that can be reached, and the prefixes of other families.
    pub attributes: PathAttributes,
    /// IPv4 prefixes that can be reached.
    pub reached: Vec<Nlri>,
}

/// What to do about a received UPDATE (RFC 7606 section 2). A caller cannot get at the routes of a faulty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Accept(Update),
    /// Some attributes were discarded, the rest is as it should be.
    DiscardAttribute(Update, Vec<Fault>),
    /// Every prefix in it is withdrawn.
    TreatAsWithdraw(Vec<Nlri>, Vec<Fault>),
    /// Routes of a family cannot be read: what was heard of it is not true any more, and until the session ends
    /// nothing of it is (RFC 4760 section 7). The neighbour's routes of the other family hold.
    DisableFamily {
        /// The family.
        family: Family,
        /// Why.
        fault: Fault,
        /// What to do about everything else in the UPDATE.
        rest: Box<Verdict>,
    },
    /// Nothing of it can be used, and the session ends.
    Reset(Notification),
}

/// An UPDATE that does not fit a message: so many octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its attributes need {0} octets, more than a message to this neighbour may have")]
pub struct TooLong(pub usize);

impl Update {
    /// Every prefix that can be reached, of both families.
    pub fn announced(&self) -> impl Iterator<Item = Prefix> {
        self.announced_paths().map(|nlri| nlri.prefix)
    }

    /// Every prefix that cannot be reached any more, of both families.
    pub fn unreachable(&self) -> impl Iterator<Item = Prefix> {
        self.withdrawn_paths().map(|nlri| nlri.prefix)
    }

    /// Every path that appears, of both families.
    pub fn announced_paths(&self) -> impl Iterator<Item = Nlri> {
        let others = self.attributes.mp_reach.iter().flat_map(|reach| &reach.prefixes);
        self.reached.iter().chain(others).copied()
    }

    /// Every path that disappears, of both families.
    pub fn withdrawn_paths(&self) -> impl Iterator<Item = Nlri> {
        let others = self.attributes.mp_unreach.iter().flat_map(|unreach| &unreach.prefixes);
        self.withdrawn.iter().chain(others).copied()
    }

    /// "That is all for this family" (RFC 4724 section 2).
    pub fn end_of_rib(family: Family) -> Self {
        Update::withdraw(family, [] as [Nlri; 0])
    }

    /// Takes prefixes of one family back.
    pub fn withdraw(family: Family, prefixes: impl IntoIterator<Item = impl Into<Nlri>>) -> Self {
        let prefixes = prefixes.into_iter().map(Into::into).collect();
        let mut update = Update::default();
        match family {
            Family::Ipv4 => update.withdrawn = prefixes,
            Family::Ipv6 => update.attributes.mp_unreach = Some(MpUnreach { family, prefixes }),
        }
        update
    }

    /// The family whose End-of-RIB this is, if it is one.
    pub fn is_end_of_rib(&self) -> Option<Family> {
        if self.announced_paths().chain(self.withdrawn_paths()).next().is_some() {
            return None;
        }
        Family::ALL.into_iter().find(|&family| *self == Update::end_of_rib(family))
    }

    /// The whole message, as the neighbour understands it.
    pub fn encode(&self, negotiated: &Negotiated) -> Result<Vec<u8>, TooLong> {
        let with_path = negotiated.add_path(Family::Ipv4).send;
        let mut withdrawn = Vec::new();
        nlri::encode(&self.withdrawn, with_path, &mut withdrawn);
        let attributes = attribute::encode(&self.attributes, negotiated);
        let mut reached = Vec::new();
        nlri::encode(&self.reached, with_path, &mut reached);

        let octets = HEADER + 4 + withdrawn.len() + attributes.len() + reached.len();
        if octets > negotiated.max_message() {
            return Err(TooLong(octets));
        }
        let body = [counted(&withdrawn), counted(&attributes), reached].concat();
        Ok(framed(kind::UPDATE, &body))
    }
}

/// The octets with their length in front.
fn counted(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], octets].concat()
}

impl Verdict {
    /// Reads and judges the body of an UPDATE.
    pub fn decode(body: &[u8], negotiated: &Negotiated) -> Verdict {
        match judge(body, negotiated) {
            Ok(verdict) => verdict,
            Err(notification) => Verdict::Reset(notification),
        }
    }
}

fn judge(body: &[u8], negotiated: &Negotiated) -> Result<Verdict, Notification> {
    let (withdrawn, list, reached) = sections(body).ok_or(ErrorCode::MALFORMED_ATTRIBUTE_LIST)?;
    // RFC 7606 sections 3i, 3j and 5.3: a list that cannot be read leaves nothing to withdraw.
    let with_path = negotiated.add_path(Family::Ipv4).receive;
    let prefixes =
        |octets| nlri::decode(octets, Family::Ipv4, with_path).map_err(|_| ErrorCode::INVALID_NETWORK_FIELD);
    let (withdrawn, mut reached) = (prefixes(withdrawn)?, prefixes(reached)?);
    let mut attributes = Attributes::decode(list, negotiated)?;
    if reached.is_empty() && attributes.said.mp_reach.is_some() {
        attributes.ignore_next_hop();
    }
    if !negotiated.families.contains(&Family::Ipv4) && !reached.is_empty() {
        reached.clear();
        attributes.fault(AttributeCode::NEXT_HOP, Problem::NotNegotiated, Handling::Discard);
    }
    require_mandatory(&reached, &mut attributes);
    let Attributes { said, faults, disabled, .. } = attributes;
    // RFC 7606 section 5.2: prefixes may have been lost with a faulty attribute, unless it is known which.
    let known = !disabled.is_empty() || faults.iter().any(|fault| fault.problem == Problem::NotNegotiated);
    let mut verdict = weigh(Update { withdrawn, attributes: said, reached }, faults, known)?;
    for (family, fault) in disabled {
        verdict = Verdict::DisableFamily { family, fault, rest: Box::new(verdict) };
    }
    Ok(verdict)
}

/// RFC 7606 section 3h: the strongest action that any fault demands. `known` says that an UPDATE without prefixes is
/// known to have lost none.
fn weigh(update: Update, faults: Vec<Fault>, known: bool) -> Result<Verdict, ErrorCode> {
    match faults.iter().map(|fault| fault.handling).max() {
        None => Ok(Verdict::Accept(update)),
        Some(Handling::Discard) => Ok(Verdict::DiscardAttribute(update, faults)),
        Some(Handling::Withdraw | Handling::Disable) => {
            if update.announced_paths().next().is_none() && !known {
                return Err(ErrorCode::MALFORMED_ATTRIBUTE_LIST);
            }
            let paths = update.withdrawn_paths().chain(update.announced_paths()).collect();
            Ok(Verdict::TreatAsWithdraw(paths, faults))
        }
    }
}

/// Withdrawn routes, path attributes and NLRI; none if a length exceeds the message (RFC 4271 section 6.3).
fn sections(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut reader = Reader::new(body);
    let length = reader.u16()?;
    let withdrawn = reader.take(length.into())?;
    let length = reader.u16()?;
    let attributes = reader.take(length.into())?;
    Some((withdrawn, attributes, reader.rest()))
}

/// RFC 7606 section 3d: what can be reached has an origin, a path and a next hop. MP_REACH_NLRI brings its own
/// next hop (RFC 4760 section 3).
fn require_mandatory(reached: &[Nlri], attributes: &mut Attributes) {
    let said = &attributes.said;
    let mp_reach = said.mp_reach.as_ref().is_some_and(|reach: &MpReach| !reach.prefixes.is_empty());
    if reached.is_empty() && !mp_reach {
        return;
    }
    let missing = [
        (AttributeCode::ORIGIN, said.origin.is_none()),
        (AttributeCode::AS_PATH, said.as_path.is_none()),
        (AttributeCode::NEXT_HOP, said.next_hop.is_none() && !reached.is_empty()),
    ];
    for (code, _) in missing.into_iter().filter(|(_, missing)| *missing) {
        // An attribute that is there but malformed has its own fault already.
        if !attributes.faults.iter().any(|fault| fault.attribute == code) {
            attributes.fault(code, Problem::Missing, Handling::Withdraw);
        }
    }
}
