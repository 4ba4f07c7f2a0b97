//! What is tried with each peer: one function for each feature.

pub(crate) mod agreements;
pub(crate) mod paths;
pub(crate) mod refusals;

use crate::implementation::{ORIGINATED, Optional, family};
use crate::site::ANNOUNCED;
use crate::table::{Cell, View};
use std::collections::BTreeSet;

/// What every peer is told beside the prefix in the round of policies, as lines of the site file.
pub(crate) const POLICY: &str = "prepend = 2\nmed = 50\n\
    communities = [\"64500:1\", \"64500:1:2\", \"0x0002fbf400000007\"]\n\
    deprefer = { communities = [\"64500:80\"] }\nblackhole = true\n";

/// What the site asks its peers to drop for a while.
pub(crate) const DROPPED: [&str; 2] = ["198.18.0.99/32", "2001:db8:53::99/128"];

/// The site's route is there, with the site's own address as its next hop, and the peer's route was heard.
pub(crate) fn session(view: View<'_>) -> Cell {
    view.until("the session is up and carries the route", || view.is_served());
    let families = &view.at.session.families;
    for &family in families {
        let route = view.route(ANNOUNCED[family as usize]).unwrap();
        let site = view.at.neighbour.site;
        let expected = [site.ipv4.to_string(), site.ipv6.to_string()];
        assert_eq!(route.next_hop, expected[family as usize]);
    }
    let nowhere = "::1 is no host";
    view.until("the peer's own routes were heard", || heard_all(view) || view.heard(nowhere) >= 1);
    match view.heard(nowhere) {
        0 => Cell::Passes,
        _ => Cell::Lacks("its IPv6 routes come with the next hop `::1` and count as withdrawn"),
    }
}

/// Whether every route was heard that the peer announces; some tell us our own routes back, too.
fn heard_all(view: View<'_>) -> bool {
    let families = &view.at.session.families;
    let announced = ORIGINATED.iter().filter(|prefix| families.contains(&family(prefix))).count();
    view.site.peer(&view.name())["received"]["accepted"].as_u64() >= Some(announced as u64)
}

pub(crate) fn prepends(view: View<'_>) -> Cell {
    for prefix in ANNOUNCED {
        assert_eq!(view.route(prefix).unwrap().as_path, [64_500; 3]);
    }
    Cell::Passes
}

pub(crate) fn med(view: View<'_>) -> Cell {
    for prefix in ANNOUNCED {
        assert_eq!(view.route(prefix).unwrap().med, Some(50));
    }
    Cell::Passes
}

pub(crate) fn communities(view: View<'_>) -> Cell {
    let expected = ["64500:1", "64500:1:2", "rt 64500:7"].map(str::to_owned);
    for prefix in ANNOUNCED {
        assert_eq!(view.route(prefix).unwrap().communities, BTreeSet::from(expected.clone()));
    }
    Cell::Passes
}

/// The peer asks, and every route is told again.
pub(crate) fn refresh(view: View<'_>) -> Cell {
    let before = view.implementation.updates(&view.at);
    view.implementation.refresh(&view.at);
    if let Some(why) = view.implementation.lacks(Optional::Refresh) {
        assert_eq!(view.heard("asked to be told its"), 0);
        return Cell::Lacks(why);
    }
    for family in &view.at.session.families {
        let asked = format!("asked to be told its {family} routes again");
        view.until(&asked, || view.heard(&asked) == 1);
    }
    // One UPDATE for each family, at least.
    let updates = before + view.at.session.families.len() as u64;
    view.until("every route was told again", || view.implementation.updates(&view.at) >= updates);
    assert!(view.is_served());
    Cell::Passes
}

/// The peer's operator ends the session: its text is in our events.
pub(crate) fn their_shutdown_text(view: View<'_>) -> Cell {
    let text = "back at noon";
    view.implementation.shut_down(&view.at, text);
    let heard =
        format!("the neighbour ended the connection: Cease: Administrative Shutdown (6/2) \"{text}\"");
    view.until(&heard, || view.heard(&heard) == 1);
    view.implementation.bring_back(&view.at);
    view.until("the session is back", || view.is_served());
    Cell::Passes
}

/// The site asks the peer to drop two addresses (RFC 7999): their routes say so, and nothing that other routes say.
pub(crate) fn blackholes(view: View<'_>) -> Cell {
    let expected = ["65535:666", "65535:65281"].map(str::to_owned);
    for prefix in DROPPED {
        view.until("the blackhole is there", || view.route(prefix).is_some());
        let route = view.route(prefix).unwrap();
        assert_eq!(route.communities, BTreeSet::from(expected.clone()), "{prefix}");
        assert_eq!((route.as_path, route.med.unwrap_or_default()), (vec![64_500], 0), "{prefix}");
    }
    Cell::Passes
}

/// It asks no more: their routes are gone, and the others are what they were.
pub(crate) fn blackholes_end(view: View<'_>) -> Cell {
    for prefix in DROPPED {
        view.until("the blackhole is gone", || view.route(prefix).is_none());
    }
    assert!(view.is_served());
    prepends(view);
    communities(view)
}

/// The site drains: its routes are marked as about to go.
pub(crate) fn graceful_shutdown(view: View<'_>) -> Cell {
    for prefix in ANNOUNCED {
        view.until("the route is marked", || {
            view.route(prefix).is_some_and(|route| {
                route.communities.contains("65535:0") && route.communities.contains("64500:80")
            })
        });
    }
    Cell::Passes
}

/// The site withdraws: its routes are gone, the session is not.
pub(crate) fn withdraw(view: View<'_>) -> Cell {
    for prefix in ANNOUNCED {
        view.until("the route is gone", || view.route(prefix).is_none());
    }
    assert!(view.is_established());
    Cell::Passes
}

/// The session is up again with every route, after whatever was done to it.
pub(crate) fn is_back(view: View<'_>) -> Cell {
    view.until("the session is back", || view.is_served());
    Cell::Passes
}

/// The peer was silent for the hold time: we say so and end the session; when the peer speaks again, so do we.
pub(crate) fn their_silence(view: View<'_>) -> Cell {
    let said = "we ended the connection: Hold Timer Expired (4/0)";
    assert_eq!(view.heard(said), 1, "{:#?}", view.site.sentences(&view.name()));
    is_back(view)
}

/// The site was silent for the hold time: the peer says so and ends the session.
pub(crate) fn our_silence(view: View<'_>) -> Cell {
    let said = "the neighbour ended the connection: Hold Timer Expired (4/0)";
    view.until(said, || view.heard(said) == 1);
    is_back(view)
}

/// The site has stopped: its reason is shown by the peer's own command.
pub(crate) fn our_shutdown_text(view: View<'_>) -> Cell {
    let text = "london stops on SIGTERM";
    view.until("the session is over", || !view.implementation.is_established(&view.at));
    if let Some(why) = view.implementation.lacks(Optional::ShutdownText) {
        assert!(!view.implementation.says(&view.at).contains(text));
        return Cell::Lacks(why);
    }
    view.until("the reason is shown", || view.implementation.says(&view.at).contains(text));
    Cell::Passes
}

/// The site has stopped in order and runs again.
pub(crate) fn after_our_restart(view: View<'_>) -> Cell {
    if let Some(why) = view.implementation.lacks(Optional::QuickReturn) {
        assert!(!view.is_established());
        view.implementation.bring_back(&view.at);
        is_back(view);
        return Cell::Lacks(why);
    }
    is_back(view)
}
