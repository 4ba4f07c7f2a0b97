//! What the programs in the kernel do with a frame, said once more: the oracle of their tests.

use crate::packet::{Kind, Packet, Reading, octets, read};
use crate::search::{Knowledge, Visit, judge};
use crate::{Count, Layer, Settings, Shim, Verdict, Visited, tunnel};
use terms::Timestamp;

/// One site: what it was told, and what it knows.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// None: everything passes.
    pub settings: Option<Settings>,
    /// What it has seen.
    pub knowledge: Knowledge,
}

/// Octets of the longest packet that can be held.
pub const MOST_HELD: usize = 2048;

/// What is done with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The host's own stack takes it.
    Pass,
    /// It leaves where it came in.
    Transmit,
    /// Nobody takes it.
    Drop,
}

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why; none where nothing was told to the site.
    pub verdict: Option<Verdict>,
    /// What is done with it.
    pub action: Action,
    /// How it looks then.
    pub frame: Vec<u8>,
}

impl Model {
    /// Takes a frame in.
    pub fn arrive(&mut self, frame: &[u8], layer: Layer, now: Timestamp) -> Outcome {
        let Some(settings) = &self.settings else {
            return Outcome { verdict: None, action: Action::Pass, frame: frame.to_vec() };
        };
        let reading = match layer.start(frame) {
            Some(start) => read(frame, start, frame.len(), settings),
            None => Reading::Elsewhere,
        };
        let known = &mut self.knowledge;
        let (verdict, frame, read) = match reading {
            Reading::Elsewhere => (Verdict::Foreign, frame.to_vec(), None),
            Reading::Service(packet, kind) => {
                let visit = Visit::from_client(settings.number);
                let verdict = judge(settings, known, &packet, kind, visit, now);
                (verdict, frame.to_vec(), Some((packet, visit.onward)))
            }
            Reading::Tunnel(outer) => match accept(frame, &outer, layer, settings) {
                None => (Verdict::Refused, frame.to_vec(), None),
                Some((packet, kind, visited)) => {
                    known.counts.add(Count::Arrived);
                    let visit = Visit::from_site(visited, settings.number);
                    let verdict = judge(settings, known, &packet, kind, visit, now);
                    let Some((frame, packet)) = tunnel::unwrap(frame, outer.start, &packet) else {
                        return unsent(known, verdict, frame);
                    };
                    (verdict, frame, Some((packet, visit.onward)))
                }
            },
        };
        known.counts.add(verdict.into());
        carry_out(settings, known, verdict, frame, read)
    }
}

/// The packet inside, if the sender's address, the way that it came and its tag say that a site of the fleet sent it.
fn accept(
    frame: &[u8],
    outer: &Packet,
    layer: Layer,
    settings: &Settings,
) -> Option<(Packet, Kind, Visited)> {
    let peer = settings.peer(outer.flow.client)?;
    let at = outer.transport + crate::packet::UDP_LEN;
    let shim = Shim::decode(&octets::<{ Shim::LEN }>(frame.get(..outer.end)?, at)?).ok()?;
    if shim.visited.last() != peer || shim.visited.contains(settings.number) {
        return None;
    }
    let Reading::Service(packet, kind) = read(frame, at + Shim::LEN, outer.end, settings) else {
        return None;
    };
    // An interface without a link header cannot say that a packet is of another family than the one that arrived.
    let keeps_family = layer == Layer::Ethernet || packet.family == outer.family;
    let is_whole = !matches!(kind, Kind::Unreadable | Kind::BrokenUp);
    let is_good = is_whole && keeps_family && shim.is_good(&packet.flow, &settings.keys);
    is_good.then_some((packet, kind, shim.visited))
}

fn carry_out(
    settings: &Settings,
    known: &mut Knowledge,
    verdict: Verdict,
    frame: Vec<u8>,
    read: Option<(Packet, Option<Visited>)>,
) -> Outcome {
    let done = |action, frame| Outcome { verdict: Some(verdict), action, frame };
    match verdict {
        Verdict::Foreign
        | Verdict::Opaque
        | Verdict::Connectionless
        | Verdict::Opening
        | Verdict::Owned
        | Verdict::Orphaned => done(Action::Pass, frame),
        Verdict::Held => {
            let held = read.and_then(|(packet, _)| {
                let octets = frame.get(packet.start..packet.end)?.to_vec();
                (octets.len() <= MOST_HELD).then_some((packet.flow, octets))
            });
            if held.is_none() {
                known.counts.add(Count::Unsent);
            }
            known.held.extend(held);
            done(Action::Drop, frame)
        }
        Verdict::OverBudget | Verdict::Unclaimed | Verdict::Oversized | Verdict::Refused => {
            done(Action::Drop, frame)
        }
        Verdict::Learned(to) | Verdict::Claimed(to) | Verdict::Guessed(to) | Verdict::Relayed(to) => {
            let address = settings.sites.get(&to).map(|site| site.address);
            let wrapped = read.zip(address).and_then(|((packet, onward), address)| {
                tunnel::wrap(&frame, &packet, onward?, address, settings)
            });
            match wrapped {
                Some(wrapped) => done(Action::Transmit, wrapped),
                None => unsent(known, verdict, &frame),
            }
        }
    }
}

fn unsent(known: &mut Knowledge, verdict: Verdict, frame: &[u8]) -> Outcome {
    known.counts.add(Count::Unsent);
    Outcome { verdict: Some(verdict), action: Action::Drop, frame: frame.to_vec() }
}
