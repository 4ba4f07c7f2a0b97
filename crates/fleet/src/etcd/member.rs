//! One member of a cluster, connected.

use super::{Settings, Tls};
use crate::{Connection, Unavailable};
use etcd_client::{Channel, Client, ConnectOptions};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use terms::Reason;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::Code;
use tonic::codegen::http::Uri;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tower::service_fn;

/// Longest file of certificates, a key or a password, octets.
const LONGEST_FILE: u64 = 1 << 20;

/// A connection to one member. A copy is the same connection; when it is over, so is this.
#[derive(Clone)]
pub(super) struct Member {
    endpoint: String,
    /// Which connection of this process it is.
    pub(super) over: Connection,
    client: Client,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("endpoint", &self.endpoint)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is one, and it is no: nothing was done, and another member would say the same.
    Refused(Reason),
    /// The member was silent, or said something that leaves open what it did.
    Silent(Reason),
}

impl Trouble {
    pub(super) fn into_unavailable(self) -> Unavailable {
        match self {
            Trouble::Refused(reason) | Trouble::Silent(reason) => Unavailable(reason),
        }
    }
}

impl Member {
    /// Connects, and logs in where a user is configured.
    pub(super) async fn connect(endpoint: &str, settings: &Settings, number: u64) -> Result<Self, Trouble> {
        let connecting = async {
            let channel = connect(endpoint, settings).await?;
            let client = Client::from_channel(Channel::Tonic(channel), Some(options(settings)?)).await;
            client.map_err(|error| trouble(endpoint, &error))
        };
        let client = timeout(Settings::ANSWER, connecting).await.map_err(|_| silent(endpoint))??;
        Ok(Member { endpoint: endpoint.to_owned(), over: Connection(number), client })
    }

    /// Makes one call, within [`Settings::ANSWER`].
    pub(super) async fn call<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let answer = timeout(Settings::ANSWER, call(self.client.clone())).await;
        answer.map_err(|_| silent(&self.endpoint))?.map_err(|error| trouble(&self.endpoint, &error))
    }
}

/// A channel that is one TCP connection and never makes another: whoever hears of a store must know when it is heard
/// over a new one.
async fn connect(endpoint: &str, settings: &Settings) -> Result<tonic::transport::Channel, Trouble> {
    let refused = |error: tonic::transport::Error| refused(format!("etcd at {endpoint}: {}", chain(&error)));
    let mut builder = Endpoint::from_shared(endpoint.to_owned()).map_err(refused)?;
    if let Some(tls) = &settings.tls {
        builder = builder.tls_config(tls_options(tls)?).map_err(refused)?;
    }
    let builder = builder
        .connect_timeout(Settings::CONNECT)
        .http2_keep_alive_interval(Settings::ALIVE)
        .keep_alive_timeout(Settings::ALIVE)
        .keep_alive_while_idle(true);
    let mut fresh = true;
    let connector = service_fn(move |to: Uri| {
        let is_first = std::mem::take(&mut fresh);
        async move {
            if !is_first {
                return Err(io::Error::from(io::ErrorKind::ConnectionAborted));
            }
            let host = to.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let stream = TcpStream::connect((host, to.port_u16().unwrap_or(Settings::PORT))).await?;
            stream.set_nodelay(true)?;
            Ok(TokioIo::new(stream))
        }
    });
    let connected = builder.connect_with_connector(connector).await;
    connected.map_err(|error| Trouble::Silent(Reason::from(format!("etcd at {endpoint}: {}", chain(&error)))))
}

fn options(settings: &Settings) -> Result<ConnectOptions, Trouble> {
    let options = ConnectOptions::new().with_require_leader(true).with_auto_token_refresh(true);
    let Some(login) = &settings.login else { return Ok(options) };
    let password = String::from_utf8(read(&login.password_file)?);
    let password = password.map_err(|_| refused(format!("{} is no text", login.password_file.display())))?;
    Ok(options.with_user(&login.username, password.lines().next().unwrap_or_default()))
}

fn tls_options(tls: &Tls) -> Result<ClientTlsConfig, Trouble> {
    let options = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&tls.ca_file)?));
    Ok(match &tls.identity {
        Some((certificate, key)) => options.identity(Identity::from_pem(read(certificate)?, read(key)?)),
        None => options,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let mut content = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_end(&mut content));
    file.map_err(|error| refused(format!("cannot read {}: {error}", path.display())))?;
    Ok(content)
}

fn refused(words: String) -> Trouble {
    Trouble::Refused(Reason::from(words))
}

fn silent(endpoint: &str) -> Trouble {
    Trouble::Silent(Reason::from(format!(
        "etcd at {endpoint} did not answer within {} s",
        Settings::ANSWER.as_secs()
    )))
}

/// What an error means: only a clear no counts as one.
fn trouble(endpoint: &str, error: &etcd_client::Error) -> Trouble {
    let reason = Reason::from(format!("etcd at {endpoint}: {}", words(error)));
    match error {
        etcd_client::Error::GRpcStatus(status) => match status.code() {
            Code::InvalidArgument
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Unimplemented => Trouble::Refused(reason),
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::AlreadyExists
            | Code::Aborted
            | Code::OutOfRange
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Trouble::Silent(reason),
        },
        _ => Trouble::Silent(reason),
    }
}

fn words(error: &etcd_client::Error) -> String {
    match error {
        etcd_client::Error::GRpcStatus(status) => match status.source() {
            Some(source) => format!("{}: {}", status.message(), chain(source)),
            None => status.message().to_owned(),
        },
        etcd_client::Error::TransportError(error) => chain(error),
        other => other.to_string(),
    }
}

/// The error and everything below it: `transport error` alone helps nobody.
fn chain(error: &dyn Error) -> String {
    let (mut words, mut below) = (error.to_string(), error.source());
    while let Some(error) = below {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        below = error.source();
    }
    words
}
