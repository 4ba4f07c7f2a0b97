//! Connections that routing has moved, on the map: a dashed line from where their packets arrive to the site that has them.

use crate::devtools::Page;
use crate::lab::Lab;
use crate::{NARROW, PROGRAM, WIDE, assert_it_fits, assert_letters_can_be_read};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const NAME: &str = "test-forwarded";

/// Opens a few connections to the echo service, says so, and has each sent now and then until its input ends.
const CLIENT: &str = "import socket, select, sys
calls = [socket.create_connection(('198.18.0.53', 7)) for _ in range(3)]
print('open', flush=True)
while not select.select([sys.stdin], [], [], 0.2)[0]:
    for call in calls: call.sendall(b'.')
    for call in calls: call.recv(1)";

/// A client at Tokyo with connections. It ends with the test.
struct Caller(Child);

impl Caller {
    fn open() -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["lab", "exec", "--name", NAME, "tokyo", "--", "python3", "-c", CLIENT]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "open\n");
        Caller(process)
    }

    /// Closes them; whether all of them lived until then.
    fn close(mut self) -> bool {
        drop(self.0.stdin.take());
        self.0.wait().unwrap().success()
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn fault(words: &[&str]) {
    let status = Command::new(PROGRAM).args(["lab", "fault", "--name", NAME]).args(words).status().unwrap();
    assert!(status.success(), "{words:?}");
}

#[test]
fn a_moved_connection_is_drawn_to_the_site_that_has_it() {
    let place = tempfile::tempdir().unwrap();
    let world = include_str!("../../../../worlds/tiny.toml");
    let world = format!("{world}\n[site]\ncontinuity = true\n\n[fleet]\nmin_sites = 1\n");
    std::fs::write(place.path().join("world.toml"), world).unwrap();
    let lab = Lab::up(place.path().join("world.toml").to_str().unwrap(), NAME);
    let mut page = Page::new(WIDE);
    page.open(&lab.url);
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered.'");
    let caller = Caller::open();
    assert_eq!(page.see("forwards()"), serde_json::json!([]), "nothing has moved yet");

    fault(&["withdraw", "site", "tokyo"]);
    page.wait("forwards().length === 1");
    page.wait("forwards()[0].count === '3'");
    let seen = page.see("forwards()[0]");
    let [from, to] = ["from", "to"].map(|end| seen[end].as_str().unwrap().to_owned());
    assert_eq!((to.as_str(), &seen["clients"]), ("Tokyo", &"tokyo".into()), "{seen}");
    let ways = page.see("document.querySelector('[data-value=tokyo]') !== null");
    assert_eq!(ways, true, "the client stands on the map");
    let picture = lab.picture();
    let forward = &picture["forwards"][0];
    assert_eq!((&forward["to"], &forward["connections"]), (&"tokyo".into(), &3.into()), "{forward}");
    let taken_in = forward["from"].as_str().unwrap();
    assert_eq!(from.to_lowercase().replace(' ', ""), taken_in);
    assert!(seen["dashed"].as_bool().unwrap(), "{seen}");
    page.wait(
        "document.querySelector('.forwarded:not(:empty)').textContent.includes('3 connections to Tokyo')",
    );
    assert_letters_can_be_read(&mut page);
    assert_it_fits(&mut page);
    page.resize(NARROW);
    page.wait("forwards().length === 1 && forwards()[0].to === 'Tokyo' && forwards()[0].isInside");
    page.resize(WIDE);
    page.wait(&format!("forwards().length === 1 && forwards()[0].from === '{from}'"));

    // Pointed at, the client's own line stands out, and its way is told in words.
    page.see("document.querySelector('.client[data-clients=tokyo]').dispatchEvent(new Event('click'))");
    assert_eq!(page.see("document.querySelector('#map .forward').classList.contains('lit')"), true);
    let told = format!("3 connections of before: Tokyo \u{2192} {from} \u{21e2} Tokyo, which has them.");
    assert!(page.see("document.getElementById('readout').textContent").as_str().unwrap().contains(&told));

    fault(&["resume", "site", "tokyo"]);
    page.wait("document.getElementById('headline').textContent === 'Everyone is answered.'");
    assert!(caller.close(), "its connections have lived");
    page.wait("forwards().length === 0");
    assert_eq!(page.complaints(), [""; 0]);
}
