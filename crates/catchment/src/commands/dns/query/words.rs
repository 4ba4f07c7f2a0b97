//! The words of a question, in any order, as `dig` takes them.

use crate::arguments::DnsQuery;
use query::{Class, Question, reverse_name};
use terms::{DomainName, RecordType};

/// What the words say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Whom to ask, as it was written.
    pub(super) server: Option<String>,
    pub(super) question: Question,
}

/// Reads the words: the first that begins with `@` is the server, the first that is a type or a class is that, any
/// other is the name.
pub(super) fn read(arguments: &DnsQuery) -> Result<Asked, String> {
    let (mut server, mut name, mut rtype, mut class) = (None, None, None, None);
    if let Some(address) = arguments.reverse {
        name = Some(reverse_name(address).map_err(|error| error.to_string())?);
        rtype = Some(RecordType::PTR);
    }
    for word in &arguments.words {
        if let Some(host) = word.strip_prefix('@') {
            once(&mut server, host.to_owned(), word)?;
        } else if word.starts_with('+') {
            return Err(format!("`{word}`: options begin with two dashes here, such as --tcp; see --help"));
        } else if let (None, Ok(known)) = (rtype, word.parse()) {
            rtype = Some(known);
        } else if let (None, Ok(known)) = (class, word.parse()) {
            class = Some(known);
        } else {
            let read: DomainName = word.parse().map_err(|error| format!("`{word}`: {error}"))?;
            once(&mut name, read, word)?;
        }
    }
    let name = name.ok_or("no NAME: say what to ask for, such as `example.`")?;
    let rtype = rtype.unwrap_or(RecordType::A);
    if matches!(rtype, RecordType::AXFR | RecordType::IXFR) {
        return Err(format!(
            "{rtype}: a transfer is more than one message, which this command does not take"
        ));
    }
    let question = Question { name, rtype, class: class.unwrap_or(Class::IN) };
    Ok(Asked { server, question })
}

fn once<T>(place: &mut Option<T>, value: T, word: &str) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("`{word}` is one too many: one server is asked one question")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Arguments, Command, Dns};
    use clap::Parser;

    fn said(line: &str) -> Result<String, String> {
        let words = ["catchment", "dns", "query"].into_iter().chain(line.split_whitespace());
        let arguments = Arguments::try_parse_from(words).map_err(|error| error.to_string())?;
        let Command::Dns(Dns::Query(arguments)) = arguments.command else { panic!("another command") };
        let Asked { server, question } = read(&arguments)?;
        let Question { name, rtype, class } = question;
        Ok(format!("{} {name} {class} {rtype}", server.as_deref().unwrap_or("-")))
    }

    #[test]
    fn words_come_in_any_order() {
        let same = Ok("192.0.2.1 www.example. IN AAAA".to_owned());
        for line in [
            "@192.0.2.1 www.example AAAA",
            "aaaa www.example @192.0.2.1 in",
            "www.example. type28 @192.0.2.1",
        ] {
            assert_eq!(said(line), same, "{line}");
        }
        assert_eq!(said("CH TXT id.server"), Ok("- id.server. CH TXT".to_owned()));
        assert_eq!(said("mx."), Ok("- mx. IN A".to_owned()));
        assert_eq!(said("mx mx"), Ok("- mx. IN MX".to_owned()));
        assert_eq!(said(". ns"), Ok("- . IN NS".to_owned()));
        assert_eq!(said("-x 192.0.2.1 @::1"), Ok("::1 1.2.0.192.in-addr.arpa. IN PTR".to_owned()));
        let name = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
        assert_eq!(said("-x 2001:db8::1"), Ok(format!("- {name} IN PTR")));
    }

    #[test]
    fn what_cannot_be_asked_says_why() {
        let wrong = [
            ("mx", "no NAME"),
            ("@a @b example.", "`@b` is one too many"),
            ("example. example.net.", "`example.net.` is one too many"),
            ("example. +tcp", "options begin with two dashes"),
            ("a..b", "`a..b`: an empty label"),
            ("example. AXFR", "more than one message"),
            ("-x 192.0.2.1 example.", "`example.` is one too many"),
            ("", "required"),
            ("-4 -6 example.", "cannot be used with"),
            ("example. --timeout 2h", "write 1ms to 60s"),
            ("example. --tries 0", "0 is not in 1..=100"),
        ];
        for (line, reason) in wrong {
            let error = said(line).expect_err(line);
            assert!(error.contains(reason), "{line}: {error}");
        }
    }
}
