//! The connections of a site that is being drained: how many have gone along, how many are here.

use crate::words::list;
use api::client::ClientError;
use api::client::blocking::Client;
use api::{Continuity, ContinuityState, GroupState, Output, Status, route};
use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};
use terms::{GroupName, Thousands};

/// How long connections may take to go: the last time that they are offered is 5 s after the first, and what a site says of
/// itself may be a second old.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often is looked.
const GLANCE: Duration = Duration::from_millis(250);

/// What a site says of its connections, those of all its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// They are here.
    here: u64,
    /// Those that other sites have taken, ever.
    given: u64,
    /// Attempts in vain, ever, by their reason.
    kept: BTreeMap<String, u64>,
    /// The groups that are in service: their connections stay.
    staying: Vec<GroupName>,
}

/// Whose connections go with users who are sent elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaving {
    /// Every group's.
    Site,
    /// Those of some groups, while other groups stay.
    Groups(Vec<GroupName>),
    /// Nobody's.
    Nobody,
}

impl Standing {
    /// None where nobody looks after connections.
    pub(super) fn ask(client: &Client) -> Result<Option<Self>, ClientError> {
        let status: Status = client.get(route::STATUS)?;
        let continuity = status.continuity.as_ref().filter(|it| it.state == ContinuityState::On);
        Ok(continuity.map(|continuity| Standing::of(continuity, &status)))
    }

    fn of(continuity: &Continuity, status: &Status) -> Self {
        let stays = |group: &&api::Group| group.state != GroupState::Drain && group.output != Output::None;
        Standing {
            here: continuity.owned,
            given: continuity.handed_over.given,
            kept: continuity.handed_over.kept.clone(),
            staying: status.groups.iter().filter(stays).map(|group| group.name.clone()).collect(),
        }
    }

    /// Whose connections go, of the groups that an order names.
    fn leaving(&self, ordered: &[GroupName]) -> Leaving {
        let leaving: Vec<_> = ordered.iter().filter(|group| !self.staying.contains(group)).cloned().collect();
        match (self.staying.as_slice(), leaving.as_slice()) {
            ([], _) => Leaving::Site,
            (_, []) => Leaving::Nobody,
            _ => Leaving::Groups(leaving),
        }
    }

    /// `connections: 38 have gone to other sites, 3 are here`, since another look.
    fn since(&self, before: &Standing) -> String {
        let moved = self.given.saturating_sub(before.given);
        let have = if moved == 1 { "has" } else { "have" };
        let are = if self.here == 1 { "is" } else { "are" };
        format!(
            "connections: {} {have} gone to other sites, {} {are} here",
            Thousands(moved),
            Thousands(self.here)
        )
    }

    /// What stays, and why.
    fn finally(&self, before: &Standing) -> String {
        let more = |(why, number): (&String, &u64)| {
            let more = number - before.kept.get(why).copied().unwrap_or_default().min(*number);
            (more > 0).then(|| format!("{} {why}", Thousands(more)))
        };
        let vain: Vec<String> = self.kept.iter().filter_map(more).collect();
        let vain =
            if vain.is_empty() { String::new() } else { format!("; attempts in vain: {}", list(vain)) };
        let here = Thousands(self.here);
        match (self.here, self.staying.as_slice()) {
            (0, _) => format!("connections: none is left here{vain}"),
            (1, []) => format!("connections: 1 stays here until it ends{vain}"),
            (_, []) => format!("connections: {here} stay here until they end{vain}"),
            (_, staying) => {
                format!("connections: {here} here, with those of {}, in service{vain}", list(staying))
            }
        }
    }
}

/// What a drain of some groups means for connections, in one line.
pub(super) fn words(standing: &Standing, ordered: &[GroupName]) -> String {
    let open = Thousands(standing.here);
    let how_many = "`catchment drain --follow` and `catchment flows` say how many";
    match (standing.here, standing.leaving(ordered)) {
        (0, _) => "connections: none is open here\n".to_owned(),
        (_, Leaving::Site) => format!(
            "connections: {open} here; those of services that cooperate go to another site, others go on here \
             until they end: {how_many}\n"
        ),
        (_, Leaving::Groups(groups)) => format!(
            "connections: {open} here, of all groups; those of {} go to another site where services cooperate, \
             others go on here until they end: {how_many}\n",
            list(&groups)
        ),
        (_, Leaving::Nobody) => {
            format!("connections: {open} here, and they stay: {} in service\n", are(&standing.staying))
        }
    }
}

/// `dns is`, `dns and web are`.
fn are(groups: &[GroupName]) -> String {
    format!("{} {}", list(groups), if groups.len() == 1 { "is" } else { "are" })
}

/// Tells how many have gone, until nothing is here or nothing is offered any more.
pub(super) fn follow(
    client: &Client,
    ordered: &[GroupName],
    before: &Standing,
    now: Standing,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let began = Instant::now();
    let (mut last, mut said) = (now, String::new());
    while last.here > 0 && last.leaving(ordered) != Leaving::Nobody && began.elapsed() < PATIENCE {
        let line = last.since(before);
        if line != said {
            writeln!(out, "{line}")?;
            out.flush()?;
            said = line;
        }
        thread::sleep(GLANCE);
        last = match Standing::ask(client) {
            Ok(Some(standing)) => standing,
            other => return out.write_all(silence(other.err()).as_bytes()),
        };
    }
    let line = last.since(before);
    if line != said {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", last.finally(before))
}

/// Why nothing is known of connections: the site could not be asked, or looks after none.
pub(super) fn silence(error: Option<ClientError>) -> String {
    match error {
        Some(error) => format!("connections: the site could not be asked: {error}\n"),
        None => "connections: this site does not look after them\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(names: &[&str]) -> Vec<GroupName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn standing(here: u64, given: u64, kept: &[(&str, u64)], staying: &[&str]) -> Standing {
        let kept = kept.iter().map(|(why, number)| ((*why).to_owned(), *number)).collect();
        Standing { here, given, kept, staying: groups(staying) }
    }

    #[test]
    fn what_is_known_at_once_is_said_at_once() {
        let of = |here, staying: &[&str], ordered: &[&str]| {
            words(&standing(here, 7, &[], staying), &groups(ordered))
        };
        let lines = [
            of(0, &[], &["dns"]),
            of(1, &[], &["dns"]),
            of(1_041, &["web"], &["dns"]),
            of(1_041, &["dns", "web"], &["dns"]),
        ];
        insta::assert_snapshot!(lines.concat(), @"
        connections: none is open here
        connections: 1 here; those of services that cooperate go to another site, others go on here until they end: `catchment drain --follow` and `catchment flows` say how many
        connections: 1,041 here, of all groups; those of dns go to another site where services cooperate, others go on here until they end: `catchment drain --follow` and `catchment flows` say how many
        connections: 1,041 here, and they stay: dns, web are in service
        ");
    }

    #[test]
    fn a_group_in_drain_is_left_and_its_neighbour_stays() {
        let status = |states: [(&str, &str); 2]| -> Status {
            let group = |(state, output)| {
                serde_json::json!({ "name": "dns", "services": ["dns"], "state": state, "output": output,
                    "since": 0, "reason": "", "alarms": [], "prefixes": [], "checks": [] })
            };
            let [first, second] = states.map(group);
            let mut second = second;
            second["name"] = "web".into();
            serde_json::from_value(serde_json::json!({
                "schema": 1, "site": "london", "groups": [first, second], "peers": [],
                "continuity": { "state": "on", "since": 0, "reason": null, "number": 1, "interfaces": [], "owned": 3,
                    "relay": null, "owners": [], "packets": {} },
            }))
            .unwrap()
        };
        let leaving = |states, ordered: &[&str]| {
            let status = status(states);
            Standing::of(status.continuity.as_ref().unwrap(), &status).leaving(&groups(ordered))
        };
        let dns = || Leaving::Groups(groups(&["dns"]));
        assert_eq!(leaving([("drain", "depref"), ("up", "normal")], &["dns"]), dns());
        assert_eq!(leaving([("drain", "none"), ("up", "normal")], &["dns"]), dns());
        assert_eq!(leaving([("drain", "depref"), ("up", "normal")], &["web"]), Leaving::Nobody);
        assert_eq!(leaving([("up", "normal"), ("up", "normal")], &["dns", "web"]), Leaving::Nobody);
        assert_eq!(leaving([("drain", "depref"), ("down", "none")], &["dns"]), Leaving::Site);
    }

    #[test]
    fn who_cannot_be_asked_is_not_said_to_do_nothing() {
        let nobody = Client::of(api::client::Server::Daemon, "/nonexistent/catchment.sock").unwrap();
        let said = silence(Standing::ask(&nobody).err());
        assert!(said.starts_with("connections: the site could not be asked: "), "{said}");
        assert!(said.contains("/nonexistent/catchment.sock"), "{said}");
        let mut out = Vec::new();
        follow(&nobody, &groups(&["dns"]), &standing(3, 0, &[], &[]), standing(3, 0, &[], &[]), &mut out)
            .unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with(&said), "{out}");
    }

    #[test]
    fn only_what_came_of_this_drain_is_counted() {
        let before = standing(41, 7, &[("undumpable", 2)], &["dns"]);
        let later = standing(3, 45, &[("undumpable", 5), ("no-service", 3)], &[]);
        let lines = [
            before.since(&before),
            later.since(&before),
            later.finally(&before),
            standing(0, 48, &[("undumpable", 2)], &[]).finally(&before),
            standing(1, 8, &[("undumpable", 2)], &[]).since(&before),
            standing(1_003, 45, &[("undumpable", 3)], &["ntp", "web"]).finally(&before),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        connections: 0 have gone to other sites, 41 are here
        connections: 38 have gone to other sites, 3 are here
        connections: 3 stay here until they end; attempts in vain: 3 no-service, 3 undumpable
        connections: none is left here
        connections: 1 has gone to other sites, 1 is here
        connections: 1,003 here, with those of ntp, web, in service; attempts in vain: 1 undumpable
        ");
    }
}
