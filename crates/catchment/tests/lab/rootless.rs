//! A world of somebody who has no privileges.

use crate::stage::{Caller, Lab, PROGRAM, Traces, all_gone, wait_until};
use std::path::Path;
use std::process::Command;

#[test]
fn nobody_has_a_world_and_everything_works_in_it() {
    let nobody = Caller::nobody();
    let before = Traces::of(&nobody, "test-rootless");
    let mut lab = Lab::up(&nobody, "test-rootless", Path::new("tiny"), &[]);
    lab.wait_for("every client answered after");
    for (client, site) in [("london", "london"), ("lisbon", "newyork"), ("tokyo", "tokyo")] {
        for transport in ["+notcp", "+tcp"] {
            let dig = ["dig", "@2001:db8:53::53", transport, "+short", "CH", "TXT", "id.server"];
            assert_eq!(lab.exec(client, &dig), format!("\"{site}\""), "{client} {transport}");
        }
    }
    assert_eq!(lab.exec("london", &["id", "-u"]), "0", "who comes in is root inside");
    let nodes: serde_json::Value = serde_json::from_slice(&lab.lab("nodes", &["--json"]).stdout).unwrap();
    assert_eq!(nodes["nodes"].as_array().unwrap().len(), 16);

    assert!(lab.lab("fault", &["power-cut", "site", "london"]).status.success());
    let dig = ["dig", "@198.18.0.53", "+short", "+time=1", "+tries=1", "CH", "TXT", "id.server"];
    wait_until("madrid is answered by another site", || {
        let site = lab.exec("madrid", &dig);
        site == "\"newyork\"" || site == "\"tokyo\""
    });
    assert!(lab.lab("fault", &["restore", "site", "london"]).status.success());
    wait_until("madrid is answered by London again", || lab.exec("madrid", &dig) == "\"london\"");

    let family = lab.family();
    assert!(family.len() > 12, "every router is a process");
    assert!(lab.lab("down", &[]).status.success());
    assert!(lab.process.wait().unwrap().success());
    wait_until("every process is gone", || all_gone(&family));
    assert_eq!(Traces::of(&nobody, "test-rootless"), before);
}

/// Root has both kinds of cables, and can have each.
#[test]
fn cables_end_in_virtual_ethernet_where_somebody_wants_it() {
    let mut lab = Lab::up(&Caller::Root, "test-veth", Path::new("tiny"), &["--cables", "veth"]);
    lab.wait_for("every client answered after");
    assert!(lab.exec("atlas-london", &["ip", "-d", "link", "show", "atlas-newyork"]).contains("veth"));
    let cut = ["cut", "cable", "atlas-london - atlas-newyork"];
    assert!(lab.lab("fault", &cut).status.success());
    wait_until("the carrier is gone", || link_state(&lab) == "DOWN");
    assert!(lab.lab("fault", &["restore", "cable", "atlas-london - atlas-newyork"]).status.success());
    wait_until("the carrier is back", || link_state(&lab) != "DOWN");
}

fn link_state(lab: &Lab<'_>) -> String {
    let row = lab.exec("atlas-london", &["ip", "-o", "link", "show", "atlas-newyork"]);
    row.split(" state ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned()
}

/// Runs the program in a shell that has prepared the machine, as root with no capability but the one that the kernel asks
/// for where root is mapped.
fn refused(unshare: &[&str], prepare: &str) -> String {
    let script = format!("{prepare} && exec setpriv --bounding-set=-all,+setfcap --inh-caps=-all \"$@\"");
    let mut command = Command::new("unshare");
    command.args(unshare).args(["sh", "-c", &script, "sh", PROGRAM]);
    command.args(["lab", "up", "--name", "test-refused", "--listen", "127.0.0.1:0", "tiny"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn where_it_is_forbidden_the_command_that_allows_it_is_told() {
    let before = Traces::of(&Caller::Root, "test-refused");
    let said = refused(&["--user", "--map-root-user"], "echo 0 >/proc/sys/user/max_user_namespaces");
    assert!(said.contains("`sudo sysctl -w user.max_user_namespaces=10000`"), "{said}");
    // As in a container: the kernel shows nobody what somebody has covered.
    let said = refused(&["--mount"], "mount --bind /dev/null /proc/version");
    assert!(said.contains("parts of /proc are covered here (/proc/version)"), "{said}");
    assert_eq!(Traces::of(&Caller::Root, "test-refused"), before);
}
