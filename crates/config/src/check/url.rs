//! Web addresses, as far as a check needs them.

use check::tls::ServerName;
use std::str::FromStr;

/// What is asked for, of whom, and whether over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) is_secure: bool,
    pub(super) server: ServerName,
    /// As it stands in a request: with the port where that is not the scheme's own.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) target: String,
}

/// Why a text is no address for a check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum UrlError {
    #[error("`{0}` begins with neither http:// nor https://")]
    Scheme(String),
    #[error("`{0}` is no host with an optional port")]
    Host(String),
    #[error("`{0}` has characters that must be written as %XX, or a part behind #")]
    Target(String),
}

impl Url {
    /// The port that the scheme has of its own.
    pub(super) fn usual_port(&self) -> u16 {
        if self.is_secure { 443 } else { 80 }
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (is_secure, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return Err(UrlError::Scheme(text.to_owned())),
        };
        let (host, target) = match rest.find(['/', '?']) {
            Some(at) if rest[at..].starts_with('?') => (&rest[..at], format!("/{}", &rest[at..])),
            Some(at) => (&rest[..at], rest[at..].to_owned()),
            None => (rest, "/".to_owned()),
        };
        if !target.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#') {
            return Err(UrlError::Target(text.to_owned()));
        }
        let wrong = || UrlError::Host(host.to_owned());
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => {
                (name, Some(port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(wrong)?))
            }
            _ => (host, None),
        };
        let server: ServerName = name.parse().map_err(|_| wrong())?;
        let is_bracketed = name.starts_with('[') && name.ends_with(']');
        if matches!(server, ServerName::Address(address) if address.is_ipv6()) != is_bracketed {
            return Err(wrong());
        }
        let usual = if is_secure { 443 } else { 80 };
        Ok(Url { is_secure, server, host: host.to_owned(), port: port.unwrap_or(usual), target })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_has_its_parts() {
        let url: Url = "https://www.Example.com:8443/health?deep=1".parse().unwrap();
        assert_eq!((url.is_secure, url.port, url.usual_port()), (true, 8443, 443));
        assert_eq!(url.server.to_string(), "www.example.com");
        assert_eq!((url.host.as_str(), url.target.as_str()), ("www.Example.com:8443", "/health?deep=1"));
        let bare: Url = "http://[2001:db8::1]".parse().unwrap();
        assert_eq!((bare.port, bare.host.as_str(), bare.target.as_str()), (80, "[2001:db8::1]", "/"));
        assert_eq!("http://a?b".parse::<Url>().unwrap().target, "/?b");
    }

    #[test]
    fn what_could_change_the_request_is_refused() {
        for wrong in [
            "ftp://a/",
            "www.example.com",
            "http://",
            "http:///x",
            "http://a b/",
            "http://a/b c",
            "http://a/#x",
            "http://a/\r\nX: y",
            "http://user@a/",
            "http://a:0/",
            "http://a:99999/",
            "http://2001:db8::1/",
            "http://a\r\n/",
            "http://[192.0.2.1]/",
        ] {
            assert!(wrong.parse::<Url>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_smuggles_a_line(text in "(https?://)?\\PC{0,40}") {
            if let Ok(url) = text.parse::<Url>() {
                prop_assert!(!url.host.contains(char::is_control) && !url.target.contains(char::is_whitespace));
            }
        }
    }
}
