//! One collector: called again and again, and told everything while it listens.

use super::line::{Line, Taken};
use super::view::View;
use super::{Event, Surroundings, socket};
use crate::event::Source;
use ::bgp::bmp::{Closed, Message};
use api::CollectorState;
use std::io;
use std::time::Duration;
use terms::Reason;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior, interval_at};

/// Pause after the first attempt that failed; it doubles from there.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause, and how long a connection has to last for the next pause to be the shortest again.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Octets of one write.
const BATCH: usize = 64 << 10;
/// Octets that a collector may send: none has anything to say (RFC 7854 section 3.2).
const IGNORED: usize = 64 << 10;
/// Longest time that a collector gets to take what is still to be said when it is ended.
const GOODBYE: Duration = Duration::from_secs(1);

/// The order to end, and what to tell the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) reason: Closed,
    pub(super) text: &'static str,
}

/// One collector that is not called yet.
#[derive(Debug)]
pub(super) struct Collector {
    settings: config::Collector,
    surroundings: Surroundings,
}

/// Why a connection is over.
enum Ended {
    /// It was ordered, and the collector was told so.
    Ordered,
    Overflowed,
    Lost(Reason),
}

impl Collector {
    pub(super) fn new(settings: config::Collector, surroundings: Surroundings) -> Self {
        Collector { settings, surroundings }
    }

    /// Calls until the order to end.
    pub(super) async fn run(self, mut order: oneshot::Receiver<Order>) {
        let mut failures = 0;
        let mut is_told = false;
        self.begin();
        loop {
            self.show(CollectorState::Connecting, None);
            let dialled = tokio::select! {
                _ = &mut order => break,
                dialled = socket::dial(&self.settings) => dialled,
            };
            failures += 1;
            let reason = match dialled {
                Ok(stream) => {
                    let since = self.surroundings.clock.now();
                    let reason = match self.serve(stream, &mut order).await {
                        Ended::Ordered => break,
                        Ended::Overflowed => self.overflowed(),
                        Ended::Lost(reason) => {
                            self.tell(&Event::Lost { reason: reason.clone() });
                            reason
                        }
                    };
                    if self.surroundings.clock.now().since(since) >= LONGEST_PAUSE {
                        failures = 1;
                    }
                    is_told = false;
                    reason
                }
                Err(error) => {
                    let reason = Reason::from(error.to_string());
                    if !std::mem::replace(&mut is_told, true) {
                        let address = self.settings.address;
                        self.tell(&Event::Unreachable { address, reason: reason.clone() });
                    }
                    reason
                }
            };
            self.show(CollectorState::Waiting, Some(reason));
            tokio::select! {
                _ = &mut order => break,
                () = tokio::time::sleep(pause(failures)) => {}
            }
        }
        self.surroundings.shown.send_modify(|shown| drop(shown.remove(&self.settings.name)));
    }

    /// Tells the collector everything, for as long as it listens.
    async fn serve(&self, stream: TcpStream, order: &mut oneshot::Receiver<Order>) -> Ended {
        self.tell(&Event::Connected { address: self.settings.address });
        self.show(CollectorState::Connected, None);
        let (line, taken) = Line::open(self.settings.received, self.settings.max_memory);
        let mut conversation = Conversation {
            stream,
            line: line.clone(),
            taken,
            outbox: Vec::new(),
            tally: Tally::default(),
            ignored: 0,
        };
        let description = concat!("Catchment ", env!("CARGO_PKG_VERSION"));
        conversation.say(&Message::Initiation { name: &self.surroundings.name, description }.encode());
        self.publish(Some(line));
        let mut reports = self.settings.statistics.map(reports);
        let ended = loop {
            tokio::select! {
                ordered = &mut *order => {
                    self.publish(None);
                    // Whoever could have ordered it is gone: so is this.
                    if let Ok(order) = ordered {
                        conversation.end(order).await;
                    }
                    break Ended::Ordered;
                }
                gone_on = conversation.go_on() => match gone_on {
                    Ok(()) => self.count(std::mem::take(&mut conversation.tally)),
                    Err(ended) => break ended,
                },
                () = due(reports.as_mut()) => self.ask_for_figures(),
            }
        };
        self.publish(None);
        ended
    }

    /// Shows the peers' tasks the line, or that there is none any more.
    fn publish(&self, line: Option<Line>) {
        let name = &self.settings.name;
        self.surroundings.shown.send_modify(|shown| {
            shown.get_mut(name).into_iter().for_each(|view| view.line.clone_from(&line));
        });
        self.surroundings.lines.send_modify(|lines| match line {
            Some(line) => drop(lines.insert(name.clone(), line)),
            None => drop(lines.remove(name)),
        });
    }

    /// Has every peer's task say how its session stands.
    fn ask_for_figures(&self) {
        self.surroundings.lines.send_modify(|lines| {
            lines.get_mut(&self.settings.name).into_iter().for_each(|line| line.reports += 1);
        });
    }

    fn overflowed(&self) -> Reason {
        let event = Event::Overflowed { max_memory: self.settings.max_memory };
        self.change(|view| view.overflows += 1);
        self.tell(&event);
        Reason::from(event.to_string())
    }

    fn count(&self, Tally { messages, octets }: Tally) {
        self.change(|view| {
            view.messages += messages;
            view.octets += octets;
        });
    }

    fn begin(&self) {
        let view = View {
            address: self.settings.address,
            state: CollectorState::Connecting,
            since: self.surroundings.clock.wall(),
            reason: None,
            messages: 0,
            octets: 0,
            overflows: 0,
            line: None,
        };
        self.surroundings.shown.send_modify(|shown| drop(shown.insert(self.settings.name.clone(), view)));
    }

    fn show(&self, state: CollectorState, reason: Option<Reason>) {
        let since = self.surroundings.clock.wall();
        self.change(|view| {
            // Why there is none stands while it is tried again.
            let reason = if state == CollectorState::Connecting { view.reason.take() } else { reason };
            (view.state, view.since, view.reason) = (state, since, reason);
        });
    }

    fn change(&self, change: impl FnOnce(&mut View)) {
        self.surroundings.shown.send_modify(|shown| {
            if let Some(view) = shown.get_mut(&self.settings.name) {
                change(view);
            }
        });
    }

    fn tell(&self, event: &Event) {
        self.surroundings.bus.tell(event, Source::Collector(&self.settings.name));
    }
}

/// An open connection.
struct Conversation {
    stream: TcpStream,
    line: Line,
    taken: Taken,
    /// What the kernel has not taken yet.
    outbox: Vec<u8>,
    tally: Tally,
    /// Octets that the collector sent.
    ignored: usize,
}

/// What was said since this was looked at last.
#[derive(Default)]
struct Tally {
    messages: u64,
    octets: u64,
}

impl Conversation {
    fn say(&mut self, message: &[u8]) {
        self.outbox.extend_from_slice(message);
        self.tally.messages += 1;
    }

    /// Takes what is to be said next, or has the kernel take some of it, or hears what the collector should not say.
    /// Nothing is lost where this is given up.
    async fn go_on(&mut self) -> Result<(), Ended> {
        let Conversation { stream, line, taken, outbox, tally, ignored } = self;
        tokio::select! {
            () = line.overflow() => Err(Ended::Overflowed),
            readable = stream.readable() => {
                readable.map_err(lost)?;
                hear(stream, ignored)
            }
            writable = stream.writable(), if !outbox.is_empty() => {
                writable.map_err(lost)?;
                let written = match stream.try_write(outbox) {
                    Ok(written) => written,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    Err(error) => return Err(lost(error)),
                };
                outbox.drain(..written);
                tally.octets += u64::try_from(written).unwrap_or_default();
                Ok(())
            }
            message = taken.next(), if outbox.len() < BATCH => {
                let mut message = message;
                while let Some(next) = message {
                    outbox.extend_from_slice(&next);
                    tally.messages += 1;
                    message = if outbox.len() < BATCH { taken.next_now() } else { None };
                }
                Ok(())
            }
        }
    }

    /// Says what is still to be said, and that this was all.
    async fn end(mut self, order: Order) {
        while let Some(message) = self.taken.next_now() {
            self.say(&message);
        }
        self.say(&Message::Termination { reason: order.reason, text: order.text }.encode());
        let saying = async {
            while !self.outbox.is_empty() {
                self.stream.writable().await?;
                match self.stream.try_write(&self.outbox) {
                    Ok(written) => drop(self.outbox.drain(..written)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            socket2::SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write)
        };
        // A collector that does not take it hears from the kernel that this is the end.
        let _ = tokio::time::timeout(GOODBYE, saying).await;
    }
}

/// Takes what a collector has to say and forgets it.
fn hear(stream: &TcpStream, ignored: &mut usize) -> Result<(), Ended> {
    match stream.try_read(&mut [0; 4096]) {
        Ok(0) => Err(Ended::Lost(Reason::from("the collector closed it"))),
        Ok(octets) => {
            *ignored += octets;
            let talks = *ignored > IGNORED;
            if talks {
                Err(Ended::Lost(Reason::from("the collector talks, and BMP has no way back")))
            } else {
                Ok(())
            }
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(lost(error)),
    }
}

fn lost(error: io::Error) -> Ended {
    Ended::Lost(Reason::from(error.to_string()))
}

fn reports(every: Duration) -> Interval {
    let mut interval = interval_at(tokio::time::Instant::now() + every, every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn due(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => drop(interval.tick().await),
        None => std::future::pending().await,
    }
}

/// The pause after so many failures in a row, up to a quarter shorter, so that sites do not call all at once.
fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = SHORTEST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    whole.mul_f64(rand::random_range(0.75..=1.0))
}
