//! The page of the reference about scenarios, made from the tables that the parser reads.

use crate::fault::Fault;
use crate::hostile::ScriptName;
use crate::scenario::expectation::{Expectation, Judged};
use crate::scenario::words::{Output, State, Told};
use crate::sentence::Form;
use std::fmt::{self, Write};

/// Words of the sentences that mean something exact.
const TERMS: &[(&str, &str)] = &[
    (
        "the fault",
        "the moment at which the first `do` of the step is done, or the beginning of a step without one. Every time \
         counts from it.",
    ),
    (
        "client",
        "every client asks the anycast address over IPv4 and over IPv6, as often as `probe` says. The two are judged \
         apart, and both must keep what a sentence promises. Where there are several services, clients ask the first one; \
         a site of a resolver is a client of those that serve zones, and counts where its name stands in a sentence, but not \
         as one of `every client` and `other clients`.",
    ),
    (
        "answered, silent",
        "a question is answered when its answer arrives within one second; otherwise it is silent.",
    ),
    ("answered again", "the first answer after which no question stays silent until the step ends."),
    ("clients of SITE", "those whose last answer before the fault came from SITE."),
    (
        "other clients",
        "those that the target of the fault did not answer just before it. The `do` of the step must aim at one site.",
    ),
    (
        "silent at most",
        "the longest time from the sending of an unanswered question to the sending of the next answered one.",
    ),
    (
        "plus path",
        "the round trip of the first answer over the new path is measured apart and does not count. Without these \
         words it counts.",
    ),
    (
        "catchment as before",
        "each client is answered by the site that answered it before the first fault of the scenario.",
    ),
    (
        "median round trip",
        "the median over all clients of each one's median, over the last second of the step. `before` is the last \
         second before the fault.",
    ),
    (
        "announced",
        "the site's edge router has a route to the site's host, over IPv4 and over IPv6, however little preferred.",
    ),
    (
        "order",
        "what an operator tells a daemon: drain, withdraw, resume, drop, reload, restart. The lab runs the command at \
         the site. Orders of one step are given at the same moment.",
    ),
    (
        "the operator's own data centre",
        "a host that every site reaches over cables of its own, whatever happens to the Internet: there are the fleet \
         store and what sites depend on. A world has it where it has a fleet, or where its sites depend on it.",
    ),
    (
        "packet",
        "what a host was told to send: one UDP datagram over IPv4, with a number in it. Every client, every device and \
         every host of a site has a socket that counts what it receives. It is judged half a second after it was sent, \
         when it can have arrived everywhere: then it is known that nobody else got it.",
    ),
    (
        "member",
        "a host that has joined a group and has not left it. The routers hear of it by IGMP, and tell each other along one \
         tree (RFC 4605). What is sent before they have heard of it may not arrive: wait for `group GROUP known to router \
         ROUTER`.",
    ),
    (
        "the nearest site",
        "of the sites that announce the address when a packet is sent, the one that the shortest cables would lead to.",
    ),
    ("nearest", "the site that the shortest cables would lead to, whatever routing says."),
    (
        "lateness",
        "how much later than on an idle machine something may have been seen, in the check's own window: the worst \
         lateness of a cable and of the prober, and the time that routers, daemons and services waited for a \
         processor.",
    ),
];

/// What stands in the slots.
const SLOTS: &[(&str, &str)] = &[
    ("SITE", "the name of a site"),
    ("MEMBER", "the name of another site"),
    ("CLIENT", "the name of a client: its city, or `london-2` where there are several"),
    ("PEER", "the name of a peer in the site's file"),
    ("ADDRESS", "an IPv4 or IPv6 address"),
    ("NAME", "a domain name with its closing dot"),
    ("NODE", "the name of a node, as `catchment lab nodes` lists it"),
    ("END", "the name of the node at one end of a cable"),
    ("OTHER", "the name of the node at its other end"),
    ("TIME", "a whole number with its unit: `250ms`, `5s`, `2m`"),
    ("LIMIT", "a time, or a time followed by `plus path`"),
    ("COUNT", "a whole number"),
    ("SHARE", "a share of packets, `1%` to `99%`"),
    (
        "HOST",
        "the name of a host's node: `site-london`, or `site-london-2` where there are several; for packets and groups also \
         a client or a device on a LAN, `office-1`",
    ),
    ("RECEIVER", "the name of the host that it is for"),
    ("LAN", "the name of a LAN, as the world file gives it"),
    ("GROUP", "a multicast group: an IPv4 address from 224.0.1.0 to 239.255.255.255"),
    ("ROUTER", "the name of a router's node: `atlas-london`"),
    ("NEIGHBOUR", "the name of a router that it has a session with, in another network"),
    ("NODE", "the name of any node"),
    ("FAMILY", "`ipv4` or `ipv6`"),
    ("WORDS", "one or more words, as they stand in what is looked at"),
    ("LINE", "a line of the site file: `linger = \"3s\"`"),
    ("FACTOR", "a number with at most two decimals: `3`, `0.25`"),
];

const HEAD: &str = r#"# Scenarios

A scenario is a TOML file: a world, and steps. `catchment lab test FILE...` starts the world, drives the steps, and
judges what was seen.

```toml
[scenario]
title = "London goes dark"
world = "tiny"                 # a built-in world, or the path of a world file
probe = { every = "20ms" }     # how often each client asks; this is the default

[[step]]
at = "0s"                      # counted from when every client was answered for the first time
say = "Everybody is answered by the site that BGP chose."
expect = ["every client answered", "client london by london"]

[[step]]
at = "3s"
do = "power-cut site london"   # a sentence, or a list of them
expect = ["clients of london answered within 10s plus path", "other clients silent at most 100ms"]
```

A step begins at its time, or when the step before it has seen everything it waits for, whichever is later.
"#;

const KINDS: &str = r"
## How checks are judged

A *functional* check waits until its condition holds, for up to 30 s. It passes or fails.

A *lasting* check, one that ends in `throughout`, is judged when the step ends, over everything that was seen in it. It
passes or fails. Routers are looked at some twenty times a second.

A *timing* check compares what was measured with its limit, and knows the lateness of the machine:

| measured | verdict |
|---|---|
| measured <= limit | pass |
| measured - lateness > limit | fail |
| otherwise | inconclusive |

A step that orders something at a site, and says neither that the order is obeyed nor that it is refused, expects it to
be obeyed.

The command answers 1 when a check failed, otherwise 3 when one was inconclusive, otherwise 0.
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    // Writing to a string cannot fail.
    let _ = write_tables(&mut page);
    page
}

fn write_tables(page: &mut String) -> fmt::Result {
    page.push_str(KINDS);
    writeln!(page, "\n## What can be expected")?;
    let kinds = [("Functional", Judged::Awaited), ("Lasting", Judged::Lasting), ("Timing", Judged::Timed)];
    for (head, judged) in kinds {
        writeln!(page, "\n{head}:\n")?;
        forms(page, Expectation::FORMS.iter().filter(|form| Judged::of(form) == judged))?;
    }
    writeln!(page, "\n## What can be done\n\nThe same words as `catchment lab fault KIND TARGET`.\n")?;
    forms(page, Fault::FORMS.iter())?;
    writeln!(page, "\n## What stands in the slots\n\n| slot | holds |\n|---|---|")?;
    for (slot, holds) in SLOTS {
        writeln!(page, "| {slot} | {holds} |")?;
    }
    let states: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
    let outputs: Vec<&str> = Output::ALL.iter().map(|output| output.as_str()).collect();
    writeln!(page, "| OUTPUT | one of `{}` |", outputs.join("`, `"))?;
    let told: Vec<&str> = Told::ALL.iter().map(|told| told.as_str()).collect();
    writeln!(page, "| STATE | one of `{}` |", states.join("`, `"))?;
    writeln!(page, "| TOLD | `{}` |", told.join("` or `"))?;
    let scripts: Vec<&str> = ScriptName::all().map(ScriptName::as_str).collect();
    writeln!(page, "| SCRIPT | `{}` |", scripts.join("` or `"))?;
    writeln!(page, "\n## What the words mean\n")?;
    for (term, meaning) in TERMS {
        writeln!(page, "- **{term}**: {meaning}")?;
    }
    Ok(())
}

fn forms<'a>(page: &mut String, forms: impl Iterator<Item = &'a Form>) -> fmt::Result {
    writeln!(page, "| sentence | means |\n|---|---|")?;
    for form in forms {
        writeln!(page, "| `{}` | {} |", form.pattern(), form.meaning)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_page_in_the_book_is_this_one() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/scenarios.md");
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(&file, page()).unwrap();
        }
        let book = std::fs::read_to_string(&file).unwrap();
        assert_eq!(book, page(), "run again with UPDATE_REFERENCE=1 and commit {}", file.display());
    }

    #[test]
    fn every_slot_is_explained() {
        let page = page();
        for form in Expectation::FORMS.iter().chain(Fault::FORMS) {
            for slot in form.slots() {
                assert!(page.contains(&format!("\n| {slot} | ")), "{slot} of `{}`", form.pattern());
            }
        }
    }
}
