//! One open page: a stream of server-sent events.

use crate::hub::Hub;
use axum::body::{Body, Bytes};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::timeout;

/// A quiet stream says so this often, so that a connection without anybody behind it is noticed.
const STILL_HERE: Duration = Duration::from_secs(10);

/// The body of one stream. It holds the seat until the reader is gone. Frames wait in the hub's ring, which is the
/// same for all readers: one that does not read costs no more than its socket's buffer.
pub(crate) fn body(hub: Arc<Hub>, seat: OwnedSemaphorePermit) -> Body {
    let (whole, frames) = hub.subscribe();
    let reader = Reader { hub, frames, first: Some(whole), _seat: seat };
    Body::from_stream(stream::unfold(reader, |mut reader| async {
        let frame = reader.next().await?;
        Some((Ok::<_, Infallible>(frame), reader))
    }))
}

struct Reader {
    hub: Arc<Hub>,
    frames: broadcast::Receiver<Bytes>,
    first: Option<Bytes>,
    _seat: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(whole) = self.first.take() {
            return Some(whole);
        }
        match timeout(STILL_HERE, self.frames.recv()).await {
            Ok(Ok(frame)) => Some(frame),
            Ok(Err(RecvError::Lagged(_))) => {
                let (whole, frames) = self.hub.subscribe();
                self.frames = frames;
                Some(whole)
            }
            Ok(Err(RecvError::Closed)) => None,
            Err(_) => Some(Bytes::from_static(b": still here\n\n")),
        }
    }
}
