//! OpenBGPD, the portable one.

use crate::host::{Host, Program};
use crate::implementation::{
    At, Implementation, Neighbour, ORIGINATED, Optional, Role, Route, SITE_ASN, numbers,
};
use serde_json::Value;
use std::fmt::Write;
use terms::Family;

pub(crate) struct Openbgpd;

/// Where its unprivileged processes lock themselves in; its unit would make it.
const JAIL: &str = "/run/openbgpd";

impl Implementation for Openbgpd {
    fn name(&self) -> &'static str {
        "OpenBGPD"
    }

    fn package(&self) -> &'static str {
        "openbgpd"
    }

    fn lacks(&self, feature: Optional) -> Option<&'static str> {
        match feature {
            Optional::Refresh
            | Optional::Forwarding
            | Optional::ShutdownText
            | Optional::Roles
            | Optional::EnhancedRefresh
            | Optional::ErrorCode => None,
            Optional::ExtendedNextHop => Some("knows no next hop of the other family"),
            Optional::Bfd | Optional::AdminDown => Some("has no BFD"),
            Optional::Restarting => Some("it names no family, so nobody keeps its routes"),
            Optional::QuickReturn => {
                Some("hangs up on everybody for 30 s or more after a Cease, or until `bgpctl neighbor up`")
            }
        }
    }

    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        std::fs::create_dir_all(JAIL).unwrap();
        let file = host.write("bgpd.conf", &configuration(neighbour));
        // It holds the keys of sessions: it reads no file that others can read.
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        vec![host.start("/usr/sbin/bgpd", &["-d", "-v", "-f", "DIR/bgpd.conf"])]
    }

    fn is_up(&self, host: &Host) -> bool {
        ask(host, &["show", "summary"]).contains("Neighbor")
    }

    fn is_established(&self, at: &At<'_>) -> bool {
        session(at)["state"] == "Established"
    }

    fn route(&self, at: &At<'_>, prefix: &str) -> Option<Route> {
        let shown = ask(at.host, &["-j", "show", "rib", "in", "detail", "neighbor", &at.site(), prefix]);
        let shown: Value = serde_json::from_str(&shown).ok()?;
        // It answers with the route around an address that it has no route of.
        let path = shown["rib"].as_array()?.iter().find(|path| path["prefix"] == prefix)?;
        let mut route = Route {
            as_path: numbers(path["aspath"].as_str()?),
            next_hop: path["exit_nexthop"].as_str()?.to_owned(),
            med: path["metric"].as_u64().and_then(|metric| metric.try_into().ok()),
            ..Route::default()
        };
        for list in ["communities", "large_communities", "extended_communities"] {
            let words = path[list].as_array().into_iter().flatten().filter_map(Value::as_str);
            route.communities.extend(words.map(|word| by_number(word).to_owned()));
        }
        Some(route)
    }

    fn is_stale(&self, at: &At<'_>, prefix: &str) -> bool {
        let shown = ask(at.host, &["-j", "show", "rib", "detail", "neighbor", &at.site(), prefix]);
        shown.contains("stale")
    }

    fn updates(&self, at: &At<'_>) -> u64 {
        session(at)["stats"]["message"]["received"]["updates"].as_u64().unwrap_or_default()
    }

    fn refresh_marks(&self, at: &At<'_>) -> u64 {
        let session = session(at);
        let heard = &session["stats"]["route-refresh"]["received"];
        ["borr", "eorr"].iter().filter_map(|mark| heard[mark].as_u64()).sum()
    }

    fn says(&self, at: &At<'_>) -> String {
        ask(at.host, &["show", "neighbor", &at.site()])
    }

    fn refresh(&self, at: &At<'_>) {
        ask(at.host, &["neighbor", &at.site(), "refresh"]);
    }

    fn shut_down(&self, at: &At<'_>, text: &str) {
        ask(at.host, &["neighbor", &at.site(), "down", text]);
    }

    fn bring_back(&self, at: &At<'_>) {
        ask(at.host, &["neighbor", &at.site(), "up"]);
    }
}

/// A community that it calls by its name.
fn by_number(word: &str) -> &str {
    match word {
        "GRACEFUL_SHUTDOWN" => "65535:0",
        "BLACKHOLE" => "65535:666",
        "NO_EXPORT" => "65535:65281",
        number => number,
    }
}

fn ask(host: &Host, words: &[&str]) -> String {
    host.ask("/usr/sbin/bgpctl", &[&["-s", "DIR/bgpd.sock"], words].concat())
}

fn session(at: &At<'_>) -> Value {
    let shown: Value =
        serde_json::from_str(&ask(at.host, &["-j", "show", "neighbor", &at.site()])).unwrap_or_default();
    shown["neighbors"][0].clone()
}

fn configuration(neighbour: &Neighbour) -> String {
    let mut text = format!(
        "AS {}\nrouter-id {}\nsocket \"DIR/bgpd.sock\"\nfib-update no\nlisten on {}\nlisten on {}\n\
         allow from any\nallow to any\n",
        neighbour.asn, neighbour.here.ipv4, neighbour.here.ipv4, neighbour.here.ipv6
    );
    for originated in ORIGINATED {
        let _ = writeln!(text, "network {originated}");
    }
    for session in &neighbour.sessions {
        let [here, site] = neighbour.ends(session);
        let _ = write!(
            text,
            "neighbor {site} {{\n  descr \"{}\"\n  remote-as {SITE_ASN}\n  local-address {here}\n  holdtime {}\n",
            session.name, session.hold_time
        );
        if let Some(password) = session.password {
            let _ = writeln!(text, "  tcp md5sig password {password}");
        }
        if let Some(most) = session.max_prefixes {
            let _ = writeln!(text, "  max-prefix {most}");
        }
        if session.graceful {
            text.push_str("  announce restart yes\n");
        }
        if session.ttl_security {
            text.push_str("  ttl-security yes\n");
        }
        text.push_str("  announce enhanced refresh yes\n");
        if let Some(role) = session.role {
            let role = match role {
                Role::Provider => "provider",
                Role::Customer => "customer",
            };
            let _ = writeln!(text, "  announce policy {role}");
        }
        if session.add_path {
            text.push_str("  announce add-path recv yes\n  announce add-path send all\n");
        }
        for family in [Family::Ipv4, Family::Ipv6] {
            let name = if family == Family::Ipv4 { "IPv4" } else { "IPv6" };
            let what = if session.families.contains(&family) { "unicast" } else { "none" };
            let _ = writeln!(text, "  announce {name} {what}");
        }
        text.push_str("}\n");
    }
    text
}
