//! What must hold for any datagram: the body of the fuzz target, run by the property tests and over the corpus too.

use check::dns::{Expectation, Judged};
use terms::{FailKind, RecordType, Verdict};

/// The id of the query in every case.
pub(crate) const ID: u16 = 0x1234;

/// Judges a datagram; a verdict is given for what repeats our id and question only, and a failure has words.
pub(crate) fn judge(datagram: &[u8]) {
    let expectation = Expectation { name: "example.".parse().unwrap(), qtype: RecordType::SOA };
    let judged = expectation.judge(ID, datagram);
    if let Judged::Reply(verdict) = &judged {
        assert_eq!(datagram[..2], ID.to_be_bytes());
        assert_eq!(datagram[2] & 0xf8, 0x80, "a reply to a query");
        match verdict {
            Verdict::Pass => assert!(is_good(datagram), "{datagram:02x?}"),
            Verdict::Fail { kind, reason } => {
                assert_eq!(*kind, FailKind::Definite);
                assert!(!reason.as_str().is_empty());
            }
            Verdict::Indeterminate { .. } => panic!("octets that arrived were judged"),
        }
    }
    if datagram.starts_with(&ID.to_be_bytes()) {
        assert_eq!(expectation.judge(ID ^ 1, datagram), Judged::NotOurs);
    }
}

/// The same rule, read by the `domain` crate.
fn is_good(datagram: &[u8]) -> bool {
    use domain::base::iana::{Class, Rcode, Rtype};
    let Ok(message) = domain::base::Message::from_octets(datagram) else { return false };
    let header = message.header();
    let Ok(answer) = message.answer() else { return false };
    let records: Vec<_> = answer.map_while(Result::ok).collect();
    header.qr()
        && header.aa()
        && header.rcode() == Rcode::NOERROR
        && records.iter().any(|record| record.rtype() == Rtype::SOA && record.class() == Class::IN)
}
