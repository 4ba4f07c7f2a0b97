//! The questions that clients ask, and who answered them.

use domain::base::iana::{OptionCode, Rcode};
use domain::base::message_builder::PushError;
use domain::base::opt::UnknownOptData;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::dep::octseq::OctetsBuilder;
use domain::rdata::Txt;
use terms::DomainName;

/// Octets that a client makes of a cookie (RFC 7873 section 4).
pub(crate) const CLIENT_COOKIE: usize = 8;

/// A query that asks the server for its name (NSID, RFC 5001) and shows a cookie (RFC 7873). It wants recursion: a
/// resolver answers nothing without.
pub(crate) fn query(id: u16, name: &DomainName, of_type: Rtype, cookie: &[u8]) -> Result<Vec<u8>, PushError> {
    let mut question = MessageBuilder::new_vec().question();
    question.header_mut().set_id(id);
    question.header_mut().set_rd(true);
    let name = Name::from_octets(name.as_wire().to_vec()).unwrap_or_else(|_| Name::root_vec());
    question.push((name, of_type))?;
    let mut additional = question.additional();
    additional.opt(|opt| {
        opt.set_udp_payload_size(1232);
        opt.client_nsid()?;
        let length = u16::try_from(cookie.len()).unwrap_or(0);
        opt.push_raw_option(OptionCode::COOKIE, length, |option| option.append_slice(cookie))
    })?;
    Ok(additional.finish())
}

/// A query for the SOA of `example.` and nothing else: every site answers it with the same octets.
pub(crate) fn plain(id: u16) -> Vec<u8> {
    [&id.to_be_bytes()[..], b"\0\0\0\x01\0\0\0\0\0\0\x07example\0\0\x06\0\x01"].concat()
}

/// What a good answer says: to which question, and who gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The question's number.
    pub(crate) id: u16,
    /// The name of the server.
    pub(crate) server: Vec<u8>,
    /// The cookie that it gave; none if it gave none, or not the client's.
    pub(crate) cookie: Option<Vec<u8>>,
}

/// Reads an answer; none unless it is a positive one with the server's name.
pub(crate) fn read(bytes: &[u8]) -> Option<Answer> {
    let message = Message::from_octets(bytes).ok()?;
    let header = message.header();
    let good = header.qr() && header.rcode() == Rcode::NOERROR && message.header_counts().ancount() > 0;
    let opt = message.opt()?;
    let server = opt.opt().nsid()?.as_slice().to_vec();
    let options = opt.opt().iter::<UnknownOptData<_>>().filter_map(Result::ok);
    let mut cookies = options.filter(|option| option.code() == OptionCode::COOKIE);
    let cookie = cookies.next().map(|cookie| cookie.as_slice().to_vec());
    good.then_some(Answer { id: header.id(), server, cookie })
}

/// The text in the first TXT record of a good answer; none if there is none.
pub(crate) fn text(bytes: &[u8]) -> Option<String> {
    let message = Message::from_octets(bytes).ok()?;
    let mut records = message.answer().ok()?.limit_to::<Txt<_>>().filter_map(Result::ok);
    let text = records.next()?.into_data().text::<Vec<u8>>();
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(rcode: Rcode, answers: bool) -> Vec<u8> {
        let query = query(7, &"example.".parse().unwrap(), Rtype::SOA, b"8 octets").unwrap();
        let query = Message::from_octets(&query[..]).unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&query, rcode).unwrap();
        if answers {
            let address = domain::rdata::A::from_octets(192, 0, 2, 1);
            answer.push((Name::root_slice(), 60, address)).unwrap();
        }
        let mut additional = answer.additional();
        let nsid = domain::base::opt::Nsid::from_octets(b"london".to_vec()).unwrap();
        additional
            .opt(|opt| {
                opt.push(&nsid)?;
                opt.push_raw_option(OptionCode::COOKIE, 8, |option| option.append_slice(b"8 octets"))
            })
            .unwrap();
        additional.finish()
    }

    #[test]
    fn a_query_asks_one_question_and_for_the_name_of_the_server() {
        let bytes = query(0x1234, &"example.".parse().unwrap(), Rtype::SOA, b"8 octets").unwrap();
        let message = Message::from_octets(&bytes[..]).unwrap();
        assert_eq!(message.header().id(), 0x1234);
        let question = message.sole_question().unwrap();
        assert_eq!((question.qname().to_string(), question.qtype()), ("example".to_owned(), Rtype::SOA));
        assert!(message.opt().unwrap().opt().nsid().is_some());
        assert!(bytes.ends_with(b"\0\x0a\0\x088 octets"), "the cookie");
        assert_eq!(read(&bytes), None, "a query is no answer");
    }

    #[test]
    fn only_a_positive_answer_counts() {
        let cookie = Some(b"8 octets".to_vec());
        let answer = Answer { id: 7, server: b"london".to_vec(), cookie };
        assert_eq!(read(&reply(Rcode::NOERROR, true)), Some(answer));
        assert_eq!(read(&reply(Rcode::NOERROR, false)), None);
        assert_eq!(read(&reply(Rcode::SERVFAIL, true)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }

        #[test]
        fn a_damaged_answer_does_not_make_the_reader_panic(at in 0usize..60, byte: u8) {
            let mut bytes = reply(Rcode::NOERROR, true);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
