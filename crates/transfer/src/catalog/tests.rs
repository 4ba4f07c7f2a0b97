//! What catalogs say, and what follows.

use super::*;
use proptest::prelude::*;

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// `OWNER TYPE DATA`; data is a name, or texts.
fn record(line: &str) -> Record {
    let (owner, rest) = line.split_once(' ').unwrap();
    let (kind, data) = rest.split_once(' ').unwrap();
    let kind: RecordType = kind.parse().unwrap();
    let texts = || data.split(' ').flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect();
    let data: Vec<u8> = if kind == RecordType::TXT { texts() } else { name(data).as_wire().into() };
    Record { owner: name(owner), kind, ttl: 0, data: data.into() }
}

fn groups() -> BTreeSet<String> {
    ["partners", "internal"].map(str::to_owned).into()
}

fn read_at_most(most: usize, catalog: &str, lines: &[&str]) -> Result<Catalog, Broken> {
    let groups = groups();
    let records = lines.iter().map(|line| record(&line.replace('@', catalog)));
    Catalog::of(&name(catalog), records, Reading { groups: &groups, most })
}

fn read(catalog: &str, lines: &[&str]) -> Result<Catalog, Broken> {
    read_at_most(3, catalog, lines)
}

/// Zones, their labels and the rest, as one line each.
fn shown(membership: &Membership) -> Vec<String> {
    membership.text().lines().map(str::to_owned).collect()
}

const VERSION: &str = "version.@ TXT 2";

#[test]
fn members_with_their_properties() {
    let catalog = read(
        "c.",
        &[
            "@ NS invalid.",
            VERSION,
            "Uniq.zones.@ PTR Example.",
            "group.uniq.zones.@ TXT nobody-knows",
            "group.uniq.zones.@ TXT partners",
            "group.uniq.zones.@ TXT internal elsewhere",
            "coo.uniq.zones.@ PTR other.",
            "b.zones.@ PTR second.example.",
            "b.zones.@ TXT ignored",
            "deeper.b.zones.@ PTR third.example.",
            "coo.nobody.zones.@ PTR other.",
            "zones.@ PTR fourth.example.",
            "a.zones.ext.@ PTR fifth.example.",
        ],
    );
    insta::assert_debug_snapshot!(catalog.unwrap());
}

#[test]
fn what_breaks_a_catalog() {
    let good = ["a.zones.@ PTR a.", "b.zones.@ PTR b."];
    let mut words = Vec::new();
    for more in [
        &[][..],
        &["version.@ PTR 2."],
        &["version.@ TXT 1"],
        &["version.@ TXT 2 2"],
        &[VERSION, "version.@ TXT 3"],
        &[VERSION, "a.zones.@ PTR c."],
        &[VERSION, "c.zones.@ PTR A."],
        &[VERSION, "coo.a.zones.@ PTR x.", "coo.a.zones.@ PTR y."],
        &[VERSION, "c.zones.@ PTR c.", "d.zones.@ PTR d."],
    ] {
        words.push(read("c.", &[&good[..], more].concat()).unwrap_err().to_string());
    }
    assert!(read("c.", &[&good[..], &[VERSION, "c.zones.@ PTR c."]].concat()).is_ok(), "as many as may be");
    insta::assert_debug_snapshot!(words);
}

#[test]
fn properties_of_nobody_do_not_fill_the_memory() {
    let mut found = Found::default();
    let groups = groups();
    for n in 0..100 {
        for line in [format!("group.{n}.zones.c. TXT partners"), format!("coo.{n}.zones.c. PTR d.")] {
            let record = record(&line);
            let labels: Vec<Vec<u8>> = record.owner.labels().map(<[u8]>::to_vec).collect();
            let labels: Vec<&[u8]> = labels[..3].iter().map(Vec::as_slice).collect();
            found.take(&labels, record, Reading { groups: &groups, most: 3 }).unwrap();
        }
    }
    assert_eq!((found.groups.len(), found.owners.len()), (3, 3));
}

/// What follows from what these catalogs say; none says nothing now.
fn follow(membership: &Membership, said: &[(&str, Option<&[&str]>)]) -> Step {
    let said = said.iter().map(|(catalog, lines)| {
        let read = |lines: &&[&str]| read(catalog, &[&[VERSION], *lines].concat()).unwrap();
        (name(catalog), lines.as_ref().map(read))
    });
    membership.next(&said.collect(), &BTreeSet::from([name("hand.")]))
}

#[test]
fn zones_come_stay_and_go_with_their_catalog() {
    let step = follow(&Membership::default(), &[("c.", Some(&["1.zones.@ PTR a.", "2.zones.@ PTR b."]))]);
    assert_eq!(shown(&step.membership), ["a. 1.zones.c.", "b. 2.zones.c."]);
    assert_eq!(step.fates, BTreeMap::from([(name("a."), Fate::Added), (name("b."), Fate::Added)]));
    let held = step.membership;
    let silent = follow(&held, &[("c.", None)]);
    assert_eq!((&silent.membership, silent.fates.len()), (&held, 0), "a broken or missing catalog holds");
    let lines = ["1.zones.@ PTR a.", "group.1.zones.@ TXT partners", "9.zones.@ PTR b."];
    let changed = follow(&held, &[("c.", Some(&lines))]);
    assert_eq!(changed.fates, BTreeMap::from([(name("a."), Fate::Regrouped), (name("b."), Fate::Reset)]));
    assert_eq!(shown(&changed.membership), ["a. 1.zones.c. partners", "b. 9.zones.c."]);
    let less = follow(&held, &[("c.", Some(&["2.zones.@ PTR b."]))]);
    assert_eq!(less.fates, BTreeMap::from([(name("a."), Fate::Removed)]));
    let gone = follow(&held, &[]);
    assert_eq!(gone.membership.iter().len(), 0, "the site file has the catalog no more");
    assert_eq!(gone.fates, BTreeMap::from([(name("a."), Fate::Left), (name("b."), Fate::Left)]));
    assert_eq!(
        (gone.lost().count(), less.lost().count(), changed.lost().count()),
        (0, 1, 1),
        "it may be put back"
    );
}

#[test]
fn whoever_has_a_zone_keeps_it() {
    let both: [(&str, Option<&[&str]>); 2] = [
        ("c.", Some(&["1.zones.@ PTR a.", "2.zones.@ PTR hand.", "3.zones.@ PTR www.hand."])),
        ("b.", Some(&["7.zones.@ PTR b."])),
    ];
    let held = follow(&Membership::default(), &both).membership;
    assert_eq!(shown(&held), ["a. 1.zones.c.", "b. 7.zones.b."]);
    let step = follow(&held, &[both[0], ("b.", Some(&["7.zones.@ PTR b.", "8.zones.@ PTR a."]))]);
    assert_eq!(step.membership, held);
    let clash = |zone, catalog, owner| Clash { zone: name(zone), catalog: name(catalog), owner };
    assert_eq!(
        step.clashes,
        [
            clash("a.", "b.", Owner::Catalog(name("c."))),
            clash("hand.", "c.", Owner::SiteFile(name("hand."))),
            clash("www.hand.", "c.", Owner::SiteFile(name("hand."))),
        ]
    );
    let step = follow(&held, &[("c.", Some(&[])), ("b.", Some(&["7.zones.@ PTR b.", "8.zones.@ PTR a."]))]);
    assert_eq!(step.fates, BTreeMap::from([(name("a."), Fate::Reset)]), "let go of, taken by the other");
    assert_eq!(shown(&step.membership), ["a. 8.zones.b.", "b. 7.zones.b."]);
}

#[test]
fn a_zone_moves_when_both_catalogs_say_so() {
    let held = follow(&Membership::default(), &[("c.", Some(&["1.zones.@ PTR a."]))]).membership;
    let leaving: &[&str] = &["1.zones.@ PTR a.", "coo.1.zones.@ PTR d."];
    for not_yet in
        [&[("c.", Some(leaving)), ("d.", Some(&[][..]))][..], &[("c.", Some(leaving)), ("d.", None)]]
    {
        assert_eq!(follow(&held, not_yet).membership, held);
    }
    let unasked: [(&str, Option<&[&str]>); 2] =
        [("c.", Some(&["1.zones.@ PTR a."])), ("d.", Some(&["1.zones.@ PTR a."]))];
    assert_eq!(follow(&held, &unasked).membership, held, "the old one does not let go");
    let same = follow(&held, &[("c.", Some(leaving)), ("d.", Some(&["1.zones.@ PTR a."]))]);
    assert_eq!(same.fates, BTreeMap::from([(name("a."), Fate::Moved)]), "with what there is of it");
    assert_eq!(shown(&same.membership), ["a. 1.zones.d."]);
    let other = follow(&held, &[("c.", Some(leaving)), ("d.", Some(&["2.zones.@ PTR a."]))]);
    assert_eq!(other.fates, BTreeMap::from([(name("a."), Fate::Reset)]));
    let on: &[&str] = &["1.zones.@ PTR a.", "coo.1.zones.@ PTR e."];
    let chain = [("c.", Some(leaving)), ("d.", Some(on)), ("e.", Some(&["1.zones.@ PTR a."][..]))];
    assert_eq!(follow(&held, &chain).membership, held, "whoever gives it away does not take it");
    let after = follow(&same.membership, &[("c.", Some(&[])), ("d.", Some(&["1.zones.@ PTR a."]))]);
    assert_eq!((after.membership, after.fates.len()), (same.membership, 0), "the old one forgets it");
}

#[test]
fn what_is_kept_in_a_file_is_read_again() {
    for text in ["a.", "a. b.c. d e", "a. .", "a. b.", "..  b.zones.c."] {
        let (membership, fault) = Membership::parse(text);
        assert!(fault.is_some() && membership == Membership::default(), "{text}");
    }
    assert_eq!(Membership::parse(""), (Membership::default(), None));
    let (membership, fault) = Membership::parse("a. 1.zones.c.\nnothing\nb. 2.zones.c. partners\nnor this\n");
    assert_eq!(shown(&membership), ["a. 1.zones.c.", "b. 2.zones.c. partners"], "all but what is damaged");
    assert_eq!(fault, Some(MembershipError::Line { line: 2 }));
}

/// Catalogs that list some of a few zones under a few labels, some of them leaving.
fn said() -> impl Strategy<Value = BTreeMap<DomainName, Option<Catalog>>> {
    let listed = (0..3u8, prop::option::of(0..3u8), prop::bool::ANY);
    let catalog = prop::option::of(prop::collection::btree_map(0..5u8, listed, 0..5));
    prop::collection::btree_map(0..3u8, catalog, 0..3).prop_map(|catalogs| {
        let catalog_name = |n: u8| name(&format!("catalog{n}."));
        let read = |members: BTreeMap<u8, (u8, Option<u8>, bool)>| {
            let members = members.into_iter().map(|(zone, (label, owner, grouped))| {
                let listed = Listed {
                    // A label belongs to one zone.
                    label: Label::of(format!("{zone} {label}").as_bytes()),
                    group: grouped.then(|| "partners".to_owned()),
                    new_owner: owner.map(catalog_name),
                };
                (name(&format!("zone{zone}.")), listed)
            });
            Catalog { members: members.collect() }
        };
        catalogs.into_iter().map(|(n, said)| (catalog_name(n), said.map(read))).collect()
    })
}

proptest! {
    #[test]
    fn every_zone_is_there_for_a_reason(histories in prop::collection::vec(said(), 1..6), by_hand in 0..6u8) {
        let by_hand = BTreeSet::from([name(&format!("zone{by_hand}."))]);
        let mut held = Membership::default();
        for said in histories {
            let step = held.next(&said, &by_hand);
            for (zone, member) in step.membership.iter() {
                prop_assert!(!by_hand.contains(zone));
                match &said[&member.catalog] {
                    Some(catalog) => prop_assert_eq!(&catalog.get(zone).unwrap().label, &member.label),
                    None => prop_assert_eq!(held.get(zone), Some(member), "held as it was"),
                }
            }
            for (zone, _) in said.values().flatten().flat_map(Catalog::members) {
                prop_assert!(by_hand.contains(zone) || step.membership.get(zone).is_some(), "{zone} is missing");
            }
            for (zone, member) in held.iter().filter(|(zone, _)| !by_hand.contains(zone)) {
                let kept = step.membership.get(zone).is_some_and(|next| next.label == member.label);
                let fate = step.fates.get(zone);
                let lost = matches!(fate, Some(Fate::Removed | Fate::Reset | Fate::Left));
                prop_assert!(kept || lost, "{zone}: {fate:?}: data of another label would be served");
            }
            let again = step.membership.next(&said, &by_hand);
            prop_assert!(again.fates.is_empty(), "all that is lost is lost at once: {:?}", again.fates);
            prop_assert_eq!(&again.membership, &step.membership);
            let (read, fault) = Membership::parse(&step.membership.text());
            prop_assert_eq!((&read, fault), (&step.membership, None));
            held = step.membership;
        }
    }
}
