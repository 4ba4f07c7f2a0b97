//! Ways to the sites that take connections: a connection stands still only when there is one.

use super::channel::{Channel, Ends, Fault};
use super::driver::{Receiver, Situation};
use ::continuity::SiteNumber;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long another site may take to be reached: three round trips, and a segment that is lost.
pub(super) const REACH: Duration = Duration::from_secs(3);

/// What is known of the ways. Copies are the same.
#[derive(Clone, Default)]
pub(super) struct Ways {
    /// Those that are not in use.
    idle: Arc<Mutex<Vec<(SiteNumber, Channel)>>>,
    /// Who takes none in this round.
    passed_over: Arc<Mutex<PassedOver>>,
    /// Those that were reached in this round. Whoever has it looks for another one, and all others wait.
    reached: Arc<tokio::sync::Mutex<BTreeSet<SiteNumber>>>,
}

/// Who takes none in this round.
#[derive(Default)]
struct PassedOver {
    /// They cannot be reached.
    sites: BTreeSet<SiteNumber>,
    /// They take none of a service.
    services: BTreeSet<(SiteNumber, SocketAddr)>,
}

impl PassedOver {
    /// Whether the site may take a connection of one of these services.
    fn leaves(&self, site: SiteNumber, services: &BTreeSet<SocketAddr>) -> bool {
        !self.sites.contains(&site)
            && services.iter().any(|service| !self.services.contains(&(site, *service)))
    }
}

impl Ways {
    /// A round begins: everybody is tried again.
    pub(super) fn begin(&mut self) {
        *lock(&self.passed_over) = PassedOver::default();
        self.reached = Arc::default();
    }

    /// Nothing goes for a while.
    pub(super) fn rest(&self) {
        lock(&self.idle).clear();
    }

    /// A way that can be used again.
    pub(super) fn put_back(&self, to: SiteNumber, channel: Channel) {
        lock(&self.idle).push((to, channel));
    }

    /// A site that takes none of a service for the rest of the round.
    pub(super) fn pass_over_for(&self, site: SiteNumber, service: SocketAddr) {
        lock(&self.passed_over).services.insert((site, service));
    }

    /// The same of all services.
    fn pass_over(&self, site: SiteNumber) {
        lock(&self.passed_over).sites.insert(site);
    }

    /// A way to the best site that can be reached and may take a connection of one of these services; none if there is none in
    /// this round.
    pub(super) async fn reach(
        &self,
        now: &Situation,
        services: &BTreeSet<SocketAddr>,
    ) -> Option<(Receiver, Channel)> {
        loop {
            let best = self.candidates(now, services).into_iter().next()?;
            if let Some(idle) = self.take_idle(best.number) {
                return Some((best, idle));
            }
            let mut reached = self.reached.lock().await;
            // Another one may have looked while this one waited.
            let candidates = self.candidates(now, services);
            let best = candidates.first()?.clone();
            if !reached.contains(&best.number) {
                let found = self.look_for(now, candidates).await?;
                reached.insert(found.0.number);
                return Some(found);
            }
            drop(reached);
            match open(now.clone(), best.clone()).await {
                Ok(channel) => return Some((best, channel)),
                Err(_) => self.pass_over(best.number),
            }
        }
    }

    /// Who may take one, the best first.
    fn candidates(&self, now: &Situation, services: &BTreeSet<SocketAddr>) -> Vec<Receiver> {
        let passed_over = lock(&self.passed_over);
        now.receivers.iter().filter(|to| passed_over.leaves(to.number, services)).cloned().collect()
    }

    fn take_idle(&self, to: SiteNumber) -> Option<Channel> {
        let mut idle = lock(&self.idle);
        let at = idle.iter().position(|(number, _)| *number == to)?;
        Some(idle.swap_remove(at).1)
    }

    /// Calls all of them at once, so that many that are silent take no longer than one.
    async fn look_for(&self, now: &Situation, candidates: Vec<Receiver>) -> Option<(Receiver, Channel)> {
        let call = |to: Receiver| {
            let task = Call(tokio::spawn(open(now.clone(), to.clone())));
            (to, task)
        };
        let calls: Vec<_> = candidates.into_iter().map(call).collect();
        for (to, mut call) in calls {
            match (&mut call.0).await {
                Ok(Ok(channel)) => return Some((to, channel)),
                Ok(Err(_)) | Err(_) => self.pass_over(to.number),
            }
        }
        None
    }
}

/// Somebody is called; nobody any more when this is dropped.
struct Call(JoinHandle<Result<Channel, Fault>>);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn open(now: Situation, to: Receiver) -> Result<Channel, Fault> {
    let source = now.source(to.address).ok_or(io::Error::from(io::ErrorKind::AddrNotAvailable))?;
    let begin = async {
        let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.bind(SocketAddr::new(source, 0))?;
        let stream = socket.connect(SocketAddr::new(to.address, now.port.get())).await?;
        stream.set_nodelay(true)?;
        Channel::begin(stream, Ends { giver: now.here, taker: to.number }, &now.ring).await
    };
    timeout(REACH, begin).await.map_err(|_| Fault::Io(io::ErrorKind::TimedOut.into()))?
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
