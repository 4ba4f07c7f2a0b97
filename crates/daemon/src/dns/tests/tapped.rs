//! dnstap as the readers of Debian understand it: `fstrm_capture` takes it from the socket, `dnstap-ldns` says what it is.

use super::*;
use config::DnstapOutput;
use std::process::{Child, Stdio};

/// A reader that is gone with the test.
struct Capture(Child);

impl Capture {
    fn begin(socket: &Path, file: &Path) -> Capture {
        let mut command = Command::new("fstrm_capture");
        command.args(["-t", "protobuf:dnstap.Dnstap", "-u"]).arg(socket).arg("-w").arg(file);
        let spawned = command.stderr(Stdio::null()).spawn();
        Capture(spawned.expect("fstrm_capture is needed here: apt-get install fstrm-bin"))
    }

    /// Has it write what it has: it keeps much of it in memory.
    fn flush(&self) {
        let pid = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).unwrap();
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn tapped(output: DnstapOutput) -> World {
    let written = BuiltInDns { dnstap: Some(output), ..zones(1) };
    let shelf =
        Shelf::new(&written, Images::new(Path::new("/nowhere"), &settings(1).service), Teller::for_test())
            .unwrap();
    World::on(shelf, &settings(1))
}

/// What a file holds, in the words of a program that nobody of us wrote.
fn told(file: &Path, form: &str) -> String {
    let output = Command::new("dnstap-ldns").arg(form).arg("-r").arg(file).output();
    let output = output.expect("dnstap-ldns is needed here: apt-get install dnstap-ldns");
    String::from_utf8(output.stdout).unwrap()
}

fn written(world: &World) -> u64 {
    world.shelf.published().borrow().tap.as_ref().unwrap().written()
}

#[test]
fn a_reader_that_comes_late_hears_of_every_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, file) = (folder.path().join("tap.sock"), folder.path().join("told.fstrm"));
    let world = tapped(DnstapOutput::Socket(socket.clone()));
    world.dig("@198.18.0.53 example. SOA");
    let capture = Capture::begin(&socket, &file);
    world.dig("@2001:db8:53::53 nothing.example. A +tcp");
    // At least: where the machine is busy, a client asks again. Who has taken something has its signals set up, too.
    wait_until("all of it told", || written(&world) >= 4);
    wait_until("both exchanges at the reader", || {
        capture.flush();
        told(&file, "-q").lines().count() >= 4
    });
    let quiet = told(&file, "-q");
    let kinds: Vec<&str> = quiet.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    assert!(kinds.starts_with(&["AQ", "AR", "AQ", "AR"]), "{quiet}");
    let whole = told(&file, "-y");
    for words in [
        "identity: \"london\"",
        "socket_protocol: UDP",
        "socket_protocol: TCP",
        "response_address: \"198.18.0.53\"",
        "response_address: \"2001:db8:53::53\"",
        "response_port: 53",
        "rcode: NXDOMAIN",
        "nothing.example.",
        "hostmaster.example.",
    ] {
        assert!(whole.contains(words), "{words} is not in\n{whole}");
    }
    // It goes, and another one comes. Until the first message fails to be written, nobody knows.
    drop(capture);
    let again = folder.path().join("again.fstrm");
    let _ = std::fs::remove_file(&socket);
    let capture = Capture::begin(&socket, &again);
    let before = written(&world);
    wait_until("something told", || {
        world.dig("@198.18.0.53 ns1.example. A");
        written(&world) > before
    });
    wait_until("something at the other reader", || {
        capture.flush();
        told(&again, "-q").contains("ns1.example.")
    });
}

#[test]
fn a_file_has_all_of_it_once_the_service_has_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told.fstrm");
    let world = tapped(DnstapOutput::File(file.clone()));
    let asked = 20;
    for _ in 0..asked {
        world.dig("@198.18.0.53 example. SOA");
    }
    wait_until("everything in the file", || written(&world) >= 2 * asked);
    drop(world);
    assert!(told(&file, "-q").lines().count() as u64 >= 2 * asked);
}

#[test]
fn without_a_reader_every_question_is_answered_all_the_same() {
    let world = tapped(DnstapOutput::Socket("/nowhere/tap.sock".into()));
    for _ in 0..20 {
        assert!(world.dig("@198.18.0.53 example. SOA").contains("NOERROR"));
    }
    assert_eq!(written(&world), 0);
}
