//! One order as it arrives, made sense of or refused.

use crate::announce::Seen;
use crate::caller::Caller;
use crate::desk::Refused;
use crate::fleet::NoToken;
use announce::{Intent, Level};
use api::{GroupChange, OrderKind, Output, Refusal};
use std::collections::BTreeSet;
use std::time::Duration;
use terms::{GroupName, Reason, ServiceName};

/// An order that makes sense.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) kind: OrderKind,
    service: Option<ServiceName>,
    who: Reason,
    reason: Reason,
    pub(crate) lasting: Option<Duration>,
    pub(crate) intent: Intent,
    pub(crate) dry_run: bool,
}

impl Asked {
    /// Makes sense of an order, or says why there is none in it.
    pub(crate) async fn read(order: api::Order, caller: Caller) -> Result<Asked, Refusal> {
        let reason = reason(&order)?;
        let lasting = lasting(&order)?;
        if order.override_guard && order.kind != OrderKind::Withdraw {
            return Err(Refusal::because(format!("`{}` overrides no guard", order.kind)));
        }
        let who = caller.person(order.who).await;
        let by = || announce::Order { who: who.clone(), reason: reason.clone() };
        let intent = match order.kind {
            OrderKind::Drain => Intent::Drain(by()),
            OrderKind::Resume => Intent::Normal,
            OrderKind::Withdraw => Intent::Withdraw { order: by(), override_guard: order.override_guard },
            OrderKind::Freeze => Intent::Freeze(by()),
            OrderKind::ForceAnnounce => Intent::ForceAnnounce(by()),
        };
        let api::Order { kind, service, dry_run, .. } = order;
        Ok(Asked { kind, service, who, reason, lasting, intent, dry_run })
    }

    /// The groups that are meant.
    pub(crate) fn choose(&self, seen: Vec<Seen>) -> Result<Vec<Seen>, Refused> {
        let services: Vec<String> =
            seen.iter().flat_map(|one| &one.services).map(ToString::to_string).collect();
        let is_meant = |one: &Seen| self.service.as_ref().is_none_or(|name| one.services.contains(name));
        let chosen: Vec<Seen> = seen.into_iter().filter(is_meant).collect();
        match &self.service {
            Some(unknown) if chosen.is_empty() => {
                let refusal = Refusal::because(format!("there is no service `{unknown}` here"));
                Err(Refused::Faulty(refusal.hint(format!("there is {}", services.join(", ")))))
            }
            Some(_) | None => Ok(chosen),
        }
    }

    /// Whether it takes away what is announced, and nobody has overridden the guard.
    pub(crate) fn needs_permit(&self) -> bool {
        match &self.intent {
            Intent::Drain(_) | Intent::Withdraw { override_guard: false, .. } => true,
            Intent::Normal
            | Intent::Withdraw { override_guard: true, .. }
            | Intent::Freeze(_)
            | Intent::ForceAnnounce(_) => false,
        }
    }

    /// The groups that announce something which it takes away.
    pub(crate) fn going(&self, seen: &[Seen]) -> BTreeSet<GroupName> {
        let announced = seen.iter().filter(|one| self.needs_permit() && one.level > Level::None);
        announced.map(|one| one.name().clone()).collect()
    }

    /// What comes first: to leave in order.
    pub(crate) fn draining(&self) -> Intent {
        Intent::Drain(announce::Order { who: self.who.clone(), reason: self.reason.clone() })
    }

    /// What is ordered, in one sentence.
    pub(crate) fn words(&self) -> Reason {
        Reason::from(match &self.intent {
            Intent::Normal => format!("{} lifted every order: {}", self.who, self.reason),
            ordered => match self.lasting {
                Some(lasting) => format!("{ordered} (for {} s)", lasting.as_secs()),
                None => ordered.to_string(),
            },
        })
    }

    /// What an operator may not expect.
    pub(crate) fn remarks(&self, groups: &[GroupChange]) -> Vec<Reason> {
        let mut remarks = Vec::new();
        for group in groups {
            let others: Vec<String> = group
                .services
                .iter()
                .filter(|name| Some(*name) != self.service.as_ref())
                .map(ToString::to_string)
                .collect();
            if self.service.is_some() && !others.is_empty() {
                let text = format!("this concerns {}, too: they share prefixes", others.join(", "));
                remarks.push(Reason::from(text));
            }
            let goes = group.before.output > Output::None && group.finally.output == Output::None;
            if goes && group.survivors.enough == Some(false) {
                let text = format!("users of {} may get no answer: {}", group.name, group.survivors.words);
                remarks.push(Reason::from(text));
            }
            let drain_ms = group.finally.after_ms;
            if self.lasting.is_some_and(|lasting| lasting.as_millis() < u128::from(drain_ms)) {
                let text = format!("{} is back before it is drained, which takes {drain_ms} ms", group.name);
                remarks.push(Reason::from(text));
            }
        }
        remarks
    }
}

fn reason(order: &api::Order) -> Result<Reason, Refusal> {
    let text = order.reason.as_deref().unwrap_or_default().trim();
    match text.chars().count() {
        0 if order.kind == OrderKind::Resume => Ok(Reason::from("no reason given")),
        0 => Err(Refusal::because(format!("`{}` needs a reason", order.kind)).hint("say why, with --reason")),
        length if length > api::Order::LONGEST_REASON => {
            let longest = api::Order::LONGEST_REASON;
            Err(Refusal::because(format!("a reason has at most {longest} characters; this has {length}")))
        }
        _ => Ok(Reason::from(text)),
    }
}

fn lasting(order: &api::Order) -> Result<Option<Duration>, Refusal> {
    match order.for_ms {
        Some(_) if order.kind == OrderKind::Resume => {
            Err(Refusal::because("`resume` lifts an order and takes no time"))
        }
        Some(ms) if !(1000..=api::Order::LONGEST_FOR_MS).contains(&ms) => {
            let hint = "leave it out: the order then stands until `catchment resume`";
            Err(Refusal::because("an order stands for 1 s to 31 days").hint(hint))
        }
        for_ms => Ok(for_ms.map(Duration::from_millis)),
    }
}

/// The refusal of a guard that was not overridden.
pub(crate) fn not_permitted(names: &BTreeSet<GroupName>, kind: OrderKind) -> Refusal {
    let names: Vec<&str> = names.iter().map(GroupName::as_str).collect();
    let error = format!(
        "the fleet did not permit it within {} s: too few sites may be left that announce {}, or its store does not \
         answer; nothing has changed",
        super::PERMIT_PATIENCE.as_secs(),
        names.join(", ")
    );
    let instead = "`catchment fleet status` says who is gone; wait until another site is back";
    Refusal::because(error).hint(match kind {
        OrderKind::Withdraw => {
            format!("{instead}, or add --override-guard if users may be left without any site")
        }
        _ => instead.to_owned(),
    })
}

/// The refusal of a fleet whose operators act elsewhere, or that cannot be asked about them.
pub(crate) fn no_token(no: &NoToken, kind: OrderKind) -> Refusal {
    let instead = match no {
        NoToken::Refused { .. } => "wait until one of them ends",
        NoToken::Unknown { .. } | NoToken::Silent => "try again when the store answers",
    };
    Refusal::because(format!("{no}; nothing has changed")).hint(match kind {
        OrderKind::Withdraw => format!("{instead}, or add --override-guard if it cannot wait"),
        _ => format!("{instead}; what cannot wait goes with `catchment withdraw --override-guard`"),
    })
}

/// The refusal of a site file that says so.
pub(crate) fn never_withdrawn(name: &GroupName, kind: OrderKind) -> Refusal {
    let error = format!("the site file says `never_withdraw` about {name}; nothing has changed");
    Refusal::because(error).hint(match kind {
        OrderKind::Withdraw => "add --override-guard if it must go all the same",
        _ => "change the site file, or use `catchment withdraw --override-guard`",
    })
}

/// The refusal of a daemon that has only its own end in mind.
pub(crate) fn stopping() -> Refusal {
    Refusal::because("the daemon is stopping and takes no orders").hint("it drains by itself")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_warning_tells_whose_users_nobody_can_carry() {
        let asked = Asked {
            kind: OrderKind::Drain,
            service: None,
            who: Reason::from("alice"),
            reason: Reason::from("line card"),
            lasting: None,
            intent: Intent::Normal,
            dry_run: false,
        };
        let change = |before: &str, finally: &str, enough: Option<bool>| -> GroupChange {
            let json = json!({
                "name": "dns", "services": ["dns"], "permit": "held", "routes": [],
                "intent": { "kind": "drain", "who": null, "when": null, "until": null, "reason": null },
                "before": { "state": "up", "output": before }, "after": { "state": "drain", "output": "gshut" },
                "finally": { "output": finally, "after_ms": 0 },
                "survivors": { "enough": enough, "words": "NOT enough" },
            });
            serde_json::from_value(json).unwrap()
        };
        let remarks = |change| asked.remarks(&[change]).iter().map(ToString::to_string).collect::<Vec<_>>();
        let warning = ["users of dns may get no answer: NOT enough"];
        assert_eq!(remarks(change("normal", "none", Some(false))), warning);
        let nothing: [&str; 0] = [];
        assert_eq!(remarks(change("normal", "none", Some(true))), nothing);
        assert_eq!(remarks(change("normal", "none", None)), nothing);
        assert_eq!(remarks(change("normal", "normal", Some(false))), nothing, "nobody goes");
        assert_eq!(remarks(change("none", "none", Some(false))), nothing, "nobody is here");
    }
}
