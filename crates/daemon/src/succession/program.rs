//! The program on disk: where it is, and whether it would take this site over.

use super::FORMAT;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use terms::Reason;
use tokio::process::Command;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a program may take to judge a site file; large zones take seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest answer of the program that is passed on, octets.
const LONGEST_WORDS: usize = 2000;

/// Where this program was started from, and may be found in another version by now.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    /// What it calls itself.
    name: OsString,
}

/// An order to let the program on disk take over.
#[derive(Debug)]
pub(crate) struct Departing {
    pub(crate) program: Program,
    /// The site file in force.
    pub(crate) site_file: PathBuf,
    /// How long nobody may be served, at most.
    pub(crate) longest: Duration,
    /// Where it is told whether it is carried out now, or why not; then nothing has changed.
    pub(crate) answer: oneshot::Sender<Result<(), Reason>>,
}

impl Program {
    /// The program that runs. To be asked at the start: later its file may have been replaced, and the system would
    /// name one that is gone.
    pub(crate) fn of_this_process() -> io::Result<Self> {
        let path = std::env::current_exe()?;
        let name = std::env::args_os().next().unwrap_or_else(|| path.clone().into_os_string());
        Ok(Program { path, name })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The words by which it runs a site.
    pub(crate) fn running(&self, site_file: &Path) -> [OsString; 3] {
        [self.name.clone(), "run".into(), site_file.into()]
    }
}

/// Asks the program on disk whether it takes over what this one hands over, and the site file. Answers how long it
/// took to read the file, or why not.
pub(crate) async fn examine(program: &Program, site_file: &Path) -> Result<Duration, String> {
    let path = program.path.display();
    let mut command = Command::new(&program.path);
    command.arg("check").arg(site_file).args(["--succession", &FORMAT.to_string()]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let begun = Instant::now();
    match timeout(PATIENCE, command.output()).await {
        Ok(Ok(output)) if output.status.success() => Ok(begun.elapsed()),
        Ok(Ok(output)) => Err(format!("{path} would not take over {}", words(&output))),
        Ok(Err(error)) => Err(format!("{path} cannot be started: {error}")),
        Err(_) => Err(format!("{path} did not judge the site file within {} s", PATIENCE.as_secs())),
    }
}

/// What a program said at its end.
fn words(output: &Output) -> String {
    let ended = match (output.status.code(), output.status.signal()) {
        (Some(code), _) => format!("(exit code {code})"),
        (None, signal) => format!("(signal {})", signal.unwrap_or_default()),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let said: String = said.trim().chars().take(LONGEST_WORDS).collect();
    if said.is_empty() { ended } else { format!("{ended}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(path: &str) -> Program {
        Program { path: path.into(), name: "catchment".into() }
    }

    #[tokio::test]
    async fn a_program_that_refuses_is_quoted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("program");
        let script = "#!/bin/sh\necho \"$1 $3 $4: the peer transit-a is unknown\" >&2\nexit 2\n";
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let refused = examine(&program(path.to_str().unwrap()), Path::new("site.toml")).await.unwrap_err();
        let said = format!("(exit code 2): check --succession {FORMAT}: the peer transit-a is unknown");
        assert!(refused.ends_with(&said), "{refused}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_takes_nothing_over() {
        let refused = examine(&program("/nowhere/catchment"), Path::new("site.toml")).await.unwrap_err();
        assert!(refused.starts_with("/nowhere/catchment cannot be started: "), "{refused}");
        examine(&program("/bin/true"), Path::new("site.toml")).await.unwrap();
    }
}
