//! What was seen of a world, in the order that judging needs: every question with its answer or silence, client by
//! client; whether each site was announced; and how late the machine itself was.

pub use crate::history::Cookie;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use terms::{Family, SiteName, Timestamp};

/// One client that asks over one family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Viewpoint {
    /// The client's name: its city.
    pub client: Arc<str>,
    /// The service that it asks, where it is a resolver: those ask several.
    pub service: Option<Arc<str>>,
    /// The family it asks over.
    pub family: Family,
}

impl Viewpoint {
    /// Whether it is a client's: a resolver is one of those who serve clients.
    pub fn is_of_client(&self) -> bool {
        self.service.is_none()
    }

    /// Whether it asks this service.
    pub fn asks(&self, service: Option<&str>) -> bool {
        self.service.is_none() || self.service.as_deref() == service
    }
}

impl fmt::Display for Viewpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            None => write!(f, "{} over {}", self.client, self.family),
            Some(service) => write!(f, "{} at {service} over {}", self.client, self.family),
        }
    }
}

/// One question and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it was sent.
    pub sent: Timestamp,
    /// What came back.
    pub outcome: Outcome,
}

impl Sample {
    /// The site that answered; none when it stayed silent.
    pub fn site(&self) -> Option<&SiteName> {
        match &self.outcome {
            Outcome::Answered { site, .. } => Some(site),
            Outcome::Silent => None,
        }
    }

    /// What became of the client's cookie; none when the site stayed silent.
    pub fn cookie(&self) -> Option<Cookie> {
        match self.outcome {
            Outcome::Answered { cookie, .. } => Some(cookie),
            Outcome::Silent => None,
        }
    }

    /// The time from question to answer; none when it stayed silent.
    pub fn round_trip(&self) -> Option<Duration> {
        match self.outcome {
            Outcome::Answered { round_trip, .. } => Some(round_trip),
            Outcome::Silent => None,
        }
    }
}

/// What came back for a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answered {
        /// The site that gave it.
        site: SiteName,
        /// From sending the question to receiving the answer.
        round_trip: Duration,
        /// What became of the client's cookie.
        cookie: Cookie,
    },
    /// No answer within the prober's patience.
    Silent,
}

/// Who can have been late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Late {
    /// A cable that delivered a packet after its time.
    Cable,
    /// The prober that asked after its time.
    Prober,
    /// A process on the path that was ready to run and had to wait for a processor.
    Process,
}

/// A stretch of time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Span {
    /// How long it is.
    pub fn length(&self) -> Duration {
        self.to.since(self.from)
    }
}

/// Everything that was seen.
#[derive(Clone, Debug, Default)]
pub struct Record {
    samples: BTreeMap<Viewpoint, Vec<Sample>>,
    announced: BTreeMap<SiteName, Vec<(Timestamp, bool)>>,
    lateness: BTreeMap<Late, Vec<(Timestamp, Duration)>>,
}

impl Record {
    /// How long a lateness may be noticed after it happened: the run delay of processes is read this often.
    pub const LATENESS_NOTICED_WITHIN: Duration = Duration::from_millis(100);

    /// Adds a question whose fate is known. Answers come in the order in which they arrive, not in which the
    /// questions were sent.
    pub fn add(&mut self, viewpoint: Viewpoint, sample: Sample) {
        let samples = self.samples.entry(viewpoint).or_default();
        let place = samples.partition_point(|other| other.sent <= sample.sent);
        samples.insert(place, sample);
    }

    /// Adds a look at the edge routers: whether each has a route to its site. Looks come in order, each at all sites.
    pub fn add_look(&mut self, at: Timestamp, announced: &BTreeMap<SiteName, bool>) {
        for (site, announced) in announced {
            self.announced.entry(site.clone()).or_default().push((at, *announced));
        }
    }

    /// The sites whose edge routers were looked at.
    pub fn sites_looked_at(&self) -> impl Iterator<Item = &SiteName> {
        self.announced.keys()
    }

    /// Whether a site was announced, at each look within the span.
    pub fn announced(&self, site: &SiteName, span: Span) -> &[(Timestamp, bool)] {
        let looks = self.announced.get(site).map_or(&[][..], Vec::as_slice);
        let from = looks.partition_point(|(at, _)| *at < span.from);
        let to = looks.partition_point(|(at, _)| *at <= span.to);
        &looks[from..to.max(from)]
    }

    /// Adds a lateness of the machine.
    pub fn add_lateness(&mut self, at: Timestamp, who: Late, by: Duration) {
        let lateness = self.lateness.entry(who).or_default();
        let place = lateness.partition_point(|(other, _)| *other <= at);
        lateness.insert(place, (at, by));
    }

    /// Everybody who asks: clients, and resolvers.
    pub fn everybody(&self) -> impl Iterator<Item = &Viewpoint> {
        self.samples.keys()
    }

    /// Every client.
    pub fn viewpoints(&self) -> impl Iterator<Item = &Viewpoint> {
        self.everybody().filter(|viewpoint| viewpoint.is_of_client())
    }

    /// The questions of one viewpoint that were sent within the span, in order.
    pub fn samples(&self, viewpoint: &Viewpoint, span: Span) -> &[Sample] {
        let samples = self.samples.get(viewpoint).map_or(&[][..], Vec::as_slice);
        let from = samples.partition_point(|sample| sample.sent < span.from);
        let to = samples.partition_point(|sample| sample.sent <= span.to);
        &samples[from..to.max(from)]
    }

    /// The site that answered the last answered question sent before `at`.
    pub fn answered_by(&self, viewpoint: &Viewpoint, at: Timestamp) -> Option<&SiteName> {
        let before = self.samples(viewpoint, Span { from: Timestamp::ZERO, to: at });
        before.iter().rev().find_map(Sample::site)
    }

    /// How much later than on an idle machine something may have been seen within the span: the worst lateness of a
    /// cable, the worst of the prober, and all waiting of the processes on the path. They add up, because news passes
    /// through them one after the other.
    pub fn lateness(&self, span: Span) -> Duration {
        let until = span.to + Record::LATENESS_NOTICED_WITHIN;
        let within = |who: Late| {
            let all = self.lateness.get(&who).map_or(&[][..], Vec::as_slice);
            let from = all.partition_point(|(at, _)| *at < span.from);
            let here = all[from..].iter().take_while(move |(at, _)| *at <= until);
            here.map(|(_, by)| *by)
        };
        let worst = |who| within(who).max().unwrap_or_default();
        worst(Late::Cable) + worst(Late::Prober) + within(Late::Process).sum::<Duration>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolver_has_a_viewpoint_for_each_service_that_it_asks() {
        let of = |service: Option<&str>| Viewpoint {
            client: Arc::from("resolver-london"),
            service: service.map(Arc::from),
            family: Family::Ipv4,
        };
        assert!(of(Some("root")).asks(Some("root")) && !of(Some("root")).asks(Some("example")));
        assert!(!of(Some("root")).asks(None), "a site that there is not");
        assert!(of(None).asks(Some("root")) && of(None).is_of_client());
        assert_eq!(of(Some("root")).to_string(), "resolver-london at root over ipv4");
    }
}
