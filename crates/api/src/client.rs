//! A small client of the control socket: HTTP/1.1 over a Unix socket, one connection a request.
//!
//! [`Client`] is for programs with a tokio runtime, [`blocking::Client`] for commands without one. What a server may
//! send is bounded: an answer by [`MAX_ANSWER`], a row of a stream by [`MAX_ROW`]; an answer that is not there after
//! [`PATIENCE`] is given up.

pub mod blocking;
mod lines;
mod messages;
mod rows;

pub use messages::Messages;
pub use rows::Rows;

use crate::{Refusal, route};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Largest answer that is read, bytes.
pub const MAX_ANSWER: usize = 16 << 20;
/// Longest row of a stream that is read, bytes.
pub const MAX_ROW: usize = 1 << 20;
/// How long an answer may take, where the client is not told to be more patient.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request got no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no {server} answers on {}: is `{}` running?", .socket.display(), .server.started_by())]
    NobodyThere {
        /// Who was expected.
        server: Server,
        /// The socket.
        socket: PathBuf,
    },
    /// The socket belongs to somebody else.
    #[error("{} may be used by its owner only: ask as the user who runs the {server}", .socket.display())]
    NotAllowed {
        /// Who was expected.
        server: Server,
        /// The socket.
        socket: PathBuf,
    },
    /// The system refused for another reason.
    #[error("cannot reach {}: {error}", .socket.display())]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The server answered that it will not.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The server answered that what was asked makes no sense (status 400).
    #[error("{0}")]
    Faulty(Refusal),
    /// The server answered with a status and without words.
    #[error("{} answered {path} with status {status}", .socket.display())]
    Status {
        /// The socket.
        socket: PathBuf,
        /// What was asked for.
        path: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server took too long.
    #[error("{} did not answer {path} within {} s", .socket.display(), .patience.as_secs())]
    TooSlow {
        /// The socket.
        socket: PathBuf,
        /// How long was waited.
        patience: Duration,
        /// What was asked for.
        path: String,
    },
    /// The connection broke, or more came than a sound server sends.
    #[error("the answer to {path} broke off: {error}")]
    Broken {
        /// What was asked for.
        path: String,
        /// What happened.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The answer is not the document that was asked for.
    #[error("the answer to {path} is not understood: {error}")]
    NotUnderstood {
        /// What was asked for.
        path: String,
        /// Where it differs.
        error: serde_json::Error,
    },
}

/// Who is expected behind a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// A site.
    Daemon,
    /// A world.
    Lab,
}

impl Server {
    fn started_by(self) -> &'static str {
        match self {
            Server::Daemon => "catchment run",
            Server::Lab => "catchment lab up",
        }
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Server::Daemon => "daemon",
            Server::Lab => "lab",
        })
    }
}

/// Asks the server behind one socket.
#[derive(Clone, Debug)]
pub struct Client {
    server: Server,
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// A client of the daemon or lab whose socket this is. Nothing is opened yet.
    pub fn of(server: Server, socket: impl Into<PathBuf>) -> Self {
        Client { server, socket: socket.into(), patience: PATIENCE }
    }

    /// The same client, for requests that take the server longer than [`PATIENCE`].
    pub fn patient(self, patience: Duration) -> Self {
        Client { patience, ..self }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The document at `path`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.document(path, Method::GET, Bytes::new()).await
    }

    /// Sends `body` to `path`; the document that comes back.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let not_understood = |error| ClientError::NotUnderstood { path: path.to_owned(), error };
        let body = serde_json::to_vec(body).map_err(not_understood)?;
        self.document(path, Method::POST, body.into()).await
    }

    /// The rows at `path`, as they come, until the server ends them.
    pub async fn follow<T: DeserializeOwned>(&self, path: &str) -> Result<Rows<T>, ClientError> {
        Ok(Rows::of(path, self.stream(path).await?))
    }

    /// The messages of the live stream, as they come, until the server ends them.
    pub async fn live(&self) -> Result<Messages, ClientError> {
        Ok(Messages::of(route::LIVE, self.stream(route::LIVE).await?))
    }

    async fn stream(&self, path: &str) -> Result<Incoming, ClientError> {
        let answer = self.within_patience(path, self.ask(path, Method::GET, Bytes::new())).await?;
        if !answer.status().is_success() {
            return Err(self.refusal(path, answer).await);
        }
        Ok(answer.into_body())
    }

    async fn document<T: DeserializeOwned>(
        &self,
        path: &str,
        method: Method,
        body: Bytes,
    ) -> Result<T, ClientError> {
        let exchange = async {
            let answer = self.ask(path, method, body).await?;
            if !answer.status().is_success() {
                return Err(self.refusal(path, answer).await);
            }
            read(path, answer.into_body()).await
        };
        let bytes = self.within_patience(path, exchange).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| ClientError::NotUnderstood { path: path.to_owned(), error })
    }

    /// One request on a connection of its own.
    async fn ask(&self, path: &str, method: Method, body: Bytes) -> Result<Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(error))?;
        let broken = |error: hyper::Error| ClientError::Broken { path: path.to_owned(), error: error.into() };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends by itself when the answer was read or dropped.
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| ClientError::Broken { path: path.to_owned(), error: error.into() })?;
        sender.send_request(request).await.map_err(broken)
    }

    /// The server's own words, if it had any.
    async fn refusal(&self, path: &str, answer: Response<Incoming>) -> ClientError {
        let status = answer.status().as_u16();
        let words = read(path, answer.into_body()).await;
        match words.map(|bytes| serde_json::from_slice::<Refusal>(&bytes)) {
            Ok(Ok(refusal)) if status == StatusCode::BAD_REQUEST.as_u16() => ClientError::Faulty(refusal),
            Ok(Ok(refusal)) => ClientError::Refused(refusal),
            _ => ClientError::Status { socket: self.socket.clone(), path: path.to_owned(), status },
        }
    }

    async fn within_patience<T>(
        &self,
        path: &str,
        exchange: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ClientError> {
        let (socket, patience) = (&self.socket, self.patience);
        let too_slow =
            |_| Err(ClientError::TooSlow { socket: socket.clone(), patience, path: path.to_owned() });
        tokio::time::timeout(patience, exchange).await.unwrap_or_else(too_slow)
    }

    fn unreachable(&self, error: io::Error) -> ClientError {
        let (server, socket) = (self.server, self.socket.clone());
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ClientError::NobodyThere { server, socket }
            }
            io::ErrorKind::PermissionDenied => ClientError::NotAllowed { server, socket },
            _ => ClientError::Unreachable { socket, error },
        }
    }
}

async fn read(path: &str, body: Incoming) -> Result<Bytes, ClientError> {
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(all) => Ok(all.to_bytes()),
        Err(error) => Err(ClientError::Broken { path: path.to_owned(), error }),
    }
}
