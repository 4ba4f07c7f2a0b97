//! A site with a real driver, and a decision loop that does as it is told.

use super::super::token::{NoToken, Tokens};
use super::super::{DnsSaid, Driver, Identity, Said, Wires};
use super::cluster::Cluster;
use crate::announce::{Grants, Wishes};
use crate::clock::Clock;
use crate::events::Bus;
use crate::load::Loads;
use ::fleet::{Etcd, etcd};
use announce::permit::{Speaker, Turn};
use announce::{Permit, Wish};
use api::{AwayCause, FleetStatus, GroupState, Output};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::thread::JoinHandle;
use std::time::Duration;
use terms::{GroupName, Reason};
use tokio::sync::{mpsc, oneshot, watch};

/// Short, so that a test is.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// A site whose driver runs on a thread in its namespace.
pub(super) struct Site {
    pub(super) name: String,
    wishes: watch::Sender<Wishes>,
    grants: watch::Receiver<Grants>,
    views: watch::Sender<Vec<api::Group>>,
    shown: watch::Receiver<FleetStatus>,
    tokens: Tokens,
    turn: Cell<u64>,
    /// Dropped, it stops the driver in order.
    _stop: oneshot::Sender<()>,
}

fn group() -> GroupName {
    "dns".parse().unwrap()
}

fn view(output: Output) -> Vec<api::Group> {
    let json = serde_json::json!({
        "name": "dns", "services": ["dns"], "state": GroupState::Up, "output": output, "since": 0, "reason": "",
        "alarms": [], "prefixes": [], "checks": [],
    });
    vec![serde_json::from_value(json).unwrap()]
}

impl Site {
    pub(super) fn start(cluster: &Cluster, name: &str, min_sites: u32) -> Self {
        Site::start_with(cluster, name, min_sites, LEASE)
    }

    pub(super) fn start_with(cluster: &Cluster, name: &str, min_sites: u32, lease: Duration) -> Self {
        cluster.join(name);
        let speaker = Speaker { site: name.parse().unwrap(), host: format!("{name}-1").parse().unwrap() };
        let said = Said::for_test(None);
        let (wishes, wished) = watch::channel(Wishes::new());
        let (says, grants) = watch::channel(Grants::new());
        let (views, viewed) = watch::channel(view(Output::None));
        let (shows, shown) = watch::channel(super::super::view::empty(&speaker, api::StoreState::Starting));
        let (tokens, errands) = Tokens::new();
        let wires = Wires {
            still: mpsc::channel(1).1,
            clock: Clock::start(),
            bus: Bus::for_test(),
            wishes: wished,
            grants: says,
            views: viewed,
            loads: watch::channel(Loads::new()).1,
            dns: DnsSaid::for_test(),
            shown: shows,
            orders: mpsc::channel(1).1,
            errands,
        };
        let settings = etcd::Settings {
            endpoints: cluster.endpoints(),
            tls: None,
            login: None,
            prefix: "catchment".to_owned(),
        };
        let identity = Identity { speaker, min_sites: NonZeroU32::new(min_sites), lease, said };
        let (stop, stopped) = oneshot::channel::<()>();
        let namespace = cluster.namespace(name);
        std::thread::spawn(move || {
            namespace.enter().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Driver::new(Etcd::new(settings), identity, wires).run(stopped));
        });
        Site { name: name.to_owned(), wishes, grants, views, shown, tokens, turn: Cell::new(0), _stop: stop }
    }

    /// The group is announced.
    pub(super) fn announce(&self) {
        self.views.send_replace(view(Output::Normal));
    }

    /// Withdraws everything without asking anybody, and stops.
    pub(super) fn stop(self) {
        self.views.send_replace(view(Output::None));
    }

    /// Whether this site sees that one.
    pub(super) fn sees(&self, name: &str) -> bool {
        self.status().hosts.iter().any(|host| host.site.as_str() == name)
    }

    /// How many sites count as away.
    pub(super) fn taken(&self) -> Option<u32> {
        Some(self.record()?.taken)
    }

    /// The service has failed, or an operator drains.
    pub(super) fn ask(&self) {
        self.wish(Wish::Ask);
    }

    /// Everything is well again.
    pub(super) fn release(&self) {
        self.announce();
        self.wish(Wish::Release);
    }

    fn wish(&self, wish: Wish) {
        self.turn.set(self.turn.get() + 1);
        let turn = Turn(self.turn.get());
        self.wishes.send_modify(|wishes| {
            wishes.insert(group(), (wish, turn));
        });
    }

    /// Whether it has the permit for its latest wish; as soon as it has, it withdraws.
    pub(super) fn holds(&self) -> bool {
        let grant = self.grants.borrow().get(&group()).copied();
        let holds = grant == Some((Permit::Held, Turn(self.turn.get())));
        if holds && self.is_announced() {
            self.views.send_replace(view(Output::None));
        }
        holds
    }

    /// Takes a token for an operator, on a thread of its own.
    pub(super) fn act(&self) -> JoinHandle<Result<BTreeSet<GroupName>, NoToken>> {
        let (tokens, why) = (self.tokens.clone(), Reason::from(format!("alice drains {}", self.name)));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(tokens.take([group()].into(), why))
        })
    }

    pub(super) fn is_announced(&self) -> bool {
        self.views.borrow()[0].output == Output::Normal
    }

    pub(super) fn status(&self) -> FleetStatus {
        self.shown.borrow().clone()
    }

    fn record(&self) -> Option<api::FleetGroup> {
        self.status().groups.into_iter().find(|one| one.name == group())
    }

    /// How many sites are counted on.
    pub(super) fn standing(&self) -> usize {
        self.record().map_or(0, |record| record.members.iter().filter(|member| member.away.is_none()).count())
    }

    /// Why a site is away, as this one sees it.
    pub(super) fn away(&self, name: &str) -> Option<AwayCause> {
        self.record()?.members.into_iter().find(|member| member.site.as_str() == name)?.away
    }

    /// Why it has no permit.
    pub(super) fn refusal(&self) -> Option<String> {
        Some(Reason::to_string(&self.record()?.refusal?))
    }
}
