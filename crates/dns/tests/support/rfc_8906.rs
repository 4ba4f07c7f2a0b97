//! The list of RFC 8906 section 8, which every path answers alike.

use super::{Ask, AskEdns, ask};

impl Ask {
    pub(crate) fn flags(self, flags: u16) -> Ask {
        Ask { flags, ..self }
    }

    pub(crate) fn edns(self, edns: AskEdns) -> Ask {
        Ask { edns: Some(edns), ..self }
    }
}

/// What it is, and how it is asked.
pub(crate) fn list() -> Vec<(&'static str, Ask)> {
    let soa = || ask("example.", "SOA");
    let edns = AskEdns::default;
    let option = |code: u16, data: &[u8]| AskEdns { options: vec![(code, data.to_vec())], ..edns() };
    vec![
        ("8.1.1 plain", soa()),
        ("8.1.2 unknown type", ask("example.", "TYPE1000")),
        ("8.1.3.1 CD", soa().flags(0x0010)),
        ("8.1.3.2 AD", soa().flags(0x0020)),
        ("8.1.3.3 Z", soa().flags(0x0040)),
        ("8.1.3.4 RD", soa().flags(0x0100)),
        ("RA, AA and TC in a query", soa().flags(0x0680)),
        ("8.1.4 opcode 15", soa().flags(0x7800)),
        ("8.2.1 EDNS", soa().edns(edns())),
        ("8.2.2 EDNS version 1", soa().edns(AskEdns { version: 1, ..edns() })),
        ("8.2.3 unknown option", soa().edns(option(100, b""))),
        ("8.2.4 unknown flag", soa().edns(AskEdns { flags: 0x0040, ..edns() })),
        ("8.2.5 version 1 and unknown flag", soa().edns(AskEdns { version: 1, flags: 0x0040, ..edns() })),
        ("8.2.6 version 1 and unknown option", soa().edns(AskEdns { version: 1, ..option(100, b"") })),
        ("8.2.8 DO", soa().edns(AskEdns { flags: 0x8000, ..edns() })),
        ("8.2.9 version 1 and DO", soa().edns(AskEdns { version: 1, flags: 0x8000, ..edns() })),
        ("cookie", soa().edns(option(10, b"12345678"))),
        ("NSID", soa().edns(option(3, b""))),
        ("NSID with a negative answer", ask("nobody.example.", "A").edns(option(3, b""))),
        ("NSID out of zone", ask("example.com.", "A").edns(option(3, b""))),
        ("a payload of 0 is one of 512", soa().edns(AskEdns { payload: 0, ..edns() })),
    ]
}
