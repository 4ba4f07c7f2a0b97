//! How a command ends, for the shell and for scripts.

use crate::terminal::style_of_stderr;
use api::client::ClientError;
use document::Faults;
use std::fmt::Display;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done; where something was asked, the answer is yes.
    Yes,
    /// The answer is no: a check, a test or a guard failed, or nobody was there to answer.
    No,
    /// What was given cannot be used.
    BadInput,
    /// The host was too slow to judge.
    Inconclusive,
    /// A program that ran for us ended with this exit code.
    Child(u8),
}

impl From<ExitStatus> for Outcome {
    /// As shells do: a program that a signal ended counts as 128 and its number.
    fn from(status: ExitStatus) -> Outcome {
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        Outcome::Child(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX))
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Yes => 0,
            Outcome::No => 1,
            Outcome::BadInput => 2,
            Outcome::Inconclusive => 3,
            Outcome::Child(code) => code,
        })
    }
}

/// Prints help, version or what is wrong with the arguments.
pub(crate) fn of_usage(message: &clap::Error) -> ExitCode {
    // Nobody is left to tell when the message cannot be written.
    let _ = message.print();
    u8::try_from(message.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Prints why a command could not do its work, and whose fault that is.
pub(crate) fn of_error(error: &anyhow::Error) -> Outcome {
    if is_closed_pipe(error) {
        return Outcome::Yes;
    }
    if let Some(faults) = error.downcast_ref::<Faults>() {
        eprint!("{}", faults.render(style_of_stderr()));
        return Outcome::BadInput;
    }
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Faulty(refusal)) => bad_input(refusal),
        Some(_) | None => {
            eprintln!("catchment: {error}");
            Outcome::No
        }
    }
}

/// Says what is wrong with what was given.
pub(crate) fn bad_input(message: impl Display) -> Outcome {
    eprintln!("catchment: {message}");
    Outcome::BadInput
}

/// Whoever read our output has seen enough, as in `catchment events | head`.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref::<io::Error>().is_some_and(is_closed)
}
