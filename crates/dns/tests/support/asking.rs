//! Queries as tests write them.

use terms::{DomainName, RecordType};

/// A query to be written.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) id: u16,
    /// The third and fourth octet of the header.
    pub(crate) flags: u16,
    pub(crate) name: DomainName,
    pub(crate) kind: RecordType,
    pub(crate) class: u16,
    pub(crate) edns: Option<AskEdns>,
}

#[derive(Clone, Debug)]
pub(crate) struct AskEdns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) flags: u16,
    pub(crate) options: Vec<(u16, Vec<u8>)>,
}

impl Default for AskEdns {
    fn default() -> Self {
        AskEdns { payload: 4096, version: 0, flags: 0, options: Vec::new() }
    }
}

pub(crate) fn ask(name: &str, kind: &str) -> Ask {
    Ask {
        id: 0x1234,
        flags: 0,
        name: name.parse().unwrap(),
        kind: kind.parse().unwrap(),
        class: 1,
        edns: None,
    }
}

impl Ask {
    pub(crate) fn octets(&self) -> Vec<u8> {
        let mut message = Vec::new();
        for number in [self.id, self.flags, 1, 0, 0, u16::from(self.edns.is_some())] {
            message.extend_from_slice(&number.to_be_bytes());
        }
        message.extend_from_slice(self.name.as_wire());
        message.extend_from_slice(&self.kind.get().to_be_bytes());
        message.extend_from_slice(&self.class.to_be_bytes());
        if let Some(edns) = &self.edns {
            let options: usize = edns.options.iter().map(|(_, data)| 4 + data.len()).sum();
            message.push(0);
            for number in [41, edns.payload, u16::from(edns.version), edns.flags, options as u16] {
                message.extend_from_slice(&number.to_be_bytes());
            }
            for (code, data) in &edns.options {
                message.extend_from_slice(&code.to_be_bytes());
                message.extend_from_slice(&(data.len() as u16).to_be_bytes());
                message.extend_from_slice(data);
            }
        }
        message
    }
}
