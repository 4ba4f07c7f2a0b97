//! The query as it leaves.

use crate::Class;
use crate::cookie::Cookie;
use domain::base::MessageBuilder;
use domain::base::iana::OptionCode;
use domain::base::message_builder::PushError;
use domain::base::name::Name;
use domain::base::opt::UnknownOptData;
use std::net::IpAddr;
use terms::{DomainName, RecordType};

/// Largest reply that we ask for over UDP, in octets: it fits every path without fragments (RFC 9715).
pub const PAYLOAD: u16 = 1232;

/// What is asked (RFC 1035 section 4.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Of what.
    pub name: DomainName,
    /// What about it.
    pub rtype: RecordType,
    /// In which class.
    pub class: Class,
}

/// A question, and how it is asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is asked.
    pub question: Question,
    /// Asks for recursion (RD), as a user of a resolver does.
    pub recursion_desired: bool,
    /// EDNS (RFC 6891); without it, for servers that do not know it.
    pub edns: Option<EdnsQuery>,
}

/// What a query says with EDNS. The payload is [`PAYLOAD`], the version 0.
#[derive(Clone, Debug)]
pub struct EdnsQuery {
    /// Signatures are welcome (DO, RFC 3225).
    pub dnssec_ok: bool,
    /// Asks the server for its name (RFC 5001).
    pub nsid: bool,
    /// Our cookie, and the server's when it is known (RFC 7873).
    pub cookie: Option<Cookie>,
}

impl Query {
    /// The message. `id` has to be drawn anew for each (RFC 5452 section 9.2). The error is for a message that is
    /// full, which one question cannot fill.
    pub fn message(&self, id: u16) -> Result<Vec<u8>, PushError> {
        let mut builder = MessageBuilder::new_vec();
        builder.header_mut().set_id(id);
        builder.header_mut().set_rd(self.recursion_desired);
        let mut builder = builder.question();
        let Question { name, rtype, class } = &self.question;
        // Names of ours are valid, so it is as good as infallible; a name that were not would make no message.
        let name = Name::from_octets(name.as_wire()).map_err(|_| PushError::ShortBuf)?;
        builder.push((name, rtype.get().into(), class.get().into()))?;
        let mut builder = builder.additional();
        if let Some(edns) = &self.edns {
            builder.opt(|opt| {
                opt.set_udp_payload_size(PAYLOAD);
                opt.set_dnssec_ok(edns.dnssec_ok);
                if edns.nsid {
                    opt.client_nsid()?;
                }
                if let Some(cookie) = &edns.cookie
                    && let Ok(option) = UnknownOptData::new(OptionCode::COOKIE, cookie.octets())
                {
                    opt.push(&option)?;
                }
                Ok(())
            })?;
        }
        Ok(builder.finish())
    }

    /// Our cookie, if we send one.
    pub fn cookie(&self) -> Option<&Cookie> {
        self.edns.as_ref()?.cookie.as_ref()
    }
}

/// The name under which a PTR record tells the name of an address (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub fn reverse_name(address: IpAddr) -> Result<DomainName, terms::DomainNameError> {
    let (labels, suffix): (Vec<String>, &str) = match address {
        IpAddr::V4(address) => {
            (address.octets().iter().rev().map(ToString::to_string).collect(), "in-addr.arpa.")
        }
        IpAddr::V6(address) => {
            let octets = address.octets();
            let nibbles = octets.iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            (nibbles.map(|nibble| format!("{nibble:x}")).collect(), "ip6.arpa.")
        }
    };
    format!("{}.{suffix}", labels.join(".")).parse()
}
