//! A world of root's.

use crate::stage::{Caller, Lab, PROGRAM, Traces, all_gone, wait_until};
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

#[test]
fn tiny_answers_everybody_and_leaves_nothing() {
    let before = Traces::of(&Caller::Root, "test-tiny");
    let mut lab = Lab::up(&Caller::Root, "test-tiny", Path::new("tiny"), &[]);
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
    assert_eq!(Traces::of(&Caller::Root, "test-tiny"), before);
}

#[test]
fn a_killed_lab_leaves_a_socket_at_most_and_the_next_one_removes_it() {
    let before = Traces::of(&Caller::Root, "test-killed");
    let mut lab = Lab::up(&Caller::Root, "test-killed", Path::new("tiny"), &[]);
    lab.wait_for("built after");
    let family = lab.family();
    lab.process.kill().unwrap();
    lab.process.wait().unwrap();
    wait_until("every process is gone", || all_gone(&family));
    let Traces { links, mounts, .. } = Traces::of(&Caller::Root, "test-killed");
    assert_eq!((&links, &mounts), (&before.links, &before.mounts));
    let answer = lab.lab("nodes", &[]);
    assert_eq!(answer.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&answer.stderr).contains("is `catchment lab up` running?"));

    let mut next = Lab::up(&Caller::Root, "test-killed", Path::new("tiny"), &["--duration", "1s"]);
    next.wait_for("built after");
    let family = next.family();
    assert!(next.process.wait().unwrap().success(), "it ends by itself");
    wait_until("every process is gone", || all_gone(&family));
    assert_eq!(Traces::of(&Caller::Root, "test-killed"), before);
}

#[test]
fn a_site_whose_service_dies_disappears_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let world = directory.path().join("with-nsd.toml");
    let tiny = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../worlds/tiny.toml")).unwrap();
    fs::write(&world, tiny.replace("[world]\n", "[world]\nservice = \"nsd\"\n")).unwrap();
    let mut lab = Lab::up(&Caller::Root, "test-service", &world, &[]);
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
    let mut lab = Lab::up(&Caller::Root, "test-exec", Path::new("tiny"), &[]);
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
    let before = Traces::of(&Caller::Root, "test-failed");
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

    // Namespaces and cables are there already when it turns out that BIRD does not start.
    let without_bird = "mount --bind /dev/null $(command -v bird) && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", without_bird, "sh", PROGRAM]);
    command.args(["lab", "up", "--name", "test-failed", "--listen", "127.0.0.1:0", "tiny"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot start bird"));
    assert_eq!(Traces::of(&Caller::Root, "test-failed"), before);
}
