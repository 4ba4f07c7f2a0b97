//! The answer for people. What is no record is a comment, so that a zone file takes the page as it is.

use super::{Seen, Site, SiteSource};
use crate::terminal::{Paint, Tone};
use crate::words::{count, list};
use query::{Answer, Cookie, Edns, PAYLOAD, Record, Section, hexadecimal, printable};
use std::fmt::Write;

/// The page, each line ended.
pub(super) fn render(seen: &Seen<'_>, paint: Paint) -> String {
    let mut page = Page { text: String::new(), paint };
    page.head(seen);
    let answer = &seen.received.answer;
    page.comment(&format!(
        "question: {} {} {}",
        seen.question.name, seen.question.class, seen.question.rtype
    ));
    page.section(Section::Answer, &answer.answer);
    page.section(Section::Authority, &answer.authority);
    page.section(Section::Additional, &answer.additional);
    page.text.push('\n');
    match &answer.edns {
        Some(edns) => page.edns(edns, seen.cookie),
        None => page.comment("no EDNS"),
    }
    if !seen.received.ignored.0.is_empty() {
        page.comment(&seen.received.ignored.to_string());
    }
    page.text
}

/// Which code is how good.
fn tone(answer: &Answer) -> Tone {
    if answer.is_definite() { Tone::Good } else { Tone::Bad }
}

struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    fn comment(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "; {text}");
    }

    fn head(&mut self, seen: &Seen<'_>) {
        let received = &seen.received;
        let site = match &seen.site {
            Some(Site { name, source: SiteSource::Nsid }) => format!("site {name}"),
            Some(Site { name, source: SiteSource::IdServer }) => {
                format!("site {name} (by id.server, asked beside it)")
            }
            None => "no site names itself".to_owned(),
        };
        let milliseconds = received.round_trip.as_secs_f64() * 1000.0;
        self.comment(&format!("{site}: {} over {}, {milliseconds:.1} ms", seen.server, received.transport));
        let answer = &received.answer;
        let code = self.paint.text(tone(answer), &answer.code());
        let flags = answer.flags.names().collect::<Vec<_>>().join(" ");
        self.comment(&format!(
            "{code}, flags {}, id {}",
            if flags.is_empty() { "none" } else { &flags },
            answer.id
        ));
    }

    fn section(&mut self, section: Section, records: &[Record]) {
        if records.is_empty() {
            return;
        }
        self.text.push('\n');
        self.comment(&format!("{section}: {}", count(records.len(), "record")));
        for record in records {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "{record}");
        }
    }

    fn edns(&mut self, edns: &Edns, ours: Option<&Cookie>) {
        let Edns { version, payload, dnssec_ok, nsid, cookie, errors, others } = edns;
        let flags = if *dnssec_ok { ", flags do" } else { "" };
        self.comment(&format!("EDNS version {version}, payload {payload} (asked for {PAYLOAD}){flags}"));
        if let Some(nsid) = nsid {
            self.comment(&format!("NSID \"{}\" ({})", printable(nsid), hexadecimal(nsid)));
        }
        match (ours, cookie) {
            (Some(ours), None) => self.comment(&format!("cookie {}: not echoed", hexadecimal(ours.client()))),
            (None, Some(theirs)) => self.comment(&format!("cookie not asked for: {}", hexadecimal(theirs))),
            (Some(_), Some(theirs)) => self.cookie(theirs),
            (None, None) => {}
        }
        for error in errors {
            self.comment(&format!("EDE {error}"));
        }
        if !others.is_empty() {
            let others = others.iter().map(|(code, data)| format!("{code} ({})", hexadecimal(data)));
            self.comment(&format!("other options: {}", list(others)));
        }
    }

    fn cookie(&mut self, theirs: &[u8]) {
        let (client, server) = theirs.split_at(theirs.len().min(Cookie::CLIENT));
        let server = if server.is_empty() { "none".to_owned() } else { hexadecimal(server) };
        self.comment(&format!("cookie {}: echoed, server cookie {server}", hexadecimal(client)));
    }
}
