//! Everything that may be slow and that no decision waits for, on a thread and a runtime of their own: the log, the
//! state files, the API with operators' orders and reloads, the page, BMP collectors, and the count of connections.

use crate::bgp;
use crate::blackhole::{self, Trigger};
use crate::bmp::Collectors;
use crate::caller::Callers;
use crate::cookies;
use crate::desk;
use crate::events::{Bus, Log};
use crate::fleet::{self, Driver};
use crate::memory::{self, Memories};
use crate::metrics::Metrics;
use crate::orders::{self, Clerk};
use crate::reload::{self, Office};
use crate::status::Board;
use crate::traffic::{self, Connections, Counted};
use crate::{page, server, summary, usage};
use ::fleet::{Embedded, Etcd};
use api::route;
use axum::Router;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};

/// What the attendants look after.
#[derive(Debug)]
pub(crate) struct Attendants {
    pub(crate) bus: Bus,
    pub(crate) board: Board,
    /// In touch with the other sites, where the site file says that there are any.
    pub(crate) fleet: Option<Driver<Etcd>>,
    /// Tells BMP collectors.
    pub(crate) collectors: Collectors,
    /// Looks after the secrets of DNS cookies.
    pub(crate) cookies: cookies::Keeper,
    /// Takes other site files.
    pub(crate) office: Office,
    pub(crate) metrics: Metrics,
    /// What the next process should know; none where it cannot be written.
    pub(crate) store: Option<Embedded>,
    pub(crate) memories: watch::Receiver<Memories>,
    pub(crate) socket: UnixListener,
    /// Whoever carries out operators' orders.
    pub(crate) clerk: Clerk,
    /// Whoever has peers drop traffic.
    pub(crate) trigger: Trigger,
    /// Counts connections where that is wanted.
    pub(crate) counted: watch::Receiver<Counted>,
    pub(crate) connections: watch::Sender<Connections>,
    /// The read-only listener, where the site file wants one.
    pub(crate) listener: Option<TcpListener>,
    /// What the checks found, for the page.
    pub(crate) samples: mpsc::Receiver<api::Sample>,
}

/// Running attendants.
#[derive(Debug)]
pub(crate) struct Attending {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Attendants {
    /// Starts the thread.
    pub(crate) fn start(self) -> io::Result<Attending> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let run = move || {
            // On a busy machine decisions come first. A kernel that does not allow it is no reason to stop.
            let _ = linux::scheduling::step_back(10);
            runtime.block_on(self.run(stopped));
        };
        let thread = std::thread::Builder::new().name("attendants".to_owned()).spawn(run)?;
        Ok(Attending { stop, thread })
    }

    async fn run(self, stopped: oneshot::Receiver<()>) {
        let mut log = Log::follow(&self.bus);
        tokio::spawn(usage::watch(self.bus.clone()));
        tokio::spawn(self.cookies.run(self.fleet.as_ref().map(Driver::store)));
        tokio::spawn(bgp::watch_guards(self.board.shown.clone(), self.bus.clone()));
        let remembering = tokio::spawn(memory::keep(self.store, self.memories, self.bus));
        let summing_up = summary::tell(self.board.groups.clone());
        let (clock, fleet) = (self.board.clock, self.board.fleet.clone());
        let documents = server::documents(self.board.clone(), self.metrics);
        let showing = show(self.listener, self.board, self.samples, documents.clone());
        let (order, orders) = mpsc::channel::<orders::Request>(desk::WAITING);
        let (blackhole, blackholes) = mpsc::channel::<blackhole::Request>(desk::WAITING);
        let desks = reload::routes(self.office.desk())
            .merge(fleet::routes(fleet))
            .merge(desk::counter(route::ORDERS, order))
            .merge(desk::counter(route::BLACKHOLES, blackhole));
        let serving = serve(self.socket, documents.merge(desks));
        let reloading = tokio::spawn(self.office.run());
        tokio::spawn(desk::attend(self.clerk, clock, orders));
        tokio::spawn(desk::attend(self.trigger, clock, blackholes));
        tokio::spawn(traffic::count(self.counted, self.connections));
        let (hang_up, hung_up) = oneshot::channel();
        let telling = tokio::spawn(self.collectors.run(hung_up));
        let (leave, left) = oneshot::channel();
        let driver = self.fleet.map(|driver| tokio::spawn(driver.run(left)));
        tokio::select! {
            () = log.write() => {}
            () = summing_up => {}
            _ = serving => {}
            () = showing => {}
            _ = stopped => {}
        }
        reloading.abort();
        // The sessions are closed by now.
        let _ = (leave.send(()), hang_up.send(()));
        let _ = telling.await;
        if let Some(driver) = driver {
            let _ = driver.await;
        }
        // The decision loop is gone by now: this writes what it remembered last and ends.
        let _ = remembering.await;
        log.drain();
    }
}

async fn serve(socket: UnixListener, router: Router) -> io::Result<Infallible> {
    let callers = Callers(tokio::net::UnixListener::from_std(socket)?);
    Ok(::page::answer(callers, router).await)
}

/// Shows the page where the site file wants it.
async fn show(
    listener: Option<TcpListener>,
    board: Board,
    samples: mpsc::Receiver<api::Sample>,
    documents: Router,
) {
    let listener = listener.map(tokio::net::TcpListener::from_std);
    if let Some(Ok(listener)) = listener
        && let Err(error) = page::serve(listener, board, samples, documents).await
    {
        tracing::warn!(%error, "the page cannot be shown");
    }
    std::future::pending().await
}

impl Attending {
    /// Ends the thread once everything that was told is written.
    pub(crate) fn stop(self) {
        // A thread that is gone has nothing left to write.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}
