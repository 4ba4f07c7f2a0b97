//! One packet for every verdict: the model's answers. `xdp` asks the programs in the kernel for the same.

use crate::cases::{Case, Seen};
use crate::{cases, fleet};
use continuity::search::Knowledge;
use continuity::{Count, Model, Verdict, client_prefix};
use std::net::IpAddr;
use terms::{Family, Timestamp};

fn play(case: &Case) -> (Seen, Option<Verdict>) {
    let prefix = |address: &IpAddr| match address {
        IpAddr::V4(client) => client_prefix(client.to_ipv6_mapped(), Family::Ipv4),
        IpAddr::V6(client) => client_prefix(*client, Family::Ipv6),
    };
    let knowledge = Knowledge {
        sockets: fleet::FAMILIES.map(cases::owned).into(),
        fenced: case.fenced.iter().map(|flow| (*flow, Timestamp::from_nanos(u64::MAX))).collect(),
        learned: case.learned.iter().copied().collect(),
        owners: case.owners.iter().map(|(client, site)| (prefix(client), *site)).collect(),
        ..Knowledge::default()
    };
    let mut model = Model { settings: Some(case.settings.clone()), knowledge };
    let long_after = Timestamp::from_nanos(1 << 40);
    let outcomes = case.frames.iter().map(|frame| model.arrive(frame, case.layer, long_after));
    let last = outcomes.reduce(|_, last| last).unwrap();
    let counts = model.knowledge.counts;
    assert!(counts.add_up(), "{}: {counts:?}", case.name);
    (Seen { action: last.action, frame: last.frame, counts, held: model.knowledge.held }, last.verdict)
}

#[test]
fn every_verdict() {
    let cases = cases::all();
    let text: String = cases.iter().map(|case| cases::render(case, &play(case).0) + "\n").collect();
    insta::with_settings!({ prepend_module_to_snapshot => false,
        omit_expression => true,
        snapshot_path => "../snapshots",
    }, {
        insta::assert_snapshot!("verdicts", text);
    });
    let mut counts: Vec<Count> = cases.iter().filter_map(|case| play(case).1).map(Count::from).collect();
    counts.sort();
    counts.dedup();
    assert_eq!(counts, Count::ALL[..15], "each verdict has its case");
}
