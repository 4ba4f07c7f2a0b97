//! Serves the page of one feed.

use crate::accept::answer;
use crate::feed::Feed;
use crate::hub::Hub;
use crate::routes::{live, routes};
use api::Live;
use axum::Router;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// The page of one feed, before anybody may read it.
pub struct Page {
    hub: Arc<Hub>,
    messages: broadcast::Receiver<Live>,
    routes: Router,
}

impl Page {
    /// Takes a feed. Fails only if the system has no random numbers for the token.
    pub fn of(feed: Feed) -> io::Result<Page> {
        let hub = Arc::new(Hub::new(feed.picture.clone()));
        let messages = feed.live.subscribe();
        Ok(Page { routes: routes(feed, Arc::clone(&hub))?, hub, messages })
    }

    /// The live stream alone, without the guard, for a socket that only its owner can reach. It flows while the page is
    /// served.
    pub fn live(&self) -> Router {
        live(Arc::clone(&self.hub))
    }

    /// Serves the page until dropped; every connection ends with it.
    pub async fn serve(self, listener: TcpListener) -> Infallible {
        let (never, ()) = tokio::join!(answer(listener, self.routes), self.hub.run(self.messages));
        never
    }
}

/// Serves the page until dropped; every connection ends with it. Fails only if the system has no random numbers for
/// the token.
pub async fn serve(listener: TcpListener, feed: Feed) -> io::Result<Infallible> {
    Ok(Page::of(feed)?.serve(listener).await)
}
