//! The connections of a site that is being drained: how many have gone along, how many are here.

use crate::words::list;
use api::client::blocking::Client;
use api::{Continuity, ContinuityState, GroupState, Output, Status, route};
use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};
use terms::Thousands;

/// How long connections may take to go: the last time that they are offered is 5 s after the first, and what a site says of
/// itself may be a second old.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often is looked.
const GLANCE: Duration = Duration::from_millis(250);

/// What a site says of its connections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// They are here.
    here: u64,
    /// Those that other sites have taken, ever.
    given: u64,
    /// Attempts in vain, ever, by their reason.
    kept: BTreeMap<String, u64>,
    /// Whether the whole site is left: connections go with users who are sent elsewhere.
    is_left: bool,
}

impl Standing {
    /// None where nobody looks after connections.
    pub(super) fn ask(client: &Client) -> Option<Self> {
        let status: Status = client.get(route::STATUS).ok()?;
        let continuity = status.continuity.as_ref().filter(|it| it.state == ContinuityState::On)?;
        Some(Standing::of(continuity, &status))
    }

    fn of(continuity: &Continuity, status: &Status) -> Self {
        Standing {
            here: continuity.owned,
            given: continuity.handed_over.given,
            kept: continuity.handed_over.kept.clone(),
            is_left: status
                .groups
                .iter()
                .all(|group| group.state == GroupState::Drain || group.output == Output::None),
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
        match self.here {
            0 => format!("connections: none is left here{vain}"),
            1 => format!("connections: 1 stays here until it ends{vain}"),
            here => format!("connections: {} stay here until they end{vain}", Thousands(here)),
        }
    }
}

/// What a drain means for connections, in one line.
pub(super) fn words(standing: &Standing) -> String {
    let open = Thousands(standing.here);
    match (standing.here, standing.is_left) {
        (0, _) => "connections: none is open here\n".to_owned(),
        (_, true) => format!(
            "connections: {open} here; those of services that cooperate go to another site, others go on here \
             until they end: `catchment drain --follow` and `catchment flows` say how many\n"
        ),
        (_, false) => {
            format!("connections: {open} here, and they stay: other groups of this site are in service\n")
        }
    }
}

/// Tells how many have gone, until nothing is here or nothing is offered any more.
pub(super) fn follow(
    client: &Client,
    before: &Standing,
    now: Standing,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let began = Instant::now();
    let (mut last, mut said) = (now, String::new());
    while last.here > 0 && last.is_left && began.elapsed() < PATIENCE {
        let line = last.since(before);
        if line != said {
            writeln!(out, "{line}")?;
            out.flush()?;
            said = line;
        }
        thread::sleep(GLANCE);
        last = Standing::ask(client).unwrap_or(last);
    }
    let line = last.since(before);
    if line != said {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{}", last.finally(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(here: u64, given: u64, kept: &[(&str, u64)], is_left: bool) -> Standing {
        let kept = kept.iter().map(|(why, number)| ((*why).to_owned(), *number)).collect();
        Standing { here, given, kept, is_left }
    }

    #[test]
    fn what_is_known_at_once_is_said_at_once() {
        let lines = [(0, true), (1, true), (1_041, false)]
            .map(|(here, is_left)| words(&standing(here, 7, &[], is_left)));
        insta::assert_snapshot!(lines.concat(), @"
        connections: none is open here
        connections: 1 here; those of services that cooperate go to another site, others go on here until they end: `catchment drain --follow` and `catchment flows` say how many
        connections: 1,041 here, and they stay: other groups of this site are in service
        ");
    }

    #[test]
    fn only_what_came_of_this_drain_is_counted() {
        let before = standing(41, 7, &[("undumpable", 2)], false);
        let later = standing(3, 45, &[("undumpable", 5), ("no-service", 3)], true);
        let lines = [
            before.since(&before),
            later.since(&before),
            later.finally(&before),
            standing(0, 48, &[("undumpable", 2)], true).finally(&before),
            standing(1, 8, &[("undumpable", 2)], true).since(&before),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        connections: 0 have gone to other sites, 41 are here
        connections: 38 have gone to other sites, 3 are here
        connections: 3 stay here until they end; attempts in vain: 3 no-service, 3 undumpable
        connections: none is left here
        connections: 1 has gone to other sites, 1 is here
        ");
    }
}
