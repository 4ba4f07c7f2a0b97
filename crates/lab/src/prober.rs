//! One thread that asks on behalf of every client, all the time.
//!
//! Each client has a socket of its own for each family, opened inside its node. Questions are sent on a fixed beat,
//! spread evenly over it, whether earlier ones were answered or not; one whose answer is not there after
//! [`PATIENCE`] counts as silence.

use crate::clock;
use crate::history::{ClientId, Cookie, History, Laggard, LatenessLog, Outcome, Sample, SiteId};
use crate::lateness::Worst;
use crate::plan::{Pair, service_address};
use crate::question;
use crate::world::{Asker as Described, IPV6_EVERY, World};
use domain::base::Rtype;
use linux::{Error, Namespace, Result, scheduling, socket};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use terms::{DomainName, Family, Timestamp};

/// How long an answer may take. Twice round the earth takes 0.52 s by cable.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);
/// Nobody waits longer for its first turn; nobody who was never answered waits longer for the next one.
const SPREAD: Duration = Duration::from_millis(20);
const EAGER: Duration = Duration::from_millis(100);
const DNS: u16 = 53;
/// Longest answer that is read, bytes.
const LONGEST_ANSWER: usize = 1500;

/// How often each client asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    /// Over IPv4.
    pub(crate) ipv4: Duration,
    /// Over IPv6.
    pub(crate) ipv6: Duration,
}

impl Beat {
    /// That of somebody who asks: its own, or everybody's.
    fn of(world: &World, asker: &Described) -> Self {
        match asker.probe {
            Some(own) => Beat { ipv4: own, ipv6: own * IPV6_EVERY },
            None => Beat { ipv4: world.probe, ipv6: world.probe_ipv6 },
        }
    }
}

/// Somebody who asks, and what.
pub(crate) struct Asking<'a> {
    client: ClientId,
    namespace: &'a Namespace,
    beat: Beat,
    /// The anycast address.
    to: Pair,
    /// Whose SOA record.
    name: &'a DomainName,
}

impl<'a> Asking<'a> {
    /// One of those who ask in a world, in its node.
    pub(crate) fn of(
        world: &'a World,
        client: ClientId,
        asker: &Described,
        namespace: &'a Namespace,
    ) -> Self {
        let service = &world.services[asker.service];
        let (beat, to) = (Beat::of(world, asker), service_address(asker.service));
        Asking { client, namespace, beat, to, name: &service.asked }
    }
}

/// Asks from now on until the process ends, each client at its own beat.
pub(crate) fn start(
    asking: Vec<Asking<'_>>,
    sites: BTreeMap<Vec<u8>, SiteId>,
    history: Arc<History>,
    lateness: Arc<LatenessLog>,
) -> Result<()> {
    let waiting =
        epoll::create(CreateFlags::CLOEXEC).map_err(|error| Error::new("create an epoll", error))?;
    let mut askers = Vec::new();
    for one in asking {
        for family in Family::ALL {
            let asker = Asker::open(&one, family)?;
            let data = EventData::new_u64(askers.len() as u64);
            epoll::add(&waiting, &asker.socket, data, EventFlags::IN)
                .map_err(|error| Error::new("watch a client's socket", error))?;
            askers.push(asker);
        }
    }
    let start = clock::now();
    let share = |(index, asker): (usize, &Asker)| {
        asker.every.min(SPREAD) * u32::try_from(index).unwrap_or(0) / (askers.len() as u32).max(1)
    };
    let beats = askers.iter().enumerate().map(|asker| Reverse((start + share(asker), asker.0))).collect();
    let worst = Worst::of(Laggard::Prober, lateness);
    let prober = Prober { askers, beats, waiting, sites, history, worst, next_id: 0 };
    let thread = thread::Builder::new().name("prober".into());
    thread.spawn(move || prober.run()).map_err(|error| Error::new("start the prober", error))?;
    Ok(())
}

/// One client that asks over one family.
struct Asker {
    client: ClientId,
    family: Family,
    /// Whom it asks, and for what.
    to: IpAddr,
    name: DomainName,
    socket: UdpSocket,
    every: Duration,
    /// Whether it was answered before.
    heard: bool,
    /// Its cookie: its own part, and a server's once there is one.
    cookie: Vec<u8>,
    /// Questions that are not answered yet, oldest first.
    open: VecDeque<Question>,
}

/// A question that is not answered yet.
struct Question {
    id: u16,
    sent: Timestamp,
    /// The cookie that it showed.
    cookie: Vec<u8>,
}

impl Asker {
    fn open(asking: &Asking<'_>, family: Family) -> Result<Self> {
        let &Asking { client, namespace, beat, to, name } = asking;
        let (any, every): (SocketAddr, Duration) = match family {
            Family::Ipv4 => ((Ipv4Addr::UNSPECIFIED, 0).into(), beat.ipv4),
            Family::Ipv6 => ((Ipv6Addr::UNSPECIFIED, 0).into(), beat.ipv6),
        };
        let socket = namespace.run(|| socket::bind_udp(any))??;
        // A part that differs from client to client is all that matters here.
        let cookie = (u64::from(client.0) << 8 | family as u64).to_be_bytes().to_vec();
        let (to, name) = (to.of(family), name.clone());
        Ok(Asker { client, family, to, name, socket, every, heard: false, cookie, open: VecDeque::new() })
    }

    fn ask(&mut self, id: u16, now: Timestamp) {
        let Ok(query) = question::query(id, &self.name, Rtype::SOA, &self.cookie) else { return };
        // A refusal by the kernel (no route yet) is silence like any other.
        let _ = self.socket.send_to(&query, (self.to, DNS));
        self.open.push_back(Question { id, sent: now, cookie: self.cookie.clone() });
    }

    fn sample(&self, sent: Timestamp, outcome: Outcome) -> Sample {
        Sample { client: self.client, family: self.family, sent, outcome }
    }

    /// Questions that have waited too long.
    fn give_up(&mut self, now: Timestamp) -> Vec<Sample> {
        let overdue = self.open.iter().take_while(|question| now.since(question.sent) >= PATIENCE).count();
        let given_up: Vec<Question> = self.open.drain(..overdue).collect();
        given_up.into_iter().map(|question| self.sample(question.sent, Outcome::Silent)).collect()
    }

    /// The next answer to a question that is still open; none when there is nothing more to read.
    fn hear(&mut self, sites: &BTreeMap<Vec<u8>, SiteId>) -> Option<Sample> {
        let mut buffer = [0; LONGEST_ANSWER];
        loop {
            let length = match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) if from.ip() == self.to => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // Somebody else's packet, or an ICMP error for an earlier question.
                Ok(_) | Err(_) => continue,
            };
            let Some(answer) = question::read(&buffer[..length]) else { continue };
            let Some(&site) = sites.get(&answer.server) else { continue };
            let Some(place) = self.open.iter().position(|question| question.id == answer.id) else {
                continue;
            };
            let Some(Question { sent, cookie: shown, .. }) = self.open.remove(place) else { continue };
            self.heard = true;
            let round_trip = clock::now().since(sent);
            let cookie = self.keep(shown, answer.cookie);
            return Some(self.sample(sent, Outcome::Answered { site, round_trip, cookie }));
        }
    }

    /// Keeps the cookie that came, and says what became of the one that was shown.
    fn keep(&mut self, shown: Vec<u8>, given: Option<Vec<u8>>) -> Cookie {
        let Some(given) = given else { return Cookie::None };
        let fate = match shown.len() {
            question::CLIENT_COOKIE => Cookie::None,
            _ if shown == given => Cookie::Kept,
            _ => Cookie::Changed,
        };
        // What the first of several questions learned is not given up for what the others learn.
        if shown == self.cookie && given.starts_with(&self.cookie[..question::CLIENT_COOKIE]) {
            self.cookie = given;
        }
        fate
    }
}

struct Prober {
    askers: Vec<Asker>,
    /// When each asker asks next.
    beats: BinaryHeap<Reverse<(Timestamp, usize)>>,
    waiting: OwnedFd,
    sites: BTreeMap<Vec<u8>, SiteId>,
    history: Arc<History>,
    worst: Worst,
    next_id: u16,
}

impl Prober {
    fn run(mut self) {
        // Both make the measurement more exact; its lateness is logged anyhow.
        let _ = scheduling::precise_timers();
        let _ = scheduling::real_time();
        let mut events = Vec::with_capacity(64);
        loop {
            let next = self.beats.peek().map(|Reverse((due, _))| due.since(clock::now())).unwrap_or(PATIENCE);
            let patience =
                Timespec { tv_sec: next.as_secs() as i64, tv_nsec: i64::from(next.subsec_nanos()) };
            events.clear();
            // Interrupted is the only error a valid epoll knows: look again.
            let _ = epoll::wait(&self.waiting, spare_capacity(&mut events), Some(&patience));
            let mut seen = Vec::new();
            for event in &events {
                let asker = &mut self.askers[event.data.u64() as usize];
                seen.extend(std::iter::from_fn(|| asker.hear(&self.sites)));
            }
            self.ask(&mut seen);
            if !seen.is_empty() {
                self.history.write(seen);
            }
        }
    }

    /// Sends every question whose time has come.
    fn ask(&mut self, seen: &mut Vec<Sample>) {
        let now = clock::now();
        while let Some(&Reverse((due, index))) = self.beats.peek() {
            if due > now {
                return;
            }
            self.beats.pop();
            let asker = &mut self.askers[index];
            seen.extend(asker.give_up(now));
            asker.ask(self.next_id, clock::now());
            self.next_id = self.next_id.wrapping_add(1);
            self.worst.note(now, now.since(due));
            // A beat that was missed by far is skipped, not made up for.
            let every = if asker.heard { asker.every } else { asker.every.min(EAGER) };
            let next = due + every;
            self.beats.push(Reverse((if next > now { next } else { now + every }, index)));
        }
    }
}
