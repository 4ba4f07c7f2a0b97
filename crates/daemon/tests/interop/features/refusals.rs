//! What ends a session or keeps it from coming up, and that both sides say why.

use crate::implementation::Optional;
use crate::table::{Cell, View};

/// Both say that they are the customer: there is no session, and it is said why.
pub(crate) fn two_customers(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::Roles) {
        view.until("the session is up and carries the route", || view.is_served());
        return Cell::Lacks(why);
    }
    // The peer finds it out, too; what it says comes after its OPEN.
    let said = "we ended the connection: OPEN Message Error: Role Mismatch (2/11)";
    view.until(said, || view.heard(said) >= 1);
    assert_eq!(view.heard("-> Established"), 0);
    Cell::Passes
}

/// The peer tells more routes than the site takes: the site ends the session, and the peer's operator sees why.
pub(crate) fn more_than_we_take(view: View<'_>) -> Cell {
    let said = "announced more than 1 ipv6 prefixes";
    view.until(said, || view.heard(said) >= 1);
    let said = "we ended the connection: Cease: Maximum Number of Prefixes Reached (6/1)";
    view.until(said, || view.heard(said) >= 1);
    if let Some(why) = view.implementation.lacks(Optional::ErrorCode) {
        return Cell::Lacks(why);
    }
    view.until("the peer says why", || {
        let said = view.implementation.says(&view.at).to_lowercase();
        ["maximum number of prefixes reached", "received max-prefix exceeded"]
            .iter()
            .any(|why| said.contains(why))
    });
    Cell::Passes
}

/// The peer's packets arrive as if they came from far away: the kernel drops them, and the site says who waits.
pub(crate) fn too_far(view: View<'_>) -> Cell {
    let said = "from further away than `ttl_security` allows; without a session: ";
    let name = view.name();
    let is_said = |sentence: &String| sentence.split_once(said).is_some_and(|(_, who)| who.contains(&name));
    view.until(said, || view.site.sentences("").iter().any(is_said));
    assert!(!view.implementation.is_established(&view.at));
    assert_eq!(view.heard("-> Established"), 0);
    Cell::Passes
}

/// The peer was told more routes than it takes: it says so and ends the session.
pub(crate) fn more_than_the_peer_takes(view: View<'_>) -> Cell {
    let said = "the neighbour ended the connection: Cease: Maximum Number of Prefixes Reached (6/1)";
    view.until(said, || view.heard(said) >= 1);
    Cell::Passes
}

/// The kernel drops what is signed with another key, the site says so, and there is no session.
pub(crate) fn another_key(view: View<'_>) -> Cell {
    let dropped = "with a wrong signature";
    let process = "";
    view.until(dropped, || view.site.sentences(process).iter().any(|sentence| sentence.contains(dropped)));
    assert!(!view.implementation.is_established(&view.at));
    assert_eq!(view.heard("-> Established"), 0);
    Cell::Passes
}
