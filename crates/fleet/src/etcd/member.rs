//! One member of a cluster, connected.

use super::{Settings, Tls};
use crate::Unavailable;
use etcd_client::{Certificate, Client, ConnectOptions, Identity, TlsOptions};
use std::error::Error as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use terms::Reason;
use tokio::time::timeout;
use tonic::Code;

/// Longest file of certificates, a key or a password, octets.
const LONGEST_FILE: u64 = 1 << 20;

/// A connection to one member. A copy is the same connection.
#[derive(Clone, Debug)]
pub(super) struct Member(Arc<Connected>);

struct Connected {
    endpoint: String,
    client: Client,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("endpoint", &self.endpoint).finish_non_exhaustive()
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
    pub(super) fn refused(words: impl AsRef<str>) -> Self {
        Trouble::Refused(Reason::from(words))
    }

    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Trouble::Refused(_))
    }

    pub(super) fn into_unavailable(self) -> Unavailable {
        match self {
            Trouble::Refused(reason) | Trouble::Silent(reason) => Unavailable(reason),
        }
    }
}

impl Member {
    /// Connects, and logs in where a user is configured.
    pub(super) async fn connect(endpoint: &str, settings: &Settings) -> Result<Self, Trouble> {
        let options = options(settings).map_err(Trouble::refused)?;
        let connecting = timeout(Settings::ANSWER, Client::connect([endpoint], Some(options))).await;
        let client = connecting.map_err(|_| silent(endpoint))?.map_err(|error| trouble(endpoint, &error))?;
        Ok(Member(Arc::new(Connected { endpoint: endpoint.to_owned(), client })))
    }

    /// Makes one call, within [`Settings::ANSWER`].
    pub(super) async fn call<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let Connected { endpoint, client } = &*self.0;
        let answer = timeout(Settings::ANSWER, call(client.clone())).await;
        answer.map_err(|_| silent(endpoint))?.map_err(|error| trouble(endpoint, &error))
    }

    /// Whether both are the same connection.
    pub(super) fn is(&self, other: &Member) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

fn options(settings: &Settings) -> Result<ConnectOptions, String> {
    let mut options = ConnectOptions::new()
        .with_connect_timeout(Settings::CONNECT)
        .with_timeout(Settings::ANSWER)
        .with_keep_alive(Settings::ALIVE, Settings::ALIVE)
        .with_keep_alive_while_idle(true)
        .with_require_leader(true)
        .with_auto_token_refresh(true);
    if let Some(tls) = &settings.tls {
        options = options.with_tls(tls_options(tls)?);
    }
    if let Some(login) = &settings.login {
        let password = read(&login.password_file)?;
        let password = String::from_utf8(password)
            .map_err(|_| format!("{} is no text", login.password_file.display()))?;
        options = options.with_user(&login.username, password.lines().next().unwrap_or_default());
    }
    Ok(options)
}

fn tls_options(tls: &Tls) -> Result<TlsOptions, String> {
    let options = TlsOptions::new().ca_certificate(Certificate::from_pem(read(&tls.ca_file)?));
    Ok(match &tls.identity {
        Some((certificate, key)) => options.identity(Identity::from_pem(read(certificate)?, read(key)?)),
        None => options,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let file = File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_end(&mut content));
    file.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(content)
}

fn silent(endpoint: &str) -> Trouble {
    Trouble::Silent(Reason::from(format!(
        "etcd at {endpoint} did not answer within {} s",
        Settings::ANSWER.as_secs()
    )))
}

/// What an error means: only a clear no counts as one.
fn trouble(endpoint: &str, error: &etcd_client::Error) -> Trouble {
    use etcd_client::Error;
    let reason = Reason::from(format!("etcd at {endpoint}: {}", words(error)));
    match error {
        Error::GRpcStatus(status) => match status.code() {
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
        Error::InvalidArgs(_) | Error::InvalidUri(_) | Error::InvalidMetadataValue(_) => {
            Trouble::Refused(reason)
        }
        _ => Trouble::Silent(reason),
    }
}

/// The error and everything below it: `transport error` alone helps nobody.
fn words(error: &etcd_client::Error) -> String {
    let (mut words, mut source) = match error {
        etcd_client::Error::GRpcStatus(status) => (status.message().to_owned(), status.source()),
        etcd_client::Error::TransportError(error) => (error.to_string(), error.source()),
        other => (other.to_string(), None),
    };
    while let Some(error) = source {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        source = error.source();
    }
    words
}
