//! The trigger and the decision loop; peers, groups and the disk are those of the test.

use super::*;
use crate::announce::{Decider, Permits, Stage};
use crate::bgp::{Ledger, View};
use crate::export::{self, NextHops};
use crate::fleet;
use crate::status::Shown;
use ::fleet::{Key, local};
use announce::Level;
use api::Told;
use std::collections::BTreeMap;
use terms::{Verdict, WallTime};

const SITE: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"
[[peer]]
name = "bare"
address = "10.1.0.1"
asn = 64500
[[peer]]
name = "transit-a"
address = "10.1.0.2"
asn = 64502
blackhole = { max = 2 }
[[peer]]
name = "transit-b"
address = "10.1.0.3"
asn = 64503
blackhole = { shortest4 = 25 }
[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = { name = "example.", type = "SOA" }
"#;

/// A site whose peers have sessions and write down at once what they are to know.
struct Bench {
    directory: tempfile::TempDir,
    board: Board,
    store: Option<Embedded>,
    requests: mpsc::Sender<Request>,
    decision: watch::Receiver<Arc<Decision>>,
    stage: Stage,
}

/// A task that tells a peer of every decision, as far as one can be told here.
fn peer(of: &config::Peer, mut decision: watch::Receiver<Arc<Decision>>) -> Peer {
    let hops = export::next_hops(&of.next_hops, Some("10.1.0.10".parse().unwrap()));
    let families = of.session.families.clone();
    let view = View::for_test(StateName::Established, families, NextHops::clone(&hops), Ledger::default());
    let (shown, view) = watch::channel(View { policy: of.policy.clone(), ..view });
    let name = of.name.clone();
    tokio::spawn(async move {
        while decision.changed().await.is_ok() {
            let now = decision.borrow_and_update().clone();
            shown.send_modify(|view| {
                let told = export::routes(&now, &view.towards(&name));
                view.ledger.note(&told, WallTime(1));
            });
        }
    });
    Peer::for_test(of.name.clone(), of.address.ip(), of.session.peer_asn, view)
}

impl Bench {
    async fn start() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let store = memory::open(directory.path(), &Bus::for_test()).unwrap();
        Bench::start_with(directory, store).await
    }

    async fn start_with(directory: tempfile::TempDir, store: Option<Embedded>) -> Bench {
        let site_file = config::parse("site.toml", SITE, directory.path()).unwrap();
        let (stage, ears, mouth) = Stage::new();
        let peers = site_file.peers.iter().map(|of| peer(of, stage.decision.clone())).collect();
        stage.shown.send_replace(Shown { peers, ..Shown::default() });
        let (requests, requested) = mpsc::channel(desk::WAITING);
        let (show, blackholes) = watch::channel(Book::new());
        let (clock, bus) = (stage.clock, stage.bus.clone());
        let dns = fleet::DnsSaid::for_test();
        let (fleet, _, _) =
            fleet::join(&site_file, clock, bus.clone(), stage.groups.clone(), stage.loads.clone(), dns);
        let book = recall(store.as_ref(), clock.wall(), &bus).await;
        let decider = Decider::new(stage.groups_of(&site_file), Arc::default(), Permits::Alone, mouth);
        tokio::spawn(decider.blackholing(wanted(&book)).run(ears, BTreeMap::new()));
        let board = Board { blackholes, ..stage.board(site_file.site.name.clone(), fleet) };
        let trigger = Trigger::new(board.clone(), store.clone(), book, stage.commands.clone(), show);
        tokio::spawn(desk::attend(trigger, clock, requested));
        Bench { directory, board, store, requests, decision: stage.decision.clone(), stage }
    }

    /// The group is proven and announced.
    async fn up(&mut self) {
        for _ in 0..3 {
            self.stage.check(0, Verdict::Pass).await;
        }
        let is_up =
            |decision: &Arc<Decision>| decision.groups.iter().all(|group| group.level == Level::Normal);
        self.decision.wait_for(is_up).await.unwrap();
    }

    async fn order(&self, change: impl FnOnce(&mut BlackholeOrder)) -> Result<BlackholeAnswer, Refused> {
        let mut order = BlackholeOrder {
            schema: Schema,
            kind: BlackholeOrderKind::Begin,
            prefix: "198.18.0.99/32".parse().unwrap(),
            peers: Default::default(),
            for_ms: None,
            reason: Some("flood".to_owned()),
            who: Some("alice".to_owned()),
            override_guard: false,
            dry_run: false,
        };
        change(&mut order);
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request { order, caller: Caller { uid: Some(0) }, answer }).await.unwrap();
        answered.await.unwrap()
    }

    async fn begin(&self, prefix: &str) -> Result<BlackholeAnswer, Refused> {
        self.order(|order| order.prefix = prefix.parse().unwrap()).await
    }

    async fn end(&self, prefix: &str) -> Result<BlackholeAnswer, Refused> {
        let change = |order: &mut BlackholeOrder| {
            (order.kind, order.reason) = (BlackholeOrderKind::End, None);
            order.prefix = prefix.parse().unwrap();
        };
        self.order(change).await
    }

    /// Who has a prefix from us now.
    fn has(&self, prefix: &str) -> Vec<String> {
        let prefix = prefix.parse().unwrap();
        let peers = self.board.shown.borrow().peers.clone();
        let has = peers.iter().filter(|peer| {
            let view = peer.view.borrow();
            view.ledger.entry(prefix).is_some_and(|entry| entry.attributes.is_some())
        });
        has.map(|peer| peer.name.to_string()).collect()
    }

    fn standing(&self) -> Vec<String> {
        self.board.status().blackholes.iter().map(|blackhole| blackhole.prefix.to_string()).collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.board
            .bus
            .latest()
            .into_iter()
            .map(|row| row.kind)
            .filter(|kind| kind.starts_with("black"))
            .collect()
    }

    fn alarms(&self) -> Vec<String> {
        self.board.bus.alarms().into_iter().map(|alarm| format!("{} {}", alarm.kind, alarm.subject)).collect()
    }

    async fn kept(&self) -> Option<Book> {
        local::recall(self.store.as_ref().unwrap(), &Key::blackholes()).await.unwrap()
    }
}

fn refusal(outcome: Result<BlackholeAnswer, Refused>) -> String {
    match outcome.unwrap_err() {
        Refused::Faulty(refusal) => format!("2: {refusal}"),
        Refused::No(refusal) => format!("1: {refusal}"),
    }
}

fn told(answer: &BlackholeAnswer) -> Vec<(&str, Told, bool)> {
    let rows = answer.blackhole.peers.iter();
    rows.map(|row| (row.peer.as_str(), row.told, row.gets.is_some())).collect()
}

#[tokio::test]
async fn those_who_take_it_are_told_and_forget_it_at_its_end() {
    let mut bench = Bench::start().await;
    bench.up().await;
    let before = bench.has("198.18.0.0/24");
    let answer = bench.begin("198.18.0.99/32").await.unwrap();
    let (no, yes) = (Told::None, Told::Announced);
    assert_eq!(told(&answer), [("bare", no, false), ("transit-a", yes, true), ("transit-b", yes, true)]);
    assert_eq!(answer.blackhole.until.0 - answer.blackhole.when.0, BlackholeOrder::FOR_MS);
    assert_eq!(answer.blackhole.who.as_str(), "alice (as root)");
    assert_eq!(answer.remarks, []);
    assert_eq!(bench.has("198.18.0.99/32"), ["transit-a", "transit-b"]);
    assert_eq!(bench.alarms(), ["blackhole 198.18.0.99/32"]);
    assert_eq!((bench.standing().len(), bench.kept().await.unwrap().len()), (1, 1));
    let explained = bench.board.explain("198.18.0.99/32".parse().unwrap()).unwrap();
    assert_eq!(explained.blackhole.as_ref(), bench.board.status().blackholes.first());
    assert_eq!((explained.group.as_str(), explained.why.len()), ("dns", 1));

    let ended = bench.end("198.18.0.99/32").await.unwrap();
    let gone = Told::Withdrawn;
    assert_eq!(told(&ended), [("bare", no, false), ("transit-a", gone, false), ("transit-b", gone, false)]);
    assert_eq!((bench.standing().len(), bench.kept().await.unwrap().len()), (0, 0));
    assert!(bench.alarms().is_empty() && bench.has("198.18.0.99/32").is_empty());
    assert_eq!(bench.kinds(), ["blackhole-begun", "blackhole-ended"]);
    assert_eq!(bench.has("198.18.0.0/24"), before, "nothing else has changed");
}

#[tokio::test]
async fn its_time_ends_it() {
    let mut bench = Bench::start().await;
    bench.up().await;
    bench.order(|order| order.for_ms = Some(1000)).await.unwrap();
    let over = async {
        while !bench.has("198.18.0.99/32").is_empty() || !bench.kept().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    // Far more than it takes on any machine.
    tokio::time::timeout(Duration::from_secs(60), over).await.expect("the peers still have it");
    assert_eq!(bench.kinds(), ["blackhole-begun", "blackhole-expired"]);
    assert!(bench.alarms().is_empty());
}

#[tokio::test]
async fn ordered_again_it_has_the_new_time_and_the_new_peers_and_its_place() {
    let mut bench = Bench::start().await;
    bench.up().await;
    bench.order(|order| order.for_ms = Some(1000)).await.unwrap();
    bench.begin("198.18.0.98/32").await.unwrap();
    let again = |order: &mut BlackholeOrder| order.peers = ["transit-b".parse().unwrap()].into();
    bench.order(again).await.unwrap();
    assert_eq!(bench.has("198.18.0.99/32"), ["transit-b"]);
    assert_eq!(bench.standing(), ["198.18.0.99/32", "198.18.0.98/32"]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(bench.standing().len(), 2, "the first time counts no more");
    assert_eq!(bench.alarms().len(), 2);
}

#[tokio::test]
async fn a_rehearsal_changes_nothing_at_all() {
    let mut bench = Bench::start().await;
    bench.up().await;
    let answer = bench.order(|order| order.dry_run = true).await.unwrap();
    let (no, gets) = (Told::None, [false, true, true]);
    assert_eq!(
        told(&answer),
        [("bare", no, gets[0]), ("transit-a", no, gets[1]), ("transit-b", no, gets[2])]
    );
    let refused = bench.order(|order| {
        order.dry_run = true;
        order.prefix = "198.18.0.53/32".parse().unwrap();
    });
    assert!(refusal(refused.await).starts_with("1: "));
    assert!(bench.kinds().is_empty() && bench.standing().is_empty());
    assert_eq!(bench.kept().await, None);
}

#[tokio::test]
async fn what_may_not_be_dropped_is_refused_and_says_why() {
    let mut bench = Bench::start().await;
    bench.up().await;
    let mut refusals = Vec::new();
    for prefix in [
        "192.0.2.1/32",
        "198.18.0.0/24",
        "198.18.0.0/16",
        "198.18.0.53/32",
        "198.18.0.0/25",
        "198.18.0.128/30",
    ] {
        let outcome = bench.order(|order| {
            order.prefix = prefix.parse().unwrap();
            if prefix.ends_with("/30") {
                order.peers = ["transit-a".parse().unwrap()].into();
            }
        });
        refusals.push(format!("{prefix}\n  {}", refusal(outcome.await)));
    }
    type Change = fn(&mut BlackholeOrder);
    let orders: [(&str, Change); 9] = [
        ("a stranger", |order| order.peers = ["transit-x".parse().unwrap()].into()),
        ("one that takes none", |order| order.peers = ["bare".parse().unwrap()].into()),
        ("no reason", |order| order.reason = Some("  ".to_owned())),
        ("a long reason", |order| order.reason = Some("x".repeat(201))),
        ("too short", |order| order.for_ms = Some(999)),
        ("too long", |order| order.for_ms = Some(BlackholeOrder::LONGEST_FOR_MS + 1)),
        ("the end of nothing", |order| order.kind = BlackholeOrderKind::End),
        ("an end with a time", |order| (order.kind, order.for_ms) = (BlackholeOrderKind::End, Some(1000))),
        ("another family", |order| order.prefix = "2001:db8:53::1/128".parse().unwrap()),
    ];
    for (what, change) in orders {
        refusals.push(format!("{what}\n  {}", refusal(bench.order(change).await)));
    }
    bench.begin("198.18.0.98/32").await.unwrap();
    bench.begin("198.18.0.99/32").await.unwrap();
    refusals.push(format!("one too many\n  {}", refusal(bench.begin("198.18.0.97/32").await)));
    assert_eq!(bench.standing().len(), 2);
    assert!(bench.has("198.18.0.97/32").is_empty() && bench.has("198.18.0.53/32").is_empty());
    insta::assert_snapshot!(refusals.join("\n"));
}

#[tokio::test]
async fn a_service_is_given_up_only_where_somebody_says_so() {
    let mut bench = Bench::start().await;
    bench.up().await;
    assert!(refusal(bench.begin("198.18.0.53/32").await).contains("--override-guard"));
    assert_eq!(bench.kinds(), ["blackhole-refused"]);
    let boldly = |order: &mut BlackholeOrder| {
        order.prefix = "198.18.0.53/32".parse().unwrap();
        order.override_guard = true;
    };
    let answer = bench.order(boldly).await.unwrap();
    assert!(answer.remarks[0].as_str().starts_with("the service at 198.18.0.53 is gone for"), "{answer:?}");
    let state = bench.board.status().groups[0].state;
    assert_eq!(state, api::GroupState::Up, "no machine hears of it");
    assert!(bench.board.bus.alarms()[0].text.as_str().contains("guard overridden"));
}

#[tokio::test]
async fn before_the_group_is_announced_it_is_not_told_and_says_so() {
    let mut bench = Bench::start().await;
    let answer = bench.begin("198.18.0.99/32").await.unwrap();
    let remarks: Vec<&str> = answer.remarks.iter().map(Reason::as_str).collect();
    let words = "is not told yet: it has no route of ours around it now";
    assert_eq!(remarks, [format!("transit-a {words}"), format!("transit-b {words}")]);
    assert!(bench.has("198.18.0.99/32").is_empty());
    bench.up().await;
    while bench.has("198.18.0.99/32").len() < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn another_process_goes_on_with_what_is_left_of_the_time() {
    let mut bench = Bench::start().await;
    bench.up().await;
    bench.begin("198.18.0.99/32").await.unwrap();
    let (directory, store) = (bench.directory, bench.store);
    let mut book: Book = local::recall(store.as_ref().unwrap(), &Key::blackholes()).await.unwrap().unwrap();
    let over = Standing {
        prefix: "198.18.0.98/32".parse().unwrap(),
        when: WallTime(1),
        until: WallTime(1001),
        ..book[0].clone()
    };
    book.push(over);
    local::keep(store.as_ref().unwrap(), &Key::blackholes(), &book).await.unwrap();
    let mut next = Bench::start_with(directory, store).await;
    assert_eq!(next.standing(), ["198.18.0.99/32"]);
    assert_eq!(next.kinds(), ["blackhole-stands", "blackhole-expired"]);
    assert_eq!(next.alarms(), ["blackhole 198.18.0.99/32"]);
    next.up().await;
    while next.has("198.18.0.99/32").len() < 2 {
        tokio::task::yield_now().await;
    }
    next.end("198.18.0.99/32").await.unwrap();
    assert!(next.has("198.18.0.99/32").is_empty());
}

#[tokio::test]
async fn without_a_disk_it_stands_and_an_alarm_says_that_a_restart_forgets_it() {
    let mut bench = Bench::start_with(tempfile::tempdir().unwrap(), None).await;
    bench.up().await;
    let answer = bench.begin("198.18.0.99/32").await.unwrap();
    assert!(answer.remarks[0].as_str().starts_with("it is not on disk"), "{answer:?}");
    assert_eq!(bench.has("198.18.0.99/32").len(), 2);
    assert_eq!(bench.alarms(), ["blackholes-not-kept ", "blackhole 198.18.0.99/32"]);
}

#[tokio::test]
async fn what_is_not_understood_drops_nothing_and_alarms() {
    let directory = tempfile::tempdir().unwrap();
    let store = memory::open(directory.path(), &Bus::for_test()).unwrap();
    local::keep(store.as_ref().unwrap(), &Key::blackholes(), &"words").await.unwrap();
    let mut bench = Bench::start_with(directory, store).await;
    assert!(bench.standing().is_empty());
    assert_eq!(bench.alarms(), ["blackholes-not-kept "]);
    bench.up().await;
    bench.begin("198.18.0.99/32").await.unwrap();
    assert_eq!(bench.alarms(), ["blackhole 198.18.0.99/32"], "it is on disk again");
}
