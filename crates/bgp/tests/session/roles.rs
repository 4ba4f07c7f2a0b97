//! Who sells to whom: roles in the OPEN, marks on routes (RFC 9234).

use crate::bench::{Bench, FIRST, events, sent, settings, their_open};
use crate::{negotiated, refusal};
use bgp::session::{ErrorCode, Role, Settings, StateName};
use bgp::wire::as_path::AsPath;
use bgp::wire::capability::Capability;
use bgp::wire::message::{KEEPALIVE, Message};
use bgp::wire::open::Open;
use bgp::wire::update::{Update, Verdict};
use std::fmt::Write;
use terms::{Asn, Origin, Prefix};

fn as_role(role: Role) -> Settings {
    Settings { role: Some(role), ..settings() }
}

fn asn(number: u32) -> Asn {
    number.try_into().unwrap()
}

/// A session that is up; the neighbour says its role or does not.
fn up(role: Role, theirs: Option<Role>) -> Bench {
    let mut open = their_open();
    open.capabilities.extend(theirs.map(Capability::Role));
    let mut bench = Bench::in_state(StateName::OpenSent, as_role(role));
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    assert_eq!(bench.session.state(), StateName::Established);
    bench
}

/// RFC 9234 section 4.2, table 2: every pair.
#[test]
fn roles_that_do_not_go_together_are_refused() {
    let mut table = String::new();
    for ours in Role::ALL {
        for theirs in Role::ALL {
            let mut open = their_open();
            open.capabilities.push(Capability::Role(theirs));
            let mut bench = Bench::in_state(StateName::OpenSent, as_role(ours));
            let outputs = bench.say(FIRST, &open.encode());
            let result = match bench.session.state() {
                StateName::OpenConfirm => "go together".to_owned(),
                _ => refusal(&outputs).to_string(),
            };
            let [ours, theirs] = [ours, theirs].map(|role| role.to_string());
            writeln!(table, "{ours:<10} {theirs:<10} {result}").unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn our_role_is_offered_and_a_neighbour_without_one_is_taken_unless_we_are_strict() {
    let mut bench = Bench::in_state(StateName::Active, as_role(Role::Customer));
    let open = crate::our_open(&mut bench);
    assert!(open.capabilities.contains(&Capability::Role(Role::Customer)));
    up(Role::Customer, None);
    let strict = Settings { role_strict: true, ..as_role(Role::Customer) };
    let mut bench = Bench::in_state(StateName::OpenSent, strict.clone());
    assert_eq!(refusal(&bench.say(FIRST, &their_open().encode())).error, ErrorCode::ROLE_MISMATCH);
    let mut open = their_open();
    open.capabilities.push(Capability::Role(Role::Provider));
    let mut bench = Bench::in_state(StateName::OpenSent, strict);
    bench.say(FIRST, &open.encode());
    assert_eq!(bench.session.state(), StateName::OpenConfirm);
}

fn announced(mark: Option<Asn>) -> Vec<u8> {
    let mut update = Update::default();
    update.attributes.origin = Some(Origin::Igp);
    update.attributes.as_path = Some(AsPath::sequence(vec![settings().peer_asn]));
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.attributes.only_to_customer = mark;
    update.reached = vec!["192.0.2.0/24".parse::<Prefix>().unwrap().into()];
    update.encode(&negotiated()).unwrap()
}

/// RFC 9234 section 5: every role, with no mark, the neighbour's mark, ours and another network's; and the mark that
/// our own routes get.
#[test]
fn marks_show_leaks_and_are_set_where_routes_go_down() {
    let mut table = String::from("we are      heard: no mark  theirs     another's  | told\n");
    for role in Role::ALL {
        let heard = [None, Some(settings().peer_asn), Some(asn(64999))].map(|mark| {
            let mut bench = up(role, Some(role.counterpart()));
            bench.say(FIRST, &announced(mark));
            let received = bench.session.received();
            match (received.accepted, received.leaked) {
                (1, 0) => "taken",
                (0, 1) => "leaked",
                other => panic!("{other:?}"),
            }
        });
        let outputs = up(role, Some(role.counterpart())).want(&["198.18.0.0/24"]);
        let Some(Message::Update(body)) = sent(&outputs).pop() else { panic!() };
        let Verdict::Accept(update) = Verdict::decode(&body, &negotiated()) else { panic!() };
        let told = update.attributes.only_to_customer.map_or("unmarked".to_owned(), |mark| mark.to_string());
        let [none, theirs, another] = heard;
        let role = role.to_string();
        writeln!(table, "{role:<11} {none:<15} {theirs:<10} {another:<10} | {told}").unwrap();
    }
    insta::assert_snapshot!(table);
}

/// The rules hold for the role that we are configured with, also where the neighbour says none.
#[test]
fn leaks_are_told_once_in_a_while() {
    let mut bench = up(Role::Provider, None);
    let outputs = bench.say(FIRST, &announced(Some(asn(64999))).repeat(50));
    assert_eq!(
        events(&outputs),
        ["leaked to us: 192.0.2.0/24; AS 64999 marked them for its customers only"],
        "one event, whatever the number"
    );
    assert_eq!((bench.session.received().leaked, bench.session.received().accepted), (50, 0));
    assert_eq!(bench.session.state(), StateName::Established);
}

/// Within one network roles mean nothing (RFC 9234 section 4.1).
#[test]
fn within_our_network_nothing_is_a_leak() {
    let asn = settings().local_asn;
    let internal = Settings { peer_asn: asn, ..as_role(Role::Provider) };
    let mut bench = Bench::in_state(StateName::OpenSent, internal);
    let capabilities = vec![Capability::FourOctetAsn(asn)];
    let open = Open { asn, capabilities, ..their_open() };
    bench.say(FIRST, &[open.encode(), KEEPALIVE.to_vec()].concat());
    let mut update =
        Update { reached: vec!["192.0.2.0/24".parse::<Prefix>().unwrap().into()], ..Update::default() };
    update.attributes.origin = Some(Origin::Igp);
    update.attributes.as_path = Some(AsPath::sequence(vec![]));
    update.attributes.local_pref = Some(100);
    update.attributes.next_hop = Some([10, 0, 0, 1].into());
    update.attributes.only_to_customer = Some(settings().peer_asn);
    bench.say(FIRST, &update.encode(&negotiated()).unwrap());
    assert_eq!(bench.session.received().leaked, 0);
}
