//! The alarm before memory or descriptors run out: over the limit the kernel ends the daemon or refuses it a socket.

use super::Usage;
use crate::event::Source;
use crate::events::Bus;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;
use terms::{AlarmChange, AlarmName, Severity};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Per cent of the limit above which the alarm is raised, and below which it is cleared.
const SHORT: u64 = 90;
const ENOUGH: u64 = 80;

/// What can run short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Resource {
    Memory,
    Descriptors,
}

/// What a look at the process leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Close to the limit.
    Short { of: Resource, used: u64, limit: u64 },
    /// No longer close to it.
    Enough { of: Resource },
}

/// Looks now and then, for as long as the process lives.
pub(crate) async fn watch(bus: Bus) {
    let mut short = BTreeSet::new();
    loop {
        for event in judge(&Usage::read(), &mut short) {
            bus.tell(&event, Source::Process);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// What has changed since the last look. What has no limit never runs short.
fn judge(usage: &Usage, short: &mut BTreeSet<Resource>) -> Vec<Event> {
    let looks = [
        (Resource::Memory, usage.memory, usage.memory_limit),
        (Resource::Descriptors, usage.descriptors, usage.descriptor_limit),
    ];
    let event = |(of, used, limit): (Resource, Option<u64>, Option<u64>)| {
        let (used, limit) = (used?, limit?);
        let is_over = |share: u64| u128::from(used) * 100 > u128::from(limit) * u128::from(share);
        if is_over(SHORT) && short.insert(of) {
            return Some(Event::Short { of, used, limit });
        }
        (!is_over(ENOUGH) && short.remove(&of)).then_some(Event::Enough { of })
    };
    looks.into_iter().filter_map(event).collect()
}

impl Resource {
    fn alarm(self) -> AlarmName {
        AlarmName::only(match self {
            Resource::Memory => "memory-short",
            Resource::Descriptors => "descriptors-short",
        })
    }
}

impl terms::Event for Event {
    fn kind(&self) -> &'static str {
        match self {
            Event::Short { of: Resource::Memory, .. } => "memory-short",
            Event::Short { of: Resource::Descriptors, .. } => "descriptors-short",
            Event::Enough { of: Resource::Memory } => "memory-enough",
            Event::Enough { of: Resource::Descriptors } => "descriptors-enough",
        }
    }

    fn severity(&self) -> Severity {
        match self {
            Event::Short { .. } => Severity::Alarm,
            Event::Enough { .. } => Severity::Notice,
        }
    }

    fn alarm(&self) -> Option<AlarmChange> {
        Some(match self {
            Event::Short { of, .. } => AlarmChange::Raised(of.alarm()),
            Event::Enough { of } => AlarmChange::Cleared(of.alarm()),
        })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Short { of: Resource::Memory, used, limit } => {
                let mebibytes = |bytes: &u64| bytes >> 20;
                let (used, limit) = (mebibytes(used), mebibytes(limit));
                write!(
                    f,
                    "{used} of {limit} MiB are used; over the limit the kernel ends the daemon: raise `MemoryMax=`"
                )
            }
            Event::Short { of: Resource::Descriptors, used, limit } => {
                write!(f, "{used} of {limit} descriptors are open; raise `LimitNOFILE=`")
            }
            Event::Enough { of: Resource::Memory } => f.write_str("memory is no longer short"),
            Event::Enough { of: Resource::Descriptors } => f.write_str("descriptors are no longer short"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(memory: u64, short: &mut BTreeSet<Resource>) -> Vec<Event> {
        judge(&Usage { memory: Some(memory), memory_limit: Some(1000), ..Usage::default() }, short)
    }

    #[test]
    fn the_alarm_is_raised_once_and_cleared_once_there_is_room() {
        let mut short = BTreeSet::new();
        assert_eq!(look(900, &mut short), []);
        let raised = look(901, &mut short);
        assert_eq!(raised, [Event::Short { of: Resource::Memory, used: 901, limit: 1000 }]);
        assert_eq!(look(990, &mut short), [], "it stands already");
        assert_eq!(look(801, &mut short), [], "not clear of the limit yet");
        assert_eq!(look(800, &mut short), [Event::Enough { of: Resource::Memory }]);
        assert_eq!(look(800, &mut short), []);
    }

    #[test]
    fn what_has_no_limit_never_runs_short() {
        let usage = Usage { memory: Some(u64::MAX), descriptors: Some(u64::MAX), ..Usage::default() };
        assert_eq!(judge(&usage, &mut BTreeSet::new()), []);
        let largest = Usage { memory_limit: Some(u64::MAX), ..usage };
        assert_eq!(
            judge(&largest, &mut BTreeSet::new()).len(),
            1,
            "the largest numbers are compared as numbers"
        );
    }

    #[test]
    fn the_sentences_say_what_to_do() {
        let short = |of| Event::Short { of, used: 3 << 20, limit: 4 << 20 }.to_string();
        assert!(
            short(Resource::Memory).starts_with("3 of 4 MiB")
                && short(Resource::Memory).contains("`MemoryMax=`")
        );
        assert!(short(Resource::Descriptors).contains("`LimitNOFILE=`"));
    }
}
