//! Faults: what can be made to go wrong in a running world, and put right again.
//!
//! The command `lab fault KIND TARGET`, the buttons of the page and the `do` of a scenario say it in the same words:
//! the first word is the kind, the rest is the target.

mod apply;

pub use apply::FaultError;

use crate::hostile::ScriptName;
use crate::scenario::words::NodeName;
use crate::sentence::sentences;
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
        /// The cable between two nodes is cut: both ends lose carrier.
        CutCable { end: NodeName, other: NodeName } = ["cut" "cable" end "-" other];
        /// The cable between two nodes drops every packet, and both ends still have carrier.
        BlackholeCable { end: NodeName, other: NodeName } = ["blackhole" "cable" end "-" other];
        /// Every cable of the site's edge router drops every packet, and all ends still have carrier.
        BlackholeSite { site: SiteName } = ["blackhole" "site" site];
        /// A hostile router, a peer of the site, plays a script of broken messages.
        AttackSite { site: SiteName, script: ScriptName } = ["attack" "site" site "with" script];
        /// The service runs again: started anew after a kill, continued after a hang.
        RestoreService { site: SiteName } = ["restore" "service" site];
        /// The daemon runs again: started anew after a kill, continued after a hang.
        RestoreDaemon { site: SiteName } = ["restore" "daemon" site];
        /// Everything of the site works again: cables, edge router, host, service and daemon.
        RestoreSite { site: SiteName } = ["restore" "site" site];
        /// The cable between two nodes carries packets again.
        RestoreCable { end: NodeName, other: NodeName } = ["restore" "cable" end "-" other];
        /// Everything that was broken works again.
        RestoreEverything = ["restore" "everything"];
    }
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
            | Fault::AttackSite { site, .. }
            | Fault::RestoreService { site }
            | Fault::RestoreDaemon { site }
            | Fault::RestoreSite { site } => Some(site),
            Fault::CutCable { .. }
            | Fault::BlackholeCable { .. }
            | Fault::RestoreCable { .. }
            | Fault::RestoreEverything => None,
        }
    }

    /// The nodes at the ends of the cable that is the target, if a cable is.
    pub fn cable(&self) -> Option<(&NodeName, &NodeName)> {
        match self {
            Fault::CutCable { end, other }
            | Fault::BlackholeCable { end, other }
            | Fault::RestoreCable { end, other } => Some((end, other)),
            Fault::KillService { .. }
            | Fault::KillDaemon { .. }
            | Fault::HangService { .. }
            | Fault::HangDaemon { .. }
            | Fault::RebootSite { .. }
            | Fault::PowerCutSite { .. }
            | Fault::BlackholeSite { .. }
            | Fault::AttackSite { .. }
            | Fault::RestoreService { .. }
            | Fault::RestoreDaemon { .. }
            | Fault::RestoreSite { .. }
            | Fault::RestoreEverything => None,
        }
    }

    /// The site whose service is the target, apart from its daemon.
    pub fn service(&self) -> Option<&SiteName> {
        match self {
            Fault::KillService { site } | Fault::HangService { site } | Fault::RestoreService { site } => {
                Some(site)
            }
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
            Fault::AttackSite { site, script } => format!("a hostile router plays {script} to {site}"),
            Fault::RestoreService { site } => format!("the service of {site} was restored"),
            Fault::RestoreDaemon { site } => format!("the daemon of {site} was restored"),
            Fault::RestoreSite { site } => format!("{site} was restored"),
            Fault::RestoreCable { end, other } => format!("the cable from {end} to {other} was mended"),
            Fault::RestoreEverything => "everything was restored".to_owned(),
        }
    }
}
