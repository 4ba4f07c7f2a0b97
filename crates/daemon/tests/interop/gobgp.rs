//! GoBGP.

use crate::host::{Host, Program};
use crate::implementation::{
    At, Implementation, Neighbour, ORIGINATED, Optional, Route, SITE_ASN, family, numbers,
};
use serde_json::Value;
use std::fmt::Write;
use terms::Family;

pub(crate) struct Gobgp;

/// Codes of path attributes in its JSON.
const MED: u64 = 4;
const COMMUNITIES: u64 = 8;
const EXTENDED_COMMUNITIES: u64 = 16;
const LARGE_COMMUNITIES: u64 = 32;
const AS_PATH: u64 = 2;

impl Implementation for Gobgp {
    fn name(&self) -> &'static str {
        "GoBGP"
    }

    fn package(&self) -> &'static str {
        "gobgpd"
    }

    fn lacks(&self, feature: Optional) -> Option<&'static str> {
        match feature {
            Optional::Refresh => Some("`softresetin` reads what it has kept, it asks nobody"),
            Optional::QuickReturn | Optional::Restarting | Optional::ExtendedNextHop => None,
            Optional::Roles => Some("knows no roles"),
            Optional::EnhancedRefresh => Some("does not offer it"),
            Optional::ErrorCode => Some("written to its log only"),
            Optional::Bfd | Optional::AdminDown => Some("has no BFD"),
            Optional::Forwarding => Some("it does not look at the F bit and keeps them until End-of-RIB"),
            Optional::ShutdownText => Some("written to its log only"),
        }
    }

    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        host.write("gobgpd.toml", &configuration(neighbour));
        self.run(host, neighbour, &[])
    }

    fn start_again(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        self.run(host, neighbour, &["-r"])
    }

    fn is_up(&self, host: &Host) -> bool {
        ask(host, &["global"]).contains("AS:")
    }

    fn is_established(&self, at: &At<'_>) -> bool {
        session(at)["state"]["session_state"] == 6
    }

    fn route(&self, at: &At<'_>, prefix: &str) -> Option<Route> {
        Some(read(&path(at, prefix)?))
    }

    fn is_stale(&self, at: &At<'_>, prefix: &str) -> bool {
        path(at, prefix).is_some_and(|path| path["stale"] == true)
    }

    fn updates(&self, at: &At<'_>) -> u64 {
        session(at)["state"]["messages"]["received"]["update"].as_u64().unwrap_or_default()
    }

    fn says(&self, at: &At<'_>) -> String {
        ask(at.host, &["neighbor", &at.site()])
    }

    fn refresh(&self, at: &At<'_>) {
        for family in &at.session.families {
            ask(at.host, &["neighbor", &at.site(), "softresetin", "-a", &family.to_string()]);
        }
    }

    fn shut_down(&self, at: &At<'_>, text: &str) {
        ask(at.host, &["neighbor", &at.site(), "shutdown", "--reason", text]);
    }

    fn bring_back(&self, at: &At<'_>) {
        ask(at.host, &["neighbor", &at.site(), "enable"]);
    }
}

impl Gobgp {
    fn run(&self, host: &Host, neighbour: &Neighbour, more: &[&str]) -> Vec<Program> {
        let arguments = ["-f", "DIR/gobgpd.toml", "--api-hosts=127.0.0.1:50051", "--pprof-disable", "-p"];
        let daemon = host.start("/usr/bin/gobgpd", &[&arguments, more].concat());
        crate::host::until("GoBGP answers", || self.is_up(host));
        for originated in ORIGINATED {
            let family = family(originated);
            let next_hop = match family {
                Family::Ipv4 => neighbour.here.ipv4.to_string(),
                Family::Ipv6 => neighbour.here.ipv6.to_string(),
            };
            let family = family.to_string();
            ask(host, &["global", "rib", "add", originated, "nexthop", &next_hop, "-a", &family]);
        }
        vec![daemon]
    }
}

fn ask(host: &Host, words: &[&str]) -> String {
    host.ask("/usr/bin/gobgp", words)
}

/// What the site told about a prefix.
fn path(at: &At<'_>, prefix: &str) -> Option<Value> {
    let family = family(prefix).to_string();
    let shown = ask(at.host, &["neighbor", &at.site(), "adj-in", prefix, "-a", &family, "-j"]);
    let shown: Value = serde_json::from_str(&shown).ok()?;
    match &shown {
        Value::Array(paths) => paths.first().cloned(),
        Value::Object(table) => table.get(prefix)?.get(0).cloned(),
        _ => None,
    }
}

fn session(at: &At<'_>) -> Value {
    serde_json::from_str(&ask(at.host, &["neighbor", &at.site(), "-j"])).unwrap_or_default()
}

fn read(path: &Value) -> Route {
    let mut route = Route::default();
    for attribute in path["attrs"].as_array().into_iter().flatten() {
        if let Some(next_hop) = attribute["nexthop"].as_str() {
            route.next_hop = next_hop.to_owned();
        }
        match attribute["type"].as_u64().unwrap_or_default() {
            AS_PATH => {
                let segments = attribute["as_paths"].as_array().into_iter().flatten();
                let asns = segments.flat_map(|segment| segment["asns"].as_array().into_iter().flatten());
                route.as_path = asns.flat_map(|asn| numbers(&asn.to_string())).collect();
            }
            MED => route.med = attribute["metric"].as_u64().and_then(|metric| metric.try_into().ok()),
            COMMUNITIES => {
                let values = attribute["communities"].as_array().into_iter().flatten();
                let pairs = values.filter_map(Value::as_u64);
                route.communities.extend(pairs.map(|pair| format!("{}:{}", pair >> 16, pair & 0xffff)));
            }
            EXTENDED_COMMUNITIES => {
                let values = attribute["value"].as_array().into_iter().flatten();
                let targets = values.filter(|value| value["subtype"] == 2);
                route.communities.extend(
                    targets.filter_map(|value| value["value"].as_str()).map(|value| format!("rt {value}")),
                );
            }
            LARGE_COMMUNITIES => {
                let values = attribute["value"].as_array().into_iter().flatten();
                route.communities.extend(values.map(|value| {
                    format!("{}:{}:{}", value["ASN"], value["LocalData1"], value["LocalData2"])
                }));
            }
            _ => {}
        }
    }
    route
}

fn configuration(neighbour: &Neighbour) -> String {
    let mut text =
        format!("[global.config]\nas = {}\nrouter-id = \"{}\"\n", neighbour.asn, neighbour.here.ipv4);
    for session in &neighbour.sessions {
        let [here, site] = neighbour.ends(session);
        let password = session.password.map(|password| format!("auth-password = \"{password}\"\n"));
        let password = password.unwrap_or_default();
        let graceful = match session.graceful {
            true => {
                "[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = 600\n\
                 notification-enabled = true\n"
            }
            false => "",
        };
        let ttl_security = match session.ttl_security {
            true => "[neighbors.ttl-security.config]\nenabled = true\nttl-min = 255\n",
            false => "",
        };
        let _ = write!(
            text,
            "\n[[neighbors]]\n[neighbors.config]\nneighbor-address = \"{site}\"\npeer-as = {SITE_ASN}\n\
             {password}[neighbors.transport.config]\nlocal-address = \"{here}\"\n\
             [neighbors.timers.config]\nhold-time = {}\nkeepalive-interval = {}\nconnect-retry = 1\n\
             idle-hold-time-after-reset = 1\n{ttl_security}{graceful}",
            session.hold_time,
            session.hold_time / 3
        );
        for family in &session.families {
            let name = match family {
                Family::Ipv4 => "ipv4-unicast",
                Family::Ipv6 => "ipv6-unicast",
            };
            let _ = write!(
                text,
                "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\nafi-safi-name = \"{name}\"\n"
            );
            if session.graceful {
                text.push_str("[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true\n");
            }
            if session.add_path {
                text.push_str("[neighbors.afi-safis.add-paths.config]\nreceive = true\nsend-max = 8\n");
            }
            if let Some(most) = session.max_prefixes {
                let _ = write!(text, "[neighbors.afi-safis.prefix-limit.config]\nmax-prefixes = {most}\n");
            }
        }
    }
    text
}
