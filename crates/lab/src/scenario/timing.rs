//! Timing checks: what was measured, against its limit, and whether the machine was too slow to tell.
//!
//! Lateness is that of the check's own window: the span in which the thing that was measured happened.

use crate::scenario::expectation::Expectation;
use crate::scenario::record::{Record, Sample, Span, Viewpoint};
use crate::scenario::verdict::{Bound, Measurement, Unit, millis};
use crate::scenario::words::Limit;
use std::time::Duration;
use terms::{SiteName, Timestamp};

/// What a step's checks look at.
#[derive(Clone, Debug)]
pub struct Window {
    /// The last moment before the faults that nothing disturbed: questions sent until here had their answer.
    pub before: Timestamp,
    /// When the step's first fault was done; times count from here.
    pub fault: Timestamp,
    /// The last moment that is looked at.
    pub until: Timestamp,
    /// The last moment before the scenario's first fault: catchments are "as before" when they are as then.
    pub home: Timestamp,
    /// The site that is the target of the step's fault.
    pub target: Option<SiteName>,
    /// What every limit is multiplied by.
    pub slack: f64,
}

impl Window {
    /// A median looks at this much time.
    pub const MEDIAN_OVER: Duration = Duration::from_secs(1);

    /// From the fault to the end.
    pub fn span(&self) -> Span {
        Span { from: self.fault, to: self.until }
    }

    fn limit(&self, time: Duration) -> f64 {
        millis(time) * self.slack
    }
}

/// The stretch before `end` that a median looks at.
fn median_span(end: Timestamp) -> Span {
    Span { from: end - Window::MEDIAN_OVER, to: end }
}

/// What a timing check measured, viewpoint by viewpoint. Empty when there was nothing to measure, and for a
/// functional check.
pub fn measure(expectation: &Expectation, record: &Record, window: &Window) -> Vec<Measurement> {
    match expectation {
        Expectation::ClientsAnsweredWithin { site, limit } => record
            .everybody()
            .filter(|viewpoint| record.answered_by(viewpoint, window.before) == Some(site))
            .map(|viewpoint| answered_again(record, window, viewpoint, *limit))
            .collect(),
        Expectation::EveryClientAnsweredWithin { limit } => {
            record.viewpoints().map(|viewpoint| answered_again(record, window, viewpoint, *limit)).collect()
        }
        Expectation::OtherClientsSilent { time } => record
            .viewpoints()
            .filter(|viewpoint| record.answered_by(viewpoint, window.before) != window.target.as_ref())
            .map(|viewpoint| longest_silence(record, window, viewpoint, time.duration()))
            .collect(),
        Expectation::ClientSilent { client, time } => record
            .everybody()
            .filter(|viewpoint| &*viewpoint.client == client.as_str())
            .map(|viewpoint| longest_silence(record, window, viewpoint, time.duration()))
            .collect(),
        Expectation::EveryClientSilent { time } => record
            .viewpoints()
            .map(|viewpoint| longest_silence(record, window, viewpoint, time.duration()))
            .collect(),
        Expectation::CatchmentAsBefore { time } => record
            .viewpoints()
            .filter_map(|viewpoint| as_before(record, window, viewpoint, time.duration()))
            .collect(),
        Expectation::MedianAtMost { time } => {
            median_at_most(record, window, time.duration()).into_iter().collect()
        }
        Expectation::MedianTimesBefore { factor } => {
            median_times_before(record, window, factor.value()).into_iter().collect()
        }
        Expectation::SwitchesWithin { count, time } => record
            .viewpoints()
            .map(|viewpoint| switches(record, window, viewpoint, (count.get(), time.duration())))
            .collect(),
        Expectation::EveryClientAnswered
        | Expectation::ClientResolves { .. }
        | Expectation::EveryClientAnsweredThroughout
        | Expectation::EveryClientKeepsItsCookieThroughout
        | Expectation::SiteAnnouncedThroughout { .. }
        | Expectation::SiteSilentThroughout { .. }
        | Expectation::SitesAnnouncedThroughout { .. }
        | Expectation::SiteStateThroughout { .. }
        | Expectation::SitesInState { .. }
        | Expectation::SitesOfOutput { .. }
        | Expectation::SiteOutput { .. }
        | Expectation::SiteHasAddresses { .. }
        | Expectation::SiteSaid { .. }
        | Expectation::AlarmAt { .. }
        | Expectation::NoAlarmAt { .. }
        | Expectation::FleetStands { .. }
        | Expectation::CountsAway { .. }
        | Expectation::SeesBehind { .. }
        | Expectation::SeesNobodyBehind { .. }
        | Expectation::OrderObeyed { .. }
        | Expectation::OrderRefused { .. }
        | Expectation::OrdersObeyed { .. }
        | Expectation::EveryClientBy { .. }
        | Expectation::ClientBy { .. }
        | Expectation::ClientNotBy { .. }
        | Expectation::DetourExplained { .. }
        | Expectation::PacketsReach { .. }
        | Expectation::PacketsDropped { .. }
        | Expectation::ClientSilentOver { .. }
        | Expectation::CatchmentsAsRoutersTell
        | Expectation::SiteState { .. }
        | Expectation::SiteTold { .. }
        | Expectation::PeerEstablishedThroughout { .. }
        | Expectation::PeerKeptDespiteBrokenUpdates { .. }
        | Expectation::PeerLost { .. }
        | Expectation::PeerToldRoutes { .. }
        | Expectation::SiteTellsNothingElse { .. }
        | Expectation::UnicastReached { .. }
        | Expectation::BroadcastReached { .. }
        | Expectation::MulticastReached { .. }
        | Expectation::AnycastReachedNearest
        | Expectation::AnycastReached { .. }
        | Expectation::HostReceived { .. }
        | Expectation::GroupKnown { .. }
        | Expectation::GroupUnknown { .. }
        | Expectation::GroupKept { .. }
        | Expectation::ConnectionsGoOn { .. }
        | Expectation::ConnectionsReset { .. }
        | Expectation::SiteKnowsOwners { .. }
        | Expectation::SiteKnowsConnections { .. }
        | Expectation::SiteForwards { .. }
        | Expectation::SiteGave { .. }
        | Expectation::SiteDropsNothing { .. }
        | Expectation::SiteHearsThroughOthers { .. }
        | Expectation::SiteAddsUp { .. }
        | Expectation::SiteMissesAtMost { .. }
        | Expectation::ClientNotReset { .. }
        | Expectation::AttackOver { .. } => Vec::new(),
    }
}

/// From the fault until the first answer after which nothing was silent any more. Zero for who was never silent.
fn answered_again(record: &Record, window: &Window, viewpoint: &Viewpoint, limit: Limit) -> Measurement {
    let time = limit.time.duration();
    let samples = record.samples(viewpoint, window.span());
    match settled(samples, |sample| sample.site().is_some()) {
        Settled::Throughout => window.measurement(record, viewpoint, Duration::ZERO, time),
        Settled::From { asked, round_trip } if limit.plus_path => {
            let measured = window.measurement(record, viewpoint, asked.since(window.fault), time);
            Measurement { path: Some(millis(round_trip)), ..measured }
        }
        Settled::From { asked, round_trip } => {
            window.measurement(record, viewpoint, (asked + round_trip).since(window.fault), time)
        }
        Settled::NotYet => window.unfinished(record, viewpoint, time),
    }
}

/// From the fault until the first answer after which every question was answered by the site of before. None for
/// who was never answered before.
fn as_before(
    record: &Record,
    window: &Window,
    viewpoint: &Viewpoint,
    limit: Duration,
) -> Option<Measurement> {
    let home = record.answered_by(viewpoint, window.home)?;
    let samples = record.samples(viewpoint, window.span());
    Some(match settled(samples, |sample| sample.site() == Some(home)) {
        Settled::Throughout => window.measurement(record, viewpoint, Duration::ZERO, limit),
        Settled::From { asked, round_trip } => {
            window.measurement(record, viewpoint, (asked + round_trip).since(window.fault), limit)
        }
        Settled::NotYet => window.unfinished(record, viewpoint, limit),
    })
}

/// When a row of samples became good for the rest of it.
enum Settled {
    /// It was good from the first to the last.
    Throughout,
    /// It has been good since this question.
    From { asked: Timestamp, round_trip: Duration },
    /// The last one is not good, or there is none.
    NotYet,
}

fn settled(samples: &[Sample], good: impl Fn(&Sample) -> bool) -> Settled {
    let first = samples.iter().rposition(|sample| !good(sample)).map_or(0, |last| last + 1);
    match samples.get(first) {
        None => Settled::NotYet,
        Some(_) if first == 0 => Settled::Throughout,
        Some(sample) => {
            Settled::From { asked: sample.sent, round_trip: sample.round_trip().unwrap_or_default() }
        }
    }
}

/// The longest time from the first unanswered question to the next answered one.
fn longest_silence(record: &Record, window: &Window, viewpoint: &Viewpoint, limit: Duration) -> Measurement {
    let samples = record.samples(viewpoint, window.span());
    let mut longest = Span { from: window.fault, to: window.fault };
    let mut silent_since: Option<Timestamp> = None;
    for sample in samples {
        let began = *silent_since.get_or_insert(sample.sent);
        let silence = Span { from: began, to: sample.sent };
        if silence.length() > longest.length() {
            longest = silence;
        }
        if sample.site().is_some() {
            silent_since = None;
        }
    }
    let judged = |span: Span| window.judged(record, viewpoint, span.length(), limit, span);
    match silent_since {
        Some(from) => {
            let ongoing = Span { from, to: window.until };
            judged(if ongoing.length() > longest.length() { ongoing } else { longest }).unfinished()
        }
        None if samples.is_empty() => judged(window.span()).unfinished(),
        None => judged(longest),
    }
}

/// How often another site answered than the time before, within `time` of the fault.
fn switches(
    record: &Record,
    window: &Window,
    viewpoint: &Viewpoint,
    (most, time): (usize, Duration),
) -> Measurement {
    let end = window.fault + time;
    let samples = record.samples(viewpoint, Span { from: window.fault, to: end.min(window.until) });
    let before = record.answered_by(viewpoint, window.before);
    let mut sites: Vec<&SiteName> =
        before.into_iter().chain(samples.iter().filter_map(Sample::site)).collect();
    sites.dedup();
    let switches = sites.len().saturating_sub(1);
    let counted = Measurement::count(&viewpoint.to_string(), switches, Bound::AtMost, most, Unit::Switches);
    if window.until < end { counted.unfinished() } else { counted }
}

/// The median over everybody of each one's median round trip.
fn median_round_trip(record: &Record, span: Span) -> Option<f64> {
    let of_one = |viewpoint| {
        let samples = record.samples(viewpoint, span).iter();
        median(samples.filter_map(Sample::round_trip).map(millis).collect())
    };
    median(record.viewpoints().filter_map(of_one).collect())
}

/// The middle value; of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn median_at_most(record: &Record, window: &Window, limit: Duration) -> Option<Measurement> {
    let span = median_span(window.until);
    let measured = median_round_trip(record, span)?;
    let lateness = millis(record.lateness(span));
    let judged = Measurement::judge("everybody", measured, Bound::AtMost, window.limit(limit), lateness);
    Some(judged)
}

/// The median now in units of the median before; lateness is brought to the same unit.
fn median_times_before(record: &Record, window: &Window, factor: f64) -> Option<Measurement> {
    let before = median_round_trip(record, median_span(window.before))?;
    let span = median_span(window.until);
    let (measured, lateness) =
        (median_round_trip(record, span)? / before, millis(record.lateness(span)) / before);
    let judged = Measurement::judge("everybody", measured, Bound::AtLeast, factor, lateness);
    Some(Measurement { unit: Unit::Times, ..judged })
}

impl Window {
    /// A time that counts from the fault.
    fn measurement(
        &self,
        record: &Record,
        viewpoint: &Viewpoint,
        measured: Duration,
        limit: Duration,
    ) -> Measurement {
        let span = Span { from: self.fault, to: self.fault + measured };
        self.judged(record, viewpoint, measured, limit, span)
    }

    /// Something that had not happened when the window closed.
    fn unfinished(&self, record: &Record, viewpoint: &Viewpoint, limit: Duration) -> Measurement {
        self.measurement(record, viewpoint, self.until.since(self.fault), limit).unfinished()
    }

    fn judged(
        &self,
        record: &Record,
        viewpoint: &Viewpoint,
        measured: Duration,
        limit: Duration,
        span: Span,
    ) -> Measurement {
        let lateness = millis(record.lateness(span));
        Measurement::judge(
            &viewpoint.to_string(),
            millis(measured),
            Bound::AtMost,
            self.limit(limit),
            lateness,
        )
    }
}

#[cfg(test)]
mod tests;
