//! Types of DNS records.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The type of a DNS record (RFC 1035 section 3.2.2). Every number is a type; one without a name here is written
/// `TYPE65280` (RFC 3597 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecordType(u16);

/// Why a text names no record type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no record type: write its name, such as AAAA, or its number, such as TYPE65280")]
pub struct RecordTypeError(String);

macro_rules! record_types {
    ($($name:ident = $number:literal $doc:literal;)+) => {
        impl RecordType {
            $(
                #[doc = $doc]
                pub const $name: RecordType = RecordType($number);
            )+

            fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)+
                    _ => None,
                }
            }
        }

        static NAMED: &[RecordType] = &[$(RecordType::$name),+];
    };
}

record_types! {
    A = 1 "An IPv4 address (RFC 1035).";
    NS = 2 "A name server of the zone (RFC 1035).";
    CNAME = 5 "The name is an alias of another (RFC 1035).";
    SOA = 6 "Start of authority (RFC 1035).";
    PTR = 12 "A pointer to another name (RFC 1035).";
    HINFO = 13 "Host information (RFC 1035); also the minimal answer to ANY (RFC 8482).";
    MX = 15 "A mail exchange (RFC 1035).";
    TXT = 16 "Text (RFC 1035).";
    RP = 17 "A responsible person (RFC 1183).";
    AAAA = 28 "An IPv6 address (RFC 3596).";
    LOC = 29 "A place on Earth (RFC 1876).";
    SRV = 33 "Where a service is (RFC 2782).";
    NAPTR = 35 "A rule that rewrites a name (RFC 3403).";
    DNAME = 39 "A whole subtree is an alias of another (RFC 6672).";
    OPT = 41 "Extensions of one message, never in a zone (RFC 6891).";
    DS = 43 "Digest of a child's key (RFC 4034).";
    SSHFP = 44 "Fingerprint of an SSH key (RFC 4255).";
    IPSECKEY = 45 "A key for IPsec (RFC 4025).";
    RRSIG = 46 "A signature (RFC 4034).";
    NSEC = 47 "Proof that a name or type does not exist (RFC 4034).";
    DNSKEY = 48 "A zone's key (RFC 4034).";
    NSEC3 = 50 "Hashed proof that a name or type does not exist (RFC 5155).";
    NSEC3PARAM = 51 "Parameters of NSEC3 (RFC 5155).";
    TLSA = 52 "A TLS certificate's association (RFC 6698).";
    CDS = 59 "The DS that a child asks for (RFC 7344).";
    CDNSKEY = 60 "The key whose DS a child asks for (RFC 7344).";
    OPENPGPKEY = 61 "An OpenPGP key (RFC 7929).";
    ZONEMD = 63 "Digest of the zone (RFC 8976).";
    SVCB = 64 "How a service is reached (RFC 9460).";
    HTTPS = 65 "How an HTTPS origin is reached (RFC 9460).";
    TSIG = 250 "Signature of one message, never in a zone (RFC 8945).";
    IXFR = 251 "A question for the changes of a zone (RFC 1995).";
    AXFR = 252 "A question for a whole zone (RFC 5936).";
    ANY = 255 "A question for whatever there is (RFC 8482).";
    CAA = 257 "Who may issue certificates (RFC 8659).";
    MB = 7 "A mailbox's host (RFC 1035).";
    MG = 8 "A member of a mail group (RFC 1035).";
    MR = 9 "Another name of a mailbox (RFC 1035).";
    MINFO = 14 "Who is responsible for a mailbox (RFC 1035).";
    AFSDB = 18 "A server of AFS (RFC 1183).";
    X25 = 19 "An X.25 address (RFC 1183).";
    ISDN = 20 "An ISDN address (RFC 1183).";
    RT = 21 "A host that relays (RFC 1183).";
    KEY = 25 "A key for signed messages (RFC 2535).";
    PX = 26 "A mapping of X.400 (RFC 2163).";
    GPOS = 27 "A place on Earth (RFC 1712).";
    KX = 36 "Who exchanges keys (RFC 2230).";
    CERT = 37 "A certificate (RFC 4398).";
    APL = 42 "A list of address prefixes (RFC 3123).";
    DHCID = 49 "Who has a name by DHCP (RFC 4701).";
    SMIMEA = 53 "An S/MIME certificate's association (RFC 8162).";
    HIP = 55 "A host's identity (RFC 8005).";
    NINFO = 56 "Status of a zone.";
    RKEY = 57 "A key that encrypts records.";
    TALINK = 58 "A link between trust anchors.";
    CSYNC = 62 "What the parent is to copy (RFC 7477).";
    DSYNC = 66 "Who is told of changes of delegations (RFC 9859).";
    SPF = 99 "Who may send mail, in the past (RFC 7208).";
    NID = 104 "A node identifier (RFC 6742).";
    L32 = 105 "A 32-bit locator (RFC 6742).";
    L64 = 106 "A 64-bit locator (RFC 6742).";
    LP = 107 "A name of a locator (RFC 6742).";
    EUI48 = 108 "A hardware address (RFC 7043).";
    EUI64 = 109 "A long hardware address (RFC 7043).";
    URI = 256 "Where a service is, as a URI (RFC 7553).";
    AVC = 258 "Visibility and control of an application.";
    AMTRELAY = 260 "A relay of multicast (RFC 8777).";
    RESINFO = 261 "What a resolver can do (RFC 9606).";
    WALLET = 262 "An address of a wallet.";
    TA = 32768 "A trust anchor.";
    DLV = 32769 "A look-aside digest (RFC 4431).";
}

impl RecordType {
    /// The type of that number.
    pub const fn new(number: u16) -> Self {
        RecordType(number)
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether records of this type may be in a zone: false for OPT, for questions only, and for types that belong
    /// to one message (RFC 6895 section 3.1), as well as for 0.
    pub const fn is_data(self) -> bool {
        !matches!(self.0, 0 | 41 | 128..=255)
    }
}

impl FromStr for RecordType {
    type Err = RecordTypeError;
    fn from_str(text: &str) -> Result<Self, RecordTypeError> {
        let named = |kind: &&RecordType| kind.name().is_some_and(|name| name.eq_ignore_ascii_case(text));
        if let Some(&known) = NAMED.iter().find(named) {
            return Ok(known);
        }
        let numbered =
            text.get(..4).filter(|head| head.eq_ignore_ascii_case("TYPE")).and_then(|_| text.get(4..));
        let digits = numbered.filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse().ok())
            .map(RecordType)
            .ok_or_else(|| RecordTypeError(text.to_owned()))
    }
}

impl TryFrom<String> for RecordType {
    type Error = RecordTypeError;
    fn try_from(text: String) -> Result<Self, RecordTypeError> {
        text.parse()
    }
}

impl From<RecordType> for String {
    fn from(kind: RecordType) -> String {
        kind.to_string()
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_round_trips() {
        for number in 0..=u16::MAX {
            let kind = RecordType::new(number);
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
    }

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!("aaaa".parse(), Ok(RecordType::AAAA));
        assert_eq!("type28".parse(), Ok(RecordType::AAAA));
        for wrong in ["", "AAAAA", "TYPE", "TYPE65536", "TYPE+1", "TYPÉ1"] {
            assert!(wrong.parse::<RecordType>().is_err(), "{wrong}");
        }
    }
}
