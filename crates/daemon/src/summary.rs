//! One line for the service manager: what `systemctl status` shows of a site.

use crate::watchdog::tell_manager;
use api::{Group, Output};
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::sync::watch;

/// From one line to the next: nobody reads faster.
const BETWEEN: Duration = Duration::from_millis(250);

/// Tells the service manager every new line, for as long as there are groups.
pub(crate) async fn tell(mut groups: watch::Receiver<Vec<Group>>) {
    let mut told = String::new();
    loop {
        let line = line(&groups.borrow_and_update());
        if line != told {
            tell_manager(&[NotifyState::Status(&line)]);
            told = line;
        }
        tokio::time::sleep(BETWEEN).await;
        if groups.changed().await.is_err() {
            // The site is gone; who attends to it ends it.
            std::future::pending::<()>().await;
        }
    }
}

/// `2 groups: dns normal, web down (alarm)`.
fn line(groups: &[Group]) -> String {
    let describe = |group: &Group| {
        let stands = match group.output {
            Output::None => group.state.word(),
            announced => announced.word(),
        };
        let alarm = if group.alarms.is_empty() { "" } else { " (alarm)" };
        format!("{} {stands}{alarm}", group.name)
    };
    let described: Vec<String> = groups.iter().map(describe).collect();
    let noun = if groups.len() == 1 { "group" } else { "groups" };
    format!("{} {noun}: {}", groups.len(), described.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::GroupState;
    use terms::WallTime;

    fn group(name: &str, state: GroupState, output: Output, alarms: &[&str]) -> Group {
        Group {
            name: name.parse().unwrap(),
            services: Vec::new(),
            state,
            output,
            intent: api::Intent::default(),
            since: WallTime(0),
            reason: "a reason".into(),
            alarms: alarms.iter().map(|&alarm| alarm.into()).collect(),
            prefixes: Vec::new(),
            checks: Vec::new(),
        }
    }

    #[test]
    fn the_line_says_how_each_group_is_announced_or_why_not() {
        let dns = group("dns", GroupState::Up, Output::Normal, &[]);
        assert_eq!(line(std::slice::from_ref(&dns)), "1 group: dns normal");
        let web = group("web", GroupState::Down, Output::None, &["nobody answers"]);
        assert_eq!(line(&[dns, web]), "2 groups: dns normal, web down (alarm)");
    }
}
