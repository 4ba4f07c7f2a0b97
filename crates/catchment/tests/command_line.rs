//! The binary as users and scripts meet it: what it prints where, and its exit code.
#![allow(clippy::unwrap_used, reason = "what cannot be made fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BAD_SITE: &str = "[site]\nname = \"London\"\nasn = 64501\nrouter_id = \"10.1.0.10\"\nadress = 1\n\
    [[peer]]\nname = \"a\"\naddress = \"10.1.0.1\"\nasn = 64500\nhold_time = \"2s\"\nbfd = { interval = \"300s\" }\n\
    [[service]]\nname = \"dns\"\naddresses = [\"198.19.0.53\"]\nannounce = [\"198.18.0.0/24\"]\n";

fn catchment(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_catchment"));
    command.args(arguments).current_dir(root());
    command
}

fn run(arguments: &[&str]) -> Output {
    catchment(arguments).output().unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_examples_are_good() {
    let mut pages = String::new();
    let mut examples: Vec<PathBuf> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    examples.sort();
    assert!(examples.len() >= 3);
    for example in examples {
        let name = format!("examples/{}", example.file_name().unwrap().to_str().unwrap());
        let output = run(&["check", &name]);
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""), "{name}");
        pages.push_str(&out(&output));
        pages.push('\n');
    }
    insta::assert_snapshot!(pages);
}

#[test]
fn a_good_site_is_one_document_for_programs() {
    let output = run(&["check", "--json", "examples/built-in-dns.toml"]);
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(out(&output));
}

#[test]
fn a_bad_site_is_told_on_standard_error_and_starts_nothing() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("site.toml"), BAD_SITE).unwrap();
    for command in ["check", "run"] {
        let output = catchment(&[command, "site.toml"]).current_dir(directory.path()).output().unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{command}");
        insta::assert_snapshot!("bad_site", err(&output));
    }
    let output = catchment(&["check", "--json", "site.toml"]).current_dir(directory.path()).output().unwrap();
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(2), ""));
    insta::assert_snapshot!("bad_site_as_json", out(&output));
}

#[test]
fn a_site_file_that_is_not_there_is_bad_input() {
    let output = run(&["check", "no-such.toml"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(err(&output));
}

#[test]
fn a_zone_is_judged_by_itself() {
    let good = run(&["dns", "check", "examples/zones/example.zone"]);
    assert_eq!((good.status.code(), err(&good).as_str()), (Some(0), ""));
    insta::assert_snapshot!(out(&good));

    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("bad.zone"), "$ORIGIN example.\nwww A 192.0.2.300\n").unwrap();
    let bad = catchment(&["dns", "check", "bad.zone"]).current_dir(directory.path()).output().unwrap();
    assert_eq!((bad.status.code(), out(&bad).as_str()), (Some(2), ""));
    insta::assert_snapshot!(err(&bad));
    let bad =
        catchment(&["dns", "check", "--json", "bad.zone"]).current_dir(directory.path()).output().unwrap();
    assert_eq!(bad.status.code(), Some(2));
    assert!(out(&bad).contains("\"schema\": 1"), "{}", out(&bad));
}

#[test]
fn wrong_usage_is_2_and_help_is_0() {
    for wrong in [&[][..], &["nonsense"], &["check"], &["explain", "198.18.0.53/24"], &["status", "--josn"]] {
        let output = run(wrong);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{wrong:?}");
        assert!(err(&output).contains("Usage:") || err(&output).contains("error:"), "{}", err(&output));
    }
    let orders: [&[&str]; 7] = [
        &["drain"],
        &["drain", "--reason", " "],
        &["freeze", "--reason", &"x".repeat(201)],
        &["drain", "--reason", "x", "--for", "5ms"],
        &["drain", "--reason", "x", "--for", "10"],
        &["drain", "--reason", "x", "--override-guard"],
        &["resume", "Not A Name"],
    ];
    for wrong in orders {
        let output = run(wrong);
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""), "{wrong:?}");
        assert!(err(&output).contains("error:"), "{}", err(&output));
    }
    for help in [&["--help"][..], &["check", "--help"], &["dns", "check", "--help"], &["--version"]] {
        let output = run(help);
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""), "{help:?}");
        assert!(!out(&output).contains('\x1b'), "{}", out(&output));
    }
}

#[test]
fn nobody_to_ask_is_a_no_that_says_what_to_start() {
    for command in [&["status"][..], &["events", "--follow"], &["explain", "198.18.0.0/24"]] {
        let output = catchment(command).args(["--socket", "/nowhere/api.sock"]).output().unwrap();
        assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), ""), "{command:?}");
        assert_eq!(
            err(&output),
            "catchment: no daemon answers on /nowhere/api.sock: is `catchment run` running?\n"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    for command in [&["completions", "bash"][..], &["check", "examples/built-in-dns.toml"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = catchment(command).stdout(writer).output().unwrap();
        assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""), "{command:?}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let manual = directory.path().join("man1");
    let output = run(&["man", manual.to_str().unwrap()]);
    assert_eq!((output.status.code(), err(&output).as_str()), (Some(0), ""));
    let mut pages: Vec<String> = fs::read_dir(&manual)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    insta::assert_snapshot!(pages.join("\n"));
    let main = fs::read_to_string(manual.join("catchment.1")).unwrap().replace('\\', "");
    let scripts = ["bash", "zsh", "fish"].map(|shell| out(&run(&["completions", shell])));
    let commands = pages.iter().filter_map(|page| page.strip_prefix("catchment-")?.strip_suffix(".1"));
    for command in commands {
        let word = command.rsplit('-').next().unwrap();
        assert!(scripts.iter().all(|script| script.contains(word)), "{command}");
        // The page of a command of a command is named in that of the one above it.
        let group = command.split('-').next().unwrap();
        let is_named = [command, group].iter().any(|name| main.contains(&format!("catchment-{name}(1)")));
        assert!(is_named, "{command}\n{main}");
    }
}

#[test]
fn what_is_no_recording_cannot_be_replayed() {
    let output = run(&["replay", "examples/single-peer.toml"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(2), ""));
    insta::assert_snapshot!(err(&output));
}

#[test]
fn a_check_that_cannot_fail_is_a_no() {
    let good = run(&["check", "--negative", "--json", "examples/https.toml"]);
    let report: serde_json::Value = serde_json::from_str(&out(&good)).unwrap();
    let answers: Vec<&str> =
        report["checks"].as_array().unwrap().iter().map(|row| row["can_fail"].as_str().unwrap()).collect();
    assert_eq!((good.status.code(), answers), (Some(0), vec!["yes"; 4]), "{report}");

    let directory = tempfile::tempdir().unwrap();
    let statuses: Vec<u16> = (100..600).collect();
    let example = fs::read_to_string(root().join("examples/https.toml")).unwrap();
    let useless = example.replace("contains = \"ready\"", &format!("status = {statuses:?}"));
    assert_ne!(useless, example);
    fs::write(directory.path().join("site.toml"), useless).unwrap();
    let output =
        catchment(&["check", "--negative", "site.toml"]).current_dir(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("it passes an empty error page"), "{}", out(&output));
    assert!(out(&output).ends_with("\n1 check cannot fail, and so protects nobody\n"), "{}", out(&output));
}

#[test]
fn a_zone_becomes_an_image_that_is_judged_and_served_like_it() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("example.image");
    let image = image.to_str().unwrap();
    let made = run(&["dns", "compile", "examples/zones/example.zone", "-o", image]);
    assert_eq!((made.status.code(), err(&made).as_str()), (Some(0), ""));
    assert!(out(&made).contains(" octets: zone example., serial 2026112301, 3 names"), "{}", out(&made));
    let judged = run(&["dns", "check", image]);
    assert_eq!((judged.status.code(), err(&judged).as_str()), (Some(0), ""));
    assert!(
        out(&judged).ends_with("is good: zone example., serial 2026112301, 3 names\n"),
        "{}",
        out(&judged)
    );

    let site = fs::read_to_string(root().join("examples/built-in-dns.toml")).unwrap();
    let site = site.replace("zones/example.zone", image);
    assert!(site.contains(image));
    let file = directory.path().join("site.toml");
    fs::write(&file, site).unwrap();
    let good = run(&["check", file.to_str().unwrap()]);
    assert_eq!((good.status.code(), err(&good).as_str()), (Some(0), ""));

    let mut octets = fs::read(image).unwrap();
    octets[100] ^= 1;
    fs::write(image, &octets).unwrap();
    for command in [&["dns", "check", image][..], &["check", file.to_str().unwrap()]] {
        let bad = run(command);
        assert_eq!(bad.status.code(), Some(2));
        assert!(err(&bad).contains("the image is damaged"), "{}", err(&bad));
    }
    let kept = run(&["dns", "compile", "no-such.zone", "-o", image]);
    assert_eq!(kept.status.code(), Some(2));
    assert_eq!(fs::read(image).unwrap(), octets, "nothing half done");

    let text = fs::read(root().join("examples/zones/example.zone")).unwrap();
    let zone = directory.path().join("example.zone");
    fs::write(&zone, &text).unwrap();
    let zone = zone.to_str().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for place in [zone, pipe.to_str().unwrap(), directory.path().to_str().unwrap()] {
        let refused = run(&["dns", "compile", zone, "-o", place]);
        assert_eq!(refused.status.code(), Some(1));
        assert!(err(&refused).contains("what is there is no image"), "{place}: {}", err(&refused));
    }
    assert_eq!(fs::read(zone).unwrap(), text, "a zone file is not written over");
    assert!(!pipe.metadata().unwrap().is_file(), "nor is anything else that is no file");
    let again = run(&["dns", "compile", zone, "-o", image]);
    assert_eq!((again.status.code(), err(&again).as_str()), (Some(0), ""), "an image is, even a damaged one");
}
