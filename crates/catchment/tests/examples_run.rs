//! The example with the built-in DNS service is run as its reader would, on a host of its own: a network namespace
//! where nobody can be reached. Needs root, iproute2 and dig.
#![allow(clippy::unwrap_used, clippy::panic, reason = "what cannot be made fails the test")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment");
/// Long enough for a busy machine; nothing is asserted about how long things take.
const PATIENCE: Duration = Duration::from_secs(60);
/// The daemon's sockets and memory go where nobody else's are.
const HOST: &str =
    "mount -t tmpfs none /run && mount -t tmpfs none /var/lib && ip link set lo up && exec \"$@\"";

/// A daemon on a host of its own. Its namespaces end with it.
struct Site(Child);

impl Site {
    fn run(file: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "--mount", "sh", "-c", HOST, "sh", PROGRAM, "run", file]);
        command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).stderr(Stdio::null());
        Site(command.spawn().unwrap())
    }

    /// What a command on that host says.
    fn says(&self, command: &[&str]) -> String {
        let pid = self.0.id().to_string();
        let output =
            Command::new("nsenter").args(["--net", "--mount", "-t", &pid]).args(command).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn interrupt(&self) {
        assert!(Command::new("kill").args(["-INT", &self.0.id().to_string()]).status().unwrap().success());
    }

    /// Waits until `look` sees what it wants; fails when the daemon ends before.
    fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Site) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            assert!(self.0.try_wait().unwrap().is_none(), "the daemon ended before {what}");
            assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It has ended where the test went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_built_in_dns_service_answers_while_its_peers_are_out_of_reach() {
    let mut site = Site::run("examples/built-in-dns.toml");
    let status = site.until("its group is up", |site| {
        let status: serde_json::Value =
            serde_json::from_str(&site.says(&[PROGRAM, "status", "--json"])).ok()?;
        (status["groups"][0]["state"] == "up").then_some(status)
    });
    assert_eq!(status["site"], "london");
    assert_eq!(status["peers"].as_array().unwrap().len(), 2);
    assert_ne!(status["peers"][0]["state"], "established");
    assert_eq!(status["groups"][0]["prefixes"][0]["peers"][0]["told"], "none");

    let asked = ["dig", "+short", "@198.18.0.53", "CH", "TXT", "id.server"];
    assert_eq!(site.says(&asked), "\"london\"\n");
    let said = site.says(&[PROGRAM, "dns", "query", "@198.18.0.53", "example.", "SOA"]);
    assert!(said.starts_with("; site london: 198.18.0.53:53 over UDP, "), "{said}");
    assert!(said.contains("\nexample.\t300\tIN\tSOA\t"), "{said}");
    let asked = ["dig", "+short", "+tcp", "@2001:db8:53::53", "AAAA", "www.example."];
    assert_eq!(site.says(&asked), "2001:db8:80::80\n");
    let rejected = site.says(&["ip", "-6", "route", "show", "type", "unreachable"]);
    assert!(rejected.contains("2001:db8:53::/48"), "{rejected}");

    let rehearsed =
        site.says(&[PROGRAM, "drain", "dns", "--dry-run", "--json", "--reason", "kernel upgrade"]);
    let rehearsed: serde_json::Value = serde_json::from_str(&rehearsed).unwrap();
    assert_eq!(
        (&rehearsed["accepted"], &rehearsed["groups"][0]["after"]["output"]),
        (&true.into(), &"gshut".into())
    );
    let frozen = site.says(&[PROGRAM, "freeze", "--for", "1h", "--reason", "the checks are being rebuilt"]);
    assert!(frozen.starts_with("dns went from up (normal) to up (normal)\n  order: freeze by "), "{frozen}");
    assert!(site.says(&[PROGRAM, "status"]).contains("ORDER dns: freeze by "));
    site.says(&[PROGRAM, "resume"]);
    assert!(!site.says(&[PROGRAM, "status"]).contains("ORDER"));

    // A peer that cannot be reached is called again and again, and every failure is an event.
    site.until("it has called a peer twice", |site| {
        let events = site.says(&[PROGRAM, "events"]);
        (events.matches("transit-a: Connect -> ").count() >= 2).then_some(())
    });
    site.interrupt();
    // A signal that comes while the one before still waits to be heard is lost in it.
    site.until("the first interrupt is heard", |site| {
        site.says(&[PROGRAM, "events"]).contains("SIGINT: ").then_some(())
    });
    site.interrupt();
    let begun = Instant::now();
    let code = loop {
        match site.0.try_wait().unwrap() {
            Some(status) => break status.code(),
            None => assert!(begun.elapsed() < PATIENCE, "two interrupts did not end it"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(code, Some(0));
}
