//! The running site: what the site file names, by name, so that a reload can change it piece by piece.

use super::Shared;
use super::groups::Groups;
use super::peers::Peers;
use super::services::{Services, belongings};
use crate::announce::Command;
use crate::announce::{Member, Regroup};
use crate::bgp::{self, Doors};
use crate::continuity::Moved;
use crate::error::Error;
use crate::fleet::Fleet;
use crate::memory::Memories;
use crate::reload::{Change, Difference, GroupStep, PeerChange};
use crate::status::{Cover, Shown};
use crate::stop::{Signals, Stop};
use crate::succession::Departing;
use config::SiteFile;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::time::Duration;
use terms::Prefix;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

/// Everything that runs on the decisions thread.
pub(super) struct Site {
    pub(super) shared: Shared,
    pub(super) site_file: SiteFile,
    pub(super) peers: Peers,
    pub(super) groups: Groups,
    pub(super) services: Services,
    /// Where peers call.
    pub(super) doors: Doors,
    /// A second handle on the control socket.
    pub(super) control: OwnedFd,
    /// A second handle on the read-only listener.
    pub(super) api: Option<OwnedFd>,
    pub(super) fleet: Fleet,
    pub(super) moved: Moved,
    /// The BMP collectors that are wanted.
    pub(super) collectors: watch::Sender<Vec<config::Collector>>,
    /// To the decision loop.
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) memories: watch::Receiver<Memories>,
    /// From whoever has judged an order to restart.
    pub(super) departures: mpsc::Receiver<Departing>,
    /// The last time that another program took over.
    pub(super) restarts: watch::Sender<Option<api::Restart>>,
    pub(super) shown: watch::Sender<Shown>,
    /// How long the service answers on after the end.
    pub(super) linger: watch::Sender<Duration>,
    /// To the decision loop.
    pub(super) regroups: mpsc::Sender<Regroup>,
    /// From whoever has judged another site file.
    pub(super) changes: mpsc::Receiver<Change>,
}

impl Site {
    /// Lives until the order to stop has been carried out.
    pub(super) async fn run(mut self, stop: Stop, signals: Signals) {
        let text = stop.sessions.subscribe();
        let clock = self.shared.clock;
        let mut stopping = Box::pin(stop.when_told(signals));
        loop {
            tokio::select! {
                () = &mut stopping => break,
                Some(change) = self.changes.recv() => self.take(change).await,
                Some(departing) = self.departures.recv() => {
                    let borne = tokio::select! {
                        () = &mut stopping => break,
                        borne = self.announce_silence(&departing) => borne,
                    };
                    self.depart(departing, borne).await;
                }
                () = clock.until(self.services.deadline()) => self.services.let_go(&self.site_file),
            }
        }
        let text = text.borrow().clone();
        self.peers.end(text).await;
    }

    async fn take(&mut self, change: Change) {
        let Change { site_file, difference, done } = change;
        let applied = self.apply(*site_file, &difference).await;
        // Whoever ordered it may not care any more.
        let _ = done.send(applied);
    }

    /// Makes the difference true. What can fail is tried first, and an error leaves everything as it was.
    async fn apply(&mut self, next: SiteFile, difference: &Difference) -> Result<(), Error> {
        self.peers.prepare(&next.peers)?;
        let servers = self.services.prepare(&next)?;
        let listeners = self.doors.open_for(&next.peers, next.site.bgp_port)?;
        let listeners = listeners.into_iter().map(awaited).collect::<Result<Vec<_>, Error>>()?;
        self.regroup(&next, &difference.groups).await?;
        self.services.change(&self.site_file, &next, servers);
        self.listen(listeners);
        let changes = |wanted: PeerChange| {
            let changed = difference.peers.iter().filter(move |(_, change)| **change == wanted);
            changed.map(|(name, _)| name)
        };
        for gone in changes(PeerChange::Removed) {
            self.peers.remove(gone);
        }
        for peer in &next.peers {
            match difference.peers.get(&peer.name) {
                Some(PeerChange::Added) => self.peers.start(peer),
                Some(PeerChange::Session) => self.peers.restart(peer),
                Some(PeerChange::Routes | PeerChange::Transport { .. }) => self.peers.adjust(peer),
                Some(PeerChange::Removed) | None => {}
            }
        }
        self.linger.send_replace(next.site.linger);
        self.collectors.send_replace(next.collectors.clone());
        self.moved.follow(&next);
        self.site_file = next;
        self.show();
        Ok(())
    }

    /// Takes calls of peers.
    pub(super) fn listen(&mut self, listeners: impl IntoIterator<Item = TcpListener>) {
        for listener in listeners {
            let (switchboard, bus) = (self.peers.switchboard(), self.shared.bus.clone());
            tokio::spawn(bgp::take_calls(listener, switchboard, bus));
        }
    }

    /// Has the decision loop look after the groups of another file, and waits until it does.
    async fn regroup(&mut self, next: &SiteFile, steps: &[GroupStep]) -> Result<(), Error> {
        let members = next.groups.iter().zip(steps).map(|(group, step)| match step {
            GroupStep::Same(name) => Member::Same(name.clone()),
            GroupStep::Changed { was, .. } => {
                Member::Changed { was: was.clone(), group: self.groups.make(group, next) }
            }
            GroupStep::Added(_) => Member::New(self.groups.make(group, next)),
        });
        let members = members.collect();
        let (done, decided) = oneshot::channel();
        let covers = next.covers().into_iter().collect();
        // A daemon that is on its way out takes no other groups.
        let told = self.regroups.send(Regroup { members, covers, done }).await;
        told.map_err(|_| Error::Stopping)?;
        decided.await.map_err(|_| Error::Stopping)
    }

    /// Shows what the site file says now.
    pub(super) fn show(&self) {
        self.shown.send_replace(Shown {
            place: self.site_file.site.place.as_ref().map(|place| (place.city.clone(), place.at)),
            addresses: belongings(&self.site_file).addresses.into_iter().collect(),
            covers: self.covers(),
            peers: self.peers.shown(&self.site_file.peers),
        });
    }

    /// The covering prefixes; one that was there before keeps its time.
    fn covers(&self) -> BTreeMap<Prefix, Cover> {
        let before = &self.shown.borrow().covers;
        let since =
            |prefix| before.get(&prefix).map_or_else(|| self.shared.clock.wall(), |cover| cover.since);
        let cover = |prefix: Prefix| {
            let group = self.site_file.group_of_cover(prefix)?.clone();
            Some((prefix, Cover { group, since: since(prefix) }))
        };
        self.site_file.covers().into_iter().filter_map(cover).collect()
    }
}

/// A listener as the runtime waits for it.
pub(super) fn awaited(listener: std::net::TcpListener) -> Result<TcpListener, Error> {
    TcpListener::from_std(listener).map_err(Error::System)
}
