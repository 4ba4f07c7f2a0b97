//! Feeds the page: the picture a few times a second, samples in batches, events as they come.

use crate::status::Board;
use api::{EventRow, Live, Sample};
use axum::Router;
use page::Feed;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// From one picture to the next.
const PICTURE_EVERY: Duration = Duration::from_millis(250);

/// From one batch of samples to the next.
const BATCH_EVERY: Duration = Duration::from_millis(100);

/// Messages that a reader of the page may fall behind.
const BEHIND: usize = 1024;

/// Serves the page, with the daemon's documents beside it, and keeps it fed.
pub(crate) async fn serve(
    listener: TcpListener,
    board: Board,
    samples: mpsc::Receiver<Sample>,
    documents: Router,
) -> io::Result<Infallible> {
    let (_, events) = board.bus.follow();
    let picture = watch::Sender::new(Arc::new(board.picture()));
    let live = broadcast::Sender::new(BEHIND);
    let feed = Feed { picture: picture.subscribe(), live: live.clone(), commands: None, more: documents };
    tokio::select! {
        ended = page::serve(listener, feed) => ended,
        never = draw(board, picture, live, events, samples) => match never {},
    }
}

async fn draw(
    board: Board,
    picture: watch::Sender<Arc<api::Picture>>,
    live: broadcast::Sender<Live>,
    mut events: broadcast::Receiver<EventRow>,
    mut samples: mpsc::Receiver<Sample>,
) -> Infallible {
    let mut pictures = interval(PICTURE_EVERY);
    let mut batches = interval(BATCH_EVERY);
    pictures.set_missed_tick_behavior(MissedTickBehavior::Delay);
    batches.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            _ = pictures.tick() => {
                picture.send_replace(Arc::new(board.picture()));
                continue;
            }
            _ = batches.tick() => {
                let mut batch = Vec::new();
                while let Ok(sample) = samples.try_recv() {
                    batch.push(sample);
                }
                if batch.is_empty() {
                    continue;
                }
                Live::Samples(batch)
            }
            row = events.recv() => match row {
                Ok(row) => Live::Event(row),
                // The page shows what is; the events that it missed are under /events.
                Err(RecvError::Lagged(_)) => continue,
                // The bus lives as long as the board.
                Err(RecvError::Closed) => std::future::pending().await,
            },
        };
        // Nobody may be looking.
        let _ = live.send(message);
    }
}
