//! Connections that clients hold open, over which every octet comes back: what a user notices of a move is what is counted
//! here.
//!
//! ```text
//!  echo     a process on each host of a site: sends back what it gets (RFC 862)
//!  call     one connection of a client: sends, compares what comes back, keeps its account
//!  stray    segments of connections that there are not, and who is reset for them
//!  ask      the same, to the DNS service
//!  stream   another process on each host: sends lines that count themselves, and cooperates in a drain
//!  follow   one connection to it
//! ```
//! Both ends are ordinary sockets of ordinary kernels.

mod ask;
mod call;
pub mod echo;
mod follow;
mod packets;
pub(crate) mod stray;
pub mod stream;

pub(crate) use call::Pace;
pub use call::{Call, Ended};

use crate::clock;
use crate::plan::SERVICE;
use crate::running::lock;
use linux::{Error, Namespace, Result, socket};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use terms::Family;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;

/// What somebody types, or a program that keeps a connection warm: it waits for the answer, and for a while.
pub(crate) const TALK: Pace = Pace { piece: 512, window: 512, pause: Duration::from_millis(500) };

/// A file that is sent while another one is received.
pub(crate) const TRANSFER: Pace =
    Pace { piece: 64 << 10, window: 512 << 10, pause: Duration::from_millis(10) };

/// To whom a client speaks, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speech {
    /// To the echo service.
    Echo(Pace),
    /// To the DNS service.
    Dns,
    /// To the stream service.
    Stream,
}

/// The connections of all clients, and the thread that speaks for them.
#[derive(Debug)]
pub(crate) struct Calls {
    calls: Arc<Mutex<Vec<Call>>>,
    runtime: Handle,
}

impl Calls {
    /// Starts the thread. It ends with the process.
    pub(crate) fn start() -> Result<Self> {
        let failed = |error| Error::new("start the thread that speaks for clients", error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(std::future::pending::<()>());
        thread::Builder::new().name("calls".into()).spawn(run).map_err(failed)?;
        Ok(Calls { calls: Arc::default(), runtime: handle })
    }

    /// Opens connections from a client to the anycast address, one for each family named. Returns when each has sent its
    /// SYN, and before they are open.
    pub(crate) fn open(
        &self,
        (client, namespace): (&str, &Namespace),
        families: impl Iterator<Item = Family> + Send,
        speech: Speech,
    ) -> Result<()> {
        let sockets = namespace.run(|| {
            let socket = |family| match family {
                Family::Ipv4 => TcpSocket::new_v4().map(|socket| (family, socket)),
                Family::Ipv6 => TcpSocket::new_v6().map(|socket| (family, socket)),
            };
            families.map(socket).collect::<io::Result<Vec<_>>>()
        })?;
        let sockets = sockets.map_err(|error| Error::new("open a socket for a client", error))?;
        for (family, socket) in sockets {
            let place = {
                let mut calls = lock(&self.calls);
                calls.push(Call::new(client, family, clock::now()));
                calls.len() - 1
            };
            let account = call::Account { calls: Arc::clone(&self.calls), place };
            let port = match speech {
                Speech::Echo(_) => echo::PORT,
                Speech::Dns => ask::PORT,
                Speech::Stream => stream::PORT,
            };
            let to = SocketAddr::new(SERVICE.of(family), port);
            let connecting = begin(&self.runtime, socket.connect(to));
            self.runtime.spawn(speak(connecting, speech, account));
        }
        Ok(())
    }

    /// How each stands.
    pub(crate) fn all(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }
}

/// Waits for the connection and speaks until it ends, however that is.
async fn speak(
    connecting: impl Future<Output = io::Result<TcpStream>>,
    speech: Speech,
    account: call::Account,
) {
    let speaking = async {
        let stream = connecting.await?;
        stream.set_nodelay(true)?;
        match speech {
            Speech::Echo(pace) => call::speak(stream, pace, &account).await,
            Speech::Dns => ask::speak(stream, &account).await,
            Speech::Stream => follow::speak(stream, &account).await,
        }
    };
    let end = speaking.await;
    account.close(end);
}

/// Takes the first step of some work at once, and leaves the others to whoever waits for it.
fn begin<'w, T: Send + 'w>(
    runtime: &Handle,
    work: impl Future<Output = T> + Send + 'w,
) -> Pin<Box<dyn Future<Output = T> + Send + 'w>> {
    let _inside = runtime.enter();
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Box::pin(std::future::ready(done)),
        Poll::Pending => work,
    }
}

/// Connections that wait to be accepted: a scenario may open thousands at once.
const WAITING: u32 = 4096;

/// Listens at an anycast address, which need not be there yet.
fn listen(address: IpAddr, port: u16) -> Result<TcpListener> {
    let failed = |error| Error::new(format!("listen at {address} port {port}"), error);
    let socket = match address {
        IpAddr::V4(_) => TcpSocket::new_v4(),
        IpAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(failed)?;
    socket::allow_foreign_address(&socket, Family::of(address))?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(SocketAddr::new(address, port)).map_err(failed)?;
    socket.listen(WAITING).map_err(failed)
}
