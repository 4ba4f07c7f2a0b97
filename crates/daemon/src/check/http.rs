//! Asks a web server, over TLS or not.

use super::{tls, way};
use check::http::Expectation;
use check::{Finding, Progress};
use config::Way;
use std::io;
use terms::Verdict;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Octets that are read at once.
const PIECE: usize = 16 << 10;

#[derive(Debug)]
pub(crate) struct Asker {
    pub(super) way: Way,
    pub(super) expectation: Expectation,
    pub(super) tls: Option<tls::Client>,
}

impl Asker {
    /// One request, one response.
    pub(super) async fn ask(&self) -> io::Result<Finding> {
        let stream = way::tcp(self.way).await?;
        let Some(client) = &self.tls else {
            return Ok(converse(&self.expectation, stream).await?.into());
        };
        let (stream, certificate) = match client.connect(stream).await? {
            Ok(connected) => connected,
            Err(finding) => return Ok(finding),
        };
        match (converse(&self.expectation, stream).await?, certificate) {
            (Verdict::Pass, certificate) => Ok(certificate),
            (verdict, certificate) => Ok(Finding { verdict, ..certificate }),
        }
    }
}

async fn converse(
    expectation: &Expectation,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
) -> io::Result<Verdict> {
    stream.write_all(&expectation.request()).await?;
    stream.flush().await?;
    let mut received = Vec::new();
    let mut piece = vec![0; PIECE];
    let mut ended = false;
    loop {
        if let Progress::Done(verdict) = expectation.judge(&received, ended) {
            return Ok(verdict);
        }
        if received.len() >= Expectation::ENOUGH {
            return Ok(Verdict::definite("the response is longer than anybody needs"));
        }
        let octets = match stream.read(&mut piece).await {
            // A server that ends TLS without a word has ended all the same.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            read => read?,
        };
        received.extend_from_slice(&piece[..octets]);
        ended = octets == 0;
    }
}
