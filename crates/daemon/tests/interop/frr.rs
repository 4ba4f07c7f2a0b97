//! FRR: `zebra` and `bgpd`, run by hand.

use crate::host::{Host, Program};
use crate::implementation::{
    At, Implementation, Neighbour, ORIGINATED, Optional, Route, SITE_ASN, family, numbers,
};
use serde_json::Value;
use std::fmt::Write;
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
            Optional::Refresh | Optional::QuickReturn | Optional::Restarting | Optional::Forwarding => None,
            Optional::ShutdownText => Some("shown in its log only"),
        }
    }

    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        host.write("zebra.conf", "");
        host.write("bgpd.conf", &configuration(neighbour));
        let daemon = |name: &str| {
            let arguments = [
                "--skip_runas",
                "--vty_port=0",
                "--vty_socket=DIR",
                "--socket=DIR/zserv.api",
                &format!("--pid_file=DIR/{name}.pid"),
                &format!("--config_file=DIR/{name}.conf"),
                &format!("--log=file:DIR/{name}.log"),
            ];
            host.start(format!("/usr/lib/frr/{name}"), &arguments)
        };
        vec![daemon("zebra"), daemon("bgpd")]
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
            words.map(|word| word.replace("graceful-shutdown", "65535:0").replace("RT:", "rt ")).collect()
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
}

/// What the site told about a prefix.
fn path(at: &At<'_>, prefix: &str) -> Option<Value> {
    let shown = ask(at.host, &format!("show bgp {} unicast {prefix} json", family(prefix)));
    let shown: Value = serde_json::from_str(&shown).ok()?;
    shown["paths"].as_array()?.iter().find(|path| path["peer"]["peerId"] == at.site()).cloned()
}

fn ask(host: &Host, question: &str) -> String {
    host.ask("/usr/bin/vtysh", &["--vty_socket", "DIR", "-d", "bgpd", "-c", question])
}

fn configure(at: &At<'_>, line: &str) {
    let router = format!("router bgp {}", at.neighbour.asn);
    let arguments = ["--vty_socket", "DIR", "-d", "bgpd", "-c", "configure", "-c", &router, "-c", line];
    at.host.ask("/usr/bin/vtysh", &arguments);
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
        for (family, lines) in &mut families {
            if session.families.contains(family) {
                let _ = writeln!(lines, "  neighbor {site} activate");
                if let Some(most) = session.max_prefixes {
                    let _ = writeln!(lines, "  neighbor {site} maximum-prefix {most}");
                }
            }
        }
    }
    for ((family, lines), originated) in families.iter().zip(ORIGINATED) {
        let _ = write!(
            text,
            " address-family {family} unicast\n  network {originated}\n{lines} exit-address-family\n"
        );
    }
    text
}
