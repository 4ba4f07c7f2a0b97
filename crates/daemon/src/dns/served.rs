//! What every thread answers from: zones, and who may have them. It never changes; another one takes its place.

use super::bell::Bell;
use super::service::Messages;
use super::shelf::Change;
use super::tap::Tap;
use ::dns::zone::ZoneRecords;
use ::dns::{Arrival, Envelope, Outcome, ResponseCode, Server, Transport, UDP_PAYLOAD, Zone, Zones, answer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use terms::{Authority, DomainName, Record};
use transfer::{
    Client, Conversation, Journal, Keys, Operation, Policy, Request, SignatureError, Writer, acknowledge,
    truncate,
};

/// The zones of the moment, and what else is asked about zones as a whole.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(super) zones: Arc<Zones>,
    /// Who is told of every exchange.
    pub(super) tap: Option<Tap>,
    pub(super) keys: Keys,
    /// Who may have which zone; a zone that is not here goes to nobody.
    pub(super) policies: Arc<BTreeMap<DomainName, Policy>>,
    /// What changed last in which zone.
    pub(super) journals: BTreeMap<DomainName, Journal>,
    /// Who hears that a primary has another version of which zone.
    pub(super) bells: Arc<BTreeMap<DomainName, Bell>>,
    /// Zones of which it is being found out what has changed in them: nobody is told of them yet.
    pub(super) comparing: BTreeSet<DomainName>,
    /// Zones that a catalog has listed lately and that have not come yet.
    pub(super) awaited: BTreeSet<DomainName>,
    /// The last change that is in it.
    pub(super) as_of: Change,
}

/// What is said to a message that [`answer`] leaves to others.
pub(super) enum Said {
    /// Nothing.
    Nothing,
    /// One message, and its code: not all of that stands in the header.
    Reply(Vec<u8>, ResponseCode),
    /// Messages of a transfer, made as they are sent. Each is to be signed, if there is somebody to sign.
    Stream(Messages, Option<Box<Conversation>>),
}

impl Served {
    /// Answers a message that is signed, or is about a zone as a whole.
    pub(super) fn aside(&self, server: &Server<'_>, arrival: &Arrival<'_>) -> Said {
        let mut message = arrival.message.to_vec();
        let mut signed = match Conversation::accept(&mut message, &self.keys, arrival.wall) {
            Ok(signed) => signed,
            Err(rejection) => {
                let code = match rejection.why {
                    SignatureError::Malformed => ResponseCode::FormErr,
                    _ => ResponseCode::NotAuth,
                };
                return Said::Reply(rejection.reply(&message), code);
            }
        };
        let reserved = signed.as_ref().map_or(0, Conversation::octets);
        let said = self.answer(&Arrival { message: &message, reserved, ..*arrival }, signed.as_ref(), server);
        match (said, &mut signed) {
            (Said::Reply(mut reply, code), Some(conversation)) => {
                conversation.sign(&mut reply, arrival.wall);
                Said::Reply(reply, code)
            }
            (Said::Stream(messages, _), _) => Said::Stream(messages, signed.map(Box::new)),
            (said, _) => said,
        }
    }

    fn answer(&self, arrival: &Arrival<'_>, signed: Option<&Conversation>, server: &Server<'_>) -> Said {
        let mut out =
            vec![0; usize::from(if arrival.transport == Transport::Udp { UDP_PAYLOAD } else { u16::MAX })];
        match answer(server, None, arrival, &mut out) {
            Outcome::Reply { length, code, .. } => {
                out.truncate(length);
                return Said::Reply(out, code);
            }
            Outcome::Silence(_) => return Said::Nothing,
            Outcome::Aside => {}
        }
        let (message, envelope) = (arrival.message, Envelope::of(server, arrival));
        let say = |code: ResponseCode| Said::Reply(acknowledge(message, code as u8, &envelope.opt), code);
        let Ok(request) = Request::of(message) else { return say(ResponseCode::FormErr) };
        let client = Client::new(arrival.client, signed);
        match request.operation {
            Operation::Notify(_) => say(self.notified(&request.zone, client)),
            Operation::Whole | Operation::Since(_) => match self.may_have(&request.zone, client) {
                Ok(zone) => self.transfer(arrival, &request, zone, &envelope).unwrap_or_else(say),
                Err(code) => say(code),
            },
            // It has been answered.
            Operation::Question => say(ResponseCode::FormErr),
        }
    }

    /// Takes in what a primary says (RFC 1996 section 3.10 and 3.11).
    fn notified(&self, zone: &DomainName, client: Client<'_>) -> ResponseCode {
        match self.bells.get(zone) {
            None => ResponseCode::NotAuth,
            Some(bell) if bell.ring(client) => ResponseCode::NoError,
            Some(_) => ResponseCode::Refused,
        }
    }

    /// The zone, if the client may have it (RFC 5936 section 2.2.1 and 5).
    fn may_have(&self, zone: &DomainName, client: Client<'_>) -> Result<&Arc<Zone>, ResponseCode> {
        let served = self.zones.get(zone);
        if served.is_none() && !self.zones.unavailable().any(|name| name == zone) {
            return Err(ResponseCode::NotAuth);
        }
        if !self.policies.get(zone).is_some_and(|policy| policy.allows(client)) {
            return Err(ResponseCode::Refused);
        }
        served.ok_or(ResponseCode::ServFail)
    }

    fn transfer(
        &self,
        arrival: &Arrival<'_>,
        request: &Request,
        zone: &Arc<Zone>,
        envelope: &Envelope,
    ) -> Result<Said, ResponseCode> {
        let Arrival { message, transport, .. } = *arrival;
        let newest = zone.authority().ok_or(ResponseCode::ServFail)?;
        let records: Box<dyn Iterator<Item = Record> + Send> = match (request.operation, transport) {
            // RFC 5936 section 4.2: a whole zone goes over TCP.
            (Operation::Whole, Transport::Udp) => return Err(ResponseCode::FormErr),
            // RFC 1995 section 2: who reads this and has another version comes over TCP.
            (Operation::Since(_), Transport::Udp) => Box::new(std::iter::once(newest)),
            (Operation::Since(serial), Transport::Tcp | Transport::Tls)
                if !Authority::is_newer(zone.serial(), serial) =>
            {
                Box::new(std::iter::once(newest))
            }
            (Operation::Since(serial), Transport::Tcp | Transport::Tls) => {
                let journal = self.journals.get(zone.apex());
                match journal.and_then(|journal| journal.since(serial, &newest)) {
                    Some(changes) => Box::new(changes),
                    None => whole(newest, zone),
                }
            }
            (Operation::Whole | Operation::Notify(_) | Operation::Question, _) => whole(newest, zone),
        };
        let opt = envelope.opt.clone();
        let mut messages = Writer::new(message, request.id, zone.apex().clone(), opt, records);
        if matches!(transport, Transport::Tcp | Transport::Tls) {
            return Ok(Said::Stream(Box::new(messages), None));
        }
        let fits = messages.next().filter(|reply| reply.len() <= envelope.room);
        let reply = fits.unwrap_or_else(|| truncate(message, &envelope.opt));
        Ok(Said::Reply(reply, ResponseCode::NoError))
    }
}

/// Every record of a zone, its SOA record first and last (RFC 5936 section 2.2).
fn whole(newest: Record, zone: &Arc<Zone>) -> Box<dyn Iterator<Item = Record> + Send> {
    let first = std::iter::once(newest.clone());
    Box::new(first.chain(ZoneRecords::of(Arc::clone(zone))).chain(std::iter::once(newest)))
}
