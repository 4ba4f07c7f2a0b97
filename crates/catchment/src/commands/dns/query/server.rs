//! Which server is asked.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use terms::Family;

const PORT: u16 = 53;
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The address of the server that was named: an address, `[address]:port`, a name or `name:port`.
pub(super) fn named(text: &str, port: Option<u16>, family: Option<Family>) -> Result<SocketAddr, String> {
    let (host, written) = split(text)?;
    let port = match (written, port) {
        (Some(written), Some(port)) if written != port => {
            return Err(format!("`@{text}` says port {written}, and --port says {port}"));
        }
        (written, port) => written.or(port).unwrap_or(PORT),
    };
    let found = (host, port).to_socket_addrs().map_err(|error| format!("`@{text}`: {error}"))?;
    let fits = |address: &SocketAddr| family.is_none_or(|family| Family::of(address.ip()) == family);
    let fitting = found.into_iter().find(fits);
    fitting.ok_or_else(|| format!("`@{text}` has no address that -4 or -6 allows"))
}

/// The host, and the port if one is written.
fn split(text: &str) -> Result<(&str, Option<u16>), String> {
    let bad_port = |_| format!("`@{text}`: the port is a number up to 65535");
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => Ok((address, Some(port.parse().map_err(bad_port)?))),
            None if rest.is_empty() => Ok((address, None)),
            None => Err(format!("`@{text}`: write [address]:port")),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port.parse().map_err(bad_port)?))),
        Some(_) | None => Ok((text, None)),
    }
}

/// The first server of this machine's resolver.
pub(super) fn of_this_machine(port: Option<u16>, family: Option<Family>) -> Result<SocketAddr, String> {
    let hint = "name a server, such as @198.18.0.53";
    let text =
        std::fs::read_to_string(RESOLV_CONF).map_err(|error| format!("{RESOLV_CONF}: {error}; {hint}"))?;
    let first = first_name_server(&text, family);
    let address = first.ok_or_else(|| format!("{RESOLV_CONF} names no server to ask; {hint}"))?;
    named(address, port, family)
}

/// The address behind the first `nameserver` of the family.
fn first_name_server(text: &str, family: Option<Family>) -> Option<&str> {
    let addresses = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        if words.next() == Some("nameserver") { words.next() } else { None }
    });
    // The scope of a link-local address is no part of it here.
    let is_of = |address: &str, family| {
        let plain = address.split('%').next().and_then(|plain| plain.parse::<IpAddr>().ok());
        plain.is_some_and(|plain| Family::of(plain) == family)
    };
    let mut fitting = addresses.filter(|address| family.is_none_or(|family| is_of(address, family)));
    fitting.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_in_many_ways() {
        let ways = [
            ("192.0.2.1", None, "192.0.2.1:53"),
            ("192.0.2.1", Some(5300), "192.0.2.1:5300"),
            ("192.0.2.1:5300", None, "192.0.2.1:5300"),
            ("2001:db8::53", Some(5300), "[2001:db8::53]:5300"),
            ("[2001:db8::53]", None, "[2001:db8::53]:53"),
            ("[2001:db8::53]:5300", Some(5300), "[2001:db8::53]:5300"),
        ];
        for (text, port, address) in ways {
            assert_eq!(named(text, port, None), Ok(address.parse().unwrap()), "{text}");
        }
        let wrong = [
            ("192.0.2.1:99999", None, "up to 65535"),
            ("[2001:db8::53]5300", None, "[address]:port"),
            ("192.0.2.1:53", Some(54), "and --port says 54"),
            ("", None, "`@`"),
        ];
        for (text, port, reason) in wrong {
            let error = named(text, port, None).expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(named("192.0.2.1", None, Some(Family::Ipv6)).is_err());
    }

    #[test]
    fn the_first_name_server_of_the_family_counts() {
        let text =
            "# nameserver 192.0.2.9\nsearch example.\nnameserver fe80::1%eth0\n nameserver 192.0.2.1 # x\n";
        assert_eq!(first_name_server(text, None), Some("fe80::1%eth0"));
        assert_eq!(first_name_server(text, Some(Family::Ipv6)), Some("fe80::1%eth0"));
        assert_eq!(first_name_server(text, Some(Family::Ipv4)), Some("192.0.2.1"));
        assert_eq!(first_name_server("options rotate\nnameserver\n", None), None);
    }
}
