//! One order as it arrives, made sense of or refused.

use super::book::Standing;
use crate::caller::Caller;
use crate::desk::Refused;
use crate::export::blackhole::NotTold;
use api::{BlackholeOrder, BlackholeOrderKind, Refusal};
use std::time::Duration;
use terms::{PeerName, Prefix, Reason, WallTime};

/// An order that makes sense.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// Peers are to drop it, for so long.
    Begin { standing: Standing, lasting: Duration },
    /// They are to forget it.
    End { prefix: Prefix, by: Reason },
}

impl Asked {
    /// Makes sense of an order that is given now, or says why there is none in it.
    pub(super) async fn read(order: BlackholeOrder, caller: Caller, now: WallTime) -> Result<Asked, Refusal> {
        let reason = reason(&order)?;
        let who = caller.person(order.who).await;
        let BlackholeOrder { prefix, peers, override_guard, for_ms, .. } = order;
        match order.kind {
            BlackholeOrderKind::Begin => {
                let for_ms = for_ms.unwrap_or(BlackholeOrder::FOR_MS);
                if !(1000..=BlackholeOrder::LONGEST_FOR_MS).contains(&for_ms) {
                    let refusal = Refusal::because("a blackhole stands for 1 s to 24 hours");
                    return Err(refusal.hint("leave it out for one hour; ordered again, it stands longer"));
                }
                let until = WallTime(now.0.saturating_add(for_ms));
                let standing = Standing { prefix, peers, who, reason, override_guard, when: now, until };
                Ok(Asked::Begin { standing, lasting: Duration::from_millis(for_ms) })
            }
            BlackholeOrderKind::End if for_ms.is_some() || override_guard || !peers.is_empty() => {
                let refusal =
                    Refusal::because("the end of a blackhole takes neither time, peers nor a guard");
                Err(refusal.hint("it ends for every peer; to ask fewer, order it again for these"))
            }
            BlackholeOrderKind::End => {
                Ok(Asked::End { prefix, by: Reason::from(format!("{who}: {reason}")) })
            }
        }
    }

    pub(super) fn prefix(&self) -> Prefix {
        match self {
            Asked::Begin { standing, .. } => standing.prefix,
            Asked::End { prefix, .. } => *prefix,
        }
    }
}

fn reason(order: &BlackholeOrder) -> Result<Reason, Refusal> {
    let text = order.reason.as_deref().unwrap_or_default().trim();
    let longest = api::Order::LONGEST_REASON;
    match (text.chars().count(), order.kind) {
        (0, BlackholeOrderKind::End) => Ok(Reason::from("no reason given")),
        (0, BlackholeOrderKind::Begin) => {
            Err(Refusal::because("a blackhole needs a reason").hint("say why, with --reason"))
        }
        (length, _) if length > longest => {
            Err(Refusal::because(format!("a reason has at most {longest} characters; this has {length}")))
        }
        _ => Ok(Reason::from(text)),
    }
}

/// The refusal of what this site may not have anybody drop.
pub(super) fn not_droppable(prefix: Prefix, why: &NotTold, ours: &[Prefix]) -> Refused {
    let ours = ours.iter().map(Prefix::to_string).collect::<Vec<_>>().join(", ");
    match why {
        NotTold::InUse(address) => {
            let error = format!(
                "a service answers at {address}: whoever reaches it through these peers would get no answer, and no \
                 other site could give one; nothing has changed"
            );
            let hint = "drop another address, or add --override-guard if the service is to be given up there";
            Refused::No(Refusal::because(error).hint(hint))
        }
        NotTold::Announced(announced) => {
            let error = format!("a blackhole of {prefix} would drop all of {announced}, which is announced");
            let hint =
                "name a single address of it; `catchment withdraw` takes the whole site off the Internet";
            Refused::Faulty(Refusal::because(error).hint(hint))
        }
        why => {
            let error = format!("no peer may be asked to drop {prefix}: {why}");
            Refused::Faulty(Refusal::because(error).hint(format!("it may announce {ours}")))
        }
    }
}

/// The refusal of a peer that nobody knows.
pub(super) fn no_such_peer(name: &PeerName, takers: &[String]) -> Refused {
    Refused::Faulty(Refusal::because(format!("there is no peer `{name}` here")).hint(who_takes(takers)))
}

/// The refusal of peers that are not told, for this reason.
pub(super) fn not_taken(peer: &PeerName, prefix: Prefix, why: &NotTold, takers: &[String]) -> Refused {
    let refusal = Refusal::because(format!("peer `{peer}` cannot be asked to drop {prefix}: {why}"));
    match why {
        NotTold::Full { .. } => {
            let hint = "end another one first, or raise `max` of its `blackhole` in the site file";
            Refused::No(refusal.hint(hint))
        }
        _ => Refused::Faulty(refusal.hint(who_takes(takers))),
    }
}

/// The refusal where nobody can be asked.
pub(super) fn nobody_takes() -> Refused {
    let refusal = Refusal::because("no peer of this site takes blackholes");
    Refused::Faulty(refusal.hint("where a peer offers it, add `blackhole = true` to its [[peer]] section"))
}

/// The refusal of an end where there was no beginning.
pub(super) fn none_stands(prefix: Prefix, standing: &[Standing]) -> Refused {
    let standing: Vec<String> = standing.iter().map(|one| one.prefix.to_string()).collect();
    let hint = match standing.as_slice() {
        [] => "there is none".to_owned(),
        standing => format!("there is {}", standing.join(", ")),
    };
    Refused::Faulty(Refusal::because(format!("there is no blackhole of {prefix}")).hint(hint))
}

fn who_takes(takers: &[String]) -> String {
    match takers {
        [] => "none of this site's peers takes blackholes: its section needs `blackhole`".to_owned(),
        takers => format!("blackholes are taken by {}", takers.join(", ")),
    }
}
