//! The same zones served by NSD, by Knot and by us, asked the same questions: code, flags and records must agree.
//!
//! They are other implementations by other people, so what all do alike is unlikely to be wrong in the same way. Where
//! we differ on purpose, the test says so by name (see [`Difference`]); nothing is left out silently.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/generated.rs"]
mod generated;
#[path = "support/messages.rs"]
mod messages;
#[path = "support/peers.rs"]
mod peers;

use dns::{Identity, Outcome, Transport, Zones, zone};
use generated::Lot;
use messages::{Ask, AskEdns, Shown, answer, ask, show};
use peers::{Peer, Signing, ZoneFile};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use terms::{DomainName, RecordType};

fn ours(zones: &Zones, query: &[u8], transport: Transport) -> Vec<u8> {
    let identity = Identity::new(&"london".parse().unwrap(), None);
    let mut out = vec![0; 65535];
    match answer(zones, &identity, query, transport, &mut out) {
        Outcome::Reply { length, .. } => out[..length].to_vec(),
        other => panic!("no reply: {other:?}"),
    }
}

/// Where we differ on purpose, or others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// For ANY we give one set (RFC 8482 section 4.1), NSD one that it chooses, Knot every set, over TCP only.
    ChoiceForAny,
    /// Knot gives the signatures of one set; and it does not follow aliases for NSEC and RRSIG.
    KnotAskedForProofs,
    /// NSD, told to be brief, leaves out addresses that only help.
    NsdIsBrief,
    /// Knot gives addresses of a target that a wildcard stands for. We do not look for one: whoever needs them asks.
    KnotExpandsTargets,
    /// Knot proves, beside an SVCB or HTTPS record, what its target does not have (RFC 9460 section 4.1 says that servers
    /// should). Resolvers do not use such proofs; the room is for addresses.
    KnotProvesBeside,
    /// Of an SVCB or HTTPS record whose target is its owner (`.`), Knot gives no addresses.
    KnotForgetsTheOwner,
    /// Not every address fits that only helps; each chooses for itself which do.
    ChoiceOfAddresses,
    /// Knot leaves out that no name is closer than a wildcard that exists only because of names below it (RFC 4035
    /// section 3.1.3.4).
    KnotProvesLess,
    /// NSD proves for a wildcard that is asked for by its name what it proves for names that it stands for.
    NsdProvesMore,
    /// NSD's proofs lack the span that a name lies in, if a DNAME led to it or if it is below an empty non-terminal in
    /// a span with opt-out. Knot's are ours.
    NsdProvesOtherwise,
    /// An alias leads below a cut, to a zone that is served too: NSD, confined to one zone, says nothing about it.
    NsdIsConfined,
    /// What a DNAME makes is compressed here and not there, so that ours fits. Knot then says less without TC.
    WeAreShorter,
    /// These releases are older than RFC 9471: they leave glue out that does not fit, and do not say so.
    AllGlueOrNone,
    /// A zone is served here, but its parent here has no delegation: we and NSD say that its name exists.
    ForgottenChild,
}

/// Records as a set: a server may rotate them, and may spell compressed names in another case.
fn set(records: &[String]) -> BTreeSet<String> {
    records.iter().map(|record| record.to_ascii_lowercase()).collect()
}

fn without_proofs(records: &BTreeSet<String>) -> BTreeSet<String> {
    records.iter().filter(|record| !record.contains(" nsec")).cloned().collect()
}

/// Octets of addresses with a signature.
const ADDRESSES: usize = 150;

/// What two replies are judged by.
struct Case<'c> {
    peer: &'c str,
    kind: RecordType,
    /// What we say, with all the room there is.
    whole: &'c Shown,
    ours: &'c Shown,
    theirs: &'c Shown,
    /// Octets that their reply could have had more.
    their_room: usize,
}

impl Case<'_> {
    /// Why the replies may differ in what they differ in. None when they do not; an error when they must not.
    fn judge(&self) -> Result<Option<Difference>, ()> {
        let Case { peer, kind, whole, ours, theirs, their_room } = *self;
        let is_cut = |shown: &Shown| shown.flags.contains("tc");
        if is_cut(ours) && is_cut(theirs) && head(ours) == head(theirs) {
            return Ok(None);
        }
        // What we would have said.
        let said = if is_cut(ours) { whole } else { ours };
        let same_head = head(said) == head(theirs);
        let same_answer = set(&said.answer) == set(&theirs.answer);
        let (authority, their_authority) = (set(&said.authority), set(&theirs.authority));
        let (helpful, their_helpful) = (set(&said.additional), set(&theirs.additional));
        let same_records = same_answer && authority == their_authority;
        let same_cut = is_cut(ours) == is_cut(theirs);
        let has_alias = said.answer.iter().any(|record| record.contains(" CNAME "));
        let has_dname = said.answer.iter().any(|record| record.contains(" DNAME "));
        let opts_out = said.authority.iter().any(|record| record.contains(" NSEC3 1 1 "));
        let is_referral = !said.flags.contains("aa") && said.code == "NOERROR";
        if same_head && same_cut && same_records && helpful == their_helpful {
            return Ok(None);
        }
        let explained = match (peer, kind) {
            (_, RecordType::ANY)
                if said.code == theirs.code
                    && (is_cut(theirs) || said.answer.is_empty() == theirs.answer.is_empty()) =>
            {
                Difference::ChoiceForAny
            }
            ("knotd", RecordType::NSEC | RecordType::RRSIG) if has_alias => Difference::KnotAskedForProofs,
            ("knotd", RecordType::RRSIG)
                if same_head && set(&theirs.answer).is_subset(&set(&said.answer)) =>
            {
                Difference::KnotAskedForProofs
            }
            ("knotd", RecordType::DS) if said.code == "NOERROR" && theirs.code == "NXDOMAIN" => {
                Difference::ForgottenChild
            }
            ("knotd", _)
                if same_head
                    && same_answer
                    && said.code == "NOERROR"
                    && their_authority.is_subset(&authority)
                    && said.authority.iter().any(|record| record.contains(" NSEC")) =>
            {
                Difference::KnotProvesLess
            }
            ("nsd", _)
                if same_head
                    && said.question.starts_with("*.")
                    && (authority.is_subset(&their_authority) || is_cut(theirs)) =>
            {
                Difference::NsdProvesMore
            }
            ("nsd", _)
                if same_head && has_alias && theirs.authority.is_empty() && !said.authority.is_empty() =>
            {
                Difference::NsdIsConfined
            }
            ("nsd", _)
                if same_head && same_records && said.flags.contains("aa") && their_helpful.is_empty() =>
            {
                Difference::NsdIsBrief
            }
            _ if same_head && same_records && is_referral && is_cut(ours) && !is_cut(theirs) => {
                Difference::AllGlueOrNone
            }
            _ if same_head
                && same_records
                && (helpful != set(&whole.additional) || their_room < ADDRESSES)
                && helpful.union(&their_helpful).all(|record| set(&whole.additional).contains(record)) =>
            {
                Difference::ChoiceOfAddresses
            }
            ("nsd", _) if same_head && same_answer && (has_dname || opts_out) => {
                Difference::NsdProvesOtherwise
            }
            _ if same_head && is_cut(theirs) && !is_cut(ours) => Difference::WeAreShorter,
            _ if same_head
                && same_answer
                && their_authority.is_subset(&authority)
                && their_room < ADDRESSES
                && has_dname =>
            {
                Difference::WeAreShorter
            }
            ("knotd", RecordType::HTTPS)
                if same_head && same_records && helpful == without_proofs(&their_helpful) =>
            {
                Difference::KnotProvesBeside
            }
            ("knotd", RecordType::HTTPS)
                if same_head
                    && same_records
                    && said.answer.iter().any(|record| record.contains(" HTTPS 1 . "))
                    && without_proofs(&their_helpful).is_subset(&helpful) =>
            {
                Difference::KnotForgetsTheOwner
            }
            ("knotd", RecordType::MX | RecordType::SRV | RecordType::NS | RecordType::HTTPS)
                if same_head && same_records && helpful.is_subset(&their_helpful) =>
            {
                Difference::KnotExpandsTargets
            }
            _ => return Err(()),
        };
        Ok(Some(explained))
    }
}

/// Question, EDNS, code and flags, but for TC.
fn head(shown: &Shown) -> (&str, bool, &str, String) {
    (&shown.question, shown.edns.is_some(), &shown.code, shown.flags.replace(" tc", ""))
}

const KINDS: [&str; 16] = [
    "A",
    "NS",
    "CNAME",
    "SOA",
    "PTR",
    "MX",
    "TXT",
    "AAAA",
    "SRV",
    "DNAME",
    "DS",
    "ANY",
    "NSEC",
    "RRSIG",
    "TYPE65280",
    "HTTPS",
];

/// The servers, and what was found.
struct Judges {
    zones: Zones,
    peers: [Peer; 2],
    asked: usize,
    explained: BTreeMap<(&'static str, Difference), usize>,
    lot: Lot,
}

impl Judges {
    /// Serves the files everywhere.
    fn new(folder: &Path, files: &[ZoneFile]) -> Judges {
        let load = |file: &ZoneFile| {
            let text = std::fs::read_to_string(folder.join(&file.file)).unwrap();
            Arc::new(zone::parse(&text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", file.file)))
        };
        Judges {
            zones: Zones::new(files.iter().map(load).collect()).unwrap(),
            peers: [Peer::nsd(folder, files, None), Peer::knot(folder, files, None)],
            asked: 0,
            explained: BTreeMap::new(),
            lot: Lot::new(7),
        }
    }

    /// Asks everybody, with flags, EDNS, letters and transport drawn by lot.
    fn ask(&mut self, name: &DomainName, kind: &str) {
        let mut ask = ask(".", kind);
        ask.name = in_mixed_case(name, self.lot.below(99));
        ask.id = self.asked as u16;
        ask.flags = if self.asked.is_multiple_of(2) { 0x0100 } else { 0 };
        let (plain, signed) = (0, 0x8000);
        let edns =
            [None, Some((512, signed)), Some((1232, plain)), Some((1232, signed)), Some((4096, signed))];
        ask.edns = edns[self.lot.below(edns.len())].map(|(payload, flags)| AskEdns {
            payload,
            flags,
            ..AskEdns::default()
        });
        let transport = if self.lot.below(50) == 0 { Transport::Tcp } else { Transport::Udp };
        self.compare(&ask, transport);
    }

    fn compare(&mut self, ask: &Ask, transport: Transport) {
        let query = ask.octets();
        let whole = show(&ours(&self.zones, &query, Transport::Tcp)).unwrap();
        let ours = show(&ours(&self.zones, &query, transport)).unwrap();
        for peer in &self.peers {
            let theirs = peer.ask(&query, transport);
            let limit = ask.edns.as_ref().map_or(512, |edns| usize::from(edns.payload.min(1232)));
            let their_room = limit.saturating_sub(theirs.len());
            let theirs = show(&theirs).unwrap();
            let case = Case {
                peer: peer.name,
                kind: ask.kind,
                whole: &whole,
                ours: &ours,
                theirs: &theirs,
                their_room,
            };
            match case.judge() {
                Ok(None) => {}
                Ok(Some(difference)) => *self.explained.entry((peer.name, difference)).or_default() += 1,
                Err(()) => {
                    panic!("{transport:?} {ask:?}\nours:\n{ours}{}:\n{theirs}whole:\n{whole}", peer.name)
                }
            }
        }
        self.asked += 1;
    }
}

/// Upper case for some letters, decided by `seed`.
fn in_mixed_case(name: &DomainName, seed: usize) -> DomainName {
    let mixed = |(index, &octet): (usize, &u8)| {
        if (index * 7 + seed).is_multiple_of(3) { octet.to_ascii_uppercase() } else { octet }
    };
    DomainName::from_wire(&name.as_wire().iter().enumerate().map(mixed).collect::<Vec<u8>>()).unwrap()
}

/// Names of a zone file's records, names beside, above and below each, and names outside.
fn names_around(text: &str, apex: &str) -> BTreeSet<DomainName> {
    let apex: DomainName = apex.parse().unwrap();
    let owners = text.lines().filter(|line| !line.starts_with(['$', ';', ' ', '\t']));
    let owners =
        owners.filter_map(|line| DomainName::parse_below(line.split_whitespace().next()?, &apex).ok());
    let mut names = BTreeSet::from([apex.clone()]);
    for owner in owners.filter(|owner| owner.is_within(&apex)) {
        for label in ["x", "*", r"\000", "a.b.c", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"] {
            names.extend(DomainName::parse_below(label, &owner));
        }
        names.extend(owner.to_string().replacen('.', "x.", 1).parse::<DomainName>());
        names.extend(owner.to_string().replace(&apex.to_string(), "elsewhere.test.").parse::<DomainName>());
        let mut above = Some(owner);
        while let Some(name) = above {
            above = name.parent();
            names.insert(name);
        }
    }
    names
}

#[test]
fn written_zones() {
    let asked = written(
        &[
            ("example.", include_str!("zones/example.zone"), Signing::None),
            ("big.example.", include_str!("zones/big.zone"), Signing::None),
            ("parent.test.", include_str!("zones/parent.zone"), Signing::Nsec),
            ("child.parent.test.", include_str!("zones/child.zone"), Signing::OptOut),
        ],
        1,
    );
    assert!(asked > 5_000, "only {asked} questions");
}

#[test]
fn the_root() {
    let asked = written(&[(".", include_str!("zones/root-excerpt.zone"), Signing::Nsec)], 3);
    assert!(asked > 10_000, "only {asked} questions");
}

/// Asks for everything in and around zones, or for one in `every` drawn by lot, and says how many questions that were.
fn written(written: &[(&str, &str, Signing)], every: usize) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<ZoneFile> = written
        .iter()
        .map(|(apex, text, signing)| signing.write(folder.path(), apex, &format!("file-{apex}zone"), text))
        .collect();
    let mut judges = Judges::new(folder.path(), &files);
    for (apex, text, _) in written {
        for name in names_around(text, apex) {
            for kind in KINDS {
                if judges.lot.below(every) == 0 {
                    judges.ask(&name, kind);
                }
            }
        }
    }
    println!("{} questions; explained: {:?}", judges.asked, judges.explained);
    judges.asked
}

#[test]
fn generated_zones() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for seed in 0..8 {
        for signing in Signing::ALL {
            let apex = format!("z{seed}-{signing:?}.test.").to_lowercase();
            let text = generated::zone(&apex, seed);
            files.push(signing.write(folder.path(), &apex, &format!("{apex}zone"), &text));
        }
    }
    let mut judges = Judges::new(folder.path(), &files);
    for file in &files {
        for _ in 0..900 {
            let name = format!("{}.{}", generated::some_labels(&mut judges.lot), file.apex);
            let kind = judges.lot.one_of(&KINDS);
            judges.ask(&name.parse().unwrap(), kind);
        }
    }
    println!("{} questions; explained: {:?}", judges.asked, judges.explained);
    assert!(judges.asked > 20_000, "only {} questions", judges.asked);
}
