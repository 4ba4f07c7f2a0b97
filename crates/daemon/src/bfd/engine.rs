//! The loop of the thread.

use super::counters::{Counters, Discarded};
use super::directory::{Directory, Link};
use super::ear::{Ear, Heard};
use super::kept::Kept;
use super::view::View;
use super::{Order, Watch};
use crate::clock::Clock;
use crate::event::{Event, Source};
use crate::events::Bus;
use ::bfd::session::{Input, Output};
use ::bfd::{Discriminator, Packet};
use linux::scheduling;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use terms::{Reason, Timestamp};
use tokio::sync::oneshot;

/// Datagrams that are taken from one socket in one round, at most: about as many as its buffer holds, so that a flood
/// delays the timers by a millisecond or two.
const BATCH: usize = 512;

/// Everything that the thread owns.
pub(super) struct Engine {
    clock: Clock,
    bus: Bus,
    counters: Arc<Counters>,
    orders: mpsc::Receiver<Order>,
    bell: Arc<OwnedFd>,
    ears: Vec<Ear>,
    directory: Directory,
}

impl Engine {
    pub(super) fn new(
        clock: Clock,
        bus: Bus,
        counters: Arc<Counters>,
        orders: mpsc::Receiver<Order>,
        bell: Arc<OwnedFd>,
    ) -> Self {
        Engine { clock, bus, counters, orders, bell, ears: Vec::new(), directory: Directory::default() }
    }

    /// Runs until it is told to end.
    pub(super) fn run(mut self) {
        if let Err(error) = scheduling::real_time().and_then(|()| scheduling::precise_timers()) {
            self.bus
                .tell(&Event::BfdNotRealTime { reason: Reason::from(error.to_string()) }, Source::Process);
        }
        loop {
            self.wait();
            if let Some(done) = self.take_orders() {
                self.say_goodbye();
                // Whoever ordered it may not care any more.
                let _ = done.send(());
                return;
            }
            self.hear();
            self.expire();
        }
    }

    /// Until something arrives or a timer expires.
    fn wait(&mut self) {
        let deadline = self.directory.all().filter_map(|link| link.session.deadline()).min();
        let timeout = deadline.map(|deadline| {
            let left = deadline.since(self.clock.now());
            Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            }
        });
        let bell = PollFd::new(&self.bell, PollFlags::IN);
        let ears = self.ears.iter().map(|ear| PollFd::new(ear, PollFlags::IN));
        let mut places: Vec<PollFd<'_>> = std::iter::once(bell).chain(ears).collect();
        // A signal wakes it too: there is nothing to do then, and nothing is lost by looking.
        let _ = poll(&mut places, timeout.as_ref());
    }

    /// Carries out what was ordered. Answers the order to end.
    fn take_orders(&mut self) -> Option<oneshot::Sender<()>> {
        let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Listen(ear) => self.ears.push(ear),
                Order::Watch(watch) => self.watch(*watch),
                Order::Forget(name) => {
                    if let Some(link) = self.directory.named(&name) {
                        link.shown.take().into_iter().for_each(|shown| drop(shown.send_replace(None)));
                        let gone = step(link, Input::Stop, self.clock, &self.bus);
                        self.remove(gone);
                    }
                }
                Order::TakeOver(link) => self.directory.take_over(*link),
                Order::Patience(patience) => {
                    for link in self.directory.all() {
                        let _ = step(link, Input::Patience(patience), self.clock, &self.bus);
                    }
                }
                Order::StandStill(asked) => asked.stand_here(Kept::of(&self.ears, self.directory.all())),
                Order::End(done) => return Some(done),
            }
        }
        None
    }

    fn watch(&mut self, watch: Watch) {
        let same = |link: &&mut Link| link.neighbour == watch.neighbour && link.hops == watch.hops;
        if let Some(link) = self.directory.named(&watch.name).filter(same) {
            link.shown = Some(watch.shown);
            let gone = step(link, Input::Reconfigured(watch.settings), self.clock, &self.bus);
            return self.remove(gone);
        }
        if let Some(link) = self.directory.named(&watch.name) {
            link.shown = None;
            let gone = step(link, Input::Stop, self.clock, &self.bus);
            self.remove(gone);
        }
        let link = self.directory.add(watch, self.clock.wall());
        let gone = step(link, Input::Start, self.clock, &self.bus);
        self.remove(gone);
    }

    /// Takes what has arrived.
    fn hear(&mut self) {
        for ear in &self.ears {
            for _ in 0..BATCH {
                let Some(heard) = ear.hear() else { break };
                let Heard { from, hop_limit, .. } = heard;
                let found =
                    Packet::decode(heard.octets()).map_err(|_| Discarded::Malformed).and_then(|packet| {
                        Ok((packet, self.directory.addressee(&packet, ear.hops, from, hop_limit)?))
                    });
                match found {
                    // A session that is gone has no deadline left, so a packet never ends one.
                    Ok((packet, link)) => {
                        let _ = step(link, Input::Packet(packet), self.clock, &self.bus);
                    }
                    Err(why) => self.counters.count(why),
                }
            }
        }
    }

    fn expire(&mut self) {
        let now = self.clock.now();
        let is_due = |link: &&mut Link| link.session.deadline().is_some_and(|at: Timestamp| at <= now);
        let due = self.directory.all().filter(is_due);
        let gone: Vec<Discriminator> =
            due.filter_map(|link| step(link, Input::Timer, self.clock, &self.bus)).collect();
        gone.into_iter().for_each(|name| self.directory.remove(name));
    }

    /// Every other end hears that nothing is wrong with the path. If that packet is lost, it hears from BGP.
    fn say_goodbye(&mut self) {
        for link in self.directory.all() {
            let _ = step(link, Input::Stop, self.clock, &self.bus);
        }
    }

    fn remove(&mut self, gone: Option<Discriminator>) {
        gone.into_iter().for_each(|name| self.directory.remove(name));
    }
}

/// Hands one input to a session, shows what is new, and carries out what follows. Answers its name once it is gone.
///
/// BGP learns of a lost path before the other end does, so that it is this end that says why its session ends.
fn step(link: &mut Link, input: Input, clock: Clock, bus: &Bus) -> Option<Discriminator> {
    link.session.handle(input, clock.now());
    let outputs: Vec<Output> = std::iter::from_fn(|| link.session.poll_output()).collect();
    let mut view = link.view.clone();
    for output in &outputs {
        if let Output::PathDown { reason } = output {
            view.losses += 1;
            view.lost = Some(reason.clone());
        }
    }
    view.renew(&link.session, || clock.wall());
    show(link, view);
    let mut gone = None;
    for output in outputs {
        match output {
            Output::Send(packet) => link.voice.say(&packet),
            Output::PathUp | Output::PathDown { .. } => {}
            Output::Event(event) => bus.tell(&event, Source::Peer(&link.name)),
            Output::Gone => gone = Some(link.session.discriminator()),
        }
    }
    gone
}

/// A cell that others read is touched only when there is news.
fn show(link: &mut Link, view: View) {
    if view != link.view || link.shown.as_ref().is_some_and(|shown| shown.borrow().is_none()) {
        link.view = view;
        if let Some(shown) = &link.shown {
            shown.send_replace(Some(link.view.clone()));
        }
    }
}
