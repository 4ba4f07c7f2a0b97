//! A scenario as it is written: a file becomes steps, or every fault of it with its line and a hint.

use crate::fault::Fault as Deed;
use crate::names::{Names, Wrong};
use crate::scenario::expectation::Expectation;
use crate::sentence::SentenceError;
use crate::world::{BUILT_IN, Server, World, Written};
use document::{Document, Fault, Faults, Source, Spanned, Table, Value};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use terms::SiteName;

/// A story of faults, and what must be seen of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The text that it was read from.
    pub source: Source,
    /// What it shows.
    pub title: String,
    /// The name of a built-in world, or the path of a world file.
    pub world: String,
    /// What answers at the sites, where it is not what the world file says.
    pub service: Option<Server>,
    /// How the operator runs the sites, where it is not as the world file says.
    pub operation: Written,
    /// How often each client asks.
    pub probe_every: Duration,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// Something that is done to the world, and what must be seen of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it begins at the earliest, counted from when every client was answered for the first time. A step waits
    /// for the one before it.
    pub at: Duration,
    /// What the reader is told.
    pub say: Option<String>,
    /// What is done, in order.
    pub faults: Vec<Spanned<Deed>>,
    /// What must be seen.
    pub expectations: Vec<Spanned<Expectation>>,
}

impl Scenario {
    /// How often each client asks when a file does not say.
    pub const PROBE_EVERY: Duration = Duration::from_millis(20);

    /// The longest a scenario may be told to last.
    const LONGEST: Duration = Duration::from_secs(600);

    /// Reads a scenario. `file` is printed in front of faults.
    pub fn parse(file: &str, text: &str) -> Result<Scenario, Faults> {
        let document = Document::parse(file, text);
        let scenario = scenario(&document);
        document.finish(scenario)
    }

    /// The world, if it is a file: relative to the scenario's own place.
    pub fn world_beside(&self, file: &Path) -> PathBuf {
        match file.parent() {
            Some(directory) if !BUILT_IN.contains(&self.world.as_str()) => directory.join(&self.world),
            _ => PathBuf::from(&self.world),
        }
    }

    /// Makes a world as the scenario wants it.
    pub fn prepare(&self, world: &mut World) {
        (world.probe, world.probe_ipv6) = (self.probe_every, self.probe_every);
        let attacked: Vec<&SiteName> = self.attacked().collect();
        for site in &mut world.sites {
            site.hostile = attacked.contains(&&site.name);
        }
        for service in world.services.iter_mut().filter(|service| service.server != Server::Unbound) {
            service.server = self.service.unwrap_or(service.server);
        }
        world.operation = self.operation.over(&world.operation);
    }

    /// The sites that need a hostile neighbour.
    fn attacked(&self) -> impl Iterator<Item = &SiteName> {
        self.steps.iter().flat_map(|step| &step.faults).filter_map(|deed| match &deed.value {
            Deed::AttackSite { site, .. } => Some(site),
            _ => None,
        })
    }

    /// Checks every name against the world in which the scenario is to play.
    pub fn check_names(&self, names: &Names) -> Result<(), Faults> {
        let mut faults = Vec::new();
        let mut check = |wrong: Vec<Wrong>, span: &std::ops::Range<usize>| {
            for Wrong { message, hint } in wrong {
                faults.push(Fault::new(&self.source, span.clone(), message, Some(hint)));
            }
        };
        for step in &self.steps {
            step.faults.iter().for_each(|deed| check(names.wrong_in_fault(deed), &deed.span));
            step.expectations.iter().for_each(|wanted| check(names.wrong(&wanted.mentions()), &wanted.span));
        }
        if faults.is_empty() { Ok(()) } else { Err(Faults::of(self.source.clone(), faults)) }
    }
}

impl Step {
    /// What must be seen; an order of which the step says nothing must be obeyed.
    pub fn wanted(&self) -> Vec<Expectation> {
        let mut wanted: Vec<Expectation> =
            self.expectations.iter().map(|wanted| wanted.value.clone()).collect();
        for (site, _) in self.faults.iter().filter_map(|deed| deed.value.order()) {
            if !wanted.iter().any(|wanted| wanted.speaks_of_order_to(site)) {
                wanted.push(Expectation::OrderObeyed { site: site.clone() });
            }
        }
        wanted
    }

    /// The site at which the step's faults aim, if it is one.
    pub fn target(&self) -> Option<&SiteName> {
        let mut targets = self.faults.iter().map(|deed| deed.target());
        let first = targets.next()??;
        targets.all(|other| other == Some(first)).then_some(first)
    }
}

fn scenario(document: &Document) -> Option<Scenario> {
    let root = document.root();
    let head = root.required("scenario").table();
    let head = head.as_ref().map(|head| {
        let title = head.required("title").text().map(|title| title.value.to_owned());
        let world = head.required("world").text().map(|world| world.value.to_owned());
        (title, world, service(head), probe_every(head))
    });
    let operation = Written::read(&root);
    let tables = root.required("step").tables();
    let steps: Vec<Option<Step>> = tables.iter().map(step).collect();
    in_order(document, &tables, &steps);
    let (title, world, service, probe_every) = head?;
    Some(Scenario {
        source: document.source().clone(),
        title: title?,
        world: world?,
        service: service?,
        operation: operation?,
        probe_every: probe_every?,
        steps: steps.into_iter().collect::<Option<_>>()?,
    })
}

/// `service = "nsd"`; the outer none is a fault, the inner one leaves the choice to the world.
fn service(head: &Table<'_>) -> Option<Option<Server>> {
    let value = head.optional("service");
    if value.is_given() { value.parse().map(|service| Some(service.value)) } else { Some(None) }
}

/// `probe = { every = "20ms" }`
fn probe_every(head: &Table<'_>) -> Option<Duration> {
    let value = head.optional("probe");
    if !value.is_given() {
        return Some(Scenario::PROBE_EVERY);
    }
    let bounds = Duration::from_millis(5)..=Duration::from_secs(1);
    Some(value.table()?.required("every").duration_in(bounds)?.value)
}

fn step(table: &Table<'_>) -> Option<Step> {
    let at = table.required("at").duration_in(Duration::ZERO..=Scenario::LONGEST);
    let say = table.optional("say");
    let say_text = say.text().map(|say| say.value.to_owned());
    let deeds = table.optional("do").one_or_many();
    let faults: Vec<_> = deeds.iter().map(|deed| sentence::<Deed>(table.document(), deed)).collect();
    let wanted = table.optional("expect").one_or_many();
    let wanted: Vec<_> = wanted.iter().map(|text| sentence::<Expectation>(table.document(), text)).collect();
    let step = Step {
        at: at?.value,
        say: say_text,
        faults: faults.into_iter().collect::<Option<_>>()?,
        expectations: wanted.into_iter().collect::<Option<_>>()?,
    };
    has_one_target(table.document(), &step);
    Some(step)
}

/// A sentence; what is wrong with it becomes a fault with a hint.
fn sentence<T: FromStr<Err = SentenceError>>(document: &Document, value: &Value<'_>) -> Option<Spanned<T>> {
    let text = value.text()?;
    match text.parse() {
        Ok(value) => Some(Spanned { value, span: text.span }),
        Err(error) => {
            match error.hint() {
                Some(hint) => document.fault_with_hint(text.span, error.to_string(), hint),
                None => document.fault(text.span, error.to_string()),
            }
            None
        }
    }
}

/// "Other clients" are those of other sites than the target: there must be one.
fn has_one_target(document: &Document, step: &Step) {
    let asking = step.expectations.iter().filter(|wanted| wanted.needs_target());
    for wanted in asking.filter(|_| step.target().is_none()) {
        let hint = "say which: the step needs a `do` with one site as its target";
        document.fault_with_hint(wanted.span.clone(), format!("`{}`: other than whose?", wanted.value), hint);
    }
}

/// Steps stand in the order in which they happen.
fn in_order(document: &Document, tables: &[Table<'_>], steps: &[Option<Step>]) {
    let times = steps.iter().map(|step| step.as_ref().map(|step| step.at));
    let times: Vec<_> = times.collect();
    for (pair, table) in times.windows(2).zip(tables.iter().skip(1)) {
        if let [Some(earlier), Some(later)] = pair
            && later < earlier
        {
            document.fault(table.span(), "this step begins before the one above it");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::world::built_in;

    const GOOD: &str = r#"
[scenario]
title = "London goes dark"
world = "tiny"
[[step]]
at = "0s"
expect = "every client answered"
[[step]]
at = "5s"
say = "The power fails."
do = ["power-cut site london"]
expect = ["clients of london answered within 10s plus path", "other clients silent at most 100ms"]
"#;

    fn faults(result: Result<impl Sized, Faults>) -> String {
        let faults = result.err().expect("faults");
        let rows = faults.iter().map(|(file, fault)| {
            let hint = fault.hint.as_deref().unwrap_or_default();
            format!("{file}:{}:{}: {} | {}\n", fault.line, fault.column, fault.message, hint)
        });
        rows.collect()
    }

    #[test]
    fn a_good_file_becomes_steps() {
        let scenario = Scenario::parse("dark.toml", GOOD).unwrap();
        assert_eq!(scenario.steps.len(), 2);
        assert_eq!(scenario.probe_every, Duration::from_millis(20));
        assert_eq!(scenario.steps[1].target().unwrap().as_str(), "london");
        assert_eq!(scenario.steps[1].expectations.len(), 2);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let bad = r#"
[scenario]
title = "London goes dark"
word = "tiny"
[[step]]
at = "9s"
do = "power-cut london"
expect = ["every client anserwed", "site london state gone"]
[[step]]
at = "5s"
do = ["power-cut site london", "hang daemon paris"]
expect = "other clients silent at most 100ms"
"#;
        insta::assert_snapshot!(faults(Scenario::parse("bad.toml", bad)));
    }

    #[test]
    fn a_name_that_the_world_does_not_have_is_a_fault() {
        let tiny = World::parse("tiny", &built_in("tiny").unwrap()).unwrap();
        let names = Names::of(&tiny, &Plan::new(&tiny).unwrap());
        assert!(Scenario::parse("dark.toml", GOOD).unwrap().check_names(&names).is_ok());
        let text = GOOD
            .replace("power-cut site london", "power-cut site londen")
            .replace("clients of london", "clients of madrid")
            .replace("do = [", "do = ['kill service london', 'cut cable atlas-london - atlas-tokyo', ")
            .replace(", \"other clients silent at most 100ms\"", "");
        let scenario = Scenario::parse("dark.toml", &text).unwrap();
        insta::assert_snapshot!(faults(scenario.check_names(&names)), @r#"
        dark.toml:11:7: the service of london is built into its daemon: it cannot be touched apart from it | strike `daemon london`, or let the world have `service = "nsd"`
        dark.toml:11:30: no cable joins atlas-london and atlas-tokyo | the cables of these nodes are atlas-london - atlas-newyork, atlas-newyork - atlas-tokyo, iberia-madrid - atlas-london, anycast-london - atlas-london, anycast-tokyo - atlas-tokyo, atlas-london - london, atlas-tokyo - tokyo
        dark.toml:11:70: this world has no site `londen` | did you mean `london`? It has london, newyork, tokyo
        dark.toml:12:11: this world has no site `madrid` | It has london, newyork, tokyo
        "#);
    }
}
