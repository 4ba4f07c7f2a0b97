//! What a hostile neighbour says without end. While it goes on, the healthy neighbour hears of every change, and the
//! site's memory stays within bounds.

use crate::speaker::{Call, KEEPALIVE, NOTIFICATION, Open, ROUTE_REFRESH, attributes, message, update};
use crate::stage::{HOSTILE, Stage, hostile};
use socket2::SockRef;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// One kind of flood.
pub(crate) struct Flood {
    pub(crate) name: &'static str,
    pub(crate) play: fn(&Stage, Ipv4Addr, &Progress),
    /// After so many of its units the site is judged.
    pub(crate) judged_after: usize,
}

pub(crate) const ALL: [Flood; 8] = [
    Flood { name: "KEEPALIVEs", play: keepalives, judged_after: 100_000 },
    Flood { name: "UPDATEs, each with another route", play: updates, judged_after: 100_000 },
    Flood {
        name: "UPDATEs full of attributes that nobody knows",
        play: attributes_without_end,
        judged_after: 1_000,
    },
    Flood { name: "requests to be told again, and nothing is read", play: zero_window, judged_after: 1_000 },
    Flood { name: "sessions that end with a NOTIFICATION", play: notifications, judged_after: 200 },
    Flood { name: "connections of one neighbour, all left open", play: connections, judged_after: 2_000 },
    Flood { name: "connections of a stranger", play: strangers, judged_after: 2_000 },
    Flood { name: "octets that are no BGP", play: noise, judged_after: 200 },
];

/// How far a flood is, and whether it is to go on.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) units: AtomicUsize,
    stop: AtomicBool,
}

/// Ends its flood with itself, also where the test fails meanwhile.
pub(crate) struct Ending<'a>(&'a Progress);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

impl Progress {
    /// The flood goes on for as long as what this gives.
    pub(crate) fn ends_with_this(&self) -> Ending<'_> {
        Ending(self)
    }

    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    fn count(&self, units: usize) {
        self.units.fetch_add(units, Ordering::SeqCst);
    }

    /// Says the same again and again, so many units at a time.
    fn repeat(&self, call: &mut Call, octets: &[u8], units: usize) {
        while self.goes_on() {
            call.say(octets);
            self.count(units);
        }
    }
}

const BATCH: usize = 1_000;

fn keepalives(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    progress.repeat(&mut stage.session(from), &message(KEEPALIVE, &[]).repeat(BATCH), BATCH);
}

fn updates(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    let attributes = attributes(stage.asn(from), from);
    let routes = (0..=u16::MAX).map(|number| {
        let [high, low] = number.to_be_bytes();
        update(&attributes, &[[11, high, low]])
    });
    let octets: Vec<u8> = routes.flatten().collect();
    progress.repeat(&mut stage.session(from), &octets, usize::from(u16::MAX) + 1);
}

/// As many unknown, optional, transitive attributes as a message of 4096 octets holds.
fn attributes_without_end(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    let unknown = (100..=250u8).cycle().take(1_000).flat_map(|kind| [0xc0, kind, 1, 0]);
    let octets: Vec<u8> = attributes(stage.asn(from), from).into_iter().chain(unknown).collect();
    let update = update(&octets, &[[203, 0, 113]]);
    progress.repeat(&mut stage.session(from), &update.repeat(100), 100);
}

/// Every answer stays in the site's hands: the neighbour's window is closed. A kernel whose receive buffer is that full
/// takes no acknowledgement either, so that sooner or later the neighbour's own requests get no further.
fn zero_window(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    let mut session = stage.session(from);
    SockRef::from(&session.stream).set_recv_buffer_size(4096).unwrap();
    session.stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let octets = message(ROUTE_REFRESH, &[0, 1, 0, 1]).repeat(BATCH);
    progress.repeat(&mut session, &octets, BATCH);
}

fn notifications(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    let said = [Open::of(stage.asn(from), from).message(), message(NOTIFICATION, &[6, 4])].concat();
    brief_calls(stage, from, progress, &said);
}

fn noise(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    brief_calls(stage, from, progress, &[0xfe; 100_000]);
}

/// Calls again and again, says something and hangs up.
fn brief_calls(stage: &Stage, from: Ipv4Addr, progress: &Progress, said: &[u8]) {
    while progress.goes_on() {
        if let Ok(mut call) = stage.try_call(from) {
            call.say(said);
        }
        progress.count(1);
    }
}

fn connections(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    open_calls(stage, from, progress);
}

/// The last address of the host is no neighbour's.
fn strangers(stage: &Stage, _: Ipv4Addr, progress: &Progress) {
    open_calls(stage, hostile(HOSTILE + 1), progress);
}

/// Calls again and again and never hangs up by itself.
fn open_calls(stage: &Stage, from: Ipv4Addr, progress: &Progress) {
    let mut open = VecDeque::new();
    while progress.goes_on() {
        open.extend(stage.try_call(from).ok());
        progress.count(1);
        if open.len() > BATCH {
            open.pop_front();
        }
    }
}
