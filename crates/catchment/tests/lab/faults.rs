//! Faults: each does what it says, and is undone.

use crate::stage::{Caller, Lab, PROGRAM, wait_until};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The anycast address.
const V4: &str = "198.18.0.53";
const V6: &str = "2001:db8:53::53";

/// Each fault does what it says, is told on the map, and is undone by what restores it.
#[test]
fn every_fault_has_an_effect_and_is_undone() {
    let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/exchange.toml");
    let mut lab = Lab::up(&Caller::Root, "test-faults", &world, &[]);
    lab.wait_for("every client answered after");
    let map = lab.wait_for("map: http://127.0.0.1:");
    let url = map.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    let picture = || -> serde_json::Value {
        let fetched = Command::new("curl").args(["-sf", &format!("{url}picture")]).output().unwrap();
        serde_json::from_slice(&fetched.stdout).unwrap()
    };
    let answered = |client: &str, address: &str, name: &str| {
        let address = format!("@{address}");
        lab.exec(client, &["dig", &address, "+short", "+time=1", "+tries=1", "CH", "TXT", name])
    };
    let by = |client: &str, site: &str| {
        [V4, V6].iter().all(|address| answered(client, address, "id.server") == format!("\"{site}\""))
    };
    let fault = |words: &str| {
        let output = lab.lab("fault", &words.split(' ').collect::<Vec<_>>());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let done = |words: &str| {
        let (code, said) = fault(words);
        assert_eq!(code, Some(0), "{words}: {said}");
    };
    let in_force = || picture()["faults"].as_array().map_or(0, Vec::len);
    let cable = |name: &str| {
        let picture = picture();
        let cables = picture["cables"].as_array().unwrap();
        cables.iter().find(|cable| cable["name"] == name).unwrap()["state"].as_str().unwrap().to_owned()
    };

    // Half of the pings each way, more or less: some come back, and some do not.
    let ping = || lab.exec("newyork", &["ping", "-c", "40", "-i", "0.02", "-W", "1", V4]);
    done("half-broken cable west-newyork - atlas-newyork losing 50%");
    let said = ping();
    let received = said.split(", ").find_map(|part| part.strip_suffix(" received")).unwrap();
    assert!((1..40).contains(&received.parse::<u32>().unwrap()), "{said}");
    wait_until("the map shows it", || cable("west-newyork-atlas-newyork") == "half-broken");
    done("restore cable atlas-newyork - west-newyork");
    assert!(ping().contains(" 0% packet loss"));

    // A cable that comes and goes is seen both ways.
    let polder = "polder-amsterdam-atlas-amsterdam";
    done("flap cable polder-amsterdam - atlas-amsterdam every 500ms");
    wait_until("it is cut", || cable(polder) == "cut");
    wait_until("it carries", || cable(polder) == "up");
    wait_until("it is cut again", || cable(polder) == "cut");
    done("restore cable polder-amsterdam - atlas-amsterdam");
    wait_until("it carries", || cable(polder) == "up");

    // The answers come back another way than the questions went.
    done("urpf router west-sanjose");
    wait_until("IPv4 is silent", || !answered("sanjose", V4, "id.server").contains("newyork"));
    assert_eq!(answered("sanjose", V6, "id.server"), "\"newyork\"");
    done("restore node west-sanjose");
    wait_until("IPv4 is answered", || by("sanjose", "newyork"));

    // Routers of either make go another way.
    for (router, client) in [("polder-amsterdam", "amsterdam"), ("borea-amsterdam", "frankfurt")] {
        done(&format!("shift router {router} away from ams-ix"));
        wait_until("it is answered elsewhere", || by(client, "newyork"));
        done(&format!("restore node {router}"));
        wait_until("it is back", || by(client, "amsterdam"));
    }

    // The host that is left answers everybody; when it is back, both do.
    let hosts =
        || -> BTreeSet<String> { (0..12).map(|_| answered("amsterdam", V4, "hostname.bind")).collect() };
    done("power-cut host site-amsterdam-1");
    wait_until("one host is left", || hosts() == BTreeSet::from(["\"amsterdam-2\"".to_owned()]));
    done("restore node site-amsterdam-1");
    wait_until("both answer", || hosts().contains("\"amsterdam-1\""));

    // What floods is counted where it arrives.
    let counted = || -> u64 {
        let sum = "/^catchment_dns_queries_total/ { sum += $2 } END { print sum }";
        let read = format!("curl -s 127.0.0.1:9053/metrics | awk '{sum}'");
        lab.exec("site-newyork", &["sh", "-c", &read]).parse().unwrap()
    };
    let before = counted();
    done("flood from anycast-newyork at 3000 per second");
    wait_until("thousands have arrived", || counted() > before + 5_000);
    wait_until("it is in force", || in_force() == 1);
    done("restore site newyork");
    wait_until("nothing is in force", || in_force() == 0);

    for (words, why) in [
        ("kill service newyork", "built into its daemon"),
        ("urpf router amsterdam", "is no router"),
        ("shift router polder-amsterdam away from west-sanjose", "has no session with west-sanjose"),
        ("power-cut host newyork", "is no host of a site"),
        ("flood from newyork at 9999999 per second", "nobody can send"),
        ("half-broken site newyork losing 100%", "a share is"),
        ("cut cable ams-ix - polder-amsterdam", "no cable joins"),
        ("kill store", "no fleet store"),
    ] {
        let (code, said) = fault(words);
        assert!(code == Some(1) && said.contains(why), "{words}: {said}");
    }
    assert_eq!(in_force(), 0, "what is refused is not remembered");

    // What is struck and what is ordered is put right at once.
    done("withdraw site newyork");
    done("power-cut site amsterdam");
    wait_until("it is in force", || in_force() == 1);
    done("restore everything");
    wait_until("everybody is at home", || by("newyork", "newyork") && by("frankfurt", "amsterdam"));
    wait_until("nothing is in force", || in_force() == 0);
}

#[test]
fn a_new_world_comes_up_and_is_never_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let world = directory.path().join("world.toml");
    let new = || Command::new(PROGRAM).args(["lab", "new"]).arg(&world).output().unwrap();
    assert!(new().status.success());
    let again = new();
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is there already"));
    let mut lab = Lab::up(&Caller::Root, "test-new", &world, &[]);
    lab.wait_for("every client answered after");
    let seeded = Command::new(PROGRAM).args(["lab", "up", "--seed", "7", "tiny"]).output().unwrap();
    assert_eq!(seeded.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&seeded.stderr).contains("is not drawn by lot"));
}
