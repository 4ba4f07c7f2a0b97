//! What a scenario can expect: each sentence with its meaning.

use crate::scenario::words::{
    ClientName, Count, Factor, Group, HostName, LanName, Limit, NodeName, Output, RouterName, State, Time,
    Told, Words,
};
use crate::sentence::{Form, sentences};
use std::net::IpAddr;
use terms::{DomainName, Family, PeerName, SiteName};

sentences! {
    /// What a scenario expects after the faults of a step.
    pub enum Expectation {
        /// Every client is answered, over IPv4 and over IPv6.
        EveryClientAnswered = ["every" "client" "answered"];
        /// Every question of every client is answered.
        EveryClientAnsweredThroughout = ["every" "client" "answered" "throughout"];
        /// Every client's DNS cookie (RFC 7873) comes back with every answer as the client showed it: whoever answers
        /// takes what another site made. In a step that begins once every client has one.
        EveryClientKeepsItsCookieThroughout =
            ["every" "client" "keeps" "its" "cookie" "throughout"];
        /// Every client is answered by this site, over both families.
        EveryClientBy { site: SiteName } = ["every" "client" "by" site];
        /// This client is answered by this site, over both families.
        ClientBy { client: ClientName, site: SiteName } = ["client" client "by" site];
        /// This client is answered, and by another site, over both families.
        ClientNotBy { client: ClientName, site: SiteName } = ["client" client "not" "by" site];
        /// The client asks the anycast address for the TXT record of this name, and its text, over both families, is the name
        /// of this site. In a world with zones, `site` in each zone names the site that served it, and nobody may keep that:
        /// the resolver that the client is led to asks anew.
        ClientResolves { client: ClientName, name: DomainName, site: SiteName } =
            ["client" client "resolves" name "to" site];
        /// This client's last questions over this family, `ipv4` or `ipv6`, were not answered.
        ClientSilentOver { client: ClientName, family: Family } =
            ["client" client "silent" "over" family];
        /// Every client is answered, over both families, by the site to which the routers' own tables lead it: from
        /// router to router, each is asked for its forwarding table and for its best BGP route, which must agree.
        CatchmentsAsRoutersTell = ["catchments" "as" "the" "routers" "tell"];
        /// The client is answered by a site that is not the nearest one, and the routers tell why: the AS path that
        /// its network chose and what preferred it.
        DetourExplained { client: ClientName } = ["detour" "of" "client" client "explained"];
        /// What the client sends to the address would arrive at the host of this site: each router on the way is
        /// asked where it forwards such packets.
        PacketsReach { client: ClientName, address: IpAddr, site: SiteName } =
            ["packets" "of" "client" client "to" address "reach" "site" site];
        /// It would be dropped by this router, and nobody be told.
        PacketsDropped { client: ClientName, address: IpAddr, node: NodeName } =
            ["packets" "of" "client" client "to" address "dropped" "by" node];
        /// Every announcement group of the site is in this state, and has been since before the fault.
        SiteStateThroughout { site: SiteName, state: State } =
            ["site" site "state" state "throughout"];
        /// Every announcement group of the site is in this state.
        SiteState { site: SiteName, state: State } = ["site" site "state" state];
        /// Every announcement group of the site is announced this strongly.
        SiteOutput { site: SiteName, output: Output } = ["site" site "output" output];
        /// Exactly so many sites are in this state, with every announcement group of theirs.
        SitesInState { count: Count, state: State } = ["exactly" count "sites" "in" "state" state];
        /// Exactly so many sites are announced this strongly, with every announcement group of theirs.
        SitesOfOutput { count: Count, output: Output } = ["exactly" count "sites" "of" "output" output];
        /// The site's edge router has a route to the site's host, over both families, whenever it is looked at.
        SiteAnnouncedThroughout { site: SiteName } = ["site" site "announced" "throughout"];
        /// The site's edge router never has a route to the site's host.
        SiteSilentThroughout { site: SiteName } = ["site" site "never" "announced" "throughout"];
        /// The edge routers of at least so many sites have a route to their site's host, whenever they are looked at.
        SitesAnnouncedThroughout { count: Count } =
            ["at" "least" count "sites" "announced" "throughout"];
        /// The site's host has every service address.
        SiteHasAddresses { site: SiteName } = ["site" site "has" "its" "addresses"];
        /// The site's daemon told of an event with these words since the fault, in capitals or not.
        SiteSaid { site: SiteName, words: Words } = ["site" site "said" words];
        /// An alarm with these words is in force at the site.
        AlarmAt { site: SiteName, words: Words } = ["alarm" "at" "site" site "about" words];
        /// No alarm is in force at the site.
        NoAlarmAt { site: SiteName } = ["no" "alarm" "at" "site" site];
        /// The daemon of the site sees exactly so many members of the fleet stand, for each of its groups.
        FleetStands { site: SiteName, count: Count } =
            ["fleet" "at" "site" site "has" count "standing"];
        /// The daemon of the site counts another one as away, for each of its groups.
        CountsAway { site: SiteName, member: SiteName } = ["site" site "counts" member "away"];
        /// The daemon of the site sees every zone with one serial, wherever in the fleet it is served.
        SeesNobodyBehind { site: SiteName } = ["site" site "sees" "nobody" "behind"];
        /// The daemon of the site sees a host of the other one serve a zone of which another host has a newer serial.
        SeesBehind { site: SiteName, member: SiteName } = ["site" site "sees" member "behind"];
        /// What an operator ordered at the site in this step was done.
        OrderObeyed { site: SiteName } = ["order" "to" "site" site "obeyed"];
        /// What an operator ordered at the site in this step was refused: the command's answer is no.
        OrderRefused { site: SiteName } = ["order" "to" "site" site "refused"];
        /// Of what operators ordered in this step, exactly so many orders were obeyed and the others were refused.
        OrdersObeyed { count: Count } = ["exactly" count "orders" "obeyed"];
        /// What every established peer of the site was told last about every prefix.
        SiteTold { site: SiteName, told: Told } = ["site" site "told" told];
        /// The session is established, and has been without interruption since before the fault.
        PeerEstablishedThroughout { peer: PeerName, site: SiteName } =
            ["peer" peer "of" "site" site "established" "throughout"];
        /// The session is established, and broken attributes in it made the site treat routes as withdrawn
        /// (RFC 7606) instead of ending it.
        PeerKeptDespiteBrokenUpdates { peer: PeerName, site: SiteName } =
            ["peer" peer "of" "site" site "kept" "despite" "broken" "updates"];
        /// The session has ended since the fault, and is not established.
        PeerLost { peer: PeerName, site: SiteName } = ["peer" peer "of" "site" site "lost"];
        /// The session is established, and the peer has told at least so many routes in it and before; a route that
        /// is told twice counts twice.
        PeerToldRoutes { peer: PeerName, site: SiteName, count: Count } =
            ["peer" peer "of" "site" site "told" "at" "least" count "routes"];
        /// Of the site's host, its edge router has the routes of the service, and no other.
        SiteTellsNothingElse { site: SiteName } = ["site" site "tells" "its" "router" "nothing" "else"];
        /// The hostile router has played its script to the end: the site did everything that the script waits for.
        AttackOver { site: SiteName } = ["attack" "on" "site" site "over"];
        /// Every unicast of this step was received by this host, once, and by no other one.
        UnicastReached { host: HostName } = ["unicast" "reached" host "and" "nobody" "else"];
        /// Every broadcast of this step was received by each device on the LAN, once, and by no other host.
        BroadcastReached { lan: LanName } =
            ["broadcast" "reached" "every" "device" "of" lan "and" "nobody" "else"];
        /// Every packet of this step to the group was received by each host that had joined, once, and by no other one.
        MulticastReached { group: Group } =
            ["multicast" "reached" "every" "member" "of" group "and" "nobody" "else"];
        /// Every packet of this step to the anycast address was received by one host of the nearest site of those that
        /// announced it, once, and by no other one.
        AnycastReachedNearest = ["anycast" "reached" "the" "nearest" "site" "and" "nobody" "else"];
        /// Every packet of this step to the anycast address was received by one host of this site, once, and by no
        /// other one.
        AnycastReached { site: SiteName } = ["anycast" "reached" "site" site "and" "nobody" "else"];
        /// Of what was sent in this step, the host has received exactly so many packets.
        HostReceived { host: HostName, count: Count } = ["host" host "received" count "packets"];
        /// The router knows a member of the group behind it: IGMP has told it.
        GroupKnown { group: Group, router: RouterName } = ["group" group "known" "to" "router" router];
        /// The router knows no member of the group behind it, or no longer.
        GroupUnknown { group: Group, router: RouterName } =
            ["group" group "unknown" "to" "router" router];
        /// The kernel of each router forwards what is sent to the group to networks with a member and to no other ones:
        /// all of them are asked for their tables when what was sent in this step has arrived.
        GroupKept { group: Group } = ["routers" "send" "group" group "to" "members" "only"];
        /// Every connection of the client is open; every octet that came back over it is the one that was sent, in order;
        /// and something that was sent after the fault has come back.
        ConnectionsGoOn { client: ClientName } = ["connections" "of" "client" client "go" "on"];
        /// Every connection of the client was reset after the fault: none waits for nobody.
        ConnectionsReset { client: ClientName } = ["connections" "of" "client" client "reset"];
        /// The programs of the site are in its kernel, and it knows exactly so many other hosts that own connections and are
        /// alive.
        SiteKnowsOwners { site: SiteName, count: Count } = ["site" site "knows" count "owners"];
        /// The daemon of the site has heard from the store that the other one has exactly so many connections: their packets
        /// find it from now on.
        SiteKnowsConnections { site: SiteName, count: Count, member: SiteName } =
            ["site" site "knows" count "connections" "of" member];
        /// The daemon of the site shows exactly so many connections whose packets it forwards to the other one.
        SiteForwards { site: SiteName, count: Count, member: SiteName } =
            ["site" site "forwards" count "connections" "to" member];
        /// The site has given so many open connections or more to other sites. What was seen says for how long their packets
        /// were held.
        SiteGave { site: SiteName, count: Count } = ["site" site "gave" count "connections" "away"];
        /// The programs of the site have dropped no packet of a connection, in this step or in any before: none was over the
        /// budget, claimed by nobody, too long, refused, or had no room in the driver.
        SiteDropsNothing { site: SiteName } = ["site" site "drops" "no" "packet" "throughout"];
        /// Of its own connections the site has got nothing but SYNs from its users, in this step or in any before: all other
        /// packets came through other sites, the last of the handshake, too.
        SiteHearsThroughOthers { site: SiteName } =
            ["packets" "of" "site" site "come" "through" "others" "throughout"];
        /// What the programs of the site have counted, in this step and in all before, adds up: each packet of a connection
        /// that was not found before has one end.
        SiteAddsUp { site: SiteName } = ["packets" "of" "site" site "add" "up" "throughout"];
        /// Of all packets that came to the site so far, its programs have found no owner in what they knew already of at most
        /// so many: neither a socket of its own nor a flow that was found before.
        SiteMissesAtMost { site: SiteName, count: Count } =
            ["site" site "misses" "at" "most" count "packets" "throughout"];
        /// No connection that there is not was reset at the client in whose name somebody floods the anycast address: the
        /// client has got no reset since the flood began.
        ClientNotReset { client: ClientName } = ["client" client "gets" "no" "reset" "throughout"];
        /// Each client of the site is answered again within the limit, and stays answered.
        ClientsAnsweredWithin { site: SiteName, limit: Limit } =
            ["clients" "of" site "answered" "within" limit];
        /// Each client that was silent is answered again within the limit, and stays answered.
        EveryClientAnsweredWithin { limit: Limit } = ["every" "client" "answered" "within" limit];
        /// None of the other clients is silent for longer than this.
        OtherClientsSilent { time: Time } = ["other" "clients" "silent" "at" "most" time];
        /// This client is not silent for longer than this.
        ClientSilent { client: ClientName, time: Time } = ["client" client "silent" "at" "most" time];
        /// None of all clients is silent for longer than this.
        EveryClientSilent { time: Time } = ["every" "client" "silent" "at" "most" time];
        /// Within this time each client is answered by the site that answered it before the first fault, and stays
        /// there.
        CatchmentAsBefore { time: Time } = ["catchment" "as" "before" "within" time];
        /// Within this time of the fault no client is moved from one site to another more often than this.
        SwitchesWithin { count: Count, time: Time } = ["at" "most" count "switches" "within" time];
        /// The median round trip is at most this.
        MedianAtMost { time: Time } = ["median" "round" "trip" "at" "most" time];
        /// The median round trip is at least so many times the one before.
        MedianTimesBefore { factor: Factor } =
            ["median" "round" "trip" "at" "least" factor "times" "before"];
    }
}

/// When a sentence is judged, and whether a clock has a say in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// As soon as its condition holds.
    Awaited,
    /// At the end of the step, over everything that was seen in it.
    Lasting,
    /// At the end of the step, against a time: the machine may have been too slow to tell.
    Timed,
}

impl Judged {
    /// How sentences of this form are judged: what must be so throughout lasts, what has a quantity of time is timed.
    pub fn of(form: &Form) -> Judged {
        if form.ends_with("throughout") {
            return Judged::Lasting;
        }
        let timed = ["LIMIT", "TIME", "FACTOR"].iter().any(|slot| form.slots().any(|name| name == *slot));
        if timed { Judged::Timed } else { Judged::Awaited }
    }
}

impl Expectation {
    /// How it is judged.
    pub fn judged(&self) -> Judged {
        Judged::of(self.form())
    }

    /// The client and the address of which it says what becomes of the packets.
    pub fn follows(&self) -> Option<(&ClientName, IpAddr)> {
        match self {
            Expectation::PacketsReach { client, address, .. }
            | Expectation::PacketsDropped { client, address, .. } => Some((client, *address)),
            _ => None,
        }
    }

    /// The client and the name that it is to resolve.
    pub fn resolves(&self) -> Option<(&ClientName, &DomainName)> {
        match self {
            Expectation::ClientResolves { client, name, .. } => Some((client, name)),
            _ => None,
        }
    }

    /// Whether it speaks of what hosts were sent.
    pub fn counts_packets(&self) -> bool {
        matches!(
            self,
            Expectation::UnicastReached { .. }
                | Expectation::BroadcastReached { .. }
                | Expectation::MulticastReached { .. }
                | Expectation::AnycastReachedNearest
                | Expectation::AnycastReached { .. }
                | Expectation::HostReceived { .. }
                | Expectation::GroupKnown { .. }
                | Expectation::GroupUnknown { .. }
                | Expectation::GroupKept { .. }
        )
    }

    /// Whether it speaks of connections that clients hold.
    pub fn follows_connections(&self) -> bool {
        matches!(self, Expectation::ConnectionsGoOn { .. } | Expectation::ConnectionsReset { .. })
    }

    /// Whether it speaks of the target of a fault, which must then be one site.
    pub fn needs_target(&self) -> bool {
        matches!(self, Expectation::OtherClientsSilent { .. })
    }

    /// Whether it says what comes of an order to this site.
    pub fn speaks_of_order_to(&self, ordered: &SiteName) -> bool {
        match self {
            Expectation::OrderObeyed { site } | Expectation::OrderRefused { site } => site == ordered,
            Expectation::OrdersObeyed { .. } => true,
            _ => false,
        }
    }

    /// Whether the edge routers of all sites must be asked about it all the time.
    pub fn needs_routers(&self) -> bool {
        matches!(
            self,
            Expectation::SiteAnnouncedThroughout { .. }
                | Expectation::SiteSilentThroughout { .. }
                | Expectation::SitesAnnouncedThroughout { .. }
        )
    }

    /// Whether the daemons of all sites must be asked for it.
    pub fn looks_at_all(&self) -> bool {
        matches!(self, Expectation::SitesInState { .. } | Expectation::SitesOfOutput { .. })
    }

    /// The site whose daemon or host must be asked for it.
    pub fn looks_at(&self) -> Option<&SiteName> {
        match self {
            Expectation::SiteState { site, .. }
            | Expectation::SiteStateThroughout { site, .. }
            | Expectation::SiteOutput { site, .. }
            | Expectation::SiteTold { site, .. }
            | Expectation::SiteSaid { site, .. }
            | Expectation::SiteHasAddresses { site }
            | Expectation::AlarmAt { site, .. }
            | Expectation::NoAlarmAt { site }
            | Expectation::FleetStands { site, .. }
            | Expectation::CountsAway { site, .. }
            | Expectation::SeesBehind { site, .. }
            | Expectation::SeesNobodyBehind { site }
            | Expectation::PeerEstablishedThroughout { site, .. }
            | Expectation::PeerKeptDespiteBrokenUpdates { site, .. }
            | Expectation::PeerToldRoutes { site, .. }
            | Expectation::SiteTellsNothingElse { site }
            | Expectation::SiteKnowsOwners { site, .. }
            | Expectation::SiteKnowsConnections { site, .. }
            | Expectation::SiteForwards { site, .. }
            | Expectation::SiteGave { site, .. }
            | Expectation::SiteDropsNothing { site }
            | Expectation::SiteHearsThroughOthers { site }
            | Expectation::SiteAddsUp { site }
            | Expectation::SiteMissesAtMost { site, .. }
            | Expectation::PeerLost { site, .. } => Some(site),
            _ => None,
        }
    }
}
