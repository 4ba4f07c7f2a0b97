//! What a lab or a daemon hands over to be shown.

use api::{Command, Done, Live, Picture, Refusal};
use axum::Router;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

/// Where everything on the page comes from.
pub struct Feed {
    /// The picture as it is now. Send a new one when something in it changed, at most a few times a second.
    pub picture: watch::Receiver<Arc<Picture>>,
    /// Samples and events as they happen; samples in batches, about ten batches a second.
    pub live: broadcast::Sender<Live>,
    /// Where commands go; none where the page may only look (a site).
    pub commands: Option<mpsc::Sender<Order>>,
    /// Further read-only routes, such as `/status` and `/metrics`, served behind the same guard.
    pub more: Router,
}

/// A command that passed the guard.
#[derive(Debug)]
pub struct Order {
    /// What is asked for.
    pub command: Command,
    /// Takes the answer. Dropped without one, the page says that the lab is stopping.
    pub answer: oneshot::Sender<Result<Done, Refusal>>,
}
