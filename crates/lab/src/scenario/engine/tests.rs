//! A puppet world with a clock that jumps: what the engine does when something goes well, late, wrong or never.

use super::*;
use crate::scenario::record::{Cookie, Late, Outcome, Sample, Viewpoint};
use std::sync::Arc;
use terms::Family;

const EVERY: Duration = Duration::from_millis(20);
const ROUND_TRIP: Duration = Duration::from_millis(30);

/// When the puppet world began, and the first thing that happens in it.
const BEGINNING: Duration = Duration::from_secs(100);

/// Two clients, two sites. When London's service is killed, its client is silent for `outage`.
struct Puppet {
    now: Timestamp,
    asked: Timestamp,
    killed: Option<Timestamp>,
    outage: Duration,
    /// How long the processes of the world wait for a processor while London is out.
    starved: Duration,
}

impl Puppet {
    fn with_outage(millis: u64) -> Self {
        let now = Timestamp::ZERO + BEGINNING;
        Puppet {
            now,
            asked: now,
            killed: None,
            outage: Duration::from_millis(millis),
            starved: Duration::ZERO,
        }
    }

    fn answer(&self, client: &str, sent: Timestamp) -> Option<&'static str> {
        match self.killed {
            Some(killed) if client == "london" && sent >= killed => {
                (sent.since(killed) >= self.outage).then_some("tokyo")
            }
            _ if client == "london" => Some("london"),
            _ => Some("tokyo"),
        }
    }

    /// Answers are known after a round trip, silence after the patience; to be simple, all is known after that.
    fn ask(&self, record: &mut Record, client: &str, sent: Timestamp) {
        let outcome = match self.answer(client, sent) {
            Some(site) => Outcome::Answered {
                site: site.parse().unwrap(),
                round_trip: ROUND_TRIP,
                cookie: Cookie::Kept,
            },
            None => Outcome::Silent,
        };
        for family in [Family::Ipv4, Family::Ipv6] {
            let viewpoint = Viewpoint { client: Arc::from(client), service: None, family };
            record.add(viewpoint, Sample { sent, outcome: outcome.clone() });
        }
    }
}

impl Stage for Puppet {
    fn began(&self) -> Timestamp {
        Timestamp::ZERO + BEGINNING
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn wall(&self) -> WallTime {
        WallTime(self.now.as_nanos() / 1_000_000)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn carry_out(&mut self, fault: &Fault) -> Result<String, String> {
        match fault.to_string().as_str() {
            "kill service london" => {
                self.killed = Some(self.now);
                Ok("the service of london is killed".to_owned())
            }
            other => Err(format!("a puppet cannot {other}")),
        }
    }

    fn observe(&mut self, record: &mut Record) {
        while self.asked + self.patience() <= self.now {
            self.ask(record, "london", self.asked);
            self.ask(record, "tokyo", self.asked);
            self.asked = self.asked + EVERY;
        }
        if let Some(killed) = self.killed.filter(|_| !self.starved.is_zero()) {
            record.add_lateness(killed + Duration::from_millis(10), Late::Process, self.starved);
            self.starved = Duration::ZERO;
        }
    }

    fn facts(&mut self, _: &Asked) -> Facts {
        Facts::default()
    }

    /// London is announced until its service is killed.
    fn announced(&mut self) -> BTreeMap<SiteName, bool> {
        let [london, tokyo] = ["london", "tokyo"].map(|site| site.parse().unwrap());
        BTreeMap::from([(london, self.killed.is_none()), (tokyo, true)])
    }
}

fn playing(steps: &str, mut puppet: Puppet) -> (ScenarioReport, String) {
    let text = format!("[scenario]\ntitle = 'London'\nworld = 'tiny'\n{steps}");
    let scenario = Scenario::parse("london.toml", &text).unwrap();
    let mut told = String::new();
    let mut tell = |scene: Scene| told += &format!("{scene}\n");
    let report = play(&scenario, 1.0, &mut puppet, &mut tell);
    (report, told)
}

const KILLED: &str = "
[[step]]
at = '0s'
say = 'Everybody is answered by the nearest site.'
expect = ['every client answered', 'client london by london']
[[step]]
at = '5s'
do = 'kill service london'
expect = ['clients of london answered within 250ms plus path', 'other clients silent at most 100ms', 'client london by tokyo']
";

fn verdicts(report: &ScenarioReport) -> Vec<Verdict> {
    report.checks.iter().map(|check| check.verdict).collect()
}

#[test]
fn a_good_failover_passes() {
    let (report, told) = playing(KILLED, Puppet::with_outage(200));
    assert_eq!(verdicts(&report), [Verdict::Pass; 5]);
    insta::assert_snapshot!(told);
    insta::assert_snapshot!("report", serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn a_daemon_that_sleeps_400_ms_fails() {
    let (report, told) = playing(KILLED, Puppet::with_outage(400));
    assert_eq!(report.verdict, Verdict::Fail);
    assert!(told.contains("410 ms > 250 ms, plus a path of 30 ms"), "{told}");
}

#[test]
fn a_starved_machine_is_inconclusive() {
    let starved = Puppet { starved: Duration::from_millis(300), ..Puppet::with_outage(400) };
    let (report, told) = playing(KILLED, starved);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(told.contains("of which this machine may owe 300 ms"), "{told}");
}

#[test]
fn what_never_comes_fails_after_the_patience() {
    let (report, _) = playing(KILLED, Puppet::with_outage(3_600_000));
    let failed: Vec<&str> = report
        .checks
        .iter()
        .filter(|check| check.verdict == Verdict::Fail)
        .map(|check| check.sentence.as_str())
        .collect();
    assert_eq!(failed, ["clients of london answered within 250ms plus path", "client london by tokyo"]);
}

#[test]
fn what_cannot_be_done_ends_the_story() {
    let steps = "
[[step]]
at = '0s'
do = 'kill service tokyo'
expect = 'every client answered'
[[step]]
at = '1s'
expect = 'every client answered'
";
    let (report, told) = playing(steps, Puppet::with_outage(0));
    assert_eq!(report.verdict, Verdict::Fail);
    assert_eq!(report.checks.len(), 1, "only what could not be done");
    assert!(told.ends_with("the rest is not played\n"), "{told}");
}

#[test]
fn a_step_lasts_until_the_next_one_is_due() {
    let steps = format!("{KILLED}[[step]]\nat = '12s'\nexpect = 'every client answered'\n");
    let (report, told) = playing(&steps, Puppet::with_outage(200));
    assert_eq!(report.verdict, Verdict::Pass);
    assert!(told.contains("\n  12.0 s"), "{told}");
}

#[test]
fn what_must_last_is_judged_over_the_whole_step() {
    let steps = "
[[step]]
at = '0s'
do = 'kill service london'
expect = ['site tokyo announced throughout', 'site london announced throughout', 'every client answered throughout']
[[step]]
at = '4s'
expect = ['site london never announced throughout', 'at least 1 sites announced throughout', 'every client answered throughout']
";
    let (report, told) = playing(steps, Puppet::with_outage(200));
    let expected = [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::Pass, Verdict::Pass, Verdict::Pass];
    assert_eq!(verdicts(&report), expected, "{told}");
    assert!(told.contains("every client answered throughout: london over ipv"), "{told}");
}

#[test]
fn an_order_of_which_a_step_says_nothing_must_be_obeyed() {
    let steps = "[[step]]\nat = '0s'\ndo = ['drain site london', 'drain site tokyo']\nexpect = 'order to site london refused'\n";
    let text = format!("[scenario]\ntitle = 'London'\nworld = 'tiny'\n{steps}");
    let scenario = Scenario::parse("london.toml", &text).unwrap();
    let wanted: Vec<String> = scenario.steps[0].wanted().iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["order to site london refused", "order to site tokyo obeyed"]);
}
