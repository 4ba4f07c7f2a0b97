//! One service, from its first word to its end: what [`Session`] says, carried out.

use super::event::Event;
use super::fault::Fault;
use super::recess::Underway;
use super::roster::Entry;
use super::seats::{Kind, Seats};
use super::trust::{self, Owner};
use super::wire::{Outgoing, ROOM, Shared, Wire};
use super::{Reception, Rules};
use crate::event::Source;
use crate::handover::cooperation::{Fate, Given, Membership, Turn, Vacancy};
use crate::handover::round::Rounds;
use api::CooperatingService;
use continuity::service::{Act, Join, ServiceName, Session, Told};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use terms::Reason;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

/// Connections of other sites that wait for a service; for more it has no room.
const GIVEN: usize = 16;

/// Messages that wait for a service. What it says is not heard while there are more.
const WAITING: usize = 4 * Session::MOST_AT_ONCE;

impl Reception {
    /// Somebody has come to the door. Whoever is one too many tries again.
    pub(super) async fn attend(self, caller: Wire, seats: Seats) {
        match Owner::of(&caller).await {
            Ok(owner) => self.seat(caller, &owner, &seats).await,
            Err(_) => caller.close().await,
        }
    }

    /// From its beginning to its end. The seat is taken until all that was brought is closed.
    pub(super) async fn seat(self, caller: Wire, owner: &Owner, seats: &Seats) {
        let began = Instant::now();
        let pass = owner.pass(self.rules.borrow().as_ref());
        let kind = if pass.is_ok() { Kind::Guest } else { Kind::Stranger };
        let seat = seats.take(kind, owner.uid());
        let least = match (&seat, pass) {
            (None, _) => Duration::ZERO,
            (Some(_), Ok(())) if self.receive(&caller, owner).await => self.waits.visit,
            (Some(_), Ok(())) => self.waits.refused,
            (Some(_), Err(fault)) => {
                self.turn_away(&caller, owner, &fault).await;
                self.waits.refused
            }
        };
        sleep_until(began + least).await;
        caller.close().await;
        drop(seat);
    }

    /// Nothing is received of whoever may not join: it could bring what cannot be closed.
    async fn turn_away(&self, caller: &Wire, owner: &Owner, fault: &Fault) {
        let (user, reason) = (Reason::from(owner.words()), Reason::from(fault.to_string()));
        self.tell(&Event::Refused { user, reason });
        caller.dismiss(Told::Refused(fault.to_string()).encode(), self.waits.word).await;
    }

    /// The visit of a service that may join; whether it had joined.
    async fn receive(&self, wire: &Wire, owner: &Owner) -> bool {
        let mut room = vec![0; ROOM];
        let user = Reason::from(owner.words());
        let joined = self.let_in(wire, owner, &mut room).await;
        let (name, fault) = match joined {
            Ok(mut guest) => {
                let addresses = guest.addresses.iter().map(SocketAddr::to_string).collect();
                let name = Reason::from(guest.name.to_string());
                self.tell(&Event::Joined { name: name.clone(), user: user.clone(), addresses });
                let fault = guest.serve(wire, owner, &mut room).await;
                // What it has offered goes its way without it, and is closed when the driver has closed it.
                guest.fates.detach_all();
                (Some(name), fault)
            }
            Err(fault) => (None, fault),
        };
        let last_word = Told::Refused(fault.to_string()).encode();
        let reason = Reason::from(fault.to_string());
        let has_joined = name.is_some();
        match name {
            Some(name) => self.tell(&Event::Left { name, reason }),
            // Whoever comes and goes without a word is nobody.
            None if fault.is_end() => {}
            None => self.tell(&Event::Refused { user, reason }),
        }
        wire.dismiss(last_word, Duration::ZERO).await;
        has_joined
    }

    async fn let_in<'r>(&'r self, wire: &Wire, owner: &Owner, room: &mut [u8]) -> Result<Guest<'r>, Fault> {
        let heard = timeout(self.waits.word, wire.hear(room)).await;
        let (said, brought) = heard.unwrap_or(Err(Fault::Silent))?;
        owner.pass(self.rules.borrow().as_ref())?;
        let network = trust::network().map_err(Fault::Io)?;
        let mut session = Session::default();
        let Act::Join(join) = session.hear(said, brought.count())? else { return Err(Fault::Silent) };
        trust::may_serve(&join, self.rules.borrow().as_ref())?;
        let (takes, taken) = mpsc::channel(GIVEN);
        let vacancy = Vacancy::default();
        let Join { name, addresses } = join;
        let membership = self.cooperation.join_beside(addresses.iter().copied().collect(), &takes, &vacancy);
        let membership = membership.map_err(Fault::Taken)?;
        let entry = self.roster.enter(CooperatingService {
            name: name.to_string(),
            user: owner.words(),
            addresses: addresses.iter().copied().collect(),
            since: self.clock.wall(),
            is_full: false,
        });
        let mut guest = Guest {
            reception: self,
            rounds: self.cooperation.rounds(addresses.clone()),
            recess: self.recess.follow(),
            network,
            name,
            addresses,
            session,
            vacancy,
            taken,
            turns: BTreeMap::new(),
            looks: JoinSet::new(),
            fates: JoinSet::new(),
            nobody_in: 0,
            outgoing: VecDeque::new(),
            is_leaving: false,
            heard_by: None,
            entry,
            _membership: membership,
        };
        guest.tell(Told::Joined);
        guest.follow_round();
        Ok(guest)
    }

    fn tell(&self, event: &Event) {
        self.bus.tell(event, Source::Process);
    }
}

/// A turn that is not answered yet.
struct Open {
    turn: Turn,
    lapses: Instant,
    underway: Underway,
}

/// A service that has joined.
struct Guest<'r> {
    reception: &'r Reception,
    rounds: Rounds,
    recess: watch::Receiver<bool>,
    /// The network namespace that its sockets are to be in.
    network: u64,
    name: ServiceName,
    addresses: BTreeSet<SocketAddr>,
    session: Session,
    vacancy: Vacancy,
    /// Connections of other sites.
    taken: mpsc::Receiver<Given>,
    /// Turns that it has not answered, by number: the first is the next that lapses.
    turns: BTreeMap<u64, Open>,
    /// Turns that are looked for, and in which round.
    looks: JoinSet<(u64, Option<Turn>)>,
    /// Connections whose fate is not known yet.
    fates: JoinSet<(u64, Fate, Underway)>,
    /// The round in which nobody could be reached: nothing is gained by asking again before the next one.
    nobody_in: u64,
    /// What it is to be told.
    outgoing: VecDeque<Outgoing>,
    /// Whether it was told that this site is being left.
    is_leaving: bool,
    /// When it must have read the next of it.
    heard_by: Option<Instant>,
    entry: Entry,
    _membership: Membership,
}

impl Guest<'_> {
    /// Until there is a reason to end it.
    async fn serve(&mut self, wire: &Wire, owner: &Owner, room: &mut [u8]) -> Fault {
        let mut rules = self.reception.rules.clone();
        loop {
            self.look_for_turns();
            let step = tokio::select! {
                heard = wire.hear(room), if self.outgoing.len() < WAITING => {
                    heard.and_then(|(said, brought)| {
                        let act = self.session.hear(said, brought.count())?;
                        self.carry_out(act, brought)
                    })
                }
                said = say_first(wire, &self.outgoing) => {
                    self.outgoing.pop_front();
                    self.heard_by = (!self.outgoing.is_empty()).then(|| Instant::now() + self.reception.waits.word);
                    said.map_err(Fault::Io)
                }
                // What waits for room in its socket waits in the queue, and so the queue says that it is full.
                Some(given) = self.taken.recv(), if self.outgoing.is_empty() => {
                    self.give(given);
                    Ok(())
                }
                changed = self.rounds.changed() => {
                    if !changed {
                        return Fault::Closed;
                    }
                    self.follow_round();
                    Ok(())
                }
                _ = self.recess.changed() => Ok(()),
                Some(found) = self.looks.join_next() => {
                    self.found(found.unwrap_or((0, None)));
                    Ok(())
                }
                Some(settled) = self.fates.join_next() => {
                    if let Ok((turn, fate, underway)) = settled {
                        self.settle(turn, fate, underway);
                    }
                    Ok(())
                }
                () = until(self.turns.first_key_value().map(|(_, open)| open.lapses)) => {
                    if let Some((turn, _)) = self.turns.pop_first() {
                        self.session.lapse(turn);
                    }
                    Ok(())
                }
                () = until(self.heard_by) => Err(Fault::Slow),
                changed = rules.changed() => match changed {
                    Ok(()) => self.follow_rules(owner, rules.borrow_and_update().as_ref()),
                    Err(_) => Err(Fault::Closed),
                },
            };
            if let Err(fault) = step {
                return fault;
            }
        }
    }

    fn carry_out(&mut self, act: Act, brought: Shared) -> Result<(), Fault> {
        match act {
            // The session takes it once, and that was before.
            Act::Join(_) | Act::Look | Act::Nothing => {}
            Act::Fill(is_full) => {
                self.vacancy.say(is_full);
                self.entry.change(|service| service.is_full = is_full);
            }
            Act::Give { turn: number, state } => {
                let socket = brought.first().ok_or(Fault::NoSocket)?;
                let is_whole = trust::examine(socket, &self.addresses, self.network)?;
                let Some(Open { turn, underway, .. }) = self.turns.remove(&number) else { return Ok(()) };
                if !is_whole {
                    self.settle(number, Fate::Stays, underway);
                    return Ok(());
                }
                let second = socket.try_clone().map_err(Fault::Io)?;
                self.fates.spawn(async move {
                    let fate = turn.offer(second, state).await;
                    // The driver has closed its own by now, and this one is closed aside.
                    brought.close().await;
                    (number, fate, underway)
                });
            }
            Act::Keep(turn) => self.tell(Told::Stays(turn)),
            Act::Return(turn) => _ = self.turns.remove(&turn),
        }
        Ok(())
    }

    /// Asks for as many turns as it may have.
    fn look_for_turns(&mut self) {
        let round = self.rounds.now();
        if round == 0 || round == self.nobody_in || *self.recess.borrow_and_update() {
            return;
        }
        for _ in self.looks.len()..self.session.wants() {
            let cooperation = self.reception.cooperation.clone();
            let addresses = self.addresses.clone();
            self.looks.spawn(async move { (round, cooperation.turn_in(round, addresses).await) });
        }
    }

    fn found(&mut self, (round, turn): (u64, Option<Turn>)) {
        // What was wished in another round was wished no more when that was over.
        if round != self.rounds.now() {
            return;
        }
        let Some(turn) = turn else {
            self.nobody_in = round;
            return self.session.forget_wishes();
        };
        // What it wishes is for later in a recess.
        let Some(underway) = self.reception.recess.enter() else { return };
        if self.session.use_wish() {
            let number = self.session.tell_turn();
            let lapses = Instant::now() + self.reception.waits.turn;
            self.turns.insert(number, Open { turn, lapses, underway });
            self.tell(Told::Turn(number));
        }
    }

    fn settle(&mut self, turn: u64, fate: Fate, underway: Underway) {
        self.session.settle(turn);
        let told = match fate {
            Fate::Moved => Told::Moved(turn),
            Fate::Stays => Told::Stays(turn),
        };
        self.put(Outgoing { octets: told.encode(), socket: None, _underway: Some(underway) });
    }

    /// A round begins, or none of its addresses is being left any more.
    fn follow_round(&mut self) {
        let is_leaving = self.rounds.seen() != 0;
        self.session.begin_round();
        match (self.is_leaving, is_leaving) {
            (_, true) => self.tell(Told::Drain),
            (true, false) => self.tell(Told::Resume),
            (false, false) => {}
        }
        self.is_leaving = is_leaving;
    }

    fn follow_rules(&self, owner: &Owner, rules: Option<&Rules>) -> Result<(), Fault> {
        owner.pass(rules)?;
        let join = Join { name: self.name.clone(), addresses: self.addresses.clone() };
        trust::may_serve(&join, rules)
    }

    /// A connection of another site is its own now. One whose client has gone meanwhile ends here.
    fn give(&mut self, Given { stream, state }: Given) {
        let (Ok(client), Ok(service)) = (stream.peer_addr(), stream.local_addr()) else { return };
        let plain = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        let told = Told::Given { client: plain(client), service: plain(service), state };
        self.put(Outgoing { octets: told.encode(), socket: Some(Shared::from(stream)), _underway: None });
    }

    fn tell(&mut self, told: Told) {
        self.put(Outgoing { octets: told.encode(), socket: None, _underway: None });
    }

    fn put(&mut self, outgoing: Outgoing) {
        let by = Instant::now() + self.reception.waits.word;
        self.heard_by.get_or_insert(by);
        self.outgoing.push_back(outgoing);
    }
}

/// Says the first of what is to be said; waits for ever while there is nothing.
async fn say_first(wire: &Wire, outgoing: &VecDeque<Outgoing>) -> std::io::Result<()> {
    match outgoing.front() {
        Some(first) => wire.say(first).await,
        None => std::future::pending().await,
    }
}

/// Waits until then; for ever if there is no such time.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
