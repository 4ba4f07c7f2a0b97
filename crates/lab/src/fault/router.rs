//! What operators and other people do at one node: reverse path checks, traffic that is shifted, floods.

use crate::calls::stray::{Strays, count_resets};
use crate::fault::Flapping;
use crate::fault::apply::FaultError;
use crate::names::Wrong;
use crate::plan::{NodeId, Role, service_address};
use crate::policy::sessions;
use crate::question;
use crate::running::{Lab, lock};
use crate::scenario::words::{ClientName, NodeName};
use crate::world::World;
use domain::base::Rtype;
use linux::{Error, scheduling, socket, sysctl};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use terms::DomainName;

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
        if session.is_some() {
            self.end_flapping(Flapping::Route(node));
        }
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

    /// Shifts a router away from a neighbour and back, `half` of the time each. It begins with a shift.
    pub(super) fn flap_route(
        &self,
        node: NodeId,
        neighbour: &NodeName,
        half: Duration,
    ) -> Result<(), FaultError> {
        let (world, plan, neighbour) = (self.world.clone(), self.plan.clone(), neighbour.clone());
        let routers = Arc::clone(&self.routers);
        let swing = move |works: bool| {
            let sessions = sessions(&world, &plan, node);
            let session = sessions.iter().find(|session| session.far.name == neighbour.as_str());
            if let Some(router) = lock(&routers).get_mut(&node) {
                // The next turn tries again.
                let _ = router.shift(session.filter(|_| !works));
            }
        };
        self.swing(Flapping::Route(node), half, swing)
    }

    pub(super) fn end_shift(&self, node: NodeId) -> Result<(), FaultError> {
        match lock(&self.routers).get_mut(&node) {
            Some(router) => Ok(router.shift(None)?),
            None => Ok(()),
        }
    }

    /// Sends questions from a node until it is restored, in place of what it sent before.
    pub(super) fn flood(&self, node: NodeId, per_second: usize) -> Result<(), FaultError> {
        let anywhere: SocketAddr = (Ipv4Addr::UNSPECIFIED, 0).into();
        let socket = self.machines[node.0].namespace.run(|| socket::bind_udp(anywhere))??;
        let (to, name) = flooded(&self.world, self.plan.node(node).role);
        let ask = move |number: usize| {
            let query = question::query(number as u16, &name, Rtype::SOA, &[0; question::CLIENT_COOKIE]);
            if let Ok(query) = query {
                // A full buffer on the way is part of a flood.
                let _ = socket.send_to(&query, (to, DNS));
            }
        };
        self.send_until_restored(node, per_second, ask)
    }

    /// Sends segments of no connection in a client's name, and counts from now on how often that client is reset.
    pub(super) fn flood_acks(
        &self,
        node: NodeId,
        client: &ClientName,
        per_second: usize,
    ) -> Result<(), FaultError> {
        let its_node = self.client(client)?;
        let addresses = self.plan.node(its_node).address.both();
        let strays = Strays::open(&self.machines[node.0].namespace, addresses)?;
        if !lock(&self.resets).contains_key(client.as_str()) {
            let counted = count_resets(&self.machines[its_node.0].namespace)?;
            lock(&self.resets).insert(client.as_str().to_owned(), counted);
        }
        self.send_until_restored(node, per_second, move |number| strays.send(number))
    }

    /// How often each client was reset in whose name somebody has sent, since it was done first.
    pub(crate) fn resets(&self) -> BTreeMap<String, u64> {
        let resets = lock(&self.resets);
        resets.iter().map(|(client, resets)| (client.clone(), resets.load(Ordering::Relaxed))).collect()
    }

    fn send_until_restored(
        &self,
        node: NodeId,
        per_second: usize,
        send_one: impl Fn(usize) + Send + 'static,
    ) -> Result<(), FaultError> {
        self.end_flood(node);
        let enough = Arc::new(AtomicBool::new(false));
        lock(&self.floods).insert(node, Arc::clone(&enough));
        let thread = thread::Builder::new().name("flood".to_owned());
        let thread = thread.spawn(move || send(send_one, per_second, &enough));
        Ok(thread.map(drop).map_err(|error| Error::new("start a flood", error))?)
    }

    pub(super) fn end_flood(&self, node: NodeId) {
        if let Some(enough) = lock(&self.floods).remove(&node) {
            enough.store(true, Ordering::Relaxed);
        }
    }
}

/// What a node asks and where: at a site its own service, elsewhere the first one.
fn flooded(world: &World, role: Role) -> (Ipv4Addr, DomainName) {
    let service = match role {
        Role::Router(router) => world.service_near(router),
        Role::Host(host) => world.sites[usize::from(host.site.0)].service,
        Role::Core | Role::Exchange(_) | Role::Client(_) | Role::Device(_) => 0,
    };
    (service_address(service).v4, world.services[service].asked.clone())
}

/// Nobody reads the answers: what does not fit into the socket's buffer is lost.
fn send(send_one: impl Fn(usize), per_second: usize, enough: &AtomicBool) {
    // Whoever measures comes first.
    let _ = scheduling::step_back(10);
    let begun = Instant::now();
    let mut sent = 0_usize;
    while !enough.load(Ordering::Relaxed) {
        let due = (begun.elapsed().as_secs_f64() * per_second as f64) as usize;
        (sent..due).for_each(&send_one);
        sent = due;
        thread::sleep(TICK);
    }
}
