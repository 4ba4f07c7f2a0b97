//! FRR: `zebra`, `bfdd` and `bgpd`, run by hand.

use crate::host::{Host, Program, until};
use crate::implementation::{
    At, Implementation, Neighbour, ORIGINATED, Optional, Role, Route, SITE_ASN, family, numbers,
};
use serde_json::Value;
use std::fmt::Write;
use std::os::unix::net::UnixStream;
use terms::Family;

pub(crate) struct Frr;

impl Implementation for Frr {
    fn name(&self) -> &'static str {
        "FRR"
    }

    fn package(&self) -> &'static str {
        "frr"
    }

    fn lacks(&self, feature: Optional) -> Option<&'static str> {
        match feature {
            Optional::Refresh
            | Optional::Restarting
            | Optional::Forwarding
            | Optional::QuickReturn
            | Optional::Roles
            | Optional::EnhancedRefresh
            | Optional::ExtendedNextHop
            | Optional::ErrorCode
            | Optional::Bfd
            | Optional::AdminDown => None,
            Optional::ShutdownText => Some("shown in its log only"),
        }
    }

    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        host.write("zebra.conf", "");
        host.write("bfdd.conf", "");
        host.write("bgpd.conf", &configuration(neighbour));
        // They give up being root, and find each other here.
        host.ask("/usr/bin/chown", &["-R", "frr:frr", "DIR"]);
        let daemon = |name: &str, more: &[&str]| {
            let arguments = [
                "--vty_port=0",
                "--vty_socket=DIR",
                "--socket=DIR/zserv.api",
                &format!("--pid_file=DIR/{name}.pid"),
                &format!("--config_file=DIR/{name}.conf"),
                &format!("--log=file:DIR/{name}.log"),
            ];
            host.start(format!("/usr/lib/frr/{name}"), &[&arguments[..], more].concat())
        };
        let zebra = daemon("zebra", &[]);
        // Who finds nobody there looks again after ten seconds only.
        until("zebra takes calls", || UnixStream::connect(host.path("zserv.api")).is_ok());
        vec![zebra, daemon("bfdd", &["--bfdctl=DIR/bfdd.sock"]), daemon("bgpd", &[])]
    }

    fn is_up(&self, host: &Host) -> bool {
        ask(host, "show bgp summary").contains("Neighbor")
    }

    fn is_established(&self, at: &At<'_>) -> bool {
        session(at)["bgpState"] == "Established"
    }

    fn route(&self, at: &At<'_>, prefix: &str) -> Option<Route> {
        let path = path(at, prefix)?;
        let words = |list: &Value| -> Vec<String> {
            let words = list.as_str().unwrap_or_default().split_whitespace();
            words.map(|word| by_number(word).replace("RT:", "rt ")).collect()
        };
        let lists = ["community", "largeCommunity", "extendedCommunity"];
        Some(Route {
            as_path: numbers(path["aspath"]["string"].as_str()?),
            med: path["metric"].as_u64().and_then(|metric| metric.try_into().ok()),
            communities: lists.iter().flat_map(|list| words(&path[list]["string"])).collect(),
            next_hop: path["nexthops"][0]["ip"].as_str()?.to_owned(),
        })
    }

    fn is_stale(&self, at: &At<'_>, prefix: &str) -> bool {
        path(at, prefix).is_some_and(|path| path["stale"] == true)
    }

    fn updates(&self, at: &At<'_>) -> u64 {
        session(at)["messageStats"]["updatesRecv"].as_u64().unwrap_or_default()
    }

    fn refresh_marks(&self, at: &At<'_>) -> u64 {
        session(at)["messageStats"]["routeRefreshRecv"].as_u64().unwrap_or_default()
    }

    fn says(&self, at: &At<'_>) -> String {
        ask(at.host, &format!("show bgp neighbors {}", at.site()))
    }

    fn refresh(&self, at: &At<'_>) {
        for family in &at.session.families {
            ask(at.host, &format!("clear bgp {family} {} soft in", at.site()));
        }
    }

    fn shut_down(&self, at: &At<'_>, text: &str) {
        configure(at, &format!("neighbor {} shutdown message {text}", at.site()));
    }

    fn bring_back(&self, at: &At<'_>) {
        configure(at, &format!("no neighbor {} shutdown", at.site()));
    }

    fn bfd_session(&self, at: &At<'_>) -> String {
        ask_daemon(at.host, "bfdd", &["show bfd peers"])
    }

    fn shut_down_bfd(&self, at: &At<'_>) {
        let [here, site] = at.neighbour.ends(at.session);
        let peer = format!("peer {site} local-address {here}");
        ask_daemon(at.host, "bfdd", &["configure", "bfd", &peer, "shutdown"]);
    }
}

/// What the site told about a prefix.
fn path(at: &At<'_>, prefix: &str) -> Option<Value> {
    let shown = ask(at.host, &format!("show bgp {} unicast {prefix} json", family(prefix)));
    let shown: Value = serde_json::from_str(&shown).ok()?;
    shown["paths"].as_array()?.iter().find(|path| path["peer"]["peerId"] == at.site()).cloned()
}

/// A community that it calls by its name.
fn by_number(word: &str) -> &str {
    match word {
        "graceful-shutdown" => "65535:0",
        "blackhole" => "65535:666",
        "no-export" => "65535:65281",
        number => number,
    }
}

fn ask(host: &Host, question: &str) -> String {
    ask_daemon(host, "bgpd", &[question])
}

fn ask_daemon(host: &Host, daemon: &str, lines: &[&str]) -> String {
    let lines = lines.iter().flat_map(|line| ["-c", line]);
    let arguments: Vec<&str> = ["--vty_socket", "DIR", "-d", daemon].into_iter().chain(lines).collect();
    host.ask("/usr/bin/vtysh", &arguments)
}

fn configure(at: &At<'_>, line: &str) {
    let router = format!("router bgp {}", at.neighbour.asn);
    ask_daemon(at.host, "bgpd", &["configure", &router, line]);
}

fn session(at: &At<'_>) -> Value {
    let shown = ask(at.host, &format!("show bgp neighbors {} json", at.site()));
    let mut shown: Value = serde_json::from_str(&shown).unwrap_or_default();
    shown[at.site()].take()
}

fn configuration(neighbour: &Neighbour) -> String {
    let mut text = format!(
        "frr defaults datacenter\nlog file DIR/bgpd.log informational\nrouter bgp {}\n bgp router-id {}\n \
         no bgp ebgp-requires-policy\n no bgp network import-check\n no bgp default ipv4-unicast\n",
        neighbour.asn, neighbour.here.ipv4
    );
    if neighbour.sessions.iter().any(|session| session.graceful) {
        text.push_str(
            " bgp graceful-restart\n bgp graceful-restart restart-time 600\n \
             bgp graceful-restart stalepath-time 600\n bgp graceful-restart preserve-fw-state\n",
        );
    }
    let mut families = [Family::Ipv4, Family::Ipv6].map(|family| (family, String::new()));
    for session in &neighbour.sessions {
        let site = neighbour.ends(session)[1];
        let _ = write!(
            text,
            " neighbor {site} remote-as {SITE_ASN}\n neighbor {site} timers {} {}\n \
             neighbor {site} timers connect 1\n",
            session.hold_time / 3,
            session.hold_time
        );
        if let Some(password) = session.password {
            let _ = writeln!(text, " neighbor {site} password {password}");
        }
        if session.ttl_security {
            let _ = writeln!(text, " neighbor {site} ttl-security hops 1");
        }
        if let Some(role) = session.role {
            let role = match role {
                Role::Provider => "provider",
                Role::Customer => "customer",
            };
            let _ = writeln!(text, " neighbor {site} local-role {role}");
        }
        if session.extended_next_hop {
            let _ = writeln!(text, " neighbor {site} capability extended-nexthop");
        }
        if session.bfd {
            let _ = writeln!(text, " neighbor {site} bfd 3 100 100");
        }
        for (family, lines) in &mut families {
            if session.families.contains(family) {
                let _ = writeln!(lines, "  neighbor {site} activate");
                if session.add_path {
                    let _ = writeln!(lines, "  neighbor {site} addpath-tx-all-paths");
                }
                if let Some(most) = session.max_prefixes {
                    let _ = writeln!(lines, "  neighbor {site} maximum-prefix {most}");
                }
            }
        }
    }
    for (of, lines) in &families {
        let originated = ORIGINATED.iter().filter(|prefix| family(prefix) == *of);
        let networks: String = originated.map(|prefix| format!("  network {prefix}\n")).collect();
        let _ = write!(text, " address-family {of} unicast\n{networks}{lines} exit-address-family\n");
    }
    text
}
