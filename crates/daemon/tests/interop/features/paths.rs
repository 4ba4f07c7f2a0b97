//! The path beside the session, as BFD watches it.

use crate::implementation::Optional;
use crate::table::{Cell, View};
use serde_json::Value;

fn path(view: View<'_>) -> Value {
    view.site.peer(&view.name())["bfd"].clone()
}

/// How often the session has ended, whoever ended it.
fn ended(view: View<'_>) -> usize {
    view.heard("Established -> Idle: ")
}

/// Both ends see the path. Where the peer has no BFD the session is up without it (RFC 5882 section 4.1).
pub(crate) fn up(view: View<'_>) -> Cell {
    view.until("the session is up and carries the route", || view.is_served());
    if let Some(why) = view.implementation.lacks(Optional::Bfd) {
        assert_eq!(path(view)["state"], "down");
        return Cell::Lacks(why);
    }
    view.until("the site sees the path", || path(view)["state"] == "up");
    view.until("the peer sees it, too", || is_up_at_the_peer(view));
    Cell::Passes
}

fn is_up_at_the_peer(view: View<'_>) -> bool {
    view.implementation.bfd_session(&view.at).to_lowercase().contains("up")
}

/// No packets arrive any more: the site ends the session with that reason (RFC 9384), and it comes back without BFD.
pub(crate) fn lost(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::Bfd) {
        assert!(view.is_served());
        return Cell::Lacks(why);
    }
    view.until("the path is lost", || path(view)["losses"] == 1);
    let said = "we ended the connection: Cease: BFD Down (6/10)";
    view.until(said, || view.heard(said) == 1);
    view.until("the peer notices, too", || !is_up_at_the_peer(view));
    view.until("the session is back without BFD", || view.is_served());
    assert_ne!(path(view)["state"], "up");
    Cell::Passes
}

/// The peer's operator wants no BFD, and that says nothing about the path (RFC 5882 section 4.2).
pub(crate) fn admin_down(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::AdminDown) {
        return Cell::Lacks(why);
    }
    up(view);
    view.until("the session is up, however late the peer was to notice the loss", || view.is_served());
    let before = ended(view);
    view.implementation.shut_down_bfd(&view.at);
    view.until("the peer says so", || view.heard("the neighbour says admin-down") >= 1);
    assert_ne!(path(view)["state"], "up");
    assert_eq!(path(view)["losses"], 1, "none beside the one before");
    assert!(view.is_served());
    assert_eq!(ended(view), before);
    Cell::Passes
}
