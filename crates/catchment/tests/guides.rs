//! Every command that a guide shows works: each guide is followed in a lab of its own, line by line. Needs root, BIRD,
//! NSD, etcd and dig.
//!
//! A guide that brings no world up is read as by somebody who sits at a site: its commands run at London's site of a small
//! world with a fleet.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be made fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment");
/// The lab of these tests.
const LAB: &str = "guides";
/// What never ends: it reads a running daemon, or is one, and those of the lab run already.
const ENDLESS: [&str; 2] = ["--follow", "catchment run "];
/// What a reader may be told "no" to (exit code 1) because nothing happened before: there is nothing to confirm,
/// every site of the fleet stands, and no client has a connection (`lab/moved.rs` asks about one that there is).
const MAY_SAY_NO: [&str; 4] = [
    "catchment reload --confirm",
    "catchment fleet release ",
    "catchment fleet retire ",
    "catchment explain 203.0.113.7:40000",
];
/// What changes the reader's own machine (packages, services, files below /etc) or runs for as long as that does. The
/// package has a test of its own, and so has the example of a service.
const HOST_ONLY: [&str; 18] = [
    "apt",
    "apt-get",
    "dpkg",
    "sudoedit",
    "systemctl",
    "systemd-analyze",
    "journalctl",
    "make",
    "install",
    "useradd",
    "chown",
    "etcd",
    "etcdctl",
    "openssl",
    "curl",
    "ssh",
    "cp",
    "./stream.py",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The commands of a guide's console blocks, without prompt, `sudo` and comment; a line that ends in `\` goes on. Of a
/// block for the shell, which has no prompts, those of this program.
fn commands(guide: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut is_console, mut is_script) = (false, false);
    let mut unfinished: Option<String> = None;
    for line in guide.lines().map(str::trim_start) {
        if let Some(language) = line.strip_prefix("```") {
            (is_console, is_script) = (language == "console", language == "sh");
            continue;
        }
        let begun = match (unfinished.take(), line.strip_prefix("$ ")) {
            (Some(before), _) if is_console => format!("{before} {}", line.trim()),
            (None, Some(command)) if is_console => command.to_owned(),
            (None, None) if is_script && line.starts_with("catchment ") => line.to_owned(),
            _ => continue,
        };
        match begun.strip_suffix('\\') {
            Some(half) => unfinished = Some(half.trim().to_owned()),
            None => commands.push(plain(&begun)),
        }
    }
    commands.retain(|command| !command.is_empty());
    commands
}

/// The blocks of a guide in a language, without the indentation of the list in which they stand.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}");
    let mut lines = guide.lines();
    let mut blocks = Vec::new();
    while let Some(begin) = lines.find(|line| line.trim_start() == fence) {
        let indentation = begin.len() - fence.len();
        let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
        blocks
            .push(inside.map(|line| format!("{}\n", line.get(indentation..).unwrap_or_default())).collect());
    }
    blocks
}

/// Every guide: its file's name and its text.
fn guides() -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join("docs/guides")).unwrap().map(Result::unwrap);
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".md"));
    names.sort();
    let text = |name: &String| fs::read_to_string(root().join("docs/guides").join(name)).unwrap();
    names.iter().map(|name| (name.clone(), text(name))).collect()
}

/// A command as a test types it.
fn plain(command: &str) -> String {
    let command = command.split("  #").next().unwrap_or_default().split(" # ").next().unwrap_or_default();
    let command = command.strip_prefix("# ").map_or(command, |_| "").trim();
    command.strip_prefix("sudo ").unwrap_or(command).to_owned()
}

/// What a test does with a command.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// Brings the world up: it goes on in the background.
    Up(String),
    /// Runs as it is, in the reader's shell.
    Here(String),
    /// Runs at London's site.
    AtSite(String),
    /// Is not run: it never ends, changes the reader's machine, or is a scenario.
    NotRun,
}

fn kind(command: &str) -> Kind {
    let program = command.split_whitespace().next().unwrap_or_default();
    if ENDLESS.iter().any(|words| command.contains(words)) || HOST_ONLY.contains(&program) {
        return Kind::NotRun;
    }
    let lab = command.strip_prefix("catchment lab ");
    match lab.map(|rest| rest.split_once(' ').unwrap_or((rest, ""))) {
        Some(("up", world)) => Kind::Up(world.to_owned()),
        // It needs no running lab.
        Some(("new", _)) => Kind::Here(command.to_owned()),
        // Every scenario is played by `make test` anyhow.
        Some(("test", _)) => Kind::NotRun,
        Some((verb, rest)) => Kind::Here(format!("catchment lab {verb} --name {LAB} {rest}")),
        None if program == "catchment" => Kind::AtSite(at_the_site(command)),
        None => Kind::Here(command.to_owned()),
    }
}

/// The same command where the site of the lab has its files, and for its service.
fn at_the_site(command: &str) -> String {
    let word = |word: &str| match word {
        "site.toml" | "/etc/catchment/site.toml" => "/run/lab/site-london/site.toml".to_owned(),
        "web" => "dns".to_owned(),
        "paris" => "newyork".to_owned(),
        word => word.replace("/var/lib/catchment", "/run/lab/site-london/state"),
    };
    let words: Vec<String> = command.split(' ').map(word).collect();
    format!("catchment lab exec --name {LAB} site-london -- {}", words.join(" "))
}

/// Somebody who follows a guide, in a directory of theirs, with the program in their PATH.
struct Reader {
    directory: tempfile::TempDir,
    lab: Option<Child>,
}

impl Reader {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for there in ["worlds", "scenarios", "examples"] {
            std::os::unix::fs::symlink(root().join(there), directory.path().join(there)).unwrap();
        }
        Reader { directory, lab: None }
    }

    fn shell(&self, line: &str) -> Command {
        let bin = Path::new(PROGRAM).parent().unwrap().display();
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.directory.path());
        command.env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()));
        command
    }

    fn run(&self, line: &str) -> Output {
        self.shell(line).stdin(Stdio::null()).output().unwrap()
    }

    /// Brings a world up, and waits until it answers everybody.
    fn bring_up(&mut self, world: &str) {
        self.take_down();
        let line = format!("exec catchment lab up --name {LAB} --listen 127.0.0.1:0 {world}");
        let mut lab = self.shell(&line).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(lab.stderr.take().unwrap()).lines().map_while(Result::ok);
        self.lab = Some(lab);
        assert!(said.any(|line| line.starts_with("every client answered")), "{world} did not come up");
        std::thread::spawn(move || said.for_each(drop));
    }

    fn take_down(&mut self) {
        if let Some(mut lab) = self.lab.take() {
            self.run(&format!("catchment lab down --name {LAB}"));
            // It has ended where the guide has taken it down.
            let _ = lab.wait();
        }
    }

    /// A small world whose sites form a fleet, where a guide brings none up itself.
    fn sit_at_a_site(&mut self) {
        let tiny = fs::read_to_string(root().join("worlds/tiny.toml")).unwrap();
        fs::write(self.directory.path().join("fleet.toml"), format!("{tiny}\n[fleet]\nmin_sites = 1\n"))
            .unwrap();
        self.bring_up("fleet.toml");
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.take_down();
    }
}

/// Follows a guide; how many of its commands were run.
fn follow(name: &str) -> usize {
    let guide = fs::read_to_string(root().join("docs/guides").join(name)).unwrap();
    let commands = commands(&guide);
    let mut reader = Reader::new();
    if !commands.iter().any(|command| matches!(kind(command), Kind::Up(_))) {
        reader.sit_at_a_site();
    }
    let mut run = 0;
    for command in &commands {
        let line = match kind(command) {
            Kind::NotRun => continue,
            Kind::Up(world) => {
                reader.bring_up(&world);
                run += 1;
                continue;
            }
            Kind::Here(line) | Kind::AtSite(line) => line,
        };
        let output = reader.run(&line);
        let said = format!("{}{}", text_of(&output.stdout), text_of(&output.stderr));
        let code = output.status.code();
        let is_good =
            code == Some(0) || (code == Some(1) && MAY_SAY_NO.iter().any(|words| command.starts_with(words)));
        assert!(is_good, "{name}: `{command}` ended with {code:?}\n{said}");
        run += 1;
        // A reader reads what it says before going on.
        std::thread::sleep(Duration::from_millis(200));
    }
    run
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn commands_are_found_as_people_type_them() {
    let guide = "\
text `$ not this`
```console
$ sudo catchment status --json            # for programs
$ catchment drain \\
    --reason maintenance
what it says
$ # look at it from outside; then
$ sudo systemctl restart catchment
$ catchment lab up tiny
$ catchment lab down
$ catchment check site.toml
```
```toml
$ nor = this
```
";
    let commands = commands(guide);
    let kinds: Vec<Kind> = commands.iter().map(|command| kind(command)).collect();
    let at_site =
        |command: &str| Kind::AtSite(format!("catchment lab exec --name guides site-london -- {command}"));
    assert_eq!(
        kinds,
        [
            at_site("catchment status --json"),
            at_site("catchment drain --reason maintenance"),
            Kind::NotRun,
            Kind::Up("tiny".to_owned()),
            Kind::Here("catchment lab down --name guides ".to_owned()),
            at_site("catchment check /run/lab/site-london/site.toml"),
        ]
    );
}

#[test]
fn every_guide_can_be_followed() {
    let guides = guides();
    for (name, _) in &guides {
        println!("{name}");
        assert!(follow(name) > 0, "{name} shows no command that could be run");
    }
    assert!(guides.len() >= 4, "{guides:?}");
}

/// Worlds come up and scenarios are played that stand in a guide as a whole.
#[test]
fn every_world_and_every_scenario_of_a_guide_is_good() {
    let mut judged = [0; 2];
    for (name, guide) in guides() {
        let mut reader = Reader::new();
        let examples = blocks(&guide, "toml");
        for world in examples.iter().filter(|text| text.starts_with("[world]")) {
            fs::write(reader.directory.path().join("example.toml"), world).unwrap();
            reader.bring_up("example.toml");
            reader.take_down();
            judged[0] += 1;
        }
        for scenario in examples.iter().filter(|text| text.starts_with("[scenario]")) {
            fs::write(reader.directory.path().join("example.toml"), scenario).unwrap();
            let output = reader.run("catchment lab test example.toml");
            let said = format!("{}{}", text_of(&output.stdout), text_of(&output.stderr));
            // A machine that is too slow to judge is not the guide's fault.
            assert!(matches!(output.status.code(), Some(0 | 3)), "{name}: {said}");
            judged[1] += 1;
        }
    }
    assert!(judged.iter().all(|count| *count > 0), "{judged:?}");
}

/// Whole examples are taken by the program that they are for: site files by this one, configurations by BIRD and ExaBGP.
#[test]
fn every_whole_example_of_a_guide_is_good() {
    let directory = tempfile::tempdir().unwrap();
    let here = |name: &str| directory.path().join(name);
    let key = here("transit-a.key");
    fs::write(&key, "swordfish\n").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let judge = |guide: &str, text: &str, program: &str, arguments: &[&str]| {
        let file = here("example");
        fs::write(&file, text).unwrap();
        let judged = Command::new(program).args(arguments).arg(&file).output().unwrap();
        let said = format!("{}{}", text_of(&judged.stdout), text_of(&judged.stderr));
        assert!(judged.status.success(), "{guide}: {program} says no\n{said}\n{text}");
    };
    let mut judged = [0; 3];
    for (name, guide) in guides() {
        for site in blocks(&guide, "toml").iter().filter(|text| text.starts_with("[site]")) {
            let keys = format!("{}/", directory.path().display());
            judge(&name, &site.replace("/etc/catchment/", &keys), PROGRAM, &["check"]);
            judged[0] += 1;
        }
        for configuration in blocks(&guide, "bird") {
            judge(&name, &configuration, "/usr/sbin/bird", &["-p", "-c"]);
            judged[1] += 1;
        }
        for configuration in blocks(&guide, "exabgp") {
            // The program that it runs has to be there.
            let configuration = configuration.replace("/usr/local/bin/watch-dns", "/bin/true");
            judge(&name, &configuration, "exabgp", &["--test"]);
            judged[2] += 1;
        }
    }
    assert!(judged.iter().all(|count| *count > 0), "{judged:?}");
}
