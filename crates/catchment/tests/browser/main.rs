//! The page in a real browser: a lab's, live, and a replay, from a file. Needs root, BIRD and Chromium.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what is wrong by panicking

mod devtools;
mod forwarded;
mod lab;

use devtools::Page;
use lab::{Foreign, Lab};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment");
const WIDE: u32 = 1280;
const NARROW: u32 = 360;
/// More than any page here has places for the keyboard.
const MOST_STOPS: usize = 200;

/// Presses Tab until the keyboard is on something of these words.
fn tab_to(page: &mut Page, words: &str) {
    for _ in 0..MOST_STOPS {
        page.press("Tab");
        if page.see("focused()?.words") == words {
            return;
        }
    }
    panic!("the keyboard does not reach {words:?}");
}

/// Walks through the whole page: everything is reached, seen and marked.
fn assert_the_keyboard_gets_everywhere(page: &mut Page) {
    page.see("document.activeElement.blur()");
    let mut stops = Vec::new();
    for _ in 0..MOST_STOPS {
        page.press("Tab");
        let stop = page.see("focused()");
        if stop.is_null() || stops.first() == Some(&stop) {
            break;
        }
        assert_eq!(stop["wrong"], serde_json::json!([]), "{stop}");
        stops.push(stop);
    }
    assert!(stops.len() > 10, "{stops:?}");
    assert_eq!(stops[0]["words"], "Skip to who answers whom");
    assert_eq!(page.see("unreached()"), serde_json::json!([]));
}

/// Letters can be read in the light and in the dark.
fn assert_letters_can_be_read(page: &mut Page) {
    for scheme in ["dark", "light"] {
        page.prefer(scheme);
        let read = page.see("faint()");
        assert!(read["seen"].as_u64().unwrap() > 40, "{read}");
        assert_eq!(read["faint"], serde_json::json!([]), "{scheme}");
    }
}

/// Nothing sticks out on a telephone, nor on a desk.
fn assert_it_fits(page: &mut Page) {
    for width in [NARROW, WIDE] {
        page.resize(width);
        page.wait(&format!("innerWidth === {width}"));
        assert_eq!(page.see("wide()"), serde_json::json!([]), "{width}");
    }
}

#[test]
fn a_power_cut_is_pressed_and_seen() {
    let lab = Lab::up("tiny", "test-browser");
    let mut page = Page::new(WIDE);
    page.open(&lab.url);
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered.'");
    let sites = lab.sites();
    let place = |name: &str| sites.iter().position(|site| site == name).unwrap();
    page.wait(&format!("ribbon('London', 2) === {}", place("london")));

    assert_the_keyboard_gets_everywhere(&mut page);
    assert_letters_can_be_read(&mut page);
    assert_it_fits(&mut page);
    nobody_else_changes_anything(&mut page, &lab);

    page.open(&lab.url);
    tab_to(&mut page, "More for London");
    page.press("Enter");
    page.wait("document.activeElement.closest('details').open");
    page.press("Tab");
    assert_eq!(page.see("focused().words"), "Drain: London");
    page.press("Escape");
    assert_eq!(page.see("document.querySelectorAll('details[open]').length"), 0);
    assert_eq!(page.see("focused().words"), "More for London");

    page.see("document.activeElement.blur()");
    tab_to(&mut page, "Power cut: London");
    page.press("Enter");
    page.wait("document.getElementById('event-list').textContent.includes('london has no power')");
    page.wait("ribbon('London', 2) === -1");
    page.wait(&format!("ribbon('London', 2) === {}", place("tokyo")));
    page.wait(
        "document.getElementById('event-list').textContent.includes('london is answered again, by tokyo')",
    );
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered without London.'");
    assert_letters_can_be_read(&mut page);

    tab_to(&mut page, "Restore: London");
    page.press(" ");
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered.'");
    page.wait(&format!("ribbon('London', 2) === {}", place("london")));
    assert_eq!(page.complaints(), [""; 0]);
    let foreign = page.fetched().into_iter().find(|url| !url.starts_with(&lab.url));
    assert_eq!(foreign, None, "everything comes from the lab");
}

const FOUR_METHODS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../worlds/four-methods.toml");

/// Sends in each of the four ways, and joins and leaves a group, by the page alone.
#[test]
fn a_packet_is_sent_in_four_ways_and_every_host_shows_what_it_got() {
    let lab = Lab::up(FOUR_METHODS, "test-methods");
    let mut page = Page::new(WIDE);
    page.open(&lab.url);
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered.'");
    assert_eq!(page.see("received('unicast')"), serde_json::json!([]));
    let say = |page: &mut Page, label: &str, value: &str| {
        let choose = format!("document.querySelector('#methods [aria-label=\"{label}\"]').value = '{value}'");
        page.see(&choose);
    };
    lab.until_reached("thames-1", "sumida-1");
    say(&mut page, "LAN", "sumida");
    tab_to(&mut page, "Send broadcast");
    page.press("Enter");
    page.wait("received('broadcast').join() === 'sumida-1,sumida-2,sumida-3'");
    tab_to(&mut page, "Send anycast");
    page.press("Enter");
    page.wait("received('anycast').join() === 'site-london'");

    say(&mut page, "Host that joins or leaves", "thames-3");
    page.see("document.querySelector('#methods [aria-label^=Host]').dispatchEvent(new Event('change'))");
    tab_to(&mut page, "Join 239.18.0.7");
    page.press("Enter");
    page.wait("[...document.querySelectorAll('.multicast .member')].length === 1");
    page.wait("document.querySelector('.known').textContent.includes('1 joined')");
    page.wait("!document.querySelector('.known').textContent.includes(' 0 routers')");
    tab_to(&mut page, "Send multicast");
    page.press("Enter");
    page.wait("received('multicast').join() === 'thames-3'");
    page.wait("document.querySelector('.multicast .told-of').textContent.includes('nobody else')");
    assert_letters_can_be_read(&mut page);
    assert_it_fits(&mut page);
    tab_to(&mut page, "Leave 239.18.0.7");
    page.press("Enter");
    page.wait("[...document.querySelectorAll('.multicast .member')].length === 0");

    page.open(&lab.url);
    page.wait("received('multicast').join() === 'thames-3'");
    assert_the_keyboard_gets_everywhere(&mut page);
    assert_eq!(page.complaints(), [""; 0]);
}

/// Scripts that have not read the page, and pages of others, which the browser itself helps as little as it can.
fn nobody_else_changes_anything(page: &mut Page, lab: &Lab) {
    let order = r#"JSON.stringify({ kind: 'power-cut', target: 'site london' })"#;
    for headers in ["{}", "{ 'x-catchment-token': '0' }"] {
        let asked = format!("fetch('/command', {{ method: 'POST', body: {order}, headers: {headers} }})");
        assert_eq!(page.see(&format!("{asked}.then((answer) => answer.status)")), 403, "{headers}");
    }
    let foreign = Foreign::serve(&lab.url);
    page.open(&foreign.url);
    page.wait("document.title === 'tried'");
    assert_eq!(page.see("window.stolen"), serde_json::json!([]), "it has read something");
    let arrived = page.fetched().iter().filter(|url| url.ends_with("/command")).count();
    assert!(arrived >= 2, "it has tried nothing");
    let picture = lab.picture();
    assert!(picture["faults"].is_null(), "{picture}");
    assert!(picture["sites"].as_array().unwrap().iter().all(|site| site["output"] == "normal"));
}

/// A title that wants to be more than text.
const TITLE: &str = "London </script><script>document.title = 'taken'</script><!-- & goes";

fn played(directory: &Path) -> [Vec<u8>; 4] {
    let scenario = directory.join("killed.toml");
    let text = format!(
        "[scenario]\ntitle = \"{TITLE}\"\nworld = \"tiny\"\n\
         [[step]]\nat = '0s'\nsay = 'Everybody is answered.'\nexpect = 'client london by london'\n\
         [[step]]\nat = '1s'\ndo = 'kill daemon london'\n\
         expect = ['clients of london answered within 20s plus path', 'client london by tokyo']\n"
    );
    fs::write(&scenario, text).unwrap();
    let files = ["json", "junit", "history", "html"].map(|form| directory.join(form));
    let mut command = Command::new(PROGRAM);
    command.args(["lab", "test"]).arg(&scenario);
    for (form, file) in ["--json", "--junit", "--history", "--html"].iter().zip(&files) {
        command.arg(form).arg(file);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    files.map(|file| fs::read(file).unwrap())
}

#[test]
fn a_scenario_is_shared_and_seen_again() {
    let directory = tempfile::tempdir().unwrap();
    let [json, junit, history, html] = played(directory.path());
    let report: Value = serde_json::from_slice(&json).unwrap();
    let history: Value = serde_json::from_slice(&history).unwrap();
    let play = &history["plays"][0];
    assert_eq!((&history["schema"], &play["title"]), (&1.into(), &TITLE.into()));
    assert_eq!(play["report"], report["scenarios"][0], "one report, wherever it stands");
    let of_client = |row: &&Value| row[0] == 0 && row[4] == 4;
    let asked = play["samples"].as_array().unwrap().iter().filter(of_client).count();
    assert!(asked > 100, "the client in London asks fifty times a second: {asked}");
    let steps = play["report"]["steps"].as_array().unwrap();
    let (killed, until) =
        (steps[1]["done"][0]["at_ms"].as_u64().unwrap(), play["until_ms"].as_u64().unwrap());
    assert!(steps[0]["at_ms"].as_u64() < Some(killed) && killed < until);
    assert_a_reader_of_junit_agrees(&junit, directory.path());
    assert!(html.len() < 400 << 10, "{} bytes", html.len());

    let mut page = Page::new(WIDE);
    let url = format!("file://{}", directory.path().join("html.html").display());
    fs::rename(directory.path().join("html"), directory.path().join("html.html")).unwrap();
    // Opened at a moment it stands still.
    page.open(&format!("{url}#t=0"));
    page.wait("document.getElementById('play-title').textContent !== ''");
    assert_eq!(page.see("document.getElementById('play-title').textContent"), TITLE);
    assert_eq!(page.see("document.title"), "tiny \u{b7} Catchment");
    assert_eq!(page.see("document.querySelector('.tick.done').title"), "the daemon of london was killed");
    assert_the_keyboard_gets_everywhere(&mut page);
    assert_letters_can_be_read(&mut page);
    assert_it_fits(&mut page);
    the_bar_moves_everything(&mut page, killed);
    a_small_step_back_forgets(&mut page, play);
    it_plays_and_stands_still(&mut page);
    let outside = page
        .fetched()
        .into_iter()
        .find(|fetched| !fetched.starts_with(&url) && !fetched.starts_with("data:"));
    assert_eq!(outside, None, "nothing is fetched");
    assert_eq!(page.complaints(), [""; 0]);
}

fn seek(page: &mut Page, at: u64) {
    let set = format!(
        "{{ const bar = document.getElementById('seek'); bar.value = {at}; bar.dispatchEvent(new Event('input')); }}"
    );
    page.see(&set);
    // A ribbon is drawn a little later.
    page.see("new Promise((drawn) => setTimeout(drawn, 200))");
}

/// So small that the picture of the world is the same: what happened since is forgotten all the same.
fn a_small_step_back_forgets(page: &mut Page, play: &Value) {
    let times = |rows: &str| -> Vec<u64> {
        play[rows].as_array().unwrap().iter().filter_map(|row| row["at_ms"].as_u64()).collect()
    };
    let pictures = times("pictures");
    let alone = |at: &u64| pictures.iter().all(|picture| picture.abs_diff(*at) > 40);
    let at = times("events").into_iter().find(alone).expect("something happens between two pictures");
    let [after, before, again] = [at + 20, at - 20, at + 20].map(|at| {
        seek(page, at);
        page.see("document.getElementById('event-list').textContent")
    });
    assert_ne!(after, before);
    assert_eq!(after, again);
}

/// What is on the page belongs to the moment, whichever way one got there.
fn the_bar_moves_everything(page: &mut Page, killed: u64) {
    let killed_is_told =
        "document.getElementById('event-list').textContent.includes('the daemon of london was killed')";
    let of_london = |page: &mut Page| page.see("ribbon('London', 0.3)");
    seek(page, killed);
    let before = of_london(page);
    page.see("document.activeElement.blur()");
    tab_to(page, "Moment");
    page.press("End");
    page.wait(killed_is_told);
    page.wait(&format!("![{before}, -1, null].includes(ribbon('London', 0.3))"));
    assert_eq!(
        page.see("document.querySelector('[aria-current=step] button').textContent.slice(0, 6)"),
        "Step 2"
    );
    assert!(
        page.see("document.getElementById('judged').textContent").as_str().unwrap().starts_with('\u{2713}')
    );
    page.press("Home");
    page.wait(&format!("!{killed_is_told}"));
    assert_eq!(page.see("document.getElementById('event-list').children.length"), 0);
    seek(page, killed - 100);
    assert_eq!(of_london(page), before);
    assert_eq!(page.see(killed_is_told), false);
    let bar = "document.getElementById('seek').valueAsNumber";
    let stood = page.see(bar).as_f64().unwrap();
    page.press("ArrowLeft");
    assert_eq!(page.see(bar).as_f64().unwrap(), stood - 1000.0);
}

fn it_plays_and_stands_still(page: &mut Page) {
    let bar = "document.getElementById('seek').valueAsNumber";
    page.see("document.activeElement.blur()");
    tab_to(page, "Play");
    let stood = page.see(bar).as_f64().unwrap();
    page.press("Enter");
    page.wait(&format!("{bar} > {stood}"));
    assert_eq!(page.see("focused().words"), "Pause");
    page.press(" ");
    let stood = page.see(bar);
    page.see("new Promise((passed) => setTimeout(passed, 200))");
    assert_eq!(page.see(bar), stood);
}

/// Python reads the file, and finds each check as a case.
fn assert_a_reader_of_junit_agrees(junit: &[u8], directory: &Path) {
    let path = directory.join("results.xml");
    fs::write(&path, junit).unwrap();
    let reader = "import sys, xml.etree.ElementTree as tree
suite = tree.parse(sys.argv[1]).getroot().find('testsuite')
print(suite.get('name'))
for case in suite.iter('testcase'): print(case.get('name'))
print(suite.get('tests'), suite.get('failures'), suite.get('errors'))";
    let output = Command::new("python3").args(["-c", reader]).arg(&path).output().unwrap();
    let read = String::from_utf8(output.stdout).unwrap();
    let expected = [
        TITLE,
        "step 1: client london by london",
        "step 2: clients of london answered within 20s plus path",
        "step 2: client london by tokyo",
        "3 0 0",
    ];
    assert_eq!(read.lines().collect::<Vec<_>>(), expected, "{}", String::from_utf8_lossy(&output.stderr));
}
