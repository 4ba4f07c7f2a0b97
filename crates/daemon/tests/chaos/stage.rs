//! The site, a healthy neighbour and a hostile one that has many addresses.

use crate::healthy::Healthy;
use crate::host::{Addresses, Host, join, until};
use crate::site::Site;
use crate::speaker::{Call, Open};
use linux::{address, link};
use std::fmt::Write;
use std::net::{Ipv4Addr, TcpListener};

/// How many neighbours the hostile host can be.
pub(crate) const HOSTILE: u8 = 48;

/// The hostile neighbours that the site calls; it waits for calls of the others.
const CALLED: [u8; 2] = [3, 4];

pub(crate) const HEALTHY: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 1);
const HEALTHY_ASN: u16 = 64_601;
/// The site, as each of the two sees it.
const SITE: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 0, 1, 10), Ipv4Addr::new(10, 0, 2, 250)];

/// Three hosts.
pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) healthy: Healthy,
    hostile: Host,
    _healthy_host: Host,
    /// Where the site calls.
    listeners: Vec<TcpListener>,
}

/// An address of the hostile host.
pub(crate) fn hostile(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 2, number)
}

impl Stage {
    /// The site with its healthy session up and its route told.
    pub(crate) fn new() -> Self {
        Stage::with("")
    }

    /// As [`Stage::new`], with more in its site file.
    pub(crate) fn with(sections: &str) -> Self {
        let mut site = Site::new();
        let (healthy_host, hostile_host) = (Host::new(), Host::new());
        lay(&site.host, "healthy", SITE[0], &healthy_host, HEALTHY);
        lay(&site.host, "hostile", SITE[1], &hostile_host, hostile(1));
        let mut netlink = hostile_host.namespace.netlink().unwrap();
        let cable = link::index(&mut netlink, "site").unwrap();
        for number in 2..=HOSTILE + 1 {
            address::add(&mut netlink, cable, format!("{}/24", hostile(number)).parse().unwrap()).unwrap();
        }
        let listen = |number: u8| TcpListener::bind((hostile(number), 179)).unwrap();
        let listeners = hostile_host.namespace.run(|| CALLED.map(listen).into()).unwrap();
        site.configure(&(peers() + sections));
        site.start();
        let open = Open::of(HEALTHY_ASN, HEALTHY);
        let healthy = Healthy::establish(&healthy_host, &open, HEALTHY, SITE[0]);
        until("the healthy neighbour has the route", || healthy.has_route());
        Stage { site, healthy, hostile: hostile_host, _healthy_host: healthy_host, listeners }
    }

    /// Does something on the hostile host.
    pub(crate) fn on_hostile<T: Send + 'static>(&self, act: impl FnOnce() -> T + Send) -> T {
        self.hostile.namespace.run(act).unwrap()
    }

    /// The AS of a hostile neighbour.
    pub(crate) fn asn(&self, from: Ipv4Addr) -> u16 {
        64_700 + u16::from(from.octets()[3])
    }

    /// Calls the site.
    pub(crate) fn call(&self, from: Ipv4Addr) -> Call {
        self.try_call(from).unwrap()
    }

    /// Calls the site, which may refuse.
    pub(crate) fn try_call(&self, from: Ipv4Addr) -> std::io::Result<Call> {
        Call::dial(&self.hostile, from, SITE[1])
    }

    /// Waits for the site to call.
    pub(crate) fn be_called(&self, from: Ipv4Addr) -> Call {
        let called = CALLED.iter().position(|&number| hostile(number) == from);
        Call::on(self.listeners[called.unwrap()].accept().unwrap().0)
    }

    /// A session that is up.
    pub(crate) fn session(&self, from: Ipv4Addr) -> Call {
        let mut call = self.call(from);
        call.establish(&Open::of(self.asn(from), from));
        call
    }

    /// Waits until the site has noticed that a session is over.
    pub(crate) fn until_lost(&self, from: Ipv4Addr) {
        let lost = |sentence: &String| sentence.starts_with("Established -> Idle");
        until("the site has noticed", || self.site.sentences(&name(from)).iter().any(lost));
    }

    /// The healthy neighbour hears of a withdraw and of the return.
    pub(crate) fn prove_healthy(&self) {
        let before = self.healthy.withdraws();
        self.site.order("withdraw");
        until("the withdraw is heard", || self.healthy.withdraws() > before);
        self.site.order("resume");
        until("the return is heard", || self.healthy.has_route());
        assert_eq!(self.healthy.end(), None, "the healthy session lives");
    }
}

fn name(from: Ipv4Addr) -> String {
    format!("hostile-{}", from.octets()[3])
}

fn peers() -> String {
    let mut text = format!(
        "[[peer]]\nname = \"healthy\"\naddress = \"{HEALTHY}\"\nasn = {HEALTHY_ASN}\npassive = true\n\
         hold_time = \"30s\"\nnext_hop6 = \"2001:db8::10\"\n"
    );
    for number in 1..=HOSTILE {
        let (from, passive) = (hostile(number), !CALLED.contains(&number));
        let asn = 64_700 + u16::from(number);
        let name = name(from);
        let _ = write!(
            text,
            "\n[[peer]]\nname = \"{name}\"\naddress = \"{from}\"\nasn = {asn}\npassive = {passive}\n\
             hold_time = \"90s\"\n"
        );
    }
    text
}

fn lay(site: &Host, name: &str, of_site: Ipv4Addr, other: &Host, of_other: Ipv4Addr) {
    let addresses = |ipv4: Ipv4Addr| Addresses { ipv4, ipv6: ipv4.to_ipv6_compatible() };
    join([(site, name, addresses(of_site)), (other, "site", addresses(of_other))]);
}
