//! Serves the page of one feed.

use crate::accept::answer;
use crate::feed::Feed;
use crate::hub::Hub;
use crate::routes::routes;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves the page until dropped; every connection ends with it. Fails only if the system has no random numbers for
/// the token.
pub async fn serve(listener: TcpListener, feed: Feed) -> io::Result<Infallible> {
    let hub = Arc::new(Hub::new(feed.picture.clone()));
    let live = feed.live.subscribe();
    let routes = routes(feed, Arc::clone(&hub))?;
    let (never, ()) = tokio::join!(answer(listener, routes), hub.run(live));
    Ok(never)
}
