//! Where a neighbour is: an address, and on which interface where it counts there only.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The name of an interface: 1 to 15 octets without blank or slash, as the kernel takes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InterfaceName {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        if (1..16).contains(&text.len()) && !text.contains(['/', ' ', '\0', '%']) {
            Ok(InterfaceName(text.to_owned()))
        } else {
            Err(PeerAddressError::NoInterface(text.to_owned()))
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The address of a neighbour. A link-local one (RFC 4291 section 2.5.6) exists once on every interface, so it comes
/// with the name of one, written `fe80::1%eth0` (RFC 4007 section 11.2).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerAddress {
    /// The address.
    pub ip: IpAddr,
    /// The interface behind which it is; for a link-local address only.
    pub interface: Option<InterfaceName>,
}

/// Why a text is no address of a neighbour.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerAddressError {
    /// The part before `%` is no address.
    #[error("`{0}` is no IP address")]
    NoAddress(String),
    /// The part after `%` cannot be an interface.
    #[error("`{0}` is no name of an interface: it has 1 to 15 characters, no blank and no slash")]
    NoInterface(String),
    /// A link-local address without its interface.
    #[error("{0} exists on every interface: name one, such as \"{0}%eth0\"")]
    WhichInterface(IpAddr),
    /// An interface where the address alone says enough.
    #[error("{0} is no link-local address and needs no interface: leave `%` and what follows out")]
    NeedlessInterface(IpAddr),
    /// Nobody can be there.
    #[error("{0} is no address of a neighbour")]
    Nobody(IpAddr),
}

/// Whether an address exists once on every interface.
pub(super) fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        let (address, interface) = text.split_once('%').map_or((text, None), |(ip, name)| (ip, Some(name)));
        let ip: IpAddr = address.parse().map_err(|_| PeerAddressError::NoAddress(address.to_owned()))?;
        if ip.is_unspecified() || ip.is_multicast() {
            return Err(PeerAddressError::Nobody(ip));
        }
        match interface {
            Some(_) if !is_link_local(ip) => Err(PeerAddressError::NeedlessInterface(ip)),
            None if is_link_local(ip) => Err(PeerAddressError::WhichInterface(ip)),
            Some(name) => Ok(PeerAddress { ip, interface: Some(name.parse()?) }),
            None => Ok(PeerAddress { ip, interface: None }),
        }
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(f, "{}%{interface}", self.ip),
            None => self.ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_as_much_as_is_needed() {
        for text in ["10.1.0.1", "2001:db8::1", "fe80::1%eth0", "fe80::a:b%bond0.7"] {
            assert_eq!(text.parse::<PeerAddress>().unwrap().to_string(), text);
        }
        for (text, why) in [
            ("fe80::1", "fe80::1 exists on every interface: name one, such as \"fe80::1%eth0\""),
            ("fe80::1%", "`` is no name of an interface"),
            ("fe80::1%eth0%1", "`eth0%1` is no name"),
            ("fe80::1%a-name-of-sixteen", "no name of an interface"),
            ("10.1.0.1%eth0", "needs no interface"),
            ("::", ":: is no address of a neighbour"),
            ("ff02::1%eth0", "is no address of a neighbour"),
            ("router", "`router` is no IP address"),
        ] {
            let error = text.parse::<PeerAddress>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
