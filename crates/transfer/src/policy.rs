//! Who may have a zone, and whom we believe about it.

use crate::tsig::Conversation;
use std::net::IpAddr;
use terms::{DomainName, Prefix};

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'c> {
    /// Where it came from. Over UDP that is what somebody said.
    pub address: IpAddr,
    /// The key that signed it, rightly.
    pub key: Option<&'c DomainName>,
}

impl<'c> Client<'c> {
    /// Whoever sent a request from this address, signed in this way.
    pub fn new(address: IpAddr, signed: Option<&'c Conversation>) -> Client<'c> {
        Client { address: address.to_canonical(), key: signed.map(|signed| signed.key().name()) }
    }
}

/// Who may have a zone: nobody, unless a key or an address is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whoever signs with one of these keys may, from anywhere.
    pub keys: Vec<DomainName>,
    /// Whoever is there may, and need not sign.
    pub prefixes: Vec<Prefix>,
}

impl Policy {
    /// Whether a client may have the zone.
    pub fn allows(&self, client: Client<'_>) -> bool {
        client.key.is_some_and(|key| self.keys.contains(key))
            || self.prefixes.iter().any(|prefix| prefix.contains(client.address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_who_is_not_named() {
        let key: DomainName = "Transfer.Example.".parse().unwrap();
        let other: DomainName = "other.example.".parse().unwrap();
        let client = |address: &str, key| Client { address: address.parse().unwrap(), key };
        let policy = Policy {
            keys: vec!["transfer.example.".parse().unwrap()],
            prefixes: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::1/128".parse().unwrap()],
        };
        assert!(policy.allows(client("198.51.100.1", Some(&key))), "by key, in any case, from anywhere");
        assert!(
            policy.allows(client("192.0.2.9", None)) && policy.allows(client("2001:db8::1", Some(&other)))
        );
        assert!(!policy.allows(client("198.51.100.1", None)));
        assert!(!policy.allows(client("198.51.100.1", Some(&other))), "a key for something else");
        assert!(!policy.allows(client("2001:db8::2", None)));
        assert!(!Policy::default().allows(client("127.0.0.1", Some(&key))), "nobody is named");
        let mapped = "::ffff:192.0.2.9".parse().unwrap();
        assert!(policy.allows(Client::new(mapped, None)), "an IPv4 client of an IPv6 socket");
    }
}
