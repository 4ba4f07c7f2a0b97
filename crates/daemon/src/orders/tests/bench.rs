//! A site of two groups with real machines, and several of them in a fleet.

use super::*;

const SITE: &str = r#"
[site]
name = "london"
asn = 64501
router_id = "10.1.0.10"
drain = "1h"
[[peer]]
name = "transit-a"
address = "10.1.0.1"
asn = 64500
[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = { name = "example.", type = "SOA" }
[[service]]
name = "web"
addresses = ["203.0.113.1"]
announce = ["203.0.113.0/24"]
[[service.check]]
dns = { name = "example.", type = "SOA" }
"#;

/// A site of two groups.
pub(super) struct Bench {
    pub(super) directory: tempfile::TempDir,
    /// Of this machine.
    pub(super) store: Option<Embedded>,
    pub(super) board: Board,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) decision: watch::Receiver<Arc<Decision>>,
    pub(super) wishes: watch::Receiver<Wishes>,
    pub(super) grants: watch::Sender<Grants>,
    pub(super) stage: Stage,
}

/// Whether there is somebody to ask for permits.
pub(super) enum Among {
    Nobody,
    /// The test grants the permits, and no token is needed.
    OtherSites,
    /// A fleet that agrees by this store.
    Fleet(Embedded),
}

impl Bench {
    pub(super) async fn start(among: Among) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let store = memory::open(directory.path(), &Bus::for_test()).unwrap();
        Bench::start_with(among, directory, store).await
    }

    /// A site of a fleet that agrees by this store.
    pub(super) async fn join(fleet: &Embedded, name: &str) -> Bench {
        let among = Among::Fleet(fleet.clone());
        Bench::start_as(name, among, tempfile::tempdir().unwrap(), None).await
    }

    pub(super) async fn start_with(
        among: Among,
        directory: tempfile::TempDir,
        store: Option<Embedded>,
    ) -> Bench {
        Bench::start_as("london", among, directory, store).await
    }

    pub(super) async fn start_as(
        name: &str,
        among: Among,
        directory: tempfile::TempDir,
        store: Option<Embedded>,
    ) -> Bench {
        let site = SITE.replace("london", name);
        let site_file = config::parse("site.toml", &site, directory.path()).unwrap();
        let (stage, ears, mouth) = Stage::new();
        let (clock, bus, groups, loaded) =
            (stage.clock, stage.bus.clone(), stage.groups.clone(), stage.loads.clone());
        let (requests, requested) = mpsc::channel(desk::WAITING);
        let (wished, wishes) = watch::channel(Wishes::new());
        let (grants, granted) = watch::channel(Grants::new());
        let (show_orders, orders_shown) = watch::channel(Shown::new());
        let dns = fleet::DnsSaid::for_test();
        let (alone, _, _) =
            fleet::join(&site_file, clock, bus.clone(), groups.clone(), loaded.clone(), dns.clone());
        let (fleet, permits) = match among {
            Among::Nobody => (alone, Permits::Alone),
            Among::OtherSites => (alone, Permits::Fleet { wishes: wished, grants: granted }),
            Among::Fleet(store) => {
                let (fleet, permits, driver) = fleet::connect(
                    &site_file,
                    store,
                    clock,
                    bus.clone(),
                    groups.clone(),
                    loaded.clone(),
                    dns,
                );
                let (goes_on, stopped) = oneshot::channel();
                tokio::spawn(async move {
                    driver.run(stopped).await;
                    drop(goes_on);
                });
                (fleet, permits)
            }
        };
        let decider = Decider::new(stage.groups_of(&site_file), Arc::new([]), permits, mouth);
        let orders = recall(store.as_ref(), clock.wall(), &bus).await;
        tokio::spawn(decider.run(ears, intents(&orders)));
        let board = Board { orders: orders_shown, ..stage.board(site_file.site.name.clone(), fleet) };
        let (commands, decision) = (stage.commands.clone(), stage.decision.clone());
        let clerk = Clerk::new(board.clone(), store.clone(), orders, commands.clone(), show_orders);
        tokio::spawn(desk::attend(clerk, clock, requested));
        Bench { directory, store, board, commands, requests, decision, wishes, grants, stage }
    }

    /// Both groups are proven and announced.
    pub(super) async fn up(&mut self) {
        for _ in 0..3 {
            self.check(0, Verdict::Pass).await;
            self.check(1, Verdict::Pass).await;
        }
        self.until(|groups| groups.iter().all(|group| group.state == GroupState::Up)).await;
    }

    pub(super) async fn check(&self, slot: usize, verdict: Verdict) {
        self.stage.check(slot, verdict).await;
    }

    pub(super) async fn until(&mut self, is_so: impl Fn(&[api::Group]) -> bool) {
        self.board.groups.wait_for(|groups| is_so(groups)).await.unwrap();
    }

    pub(super) async fn order(
        &self,
        kind: OrderKind,
        change: impl FnOnce(&mut api::Order),
    ) -> Result<Ordered, Refused> {
        let mut order = api::Order {
            schema: Schema,
            kind,
            service: None,
            for_ms: None,
            reason: Some("line card".to_owned()),
            who: Some("alice".to_owned()),
            override_guard: false,
            dry_run: false,
        };
        change(&mut order);
        let (answer, answered) = oneshot::channel();
        let caller = Caller { uid: Some(0) };
        self.requests.send(Request { order, caller, answer }).await.unwrap();
        answered.await.unwrap()
    }

    /// Says yes to every wish that stands.
    pub(super) fn grant(&self) {
        let wishes = self.wishes.borrow().clone();
        let answer = |(name, (wish, turn))| {
            let permit = if wish == Wish::Ask { Permit::Held } else { Permit::None };
            (name, (permit, turn))
        };
        self.grants.send_replace(wishes.into_iter().map(answer).collect());
    }

    /// What the next process would find.
    pub(super) async fn kept(&self) -> Option<Orders> {
        local::recall(self.store.as_ref().unwrap(), &Key::orders()).await.unwrap()
    }

    pub(super) fn levels(&self) -> Vec<Level> {
        self.decision.borrow().groups.iter().map(|group| group.level).collect()
    }

    pub(super) fn states(&self) -> Vec<GroupState> {
        self.board.groups.borrow().iter().map(|group| group.state).collect()
    }

    pub(super) fn told(&self, kind: &str) -> usize {
        self.board.bus.latest().iter().filter(|row| row.kind == kind).count()
    }
}

/// Sites whose groups are announced and that count on each other.
pub(super) async fn fleet_of(names: &[&str]) -> (tempfile::TempDir, Vec<Bench>) {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(&directory.path().join("fleet")).unwrap().store;
    let mut sites = Vec::new();
    for name in names {
        let mut bench = Bench::join(&store, name).await;
        bench.up().await;
        sites.push(bench);
    }
    let complete = |bench: &Bench| {
        let groups = bench.board.fleet.status().groups;
        let standing =
            |group: &api::FleetGroup| group.members.iter().filter(|member| member.away.is_none()).count();
        groups.len() == 2 && groups.iter().all(|group| standing(group) == names.len())
    };
    while !sites.iter().all(complete) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (directory, sites)
}
