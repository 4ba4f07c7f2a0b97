//! One site and its four peers, each on a cable of its own.

use crate::bird::Bird;
use crate::frr::Frr;
use crate::gobgp::Gobgp;
use crate::host::{Addresses, Host, Program, join};
use crate::implementation::{At, Implementation, Neighbour, Session, start, start_again};
use crate::openbgpd::Openbgpd;
use crate::site::Site;
use crate::table::View;
use linux::process::ProcessSignal;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use terms::Family;

/// A router that runs an implementation.
struct Peer {
    implementation: Box<dyn Implementation>,
    host: Host,
    neighbour: Neighbour,
    programs: Vec<Program>,
}

/// The site and its peers.
pub(crate) struct Peers {
    pub(crate) site: Site,
    peers: Vec<Peer>,
}

impl Peers {
    /// Five hosts; nothing runs on them yet.
    pub(crate) fn new() -> Self {
        let implementations: [Box<dyn Implementation>; 4] =
            [Box::new(Bird), Box::new(Frr), Box::new(Gobgp), Box::new(Openbgpd)];
        let site = Site::new();
        let peers = implementations.into_iter().zip(1u8..).map(|(implementation, number)| {
            let address = |host: u8| Addresses {
                ipv4: Ipv4Addr::new(10, 0, number, host),
                ipv6: Ipv6Addr::new(0x2001, 0xdb8, 0, number.into(), 0, 0, 0, host.into()),
            };
            let neighbour = Neighbour {
                asn: 64_600 + u32::from(number),
                here: address(1),
                site: address(10),
                sessions: Vec::new(),
            };
            let host = Host::new();
            let cable = format!("peer-{number}");
            join([(&site.host, &cable, neighbour.site), (&host, "site", neighbour.here)]);
            Peer { implementation, host, neighbour, programs: Vec::new() }
        });
        let peers = peers.collect();
        Peers { site, peers }
    }

    /// Ends whatever runs, and starts everybody with these sessions.
    pub(crate) fn begin(&mut self, sessions: &[Session]) {
        self.site.stop();
        for peer in &mut self.peers {
            peer.programs.clear();
            peer.neighbour.sessions = sessions.to_vec();
        }
        self.start();
        let tables = self.peers.iter().flat_map(|peer| {
            let tables = peer.neighbour.sessions.iter();
            tables.map(|session| table_of(peer.implementation.name(), &peer.neighbour, session))
        });
        self.site.configure(&tables.collect::<String>());
        self.site.start();
    }

    /// Starts every router.
    pub(crate) fn start(&mut self) {
        for peer in &mut self.peers {
            peer.programs = start(&*peer.implementation, &peer.host, &peer.neighbour);
        }
    }

    /// Starts every router as one that has been running before.
    pub(crate) fn start_again(&mut self) {
        for peer in &mut self.peers {
            peer.programs = start_again(&*peer.implementation, &peer.host, &peer.neighbour);
        }
    }

    /// Kills every router.
    pub(crate) fn kill(&mut self) {
        self.peers.iter_mut().for_each(|peer| peer.programs.clear());
    }

    /// A signal to every router.
    pub(crate) fn signal(&self, signal: ProcessSignal) {
        self.peers.iter().flat_map(|peer| &peer.programs).for_each(|program| program.signal(signal));
    }

    /// Every router.
    pub(crate) fn implementations(&self) -> impl Iterator<Item = &dyn Implementation> {
        self.peers.iter().map(|peer| &*peer.implementation)
    }

    /// One session with every router.
    pub(crate) fn views(&self, session: usize) -> impl Iterator<Item = View<'_>> {
        self.peers.iter().map(move |peer| View {
            site: &self.site,
            implementation: &*peer.implementation,
            at: At {
                host: &peer.host,
                neighbour: &peer.neighbour,
                session: &peer.neighbour.sessions[session],
            },
        })
    }
}

/// What the site calls the session with a neighbour.
pub(crate) fn peer_name(implementation: &str, session: &Session) -> String {
    format!("{}-{}", implementation.to_lowercase(), session.name)
}

/// The site's table of a session.
fn table_of(implementation: &str, neighbour: &Neighbour, session: &Session) -> String {
    let (name, address) = (peer_name(implementation, session), neighbour.ends(session)[0]);
    let families: Vec<String> = session.families.iter().map(|family| format!("\"{family}\"")).collect();
    let mut text = format!(
        "\n[[peer]]\nname = \"{name}\"\naddress = \"{address}\"\nasn = {}\nfamilies = [{}]\nhold_time = \"{}s\"\n",
        neighbour.asn,
        families.join(", "),
        session.hold_time
    );
    if session.over == Family::Ipv4 && session.families.contains(&Family::Ipv6) {
        let _ = writeln!(text, "next_hop6 = \"{}\"", neighbour.site.ipv6);
    }
    if session.extended_next_hop {
        let _ = writeln!(text, "next_hop4 = \"{}\"", neighbour.site.ipv6);
    }
    text + session.lines
}
