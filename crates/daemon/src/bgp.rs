//! The driver of one BGP peer: its sockets, its timer, and the session machine between them.
//!
//! ```text
//!   decision (latest value) ──┐                       ┌── calls taken by the listener
//!   neighbour (latest value) ─┤                       │
//!   order to stop ────────────┤                       │
//!   the machine's deadline ───┼──> [peer task] <──────┼── our own call to the peer
//!                             │     Session           │
//!   events, view, lines <─────┘        │              └── what arrives on a connection
//!                                      v
//!                         one write per connection and step
//! ```
//! The task owns the session and every connection of it: at most one is kept, a second exists while a collision is
//! resolved. A decision is looked at before anything else, and every read is bounded and followed by a yield, so that
//! a peer that sends a full table delays a withdraw by one buffer at most. Nothing here waits for a peer to read.

mod connection;
mod graceful;
mod guard;
mod heard;
mod kept;
mod ledger;
mod listener;
mod monitoring;
#[cfg(test)]
mod tests;

pub(crate) use graceful::Graceful;
pub(crate) use guard::{Doors, watch as watch_guards};
pub(crate) use heard::{QUESTIONS, Question};
pub(crate) use kept::KeptSession;
pub(crate) use ledger::Ledger;
pub(crate) use listener::{CALLS_PER_PEER, Switchboard, take_calls};

use crate::bfd;
use crate::bmp::Lines;
use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use crate::export::{self, Decision, NextHops, Towards};
use crate::metrics::Metrics;
use crate::succession::StandStill;
use bgp::session::{
    ConnectionId, Direction, Input, Kept, Negotiated, Output, Received, Session, ShutdownText, StateName,
    StopKind,
};
use config::Policy;
use connection::{CallError, Connection, Manners, Progress};
use monitoring::Monitoring;
use recording::Track;
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use terms::{Asn, Family, PeerName, Reason, WallTime};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Octets of one read: one of the largest messages (RFC 4271 section 4.1). A decision waits for no more than two reads.
const READ_OCTETS: usize = 4 * 1024;

/// Connections of one peer at a time: the one in use, two that collide, and one to say no to.
const CONNECTIONS: usize = 4;

/// What a peer's task shows of itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    /// Where the session is.
    pub(crate) state: StateName,
    /// Since when.
    pub(crate) since: WallTime,
    /// What was heard.
    pub(crate) received: Received,
    /// How much of it is kept, where it is to be kept.
    pub(crate) kept: Option<Kept>,
    /// What outlives a session.
    pub(crate) graceful: Graceful,
    /// How many of its prefixes stand announced, in each family that has a bound.
    pub(crate) prefixes: BTreeMap<Family, usize>,
    /// What both sides of the connection can do; none without a session.
    pub(crate) negotiated: Option<Negotiated>,
    /// What the peer was told.
    pub(crate) ledger: Ledger,
    /// The families that the session carries; none without a session.
    pub(crate) families: BTreeSet<Family>,
    /// Where the peer is to send packets.
    pub(crate) next_hops: NextHops,
    /// What it is told at each level.
    pub(crate) policy: Policy,
    /// Our network.
    pub(crate) local_asn: Asn,
    /// How its connections are guarded.
    pub(crate) transport: api::Transport,
}

impl View {
    /// What the peer's routes depend on beside the decision.
    pub(crate) fn towards<'a>(&'a self, peer: &'a PeerName) -> Towards<'a> {
        Towards { peer, next_hops: &self.next_hops, policy: &self.policy, local_asn: self.local_asn }
    }
}

#[cfg(test)]
impl View {
    /// Of a peer that was told what stands in the ledger, with a policy that says nothing.
    pub(crate) fn for_test(
        state: StateName,
        families: BTreeSet<Family>,
        next_hops: NextHops,
        ledger: Ledger,
    ) -> Self {
        let labels = config::Labels::default;
        View {
            state,
            since: WallTime(0),
            received: Received::default(),
            kept: None,
            graceful: Graceful::default(),
            prefixes: BTreeMap::new(),
            negotiated: None,
            ledger,
            families,
            next_hops,
            policy: Policy { always: labels(), deprefer: labels(), blackhole: None },
            local_asn: Asn::TRANS,
            transport: api::Transport::default(),
        }
    }
}

/// Where a peer's task hears of the world.
#[derive(Debug)]
pub(crate) struct Ears {
    /// What the site announces.
    pub(crate) decision: watch::Receiver<Arc<Decision>>,
    /// What the site file says about the peer, as far as it may change while the session lives.
    pub(crate) neighbour: watch::Receiver<config::Peer>,
    /// Calls of the peer.
    pub(crate) calls: mpsc::Receiver<TcpStream>,
    /// What people ask about routes that were heard.
    pub(crate) questions: mpsc::Receiver<Question>,
    /// Whether the path to the peer is there, where somebody watches it.
    pub(crate) path: watch::Receiver<Option<bfd::View>>,
    /// The collectors of BMP that want to be told.
    pub(crate) lines: watch::Receiver<Lines>,
    /// The order to stop.
    pub(crate) stop: watch::Receiver<Goodbye>,
    /// Another program is about to take over; an error says that the session could not be written down.
    pub(crate) still: mpsc::Receiver<StandStill<Option<serde_json::Result<KeptSession>>>>,
}

/// What a peer is told at the end.
#[derive(Clone, Debug)]
pub(crate) struct Goodbye {
    /// What was decided.
    pub(crate) kind: StopKind,
    /// What to tell its operators, where the kind lets us.
    pub(crate) text: Option<ShutdownText>,
}

/// Where a peer's task tells of itself.
#[derive(Clone, Debug)]
pub(crate) struct Mouth {
    pub(crate) clock: Clock,
    pub(crate) bus: Bus,
    pub(crate) metrics: Metrics,
}

type Call = Pin<Box<dyn Future<Output = io::Result<Connection>> + Send>>;

/// One thing that happened to a peer.
enum Happened {
    Decided,
    Configured,
    Path,
    Lines,
    Room,
    Stop,
    StandStill(StandStill<Option<serde_json::Result<KeptSession>>>),
    Called(TcpStream),
    Asked(Question),
    Answered(io::Result<Connection>),
    Moved(ConnectionId, io::Result<Progress>),
    Due,
}

/// One peer: the session machine and everything it stands on.
pub(crate) struct Peer {
    neighbour: config::Peer,
    session: Session,
    /// Where everything that the session is told is noted.
    track: Track<Session>,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
    call: Option<Call>,
    farewells: JoinSet<()>,
    /// Our address on the latest connection.
    ours: Option<IpAddr>,
    next_hops: NextHops,
    /// How often the peer was told everything again.
    told_again: u64,
    /// How often the path was lost, as far as the session was told.
    losses: u64,
    monitoring: Monitoring,
    buffer: Box<[u8]>,
    mouth: Mouth,
    view: watch::Sender<View>,
}

impl Peer {
    /// A peer that is not started yet. `seed` decides the jitter of its timers.
    pub(crate) fn new(neighbour: config::Peer, seed: u64, track: Track<Session>, mouth: Mouth) -> Self {
        let mut session = Session::new(neighbour.session.clone(), seed);
        session.keep(neighbour.keep_received);
        let view = View {
            state: session.state(),
            since: mouth.clock.wall(),
            received: session.received(),
            kept: session.kept(),
            graceful: Graceful::of(&session, mouth.clock),
            prefixes: BTreeMap::new(),
            negotiated: None,
            ledger: Ledger::default(),
            families: BTreeSet::new(),
            next_hops: export::next_hops(&neighbour.next_hops, None),
            policy: neighbour.policy.clone(),
            local_asn: neighbour.session.local_asn,
            transport: shown(&neighbour),
        };
        Peer {
            next_hops: view.next_hops.clone(),
            ours: None,
            told_again: 0,
            losses: 0,
            neighbour,
            session,
            track,
            connections: BTreeMap::new(),
            next_connection: 0,
            call: None,
            farewells: JoinSet::new(),
            monitoring: Monitoring::default(),
            buffer: vec![0; READ_OCTETS].into_boxed_slice(),
            mouth,
            view: watch::Sender::new(view),
        }
    }

    /// What the peer's task shows of itself, now and from now on.
    pub(crate) fn view(&self) -> watch::Receiver<View> {
        self.view.subscribe()
    }

    /// Runs the session until it was ordered to stop and the peer was told so.
    pub(crate) async fn run(mut self, mut ears: Ears) {
        self.follow_lines(&ears.lines.borrow_and_update().clone());
        self.want(&ears.decision.borrow_and_update().clone());
        if self.session.state() == StateName::Idle {
            self.take(Input::Start);
        }
        loop {
            match self.next(&mut ears).await {
                Happened::Decided => self.decided(&ears.decision.borrow_and_update().clone()),
                Happened::Configured => {
                    let neighbour = ears.neighbour.borrow_and_update().clone();
                    self.configured(neighbour, &ears.decision.borrow().clone());
                }
                Happened::Path => {
                    let path = ears.path.borrow_and_update().clone();
                    self.watched(path);
                }
                Happened::Lines => self.follow_lines(&ears.lines.borrow_and_update().clone()),
                Happened::Room => {
                    self.tell_more();
                    tokio::task::yield_now().await;
                }
                Happened::Stop => break,
                Happened::StandStill(asked) => asked.stand(self.keep()).await,
                Happened::Asked(question) => question.answer(&self.session, self.mouth.clock),
                Happened::Called(stream) => self.called(stream, &ears),
                Happened::Answered(Ok(connection)) => self.connected(connection, Direction::Outbound, &ears),
                Happened::Answered(Err(error)) => {
                    self.call = None; // it is over, and must not be polled again
                    self.take(Input::ConnectFailed { reason: Reason::from(error.to_string()) });
                }
                Happened::Moved(connection, progress) => {
                    self.moved(connection, progress);
                    tokio::task::yield_now().await;
                }
                Happened::Due => {
                    self.catch_up().await;
                    self.take(Input::Timer);
                }
            }
        }
        let Goodbye { kind, text } = ears.stop.borrow().clone();
        self.take(Input::Stop { kind, text });
        while self.farewells.join_next().await.is_some() {}
    }

    async fn next(&mut self, ears: &mut Ears) -> Happened {
        let Peer { session, connections, call, monitoring, buffer, mouth, .. } = self;
        let answered = async {
            match call {
                Some(call) => call.await,
                None => pending().await,
            }
        };
        let moved = poll_fn(|context| {
            for (&id, connection) in connections.iter_mut() {
                if let Poll::Ready(progress) = connection.poll(context, buffer) {
                    return Poll::Ready((id, progress));
                }
            }
            Poll::Pending
        });
        tokio::select! {
            biased;
            Ok(()) = ears.decision.changed() => Happened::Decided,
            _ = ears.stop.changed() => Happened::Stop,
            Ok(()) = ears.path.changed() => Happened::Path,
            Ok(()) = ears.neighbour.changed() => Happened::Configured,
            Ok(()) = ears.lines.changed() => Happened::Lines,
            Some(asked) = ears.still.recv() => Happened::StandStill(asked),
            () = mouth.clock.until(session.deadline()) => Happened::Due,
            Some(stream) = ears.calls.recv() => Happened::Called(stream),
            Some(question) = ears.questions.recv() => Happened::Asked(question),
            answer = answered => Happened::Answered(answer),
            (id, progress) = moved => Happened::Moved(id, progress),
            () = monitoring.room() => Happened::Room,
        }
    }

    /// Reads once what has arrived already: after this process was held up, its own delay is not the peer's silence.
    async fn catch_up(&mut self) {
        // The runtime learns what has arrived between two tasks.
        tokio::task::yield_now().await;
        let connections: Vec<ConnectionId> = self.connections.keys().copied().collect();
        for id in connections {
            let progress = poll_fn(|context| {
                let connection = self.connections.get_mut(&id);
                Poll::Ready(connection.map(|connection| connection.poll(context, &mut self.buffer)))
            });
            if let Some(Poll::Ready(progress)) = progress.await {
                self.moved(id, progress);
            }
        }
    }

    /// Tells the session what the peer is to know, and measures how long the wire took where a verdict led to it.
    fn decided(&mut self, decision: &Decision) {
        let written = self.want(decision);
        if let (Some(verdict), true) = (decision.verdict, written > 0) {
            self.mouth.metrics.observe_verdict_to_bytes(self.mouth.clock.now().since(verdict));
        }
    }

    /// Takes over what the site file says now about routes and guards; the session goes on.
    fn configured(&mut self, neighbour: config::Peer, decision: &Decision) {
        let is_guarded_otherwise = neighbour.transport != self.neighbour.transport;
        let begins_to_keep = self.neighbour.keep_received.is_none() && neighbour.keep_received.is_some();
        self.neighbour = neighbour;
        self.session.keep(self.neighbour.keep_received);
        if is_guarded_otherwise {
            self.guard();
        }
        if self.neighbour.session != *self.session.settings() {
            self.take(Input::Reconfigured(Box::new(self.neighbour.session.clone())));
        }
        if begins_to_keep {
            self.take(Input::AskAgain);
        }
        self.next_hops = export::next_hops(&self.neighbour.next_hops, self.ours);
        self.want(decision);
    }

    /// Guards every connection as the site file says now. What one end drops because the other has another key is
    /// sent again by TCP, so a key may change on a living connection (RFC 2385 section 4.1 leaves it to the operators).
    fn guard(&mut self) {
        let manners = Manners::towards(&self.neighbour);
        for connection in self.connections.values() {
            if let Err(error) = connection.guard(&manners) {
                let event = guard::Event::Unguarded { reason: error.to_string().into() };
                self.mouth.bus.tell(&event, Source::Peer(&self.neighbour.name));
            }
        }
        // A call that is under way began with the old guards.
        if self.call.is_some() {
            self.call = Some(Box::pin(Connection::dial(manners)));
        }
    }

    /// Tells the session of a path that was lost since it was told last. One that never came up says nothing.
    fn watched(&mut self, path: Option<bfd::View>) {
        let (losses, lost) = path.map_or((0, None), |view| (view.losses, view.lost));
        // There are fewer than before where another watch has begun.
        if let (Some(reason), true) = (lost, losses > self.losses) {
            self.take(Input::PathDown { reason });
        }
        self.losses = losses;
    }

    fn want(&mut self, decision: &Decision) -> usize {
        let to = Towards {
            peer: &self.neighbour.name,
            next_hops: &self.next_hops,
            policy: &self.neighbour.policy,
            local_asn: self.neighbour.session.local_asn,
        };
        let mut written = self.step(Input::Wanted(Arc::new(export::routes(decision, &to))));
        let again = decision.again.get(&self.neighbour.name).copied().unwrap_or_default();
        if again > self.told_again {
            self.told_again = again;
            written += self.step(Input::TellAgain);
        }
        if decision.settled && self.session.awaits_decision() {
            written += self.step(Input::Decided);
        }
        written
    }

    fn called(&mut self, stream: TcpStream, ears: &Ears) {
        match Connection::accept(stream, &Manners::towards(&self.neighbour)) {
            Ok(connection) => self.connected(connection, Direction::Inbound, ears),
            Err(CallError::TooFar { ttl, least }) => {
                let event = guard::Event::TooFar { ttl, least };
                self.mouth.bus.tell(&event, Source::Peer(&self.neighbour.name));
            }
            // A caller that is gone already needs no answer.
            Err(CallError::Unusable(_)) => {}
        }
    }

    fn connected(&mut self, connection: Connection, direction: Direction, ears: &Ears) {
        if direction == Direction::Outbound {
            self.call = None;
        }
        if self.connections.len() >= CONNECTIONS {
            return;
        }
        if let Ok(ours) = connection.next_hop() {
            // Our own address is the next hop where the site file names none, and is known only now.
            self.ours = Some(ours);
            self.next_hops = export::next_hops(&self.neighbour.next_hops, self.ours);
            self.want(&ears.decision.borrow().clone());
        }
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(id, connection);
        self.take(Input::Connected { connection: id, direction });
    }

    fn moved(&mut self, connection: ConnectionId, progress: io::Result<Progress>) {
        let input = match progress {
            Ok(Progress::Written(octets)) => Input::Written { connection, octets },
            Ok(Progress::Read(octets)) => {
                Input::Bytes { connection, bytes: self.buffer.get(..octets).unwrap_or_default().to_vec() }
            }
            Ok(Progress::Ended) | Err(_) => {
                self.connections.remove(&connection);
                Input::Closed { connection }
            }
        };
        self.take(input);
    }

    fn take(&mut self, input: Input) {
        self.step(input);
    }

    /// Hands one input to the session and carries out everything that follows. Answers how many octets the kernel
    /// took.
    fn step(&mut self, input: Input) -> usize {
        // What is told and what is shown of one step happened at one time.
        let wall = self.mouth.clock.wall();
        let mut written = 0;
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let now = self.mouth.clock.now();
            self.track.note(&self.session, &input, now);
            self.session.handle(input, now);
            self.pass_on(wall);
            while let Some(output) = self.session.poll_output() {
                self.carry_out(output);
            }
            self.pass_on(wall);
            for (connection, flushed) in self.flush() {
                match flushed {
                    Ok(octets) => {
                        written += octets;
                        inputs.push(Input::Written { connection, octets });
                    }
                    Err(_) => {
                        self.connections.remove(&connection);
                        inputs.push(Input::Closed { connection });
                    }
                }
            }
            inputs.extend(self.session.poll_input());
        }
        if let Some(agreed) = self.session.negotiated() {
            let patience = agreed.hold_time.duration();
            self.connections.values_mut().for_each(|kept| kept.wait_at_most(patience));
        }
        self.show(wall);
        written
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect => {
                self.call = Some(Box::pin(Connection::dial(Manners::towards(&self.neighbour))));
            }
            Output::Send { connection, bytes } => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.queue(&bytes);
                }
            }
            Output::Close { connection } => {
                if let Some(connection) = self.connections.remove(&connection) {
                    self.farewells.spawn(connection.farewell());
                }
            }
            Output::Event(event) => self.mouth.bus.tell(&event, Source::Peer(&self.neighbour.name)),
        }
    }

    /// Writes what is queued; one write for each connection that has something.
    fn flush(&mut self) -> Vec<(ConnectionId, io::Result<usize>)> {
        let flushed = self.connections.iter_mut().map(|(&id, connection)| (id, connection.flush()));
        flushed.filter(|(_, result)| !matches!(result, Ok(0))).collect()
    }

    /// Tells people when routes begin to be left out, and when that is over.
    fn tell_of_kept(&self) {
        let left_out = |kept: Option<Kept>| kept.is_some_and(|kept| kept.left_out > 0);
        let (before, now) = (left_out(self.view.borrow().kept), left_out(self.session.kept()));
        let source = Source::Peer(&self.neighbour.name);
        match (before, now, self.neighbour.keep_received) {
            (false, true, Some(keep)) => {
                self.mouth.bus.tell(&Event::ReceivedLeftOut { max_memory: keep.max_memory }, source);
            }
            (true, false, _) => self.mouth.bus.tell(&Event::ReceivedKept, source),
            (false, true, None) | (false, false, _) | (true, true, _) => {}
        }
    }

    fn show(&mut self, wall: WallTime) {
        self.tell_of_kept();
        let (session, clock) = (&self.session, self.mouth.clock);
        while self.farewells.try_join_next().is_some() {}
        self.view.send_if_modified(|view| {
            let mut news = false;
            if view.state != session.state() {
                (view.state, view.since) = (session.state(), wall);
                news = true;
            }
            if view.received != session.received() {
                view.received = session.received();
                news = true;
            }
            if view.kept != session.kept() {
                view.kept = session.kept();
                news = true;
            }
            let graceful = Graceful::of(session, clock);
            if view.graceful != graceful {
                view.graceful = graceful;
                news = true;
            }
            if view.prefixes != session.prefixes() {
                view.prefixes = session.prefixes();
                news = true;
            }
            if view.negotiated.as_ref() != session.negotiated() {
                view.negotiated = session.negotiated().cloned();
                news = true;
            }
            if view.families != *session.families() {
                view.families.clone_from(session.families());
                news = true;
            }
            if view.policy != self.neighbour.policy {
                view.policy.clone_from(&self.neighbour.policy);
                news = true;
            }
            if view.transport != shown(&self.neighbour) {
                view.transport = shown(&self.neighbour);
                news = true;
            }
            if view.next_hops != self.next_hops {
                view.next_hops.clone_from(&self.next_hops);
                news = true;
            }
            if session.state() == StateName::Established {
                news |= view.ledger.note(session.told(), wall);
            } else {
                view.ledger.clear();
            }
            news
        });
    }
}

/// How a peer's connections are guarded, for people to see.
fn shown(neighbour: &config::Peer) -> api::Transport {
    api::Transport {
        interface: neighbour.interface.as_ref().map(ToString::to_string),
        signature: neighbour.transport.signature.as_ref().map(|signature| match signature {
            config::Signature::Md5(_) => api::Signature::Md5,
            config::Signature::Ao(_) => api::Signature::Ao,
        }),
        ttl_security: neighbour.transport.ttl_security.map(NonZeroU8::get),
    }
}
