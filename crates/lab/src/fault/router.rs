//! What operators and other people do at one node: reverse path checks, traffic that is shifted, floods.

use crate::fault::apply::FaultError;
use crate::names::Wrong;
use crate::plan::{NodeId, SERVICE};
use crate::policy::sessions;
use crate::question;
use crate::running::{Lab, lock};
use crate::scenario::words::NodeName;
use linux::{Error, scheduling, socket, sysctl};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The kernel's switch for reverse path checks: the stricter of this and an interface's own counts (RFC 3704).
const REVERSE_PATH: &str = "ipv4/conf/all/rp_filter";
/// How often a flood sends what is due.
const TICK: Duration = Duration::from_millis(1);
const DNS: u16 = 53;

impl Lab {
    pub(super) fn check_reverse_paths(&self, node: NodeId, strict: bool) -> Result<(), FaultError> {
        let set = || sysctl::write(REVERSE_PATH, if strict { "1" } else { "0" });
        Ok(self.machines[node.0].namespace.run(set)??)
    }

    pub(super) fn shift(&self, node: NodeId, neighbour: &NodeName) -> Result<(), FaultError> {
        let sessions = sessions(&self.world, &self.plan, node);
        let session = sessions.iter().find(|session| session.far.name == neighbour.as_str());
        match (session, lock(&self.routers).get_mut(&node)) {
            (Some(session), Some(router)) => Ok(router.shift(Some(session))?),
            (None, _) | (_, None) => {
                let message = format!("{} has no session with {neighbour}", self.plan.node(node).name);
                Err(FaultError::Name(Wrong {
                    message,
                    hint: "name two routers that a cable joins".to_owned(),
                }))
            }
        }
    }

    pub(super) fn end_shift(&self, node: NodeId) -> Result<(), FaultError> {
        match lock(&self.routers).get_mut(&node) {
            Some(router) => Ok(router.shift(None)?),
            None => Ok(()),
        }
    }

    /// Sends questions from a node until it is restored, in place of what it sent before.
    pub(super) fn flood(&self, node: NodeId, per_second: usize) -> Result<(), FaultError> {
        self.end_flood(node);
        let anywhere: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
        let socket = self.machines[node.0].namespace.run(|| socket::bind_udp(anywhere))??;
        let enough = Arc::new(AtomicBool::new(false));
        lock(&self.floods).insert(node, Arc::clone(&enough));
        let thread = thread::Builder::new().name("flood".to_owned());
        let thread = thread.spawn(move || send(&socket, per_second, &enough));
        Ok(thread.map(drop).map_err(|error| Error::new("start a flood", error))?)
    }

    pub(super) fn end_flood(&self, node: NodeId) {
        if let Some(enough) = lock(&self.floods).remove(&node) {
            enough.store(true, Ordering::Relaxed);
        }
    }
}

/// Nobody reads the answers: what does not fit into the socket's buffer is lost.
fn send(socket: &UdpSocket, per_second: usize, enough: &AtomicBool) {
    // Whoever measures comes first.
    let _ = scheduling::step_back(10);
    let begun = Instant::now();
    let mut sent = 0_usize;
    while !enough.load(Ordering::Relaxed) {
        let due = (begun.elapsed().as_secs_f64() * per_second as f64) as usize;
        for number in sent..due {
            let Ok(query) = question::query(number as u16, &[0; question::CLIENT_COOKIE]) else { return };
            // A full buffer on the way is part of a flood.
            let _ = socket.send_to(&query, (SERVICE.v4, DNS));
        }
        sent = due;
        thread::sleep(TICK);
    }
}
