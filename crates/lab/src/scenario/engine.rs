//! Plays a scenario on a stage and judges what was seen.
//!
//! ```text
//!  every client answered ─► step 1 ─► step 2 ─► ... ─► reports
//!
//!  a step:   do the faults ─► look every 50 ms ─► judge
//!                              until each functional check held once,
//!                              nothing that is timed is still going on,
//!                              and the next step is due;
//!                              30 s at most
//! ```
//! A question counts as silent only after the prober's patience. So what is judged ends that long ago, and everything
//! before is known for good.

use crate::fault::Fault;
use crate::scenario::expectation::{Expectation, Judged};
use crate::scenario::facts::{Asked, Facts};
use crate::scenario::file::{Scenario, Step};
use crate::scenario::functional::{Seen, look};
use crate::scenario::lasting;
use crate::scenario::record::Record;
use crate::scenario::report::{CheckReport, DoneReport, Played, ScenarioReport, StepReport};
use crate::scenario::timing::{Window, measure};
use crate::scenario::verdict::{Verdict, millis};
use crate::story::milliseconds;
use document::Spanned;
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{SiteName, Timestamp, WallTime};

/// A world in which a scenario plays.
pub trait Stage {
    /// When the world began.
    fn began(&self) -> Timestamp;
    /// The clock of all samples.
    fn now(&self) -> Timestamp;
    /// The time of day.
    fn wall(&self) -> WallTime;
    /// How long a question is waited for.
    fn patience(&self) -> Duration;
    /// Lets time pass.
    fn wait(&mut self, time: Duration);
    /// Does something to the world; what was done, in words, or why it cannot be done.
    fn carry_out(&mut self, fault: &Fault) -> Result<String, String>;
    /// Adds to the record what was seen since the last time.
    fn observe(&mut self, record: &mut Record);
    /// What is known now, of those who are asked.
    fn facts(&mut self, asked: &Asked) -> Facts;
    /// Whether each site is announced: what its edge router knows.
    fn announced(&mut self) -> BTreeMap<SiteName, bool>;
}

/// Something to tell the people in front of the terminal, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Scene {
    /// A step began this long after the start.
    Begun {
        /// Since the start.
        at: Duration,
        /// What the step's author says about it.
        say: Option<String>,
    },
    /// Something was done to the world.
    Done(String),
    /// A check ended.
    Checked(CheckReport),
    /// The rest is not played, because nothing in it could be believed.
    CutShort,
}

/// How long a functional check waits for its condition.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often conditions are looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// Whoever is answered again must stay so for this long.
const SETTLED_FOR: Duration = Duration::from_secs(1);

/// Plays the scenario. `tell` hears of everything as it happens.
pub fn play(
    scenario: &Scenario,
    slack: f64,
    stage: &mut impl Stage,
    tell: &mut dyn FnMut(Scene),
) -> ScenarioReport {
    let mut play = Play {
        scenario,
        slack,
        stage,
        tell,
        record: Record::default(),
        home: None,
        played: Played::default(),
    };
    play.all();
    let took_ms = play.at_ms();
    ScenarioReport::new(scenario, slack, took_ms, play.played)
}

struct Play<'a, S> {
    scenario: &'a Scenario,
    slack: f64,
    stage: &'a mut S,
    tell: &'a mut dyn FnMut(Scene),
    record: Record,
    /// The last undisturbed moment before the first fault.
    home: Option<Timestamp>,
    played: Played,
}

impl<S: Stage> Play<'_, S> {
    fn all(&mut self) {
        if !self.everybody_is_answered() {
            return (self.tell)(Scene::CutShort);
        }
        let start = self.stage.now();
        let steps = &self.scenario.steps;
        for (index, step) in steps.iter().enumerate() {
            self.wait_until(start + step.at);
            let at = self.stage.now().since(start);
            self.played.steps.push(StepReport {
                at_ms: self.at_ms(),
                say: step.say.clone(),
                done: Vec::new(),
            });
            (self.tell)(Scene::Begun { at, say: step.say.clone() });
            let next_at = steps.get(index + 1).map(|next| start + next.at);
            if !self.step(step, next_at) {
                return (self.tell)(Scene::CutShort);
            }
        }
    }

    /// Before the story begins, every client must have been answered, for long enough to know who answers it.
    fn everybody_is_answered(&mut self) -> bool {
        let begin = self.stage.now();
        let window = self.window(None, begin);
        let expectation = Expectation::EveryClientAnswered;
        let facts = Facts::default();
        let mut seen = None;
        while self.stage.now().since(begin) < PATIENCE {
            self.stage.observe(&mut self.record);
            seen = look(
                &expectation,
                &self.record,
                &facts,
                &Window { until: self.stage.now(), ..window.clone() },
            );
            if matches!(seen, Some(Seen::So(_))) {
                self.wait_until(self.stage.now() + self.stage.patience() + Window::MEDIAN_OVER);
                return true;
            }
            self.stage.wait(GLANCE);
        }
        let seen = seen.unwrap_or(Seen::NotSo("nobody asked".to_owned()));
        self.checked(CheckReport::functional(expectation.to_string(), seen, PATIENCE, PATIENCE));
        false
    }

    /// One step; false if the rest of the story would mean nothing.
    fn step(&mut self, step: &Step, next_at: Option<Timestamp>) -> bool {
        let first = self.played.checks.len();
        let goes_on = self.judge_step(step, next_at);
        // They were reported as they ended; in the result they stand as in the file.
        let place = |check: &CheckReport| {
            step.wanted().iter().position(|wanted| wanted.to_string() == check.sentence)
        };
        self.played.checks[first..].sort_by_key(place);
        goes_on
    }

    fn judge_step(&mut self, step: &Step, next_at: Option<Timestamp>) -> bool {
        let mut window = self.window(Some(step), self.stage.now());
        let wall = self.stage.wall();
        if !step.faults.iter().all(|fault| self.carry_out(fault)) {
            return false;
        }
        let wanted = step.wanted();
        let those = |judged: Judged| -> Vec<&Expectation> {
            wanted.iter().filter(|wanted| wanted.judged() == judged).collect()
        };
        let (mut awaited, lasting, timed) =
            (those(Judged::Awaited), those(Judged::Lasting), those(Judged::Timed));
        let asks_routers = lasting.iter().any(|wanted| wanted.needs_routers());
        let mut quiet_since = window.fault;
        loop {
            self.stage.observe(&mut self.record);
            if asks_routers {
                let announced = self.stage.announced();
                self.record.add_look(self.stage.now(), &announced);
            }
            let now = self.stage.now();
            let waited = now.since(window.fault);
            if !awaited.is_empty() {
                let facts = self.facts(&awaited, wall);
                let all_time = Window { until: now, ..window.clone() };
                awaited.retain(|wanted| !self.holds(wanted, &facts, &all_time, waited));
                quiet_since = now;
            }
            window.until = (now - self.stage.patience()).max(window.fault);
            let settled = window.until >= quiet_since + SETTLED_FOR && self.is_over(&timed, &window);
            let due = next_at.is_none_or(|next| now >= next);
            if (awaited.is_empty() && settled && due) || waited >= PATIENCE {
                break;
            }
            self.stage.wait(GLANCE);
        }
        self.look_back(&lasting, wall, &window);
        for wanted in timed {
            let measurements = measure(wanted, &self.record, &window);
            self.checked(CheckReport::timing(wanted.to_string(), measurements));
        }
        self.never_held(&awaited, wall, &window)
    }

    fn window(&self, step: Option<&Step>, fault: Timestamp) -> Window {
        let before = fault - self.stage.patience();
        Window {
            before,
            fault,
            until: fault,
            home: self.home.unwrap_or(before),
            target: step.and_then(Step::target).cloned(),
            slack: self.slack,
        }
    }

    fn carry_out(&mut self, fault: &Spanned<Fault>) -> bool {
        let before = self.stage.now() - self.stage.patience();
        self.home.get_or_insert(before);
        match self.stage.carry_out(&fault.value) {
            Ok(said) => {
                let at_ms = self.at_ms();
                if let Some(step) = self.played.steps.last_mut() {
                    step.done.push(DoneReport { at_ms, said: said.clone() });
                }
                (self.tell)(Scene::Done(said));
                true
            }
            Err(why) => {
                let sentence = fault.value.to_string();
                self.checked(CheckReport::functional(sentence, Seen::NotSo(why), Duration::ZERO, PATIENCE));
                false
            }
        }
    }

    /// Whether a functional check holds now; if so, it is done.
    fn holds(&mut self, wanted: &Expectation, facts: &Facts, window: &Window, waited: Duration) -> bool {
        match look(wanted, &self.record, facts, window) {
            Some(seen @ Seen::So(_)) => {
                self.checked(CheckReport::functional(wanted.to_string(), seen, waited, PATIENCE));
                true
            }
            Some(Seen::NotSo(_)) => false,
            None => true,
        }
    }

    /// Whether nothing that is timed is still going on.
    fn is_over(&self, timed: &[&Expectation], window: &Window) -> bool {
        let going_on = |wanted: &&Expectation| {
            measure(wanted, &self.record, window).iter().any(|measurement| measurement.unfinished)
        };
        !timed.iter().any(going_on)
    }

    /// Judges what must have been so all the time: by what was recorded, or by what those who are asked say of it.
    fn look_back(&mut self, lasting: &[&Expectation], wall: WallTime, window: &Window) {
        let now = self.stage.now();
        let facts = self.facts(lasting, wall);
        let window = Window { until: now, ..window.clone() };
        for wanted in lasting {
            let sentence = wanted.to_string();
            if let Some(counted) = lasting::count(wanted, &self.record, &window) {
                self.checked(CheckReport::timing(sentence, counted));
            } else if let Some(seen) = look(wanted, &self.record, &facts, &window) {
                let lasted = now.since(window.fault);
                self.checked(CheckReport::functional(sentence, seen, lasted, PATIENCE));
            }
        }
    }

    /// Reports what did not hold in all the time there was. True if there is no such thing.
    fn never_held(&mut self, awaited: &[&Expectation], wall: WallTime, window: &Window) -> bool {
        if awaited.is_empty() {
            return true;
        }
        let now = self.stage.now();
        let facts = self.facts(awaited, wall);
        let window = Window { until: now, ..window.clone() };
        for wanted in awaited {
            if let Some(seen) = look(wanted, &self.record, &facts, &window) {
                let waited = now.since(window.fault);
                self.checked(CheckReport::functional(wanted.to_string(), seen, waited, PATIENCE));
            }
        }
        self.played.checks.iter().all(|check| check.verdict != Verdict::Fail)
    }

    fn facts(&mut self, wanted: &[&Expectation], fault: WallTime) -> Facts {
        Facts { fault, ..self.stage.facts(&Asked::by(wanted.iter().copied())) }
    }

    fn checked(&mut self, report: CheckReport) {
        let report = report.placed(self.played.steps.len(), self.at_ms());
        (self.tell)(Scene::Checked(report.clone()));
        self.played.checks.push(report);
    }

    /// Now, as the report counts.
    fn at_ms(&self) -> u64 {
        milliseconds(self.stage.now(), self.stage.began())
    }

    /// Lets time pass, and keeps on recording.
    fn wait_until(&mut self, moment: Timestamp) {
        loop {
            self.stage.observe(&mut self.record);
            let left = moment.since(self.stage.now());
            if left.is_zero() {
                return;
            }
            self.stage.wait(left.min(GLANCE));
        }
    }
}

impl std::fmt::Display for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scene::Begun { at, say } => {
                let say = say.as_deref().unwrap_or_default();
                write!(f, "{:>6.1} s  {say}", millis(*at) / 1000.0)
            }
            Scene::Done(done) => write!(f, "          {done}"),
            Scene::Checked(check) => {
                write!(f, "          {:<12}  {}: {}", check.verdict, check.sentence, check.seen)
            }
            Scene::CutShort => f.write_str("          the rest is not played"),
        }
    }
}

#[cfg(test)]
mod tests;
