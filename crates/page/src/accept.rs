//! The accept loop of every HTTP socket of the program: bounded in connections and in memory, and with a clock on
//! callers that are slow to ask or slow to read. Who calls may be hostile; what else the process does must not notice.

use crate::patience::Patient;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How many connections a socket may have open at once. Who comes later waits in the kernel.
pub const MAX_CONNECTIONS: usize = 256;
/// How long a request's head may take, then its body, then each piece of the answer that the caller does not take;
/// and how long an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of a request's head, and of an answer that waits to be sent.
const MAX_BUFFER: usize = 32 << 10;
/// Most lines of a request's head.
const MAX_HEADERS: usize = 64;
/// Largest body, bytes.
const MAX_BODY: usize = 64 << 10;

/// Answers whoever calls until dropped; every connection ends with it. Each request carries who calls, as the listener
/// says it, as an `Extension<Arc<_>>`.
pub async fn answer<L>(mut listener: L, router: Router) -> Infallible
where
    L: Listener<Addr: Sync + 'static>,
{
    let router = router.layer(middleware::from_fn(whole_body));
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // The semaphore is never closed.
        let seat = Arc::clone(&seats).acquire_owned().await;
        let (stream, caller) = listener.accept().await;
        let service = TowerToHyperService::new(router.clone().layer(Extension(Arc::new(caller))));
        connections.spawn(async move {
            let _seat = seat;
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            http.max_buf_size(MAX_BUFFER).max_headers(MAX_HEADERS);
            // A connection that breaks is the business of whoever broke it.
            let _ = http.serve_connection(TokioIo::new(Patient::new(stream, PATIENCE)), service).await;
        });
    }
}

/// Lets a request pass once its body is here, which takes neither long nor much.
async fn whole_body(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > MAX_BODY as u64 {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    }
    match timeout(PATIENCE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    }
}
