//! The service that sends back what it gets (RFC 862), at the anycast address: a process of its own on each host of a site,
//! so that it lives and dies as a service does.

use super::listen;
use crate::plan::SERVICE;
use linux::{Error, Result};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Its port.
pub(crate) const PORT: u16 = 7;

/// The hidden arguments with which this program starts itself as that service.
pub const ARGUMENTS: [&str; 2] = ["lab", "echo"];

/// Octets that are read of a connection at a time.
const PIECE: usize = 64 << 10;

/// Serves until the process ends. The addresses need not be there yet.
pub fn echo() -> Result<()> {
    let failed = |error| Error::new("serve the echo service", error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let [v4, v6] = SERVICE.both().map(|address| listen(address, PORT));
        let (v4, v6) = (v4?, v6?);
        let failed = tokio::select! {
            failed = serve(v4) => failed,
            failed = serve(v6) => failed,
        };
        Err(Error::new("accept a connection", failed))
    })
}

async fn serve(listener: TcpListener) -> io::Error {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(send_back(stream));
            }
            // Its client has gone meanwhile.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return error,
        }
    }
}

/// Until either end is closed, or the connection fails: the client keeps the account.
async fn send_back(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut octets = vec![0; PIECE];
    while let Ok(length @ 1..) = stream.read(&mut octets).await {
        if stream.write_all(&octets[..length]).await.is_err() {
            return;
        }
    }
}
