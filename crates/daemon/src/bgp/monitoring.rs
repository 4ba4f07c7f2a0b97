//! What a peer's task tells the collectors of BMP about its session. It never waits for one.
//!
//! ```text
//!   lines (latest) ──> [`Monitoring::follow`]  a new line: Peer Up, what the peer was told, End-of-RIB; then, as far as it
//!                                              is kept and while the line has room, what the peer told, End-of-RIB
//!   Session ────notes──> [`Monitoring::pass_on`]    everything as it happens
//! ```
//! A message is made once for all lines, and none where there is no line.

use super::connection::Connection;
use super::{Ledger, Peer, View};
use crate::bmp::{Line, Lines};
use crate::clock::Clock;
use bgp::bmp::{Down, Ends, Figure, Message, Rib};
use bgp::session::{ConnectionId, Introduction, Monitored, Monitoring as Notes, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use terms::{Asn, Family, RouteSet, WallTime};

/// Octets of kept routes that are told in one go.
const PORTION: usize = 32 << 10;
/// Steps of [`Session::heard_updates`] in one go, however few routes they have.
const STEPS: usize = 1024;

/// The lines that a peer's task knows of.
#[derive(Debug, Default)]
pub(super) struct Monitoring {
    followed: BTreeMap<u64, Followed>,
    /// The session that is up; known while there is a line.
    up: Option<Up>,
}

#[derive(Debug)]
struct Followed {
    line: Line,
    behind: Behind,
}

/// What a line is not told yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Nothing,
    /// Kept routes, from this step of this family on.
    Heard(Family, usize),
    /// Everything, because some of what it was told is not true any more.
    Everything,
}

/// A session that is up, as a station knows it.
#[derive(Debug)]
struct Up {
    peer: bgp::bmp::Peer,
    ends: Ends,
    since: WallTime,
    introduction: Introduction,
}

/// What the task knows about its peer beside the session.
struct About<'a> {
    address: IpAddr,
    asn: Asn,
    ends: &'a dyn Fn(ConnectionId) -> Option<Ends>,
    view: &'a View,
    clock: Clock,
    now: WallTime,
}

impl Peer {
    /// Takes in which collectors want to be told now.
    pub(super) fn follow_lines(&mut self, lines: &Lines) {
        let now = self.mouth.clock.wall();
        self.monitored(now, |monitoring, session, about| monitoring.follow(lines, session, about));
    }

    /// Passes on to the collectors what happened in the session now.
    pub(super) fn pass_on(&mut self, now: WallTime) {
        if !self.monitoring.followed.is_empty() {
            self.monitored(now, Monitoring::pass_on);
        }
    }

    /// Tells collectors that have room a little more of what they are not told yet.
    pub(super) fn tell_more(&mut self) {
        let now = self.mouth.clock.wall();
        self.monitored(now, |monitoring, session, about| monitoring.catch_up(session, about));
    }

    fn monitored(&mut self, now: WallTime, act: impl FnOnce(&mut Monitoring, &mut Session, &About<'_>)) {
        let about = About {
            address: self.neighbour.address.ip(),
            asn: self.neighbour.session.peer_asn,
            ends: &|id| self.connections.get(&id).map(Connection::ends),
            view: &self.view.borrow(),
            clock: self.mouth.clock,
            now,
        };
        act(&mut self.monitoring, &mut self.session, &about);
    }
}

impl Monitoring {
    /// Takes in which lines there are now, and tells new ones how the session stands.
    fn follow(&mut self, lines: &Lines, session: &mut Session, about: &About<'_>) {
        let numbers: BTreeSet<u64> = lines.values().map(Line::number).collect();
        self.followed.retain(|number, _| numbers.contains(number));
        let heard = lines.values().any(Line::wants_received);
        session.monitor(match (lines.is_empty(), heard) {
            (true, _) => Notes::Off,
            (false, false) => Notes::Told,
            (false, true) => Notes::ToldAndHeard,
        });
        if lines.is_empty() {
            self.up = None;
        } else if self.up.is_none() {
            let introduction = session.introduction();
            self.up = introduction.and_then(|introduction| Up::new(introduction, about.view.since, about));
        }
        for line in lines.values() {
            match self.followed.get_mut(&line.number()) {
                Some(followed) => {
                    let asked = followed.line.reports != line.reports;
                    followed.line = line.clone();
                    if let (Some(up), true) = (&self.up, asked) {
                        tell(line, &up.figures(session, about.now));
                    }
                }
                None => {
                    let up = self.up.as_ref();
                    let behind = up.map_or(Behind::Nothing, |up| introduce(line, up, session, about));
                    self.followed.insert(line.number(), Followed { line: line.clone(), behind });
                }
            }
        }
    }

    /// Passes on what happened in the session.
    fn pass_on(&mut self, session: &mut Session, about: &About<'_>) {
        while let Some(note) = session.poll_monitored() {
            match note {
                Monitored::Up(introduction) => {
                    self.up = Up::new(*introduction, about.now, about);
                    self.broadcast(|_| true, |up| up.message().encode());
                }
                Monitored::Told(update) => {
                    self.broadcast(|_| true, |up| up.routes(Rib::Out, Some(about.now), &update));
                }
                Monitored::Heard(update) => {
                    self.broadcast(Line::wants_received, |up| up.routes(Rib::In, Some(about.now), &update))
                }
                Monitored::Forgotten => {
                    for followed in
                        self.followed.values_mut().filter(|followed| followed.line.wants_received())
                    {
                        followed.behind = Behind::Everything;
                    }
                }
                Monitored::Down(ending) => {
                    self.broadcast(|_| true, |up| up.down(Down::Ended(&ending), about.now));
                    self.followed.values_mut().for_each(|followed| followed.behind = Behind::Nothing);
                    self.up = None;
                }
            }
        }
    }

    fn broadcast(&self, to: impl Fn(&Line) -> bool, message: impl FnOnce(&Up) -> Vec<u8>) {
        let mut lines =
            self.followed.values().map(|followed| &followed.line).filter(|line| to(line)).peekable();
        if let (Some(up), Some(_)) = (&self.up, lines.peek()) {
            let message = Arc::new(message(up));
            lines.for_each(|line| line.tell(&message));
        }
    }

    /// Waits until a line that is not told everything yet has room; for ever where there is none.
    pub(super) async fn room(&self) {
        let behind = self.followed.values().filter(|followed| followed.behind != Behind::Nothing);
        let mut rooms: Vec<_> = behind.map(|followed| Box::pin(followed.line.room())).collect();
        std::future::poll_fn(|context| {
            let any = rooms.iter_mut().any(|room| room.as_mut().poll(context).is_ready());
            if any { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }

    /// Tells every line that has room a little more of what it is not told yet.
    fn catch_up(&mut self, session: &Session, about: &About<'_>) {
        let Some(up) = &self.up else { return };
        for Followed { line, behind } in
            self.followed.values_mut().filter(|followed| followed.line.has_room())
        {
            *behind = match *behind {
                Behind::Nothing => Behind::Nothing,
                Behind::Heard(family, step) => tell_heard(line, up, session, about, family, step),
                Behind::Everything => {
                    tell(line, &up.down(Down::Unmonitored, about.now));
                    introduce(line, up, session, about)
                }
            };
        }
    }
}

impl Up {
    fn new(introduction: Introduction, since: WallTime, about: &About<'_>) -> Option<Self> {
        let ends = (about.ends)(introduction.connection)?;
        let peer = bgp::bmp::Peer {
            address: about.address,
            asn: about.asn,
            router_id: introduction.router_id,
            four_octet_asn: introduction.negotiated.four_octet_asn,
        };
        Some(Up { peer, ends, since, introduction })
    }

    fn message(&self) -> Message<'_> {
        let Up { peer, ends, since, introduction } = self;
        Message::PeerUp { peer, at: *since, ends: *ends, opens: &introduction.opens }
    }

    fn routes(&self, rib: Rib, at: Option<WallTime>, update: &[u8]) -> Vec<u8> {
        Message::RouteMonitoring { peer: &self.peer, rib, at, update }.encode()
    }

    fn down(&self, reason: Down<'_>, at: WallTime) -> Vec<u8> {
        Message::PeerDown { peer: &self.peer, at, reason }.encode()
    }

    /// Those that are counted here exactly as the registry defines them.
    fn figures(&self, session: &Session, now: WallTime) -> Vec<u8> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let families = &self.introduction.negotiated.families;
        let told = session.told();
        let told_of = |&family: &Family| {
            Figure::AdjRibOutOf(family, count(told.keys().filter(|p| p.family() == family).count()))
        };
        let treated_as_withdraw = session.received().treated_as_withdraw & u64::from(u32::MAX);
        let mut figures = vec![
            Figure::TreatedAsWithdraw(u32::try_from(treated_as_withdraw).unwrap_or_default()),
            Figure::AdjRibOut(count(told.len())),
        ];
        figures.extend(families.iter().map(told_of));
        // Where some were left out nobody knows how many there are.
        if let Some(kept) = session.kept().filter(|kept| kept.left_out == 0) {
            figures.push(Figure::AdjRibIn(kept.ipv4 + kept.ipv6));
            figures.extend(families.iter().map(|&family| match family {
                Family::Ipv4 => Figure::AdjRibInOf(family, kept.ipv4),
                Family::Ipv6 => Figure::AdjRibInOf(family, kept.ipv6),
            }));
        }
        Message::Statistics { peer: &self.peer, at: now, figures: &figures }.encode()
    }
}

fn tell(line: &Line, message: &[u8]) {
    line.tell(&Arc::new(message.to_vec()));
}

/// Tells a line of a session that is up: how it began, and what the peer was told. Answers what is still to be told.
fn introduce(line: &Line, up: &Up, session: &Session, about: &About<'_>) -> Behind {
    tell(line, &up.message().encode());
    for (when, routes) in by_time(session.told(), &about.view.ledger) {
        for update in session.told_updates(&routes) {
            tell(line, &up.routes(Rib::Out, when, &update));
        }
    }
    for update in session.told_end_of_rib() {
        tell(line, &up.routes(Rib::Out, Some(about.now), &update));
    }
    if line.wants_received() && session.kept().is_some() {
        Behind::Heard(Family::Ipv4, 0)
    } else {
        Behind::Nothing
    }
}

/// What the peer was told, by when it was.
fn by_time(told: &RouteSet, ledger: &Ledger) -> BTreeMap<Option<WallTime>, RouteSet> {
    let mut by_time: BTreeMap<Option<WallTime>, RouteSet> = BTreeMap::new();
    for (prefix, attributes) in told {
        let when = ledger.entry(*prefix).map(|entry| entry.when);
        by_time.entry(when).or_default().insert(*prefix, attributes.clone());
    }
    by_time
}

/// Tells a line a portion of what the peer told, from a step on. Answers what is still to be told.
fn tell_heard(
    line: &Line,
    up: &Up,
    session: &Session,
    about: &About<'_>,
    family: Family,
    from: usize,
) -> Behind {
    let (mut octets, end) = (0, session.heard_steps(family));
    for step in from..end.min(from + STEPS) {
        if octets >= PORTION {
            return Behind::Heard(family, step);
        }
        for (at, update) in session.heard_updates(family, step) {
            let message = up.routes(Rib::In, Some(about.clock.wall_at(at)), &update);
            octets += message.len();
            tell(line, &message);
        }
    }
    if end > from + STEPS {
        return Behind::Heard(family, from + STEPS);
    }
    if let (true, Ok(update)) =
        (up.introduction.negotiated.families.contains(&family), session.heard_end_of_rib(family))
    {
        tell(line, &up.routes(Rib::In, Some(about.now), &update));
    }
    match family {
        Family::Ipv4 => Behind::Heard(Family::Ipv6, 0),
        Family::Ipv6 => Behind::Nothing,
    }
}

#[cfg(test)]
mod tests;
