//! Configuration of FRR for a router, as text: what `zebra` and `bgpd` are told.
//!
//! Policy is that of [`policy`](crate::policy). The ways inside a network are no part of it: the lab puts them into the
//! kernel, with the delay as their metric, and `zebra` reads them there.

use crate::bird::KEEPALIVES;
use crate::plan::{NodeId, Plan, Purpose, Role};
use crate::policy::{DEPREFERRED, Neighbour, OWN, SHIFTED, Session, SessionKind, sessions};
use crate::world::{BFD_MULTIPLIER, World};
use std::fmt::{self, Display, Formatter};
use terms::{Asn, Family};

/// The route map of a neighbour whose routes are the last resort for now.
pub(crate) const SHIFT: &str = "shifted";

/// The configuration of `bgpd` of one router.
pub fn configuration(world: &World, plan: &Plan, router: NodeId) -> String {
    Configuration { world, plan, router }.to_string()
}

/// The route map for what a neighbour tells.
pub(crate) fn import(kind: SessionKind) -> &'static str {
    match kind.neighbour() {
        None => "from-inside",
        Some(Neighbour::Customer) => "from-customer",
        Some(Neighbour::Peer) => "from-peer",
        Some(Neighbour::Provider) => "from-provider",
    }
}

struct Configuration<'a> {
    world: &'a World,
    plan: &'a Plan,
    router: NodeId,
}

impl Display for Configuration<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let node = self.plan.node(self.router);
        let sessions = sessions(self.world, self.plan, self.router);
        writeln!(f, "! {} in {}, AS {}", node.name, node.city, node.asn)?;
        writeln!(f, "frr defaults datacenter\nhostname {}\n!", node.name)?;
        self.lists(f, node.asn)?;
        Neighbour::ALL.into_iter().try_for_each(|neighbour| from(f, neighbour, node.asn))?;
        self.others(f)?;
        writeln!(f, "router bgp {}\n bgp router-id {}", node.asn, node.address.v4)?;
        f.write_str(
            " no bgp ebgp-requires-policy\n no bgp network import-check\n no bgp default ipv4-unicast\n \
             no bgp enforce-first-as\n bgp bestpath compare-routerid\n",
        )?;
        let hold_time = self.world.hold_time;
        writeln!(f, " timers bgp {} {hold_time}", hold_time / KEEPALIVES)?;
        sessions.iter().try_for_each(|session| self.neighbour(f, session))?;
        Family::ALL.into_iter().try_for_each(|family| self.family(f, family, &sessions))
    }
}

impl Configuration<'_> {
    /// Whether a site is behind it.
    fn is_edge_of_site(&self) -> bool {
        self.world.sites.iter().any(|site| self.plan.router(site.router) == Some(self.router))
    }

    /// The communities that ask for less. One of two octets cannot name a network of four.
    fn lists(&self, f: &mut Formatter<'_>, asn: Asn) -> fmt::Result {
        writeln!(f, "bgp community-list standard last-resort permit 65535:0")?;
        if asn.fits_two_octets() {
            writeln!(f, "bgp community-list standard less permit {asn}:{DEPREFERRED}")?;
        }
        writeln!(f, "!")
    }

    fn others(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let own6 = self.plan.node(self.router).address.v6;
        writeln!(f, "route-map {SHIFT} permit 10\n set local-preference {SHIFTED}\n{PREFER_GLOBAL}!")?;
        writeln!(f, "route-map own permit 10\n set local-preference {OWN}\n!")?;
        writeln!(f, "route-map from-inside permit 10\n!")?;
        // Over a session of the other family FRR would take any address of the interface.
        writeln!(f, "route-map to-inside-ipv6 permit 10\n set ipv6 next-hop global {own6}\n!")?;
        // With a line about next hops in it, `next-hop-self` would mean nothing.
        writeln!(f, "route-map to-inside-ipv4 permit 10\n!")?;
        writeln!(f, "route-map to-customer permit 10\n!")?;
        let customers = Neighbour::Customer.preference();
        for word in ["peer", "provider"] {
            for (number, preference) in [(10, customers), (20, OWN)] {
                let map = format!("route-map to-{word} permit {number}");
                writeln!(f, "{map}\n match local-preference {preference}\n!")?;
            }
        }
        Ok(())
    }

    fn neighbour(&self, f: &mut Formatter<'_>, session: &Session<'_>) -> fmt::Result {
        let (name, theirs, own) = (&session.far.name, session.theirs.v4, session.own.v4);
        writeln!(f, " neighbor {theirs} remote-as {}", session.asn)?;
        writeln!(f, " neighbor {theirs} description {name}\n neighbor {theirs} timers connect 1")?;
        if session.kind == SessionKind::Inside {
            writeln!(f, " neighbor {theirs} update-source {own}")?;
        }
        if session.waits {
            writeln!(f, " neighbor {theirs} passive")?;
        }
        match self.world.operation.bfd.filter(|_| session.kind == SessionKind::Host) {
            Some(interval) => {
                let interval = interval.as_millis();
                writeln!(f, " neighbor {theirs} bfd {BFD_MULTIPLIER} {interval} {interval}")
            }
            None => Ok(()),
        }
    }

    fn family(&self, f: &mut Formatter<'_>, family: Family, sessions: &[Session<'_>]) -> fmt::Result {
        let (word, at) = match family {
            Family::Ipv4 => ("ipv4", 0),
            Family::Ipv6 => ("ipv6", 1),
        };
        writeln!(f, " !\n address-family {word} unicast")?;
        if let Role::Router(router) = self.plan.node(self.router).role {
            writeln!(f, "  network {} route-map own", self.plan.originated(self.world, router)[at])?;
        }
        // FRR would spread packets over every equal way there is.
        let hosts = self.plan.ports(self.router);
        let hosts = hosts.filter(|(cable, ..)| self.plan.cables[cable.0].purpose == Purpose::SiteLan);
        writeln!(f, "  maximum-paths {}\n  maximum-paths ibgp 1", hosts.count().max(1))?;
        for session in sessions {
            let (theirs, kind) = (session.theirs.v4, session.kind);
            let import = import(kind);
            let export = match kind.neighbour() {
                None => format!("to-inside-{word}"),
                Some(neighbour) => format!("to-{}", neighbour.word()),
            };
            writeln!(f, "  neighbor {theirs} activate")?;
            if kind == SessionKind::Inside {
                writeln!(f, "  neighbor {theirs} next-hop-self")?;
            } else if self.world.operation.continuity && self.is_edge_of_site() {
                // Sites that are islands have one number, and have to reach each other.
                writeln!(f, "  neighbor {theirs} allowas-in 1")?;
            }
            writeln!(
                f,
                "  neighbor {theirs} route-map {import} in\n  neighbor {theirs} route-map {export} out"
            )?;
        }
        writeln!(f, " exit-address-family")
    }
}

/// What a neighbour tells is worth what it is to the network, unless it asks for less.
fn from(f: &mut Formatter<'_>, neighbour: Neighbour, asn: Asn) -> fmt::Result {
    let mut number = 0;
    let mut entry = |matched: &str, preference: u32| {
        number += 10;
        writeln!(f, "route-map from-{} permit {number}", neighbour.word())?;
        writeln!(f, "{matched} set local-preference {preference}\n{PREFER_GLOBAL}!")
    };
    entry(" match community last-resort\n", 0)?;
    if asn.fits_two_octets() {
        entry(" match community less\n", DEPREFERRED)?;
    }
    entry("", neighbour.preference())
}

/// On a LAN FRR would forward to the address that is valid on the link only: which router that is, nobody could tell.
const PREFER_GLOBAL: &str = " set ipv6 next-hop prefer-global\n";
