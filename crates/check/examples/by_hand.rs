//! A check by hand: the query to send, and what three replies to it mean. No socket, no clock.

use check::dns::Expectation;
use check::{Finding, Judged};
use terms::{RecordType, Verdict, WallTime};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let expectation = Expectation::new("example.".parse()?, RecordType::SOA);
    let (id, now) = (0x2a2a, WallTime(0));
    let query = expectation.query(id);
    println!("ask {} {} with {} octets", expectation.name, expectation.qtype, query.len());

    // A server that is up but has lost its zone repeats the question and says REFUSED.
    let mut refused = query.clone();
    refused[2] = 0x80;
    refused[3] = 5;
    show("a reply", &expectation.judge(id, &refused, now));

    // The same reply to another query means nothing for this one.
    show("a late reply", &expectation.judge(id + 1, &refused, now));

    // With authority and one record of the type, it passes.
    let mut good = expectation.query(id);
    good.truncate(12 + expectation.name.as_wire().len() + 4);
    good[2] = 0x84;
    good[7] = 1; // one answer
    good[11] = 0; // nothing additional
    good.extend_from_slice(&[0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22]); // owner, SOA, IN, 60 s, 22 octets
    good.extend_from_slice(&[0; 22]);
    show("an answer", &expectation.judge(id, &good, now));
    Ok(())
}

fn show(what: &str, judged: &Judged) {
    match judged {
        Judged::NotOurs => println!("{what}: not ours, keep waiting"),
        Judged::Reply(Finding { verdict: Verdict::Pass, .. }) => println!("{what}: pass"),
        Judged::Reply(Finding { verdict, .. }) => println!("{what}: {verdict:?}"),
    }
}
