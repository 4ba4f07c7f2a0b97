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
mod ears;
mod graceful;
mod guard;
mod heard;
mod kept;
mod ledger;
mod listener;
mod monitoring;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use ears::{Ears, Goodbye, Mouth};
pub(crate) use graceful::Graceful;
pub(crate) use guard::{Doors, watch as watch_guards};
pub(crate) use heard::{QUESTIONS, Question};
pub(crate) use kept::KeptSession;
pub(crate) use ledger::Ledger;
pub(crate) use listener::{CALLS_PER_PEER, Switchboard, take_calls};
pub(crate) use view::View;

use crate::bfd;
use crate::event::Source;
use crate::export::{self, Decision, NextHops, Towards};
use crate::succession::StandStill;
use bgp::session::{ConnectionId, Direction, Input, Output, Session, StateName};
use connection::{CallError, Connection, Manners, Progress};
use monitoring::Monitoring;
use recording::Track;
use std::collections::BTreeMap;
use std::future::{Future, pending, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use terms::Reason;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Octets of one read: one of the largest messages (RFC 4271 section 4.1). A decision waits for no more than two reads.
const READ_OCTETS: usize = 4 * 1024;

/// Connections of one peer at a time: the one in use, two that collide, and one to say no to.
const CONNECTIONS: usize = 4;

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
        let view = View::of(&neighbour, &session, mouth.clock);
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
}
