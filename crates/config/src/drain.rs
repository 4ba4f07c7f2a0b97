//! `drain`, `converge` and `connections`: how a group leaves without dropping anybody. `[site]` says it for all
//! groups, `[[group]]` for one.

use announce::Drain;
use document::Table;
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(3600);

/// What the table says; where it says nothing, what holds otherwise.
pub(crate) fn read(table: &Table, otherwise: Drain) -> Drain {
    let at_least = table.optional("drain").duration_in(Duration::ZERO..=LONGEST);
    let convergence = table.optional("converge").duration_in(Duration::ZERO..=LONGEST);
    let connections = table.optional("connections").number_in(0..=u32::MAX);
    let at_least = at_least.map_or(otherwise.at_least, |at_least| at_least.value);
    if let Some(convergence) = convergence.as_ref().filter(|convergence| convergence.value > at_least) {
        let message = format!("the drain of {at_least:?} is over before {:?} are", convergence.value);
        let hint = "`converge` is the part of `drain` that is waited for even if nobody is left";
        table.document().fault_with_hint(convergence.span.clone(), message, hint);
    }
    Drain {
        at_least,
        convergence: convergence.map_or(otherwise.convergence.min(at_least), |convergence| convergence.value),
        connections: connections.map_or(otherwise.connections, |connections| connections.value),
    }
}
