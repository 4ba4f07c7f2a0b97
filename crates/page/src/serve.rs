//! The accept loop: bounded connections, and a clock on slow requests.

use crate::feed::Feed;
use crate::hub::Hub;
use crate::routes::routes;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many connections may be open at once.
const MAX_CONNECTIONS: usize = 256;
/// How long a request's head may take, and how long an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a failed accept: the usual cause is that descriptors have run out, and trying at once burns a CPU.
const AFTER_FAILED_ACCEPT: Duration = Duration::from_millis(50);

/// Serves the page until dropped; every connection ends with it. Fails only if the system has no random numbers for
/// the token.
pub async fn serve(listener: TcpListener, feed: Feed) -> io::Result<Infallible> {
    let hub = Arc::new(Hub::new(feed.picture.clone()));
    let live = feed.live.subscribe();
    let service = TowerToHyperService::new(routes(feed, Arc::clone(&hub))?);
    let accepting = async {
        let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            // The semaphore is never closed.
            let seat = Arc::clone(&seats).acquire_owned().await;
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(_) => {
                    sleep(AFTER_FAILED_ACCEPT).await;
                    continue;
                }
            };
            let service = service.clone();
            connections.spawn(async move {
                let _seat = seat;
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
                // A connection that breaks is the business of whoever broke it.
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    let (never, ()) = tokio::join!(accepting, hub.run(live));
    never
}
