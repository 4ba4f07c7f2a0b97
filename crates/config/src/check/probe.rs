//! What the daemon has to know to run a check.

use ::dns::ResponseCode;
use check::{clock, dns, file, http, passive, tcp, tls, zones};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How one check is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What to ask, of whom, and what a healthy service answers.
    pub question: Question,
    /// How long to wait for the answer.
    pub timeout: Duration,
}

/// What to ask, of whom, and what a healthy service answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A question to a name server, over UDP.
    Dns {
        /// Whom to ask.
        way: Way,
        /// What a healthy server answers.
        expectation: dns::Expectation,
    },
    /// A request to a web server.
    Http {
        /// Whom to ask.
        way: Way,
        /// Over TLS, if at all.
        tls: Option<ServerCertificate>,
        /// What a healthy server answers.
        expectation: http::Expectation,
    },
    /// A TCP connection.
    Tcp {
        /// Whom to call.
        way: Way,
        /// What a healthy server says.
        expectation: tcp::Expectation,
    },
    /// A TLS handshake.
    Tls {
        /// Whom to call.
        way: Way,
        /// What a good certificate is like.
        tls: ServerCertificate,
    },
    /// An ICMP echo request.
    Icmp {
        /// Whom to ask; its port is 0.
        way: Way,
    },
    /// The run of a program.
    Exec {
        /// Which one.
        command: Command,
        /// The service address that it is told.
        address: IpAddr,
    },
    /// A look at a file.
    File {
        /// Which one.
        path: PathBuf,
        /// What a healthy one is like.
        expectation: file::Expectation,
    },
    /// A question to a time server, over UDP.
    Clock {
        /// Whom to ask.
        server: SocketAddr,
        /// How wrong our clock may be.
        expectation: clock::Expectation,
    },
    /// A look at what the built-in DNS service answers.
    Passive {
        /// Which answers are bad.
        bad: Vec<ResponseCode>,
        /// How many of them are too many.
        expectation: passive::Expectation,
    },
    /// A look at the zones of the built-in DNS service.
    Zones(zones::Expectation),
}

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whom to ask.
    pub to: SocketAddr,
    /// The address to ask from: the service's own where the service is asked. Otherwise the kernel chooses, because a
    /// reply to an anycast address may come to another site.
    pub from: Option<IpAddr>,
}

/// What a good certificate is like, and who may have signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Its name and its dates.
    pub expectation: tls::Expectation,
    /// Who may have signed it.
    pub issuers: Issuers,
}

/// Who may have signed a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuers {
    /// Those that this host trusts.
    System,
    /// These, each a certificate in DER.
    These(Arc<[Vec<u8>]>),
    /// Anybody.
    Anybody,
}

/// A program and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its file, with a complete path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.program.display().fmt(f)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}
