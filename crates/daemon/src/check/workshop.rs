//! The thread on which runs of checks are made that may be held up.

use std::io;
use std::thread::JoinHandle;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// The running thread.
#[derive(Debug)]
pub(crate) struct Workshop {
    handle: Handle,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Workshop {
    /// Starts the thread.
    pub(crate) fn open() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let work = move || work(runtime, stopped);
        let thread = std::thread::Builder::new().name("checks".to_owned()).spawn(work)?;
        Ok(Workshop { handle, stop, thread })
    }

    /// Where to start tasks that run there.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Ends every task there, and the thread.
    pub(crate) fn close(self) {
        // A thread that is gone has nothing left to end.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

fn work(runtime: Runtime, stopped: oneshot::Receiver<()>) {
    // Told to stop or left alone: the end either way.
    let _ = runtime.block_on(stopped);
    // A file system that hangs must not hold up the end.
    runtime.shutdown_background();
}
