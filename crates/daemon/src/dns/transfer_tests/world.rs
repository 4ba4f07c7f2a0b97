//! The service in a network namespace of its own, and what keeps its zones.

use super::*;
use linux::{Namespace, address, link};
use std::process::Command;
use std::time::Instant;

/// A network stack with nothing but a loopback interface, and the service in it.
pub(super) struct World {
    pub(super) namespace: Namespace,
    pub(super) folder: TempDir,
    pub(super) bus: Bus,
    pub(super) shelf: Shelf,
    pub(super) views: watch::Receiver<Views>,
    /// What keeps zones ends with these.
    pub(super) _wanted: watch::Sender<zone_keeping::Wanted>,
    _server: Server,
}

impl World {
    pub(super) fn new(written: &BuiltInDns) -> World {
        World::with(written, tempfile::tempdir().unwrap())
    }

    /// With what an earlier process has kept in the folder.
    pub(super) fn with(written: &BuiltInDns, folder: TempDir) -> World {
        let namespace = Namespace::new().unwrap();
        let mut netlink = namespace.netlink().unwrap();
        link::set_up(&mut netlink, link::LinkIndex::LOOPBACK).unwrap();
        let service: IpAddr = SERVICE.parse().unwrap();
        address::add(&mut netlink, link::LinkIndex::LOOPBACK, service.into()).unwrap();
        let settings = Settings {
            service: "dns".parse().unwrap(),
            addresses: vec![service],
            workers: NonZeroUsize::MIN,
            identity: Identity::new(&"london".parse().unwrap(), None),
            limits: limits(),
            tls: None,
            rate_limit: None,
        };
        let shelf =
            Shelf::new(written, Images::new(folder.path(), &settings.service), Teller::for_test()).unwrap();
        let (bus, clock) = (Bus::for_test(), Clock::start());
        let kept = zone_keeping::Wanted::from([(settings.service.clone(), shelf.clone())]);
        let (wanted, wanting) = watch::channel(kept);
        let (show, views) = watch::channel(Views::default());
        let start = || {
            let surroundings = super::tests::surroundings();
            let nothing = &mut Inheritance::default();
            let server = Server::start(&settings, shelf.published(), &surroundings, nothing).unwrap();
            zone_keeping::start(wanting, show, clock, bus.clone()).unwrap();
            server
        };
        let server = namespace.run(start).unwrap();
        World { namespace, folder, bus, shelf, views, _wanted: wanted, _server: server }
    }

    /// What a command prints, whatever it thinks of that.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.namespace.run(|| Command::new(program).args(arguments).output()).unwrap();
        let output = output.unwrap_or_else(|error| panic!("{program}: {error}; `make install-test`"));
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    pub(super) fn dig(&self, server: &str, arguments: &str) -> String {
        let arguments: Vec<&str> =
            ["+tries=3", "+timeout=3"].into_iter().chain(arguments.split(' ')).collect();
        self.run("dig", &[&[server][..], &arguments].concat())
    }

    /// The version that a server answers with; empty where it has none.
    pub(super) fn serial_at(&self, address: SocketAddr) -> String {
        let port = format!("-p {} +short example. SOA", address.port());
        let soa = self.dig(&format!("@{}", address.ip()), &port);
        soa.split(' ').nth(2).unwrap_or_default().to_owned()
    }

    pub(super) fn serial(&self) -> String {
        self.serial_at((SERVICE.parse::<IpAddr>().unwrap(), PORT).into())
    }

    pub(super) fn status(&self) -> String {
        let reply = self.dig(&format!("@{SERVICE}"), "example. SOA");
        let status = reply.split("status: ").nth(1).and_then(|rest| rest.split(',').next());
        status.unwrap_or("none").to_owned()
    }

    /// What is shown of the only zone.
    pub(super) fn view(&self) -> Option<secondary::View> {
        let views = self.views.borrow().clone();
        views.zones.values().next().map(|(view, _)| view.borrow().clone())
    }

    pub(super) fn fault(&self) -> String {
        self.view().and_then(|view| view.fault).map(|fault| fault.to_string()).unwrap_or_default()
    }

    pub(super) fn has_told(&self, kind: &str) -> bool {
        self.bus.latest().iter().any(|row| row.kind == kind)
    }

    pub(super) fn has_alarm(&self, kind: &str) -> bool {
        self.bus.alarms().iter().any(|alarm| alarm.kind == kind)
    }

    pub(super) fn wait_until(&self, what: &str, happened: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !happened() {
            let rows: Vec<String> = self.bus.latest().iter().map(|row| row.text.to_string()).collect();
            assert!(Instant::now() < deadline, "{what} did not happen: {rows:#?} {:?}", self.view());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
