//! What both ends have to agree on when the session begins.

use super::{heard_all, refresh};
use crate::implementation::Optional;
use crate::site::{ANNOUNCED, COVER};
use crate::table::{Cell, View};

/// Whether both ends can do something that `status` calls like this.
fn is_agreed(view: View<'_>, word: &str) -> bool {
    let peer = view.site.peer(&view.name());
    let capabilities = peer["capabilities"].as_array().unwrap();
    capabilities.iter().any(|capability| capability.as_str().unwrap().starts_with(word))
}

/// What is agreed where the peer can, and is not where it cannot.
fn agreed(view: View<'_>, feature: Optional, word: &str) -> Cell {
    view.until("the session is up and carries the route", || view.is_served());
    match view.implementation.lacks(feature) {
        None => {
            assert!(is_agreed(view, word), "not agreed: {word}");
            Cell::Passes
        }
        Some(why) => {
            assert!(!is_agreed(view, word), "it has {word} after all");
            Cell::Lacks(why)
        }
    }
}

/// The site is the customer, the peer its provider. Where the peer says nothing the site's own role counts (RFC 9234
/// section 4.2), and is no agreement.
pub(crate) fn roles(view: View<'_>) -> Cell {
    let cell = agreed(view, Optional::Roles, "role-customer");
    if let Cell::Passes = cell {
        let said = view.implementation.says(&view.at).to_lowercase();
        assert!(said.lines().any(|line| line.contains("role") && line.contains("customer")), "{said}");
    }
    cell
}

/// Every route has an identifier, in both directions.
pub(crate) fn added_paths(view: View<'_>) -> Cell {
    view.until("the session is up and carries the route", || view.is_served());
    assert!(is_agreed(view, "add-path-receive-ipv4"));
    assert!(is_agreed(view, "add-path-send-ipv4"));
    // Two prefixes in one UPDATE: without identifiers one of them would pass for the identifier of the other.
    view.until("the cover has come, too", || view.route(COVER).is_some());
    view.until("the peer's own routes were heard", || heard_all(view));
    Cell::Passes
}

/// The peer asks for everything; beginning and end are marked, and nothing that was told again is dropped as stale.
pub(crate) fn enhanced_refresh(view: View<'_>) -> Cell {
    if let lacks @ Cell::Lacks(_) = agreed(view, Optional::EnhancedRefresh, "enhanced-route-refresh") {
        return lacks;
    }
    let marks = || view.implementation.refresh_marks(&view.at);
    let before = marks();
    let cell = refresh(view);
    view.until("beginning and end were marked", || marks() == before + 2);
    cell
}

/// IPv4 routes over a session that knows IPv6 addresses only, in both directions.
pub(crate) fn extended_next_hop(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::ExtendedNextHop) {
        view.until("the session is up", || view.is_established());
        assert!(!is_agreed(view, "extended-next-hop"));
        assert!(view.route(ANNOUNCED[0]).is_none(), "what it could not use it is not told");
        return Cell::Lacks(why);
    }
    view.until("the session is up and carries the route", || view.is_served());
    assert!(is_agreed(view, "extended-next-hop"));
    let route = view.route(ANNOUNCED[0]).unwrap();
    assert_eq!(route.next_hop, view.at.neighbour.site.ipv6.to_string());
    view.until("the peer's own route was heard", || heard_all(view));
    Cell::Passes
}
