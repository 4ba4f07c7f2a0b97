//! The clerk and the decision loop with real machines; the checks, the fleet and the peers are cells of the test.

mod bench;

use super::*;
use crate::announce::{Decider, Grants, Leave, Permits, Stage, Wishes};
use crate::export::Decision;
use crate::fleet;
use ::fleet::{Key, local};
use announce::{Level, Permit, Wish};
use api::{GroupState, OrderKind, PermitState};
use bench::{Among, Bench, fleet_of};
use std::sync::Arc;
use terms::{FailKind, Verdict};

#[tokio::test]
async fn a_site_on_its_own_drains_one_group_and_leaves_the_other() {
    let mut bench = Bench::start(Among::Nobody).await;
    bench.up().await;
    let ordered = bench.order(OrderKind::Drain, |order| order.service = Some("dns".parse().unwrap())).await;
    let ordered = ordered.unwrap();
    assert!(ordered.accepted && !ordered.dry_run);
    assert_eq!(bench.levels(), [Level::Gshut, Level::Normal]);
    let status = bench.board.status();
    assert_eq!(status.groups[0].intent.who.as_ref().unwrap().as_str(), "alice (as root)");
    assert_eq!(status.groups[1].intent, api::Intent::default());
    bench.order(OrderKind::Resume, |_| ()).await.unwrap();
    assert_eq!(bench.levels(), [Level::Normal, Level::Normal]);
}

#[tokio::test]
async fn a_rehearsal_changes_nothing_at_all() {
    let mut bench = Bench::start(Among::Nobody).await;
    bench.up().await;
    let before = (bench.board.groups.borrow().clone(), bench.board.bus.latest());
    for kind in [OrderKind::Drain, OrderKind::Withdraw, OrderKind::Freeze, OrderKind::ForceAnnounce] {
        let ordered = bench.order(kind, |order| order.dry_run = true).await.unwrap();
        assert!(ordered.dry_run && ordered.accepted, "{kind}");
    }
    assert_eq!((bench.board.groups.borrow().clone(), bench.board.bus.latest()), before);
    assert_eq!(bench.levels(), [Level::Normal, Level::Normal]);
    assert_eq!(bench.kept().await, None);
}

#[tokio::test]
async fn without_a_permit_everything_is_as_it_was() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let Err(Refused::No(refusal)) = bench.order(OrderKind::Withdraw, |_| ()).await else {
        panic!("it obeyed")
    };
    assert!(refusal.error.ends_with("nothing has changed"), "{refusal}");
    assert!(refusal.hint.unwrap().contains("--override-guard"));
    assert_eq!(bench.levels(), [Level::Normal, Level::Normal]);
    assert_eq!(bench.states(), [GroupState::Up, GroupState::Up]);
    let mut wishes = bench.wishes.clone();
    wishes.wait_for(|wishes| wishes.values().all(|(wish, _)| *wish == Wish::Release)).await.unwrap();
    assert_eq!(bench.told("order-refused"), 2);
    assert!(bench.board.status().groups.iter().all(|group| group.intent == api::Intent::default()));
    assert_eq!(bench.kept().await, None);
}

#[tokio::test]
async fn an_overridden_guard_is_not_asked() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let ordered = bench.order(OrderKind::Withdraw, |order| order.override_guard = true).await.unwrap();
    assert!(ordered.groups.iter().all(|group| group.permit == PermitState::NotNeeded));
    assert_eq!(bench.states(), [GroupState::Off, GroupState::Off]);
}

#[tokio::test]
async fn a_permit_that_comes_in_time_lets_the_order_through() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let order = bench.order(OrderKind::Withdraw, |_| ());
    let mut wishes = bench.wishes.clone();
    let granting = async {
        wishes.wait_for(|wishes| wishes.len() == 2).await.unwrap();
        assert_eq!(bench.levels(), [Level::Normal, Level::Normal], "nothing goes before it may");
        bench.grant();
    };
    let (ordered, ()) = tokio::join!(order, granting);
    assert!(ordered.unwrap().accepted);
    assert_eq!(bench.states(), [GroupState::Off, GroupState::Off]);
}

#[tokio::test]
async fn orders_are_carried_out_one_after_the_other() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let (drain, freeze) =
        tokio::join!(bench.order(OrderKind::Drain, |_| ()), bench.order(OrderKind::Freeze, |_| ()));
    assert!(matches!(drain, Err(Refused::No(_))));
    assert!(freeze.unwrap().accepted);
    let kinds: Vec<_> = bench.board.status().groups.iter().map(|group| group.intent.kind).collect();
    assert_eq!(
        kinds,
        [api::IntentKind::Freeze; 2],
        "the order that was put back did not undo the one behind it"
    );
}

#[tokio::test]
async fn the_time_of_an_order_ends_it() {
    let mut bench = Bench::start(Among::Nobody).await;
    bench.up().await;
    bench.order(OrderKind::Drain, |order| order.for_ms = Some(1000)).await.unwrap();
    assert_eq!(bench.levels(), [Level::Gshut, Level::Gshut]);
    bench.until(|groups| groups.iter().all(|group| group.output == api::Output::Normal)).await;
    assert_eq!(bench.told("order-expired"), 2);
}

#[tokio::test]
async fn an_order_stands_in_the_next_process() {
    let mut bench = Bench::start(Among::Nobody).await;
    bench.up().await;
    bench.order(OrderKind::Withdraw, |order| order.service = Some("web".parse().unwrap())).await.unwrap();
    let Bench { directory, store, .. } = bench;
    let mut next = Bench::start_with(Among::Nobody, directory, store).await;
    for _ in 0..5 {
        next.check(0, Verdict::Pass).await;
        next.check(1, Verdict::Pass).await;
    }
    next.until(|groups| groups[0].state == GroupState::Up && groups[1].checks[0].run >= 5).await;
    assert_eq!(next.levels(), [Level::Normal, Level::None]);
    assert_eq!(next.board.status().groups[1].intent.kind, api::IntentKind::Withdraw);
}

#[tokio::test]
async fn an_order_that_cannot_be_kept_stands_and_says_so() {
    let mut bench = Bench::start_with(Among::Nobody, tempfile::tempdir().unwrap(), None).await;
    bench.up().await;
    let ordered = bench.order(OrderKind::Freeze, |_| ()).await.unwrap();
    assert!(ordered.remarks.iter().any(|remark| remark.as_str().contains("not on disk")), "{ordered:?}");
    assert!(bench.board.bus.alarms().iter().any(|alarm| alarm.kind == ORDERS_NOT_KEPT));
    assert_eq!(bench.board.status().groups[0].intent.kind, api::IntentKind::Freeze);
}

#[tokio::test]
async fn orders_that_were_lost_alarm_until_the_next_one_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let store = memory::open(directory.path(), &Bus::for_test()).unwrap();
    local::keep(store.as_ref().unwrap(), &Key::orders(), &"no orders").await.unwrap();
    let mut bench = Bench::start_with(Among::Nobody, directory, store).await;
    let alarms = |bench: &Bench| bench.board.bus.alarms().iter().any(|alarm| alarm.kind == ORDERS_NOT_KEPT);
    assert!(alarms(&bench));
    bench.up().await;
    bench.order(OrderKind::Drain, |_| ()).await.unwrap();
    assert!(!alarms(&bench));
}

#[tokio::test]
async fn a_daemon_that_stops_goes_down_to_the_last_resort_and_takes_no_orders() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let leave = async |leave| {
        let (decided, answer) = oneshot::channel();
        let who = Reason::from("SIGTERM");
        bench.commands.send(Command::Leave { leave, who, decided }).await.unwrap();
        answer.await.unwrap()
    };
    assert!(leave(Leave::InOrder).await.is_some(), "something is announced");
    assert_eq!(bench.levels(), [Level::Gshut, Level::Gshut], "without a permit");
    let Err(Refused::No(refusal)) = bench.order(OrderKind::Resume, |_| ()).await else { panic!("it obeyed") };
    assert!(refusal.error.contains("stopping"), "{refusal}");
    leave(Leave::AtOnce).await;
    assert_eq!(bench.levels(), [Level::None, Level::None]);
}

#[tokio::test]
async fn a_failure_while_an_order_waits_is_decided_at_once() {
    let mut bench = Bench::start(Among::OtherSites).await;
    bench.up().await;
    let (answer, _answered) = oneshot::channel();
    let order = api::Order {
        schema: Schema,
        kind: OrderKind::Drain,
        service: None,
        for_ms: None,
        reason: Some("line card".to_owned()),
        who: None,
        override_guard: false,
        dry_run: false,
    };
    bench.requests.send(Request { order, caller: Caller { uid: None }, answer }).await.unwrap();
    bench.wishes.wait_for(|wishes| wishes.len() == 2).await.unwrap();
    let fail = || Verdict::Fail { kind: FailKind::Definite, reason: "refused".into() };
    bench.check(0, fail()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.check(0, fail()).await;
    bench.until(|groups| groups[0].state == GroupState::Held).await;
    assert_eq!(bench.levels(), [Level::Gshut, Level::Normal]);
}

#[tokio::test]
async fn two_operators_who_drain_at_once_act_at_one_site_of_three() {
    // Two may be away by their permits: it is the token that keeps the second one here.
    let (_fleet, sites) = fleet_of(&["london", "paris", "tokyo"]).await;
    let [london, paris, _] = &sites[..] else { panic!("three sites") };
    let (first, second) =
        tokio::join!(london.order(OrderKind::Drain, |_| ()), paris.order(OrderKind::Drain, |_| ()));
    let (done, stays, acting, no) = match (first, second) {
        (Ok(_), Err(no)) => (london, paris, "london", no),
        (Err(no), Ok(_)) => (paris, london, "paris", no),
        both => panic!("{both:?}"),
    };
    assert_eq!(done.levels(), [Level::Gshut, Level::Gshut]);
    assert_eq!(stays.levels(), [Level::Normal, Level::Normal]);
    let Refused::No(refusal) = no else { panic!("it made sense: {no:?}") };
    let named = format!("have acted at {acting} until ");
    assert!(refusal.error.contains("at most 1 of 3 sites") && refusal.error.contains(&named), "{refusal}");
    assert!(refusal.error.contains("UTC (alice (as root) ordered to drain: line card)"), "{refusal}");
    assert_eq!(stays.told("order-refused"), 2);

    // Lifting the order and giving it again is the same action; the other site still has to wait.
    done.order(OrderKind::Resume, |_| ()).await.unwrap();
    assert!(done.order(OrderKind::Drain, |order| order.dry_run = true).await.unwrap().accepted);
    done.order(OrderKind::Drain, |_| ()).await.unwrap();
    let rehearsed = stays.order(OrderKind::Withdraw, |order| order.dry_run = true).await.unwrap();
    assert!(!rehearsed.accepted);
    assert!(rehearsed.remarks.iter().any(|remark| remark.as_str().contains(&named)), "{rehearsed:?}");
    stays.order(OrderKind::Freeze, |_| ()).await.unwrap();
    stays.order(OrderKind::Withdraw, |order| order.override_guard = true).await.unwrap();
    assert_eq!(stays.levels(), [Level::None, Level::None]);
}

#[tokio::test]
async fn a_token_of_an_order_that_got_no_permit_goes_to_the_next_site() {
    // One site must stay, so of two only one may go; each of them may be acted on by its operator.
    let (_fleet, mut sites) = fleet_of(&["london", "paris"]).await;
    let [london, paris] = &mut sites[..] else { panic!("two sites") };
    let away =
        async |site: &Bench| site.order(OrderKind::Withdraw, |order| order.override_guard = true).await;
    away(london).await.unwrap();
    while paris.board.fleet.status().groups.iter().any(|group| group.taken == 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let Err(Refused::No(refusal)) = paris.order(OrderKind::Drain, |_| ()).await else { panic!("it went") };
    assert!(refusal.error.contains("did not permit it"), "{refusal}");
    london.order(OrderKind::Resume, |_| ()).await.unwrap();
    london.up().await;
    let has = "the fleet has an operator token for this site";
    let is_free = async || {
        let rehearsed = london.order(OrderKind::Drain, |order| order.dry_run = true).await.unwrap();
        rehearsed.accepted && rehearsed.remarks.iter().any(|remark| remark.as_str() == has)
    };
    // The refusal does not wait until it is given back.
    for _ in 0..250 {
        if is_free().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("paris keeps a token that it does not use");
}
