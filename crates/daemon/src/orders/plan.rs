//! What an order changes: for which prefixes, at which peers, whether it is permitted, and who carries the users.

mod survivors;

use crate::announce::{Seen, output, state};
use crate::export::{Decision, GroupLevel, routes};
use crate::status::{Board, Peer};
use announce::{Action, Input, Intent, Level, Permit, Wish};
use api::{
    FleetGroup, FleetStatus, GroupChange, Later, Output, PermitHeld, PermitState, RouteChange, Stand,
    StoreState,
};
use bgp::session::StateName;
use std::time::Duration;
use survivors::survivors;

/// What would come of an intent, tried on copies of the machines.
pub(crate) fn rehearse(seen: &[Seen], intent: &Intent, board: &Board) -> Vec<GroupChange> {
    let fleet = board.fleet.status();
    let rehearsed = seen.iter().map(|before| {
        let permit = outlook(before, intent, &fleet);
        let after = try_on(before, intent, permit);
        change(before, &after, permit, board)
    });
    rehearsed.collect()
}

/// What came of an order that was carried out.
pub(crate) fn compare(before: &[Seen], after: &[Seen], intent: &Intent, board: &Board) -> Vec<GroupChange> {
    let pairs = before.iter().filter_map(|before| {
        let after = after.iter().find(|after| after.name() == before.name())?;
        let permit = if needs_permit(before, intent) { PermitState::Held } else { PermitState::NotNeeded };
        Some(change(before, after, permit, board))
    });
    pairs.collect()
}

/// Whether nothing stands against it.
pub(crate) fn is_permitted(changes: &[GroupChange]) -> bool {
    changes.iter().all(|change| match change.permit {
        PermitState::NotNeeded | PermitState::Held | PermitState::Free => true,
        PermitState::Taken | PermitState::Unknown => false,
    })
}

/// Whether the intent takes away what this group announces, and nobody has overridden the guard.
fn needs_permit(seen: &Seen, intent: &Intent) -> bool {
    let takes_away = match intent {
        Intent::Drain(_) | Intent::Withdraw { override_guard: false, .. } => true,
        Intent::Normal
        | Intent::Withdraw { override_guard: true, .. }
        | Intent::Freeze(_)
        | Intent::ForceAnnounce(_) => false,
    };
    takes_away && seen.level > Level::None
}

/// What the fleet would say. A site on its own asks nobody.
fn outlook(seen: &Seen, intent: &Intent, fleet: &FleetStatus) -> PermitState {
    if !needs_permit(seen, intent) {
        return PermitState::NotNeeded;
    }
    if seen.machine.settings().never_withdraw {
        return PermitState::Taken;
    }
    let group = fleet.groups.iter().find(|group| group.name == *seen.name());
    match (fleet.store, group) {
        (StoreState::None, _) => PermitState::Free,
        (_, Some(group)) if group.permit == PermitHeld::Held => PermitState::Held,
        (StoreState::Reached, Some(group)) if has_slot(group, fleet) => PermitState::Free,
        (StoreState::Reached, Some(_)) => PermitState::Taken,
        (StoreState::Reached | StoreState::Starting | StoreState::Lost, _) => PermitState::Unknown,
    }
}

/// Whether a permit is left, or none is needed because another host of this site stays.
fn has_slot(group: &FleetGroup, fleet: &FleetStatus) -> bool {
    let ours = group.members.iter().find(|member| member.site == fleet.site);
    let another_stays = ours.is_some_and(|ours| ours.standing.iter().any(|host| *host != fleet.host));
    another_stays || group.taken < group.slots
}

/// The group as it would be.
fn try_on(seen: &Seen, intent: &Intent, permit: PermitState) -> Seen {
    let mut after = seen.clone();
    after.machine.handle(Input::Intent(intent.clone()), seen.now);
    let granted = match permit {
        PermitState::NotNeeded | PermitState::Held | PermitState::Free => Permit::Held,
        PermitState::Taken | PermitState::Unknown => Permit::Asked,
    };
    if permit != PermitState::NotNeeded {
        // It may be asked for already, because a check fails.
        after.machine.handle(Input::Permit(granted), seen.now);
    }
    while let Some(action) = after.machine.poll_output() {
        match action {
            Action::Permit(Wish::Ask) => after.machine.handle(Input::Permit(granted), seen.now),
            Action::Permit(Wish::Release) => after.machine.handle(Input::Permit(Permit::None), seen.now),
            Action::Announce(_)
            | Action::Resend
            | Action::CheckSoon { .. }
            | Action::Remember(_)
            | Action::Event(_) => {}
        }
    }
    after.level = after.machine.level();
    after
}

fn change(before: &Seen, after: &Seen, permit: PermitState, board: &Board) -> GroupChange {
    GroupChange {
        name: before.name().clone(),
        services: before.services.clone(),
        intent: api::Intent::default(),
        before: stand(before),
        after: stand(after),
        finally: finally(after),
        permit,
        survivors: survivors(before.name(), &board.fleet.status()),
        routes: board.shown.borrow().peers.iter().flat_map(|peer| rerouted(peer, before, after)).collect(),
    }
}

fn stand(seen: &Seen) -> Stand {
    Stand { state: state(seen.machine.state()), output: output(seen.level) }
}

/// A drain ends by itself; everything else is done at once.
fn finally(after: &Seen) -> Later {
    if after.machine.state() != announce::State::Drain {
        return Later { output: output(after.level), after_ms: 0 };
    }
    let longest = after.machine.settings().drain.at_least;
    Later { output: Output::None, after_ms: millis(longest) }
}

/// What changes for one peer. One without a session is told everything anew when it has one.
fn rerouted(peer: &Peer, before: &Seen, after: &Seen) -> Vec<RouteChange> {
    let view = peer.view.borrow();
    if view.state != StateName::Established {
        return Vec::new();
    }
    let routes_of = |seen: &Seen| {
        let group = GroupLevel { level: seen.level, prefixes: seen.prefixes.clone() };
        routes(&Decision { groups: vec![group], ..Decision::default() }, &view.towards(&peer.name))
    };
    let (has, gets) = (routes_of(before), routes_of(after));
    let prefixes = before.prefixes.iter().filter(|prefix| view.families.contains(&prefix.family()));
    let changed = prefixes.filter(|prefix| has.get(prefix) != gets.get(prefix));
    changed
        .map(|&prefix| RouteChange {
            prefix,
            peer: peer.name.clone(),
            before: has.get(&prefix).cloned(),
            after: gets.get(&prefix).cloned(),
        })
        .collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
