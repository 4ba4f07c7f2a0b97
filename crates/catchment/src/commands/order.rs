//! `catchment drain`, `resume`, `withdraw`, `freeze` and `force-announce`: an operator's orders to a running site.

mod connections;

use crate::arguments::{Ask, Drain, Order, Resume, Scope, Withdraw};
use crate::commands::explain;
use crate::commands::status::{tone_of_output, tone_of_state};
use crate::outcome::Outcome;
use crate::table::{Cell, Table};
use crate::terminal::{Paint, Terminal, Tone};
use crate::words::{age, list, now, utc};
use api::client::Server;
use api::client::blocking::Client;
use api::{GroupChange, Intent, IntentKind, OrderKind, Ordered, PermitState, Schema, route};
use connections::Standing;
use std::io::Write;
use std::time::Duration;
use terms::{Attributes, WallTime};

/// How long an order may take: the daemon waits for the fleet's permit, and for the orders before this one.
const PATIENCE: Duration = Duration::from_secs(40);

/// `drain`, `freeze` and `force-announce`.
pub(crate) fn asked(kind: OrderKind, order: &Order) -> api::Order {
    let for_ms = order.lasting.map(|lasting| u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX));
    api::Order { for_ms, reason: Some(order.reason.clone()), ..plain(kind, &order.scope) }
}

/// `withdraw`.
pub(crate) fn withdrawn(withdraw: &Withdraw) -> api::Order {
    api::Order { override_guard: withdraw.override_guard, ..asked(OrderKind::Withdraw, &withdraw.order) }
}

/// `resume`.
pub(crate) fn resumed(resume: &Resume) -> api::Order {
    api::Order { reason: resume.reason.clone(), ..plain(OrderKind::Resume, &resume.scope) }
}

fn plain(kind: OrderKind, scope: &Scope) -> api::Order {
    api::Order {
        schema: Schema,
        kind,
        service: scope.service.clone(),
        for_ms: None,
        reason: None,
        who: caller(),
        override_guard: false,
        dry_run: scope.dry_run,
    }
}

/// The person behind this process, as the environment has it. The daemon decides whether to believe it.
pub(crate) fn caller() -> Option<String> {
    let said = ["SUDO_USER", "USER"].into_iter().filter_map(|variable| std::env::var(variable).ok());
    said.map(|name| name.chars().take(api::Order::LONGEST_WHO).collect())
        .find(|name: &String| !name.is_empty())
}

/// `drain`: the order, and what it means for the connections that are open.
pub(crate) fn drain(drain: &Drain, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    let Drain { order, follow } = drain;
    let client = Client::of(Server::Daemon, &order.scope.ask.socket)?;
    let is_quiet = order.scope.ask.json || order.scope.dry_run;
    let before = (*follow && !is_quiet).then(|| Standing::ask(&client));
    let ordered = give(&asked(OrderKind::Drain, order), &order.scope.ask, terminal)?;
    if is_quiet || !ordered.accepted {
        return Ok(outcome(&ordered));
    }
    let groups: Vec<_> = ordered.groups.iter().map(|group| group.name.clone()).collect();
    match (before, Standing::ask(&client)) {
        (Some(Ok(Some(before))), Ok(Some(now))) => {
            connections::follow(&client, &groups, &before, now, terminal)?;
        }
        (Some(before), now) => {
            write!(terminal, "{}", connections::silence(before.err().or(now.err())))?;
        }
        (None, Ok(Some(now))) => write!(terminal, "{}", connections::words(&now, &groups))?,
        // The order is what was asked for.
        (None, _) => {}
    }
    Ok(outcome(&ordered))
}

/// Gives the order and says what came of it.
pub(crate) fn run(order: &api::Order, ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Outcome> {
    Ok(outcome(&give(order, ask, terminal)?))
}

fn give(order: &api::Order, ask: &Ask, terminal: &mut Terminal) -> anyhow::Result<Ordered> {
    let client = Client::of(Server::Daemon, &ask.socket)?.patient(PATIENCE);
    let ordered: Ordered = client.post(route::ORDERS, order)?;
    if ask.json {
        terminal.json(&ordered)?;
    } else {
        let page = page(&ordered, now(), terminal.paint());
        write!(terminal, "{page}")?;
    }
    Ok(ordered)
}

fn outcome(ordered: &Ordered) -> Outcome {
    if ordered.accepted { Outcome::Yes } else { Outcome::No }
}

fn page(ordered: &Ordered, now: WallTime, paint: Paint) -> String {
    let mut page = String::new();
    if ordered.dry_run {
        page.push_str(&format!("{}: nothing was changed, this is what would happen\n\n", ordered.kind));
    }
    for group in &ordered.groups {
        page.push_str(&sentence(group, ordered.dry_run, paint));
        if group.intent.kind != IntentKind::Normal {
            page.push_str(&format!("  order: {}\n", standing(&group.intent, now)));
        }
        page.push_str(&format!("  permit: {}\n", words_of_permit(group.permit)));
        page.push_str(&format!("  other sites: {}\n", group.survivors.words));
        let table = routes(group).render(paint);
        if !table.is_empty() {
            page.push_str(&format!("\n{table}"));
        }
    }
    for remark in &ordered.remarks {
        page.push_str(&(paint.text(Tone::Careful, remark.as_str()) + "\n"));
    }
    page
}

/// From where to where the group goes.
fn sentence(group: &GroupChange, dry_run: bool, paint: Paint) -> String {
    let GroupChange { before, after, finally, .. } = group;
    let stand = |stand: &api::Stand| {
        let state = paint.text(tone_of_state(stand.state), stand.state.word());
        format!("{state} ({})", paint.text(tone_of_output(stand.output), stand.output.word()))
    };
    let services = match group.services.as_slice() {
        [one] if one.as_str() == group.name.as_str() => String::new(),
        services => format!(" (services {})", list(services)),
    };
    let is = if dry_run { "would go" } else { "went" };
    let mut words = format!("{}{services} {is} from {} to {}", group.name, stand(before), stand(after));
    if finally.output != after.output {
        let output = paint.text(tone_of_output(finally.output), finally.output.word());
        words.push_str(&format!(", and to {output} within {}", age(WallTime(0), WallTime(finally.after_ms))));
    }
    words + "\n"
}

/// What stands ordered: `drain by alice, until 2026-11-23 18:00:00.000: kernel upgrade`.
pub(super) fn standing(intent: &Intent, now: WallTime) -> String {
    let mut words = intent.kind.word().to_owned();
    words.extend(intent.who.iter().map(|who| format!(" by {who}")));
    words.extend(intent.when.map(|when| format!(" {} ago", age(when, now))));
    words.push_str(
        &intent.until.map_or(", until another order".to_owned(), |until| format!(", until {}", utc(until))),
    );
    words.extend(intent.reason.iter().map(|reason| format!(": {reason}")));
    words.replace(char::is_control, "\u{fffd}")
}

fn words_of_permit(permit: PermitState) -> &'static str {
    match permit {
        PermitState::NotNeeded => "not needed",
        PermitState::Held => "held",
        PermitState::Free => "the fleet would give it",
        PermitState::Taken => "other sites have them all",
        PermitState::Unknown => "nobody can say now",
    }
}

fn routes(group: &GroupChange) -> Table<4> {
    let words = |attributes: &Option<Attributes>| match attributes {
        Some(attributes) => explain::words(attributes).into(),
        None => Cell::toned("nothing", Tone::Quiet),
    };
    let mut table = Table::new(["PREFIX", "PEER", "HAS", "GETS"]);
    for change in &group.routes {
        table.row([
            change.prefix.to_string().into(),
            change.peer.to_string().into(),
            words(&change.before),
            words(&change.after),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::Reason;

    fn ordered() -> Ordered {
        serde_json::from_str(include_str!("order.json")).unwrap()
    }

    #[test]
    fn the_page_says_what_goes_where_and_for_whom() {
        insta::assert_snapshot!(page(&ordered(), WallTime(1_795_442_792_000), Paint::Plain));
    }

    #[test]
    fn a_rehearsal_says_that_it_is_one() {
        let rehearsed = Ordered { dry_run: true, ..ordered() };
        let page = page(&rehearsed, WallTime(1_795_442_792_000), Paint::Plain);
        assert!(page.starts_with("drain: nothing was changed"), "{page}");
        assert!(page.contains("dns (services dns, ntp) would go from up (normal)"), "{page}");
    }

    #[test]
    fn an_order_cannot_move_the_cursor() {
        let intent = Intent { reason: Some(Reason::from("\x1b[2J")), ..Intent::default() };
        assert_eq!(standing(&intent, WallTime(0)), "normal, until another order: \u{fffd}[2J");
    }
}
