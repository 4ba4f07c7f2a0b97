//! `catchment explain` on the command line.

use super::Ask;
use clap::Args;
use std::net::SocketAddr;
use terms::Prefix;

/// `catchment explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A prefix, as the site file writes it; or a client's address and port, such as 203.0.113.7:40000 or
    /// [2001:db8::7]:40000
    #[arg(value_name = "PREFIX|CLIENT", value_parser = subject)]
    pub(crate) subject: Subject,
    /// The address and port of the service that the client is connected to: the other sites' filters are asked for exactly that
    /// connection
    #[arg(value_name = "SERVICE", value_parser = end)]
    pub(crate) service: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) ask: Ask,
}

/// What is to be explained. A prefix has a slash, and the end of a connection a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Prefix(Prefix),
    Client(SocketAddr),
}

fn subject(text: &str) -> Result<Subject, String> {
    if text.contains('/') {
        return text.parse().map(Subject::Prefix).map_err(|error: terms::PrefixError| error.to_string());
    }
    end(text).map(Subject::Client).map_err(|error| format!("{error}; or a prefix, such as 198.18.0.0/24"))
}

/// One end of a connection.
fn end(text: &str) -> Result<SocketAddr, String> {
    let end: Option<SocketAddr> = text.parse().ok().filter(|end: &SocketAddr| end.port() != 0);
    end.ok_or_else(|| {
        "write an address with its port, such as 203.0.113.7:40000 or [2001:db8::7]:40000".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_and_a_client_cannot_be_taken_for_each_other() {
        let prefix = |text: &str| Ok(Subject::Prefix(text.parse().unwrap()));
        let client = |text: &str| Ok(Subject::Client(text.parse().unwrap()));
        for text in ["198.18.0.0/24", "2001:db8:53::/48"] {
            assert_eq!(subject(text), prefix(text));
            assert!(end(text).is_err(), "{text}");
        }
        for text in ["203.0.113.7:40000", "[2001:db8::7]:443"] {
            assert_eq!(subject(text), client(text));
        }
        for text in
            ["198.18.0.53", "2001:db8::7", "203.0.113.7:0", "203.0.113.7:99999", "london", "", "[::1]"]
        {
            let error = subject(text).unwrap_err();
            assert!(
                error.contains("203.0.113.7:40000") && error.contains("198.18.0.0/24"),
                "{text}: {error}"
            );
        }
        assert!(subject("203.0.113.7/24:53").is_err());
    }
}
