//! What is tried: the machine, or the machine with a fault planted around it.

use announce::{Action, Input, Level, Machine, Memory, Settings, State};
use std::time::Duration;
use terms::Timestamp;

use crate::fault::Seams;
use crate::script::Script;

/// What a law is judged on.
#[derive(Clone, Debug)]
pub struct Subject {
    pub settings: Settings,
    pub memory: Memory,
    pub seams: Seams,
}

/// One machine at work. What it announces is taken from its actions alone, as the neighbours see it.
#[derive(Clone)]
pub struct Specimen {
    machine: Machine,
    seams: Seams,
    last_at: Timestamp,
    level: Level,
    /// What it wants done before it was told anything.
    pub begins_with: Vec<Action>,
}

/// One input and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: Timestamp,
    pub input: Input,
    /// Where in the script the input stands; nothing for a timer that the machine had asked for.
    pub moment: Option<usize>,
    pub actions: Vec<Action>,
    pub level_before: Level,
    pub level: Level,
    pub state: State,
    pub alarms: usize,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub begins_with: Vec<Action>,
    pub steps: Vec<Step>,
}

/// Whether the machine is written out and read back in every step.
#[derive(Clone, Copy, PartialEq)]
pub enum Saving {
    Never,
    EveryStep,
}

impl Subject {
    pub fn start(&self) -> Specimen {
        let (settings, memory) = (self.settings.clone(), self.memory);
        let mut machine =
            Machine::new((self.seams.settings)(settings), (self.seams.memory)(memory), Timestamp::ZERO);
        let mut begins_with = drain(&mut machine);
        begins_with.extend((self.seams.start)(memory));
        let level = level_after(Level::None, &begins_with);
        Specimen { machine, seams: self.seams, last_at: Timestamp::ZERO, level, begins_with }
    }

    pub fn run(&self, script: &Script) -> Trace {
        self.run_saving(script, Saving::Never)
    }

    pub fn run_saving(&self, script: &Script, saving: Saving) -> Trace {
        let mut specimen = self.start();
        let mut steps = Vec::new();
        for (index, moment) in script.iter().enumerate() {
            if !moment.slept {
                steps.extend(specimen.timers_until(moment.at, saving));
            }
            let mut step = specimen.step(moment.input.clone(), moment.at, saving);
            step.moment = Some(index);
            steps.push(step);
        }
        Trace { begins_with: specimen.begins_with, steps }
    }
}

impl Specimen {
    /// Gives every timer that falls due before `end`. One that does not go away by that is a fault, given once.
    pub fn timers_until(&mut self, end: Timestamp, saving: Saving) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(at) = self.machine.deadline().filter(|&at| at < end) {
            steps.push(self.step(Input::Timer, at.max(self.last_at), saving));
            if self.machine.deadline() == Some(at) {
                break;
            }
        }
        steps
    }

    /// What it would do on a timer just before the one that it asked for; or in an hour, if it asked for none.
    pub fn done_too_early(&self) -> Vec<Action> {
        let early = self.machine.deadline().map(|at| at - Duration::from_nanos(1));
        let at = early.unwrap_or(self.last_at + Duration::from_secs(3600)).max(self.last_at);
        self.clone().step(Input::Timer, at, Saving::Never).actions
    }

    /// Whether a timer at its deadline, if it has one, settles what the timer was for.
    pub fn serves_its_deadline(&self) -> bool {
        let Some(deadline) = self.machine.deadline() else { return true };
        let mut served = self.clone();
        served.step(Input::Timer, deadline.max(self.last_at), Saving::Never);
        served.machine.deadline() != Some(deadline)
    }

    pub fn step(&mut self, input: Input, at: Timestamp, saving: Saving) -> Step {
        let level_before = self.level;
        let given = (self.seams.input)(input.clone(), self.last_at, at);
        self.last_at = at;
        for (at, input) in given {
            self.machine.handle(input, at);
        }
        if saving == Saving::EveryStep {
            let saved = serde_json::to_value(&self.machine).unwrap();
            self.machine = serde_json::from_value((self.seams.saved)(saved)).unwrap();
        }
        let actions = (self.seams.actions)(drain(&mut self.machine), self.level);
        self.level = level_after(self.level, &actions);
        let (state, alarms) = (self.machine.state(), self.machine.alarms(at).len());
        Step { at, input, moment: None, actions, level_before, level: self.level, state, alarms }
    }
}

fn drain(machine: &mut Machine) -> Vec<Action> {
    std::iter::from_fn(|| machine.poll_output()).collect()
}

fn level_after(before: Level, actions: &[Action]) -> Level {
    let mut told = actions.iter().filter_map(|action| match action {
        Action::Announce(level) => Some(*level),
        Action::CheckSoon { .. } | Action::Remember(_) | Action::Event(_) => None,
    });
    told.next_back().unwrap_or(before)
}
