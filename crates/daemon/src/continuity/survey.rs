//! The connections that have moved, looked at on a thread aside: a walk through full tables takes long, and neither the
//! programs nor the fleet wait for it.

use super::others::Seen;
use super::view;
use crate::clock::Clock;
use ::continuity::{Filter, Key, SiteNumber};
use api::{Flow, FlowTotal};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use terms::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use xdp::{Passage, Passages};

/// Most connections of a list.
const MOST: usize = 10_000;

/// From one look to the next, at least.
const PAUSE: Duration = Duration::from_secs(1);

/// A look is followed by so many times the time that it took without one: a processor is busy with it for a twentieth of the
/// time at most.
const REST: u32 = 19;

/// One look at a time, and who waits for what comes of it.
#[derive(Debug, Default)]
pub(super) struct Surveys {
    running: JoinSet<Surveyed>,
    began: Timestamp,
    next_at: Timestamp,
    waiting: Vec<oneshot::Sender<api::Flows>>,
}

impl Surveys {
    /// Somebody wants to know what comes of the next one.
    pub(super) fn wait(&mut self, answer: oneshot::Sender<api::Flows>) {
        self.waiting.push(answer);
    }

    /// Whether one is to begin: none is under way, and somebody waits for it, or it is time.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.running.is_empty() && (!self.waiting.is_empty() || now >= self.next_at)
    }

    /// Begins.
    pub(super) fn begin(&mut self, survey: Survey, now: Timestamp) {
        self.began = now;
        self.running.spawn_blocking(move || survey.run());
    }

    /// What came of the one that is under way; none where none is.
    pub(super) async fn end(&mut self) -> Option<Surveyed> {
        // One that could not be ended has found nothing.
        Some(self.running.join_next().await?.unwrap_or_default())
    }

    /// It has ended: whoever has waited for it.
    pub(super) fn rest(&mut self, now: Timestamp) -> Vec<oneshot::Sender<api::Flows>> {
        self.next_at = now + PAUSE.max(now.since(self.began) * REST);
        std::mem::take(&mut self.waiting)
    }
}

/// What is needed to look.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) tables: Passages,
    pub(super) hosts: Hosts,
    pub(super) clock: Clock,
}

/// What is known of whose connections are still there.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) others: Vec<Seen>,
    /// The connections of this host.
    pub(super) own: Option<Arc<Filter>>,
    pub(super) key: Key,
}

/// The connections that have moved in one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// Between this host and each other one, by its number.
    pub(super) totals: Vec<FlowTotal>,
    /// Those that were seen last, those first.
    pub(super) latest: Vec<Flow>,
    /// So many more have moved.
    pub(super) more: u64,
}

/// Both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Surveyed {
    pub(super) forwarded: Moved,
    pub(super) received: Moved,
}

impl Survey {
    /// Walks through both tables. What cannot be read is empty.
    pub(super) fn run(&self) -> Surveyed {
        let Survey { tables, hosts, clock } = self;
        Surveyed {
            forwarded: hosts.forwarded(tables.forwarded().unwrap_or_default(), *clock),
            received: hosts.received(tables.received().unwrap_or_default(), *clock),
        }
    }
}

impl Hosts {
    /// Those that are forwarded and still there, as their owner says: the table itself forgets only what it has no room for.
    fn forwarded(&self, mut passages: Vec<Passage>, clock: Clock) -> Moved {
        let theirs = |number| self.host(number)?.site.as_ref().ok()?.filter.as_deref();
        passages.retain(|passage| {
            theirs(passage.site).is_some_and(|filter| filter.contains(&passage.flow, &self.key))
        });
        self.moved(passages, clock)
    }

    /// Those of this host that are received.
    fn received(&self, mut passages: Vec<Passage>, clock: Clock) -> Moved {
        let own = self.own.as_deref();
        passages.retain(|passage| own.is_some_and(|filter| filter.contains(&passage.flow, &self.key)));
        self.moved(passages, clock)
    }

    fn moved(&self, mut passages: Vec<Passage>, clock: Clock) -> Moved {
        let mut totals: BTreeMap<SiteNumber, FlowTotal> = BTreeMap::new();
        for passage in &passages {
            let (since, seen) = (view::wall(clock, passage.since), view::wall(clock, passage.seen));
            let total = totals.entry(passage.site).or_insert_with(|| {
                let speaker = self.host(passage.site).map(|seen| &seen.speaker);
                FlowTotal {
                    number: passage.site.get(),
                    site: speaker.map(|speaker| speaker.site.clone()),
                    host: speaker.map(|speaker| speaker.host.clone()),
                    connections: 0,
                    since,
                    seen,
                    packets: 0,
                }
            });
            total.connections += 1;
            total.packets += passage.packets;
            (total.since, total.seen) = (total.since.min(since), total.seen.max(seen));
        }
        passages.sort_by_key(|passage| std::cmp::Reverse(passage.seen));
        let more = passages.len().saturating_sub(MOST);
        passages.truncate(MOST);
        let latest =
            passages.into_iter().map(|passage| view::flow(passage, clock, |number| self.host(number)));
        Moved {
            totals: totals.into_values().collect(),
            latest: latest.collect(),
            more: u64::try_from(more).unwrap_or(u64::MAX),
        }
    }

    fn host(&self, number: SiteNumber) -> Option<&Seen> {
        self.others.iter().find(|seen| seen.number == number && seen.site.is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::continuity::{Flow, Site, State};
    use announce::permit::Speaker;
    use std::net::IpAddr;

    const KEY: [u8; 16] = [7; 16];

    fn number(number: u8) -> SiteNumber {
        number.try_into().unwrap()
    }

    fn flow(port: u16) -> Flow {
        Flow::new(
            std::net::SocketAddr::new([203, 0, 113, 7].into(), port),
            "198.18.0.53:443".parse().unwrap(),
        )
    }

    fn filter(ports: impl Iterator<Item = u16>) -> Option<Arc<Filter>> {
        let mut filter = Filter::with_room_for(20_000);
        ports.for_each(|port| filter.insert(&flow(port), &Key::new(KEY)));
        Some(filter.into())
    }

    /// Tokyo has some connections, and this host has others.
    fn hosts(theirs: impl Iterator<Item = u16>, own: impl Iterator<Item = u16>) -> Hosts {
        let address = IpAddr::from([10, 3, 0, 10]);
        let tokyo = Seen {
            speaker: Speaker { site: "tokyo".parse().unwrap(), host: "tokyo-1".parse().unwrap() },
            number: number(3),
            connections: 1,
            at: None,
            is_well: true,
            serves_all: true,
            site: Ok(Site { address, state: State::Alive, filter: filter(theirs) }),
        };
        Hosts { others: vec![tokyo], own: filter(own), key: Key::new(KEY) }
    }

    /// Its first packet came so many seconds after the start of the machine, and the last one second later.
    fn passage(port: u16, site: u8, since: u64) -> Passage {
        let since = Timestamp::ZERO + Duration::from_secs(since);
        let (site, seen) = (number(site), since + Duration::from_secs(1));
        Passage { flow: flow(port), site, since, seen, packets: 10, is_confirmed: true }
    }

    #[test]
    fn what_goes_between_two_hosts_is_one_sum_and_what_has_ended_is_none() {
        let hosts = hosts([1, 2, 4].into_iter(), [5, 6].into_iter());
        let clock = Clock::start();
        // The third has ended, and nobody with the number 9 is known.
        let forwarded = hosts
            .forwarded(vec![passage(1, 3, 5), passage(2, 3, 7), passage(3, 3, 8), passage(4, 9, 9)], clock);
        let [total] = forwarded.totals.as_slice() else { panic!("{forwarded:?}") };
        assert_eq!((total.number, total.connections, total.packets), (3, 2, 20));
        assert_eq!(total.site, Some("tokyo".parse().unwrap()));
        assert_eq!(total.host, Some("tokyo-1".parse().unwrap()));
        // From the first packet of the first one to the last packet of the last one.
        assert!((2_999..=3_001).contains(&(total.seen.0 - total.since.0)), "{total:?}");
        let ports: Vec<u16> = forwarded.latest.iter().map(|flow| flow.client.port()).collect();
        assert_eq!((ports, forwarded.more), (vec![2, 1], 0));

        // What has come here is this host's, whoever forwards it.
        let received = hosts.received(vec![passage(5, 9, 1), passage(1, 3, 2), passage(6, 3, 3)], clock);
        let whose = |total: &FlowTotal| (total.number, total.site.is_some(), total.connections);
        assert_eq!(received.totals.iter().map(whose).collect::<Vec<_>>(), [(3, true, 1), (9, false, 1)]);
        assert_eq!(received.latest.len(), 2);
    }

    #[test]
    fn of_more_than_fit_into_a_list_all_are_counted() {
        let ports = 1..=11_000;
        let passages = ports.clone().map(|port| passage(port, 3, port.into())).collect();
        let moved = hosts(ports, [].into_iter()).forwarded(passages, Clock::start());
        assert_eq!((moved.latest.len(), moved.more), (MOST, 1_000));
        assert_eq!(moved.totals[0].connections, 11_000);
        assert_eq!(moved.latest[0].client.port(), 11_000, "the latest");
    }

    #[tokio::test]
    async fn whoever_asks_is_told_by_the_next_look_and_a_long_look_is_followed_by_a_longer_rest() {
        let at = |millis| Timestamp::ZERO + Duration::from_millis(millis);
        let mut surveys = Surveys::default();
        assert!(surveys.is_due(at(0)));
        surveys.began = at(0);
        assert_eq!(surveys.rest(at(500)).len(), 0);
        assert!(!surveys.is_due(at(9_999)), "19 times 500 ms after its end");
        assert!(surveys.is_due(at(10_000)));
        surveys.began = at(10_000);
        surveys.rest(at(10_000));
        assert!(!surveys.is_due(at(10_999)) && surveys.is_due(at(11_000)));
        surveys.wait(oneshot::channel().0);
        assert!(surveys.is_due(at(10_001)), "somebody waits");
        surveys.running.spawn(std::future::pending());
        assert!(!surveys.is_due(at(20_000)), "one is under way");
        assert_eq!(surveys.rest(at(20_000)).len(), 1);
    }
}
