//! Graceful restart with each peer (RFC 4724, RFC 8538): we are killed, the peer is killed, we stop.
//!
//! The restart time is longer than any wait here, so that what goes does not go because time is over.

use crate::host::{comes_true, until};
use crate::implementation::{Optional, Session};
use crate::peers::Peers;
use crate::site::{ANNOUNCED, COVER};
use crate::table::{Cell, Table, View};
use terms::Family;

/// A check beside the other one that says nothing until the test lets it: so nothing is decided before every peer has
/// been looked at, however busy the machine is.
const GATE: &str = "[[service.check]]\n\
    exec = { command = [\"/bin/sh\", \"-c\", \"test -e DIR/decide || exit 2\"] }\n\
    interval = \"500ms\"\ntimeout = \"500ms\"\nhang_after = \"1h\"\n\n[service.dns]";

const LINES: &str = "keep_received = true\ngraceful_restart = { restart_time = \"600s\" }\n";

#[test]
fn every_peer_and_graceful_restart() {
    let mut peers = Peers::new();
    let mut table = Table::default();
    let session = Session::new("lasting", Family::Ipv4, &Family::ALL);
    peers.begin(&[Session { graceful: true, lines: LINES, ..session }]);
    table.row("both sides offer it, with hard resets", &peers, 0, offered);

    peers.site.kill();
    table.row("we are killed: our routes stay, as stale ones", &peers, 0, our_routes_stay);
    peers.site.reconfigure(|file| file.replace("cover = ", "# cover = ").replace("[service.dns]", GATE));
    peers.site.start();
    table.row("we are back: our routes stay until all is decided", &peers, 0, nothing_is_decided);
    let decide = peers.site.host.write("decide", "");
    table.row("what we do not tell again goes at End-of-RIB", &peers, 0, the_rest_goes);

    peers.kill();
    table.row("the peer is killed: its routes stay, as stale ones", &peers, 0, their_routes_stay);
    peers.start_again();
    table.row("the peer is back: its routes are fresh again, or gone", &peers, 0, their_routes_are_fresh);

    peers.site.kill();
    peers.site.take_addresses();
    std::fs::remove_file(&decide).unwrap();
    peers.site.reconfigure(|file| file.replace("# cover = ", "cover = "));
    peers.site.start();
    table.row("we are back after a boot of the host: our routes go at once", &peers, 0, a_boot);
    peers.site.host.write("decide", "");
    until("the cover is told again", || {
        peers.views(0).all(|view| view.is_served() && view.route(COVER).is_some())
    });
    peers.site.stop();
    table.row("we stop: our routes go at once", &peers, 0, our_routes_go);
    insta::assert_snapshot!(table.render(&peers));
}

fn said(view: View<'_>) -> serde_json::Value {
    view.site.peer(&view.name())["graceful_restart"].clone()
}

fn offered(view: View<'_>) -> Cell {
    crate::features::session(view);
    assert!(view.route(COVER).is_some());
    let said = said(view);
    assert_eq!(said["restart_time_s"], 600);
    assert!(!said["peer"].is_null(), "{said:#}\n{}", view.implementation.says(&view.at));
    match said["hard_reset"].as_bool() {
        Some(true) => Cell::Passes,
        _ => Cell::Lacks("hard resets (RFC 8538); any NOTIFICATION ends it there"),
    }
}

/// Gone before anything is decided, since the addresses were not there all the time.
fn a_boot(view: View<'_>) -> Cell {
    let deferred = || said(view)["end_of_rib_deferred_since"].is_u64();
    view.until("the session is back and End-of-RIB is held back", || view.is_established() && deferred());
    if let Some(why) = view.implementation.lacks(Optional::Forwarding) {
        assert!(ANNOUNCED.into_iter().all(|prefix| view.implementation.is_stale(&view.at, prefix)));
        assert!(deferred(), "decided before the routes were looked at");
        return Cell::Lacks(why);
    }
    view.until("every route of before is gone", || {
        ANNOUNCED.into_iter().all(|prefix| view.route(prefix).is_none()) || !deferred()
    });
    assert!(deferred(), "decided before the routes were gone");
    Cell::Passes
}

fn our_routes_stay(view: View<'_>) -> Cell {
    view.until("the peer has noticed", || !view.implementation.is_established(&view.at));
    for prefix in ANNOUNCED.into_iter().chain([COVER]) {
        view.until(&format!("{prefix} is stale"), || view.implementation.is_stale(&view.at, prefix));
    }
    Cell::Passes
}

fn nothing_is_decided(view: View<'_>) -> Cell {
    let deferred = || said(view)["end_of_rib_deferred_since"].is_u64();
    view.until("the session is back and End-of-RIB is held back", || view.is_established() && deferred());
    let missing = ANNOUNCED.into_iter().chain([COVER]).find(|prefix| view.route(prefix).is_none());
    // The look at the routes was in time if nothing is decided even now.
    assert!(deferred(), "decided before the routes were looked at");
    assert_eq!(missing, None, "{:#?}", view.site.sentences(&view.name()));
    Cell::Passes
}

fn the_rest_goes(view: View<'_>) -> Cell {
    let mut gaps = Vec::new();
    view.until("the cover is gone, the rest is told again", || {
        gaps.extend(ANNOUNCED.into_iter().filter(|prefix| view.route(prefix).is_none()));
        let is_fresh = |prefix| !view.implementation.is_stale(&view.at, prefix);
        view.is_served() && view.route(COVER).is_none() && ANNOUNCED.into_iter().all(is_fresh)
    });
    assert_eq!(gaps, Vec::<&str>::new(), "a route was gone for a moment");
    assert_eq!(view.heard("the neighbour keeps what it was told before until all is decided"), 1);
    assert_eq!(view.heard("all is decided: the neighbour forgets"), 1);
    Cell::Passes
}

fn their_routes_stay(view: View<'_>) -> Cell {
    let kept = |key: &str| view.site.peer(&view.name())["received"]["kept"][key].as_u64().unwrap_or_default();
    view.until("its end was noticed", || view.heard("Established -> ") == 1);
    if let Some(why) = view.implementation.lacks(Optional::Restarting) {
        assert_eq!(kept("ipv4") + kept("ipv6"), 0);
        return Cell::Lacks(why);
    }
    assert_eq!(view.heard("the neighbour may be restarting: its ipv4 and ipv6 routes stay"), 1);
    let stale = (kept("ipv4") + kept("ipv6"), kept("stale"));
    assert!(stale.0 >= 2 && stale.0 == stale.1, "{stale:?}");
    assert_eq!(said(view)["stale_routes"].as_u64(), Some(stale.0));
    Cell::Passes
}

fn their_routes_are_fresh(view: View<'_>) -> Cell {
    view.until("the session is back", || view.is_served());
    view.until("nothing is stale", || {
        let said = said(view);
        said["stale_routes"] == 0 && said["stale_until"].is_null()
    });
    let kept = &view.site.peer(&view.name())["received"]["kept"];
    assert!(kept["ipv4"].as_u64() >= Some(1), "{kept}");
    if let Some(why) = view.implementation.lacks(Optional::Restarting) {
        return Cell::Lacks(why);
    }
    match view.heard("does not say that it went on forwarding") {
        0 => Cell::Passes,
        _ => Cell::Lacks("its F bit is clear, so they were dropped at once and came back"),
    }
}

/// The cover is not withdrawn before the end: only the end itself takes it away.
fn our_routes_go(view: View<'_>) -> Cell {
    // The site is gone: it can say nothing about why something is not so.
    assert!(comes_true(|| !view.implementation.is_established(&view.at)), "the session is not over");
    let mut prefixes = ANNOUNCED.into_iter().chain([COVER]);
    assert!(
        comes_true(|| prefixes.clone().all(|prefix| view.route(prefix).is_none())),
        "routes stay: {:?}",
        { prefixes.find_map(|prefix| view.route(prefix)) }
    );
    Cell::Passes
}
