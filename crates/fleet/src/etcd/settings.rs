//! How a cluster is reached.

use std::path::PathBuf;
use std::time::Duration;

/// How a cluster is reached. Files are named, not held: they are read again at every connection, so that a renewed
/// certificate or password is taken without a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The members, such as `https://10.0.0.1:2379`; all with TLS or none.
    pub endpoints: Vec<String>,
    /// How to know the members, and how they know this site; none: plain TCP.
    pub tls: Option<Tls>,
    /// Who this site is to a cluster with authentication.
    pub login: Option<Login>,
    /// The first part of every key, so that a cluster can be shared.
    pub prefix: String,
}

/// The certificates of a cluster with TLS, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Who may have signed the members' certificates.
    pub ca_file: PathBuf,
    /// Our own certificate and its key, where the members ask for one.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A user of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub username: String,
    /// The file whose first line is its password.
    pub password_file: PathBuf,
}

impl Settings {
    /// Where members listen for clients.
    pub const PORT: u16 = 2379;
    /// How long a member may take to be connected to.
    pub const CONNECT: Duration = Duration::from_secs(1);
    /// How long a member may take to answer. An election takes one to two seconds.
    pub const ANSWER: Duration = Duration::from_secs(2);
    /// How often a silent connection is tried, and how long that may take: a dead one is noticed after both.
    pub const ALIVE: Duration = Duration::from_secs(2);
}
