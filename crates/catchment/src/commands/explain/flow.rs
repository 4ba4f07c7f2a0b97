//! Where a connection goes, and why.

use crate::terminal::{Paint, Tone};
use crate::words::{age, list};
use api::{ExplainedFlow, Flow, FlowExplanation, NextPacket};
use terms::{SiteName, Thousands, WallTime};

/// Every connection of an answer.
pub(super) fn page(explanation: &FlowExplanation, now: WallTime, paint: Paint) -> String {
    let words = |flow: &ExplainedFlow| words(flow, &explanation.site, now, paint);
    explanation.flows.iter().map(words).collect::<Vec<_>>().join("\n")
}

fn words(flow: &ExplainedFlow, here: &SiteName, now: WallTime, paint: Paint) -> String {
    let ExplainedFlow { client, service, verdict, reason, .. } = flow;
    let owner = match &flow.owner {
        None if flow.next == NextPacket::Held => paint.text(Tone::Careful, "is on its way between two sites"),
        Some(owner) if owner == here => paint.text(Tone::Good, &format!("is {owner}'s, which is this site")),
        Some(owner) => paint.text(Tone::Careful, &format!("is {owner}'s")),
        None => paint.text(Tone::Careful, "is nobody's, as far as is known here"),
    };
    let mut lines = vec![
        format!("The connection from {client} to {service} {owner}: {reason}."),
        format!("  {} ({verdict}).", next(flow, paint)),
    ];
    let others: Vec<&SiteName> =
        flow.claimed_by.iter().filter(|site| Some(*site) != flow.owner.as_ref()).collect();
    if !others.is_empty() {
        lines.push(format!("  Say that they have it, too: {}.", list(others)));
    }
    lines.extend(flow.forwarded.as_ref().map(|passage| format!("  Forwarded to {}.", passed(passage, now))));
    lines.extend(flow.received.as_ref().map(|passage| format!("  Received from {}.", passed(passage, now))));
    lines.into_iter().map(|line| line + "\n").collect()
}

fn next(flow: &ExplainedFlow, paint: Paint) -> String {
    let to = flow.to.as_ref().map_or("a site that is not known any more", SiteName::as_str);
    match flow.next {
        NextPacket::Passes => "Its next packet passes to the socket".to_owned(),
        NextPacket::Forwarded => format!("Its next packet goes on to {to}"),
        NextPacket::Held => {
            paint.text(Tone::Careful, "Its next packet waits until one of both has the connection")
        }
        NextPacket::Reset => paint.text(Tone::Bad, "Its next packet is answered by a reset"),
        NextPacket::Dropped => paint.text(Tone::Bad, "Its next packet is dropped"),
    }
}

/// `paris for 1 min 30 s, 48,211 packets, the last 1 s ago`.
fn passed(passage: &Flow, now: WallTime) -> String {
    let site =
        passage.site.as_ref().map_or_else(|| format!("number {}", passage.number), ToString::to_string);
    let packets = if passage.packets == 1 { "packet" } else { "packets" };
    let (since, seen) = (age(passage.since, now), age(passage.seen, now));
    format!("{site} for {since}: {} {packets}, the last {seen} ago", Thousands(passage.packets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_says_whose_it_is_and_where_its_next_packet_goes() {
        let explanation: FlowExplanation = serde_json::from_str(include_str!("flow.json")).unwrap();
        insta::assert_snapshot!(page(&explanation, WallTime(1_795_000_100_000), Paint::Plain));
    }
}
