//! The peers of the site by name: started, changed and stopped while the rest goes on.

use super::Shared;
use crate::bfd::{Links, Shown, View};
use crate::bgp::{self, CALLS_PER_PEER, Goodbye, Peer, QUESTIONS, Switchboard};
use crate::bmp::Lines;
use crate::error::Error;
use crate::event::Source;
use crate::export::Decision;
use crate::status;
use crate::succession::{self, Descriptors, Hold, StandStill};
use ::bgp::session::{ShutdownText, StopKind};
use config::PeerAddress;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, PeerName, Reason};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Longest time that the sessions get to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// How long a peer gets to confirm that it bears a silence: a packet or two of a session that is slow.
const CONFIRMATION: Duration = Duration::from_secs(3);

/// Every peer that has a task.
pub(super) struct Peers {
    shared: Shared,
    decision: watch::Sender<Arc<Decision>>,
    running: BTreeMap<PeerName, Running>,
    /// Tasks of peers that were told to stop, by the address they still talk to.
    leaving: Vec<(PeerAddress, JoinHandle<()>)>,
    switchboard: watch::Sender<Switchboard>,
    links: Links,
    lines: watch::Sender<Lines>,
}

/// One peer's task and the ways to it.
struct Running {
    address: PeerAddress,
    neighbour: watch::Sender<config::Peer>,
    stop: watch::Sender<Goodbye>,
    path: Shown,
    still: mpsc::Sender<StandStill<Option<serde_json::Result<bgp::KeptSession>>>>,
    shown: status::Peer,
    task: JoinHandle<()>,
}

impl Peers {
    /// No peer yet. All of them will be told of `decision`.
    /// `links` is ready for those that will be started.
    /// They tell what happens in their sessions along `lines`.
    pub(super) fn new(
        shared: Shared,
        decision: watch::Sender<Arc<Decision>>,
        links: Links,
        lines: watch::Sender<Lines>,
    ) -> Self {
        Peers {
            shared,
            decision,
            running: BTreeMap::new(),
            leaving: Vec::new(),
            switchboard: watch::Sender::default(),
            links,
            lines,
        }
    }

    /// Opens what the peers of another site file need beside their tasks. An error leaves everything as it was.
    pub(super) fn prepare(&mut self, next: &[config::Peer]) -> Result<(), Error> {
        self.links.prepare(next)
    }

    /// Where the calls of each peer go, now and from now on.
    pub(super) fn switchboard(&self) -> watch::Receiver<Switchboard> {
        self.switchboard.subscribe()
    }

    /// Where each of these peers shows itself.
    pub(super) fn shown(&self, order: &[config::Peer]) -> Vec<status::Peer> {
        let shown = order.iter().filter_map(|peer| self.running.get(&peer.name));
        shown.map(|running| running.shown.clone()).collect()
    }

    /// Starts the task of a peer that a program before this one may have told routes. `forwarding` are the families whose
    /// packets were delivered all the time.
    pub(super) fn start_after_restart(&mut self, neighbour: &config::Peer, forwarding: &BTreeSet<Family>) {
        let mut peer = self.new_peer(neighbour);
        peer.restarted(forwarding);
        self.launch(neighbour, peer, None);
    }

    /// Starts the task of a peer. If another one of that address is on its way out, it is waited for.
    pub(super) fn start(&mut self, neighbour: &config::Peer) {
        let whereabouts = neighbour.whereabouts();
        let same = self.leaving.iter().position(|(address, _)| *address == whereabouts);
        let before = same.map(|at| self.leaving.swap_remove(at).1);
        self.start_after(neighbour, before);
    }

    /// Starts the task of a peer with the session of the program before; answers whether that goes on. One that cannot
    /// go on is told and begins anew.
    pub(super) fn go_on(
        &mut self,
        neighbour: &config::Peer,
        kept: bgp::KeptSession,
        descriptors: &mut Descriptors,
    ) -> bool {
        let track = self.shared.recording.track(neighbour.name.as_str());
        match Peer::going_on(neighbour.clone(), kept, descriptors, track, self.mouth()) {
            Ok(peer) => {
                self.launch(neighbour, peer, None);
                true
            }
            Err(reason) => {
                let event = succession::Event::SessionLost { reason };
                self.shared.bus.tell(&event, Source::Peer(&neighbour.name));
                self.start(neighbour);
                false
            }
        }
    }

    /// Has every task stand still. Answers with what holds them, and with the sessions that are up.
    pub(super) async fn stand_still(
        &self,
    ) -> Result<(Vec<Hold>, BTreeMap<PeerName, bgp::KeptSession>), Reason> {
        let (mut holds, mut kept) = (Vec::new(), BTreeMap::new());
        for (name, running) in &self.running {
            let (ask, hold, said) = StandStill::ask();
            // A task that is gone has nothing to say.
            if running.still.send(ask).await.is_err() {
                continue;
            }
            holds.push(hold);
            if let Ok(Some(its)) = said.await {
                let its = its.map_err(|error| Reason::from(format!("session with {name}: {error}")))?;
                kept.insert(name.clone(), its);
            }
        }
        Ok((holds, kept))
    }

    /// The paths to them.
    pub(super) fn links(&self) -> &Links {
        &self.links
    }

    /// Has every peer that watches the path to us bear such a silence, and waits until each has confirmed it. An error
    /// names one that has not; [`Links::announce_silence`] takes it back.
    pub(super) async fn announce_silence(&self, silence: Duration) -> Result<(), Reason> {
        self.links.announce_silence(Some(silence));
        let tolerates = |path: &Option<View>| path.as_ref().is_none_or(|path| path.tolerates(silence));
        let until = Instant::now() + CONFIRMATION;
        for (name, running) in &self.running {
            if timeout_at(until, running.path.subscribe().wait_for(tolerates)).await.is_err() {
                return Err(Reason::from(format!(
                    "{name} has not confirmed by BFD that it bears {} ms without us",
                    silence.as_millis()
                )));
            }
        }
        Ok(())
    }

    fn mouth(&self) -> bgp::Mouth {
        let Shared { clock, bus, metrics, .. } = self.shared.clone();
        bgp::Mouth { clock, bus, metrics }
    }

    /// Has a peer's task take over what its section says now, as far as the session can go on.
    pub(super) fn adjust(&mut self, neighbour: &config::Peer) {
        if let Some(running) = self.running.get(&neighbour.name) {
            let before = running.neighbour.send_replace(neighbour.clone());
            if before.bfd != neighbour.bfd {
                self.links.watch(neighbour, &running.path);
            }
        }
    }

    /// Ends a peer's session and begins another: what changes about it is agreed when it begins.
    pub(super) fn restart(&mut self, neighbour: &config::Peer) {
        self.stop(&neighbour.name, StopKind::Reconfigured);
        self.start(neighbour);
    }

    /// Ends the session of a peer that the site file no longer names.
    pub(super) fn remove(&mut self, name: &PeerName) {
        self.stop(name, StopKind::Deconfigured);
    }

    fn stop(&mut self, name: &PeerName, kind: StopKind) {
        let Some(Running { address, stop, task, .. }) = self.running.remove(name) else { return };
        stop.send_replace(Goodbye { kind, text: None });
        self.links.forget(name);
        self.switchboard.send_modify(|switchboard| drop(switchboard.remove(&address)));
        self.leaving.retain(|(_, task)| !task.is_finished());
        self.leaving.push((address, task));
    }

    /// Ends every session and waits until the peers were told, not for ever: a peer that does not take its goodbye
    /// hears it from the kernel.
    pub(super) async fn end(mut self, text: Option<ShutdownText>) {
        let leaving = std::mem::take(&mut self.leaving).into_iter();
        let mut tasks: Vec<_> = leaving.map(|(_, task)| task).collect();
        for running in std::mem::take(&mut self.running).into_values() {
            running.stop.send_replace(Goodbye { kind: StopKind::Shutdown, text: text.clone() });
            tasks.push(running.task);
        }
        let goodbye = async {
            for task in tasks {
                // A task that panicked has ended the process.
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        self.links.end().await;
    }

    /// Starts the task of a peer once another has ended: they may be about the same neighbour.
    fn start_after(&mut self, neighbour: &config::Peer, before: Option<JoinHandle<()>>) {
        let peer = self.new_peer(neighbour);
        self.launch(neighbour, peer, before);
    }

    fn new_peer(&self, neighbour: &config::Peer) -> Peer {
        let track = self.shared.recording.track(neighbour.name.as_str());
        Peer::new(neighbour.clone(), rand::random(), track, self.mouth())
    }

    fn launch(&mut self, neighbour: &config::Peer, peer: Peer, before: Option<JoinHandle<()>>) {
        let (still, asked) = mpsc::channel(1);
        let (caller, calls) = mpsc::channel(CALLS_PER_PEER);
        let (adjust, adjusted) = watch::channel(neighbour.clone());
        let (stop, stopped) = watch::channel(Goodbye { kind: StopKind::Shutdown, text: None });
        let address = neighbour.whereabouts();
        let (name, asn) = (neighbour.name.clone(), neighbour.session.peer_asn);
        let (ask, questions) = mpsc::channel(QUESTIONS);
        let path = Shown::default();
        self.links.watch(neighbour, &path);
        let shown = status::Peer {
            name: name.clone(),
            address: address.ip,
            asn,
            view: peer.view(),
            ask,
            path: path.subscribe(),
        };
        let ears = bgp::Ears {
            decision: self.decision.subscribe(),
            neighbour: adjusted,
            calls,
            questions,
            path: path.subscribe(),
            lines: self.lines.subscribe(),
            stop: stopped,
            still: asked,
        };
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                // It ends soon: it was told to.
                let _ = before.await;
            }
            peer.run(ears).await;
        });
        self.switchboard.send_modify(|switchboard| drop(switchboard.insert(address.clone(), caller)));
        let running = Running { address, neighbour: adjust, stop, path, still, shown, task };
        self.running.insert(name, running);
    }
}
