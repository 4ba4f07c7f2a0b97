//! Faults: what can be made to go wrong in a running world, and put right again.
//!
//! The command `lab fault KIND TARGET`, the buttons of the page and the `do` of a scenario say it in the same words:
//! the first word is the kind, the rest is the target.

mod apply;
mod attack;
mod calls;
mod data_centre;
mod delivery;
mod disturb;
mod flap;
mod host;
mod operator;
mod place;
mod process;
mod router;

pub use apply::FaultError;
pub(crate) use disturb::Flapping;
pub(crate) use flap::Flap;
pub(crate) use place::LONGEST_PACKET;

use crate::hostile::ScriptName;
use crate::scenario::words::{ClientName, Count, Group, HostName, LanName, Line, NodeName, Percent, Time};
use crate::sentence::sentences;
use std::net::IpAddr;
use terms::SiteName;

sentences! {
    /// What is done to a running world.
    pub enum Fault {
        /// The service of the site gets SIGKILL and is not started again. A built-in service lives in the daemon and
        /// cannot be killed apart from it.
        KillService { site: SiteName } = ["kill" "service" site];
        /// The site's daemon gets SIGKILL: its kernel closes the BGP sessions, the service stays.
        KillDaemon { site: SiteName } = ["kill" "daemon" site];
        /// The service of the site gets SIGSTOP: it is there and answers nothing.
        HangService { site: SiteName } = ["hang" "service" site];
        /// The site's daemon gets SIGSTOP: its sessions stay open until the hold timer of the peers ends them.
        HangDaemon { site: SiteName } = ["hang" "daemon" site];
        /// An orderly restart: the daemon gets SIGTERM, withdraws and says why; then the host is gone until it is
        /// restored.
        RebootSite { site: SiteName } = ["reboot" "site" site];
        /// The site's host and its edge router are gone at once: no packet says so to anybody.
        PowerCutSite { site: SiteName } = ["power-cut" "site" site];
        /// One of several hosts of a site is gone at once: no packet says so to anybody. Its router sees that its LAN
        /// has no carrier.
        PowerCutHost { host: NodeName } = ["power-cut" "host" host];
        /// The cable between two nodes is cut: both ends lose carrier.
        CutCable { end: NodeName, other: NodeName } = ["cut" "cable" end "-" other];
        /// The cable between two nodes drops every packet, and both ends still have carrier.
        BlackholeCable { end: NodeName, other: NodeName } = ["blackhole" "cable" end "-" other];
        /// Every cable of the site's edge router drops every packet, and all ends still have carrier.
        BlackholeSite { site: SiteName } = ["blackhole" "site" site];
        /// The cable between two nodes drops this share of the packets, at random.
        HalfBreakCable { end: NodeName, other: NodeName, share: Percent } =
            ["half-broken" "cable" end "-" other "losing" share];
        /// Every cable of the site's edge router drops this share of the packets, at random.
        HalfBreakSite { site: SiteName, share: Percent } = ["half-broken" "site" site "losing" share];
        /// The cable is cut for this long, carries for as long, and so on until it is restored. It begins with a cut.
        FlapCable { end: NodeName, other: NodeName, time: Time } =
            ["flap" "cable" end "-" other "every" time];
        /// The router drops an IPv4 packet unless it would send the answer out of the interface on which the packet
        /// came: strict reverse path forwarding (RFC 3704). Where ways differ by direction, that is silence.
        UrpfRouter { router: NodeName } = ["urpf" "router" router];
        /// The router is shifted away from the neighbour for this long, is as before for as long, and so on until it is
        /// restored, or shifted for good. It begins with a shift.
        FlapRoute { router: NodeName, neighbour: NodeName, time: Time } =
            ["shift" "router" router "away" "from" neighbour "every" time];
        /// An operator makes what this neighbour in another network tells the router the last resort: traffic goes
        /// another way, if there is one.
        ShiftRouter { router: NodeName, neighbour: NodeName } =
            ["shift" "router" router "away" "from" neighbour];
        /// The node asks the anycast address so many questions a second over IPv4, beside what clients ask. Every
        /// router on the way carries each of them: begin beside the target, at a site's edge router.
        FloodFrom { node: NodeName, count: Count } = ["flood" "from" node "at" count "per" "second"];
        /// The node sends the anycast address so many segments a second of TCP connections that there are not, in the
        /// name of the client: an ACK each, every other one over IPv6.
        FloodAcks { node: NodeName, client: ClientName, count: Count } =
            ["flood" "acks" "from" node "as" client "at" count "per" "second"];
        /// The cable carries no packet that is longer, 1280 to 1500 octets: whoever would send one over it is told so.
        NarrowCable { end: NodeName, other: NodeName, count: Count } =
            ["narrow" "cable" end "-" other "to" count "octets"];
        /// The service hangs for this long, runs for as long, and so on until it is restored.
        FlapService { site: SiteName, time: Time } = ["flap" "service" site "every" time];
        /// The site's daemon can open nothing any more: no socket for a check, no file. What is open stays open.
        StarveDaemon { site: SiteName } = ["starve" "daemon" site];
        /// The service addresses are taken off the site's host.
        RemoveAddress { site: SiteName } = ["remove" "address" site];
        /// The fleet store gets SIGKILL.
        KillStore = ["kill" "store"];
        /// The cables between the sites and the operator's own data centre are cut: the fleet store and whatever else
        /// the sites depend on there are gone at once.
        CutBackbone = ["cut" "backbone"];
        /// An operator at the site takes it out of service in order: `catchment drain`.
        DrainSite { site: SiteName } = ["drain" "site" site];
        /// An operator at the site withdraws it at once: `catchment withdraw`.
        WithdrawSite { site: SiteName } = ["withdraw" "site" site];
        /// An operator at the site takes back what was ordered: `catchment resume`.
        ResumeSite { site: SiteName } = ["resume" "site" site];
        /// An operator at the site has its peers drop what is sent to the address, for so long:
        /// `catchment blackhole`.
        DropAddress { address: IpAddr, site: SiteName, time: Time } =
            ["drop" address "at" "site" site "for" time];
        /// An operator at the site has them drop it no longer: `catchment blackhole --end`.
        EndDrop { address: IpAddr, site: SiteName } = ["end" "drop" "of" address "at" "site" site];
        /// An operator changes one line of the site's file, the first with this key. The daemon is not told.
        ChangeFile { site: SiteName, line: Line } = ["change" "file" site "with" line];
        /// The site's zone file becomes one with the next serial number. The daemon is not told.
        RaiseSerial { site: SiteName } = ["raise" "serial" "at" "site" site];
        /// An operator at the site has the daemon read its file again: `catchment reload`.
        ReloadSite { site: SiteName } = ["reload" "site" site];
        /// An operator at the site has the program on disk take over from the daemon: `catchment restart`.
        RestartSite { site: SiteName } = ["restart" "site" site];
        /// A hostile router, a peer of the site, plays a script of messages.
        AttackSite { site: SiteName, script: ScriptName } = ["attack" "site" site "with" script];
        /// A host sends a packet to another one.
        SendUnicast { host: HostName, receiver: HostName } =
            ["send" "unicast" "from" host "to" receiver];
        /// A host sends a packet to everybody on a LAN, its own or another one: IPv4's directed broadcast (RFC 919,
        /// 2644). IPv6 has no broadcast.
        SendBroadcast { host: HostName, lan: LanName } = ["send" "broadcast" "from" host "to" lan];
        /// A host sends a packet to a multicast group. It need not be a member.
        SendMulticast { host: HostName, group: Group } = ["send" "multicast" "from" host "to" group];
        /// A host sends a packet to the anycast address.
        SendAnycast { host: HostName } = ["send" "anycast" "from" host];
        /// A host joins a multicast group: its kernel tells its router (IGMPv3, RFC 3376).
        JoinGroup { group: Group, host: HostName } = ["join" group "at" host];
        /// A host leaves a multicast group.
        LeaveGroup { group: Group, host: HostName } = ["leave" group "at" host];
        /// The client opens so many TCP connections to the echo service (RFC 862) at the anycast address, every other
        /// one over IPv6. Over each it sends 512 octets, waits until they are back, and half a second more, and so on.
        OpenConnections { count: Count, client: ClientName } = ["open" count "connections" "from" client];
        /// The client opens so many TCP connections to the DNS service at the anycast address, every other one over IPv6. Over
        /// each it asks for the SOA of `example.`, compares the answer with the first one, and asks again half a second later.
        OpenDnsConnections { count: Count, client: ClientName } =
            ["open" count "dns" "connections" "from" client];
        /// The client opens so many TCP connections to the stream service at the anycast address, every other one over IPv6. Over
        /// each comes a line every tenth of a second, with its number and how many octets have come from the client, which sends
        /// 512 with every fifth. The service cooperates: in a drain its connections go to another site.
        OpenStreamConnections { count: Count, client: ClientName } =
            ["open" count "stream" "connections" "from" client];
        /// The client begins a transfer over IPv4 and one over IPv6: up to 6.5 MB a second to the echo service, which
        /// sends all of it back.
        BeginTransfers { client: ClientName } = ["begin" "transfers" "from" client];
        /// The service runs again: started anew after a kill, continued after a hang, and no more flapping.
        RestoreService { site: SiteName } = ["restore" "service" site];
        /// The daemon runs again: started anew after a kill, continued after a hang, starving no more.
        RestoreDaemon { site: SiteName } = ["restore" "daemon" site];
        /// Everything of the site works again: cables, edge router, hosts, services and daemons. What an operator
        /// ordered stands.
        RestoreSite { site: SiteName } = ["restore" "site" site];
        /// The node does what it did: it has power, traffic is not shifted, it checks no reverse path and floods nobody.
        RestoreNode { node: NodeName } = ["restore" "node" node];
        /// The cable between two nodes carries packets again, all of them and of any length, and flaps no more.
        RestoreCable { end: NodeName, other: NodeName } = ["restore" "cable" end "-" other];
        /// The fleet store runs again, with what it had stored.
        RestoreStore = ["restore" "store"];
        /// The cables to the operator's own data centre carry again.
        RestoreBackbone = ["restore" "backbone"];
        /// Everything that was broken works again, and every site is back in service.
        RestoreEverything = ["restore" "everything"];
    }
}

/// What an operator tells the daemon of a site. It can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `catchment drain`
    Drain,
    /// `catchment withdraw`
    Withdraw,
    /// `catchment resume`
    Resume,
    /// `catchment blackhole ADDRESS --for TIME`
    Drop {
        /// What peers are to drop.
        address: IpAddr,
        /// For how long.
        time: Time,
    },
    /// `catchment blackhole ADDRESS --end`
    EndDrop {
        /// What they are to drop no longer.
        address: IpAddr,
    },
    /// `catchment reload`
    Reload,
    /// `catchment restart`
    Restart,
}

impl Fault {
    /// The site that is the target, if a site is.
    pub fn target(&self) -> Option<&SiteName> {
        match self {
            Fault::KillService { site }
            | Fault::KillDaemon { site }
            | Fault::HangService { site }
            | Fault::HangDaemon { site }
            | Fault::RebootSite { site }
            | Fault::PowerCutSite { site }
            | Fault::BlackholeSite { site }
            | Fault::HalfBreakSite { site, .. }
            | Fault::FlapService { site, .. }
            | Fault::StarveDaemon { site }
            | Fault::RemoveAddress { site }
            | Fault::DrainSite { site }
            | Fault::WithdrawSite { site }
            | Fault::ResumeSite { site }
            | Fault::DropAddress { site, .. }
            | Fault::EndDrop { site, .. }
            | Fault::ChangeFile { site, .. }
            | Fault::RaiseSerial { site }
            | Fault::ReloadSite { site }
            | Fault::RestartSite { site }
            | Fault::AttackSite { site, .. }
            | Fault::RestoreService { site }
            | Fault::RestoreDaemon { site }
            | Fault::RestoreSite { site } => Some(site),
            Fault::CutCable { .. }
            | Fault::BlackholeCable { .. }
            | Fault::HalfBreakCable { .. }
            | Fault::FlapCable { .. }
            | Fault::SendUnicast { .. }
            | Fault::SendBroadcast { .. }
            | Fault::SendMulticast { .. }
            | Fault::SendAnycast { .. }
            | Fault::JoinGroup { .. }
            | Fault::LeaveGroup { .. }
            | Fault::OpenConnections { .. }
            | Fault::OpenDnsConnections { .. }
            | Fault::OpenStreamConnections { .. }
            | Fault::BeginTransfers { .. }
            | Fault::PowerCutHost { .. }
            | Fault::UrpfRouter { .. }
            | Fault::ShiftRouter { .. }
            | Fault::FlapRoute { .. }
            | Fault::FloodFrom { .. }
            | Fault::FloodAcks { .. }
            | Fault::NarrowCable { .. }
            | Fault::RestoreNode { .. }
            | Fault::KillStore
            | Fault::CutBackbone
            | Fault::RestoreCable { .. }
            | Fault::RestoreStore
            | Fault::RestoreBackbone
            | Fault::RestoreEverything => None,
        }
    }

    /// The nodes at the ends of the cable that is the target, if a cable is.
    pub fn cable(&self) -> Option<(&NodeName, &NodeName)> {
        match self {
            Fault::CutCable { end, other }
            | Fault::BlackholeCable { end, other }
            | Fault::HalfBreakCable { end, other, .. }
            | Fault::FlapCable { end, other, .. }
            | Fault::NarrowCable { end, other, .. }
            | Fault::RestoreCable { end, other } => Some((end, other)),
            _ => None,
        }
    }

    /// The node that is the target, if a single one is.
    pub fn node(&self) -> Option<&NodeName> {
        match self {
            Fault::PowerCutHost { host: node }
            | Fault::UrpfRouter { router: node }
            | Fault::ShiftRouter { router: node, .. }
            | Fault::FlapRoute { router: node, .. }
            | Fault::FloodFrom { node, .. }
            | Fault::FloodAcks { node, .. }
            | Fault::RestoreNode { node } => Some(node),
            _ => None,
        }
    }

    /// Whether this restores what `fault` did. `is_of` tells whether a node belongs to a site.
    pub fn undoes(&self, fault: &Fault, is_of: impl Fn(&NodeName, &SiteName) -> bool) -> bool {
        match self {
            Fault::RestoreEverything => true,
            Fault::RestoreService { site } => fault.service() == Some(site),
            Fault::RestoreDaemon { site } => match fault {
                Fault::KillDaemon { site: of }
                | Fault::HangDaemon { site: of }
                | Fault::StarveDaemon { site: of } => of == site,
                _ => false,
            },
            Fault::RestoreSite { site } => {
                fault.target() == Some(site) || fault.node().is_some_and(|node| is_of(node, site))
            }
            Fault::RestoreCable { end, other } => {
                fault.cable().is_some_and(|cable| cable == (end, other) || cable == (other, end))
            }
            Fault::RestoreNode { node } => fault.node() == Some(node),
            Fault::RestoreStore => *fault == Fault::KillStore,
            Fault::RestoreBackbone => *fault == Fault::CutBackbone,
            _ => false,
        }
    }

    /// Whether a host sends something.
    pub fn sends(&self) -> bool {
        matches!(
            self,
            Fault::SendUnicast { .. }
                | Fault::SendBroadcast { .. }
                | Fault::SendMulticast { .. }
                | Fault::SendAnycast { .. }
        )
    }

    /// The site whose service is the target, apart from its daemon.
    pub fn service(&self) -> Option<&SiteName> {
        match self {
            Fault::KillService { site }
            | Fault::HangService { site }
            | Fault::FlapService { site, .. }
            | Fault::RestoreService { site } => Some(site),
            _ => None,
        }
    }

    /// What an operator orders, and at which site; none where nobody is asked.
    pub fn order(&self) -> Option<(&SiteName, Order)> {
        match self {
            Fault::DrainSite { site } => Some((site, Order::Drain)),
            Fault::WithdrawSite { site } => Some((site, Order::Withdraw)),
            Fault::ResumeSite { site } => Some((site, Order::Resume)),
            Fault::DropAddress { address, site, time } => {
                Some((site, Order::Drop { address: *address, time: *time }))
            }
            Fault::EndDrop { address, site } => Some((site, Order::EndDrop { address: *address })),
            Fault::ReloadSite { site } => Some((site, Order::Reload)),
            Fault::RestartSite { site } => Some((site, Order::Restart)),
            _ => None,
        }
    }

    /// What of the operator's own data centre it needs.
    pub fn needs(&self) -> Option<Central> {
        match self {
            Fault::KillStore | Fault::RestoreStore => Some(Central::Store),
            Fault::CutBackbone | Fault::RestoreBackbone => Some(Central::Backbone),
            _ => None,
        }
    }

    /// What was done, in one sentence.
    pub fn done(&self) -> String {
        match self {
            Fault::KillService { site } => format!("the service of {site} was killed"),
            Fault::KillDaemon { site } => format!("the daemon of {site} was killed"),
            Fault::HangService { site } => format!("the service of {site} hangs"),
            Fault::HangDaemon { site } => format!("the daemon of {site} hangs"),
            Fault::RebootSite { site } => format!("{site} was told to stop"),
            Fault::PowerCutSite { site } => format!("{site} has no power"),
            Fault::CutCable { end, other } => format!("the cable from {end} to {other} was cut"),
            Fault::BlackholeCable { end, other } => {
                format!("the cable from {end} to {other} swallows every packet")
            }
            Fault::BlackholeSite { site } => format!("every cable of {site} swallows every packet"),
            Fault::PowerCutHost { host } => format!("{host} has no power"),
            Fault::HalfBreakCable { end, other, share } => {
                format!("the cable from {end} to {other} loses {share} of the packets")
            }
            Fault::HalfBreakSite { site, share } => {
                format!("every cable of {site} loses {share} of the packets")
            }
            Fault::FlapCable { end, other, time } => {
                format!("the cable from {end} to {other} is cut for {time}, carries for {time}, and so on")
            }
            Fault::UrpfRouter { router } => format!("{router} checks reverse paths strictly"),
            Fault::ShiftRouter { router, neighbour } => {
                format!("{router} takes what {neighbour} tells as the last resort")
            }
            Fault::FlapRoute { router, neighbour, time } => format!(
                "{router} takes what {neighbour} tells as the last resort for {time}, as before for {time}, and so on"
            ),
            Fault::FloodFrom { node, count } => format!("{node} asks {count} questions a second"),
            Fault::FloodAcks { node, client, count } => {
                format!("{node} sends {count} ACKs a second of no connection in the name of {client}")
            }
            Fault::NarrowCable { end, other, count } => {
                format!("the cable from {end} to {other} carries {count} octets at most")
            }
            Fault::RestoreNode { node } => format!("{node} was restored"),
            Fault::FlapService { site, time } => {
                format!("the service of {site} hangs for {time}, runs for {time}, and so on")
            }
            Fault::StarveDaemon { site } => format!("the daemon of {site} can open nothing any more"),
            Fault::RemoveAddress { site } => {
                format!("the service addresses of {site} were taken off its host")
            }
            Fault::KillStore => "the fleet store was killed".to_owned(),
            Fault::CutBackbone => "no site reaches the operator's data centre any more".to_owned(),
            Fault::DrainSite { site } => format!("an operator drains {site}"),
            Fault::WithdrawSite { site } => format!("an operator withdraws {site}"),
            Fault::ResumeSite { site } => format!("an operator puts {site} back into service"),
            Fault::DropAddress { address, site, time } => {
                format!("an operator has the peers of {site} drop what is sent to {address}, for {time}")
            }
            Fault::EndDrop { address, site } => {
                format!("an operator has the peers of {site} no longer drop what is sent to {address}")
            }
            Fault::ChangeFile { site, line } => format!("the file of {site} now says {line}"),
            Fault::RaiseSerial { site } => format!("the zone file of {site} has the next serial number"),
            Fault::ReloadSite { site } => format!("an operator has {site} read its file again"),
            Fault::RestartSite { site } => format!("an operator restarts the daemon of {site}"),
            Fault::AttackSite { site, script } => format!("a hostile router plays {script} to {site}"),
            Fault::SendUnicast { host, receiver } => format!("{host} sends a packet to {receiver}"),
            Fault::SendBroadcast { host, lan } => format!("{host} sends a packet to everybody on {lan}"),
            Fault::SendMulticast { host, group } => {
                format!("{host} sends a packet to the members of {group}")
            }
            Fault::SendAnycast { host } => format!("{host} sends a packet to the anycast address"),
            Fault::JoinGroup { group, host } => format!("{host} joins {group}"),
            Fault::LeaveGroup { group, host } => format!("{host} leaves {group}"),
            Fault::OpenConnections { count, client } => format!("{client} opens {count} connections"),
            Fault::OpenDnsConnections { count, client } => {
                format!("{client} opens {count} connections to the DNS service")
            }
            Fault::OpenStreamConnections { count, client } => {
                format!("{client} opens {count} connections to the stream service")
            }
            Fault::BeginTransfers { client } => {
                format!("{client} begins a transfer over IPv4 and one over IPv6")
            }
            Fault::RestoreService { site } => format!("the service of {site} was restored"),
            Fault::RestoreDaemon { site } => format!("the daemon of {site} was restored"),
            Fault::RestoreSite { site } => format!("{site} was restored"),
            Fault::RestoreCable { end, other } => format!("the cable from {end} to {other} was mended"),
            Fault::RestoreStore => "the fleet store was restored".to_owned(),
            Fault::RestoreBackbone => "the operator's data centre can be reached again".to_owned(),
            Fault::RestoreEverything => "everything was restored".to_owned(),
        }
    }
}

/// A part of the operator's own data centre that a world may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Central {
    /// The fleet store.
    Store,
    /// The cables that lead there.
    Backbone,
}
