//! `catchment replay`: what was recorded, told to the same machines again.

use crate::arguments::ReplayRecording;
use crate::outcome::{self, Outcome};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::utc;
use api::Schema;
use recording::{Fault, Happened, Header, ReplayError, Step, replay};
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, Write};

/// A whole replay, for programs.
#[derive(Serialize)]
struct Replayed {
    schema: Schema,
    recording: Header,
    steps: Vec<Step>,
}

pub(crate) fn run(arguments: &ReplayRecording, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let path = arguments.recording.display();
    let file = match File::open(&arguments.recording) {
        Ok(file) => BufReader::new(file),
        Err(error) => return Ok(outcome::bad_input(format_args!("cannot open {path}: {error}"))),
    };
    let mut steps = match replay(file) {
        Ok(steps) => steps,
        Err(error) => return Ok(outcome::bad_input(format_args!("{path}: {error}"))),
    };
    let header = steps.header().clone();
    let ended = if arguments.json {
        let mut kept = Vec::new();
        let ended = steps.by_ref().try_for_each(|step| step.map(|step| kept.push(step)));
        terminal.json(&Replayed { schema: Schema, recording: header, steps: kept })?;
        ended
    } else {
        let begun = utc(header.zero);
        writeln!(terminal, "recording of {}, begun {begun}, by catchment {}", header.site, header.version)?;
        print(steps, terminal)?
    };
    Ok(match ended {
        Ok(()) => Outcome::Yes,
        // How every recording of a killed process ends.
        Err(error) if matches!(error.fault, Fault::CutOff) => {
            eprintln!("{path}: {error}");
            Outcome::Yes
        }
        Err(error) => outcome::bad_input(format_args!("{path}: {error}")),
    })
}

/// Prints every step; the fault that ended the recording, if one did.
fn print(
    steps: impl Iterator<Item = Result<Step, ReplayError>>,
    terminal: &mut Terminal,
) -> anyhow::Result<Result<(), ReplayError>> {
    for step in steps {
        match step {
            Ok(step) => write!(terminal, "{}", lines(&step, terminal.paint()))?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

/// What a machine was told, and below it what it wanted done.
fn lines(step: &Step, paint: Paint) -> String {
    let seconds = std::time::Duration::from_nanos(step.at.as_nanos()).as_secs_f64();
    let place = paint.text(Tone::Quiet, &format!("{:>6} {seconds:>12.6} s", step.seq));
    let machine = format!("{}/{}", step.core, step.instance);
    match &step.happened {
        Happened::Began => format!("{place}  {machine} begins\n"),
        Happened::Lost(1) => format!("{place}  {machine}: 1 input was not recorded\n"),
        Happened::Lost(inputs) => format!("{place}  {machine}: {inputs} inputs were not recorded\n"),
        Happened::Told { input, outputs } => {
            let outputs = outputs.iter().map(|output| format!("{:>24}-> {output}\n", ""));
            format!("{place}  {machine} {input}\n{}", outputs.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use terms::Timestamp;

    #[test]
    fn a_step_says_when_whom_what_and_what_came_of_it() {
        let step = |happened| Step {
            seq: 12,
            at: Timestamp::from_nanos(1_250_000_000),
            core: "announce".to_owned(),
            instance: "dns".to_owned(),
            happened,
        };
        let told =
            Happened::Told { input: json!("timer"), outputs: vec![json!({"announce": "normal"}), json!(1)] };
        let page =
            [told, Happened::Began, Happened::Lost(3)].map(|happened| lines(&step(happened), Paint::Plain));
        insta::assert_snapshot!(page.concat());
    }
}
