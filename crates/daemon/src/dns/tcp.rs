//! DNS over TCP (RFC 7766, RFC 9210): all connections of all addresses on one thread, so that a flood of them costs
//! UDP one processor's share and nothing more.
//!
//! Every message has its length in front of it. Queries of one connection are answered one after the other, in their
//! order. Memory is bounded by [`CONNECTIONS`]; a client that is idle, sends slowly or does not read is cut.

use super::orders::Order;
use super::service::Service;
use ::dns::Transport;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections at a time; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// How long a client may take for its next query, or to take a reply (RFC 7766 section 6.2.3).
const PATIENCE: Duration = Duration::from_secs(10);
/// The same when more than half of the connections are in use.
const PATIENCE_WHEN_BUSY: Duration = Duration::from_secs(1);
/// How long to wait when no connection can be accepted, because descriptors or memory ran out.
const AFTER_ERROR: Duration = Duration::from_millis(100);
/// How long connections get to finish the query in hand before all stands still. Who takes longer is cut, and asks
/// again (RFC 7766 section 6.2.1).
const FINISH: Duration = Duration::from_millis(20);
/// Octets of the length in front of a message (RFC 1035 section 4.2.2).
const PREFIX: usize = 2;

/// All listeners, and what answers on them.
#[derive(Debug)]
pub(super) struct Streams {
    runtime: Runtime,
    listeners: Vec<TcpListener>,
    /// Connections that were open before this program.
    clients: Vec<TcpStream>,
    service: Service,
}

impl Streams {
    pub(super) fn new(
        listeners: Vec<std::net::TcpListener>,
        clients: Vec<std::net::TcpStream>,
        service: Service,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let listeners = listeners.into_iter().map(TcpListener::from_std).collect::<io::Result<_>>()?;
        let clients = clients.into_iter().map(TcpStream::from_std).collect::<io::Result<_>>()?;
        drop(entered);
        Ok(Streams { runtime, listeners, clients, service })
    }

    /// Answers until the service stops; connections end with it.
    pub(super) fn run(self) {
        let Streams { runtime, listeners, clients, service } = self;
        runtime.block_on(async {
            let places = Arc::new(Semaphore::new(CONNECTIONS));
            let (stand, standing) = watch::channel(false);
            let (mut accepting, mut before) = (JoinSet::new(), JoinSet::new());
            for stream in clients {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                let (service, standing) = (service.clone(), standing.clone());
                let connection = Connection { stream, patience: PATIENCE, service, standing, _place: place };
                before.spawn(connection.serve());
            }
            for listener in listeners {
                accepting.spawn(accept(listener, Arc::clone(&places), service.clone(), standing.clone()));
            }
            loop {
                let order = service.order();
                match order {
                    Order::Serve | Order::Brace => sleep(order.look_every()).await,
                    Order::Stand => {
                        stand.send_replace(true);
                        sleep(FINISH).await;
                        // This thread is all that runs here, so that nothing moves until it goes on.
                        service.stand();
                        stand.send_replace(false);
                    }
                    Order::Stop => return,
                }
            }
        });
    }
}

/// Waits until all is to stand still, or until it may go on; for ever where this program ends.
async fn becomes(standing: &mut watch::Receiver<bool>, wanted: bool) {
    if standing.wait_for(|stands| *stands == wanted).await.is_err() {
        std::future::pending().await
    }
}

async fn accept(
    listener: TcpListener,
    places: Arc<Semaphore>,
    service: Service,
    mut standing: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let accepted = tokio::select! {
            biased;
            // Whoever calls from here on waits for the program that takes over.
            () = becomes(&mut standing, true) => {
                becomes(&mut standing, false).await;
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                service.counters().count_connection();
                let busy = places.available_permits() < CONNECTIONS / 2;
                let patience = if busy { PATIENCE_WHEN_BUSY } else { PATIENCE };
                let (service, standing) = (service.clone(), standing.clone());
                let connection = Connection { stream, patience, service, standing, _place: place };
                connections.spawn(connection.serve());
            }
            Err(_) => sleep(AFTER_ERROR).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

struct Connection {
    stream: TcpStream,
    patience: Duration,
    service: Service,
    /// Whether all is to stand still.
    standing: watch::Receiver<bool>,
    /// Given back when the connection ends.
    _place: OwnedSemaphorePermit,
}

impl Connection {
    async fn serve(self) {
        let Connection { mut stream, patience, mut service, mut standing, _place } = self;
        // Replies are whole messages: holding them back to fill a segment only costs time.
        let _ = stream.set_nodelay(true);
        let (reading, mut writing) = stream.split();
        let mut reading = BufReader::new(reading);
        let mut query = Vec::new();
        let mut reply = vec![0; PREFIX + usize::from(u16::MAX)];
        loop {
            tokio::select! {
                biased;
                // Between two queries nothing is known of the connection that the kernel does not know.
                _ = reading.fill_buf() => {}
                () = becomes(&mut standing, true) => {
                    let stream: &TcpStream = reading.get_ref().as_ref();
                    // One that cannot be handed over is closed, and its client calls again.
                    if let Ok(second) = stream.as_fd().try_clone_to_owned() {
                        service.hand_in(second);
                    }
                    becomes(&mut standing, false).await;
                    continue;
                }
                () = sleep(patience) => return service.counters().count_cut(),
            }
            match timeout(patience, read_message(&mut reading, &mut query)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return, // the client closed the connection
                Err(_) => return service.counters().count_cut(),
            }
            service.refresh();
            // Whoever sends what deserves no reply is no DNS client.
            let Some(length) = service.answer(&query, Transport::Tcp, &mut reply[PREFIX..]) else { return };
            reply[..PREFIX].copy_from_slice(&(length as u16).to_be_bytes()); // a message has 65535 octets at most
            match timeout(patience, writing.write_all(&reply[..PREFIX + length])).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return,
                Err(_) => return service.counters().count_cut(),
            }
        }
    }
}

async fn read_message(stream: &mut (impl AsyncReadExt + Unpin), message: &mut Vec<u8>) -> io::Result<()> {
    let length = stream.read_u16().await?;
    message.resize(usize::from(length), 0);
    stream.read_exact(message).await?;
    Ok(())
}
