//! The path beside the session, as BFD watches it.

use crate::implementation::Optional;
use crate::table::{Cell, View};
use serde_json::Value;

fn path(view: View<'_>) -> Value {
    view.site.peer(&view.name())["bfd"].clone()
}

/// How often the session has ended. The site says why (RFC 9384), unless the peer was quicker; some peers do not.
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
    view.until("the peer sees it, too", || {
        view.implementation.bfd_session(&view.at).to_lowercase().contains("up")
    });
    Cell::Passes
}

/// The peer's packets do not arrive any more: the session ends with that reason, and comes back without BFD.
pub(crate) fn lost(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::Bfd) {
        assert!(view.is_served());
        return Cell::Lacks(why);
    }
    view.until("the path is lost", || path(view)["losses"] == 1);
    view.until("and the session with it", || ended(view) >= 1);
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
    let before = ended(view);
    view.implementation.shut_down_bfd(&view.at);
    view.until("the peer says so", || view.heard("the neighbour says admin-down") >= 1);
    assert_ne!(path(view)["state"], "up");
    assert_eq!(path(view)["losses"], 1, "none beside the one before");
    assert!(view.is_served());
    assert_eq!(ended(view), before);
    Cell::Passes
}
