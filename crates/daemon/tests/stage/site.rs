//! The site under test: the real daemon with its built-in DNS service.

use crate::host::{Host, Program, comes_true, until};
use linux::process::ProcessSignal;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// What the site announces while it is well, in each family.
pub(crate) const ANNOUNCED: [&str; 2] = ["198.18.0.0/24", "2001:db8:53::/48"];

/// The cover, which is announced beside it as long as the daemon lives.
pub(crate) const COVER: &str = "198.18.0.0/23";

const HEAD: &str = r#"
[site]
name = "london"
asn = 64500
router_id = "10.0.0.10"
linger = "0s"
drain = "1h"
converge = "1h"
state_dir = "state"

[[service]]
name = "dns"
addresses = ["198.18.0.53", "2001:db8:53::53"]
announce = ["198.18.0.0/24", "2001:db8:53::/48"]
cover = ["198.18.0.0/23"]    # announced as long as the daemon lives
[[service.check]]
dns = { name = "example.", type = "SOA" }
interval = "200ms"
timeout = "150ms"
hang_after = "1h"    # a busy machine is no outage, and neither is a daemon that the test stops
[service.dns]
zones = ["example.zone"]

[api]
socket = "api.sock"
"#;

const ZONE: &str = "example. 60 IN SOA ns.example. admin.example. 1 60 60 60 60\nexample. 60 IN NS ns.example.\n\
                    ns.example. 60 IN A 198.18.0.53\n";

/// The site's host and its daemon.
pub(crate) struct Site {
    pub(crate) host: Host,
    daemon: Option<Program>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let host = Host::new();
        host.write("example.zone", ZONE);
        Site { host, daemon: None }
    }

    /// Writes the site file: what every site here is, and these tables of its peers.
    pub(crate) fn configure(&self, peers: &str) {
        self.host.write("site.toml", &format!("{HEAD}\n{peers}"));
    }

    /// Changes the site file; whoever reads it next finds what was made of it.
    pub(crate) fn reconfigure(&self, change: impl FnOnce(String) -> String) {
        let file = std::fs::read_to_string(self.host.path("site.toml")).unwrap();
        self.host.write("site.toml", &change(file));
    }

    /// Ends the daemon without a word.
    pub(crate) fn kill(&mut self) {
        self.daemon = None;
    }

    /// Takes the service addresses off the host, as a boot does.
    pub(crate) fn take_addresses(&self) {
        let mut netlink = self.host.namespace.netlink().unwrap();
        for address in ["198.18.0.53", "2001:db8:53::53"] {
            let address: std::net::IpAddr = address.parse().unwrap();
            linux::address::remove(&mut netlink, linux::link::LinkIndex::LOOPBACK, address.into()).unwrap();
        }
    }

    /// Starts the daemon without a memory and waits until it answers.
    pub(crate) fn start(&mut self) {
        let _ = std::fs::remove_dir_all(self.host.path("state"));
        self.daemon = Some(self.host.start(env!("CARGO_BIN_EXE_site"), &["run", "DIR/site.toml"]));
        let answers = comes_true(|| self.ask("GET", "/status", "").is_some());
        let said = std::fs::read_to_string(self.host.path("site.out")).unwrap_or_default();
        assert!(answers, "the site does not answer: {said}");
    }

    /// Ends the daemon in order: SIGTERM, and it has gone. It is withdrawn first, so that nothing has to be drained.
    pub(crate) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            self.order("withdraw");
            daemon.signal(ProcessSignal::SIGTERM);
            until("the site has stopped", || daemon.has_ended());
        }
    }

    /// The running daemon.
    pub(crate) fn daemon(&self) -> &Program {
        self.daemon.as_ref().unwrap()
    }

    /// A signal to the daemon.
    pub(crate) fn signal(&self, signal: ProcessSignal) {
        self.daemon.iter().for_each(|daemon| daemon.signal(signal));
    }

    /// What the daemon says about itself.
    pub(crate) fn status(&self) -> Value {
        self.document("/status")
    }

    /// What the daemon says about one of its peers.
    pub(crate) fn peer(&self, name: &str) -> Value {
        let status = self.status();
        let peers = status["peers"].as_array().unwrap();
        peers.iter().find(|peer| peer["name"] == name).unwrap_or(&Value::Null).clone()
    }

    /// The sentences of a peer's events so far.
    pub(crate) fn sentences(&self, peer: &str) -> Vec<String> {
        let events = self.document("/events");
        let rows = events["events"].as_array().unwrap().iter().filter(|row| row["subject"] == peer);
        rows.map(|row| row["text"].as_str().unwrap().to_owned()).collect()
    }

    /// An operator's order about everything that the site announces.
    pub(crate) fn order(&self, kind: &str) {
        let order = json!({ "schema": 1, "kind": kind, "reason": "to see what the peers see" });
        let answer = self.ask("POST", "/orders", &order.to_string());
        assert!(answer.is_some(), "the order to {kind} was refused");
    }

    /// An operator's order about what the peers are to drop: `begin` or `end`.
    pub(crate) fn blackhole(&self, kind: &str, prefix: &str) {
        let order =
            json!({ "schema": 1, "kind": kind, "prefix": prefix, "reason": "to see what the peers see" });
        let answer = self.ask("POST", "/blackholes", &order.to_string());
        assert!(answer.is_some(), "the order to {kind} the blackhole of {prefix} was refused");
    }

    fn document(&self, path: &str) -> Value {
        serde_json::from_str(&self.ask("GET", path, "").unwrap()).unwrap()
    }

    /// One request on the control socket: the body of a good answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let mut stream = UnixStream::connect(self.host.path("api.sock")).ok()?;
        let head = "Host: localhost\r\nContent-Type: application/json";
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.0\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.lines().next()?.ends_with("200 OK").then(|| body.to_owned())
    }
}
