//! What is tried: the machine, or the machine with a fault planted around it, in a world that answers it.

use announce::{Action, Alarm, Input, Level, Machine, Memory, Permit, Readback, Settings, State, Wish};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use terms::Timestamp;

use crate::fault::Seams;
use crate::script::{Case, Script, World};

/// What a law is judged on.
#[derive(Clone, Debug)]
pub struct Subject {
    pub settings: Settings,
    pub memory: Memory,
    pub world: World,
    pub seams: Seams,
}

/// One machine at work. What it announces is taken from its actions alone, as the neighbours see it.
#[derive(Clone)]
pub struct Specimen {
    machine: Machine,
    settings: Settings,
    world: World,
    seams: Seams,
    last_at: Timestamp,
    level: Level,
    steps: usize,
    /// What it wants done before it was told anything.
    pub begins_with: Vec<Action>,
}

/// One input and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub at: Timestamp,
    pub input: Input,
    /// Where in the script the input stands, or the one that the world answered with this one; nothing for a timer
    /// that the machine had asked for.
    pub moment: Option<usize>,
    pub actions: Vec<Action>,
    pub level_before: Level,
    pub level: Level,
    pub state_before: State,
    pub state: State,
    /// Checks that say nothing any more.
    pub blind: usize,
    /// Alarms that stand.
    pub alarms: BTreeSet<Alarm>,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub begins_with: Vec<Action>,
    pub steps: Vec<Step>,
}

impl Trace {
    /// The last step of each moment of the script: when the world has answered everything.
    pub fn moments(&self) -> BTreeMap<usize, &Step> {
        self.steps.iter().filter_map(|step| Some((step.moment?, step))).collect()
    }
}

/// Done in one step of so many, which is at any point, as scripts differ.
const EXTRA_EVERY: usize = 5;

/// What is done to the machine now and then that must change nothing.
#[derive(Clone, Copy, PartialEq)]
pub enum Extra {
    Nothing,
    /// It is written out and read back.
    Saving,
    /// It is given the settings that it has.
    Reload,
}

impl Subject {
    pub fn of(case: &Case, seams: Seams) -> Self {
        Subject { settings: case.settings.clone(), memory: case.memory, world: case.world, seams }
    }

    pub fn start(&self) -> Specimen {
        let settings = (self.seams.settings)(self.settings.clone());
        let mut machine = Machine::new(settings.clone(), (self.seams.memory)(self.memory), Timestamp::ZERO);
        let mut begins_with = drain(&mut machine);
        begins_with.extend((self.seams.start)(self.memory));
        let level = level_after(Level::None, &begins_with);
        let (world, seams, last_at) = (self.world, self.seams, Timestamp::ZERO);
        Specimen { machine, settings, world, seams, last_at, level, steps: 0, begins_with }
    }

    pub fn run(&self, script: &Script) -> Trace {
        self.run_with(script, Extra::Nothing)
    }

    pub fn run_with(&self, script: &Script, extra: Extra) -> Trace {
        let mut specimen = self.start();
        let mut steps = Vec::new();
        for (index, moment) in script.iter().enumerate() {
            if !moment.slept {
                steps.extend(specimen.timers_until(moment.at, extra));
            }
            let answered = specimen.answered(moment.input.clone(), moment.at, extra);
            steps.extend(answered.into_iter().map(|step| Step { moment: Some(index), ..step }));
        }
        Trace { begins_with: specimen.begins_with, steps }
    }
}

impl Specimen {
    /// Gives every timer that falls due before `end`. One that does not go away by that is a fault, given once.
    pub fn timers_until(&mut self, end: Timestamp, extra: Extra) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(at) = self.machine.deadline().filter(|&at| at < end) {
            steps.extend(self.answered(Input::Timer, at.max(self.last_at), extra));
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
        self.clone().step(Input::Timer, at, Extra::Nothing).actions
    }

    /// Whether a timer at its deadline, if it has one, settles what the timer was for.
    pub fn serves_its_deadline(&self) -> bool {
        let Some(deadline) = self.machine.deadline() else { return true };
        let mut served = self.clone();
        served.step(Input::Timer, deadline.max(self.last_at), Extra::Nothing);
        served.machine.deadline() != Some(deadline)
    }

    /// Gives an input, and everything that the world answers to what comes of it.
    pub fn answered(&mut self, input: Input, at: Timestamp, extra: Extra) -> Vec<Step> {
        let mut steps = vec![self.step(input, at, extra)];
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            let answers: Vec<Input> = step.actions.iter().filter_map(|action| self.answer(action)).collect();
            steps.extend(answers.into_iter().map(|answer| self.step(answer, at, extra)));
            next += 1;
        }
        steps
    }

    fn answer(&self, action: &Action) -> Option<Input> {
        match action {
            Action::Permit(Wish::Ask) => self.world.grants.then_some(Input::Permit(Permit::Held)),
            Action::Permit(Wish::Release) => self.world.grants.then_some(Input::Permit(Permit::None)),
            Action::Announce(_) => self.world.reads_back.then_some(Input::Told(Readback::Agrees)),
            Action::Resend | Action::CheckSoon { .. } | Action::Remember(_) | Action::Event(_) => None,
        }
    }

    pub fn step(&mut self, input: Input, at: Timestamp, extra: Extra) -> Step {
        let (level_before, state_before) = (self.level, self.machine.state());
        let given = (self.seams.input)(input.clone(), self.last_at, at);
        self.last_at = at;
        for (at, input) in given {
            self.machine.handle(input, at);
        }
        self.steps += 1;
        match extra {
            Extra::Nothing => {}
            Extra::Saving | Extra::Reload if !self.steps.is_multiple_of(EXTRA_EVERY) => {}
            Extra::Saving => {
                let saved = serde_json::to_value(&self.machine).unwrap();
                self.machine = serde_json::from_value((self.seams.saved)(saved)).unwrap();
            }
            Extra::Reload => (self.seams.reload)(&mut self.machine, self.settings.clone(), at),
        }
        let actions = (self.seams.actions)(drain(&mut self.machine), self.level);
        self.level = level_after(self.level, &actions);
        Step {
            at,
            input,
            moment: None,
            actions,
            level_before,
            level: self.level,
            state_before,
            state: self.machine.state(),
            blind: self.machine.checks().filter(|check| check.blind).count(),
            alarms: self.machine.standing_alarms().collect(),
        }
    }

    /// The levels that it is announced at when it is given these settings now, and how it is then.
    pub fn reconfigured(&self, settings: &Settings) -> (Level, Specimen) {
        let mut other = self.clone();
        (self.seams.reload)(&mut other.machine, (self.seams.settings)(settings.clone()), self.last_at);
        other.level = level_after(other.level, &drain(&mut other.machine));
        (self.level, other)
    }

    pub fn level(&self) -> Level {
        self.level
    }
}

fn drain(machine: &mut Machine) -> Vec<Action> {
    std::iter::from_fn(|| machine.poll_output()).collect()
}

fn level_after(before: Level, actions: &[Action]) -> Level {
    let mut told = actions.iter().filter_map(|action| match action {
        Action::Announce(level) => Some(*level),
        Action::Permit(_)
        | Action::Resend
        | Action::CheckSoon { .. }
        | Action::Remember(_)
        | Action::Event(_) => None,
    });
    told.next_back().unwrap_or(before)
}
