//! From the site file to a driver, and to what the rest of the daemon needs of it.

use super::token::Tokens;
use super::{DnsSaid, Driver, Identity, Kept, ORDERS, Request, Said, Wires, view};
use crate::announce::{Grants, Permits, Wishes};
use crate::clock::Clock;
use crate::events::Bus;
use crate::load::Loads;
use crate::succession::{Hold, StandStill};
use ::fleet::{Etcd, Store, etcd};
use announce::permit::Speaker;
use api::{FleetStatus, Schema, StoreState};
use config::SiteFile;
use tokio::sync::{mpsc, watch};

/// What the API shows of the fleet, and where it takes orders for it.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    identity: Identity,
    views: watch::Receiver<Vec<api::Group>>,
    loads: watch::Receiver<Loads>,
    joined: Option<Joined>,
}

#[derive(Clone, Debug)]
struct Joined {
    shown: watch::Receiver<FleetStatus>,
    orders: mpsc::Sender<Request>,
    tokens: Tokens,
    still: mpsc::Sender<StandStill<Kept>>,
}

/// Prepares what the site file says: a site on its own, or one of a fleet, whose driver is to be run.
pub(crate) fn join(
    site_file: &SiteFile,
    clock: Clock,
    bus: Bus,
    views: watch::Receiver<Vec<api::Group>>,
    loads: watch::Receiver<Loads>,
    dns: DnsSaid,
) -> (Fleet, Permits, Option<Driver<Etcd>>) {
    let Some(fleet) = &site_file.fleet else {
        let fleet = Fleet { identity: identity(site_file, clock), views, loads, joined: None };
        return (fleet, Permits::Alone, None);
    };
    let (fleet, permits, driver) =
        connect(site_file, Etcd::new(store_settings(fleet)), clock, bus, views, loads, dns);
    (fleet, permits, Some(driver))
}

/// Prepares a site of a fleet that agrees by this store.
pub(crate) fn connect<S: Store>(
    site_file: &SiteFile,
    store: S,
    clock: Clock,
    bus: Bus,
    views: watch::Receiver<Vec<api::Group>>,
    loads: watch::Receiver<Loads>,
    dns: DnsSaid,
) -> (Fleet, Permits, Driver<S>) {
    let identity = identity(site_file, clock);
    let (wishes, wished) = watch::channel(Wishes::new());
    let (says, grants) = watch::channel(Grants::new());
    let (orders, ordered) = mpsc::channel(ORDERS);
    let (tokens, errands) = Tokens::new();
    let (shows, shown) = watch::channel(view::empty(&identity.speaker, StoreState::Starting));
    let (still, asked) = mpsc::channel(1);
    let wires = Wires {
        still: asked,
        clock,
        bus,
        wishes: wished,
        grants: says,
        views: views.clone(),
        loads: loads.clone(),
        dns,
        shown: shows,
        orders: ordered,
        errands,
    };
    let driver = Driver::new(store, identity.clone(), wires);
    let joined = Some(Joined { shown, orders, tokens, still });
    (Fleet { identity, views, loads, joined }, Permits::Fleet { wishes, grants }, driver)
}

impl Fleet {
    /// The fleet as this host sees it; a site on its own sees itself.
    pub(crate) fn status(&self) -> FleetStatus {
        match &self.joined {
            Some(joined) => joined.shown.borrow().clone(),
            None => view::alone(&self.identity, &self.views.borrow(), &self.loads.borrow()),
        }
    }

    /// Has the driver stand still. Answers with what holds it, and with the permits of the groups.
    pub(crate) async fn stand_still(&self) -> (Option<Hold>, Kept) {
        let Some(joined) = &self.joined else { return Default::default() };
        let (ask, hold, said) = StandStill::ask();
        // A driver that is gone has no permits.
        if joined.still.send(ask).await.is_err() {
            return Default::default();
        }
        (Some(hold), said.await.unwrap_or_default())
    }

    /// Where tokens are had; a site on its own needs none.
    pub(crate) fn tokens(&self) -> Tokens {
        self.joined.as_ref().map_or_else(Tokens::none_needed, |joined| joined.tokens.clone())
    }

    /// Where orders about other sites are taken; nowhere for a site on its own.
    pub(super) fn orders(&self) -> Option<&mpsc::Sender<Request>> {
        self.joined.as_ref().map(|joined| &joined.orders)
    }
}

fn identity(site_file: &SiteFile, clock: Clock) -> Identity {
    let (site, fleet) = (&site_file.site, site_file.fleet.as_ref());
    let place = site.place.as_ref();
    Identity {
        speaker: Speaker { site: site.name.clone(), host: site.host.clone() },
        min_sites: fleet.and_then(|fleet| fleet.min_sites),
        lease: fleet.map_or(config::Fleet::LEASE, |fleet| fleet.lease),
        said: Said {
            schema: Schema,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: clock.wall(),
            city: place.map(|place| place.city.clone()),
            at: place.map(|place| place.at),
            groups: Vec::new(),
            cookies: None,
            zones: Vec::new(),
        },
    }
}

/// How the store is reached.
pub(crate) fn store_settings(fleet: &config::Fleet) -> etcd::Settings {
    etcd::Settings {
        endpoints: fleet.etcd.iter().map(ToString::to_string).collect(),
        tls: fleet
            .tls
            .as_ref()
            .map(|tls| etcd::Tls { ca_file: tls.ca_file.clone(), identity: tls.identity.clone() }),
        login: fleet.login.as_ref().map(|login| etcd::Login {
            username: login.username.clone(),
            password_file: login.password_file.clone(),
        }),
        prefix: fleet.prefix.clone(),
    }
}
