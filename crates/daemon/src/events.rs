//! The one event bus: every event of every core and driver becomes one [`EventRow`] here, and the log line, the
//! metric, the row of the API and the mark on the page are all made from that row.
//!
//! Telling an event costs a short lock and no I/O: the log is written by a follower of its own
//! ([`Log`]), so that a blocked terminal never delays a decision.

use crate::clock::Clock;
use crate::event::Source;
use crate::metrics::Metrics;
use api::EventRow;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use terms::{AlarmChange, AlarmName, GroupName, Reason, Severity, Timestamp};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// How many of the latest events are kept for whoever asks.
const KEPT: usize = 4096;

/// How far a follower may fall behind before it misses events.
const FOLLOWED: usize = 1024;

/// How many warnings of one kind about one subject are told in one [`WINDOW`]. Who can make us warn (a stranger, a
/// broken peer) must not push out of the ring what an operator needs to see. The metric counts them all.
const WARNINGS: u32 = 30;

/// See [`WARNINGS`].
const WINDOW: Duration = Duration::from_secs(60);

/// Where events are told, kept and followed. Every copy is the same bus.
#[derive(Clone, Debug)]
pub(crate) struct Bus(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    metrics: Metrics,
    told: Mutex<Told>,
}

/// What was told, for a program that takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The number of the next event.
    next: u64,
    /// The latest ones, oldest first.
    rows: VecDeque<EventRow>,
    /// The alarms that stood.
    alarms: Vec<api::Alarm>,
}

#[derive(Debug)]
struct Told {
    next: u64,
    /// The first that this program told.
    first: u64,
    /// Alarms of the program before, for the time since when they stand.
    before: Vec<api::Alarm>,
    ring: VecDeque<EventRow>,
    followers: broadcast::Sender<EventRow>,
    /// What is wrong and was not cleared yet, by who says so, subject and name.
    alarms: BTreeMap<(Keeper, String, AlarmName), api::Alarm>,
    /// Warnings told in the present window, by kind and subject: bounded by what can be the subject of one.
    warned: BTreeMap<(String, String), (Timestamp, u32)>,
}

/// Who says that an alarm is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Keeper {
    /// The decision, which tells all that stand about a group at once.
    Decision,
    /// The event that clears it.
    Events,
}

impl Bus {
    pub(crate) fn new(clock: Clock, metrics: Metrics) -> Self {
        let told = Told {
            next: 0,
            first: 0,
            before: Vec::new(),
            ring: VecDeque::with_capacity(KEPT),
            followers: broadcast::Sender::new(FOLLOWED),
            alarms: BTreeMap::new(),
            warned: BTreeMap::new(),
        };
        Bus(Arc::new(Inner { clock, metrics, told: Mutex::new(told) }))
    }

    /// What was told so far.
    pub(crate) fn keep(&self) -> Kept {
        let alarms = self.alarms();
        let told = self.told();
        Kept { next: told.next, rows: told.ring.clone(), alarms }
    }

    /// Goes on counting where another program stood. Its alarms do not stand by this: whoever raises one again finds
    /// that it has stood since then.
    pub(crate) fn go_on(&self, from: Kept) {
        let mut told = self.told();
        (told.next, told.first) = (from.next, from.next);
        told.ring = from.rows;
        told.ring.truncate(KEPT);
        told.before = from.alarms;
    }

    /// Tells one event.
    pub(crate) fn tell(&self, event: &dyn terms::Event, source: Source<'_>) {
        let now = self.0.clock.now();
        let mut told = self.told();
        let row = EventRow::of(
            event,
            source.to_string(),
            told.next,
            now.as_nanos() / 1_000_000,
            self.0.clock.wall(),
        );
        self.0.metrics.count_event(&row);
        if let Some(change) = event.alarm() {
            told.change(change, &row);
        }
        if row.severity == Severity::Warning && !told.may_warn(&row, now) {
            return;
        }
        told.next += 1;
        if told.ring.len() == KEPT {
            told.ring.pop_front();
        }
        told.ring.push_back(row.clone());
        // Nobody follows: nothing is lost, the ring has it.
        let _ = told.followers.send(row);
    }

    /// The latest events, oldest first.
    pub(crate) fn latest(&self) -> Vec<EventRow> {
        self.told().ring.iter().cloned().collect()
    }

    /// The latest events, and every one that follows: none is missed and none comes twice.
    pub(crate) fn follow(&self) -> (Vec<EventRow>, broadcast::Receiver<EventRow>) {
        let told = self.told();
        (told.ring.iter().cloned().collect(), told.followers.subscribe())
    }

    /// These alarms stand about a group, and no others. Those that stood before go on standing since then.
    pub(crate) fn stand(&self, group: &GroupName, alarms: impl IntoIterator<Item = (AlarmName, Reason)>) {
        let (subject, wall) = (group.to_string(), self.0.clock.wall());
        let mut told = self.told();
        let fresh = alarms.into_iter().map(|(name, text)| {
            let key = (Keeper::Decision, subject.clone(), name);
            let stood = told.alarms.get(&key).or_else(|| told.stood_before(key.2.kind, &subject));
            let since = stood.map_or(wall, |alarm| alarm.since);
            let alarm = api::Alarm { kind: key.2.kind.to_owned(), subject: subject.clone(), since, text };
            (key, alarm)
        });
        let fresh: Vec<_> = fresh.collect();
        told.alarms.retain(|(keeper, whose, _), _| *keeper != Keeper::Decision || *whose != subject);
        told.alarms.extend(fresh);
    }

    /// The alarms that stand.
    pub(crate) fn alarms(&self) -> Vec<api::Alarm> {
        self.told().alarms.values().cloned().collect()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// The alarm of the program before, of that kind about that subject.
    fn stood_before(&self, kind: &str, subject: &str) -> Option<&api::Alarm> {
        self.before.iter().find(|alarm| alarm.kind == kind && alarm.subject == subject)
    }

    /// An alarm stands since it was raised first, with the words of the last time.
    fn change(&mut self, change: AlarmChange, row: &EventRow) {
        match change {
            AlarmChange::Raised(name) => {
                let stood = self.stood_before(name.kind, &row.subject);
                let fresh = api::Alarm {
                    kind: name.kind.to_owned(),
                    subject: row.subject.clone(),
                    since: stood.map_or(row.wall, |alarm| alarm.since),
                    text: Reason::from(&row.text),
                };
                let alarm = self.alarms.entry((Keeper::Events, row.subject.clone(), name)).or_insert(fresh);
                alarm.text = Reason::from(&row.text);
            }
            AlarmChange::Cleared(name) => {
                self.alarms.remove(&(Keeper::Events, row.subject.clone(), name));
            }
        }
    }

    /// Whether a warning still fits the window of its kind and subject; takes its place if it does.
    fn may_warn(&mut self, row: &EventRow, now: Timestamp) -> bool {
        let (begun, told) = self.warned.entry((row.kind.clone(), row.subject.clone())).or_insert((now, 0));
        if now.since(*begun) >= WINDOW {
            (*begun, *told) = (now, 0);
        }
        *told += 1;
        *told <= WARNINGS
    }
}

/// Writes every event to the log.
#[derive(Debug)]
pub(crate) struct Log {
    rows: broadcast::Receiver<EventRow>,
}

impl Log {
    /// Writes what was told so far.
    pub(crate) fn follow(bus: &Bus) -> Self {
        let (earlier, rows) = bus.follow();
        let first = bus.told().first;
        // What the program before has told it has logged.
        earlier.iter().filter(|row| row.seq >= first).for_each(log);
        Log { rows }
    }

    /// Writes what is told from now on, for as long as there is a bus.
    pub(crate) async fn write(&mut self) {
        loop {
            match self.rows.recv().await {
                Ok(row) => log(&row),
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "the log fell behind and misses events")
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Writes what was told and not written yet.
    pub(crate) fn drain(&mut self) {
        while let Ok(row) = self.rows.try_recv() {
            log(&row);
        }
    }
}

fn log(row: &EventRow) {
    let EventRow { seq, kind, subject, text, .. } = row;
    match row.severity {
        Severity::Info | Severity::Notice => tracing::info!(seq, kind, subject, "{text}"),
        Severity::Warning => tracing::warn!(seq, kind, subject, "{text}"),
        Severity::Alarm => tracing::error!(seq, kind, subject, "{text}"),
    }
}

#[cfg(test)]
impl Bus {
    pub(crate) fn for_test() -> Self {
        Bus::new(Clock::start(), Metrics::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;

    #[tokio::test]
    async fn a_follower_misses_nothing_and_hears_nothing_twice() {
        let bus = Bus::for_test();
        bus.tell(&Event::Started, Source::Process);
        let (earlier, mut later) = bus.follow();
        bus.tell(&Event::Stopped, Source::Process);
        let heard: Vec<u64> = earlier.iter().map(|row| row.seq).collect();
        assert_eq!(heard, [0]);
        assert_eq!(later.recv().await.unwrap().seq, 1);
        assert!(later.try_recv().is_err());
        assert_eq!(bus.latest().len(), 2);
    }

    #[test]
    fn an_alarm_stands_from_the_event_that_raises_it_to_the_one_that_clears_it() {
        let bus = Bus::for_test();
        let [one, other] = ["198.18.0.53", "2001:db8:53::53"].map(|text| text.parse().unwrap());
        let missing = |address, words: &str| Event::AddressMissing { address, reason: words.into() };
        let standing = |bus: &Bus| -> Vec<String> {
            bus.alarms().into_iter().map(|alarm| alarm.text.as_str().to_owned()).collect()
        };
        bus.tell(&missing(one, "no permission"), Source::Process);
        let since = bus.alarms()[0].since;
        bus.tell(&missing(other, "no memory"), Source::Process);
        bus.tell(&missing(one, "no memory"), Source::Process);
        assert_eq!(standing(&bus).len(), 2);
        assert!(standing(&bus)[0].ends_with("no memory"), "the latest words count");
        assert_eq!(bus.alarms()[0].since, since, "it stands since it was raised first");
        bus.tell(&Event::AddressRestored { address: one }, Source::Process);
        assert_eq!(standing(&bus).len(), 1);
        assert!(standing(&bus)[0].contains("2001:db8:53::53"));
    }

    #[test]
    fn what_the_decision_says_of_a_group_clears_nothing_that_others_raised() {
        use announce::permit;
        let bus = Bus::for_test();
        let group: GroupName = "dns".parse().unwrap();
        let kinds = |bus: &Bus| bus.alarms().into_iter().map(|alarm| alarm.kind).collect::<Vec<_>>();
        let (alarm, reason) = (permit::Alarm::StoreLost, Reason::from("no answer"));
        bus.tell(&permit::Event::Raised { alarm, reason }, Source::Group(&group));
        bus.stand(&group, [(AlarmName::only("held"), Reason::from("no permit"))]);
        assert_eq!(kinds(&bus), ["held", "store-lost"]);
        bus.stand(&group, []);
        assert_eq!(kinds(&bus), ["store-lost"]);
        bus.tell(&permit::Event::Cleared { alarm }, Source::Group(&group));
        assert!(kinds(&bus).is_empty());
    }

    #[test]
    fn a_program_that_takes_over_goes_on_counting_and_alarms_stand_since_they_did() {
        let (before, after) = (Bus::for_test(), Bus::for_test());
        before.tell(&Event::Started, Source::Process);
        let address = "198.18.0.53".parse().unwrap();
        let missing = Event::AddressMissing { address, reason: "no permission".into() };
        before.tell(&missing, Source::Process);
        let mut kept = before.keep();
        kept.alarms[0].since = terms::WallTime(1);
        after.go_on(kept);
        assert_eq!(after.alarms(), [], "nobody has said that it still stands");
        after.tell(&missing, Source::Process);
        assert_eq!(after.alarms()[0].since, terms::WallTime(1));
        let seqs: Vec<u64> = after.latest().iter().map(|row| row.seq).collect();
        assert_eq!(seqs, [0, 1, 2]);
    }

    #[test]
    fn the_ring_keeps_the_latest_and_stays_bounded() {
        let bus = Bus::for_test();
        for _ in 0..KEPT + 10 {
            bus.tell(&Event::Started, Source::Process);
        }
        let rows = bus.latest();
        assert_eq!((rows.len(), rows[0].seq), (KEPT, 10));
    }

    #[test]
    fn a_flood_of_warnings_hides_neither_other_events_nor_other_peers() {
        let bus = Bus::for_test();
        let stranger = Event::StrangerRefused { address: "192.0.2.1".parse().unwrap() };
        for _ in 0..10 * KEPT {
            bus.tell(&stranger, Source::Process);
        }
        bus.tell(&stranger, Source::Peer(&"transit-a".parse().unwrap()));
        bus.tell(&Event::Stopped, Source::Process);
        let rows = bus.latest();
        assert_eq!(rows.len() as u32, WARNINGS + 2);
        // Rows are numbered without a gap, so that a reader can see that it missed none.
        assert!(rows.windows(2).all(|pair| pair[1].seq == pair[0].seq + 1));
    }
}
