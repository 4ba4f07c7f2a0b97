//! A fleet and what befalls it, from a seed: everything bad happens within [`STORM`], then all heals, and [`CALM`] is
//! the time in which everything must be well again.

use announce::permit::Speaker;
use std::num::NonZeroU32;
use std::time::Duration;
use terms::Timestamp;

use crate::dice::Dice;

pub const STORM: Duration = Duration::from_secs(36);
pub const CALM: Duration = Duration::from_secs(45);

/// A host by its place in [`Plan::hosts`].
pub type HostId = usize;

/// Everything that chance decides beforehand.
pub struct Plan {
    pub hosts: Vec<Speaker>,
    pub min_sites: Vec<Option<NonZeroU32>>,
    /// Percent of the messages to and from the store that get lost.
    pub loss: usize,
    /// Percent of the requests that arrive twice.
    pub twice: usize,
    pub blows: Vec<(Timestamp, Blow)>,
}

/// One thing that happens to the fleet. Sites are named by their number, hosts by their place.
#[derive(Clone, Copy, Debug)]
pub enum Blow {
    /// The service of a host fails, definitely or silently, and is well again after so long.
    Fail { host: HostId, lasts: Duration },
    /// Every service fails.
    FailEverywhere { lasts: Duration },
    /// The process ends without a word and starts again after so long.
    Crash { host: HostId, lasts: Duration },
    /// A site loses its power.
    Die { site: usize, lasts: Duration },
    /// A site cannot reach the store, nor the store the site.
    CutOff { site: usize, lasts: Duration },
    /// The store is down. A polite one says so, another is silent.
    StoreDown { polite: bool, lasts: Duration },
    /// What the store holds now is copied.
    BackUp,
    /// The store is replaced by one with the last copy. Its revisions go on from the copy, or from far above.
    Restore { far_above: bool },
    /// An operator drains, or withdraws, at every host of a site.
    Order { site: usize, drain: bool, lasts: Duration },
    /// An operator frees the permit of a site.
    Release { site: usize },
    /// An operator takes a site off the list.
    Retire { site: usize },
    /// The site file of a host is read again and says something else.
    Configure { host: HostId, min_sites: Option<NonZeroU32> },
    /// Everything is well from now on.
    Heal,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let sites = match dice.below(60) {
            0 => 10 + dice.below(31),
            1..=12 => 5 + dice.below(5),
            _ => 2 + dice.below(4),
        };
        let most_hosts = if sites > 8 { 1 } else { 1 + dice.below(3) };
        let mut hosts = Vec::new();
        for site in 0..sites {
            for host in 0..=dice.below(most_hosts) {
                let (site, host) = (format!("s{site}"), format!("s{site}-h{host}"));
                hosts.push(Speaker { site: site.parse().unwrap(), host: host.parse().unwrap() });
            }
        }
        let common = any_min_sites(&mut dice, sites);
        let disagree = dice.percent(15);
        let own = |_| if disagree { any_min_sites(&mut dice, sites) } else { common };
        let min_sites = hosts.iter().map(own).collect();
        let (loss, twice) = (dice.one_of(&[0, 0, 1, 5, 20]), dice.one_of(&[0, 5, 20]));
        let blows = blows(&mut dice, sites, hosts.len());
        Plan { hosts, min_sites, loss, twice, blows }
    }
}

/// A fleet that nothing befalls: `sites` of one host each.
pub fn quiet(sites: usize, min_sites: Option<NonZeroU32>) -> Plan {
    let speaker = |site| Speaker {
        site: format!("s{site}").parse().unwrap(),
        host: format!("s{site}-h0").parse().unwrap(),
    };
    let hosts = (0..sites).map(speaker).collect();
    Plan { hosts, min_sites: vec![min_sites; sites], loss: 0, twice: 0, blows: Vec::new() }
}

fn any_min_sites(dice: &mut Dice, sites: usize) -> Option<NonZeroU32> {
    if dice.percent(50) {
        return None;
    }
    NonZeroU32::new(u32::try_from(1 + dice.below(sites)).unwrap())
}

fn blows(dice: &mut Dice, sites: usize, hosts: usize) -> Vec<(Timestamp, Blow)> {
    let count = 3 + dice.below(6 + hosts.min(10));
    let storm = u64::try_from(STORM.as_millis()).unwrap();
    let start = |dice: &mut Dice| Timestamp::ZERO + dice.millis(6_000, storm - 1_000);
    let mut blows: Vec<_> = (0..count).map(|_| (start(dice), any_blow(dice, sites, hosts))).collect();
    if dice.percent(40) {
        let copied = start(dice);
        let restored = copied + dice.millis(200, 12_000);
        blows.push((copied, Blow::BackUp));
        if dice.percent(60) {
            blows.push((
                restored - Duration::from_millis(150),
                Blow::StoreDown { polite: true, lasts: dice.millis(100, 900) },
            ));
        }
        blows.push((restored, Blow::Restore { far_above: dice.percent(50) }));
    }
    blows.retain(|(at, _)| at.since(Timestamp::ZERO) < STORM);
    blows.push((Timestamp::ZERO + STORM, Blow::Heal));
    blows
}

fn any_blow(dice: &mut Dice, sites: usize, hosts: usize) -> Blow {
    let (site, host) = (dice.below(sites), dice.below(hosts));
    let lasts = if dice.percent(50) { dice.millis(300, 3_000) } else { dice.millis(3_000, 20_000) };
    match dice.below(100) {
        0..20 => Blow::Fail { host, lasts },
        20..30 => Blow::FailEverywhere { lasts },
        30..44 => Blow::Crash { host, lasts },
        44..52 => Blow::Die { site, lasts },
        52..66 => Blow::CutOff { site, lasts },
        66..72 => Blow::StoreDown { polite: dice.percent(50), lasts: dice.millis(300, 6_000) },
        72..90 => Blow::Order { site, drain: dice.percent(50), lasts },
        90..93 => Blow::Release { site },
        93..96 => Blow::Retire { site },
        _ => Blow::Configure { host, min_sites: any_min_sites(dice, sites) },
    }
}
