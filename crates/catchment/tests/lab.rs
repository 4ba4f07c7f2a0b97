//! A world comes up, is used, and goes away without a trace, however it ends. Needs root, BIRD, NSD and dig.
#![allow(clippy::unwrap_used, clippy::panic)] // a test says what is wrong by panicking

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment");
/// Long enough for a busy machine; nothing is asserted about how long things take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `catchment lab up`.
struct Lab {
    name: &'static str,
    process: Child,
    said: BufReader<ChildStderr>,
}

impl Lab {
    fn up(name: &'static str, world: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["lab", "up", "--name", name, "--listen", "127.0.0.1:0"]).args(more).arg(world);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(process.stderr.take().unwrap());
        Lab { name, process, said }
    }

    /// Reads what it says until a line has these words.
    fn wait_for(&mut self, words: &str) -> String {
        let mut all = String::new();
        while self.said.read_line(&mut all).unwrap() > 0 {
            if let Some(line) = all.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
        }
        panic!("it never said {words:?}:\n{all}");
    }

    fn lab(&self, command: &str, arguments: &[&str]) -> Output {
        let mut process = Command::new(PROGRAM);
        process.args(["lab", command, "--name", self.name]).args(arguments).output().unwrap()
    }

    fn exec(&self, node: &str, command: &[&str]) -> String {
        let output = self.lab("exec", &[&[node, "--"], command].concat());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The lab and everything that descends from it, by number and start time.
    fn family(&self) -> BTreeSet<(u32, String)> {
        let all = processes();
        let mut family = BTreeSet::from([self.process.id()]);
        while let Some((child, ..)) =
            all.iter().find(|(process, parent, _)| family.contains(parent) && !family.contains(process))
        {
            family.insert(*child);
        }
        all.into_iter()
            .filter(|(process, ..)| family.contains(process))
            .map(|(process, _, start)| (process, start))
            .collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Number, parent and start time of every process (proc_pid_stat(5)).
fn processes() -> Vec<(u32, u32, String)> {
    let numbers =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let read = |number: u32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // The second field is a name in brackets, which may contain anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((number, fields.get(1)?.parse().ok()?, (*fields.get(19)?).to_owned()))
    };
    numbers.filter_map(read).collect()
}

/// What a lab could leave behind on this machine, apart from processes.
fn traces(name: &str) -> (String, String, Vec<String>) {
    let links = Command::new("ip").args(["-o", "link"]).output().unwrap();
    let links = String::from_utf8(links.stdout).unwrap();
    let links = links.lines().filter_map(|line| line.split(':').nth(1)).collect::<Vec<_>>().join(",");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let sockets = fs::read_dir("/run/catchment").into_iter().flatten().flatten();
    let sockets = sockets.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let named = Command::new("ip").args(["netns", "list"]).output().unwrap().stdout;
    let files =
        sockets.filter(|file| file.contains(name)).chain([String::from_utf8(named).unwrap()]).collect();
    (links, mounts, files)
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "still not: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn all_gone(family: &BTreeSet<(u32, String)>) -> bool {
    !processes().into_iter().any(|(process, _, start)| family.contains(&(process, start)))
}

#[test]
fn tiny_answers_everybody_and_leaves_nothing() {
    let before = traces("test-tiny");
    let mut lab = Lab::up("test-tiny", Path::new("tiny"), &[]);
    lab.wait_for("every client answered after");
    let map = lab.wait_for("map: http://127.0.0.1:");

    for (client, site) in
        [("london", "london"), ("lisbon", "newyork"), ("madrid", "london"), ("tokyo", "tokyo")]
    {
        for address in ["@198.18.0.53", "@2001:db8:53::53"] {
            for transport in ["+notcp", "+tcp"] {
                let dig = ["dig", address, transport, "+short", "CH", "TXT", "id.server"];
                assert_eq!(lab.exec(client, &dig), format!("\"{site}\""), "{client} {address} {transport}");
            }
        }
    }

    let nodes: serde_json::Value = serde_json::from_slice(&lab.lab("nodes", &["--json"]).stdout).unwrap();
    assert_eq!((&nodes["schema"], &nodes["world"]), (&1.into(), &"tiny".into()));
    let rows = nodes["nodes"].as_array().unwrap();
    let of_kind = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!((of_kind("client"), of_kind("site"), of_kind("router")), (4, 3, 9));
    let names: BTreeSet<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rows.len(), "names are unique");
    assert!(rows.iter().all(|row| row["addresses"].as_array().unwrap().len() == 2));

    let checked = "cd /run/lab/site-london && /proc/1/exe check site.toml";
    let output = lab.lab("exec", &["site-london", "--", "sh", "-c", checked]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let status = lab.exec("site-london", &[PROGRAM, "status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        status["site"], "london",
        "the daemon of the site is asked, without saying where its socket is"
    );

    let url = map.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let picture = Command::new("curl").args(["-sf", &format!("{url}picture")]).output().unwrap().stdout;
    let picture: serde_json::Value = serde_json::from_slice(&picture).unwrap();
    let lisbon =
        picture["clients"].as_array().unwrap().iter().find(|client| client["name"] == "lisbon").unwrap();
    assert_eq!((&lisbon["site"], &lisbon["detour"]["kind"]), (&"newyork".into(), &"policy".into()));

    let family = lab.family();
    assert!(family.len() > 12, "every router is a process");
    assert!(lab.lab("down", &[]).status.success());
    assert!(lab.process.wait().unwrap().success());
    wait_until("every process is gone", || all_gone(&family));
    assert_eq!(traces("test-tiny"), before);
}

#[test]
fn a_killed_lab_leaves_a_socket_at_most_and_the_next_one_removes_it() {
    let before = traces("test-killed");
    let mut lab = Lab::up("test-killed", Path::new("tiny"), &[]);
    lab.wait_for("built after");
    let family = lab.family();
    lab.process.kill().unwrap();
    lab.process.wait().unwrap();
    wait_until("every process is gone", || all_gone(&family));
    let (links, mounts, _) = traces("test-killed");
    assert_eq!((links, mounts), (before.0.clone(), before.1.clone()));
    let answer = lab.lab("nodes", &[]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("is `catchment lab up` running?"));

    let mut next = Lab::up("test-killed", Path::new("tiny"), &["--duration", "1s"]);
    next.wait_for("built after");
    let family = next.family();
    assert!(next.process.wait().unwrap().success(), "it ends by itself");
    wait_until("every process is gone", || all_gone(&family));
    assert_eq!(traces("test-killed"), before);
}

#[test]
fn a_site_whose_service_dies_disappears_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let world = directory.path().join("with-nsd.toml");
    let tiny = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../worlds/tiny.toml")).unwrap();
    fs::write(&world, tiny.replace("[world]\n", "[world]\nservice = \"nsd\"\n")).unwrap();
    let mut lab = Lab::up("test-service", &world, &[]);
    lab.wait_for("every client answered after");
    let dig = ["dig", "@198.18.0.53", "+short", "+time=1", "+tries=1", "CH", "TXT", "id.server"];
    assert_eq!(lab.exec("madrid", &dig), "\"london\"");
    assert!(lab.lab("fault", &["kill", "service", "london"]).status.success());
    wait_until("madrid is answered by another site", || {
        let site = lab.exec("madrid", &dig);
        site == "\"newyork\"" || site == "\"tokyo\""
    });
    assert!(lab.lab("fault", &["restore", "site", "london"]).status.success());
    wait_until("madrid is answered by London again", || lab.exec("madrid", &dig) == "\"london\"");
    let refused = lab.lab("fault", &["kill", "service", "paris"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no site `paris`"));
}

#[test]
fn a_command_inside_keeps_its_exit_code_and_a_wrong_name_has_a_hint() {
    let mut lab = Lab::up("test-exec", Path::new("tiny"), &[]);
    lab.wait_for("built after");
    assert_eq!(lab.lab("exec", &["tokyo", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(lab.lab("exec", &["tokyo", "--", "sh", "-c", "kill -9 $$"]).status.code(), Some(128 + 9));
    let wrong = lab.lab("exec", &["tokio", "--", "true"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean tokyo?"));
    let mut second = Command::new(PROGRAM);
    second.args(["lab", "up", "--name", "test-exec", "--listen", "127.0.0.1:0", "tiny"]);
    let second = second.output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("a lab called `test-exec` is running"));
}

#[test]
fn what_cannot_start_leaves_nothing() {
    let before = traces("test-failed");
    let up = |arguments: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(["lab", "up", "--name", "test-failed"]).args(arguments);
        command
    };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = up(&["--listen", &address, "tiny"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("choose another place with --listen"));

    let output = up(&["--listen", "127.0.0.1:0", "no-such-world.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("built-in worlds: earth, tiny"));

    let directory = tempfile::tempdir().unwrap();
    let world = directory.path().join("wrong.toml");
    fs::write(&world, "[world]\nname = \"x\"\ncolour = 1\n").unwrap();
    let output = up(&["--listen", "127.0.0.1:0", world.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("wrong.toml:3:1"));

    // Namespaces and cables are there already when it turns out that there is no BIRD.
    let mut without_bird = up(&["--listen", "127.0.0.1:0", "tiny"]);
    let output = without_bird.env("PATH", directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot start bird"));
    assert_eq!(traces("test-failed"), before);
}
