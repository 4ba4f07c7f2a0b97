//! The task between the feed and the readers: every message becomes text once, and the last minute is kept.

use api::{LastMinute, Live, Picture};
use axum::body::Bytes;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

/// How many frames a reader may be behind before it is told the whole again.
const BACKLOG: usize = 256;
/// Pictures that follow each other faster are left out: nobody sees them.
const BETWEEN_PICTURES: Duration = Duration::from_millis(100);

/// Where readers subscribe.
pub(crate) struct Hub {
    picture: watch::Receiver<Arc<Picture>>,
    history: Mutex<LastMinute>,
    frames: broadcast::Sender<Bytes>,
}

impl Hub {
    pub(crate) fn new(picture: watch::Receiver<Arc<Picture>>) -> Self {
        Hub { picture, history: Mutex::default(), frames: broadcast::channel(BACKLOG).0 }
    }

    /// Passes messages on until whoever feeds the page is gone.
    pub(crate) async fn run(&self, mut live: broadcast::Receiver<Live>) {
        tokio::join!(self.pass_pictures(), async {
            loop {
                match live.recv().await {
                    Ok(message) => self.publish(message),
                    // The feed is faster than this task: what was lost is lost, the next messages are not.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    async fn pass_pictures(&self) {
        let mut pictures = self.picture.clone();
        while pictures.changed().await.is_ok() {
            let picture = Arc::clone(&pictures.borrow_and_update());
            self.publish(Live::Picture(picture));
            sleep(BETWEEN_PICTURES).await;
        }
    }

    fn publish(&self, message: Live) {
        // Under the lock: a reader that comes in between would miss the message or see it twice.
        let mut history = self.history();
        let frame = frame(&message);
        match message {
            Live::Picture(_) => {}
            Live::Samples(samples) => samples.into_iter().for_each(|sample| history.sample(sample)),
            Live::Event(event) => history.event(event),
        }
        // Without readers nobody is told.
        let _ = self.frames.send(frame);
    }

    /// The picture as it is now.
    pub(crate) fn picture(&self) -> Arc<Picture> {
        Arc::clone(&self.picture.borrow())
    }

    /// Everything so far in one frame, and every frame from then on.
    pub(crate) fn subscribe(&self) -> (Bytes, broadcast::Receiver<Bytes>) {
        let history = self.history();
        (self.whole(&history), self.frames.subscribe())
    }

    fn whole(&self, history: &LastMinute) -> Bytes {
        let mut text = frame(&Live::Picture(self.picture())).to_vec();
        text.extend(frame(&Live::Samples(history.samples())));
        history.events().for_each(|event| text.extend(frame(&Live::Event(event.clone()))));
        text.into()
    }

    fn history(&self) -> MutexGuard<'_, LastMinute> {
        // A panic of another task in here leaves at worst one sample out.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One server-sent event. JSON has no line breaks outside of strings and none inside, so one `data:` line is enough.
fn frame(message: &Live) -> Bytes {
    let mut text = format!("event: {}\ndata: ", message.name()).into_bytes();
    // Writing to memory cannot fail, and every map of the picture has text for keys.
    let _ = serde_json::to_writer(&mut text, message);
    let _ = text.write_all(b"\n\n");
    text.into()
}
