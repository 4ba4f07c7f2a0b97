//! What a scenario can expect: each sentence with its meaning.

use crate::scenario::words::{ClientName, Factor, Limit, State, Time, Told};
use crate::sentence::sentences;
use terms::{PeerName, SiteName};

sentences! {
    /// What a scenario expects after the faults of a step.
    pub enum Expectation {
        /// Every client is answered, over IPv4 and over IPv6.
        EveryClientAnswered = ["every" "client" "answered"];
        /// Every client is answered by this site, over both families.
        EveryClientBy { site: SiteName } = ["every" "client" "by" site];
        /// This client is answered by this site, over both families.
        ClientBy { client: ClientName, site: SiteName } = ["client" client "by" site];
        /// This client is answered, and by another site, over both families.
        ClientNotBy { client: ClientName, site: SiteName } = ["client" client "not" "by" site];
        /// The client is answered by a site that is not the nearest one, and the routers tell why: the AS path that
        /// its network chose and what preferred it.
        DetourExplained { client: ClientName } = ["detour" "of" "client" client "explained"];
        /// Every announcement group of the site is in this state.
        SiteState { site: SiteName, state: State } = ["site" site "state" state];
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
        /// The hostile router has played its script to the end: the site did everything that the script waits for.
        AttackOver { site: SiteName } = ["attack" "on" "site" site "over"];
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
        /// The median round trip is at most this.
        MedianAtMost { time: Time } = ["median" "round" "trip" "at" "most" time];
        /// The median round trip is at least so many times the one before.
        MedianTimesBefore { factor: Factor } =
            ["median" "round" "trip" "at" "least" factor "times" "before"];
    }
}

impl Expectation {
    /// Whether a clock decides it. The others wait for a condition and are never inconclusive.
    pub fn is_timing(&self) -> bool {
        match self {
            Expectation::ClientsAnsweredWithin { .. }
            | Expectation::EveryClientAnsweredWithin { .. }
            | Expectation::OtherClientsSilent { .. }
            | Expectation::ClientSilent { .. }
            | Expectation::EveryClientSilent { .. }
            | Expectation::CatchmentAsBefore { .. }
            | Expectation::MedianAtMost { .. }
            | Expectation::MedianTimesBefore { .. } => true,
            Expectation::EveryClientAnswered
            | Expectation::EveryClientBy { .. }
            | Expectation::ClientBy { .. }
            | Expectation::ClientNotBy { .. }
            | Expectation::DetourExplained { .. }
            | Expectation::SiteState { .. }
            | Expectation::SiteTold { .. }
            | Expectation::PeerEstablishedThroughout { .. }
            | Expectation::PeerKeptDespiteBrokenUpdates { .. }
            | Expectation::PeerLost { .. }
            | Expectation::AttackOver { .. } => false,
        }
    }

    /// Whether it speaks of the target of a fault, which must then be one site.
    pub fn needs_target(&self) -> bool {
        matches!(self, Expectation::OtherClientsSilent { .. })
    }

    /// The site whose daemon must be asked for it.
    pub fn daemon(&self) -> Option<&SiteName> {
        match self {
            Expectation::SiteState { site, .. }
            | Expectation::SiteTold { site, .. }
            | Expectation::PeerEstablishedThroughout { site, .. }
            | Expectation::PeerKeptDespiteBrokenUpdates { site, .. }
            | Expectation::PeerLost { site, .. } => Some(site),
            _ => None,
        }
    }
}
