//! Two sessions find each other, and one notices that the other has gone. The loop in `main` is the whole driver: it
//! carries packets by hand.
//!
//! `cargo run -p bfd --example by_hand`

use bfd::Discriminator;
use bfd::session::{Input, Output, Session, Settings};
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;
use terms::Timestamp;

/// How long to look on after the link was cut.
const LOOK_ON: Duration = Duration::from_secs(1);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let interval = Duration::from_millis(100).into();
    let settings = Settings { interval, multiplier: NonZeroU8::try_from(3)?, passive: false };
    let session = |name: u32| {
        Ok::<_, std::num::TryFromIntError>(Session::new(
            settings,
            Discriminator(NonZeroU32::try_from(name)?),
            1,
        ))
    };
    let mut ends = [session(1)?, session(2)?];
    let start = Timestamp::ZERO;
    ends.iter_mut().for_each(|session| session.handle(Input::Start, start));
    let cut = start + Duration::from_secs(3);

    while let Some(now) =
        ends.iter().filter_map(Session::deadline).min().filter(|now| now.since(cut) < LOOK_ON)
    {
        ends.iter_mut().for_each(|session| session.handle(Input::Timer, now));
        while let Some((end, output)) = (0..2).find_map(|end| Some((end, ends[end].poll_output()?))) {
            match output {
                Output::Send(packet) if now < cut => ends[1 - end].handle(Input::Packet(packet), now),
                Output::Send(_) | Output::Gone => {}
                Output::PathUp => println!("{:>6?} end {end}: the path is up", now.since(start)),
                Output::PathDown { reason } => {
                    println!("{:>6?} end {end}: the path is lost: {reason}", now.since(start))
                }
                Output::Event(event) => println!("{:>6?} end {end}: {event}", now.since(start)),
            }
        }
    }
    Ok(())
}
