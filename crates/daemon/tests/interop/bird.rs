//! BIRD 2.

use crate::host::{Host, Program};
use crate::implementation::{
    At, Implementation, Neighbour, ORIGINATED, Optional, Role, Route, SITE_ASN, Session, family, numbers,
};
use std::fmt::Write;
use terms::Family;

pub(crate) struct Bird;

impl Implementation for Bird {
    fn name(&self) -> &'static str {
        "BIRD"
    }

    fn package(&self) -> &'static str {
        "bird2"
    }

    fn lacks(&self, feature: Optional) -> Option<&'static str> {
        match feature {
            Optional::Refresh
            | Optional::Restarting
            | Optional::Forwarding
            | Optional::ShutdownText
            | Optional::QuickReturn
            | Optional::Roles
            | Optional::EnhancedRefresh
            | Optional::ExtendedNextHop
            | Optional::ErrorCode
            | Optional::Bfd => None,
            Optional::AdminDown => Some("falls silent without a word, which is a lost path"),
        }
    }

    fn start(&self, host: &Host, neighbour: &Neighbour) -> Vec<Program> {
        let mut text = format!(
            "log \"DIR/bird.log\" all;\nrouter id {};\nprotocol device {{}}\n\
             protocol bfd watch {{ interface \"*\" {{ interval 100 ms; multiplier 3; }}; }}\n",
            neighbour.here.ipv4
        );
        for (originated, number) in ORIGINATED.iter().zip(1..) {
            let channel = family(originated);
            let _ = writeln!(
                text,
                "protocol static originated{number} {{ {channel}; route {originated} blackhole; }}"
            );
        }
        for session in &neighbour.sessions {
            text.push_str(&protocol(neighbour, session));
        }
        host.write("bird.conf", &text);
        vec![run(host, &[])]
    }

    fn start_again(&self, host: &Host, _: &Neighbour) -> Vec<Program> {
        vec![run(host, &["-R"])]
    }

    fn is_up(&self, host: &Host) -> bool {
        ask(host, "show status").contains("Daemon is up")
    }

    fn is_established(&self, at: &At<'_>) -> bool {
        ask(at.host, &format!("show protocols {}", at.session.name)).contains("Established")
    }

    fn route(&self, at: &At<'_>, prefix: &str) -> Option<Route> {
        let shown = ask(at.host, &format!("show route {prefix} protocol {} all", at.session.name));
        let row = |name: &str| {
            let found = shown.lines().find_map(|line| line.trim().strip_prefix(name))?;
            found.strip_prefix(": ").map(str::to_owned)
        };
        let mut route = Route {
            as_path: numbers(&row("BGP.as_path")?),
            med: row("BGP.med").and_then(|med| med.parse().ok()),
            next_hop: row("BGP.next_hop")?,
            ..Route::default()
        };
        for (name, separator) in
            [("BGP.community", ","), ("BGP.large_community", ", "), ("BGP.ext_community", ", ")]
        {
            for written in row(name).unwrap_or_default().split('(').skip(1) {
                let community = written.trim().trim_end_matches(')').replace(separator, ":");
                route.communities.insert(community.replacen("rt:", "rt ", 1));
            }
        }
        Some(route)
    }

    /// It marks the protocol and not the route.
    fn is_stale(&self, at: &At<'_>, prefix: &str) -> bool {
        self.says(at).contains("Neighbor graceful restart active") && self.route(at, prefix).is_some()
    }

    fn updates(&self, at: &At<'_>) -> u64 {
        let shown = self.says(at);
        let rows = shown.lines().filter_map(|line| line.trim().strip_prefix("Import updates:"));
        rows.filter_map(|row| row.split_whitespace().next()?.parse::<u64>().ok()).sum()
    }

    fn refresh_marks(&self, at: &At<'_>) -> u64 {
        let log = std::fs::read_to_string(at.host.path("bird.log")).unwrap();
        let marks = ["BEGIN-OF-RR", "END-OF-RR"].map(|mark| format!("{}: Got {mark}", at.session.name));
        log.lines().filter(|line| marks.iter().any(|mark| line.contains(mark))).count() as u64
    }

    fn says(&self, at: &At<'_>) -> String {
        ask(at.host, &format!("show protocols all {}", at.session.name))
    }

    fn refresh(&self, at: &At<'_>) {
        ask(at.host, &format!("reload in {}", at.session.name));
    }

    fn shut_down(&self, at: &At<'_>, text: &str) {
        ask(at.host, &format!("disable {} \"{text}\"", at.session.name));
    }

    fn bring_back(&self, at: &At<'_>) {
        ask(at.host, &format!("enable {}", at.session.name));
    }

    fn bfd_session(&self, at: &At<'_>) -> String {
        ask(at.host, "show bfd sessions")
    }
}

fn run(host: &Host, more: &[&str]) -> Program {
    let arguments = ["-f", "-c", "DIR/bird.conf", "-s", "DIR/bird.ctl"];
    host.start("/usr/sbin/bird", &[&arguments, more].concat())
}

fn ask(host: &Host, question: &str) -> String {
    let words: Vec<&str> = ["-s", "DIR/bird.ctl"].into_iter().chain([question]).collect();
    host.ask("/usr/sbin/birdc", &words)
}

fn protocol(neighbour: &Neighbour, session: &Session) -> String {
    let [here, site] = neighbour.ends(session);
    let mut text = format!(
        "protocol bgp {} {{\n  debug {{ packets }};\n  local {here} as {};\n  neighbor {site} as {SITE_ASN};\n  hold time {};\n  \
         connect delay time 1;\n  error wait time 1, 2;\n",
        session.name, neighbour.asn, session.hold_time
    );
    if let Some(password) = session.password {
        let _ = writeln!(text, "  password \"{password}\";");
    }
    if session.graceful {
        text.push_str("  graceful restart on;\n  graceful restart time 600;\n");
    }
    if session.ttl_security {
        text.push_str("  ttl security on;\n");
    }
    if let Some(role) = session.role {
        let role = match role {
            Role::Provider => "provider",
            Role::Customer => "customer",
        };
        let _ = writeln!(text, "  local role {role};");
    }
    if session.bfd {
        text.push_str("  bfd on;\n");
    }
    for family in &session.families {
        let (channel, next_hop) = match family {
            Family::Ipv4 if session.extended_next_hop => ("ipv4", neighbour.here.ipv6.to_string()),
            Family::Ipv4 => ("ipv4", neighbour.here.ipv4.to_string()),
            Family::Ipv6 => ("ipv6", neighbour.here.ipv6.to_string()),
        };
        let limit = session.max_prefixes.map(|most| format!(" import limit {most} action disable;"));
        let limit = limit.unwrap_or_default();
        let paths = if session.add_path { " add paths on;" } else { "" };
        let extended = if session.extended_next_hop { " extended next hop on;" } else { "" };
        let _ = writeln!(
            text,
            "  {channel} {{ import all;{limit}{paths}{extended} export where source = RTS_STATIC; next hop address {next_hop}; }};"
        );
    }
    text + "}\n"
}
