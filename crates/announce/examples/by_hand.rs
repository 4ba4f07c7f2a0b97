//! The main path of the decision by hand: a site starts, proves itself, fails, asks, and is withdrawn.
//!
//! `cargo run -p announce --example by_hand`

use announce::{
    Action, CheckId, CheckSettings, Condition, Input, Machine, Memory, Permit, Scope, Settings, Warmth,
};
use std::num::NonZeroU32;
use std::time::Duration;
use terms::{FailKind, Reason, Timestamp, Verdict};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let check = CheckSettings {
        service: "dns".parse()?,
        name: "soa".to_owned(),
        interval: Duration::from_millis(100),
        fall: NonZeroU32::new(2).ok_or("fall is not zero")?,
        rise: NonZeroU32::new(3).ok_or("rise is not zero")?,
        hang_after: Duration::from_secs(1),
        scope: Scope::Local,
    };
    let settings = Settings::new("anycast".parse()?, vec![check]);
    let mut machine = Machine::new(settings, Memory::default(), Timestamp::ZERO);

    let warmth = Warmth {
        ready: Condition::met("the service says so"),
        address: Condition::met("198.18.0.53 is on lo"),
        self_query: Condition::met("answered through the listener only"),
    };
    let found = |verdict| Input::Check { check: CheckId(0), verdict };
    let refused = Verdict::Fail { kind: FailKind::Definite, reason: Reason::from("connection refused") };
    let passes = std::iter::repeat_n(found(Verdict::Pass), 3);
    let fail = || found(refused.clone());
    // At the first fail the machine asks the fleet whether it may withdraw; here it may.
    let fails = [fail(), Input::Permit(Permit::Held), fail()];

    let mut now = Timestamp::ZERO;
    for input in std::iter::once(Input::Warmth(warmth)).chain(passes).chain(fails) {
        now = now + Duration::from_millis(100);
        machine.handle(input, now);
        while let Some(action) = machine.poll_output() {
            match action {
                Action::Announce(level) => println!("tell the neighbours: {level}"),
                Action::Permit(wish) => println!("tell the fleet: {wish:?}"),
                Action::Resend => println!("tell the neighbours again"),
                Action::CheckSoon { check, at } => println!("run check {} again at {at:?}", check.0),
                Action::Remember(memory) => println!("write to disk: {memory:?}"),
                Action::Event(event) => println!("log: {event}"),
            }
        }
    }
    machine.explain(now).iter().for_each(|row| println!("why: {row}"));
    Ok(())
}
