//! The machines that can be recorded. A further core needs an implementation of [`Recorded`] and a line in [`load`].

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use terms::Timestamp;

/// A pure machine: what it does is decided by what it is told.
pub trait Recorded: Serialize + DeserializeOwned {
    /// The core that it belongs to.
    const CORE: &'static str;
    /// What it can be told.
    type Input: Serialize + DeserializeOwned;
    /// What it can want done.
    type Output: Serialize;

    /// Tells it something.
    fn tell(&mut self, input: Self::Input, now: Timestamp);
    /// The next thing it wants done.
    fn ask(&mut self) -> Option<Self::Output>;
}

impl Recorded for announce::Machine {
    const CORE: &'static str = "announce";
    type Input = announce::Input;
    type Output = announce::Action;

    fn tell(&mut self, input: announce::Input, now: Timestamp) {
        self.handle(input, now);
    }

    fn ask(&mut self) -> Option<announce::Action> {
        self.poll_output()
    }
}

impl Recorded for bgp::session::Session {
    const CORE: &'static str = "bgp";
    type Input = bgp::session::Input;
    type Output = bgp::session::Output;

    fn tell(&mut self, input: bgp::session::Input, now: Timestamp) {
        self.handle(input, now);
    }

    fn ask(&mut self) -> Option<bgp::session::Output> {
        self.poll_output()
    }
}

/// A machine read from a recording.
pub(crate) trait Replayed {
    /// Tells it something; answers with everything that it then wants done.
    fn replay(&mut self, input: Value, at: Timestamp) -> serde_json::Result<Vec<Value>>;
}

impl<M: Recorded> Replayed for M {
    fn replay(&mut self, input: Value, at: Timestamp) -> serde_json::Result<Vec<Value>> {
        self.tell(serde_json::from_value(input)?, at);
        std::iter::from_fn(|| self.ask()).map(serde_json::to_value).collect()
    }
}

/// The machine of that core as it was saved; nothing when the core is unknown.
pub(crate) fn load(core: &str, saved: Value) -> Option<serde_json::Result<Box<dyn Replayed>>> {
    fn boxed<M: Recorded + 'static>(saved: Value) -> serde_json::Result<Box<dyn Replayed>> {
        Ok(Box::new(serde_json::from_value::<M>(saved)?))
    }
    match core {
        announce::Machine::CORE => Some(boxed::<announce::Machine>(saved)),
        bgp::session::Session::CORE => Some(boxed::<bgp::session::Session>(saved)),
        _ => None,
    }
}
