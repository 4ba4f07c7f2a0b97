//! The programs in the kernel, over one packet for every verdict: their answers are those of the model, to the octet.

use crate::cases::{self, Case, Seen};
use crate::kernel;
use continuity::client_prefix;
use std::net::IpAddr;
use terms::{Family, Timestamp};
use xdp::Continuity;

fn play(programs: &mut Continuity, case: &Case) -> Seen {
    programs.forget().unwrap();
    programs.tell(&case.settings).unwrap();
    let mut fences = programs.fences().unwrap();
    for (flow, learned) in &case.learned {
        fences.learn(flow, *learned).unwrap();
    }
    for flow in &case.fenced {
        fences.fence(flow, Timestamp::from_nanos(u64::MAX)).unwrap();
    }
    for (client, site) in &case.owners {
        let prefix = match client {
            IpAddr::V4(client) => client_prefix(client.to_ipv6_mapped(), Family::Ipv4),
            IpAddr::V6(client) => client_prefix(*client, Family::Ipv6),
        };
        programs.note_owner(prefix, *site).unwrap();
    }
    let before = programs.counts().unwrap();
    let arrive = |frame: &Vec<u8>| kernel::arrive(programs, case.layer, frame);
    let (action, frame) = case.frames.iter().map(arrive).reduce(|_, last| last).unwrap();
    let counts = kernel::counted(programs, &before);
    assert!(counts.add_up(), "{}: {counts:?}", case.name);
    Seen { action, frame, counts, held: fences.held() }
}

#[test]
fn every_verdict() {
    let text = kernel::inside(|pins| {
        let _sockets = kernel::Sockets::open();
        let mut programs = Continuity::load(pins, kernel::ROOM).unwrap();
        let play = |case: &Case| cases::render(case, &play(&mut programs, case)) + "\n";
        cases::all().iter().map(play).collect::<String>()
    });
    let Some(text) = text else { return };
    // The file is that of the model: who accepts a change here, changes what the model is held against.
    insta::with_settings!({
        prepend_module_to_snapshot => false,
        omit_expression => true,
        snapshot_path => "../../../continuity/tests/snapshots",
    }, {
        insta::assert_snapshot!("verdicts", text);
    });
}
