//! Programs that behave, hang, flood and leave children behind; files of all sorts.

use super::*;
use config::Command;
use std::path::{Path, PathBuf};

fn shell(script: &str) -> Question {
    let command =
        Command { program: PathBuf::from("/bin/sh"), arguments: vec!["-c".to_owned(), script.to_owned()] };
    Question::Exec { command, address: "198.18.0.80".parse().unwrap() }
}

/// Waits until a process is gone, or dead and only not yet reaped by whoever adopted it.
async fn is_over(process: &str) {
    let path = Path::new("/proc").join(process).join("stat");
    let waiting = async {
        while std::fs::read_to_string(&path).is_ok_and(|stat| !stat.contains(") Z ")) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{process} lives on"));
}

#[tokio::test]
async fn a_program_knows_the_service_and_nothing_else() {
    let script = "echo $CATCHMENT_SERVICE $CATCHMENT_ADDRESS $CATCHMENT_FAMILY; pwd; export -p | wc -l; cat";
    let finding = ask(&shell(script)).await;
    assert_eq!(words(&finding), "pass");
    let seen = finding.seen.unwrap();
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!(lines[..2], ["web 198.18.0.80 ipv4", "/"]);
    // A shell adds where it is and where it was.
    let variables: usize = lines[2].trim().parse().unwrap();
    assert!((5..=8).contains(&variables), "{seen}");
    assert_eq!(lines.len(), 3, "standard input is empty");
}

#[tokio::test]
async fn the_exit_status_decides_and_the_first_line_says_why() {
    let no = ask(&shell("echo; echo 1 of 2 disks >&2; exit 1")).await;
    assert_eq!(words(&no), "Definite: exit status 1: 1 of 2 disks");
    assert_eq!(no.seen.unwrap(), "1 of 2 disks");
    let broken = ask(&shell("exit 2")).await;
    assert_eq!(words(&broken), "indeterminate: exit status 2, which is neither 0 nor 1");
    let killed = ask(&shell("kill -TERM $$")).await;
    assert_eq!(words(&killed), "indeterminate: ended by signal 15");
    let command = Command { program: PathBuf::from("/no/such/program"), arguments: Vec::new() };
    let missing = ask(&Question::Exec { command, address: "::1".parse().unwrap() }).await;
    assert!(words(&missing).starts_with("indeterminate: /no/such/program could not run"), "{missing:?}");
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_with_its_children_and_runs_again() {
    let asker = asker(&shell("sleep 1000 & echo $!; sleep 1000"));
    // The first run may be too short for the shell to have printed anything on a busy machine.
    let mut children = Vec::new();
    while children.len() < 2 {
        let finding = ask_for(&asker, Duration::from_millis(300)).await;
        assert!(matches!(finding.verdict, Verdict::Fail { kind: FailKind::Timeout, .. }), "{finding:?}");
        children.extend(finding.seen);
    }
    for child in children {
        is_over(&child).await;
    }
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_any_more_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("process");
    let asker = asker(&shell(&format!("echo $$ > {0}.new; mv {0}.new {0}; sleep 1000", file.display())));
    let run = tokio::spawn(async move { ask_for(&asker, PATIENCE).await });
    while !file.exists() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let process = std::fs::read_to_string(&file).unwrap();
    run.abort();
    is_over(process.trim()).await;
}

#[tokio::test]
async fn a_program_that_ends_does_not_leave_its_children_behind() {
    // The child holds the pipe open: who waited for the end of the output would wait for the child.
    let finding = ask(&shell("sleep 1000 & echo $!")).await;
    assert_eq!(words(&finding), "pass");
    is_over(&finding.seen.unwrap()).await;
}

#[tokio::test]
async fn a_child_that_left_the_group_is_not_waited_for() {
    // It holds the pipe open, and is nobody's to kill but ours.
    let finding = ask(&shell("setsid sleep 1000 & echo $!; sleep 0.1")).await;
    assert_eq!(words(&finding), "pass");
    let child: u32 = finding.seen.unwrap().parse().unwrap();
    linux::process::send_signal(child, linux::process::ProcessSignal::SIGKILL).unwrap();
    is_over(&child.to_string()).await;
}

#[tokio::test]
async fn a_flood_is_thrown_away() {
    let endless = ask_for(&asker(&shell("exec yes")), Duration::from_millis(300)).await;
    assert!(matches!(endless.verdict, Verdict::Fail { kind: FailKind::Timeout, .. }), "{endless:?}");
    let long = ask(&shell("yes | head -c 1000000; exit 1")).await;
    assert_eq!(words(&long), "Definite: exit status 1: y");
    let seen = long.seen.unwrap();
    assert!(seen.starts_with("(997952 octets are left out at the end)\ny\n"), "{seen}");
    assert_eq!(seen.len(), Finding::MAX_CHARS);
}

#[tokio::test]
async fn a_file_is_looked_at_and_never_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("done");
    let expectation = ::check::file::Expectation {
        max_age: Some(Duration::from_secs(3600)),
        contains: Some("ready".to_owned()),
    };
    let look = |path: PathBuf| asker(&Question::File { path, expectation: expectation.clone() });
    let asker = look(path.clone());
    assert_eq!(words(&ask_for(&asker, PATIENCE).await), "Definite: the file is missing");
    std::fs::write(&path, "not yet\n").unwrap();
    assert_eq!(words(&ask_for(&asker, PATIENCE).await), "Definite: does not contain \"ready\"");
    std::fs::write(&path, "ready\n").unwrap();
    let finding = ask_for(&asker, PATIENCE).await;
    assert_eq!(words(&finding), "pass");
    assert!(finding.seen.unwrap().starts_with("written "));
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    assert_eq!(words(&ask_for(&asker, PATIENCE).await), "Definite: written 120 min ago, more than 60 min");
    for other in [directory.path(), Path::new("/dev/zero")] {
        assert_eq!(words(&ask_for(&look(other.to_owned()), PATIENCE).await), "Definite: it is no file");
    }
    let below = look(path.join("below"));
    assert_eq!(words(&ask_for(&below, PATIENCE).await), "Definite: the file is missing");
}
