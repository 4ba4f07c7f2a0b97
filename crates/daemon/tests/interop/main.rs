//! Live sessions with the implementations that run the Internet, as Debian ships them: a table of peers and features.
//!
//! One site, four peers, all at once; each in a network namespace of its own. A round gives every session the same
//! neutral description and tries features on it. A cell passes, or names what this version of the peer lacks.
//!
//! Needs root and the packages `bird2`, `frr`, `gobgpd` and `openbgpd`. Nothing is timed: every wait polls a condition.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bird;
mod features;
mod frr;
mod gobgp;
#[path = "../stage/host.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod host;
mod implementation;
mod openbgpd;
mod peers;
mod restarting;
#[path = "../stage/site.rs"]
#[allow(dead_code, reason = "each test takes what it needs")]
mod site;
mod table;

use features::{agreements, paths, refusals};
use implementation::{Role, Session};
use linux::process::ProcessSignal;
use peers::Peers;
use table::Table;
use terms::Family;

#[test]
fn every_peer_and_every_feature() {
    let mut peers = Peers::new();
    let mut table = Table::default();
    a_session_for_each_family(&mut peers, &mut table);
    both_families_over_one_session(&mut peers, &mut table);
    protected_sessions(&mut peers, &mut table);
    limits(&mut peers, &mut table);
    what_both_agree_on(&mut peers, &mut table);
    what_is_refused(&mut peers, &mut table);
    watched_paths(&mut peers, &mut table);
    insta::assert_snapshot!(table.render(&peers));
}

fn a_session_for_each_family(peers: &mut Peers, table: &mut Table) {
    let session = |name, family| Session::new(name, family, &[family]);
    peers.begin(&[session("four", Family::Ipv4), session("six", Family::Ipv6)]);
    table.row("a session over IPv4 with IPv4 routes", peers, 0, features::session);
    table.row("a session over IPv6 with IPv6 routes", peers, 1, features::session);
}

fn both_families_over_one_session(peers: &mut Peers, table: &mut Table) {
    let session = Session::new("both", Family::Ipv4, &Family::ALL);
    peers.begin(&[Session { lines: features::POLICY, ..session }]);
    table.row("both families over one session", peers, 0, features::session);
    table.row("prepends", peers, 0, features::prepends);
    table.row("MED", peers, 0, features::med);
    table.row("communities: standard, large, extended", peers, 0, features::communities);
    table.row("route refresh: the peer asks, all is told again", peers, 0, features::refresh);
    table.row("the peer's shutdown text in our events", peers, 0, features::their_shutdown_text);

    features::DROPPED.iter().for_each(|prefix| peers.site.blackhole("begin", prefix));
    table.row("blackholes: the host routes, marked 65535:666", peers, 0, features::blackholes);
    features::DROPPED.iter().for_each(|prefix| peers.site.blackhole("end", prefix));
    table.row("blackholes: gone when they end, and nothing else", peers, 0, features::blackholes_end);

    peers.site.order("drain");
    table.row("graceful shutdown: marked in the peer's table", peers, 0, features::graceful_shutdown);
    peers.site.order("withdraw");
    table.row("withdraw: gone from the peer's table", peers, 0, features::withdraw);
    peers.site.order("resume");
    table.row("announced again after a withdraw", peers, 0, features::is_back);

    peers.kill();
    peers.start();
    table.row("the peer is killed and starts again", peers, 0, features::is_back);

    peers.signal(ProcessSignal::SIGSTOP);
    host::until("every silence was noticed", || {
        let silent = "we ended the connection: Hold Timer Expired";
        peers.views(0).all(|view| view.heard(silent) == 1)
    });
    peers.signal(ProcessSignal::SIGCONT);
    table.row("hold time: the peer is silent, we end the session (4/0)", peers, 0, features::their_silence);

    peers.site.signal(ProcessSignal::SIGSTOP);
    host::until("every peer noticed", || {
        peers.views(0).all(|view| !view.implementation.is_established(&view.at))
    });
    peers.site.signal(ProcessSignal::SIGCONT);
    table.row("hold time: we are silent, the peer ends the session (4/0)", peers, 0, features::our_silence);

    peers.site.stop();
    table.row("our shutdown text in the peer's own command", peers, 0, features::our_shutdown_text);
    peers.site.start();
    table.row("the site stops and starts again", peers, 0, features::after_our_restart);
}

/// Over IPv4 with a key, over IPv6 from the next host only; then with another key.
fn protected_sessions(peers: &mut Peers, table: &mut Table) {
    let key = peers.site.host.write("key", "anycast-everywhere\n");
    std::fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let signed = Session {
        password: Some("anycast-everywhere"),
        lines: "password_file = \"key\"\n",
        ..Session::new("signed", Family::Ipv4, &[Family::Ipv4])
    };
    let near = Session {
        ttl_security: true,
        lines: "ttl_security = 1\n",
        ..Session::new("near", Family::Ipv6, &[Family::Ipv6])
    };
    peers.begin(&[signed.clone(), near.clone()]);
    table.row("TCP-MD5", peers, 0, features::session);
    table.row("GTSM", peers, 1, features::session);

    peers.begin(&[Session { password: Some("anycast-nowhere"), ..signed }, near]);
    table.row(
        "TCP-MD5: with another key there is no session, and we say why",
        peers,
        0,
        refusals::another_key,
    );
}

/// The peer takes one route, and is told two; over IPv6 it is the site that takes one.
fn limits(peers: &mut Peers, table: &mut Table) {
    let few = Session { max_prefixes: Some(1), ..Session::new("few", Family::Ipv4, &[Family::Ipv4]) };
    let six = Session::new("six", Family::Ipv6, &[Family::Ipv6]);
    let ours = Session { lines: "max_prefixes = { ipv6 = 1 }\n", ..six };
    peers.begin(&[few, ours]);
    table.row("max prefixes: we have enough (6/1)", peers, 1, refusals::more_than_we_take);
    host::until("everybody was told the route beside the cover", || {
        peers.views(0).all(|view| view.heard("198.18.0.0/24") >= 1)
    });
    // FRR looks at what it has when it is told more.
    peers.site.order("drain");
    table.row("max prefixes: the peer has enough (6/1)", peers, 0, refusals::more_than_the_peer_takes);
}

fn what_both_agree_on(peers: &mut Peers, table: &mut Table) {
    let agreed = Session {
        role: Some(Role::Provider),
        add_path: true,
        lines: "role = \"customer\"\nadd_path = \"both\"\n",
        ..Session::new("agreed", Family::Ipv4, &[Family::Ipv4])
    };
    let mixed = Session {
        extended_next_hop: true,
        lines: "extended_next_hop = true\n",
        ..Session::new("mixed", Family::Ipv6, &Family::ALL)
    };
    peers.begin(&[agreed, mixed]);
    table.row("roles: the peer is our provider", peers, 0, agreements::roles);
    table.row("added paths in both directions", peers, 0, agreements::added_paths);
    table.row("enhanced route refresh", peers, 0, agreements::enhanced_refresh);
    table.row("IPv4 routes with an IPv6 next hop", peers, 1, agreements::extended_next_hop);
}

fn what_is_refused(peers: &mut Peers, table: &mut Table) {
    let customers = Session {
        role: Some(Role::Customer),
        lines: "role = \"customer\"\n",
        ..Session::new("customers", Family::Ipv4, &[Family::Ipv4])
    };
    let far = Session { lines: "ttl_security = 1\n", ..Session::new("far", Family::Ipv6, &[Family::Ipv6]) };
    peers.begin(&[customers, far]);
    table.row("roles: both are the customer (2/11)", peers, 0, refusals::two_customers);
    table.row("GTSM: a peer without it has no session, and we say why", peers, 1, refusals::too_far);
}

/// BFD packets are lost for a while in both directions, and nothing else. The peer bears 5 s of that, the site 0.3 s: so it
/// is the site that has to do something about it.
fn watched_paths(peers: &mut Peers, table: &mut Table) {
    let watched = Session {
        bfd: true,
        lines: "bfd = { interval = \"100ms\", multiplier = 50 }\n",
        ..Session::new("watched", Family::Ipv4, &Family::ALL)
    };
    peers.begin(&[watched]);
    table.row("BFD: both ends see the path", peers, 0, paths::up);
    let nft = |rules: &str| peers.site.host.ask("/usr/sbin/nft", &[rules]);
    nft("add table inet dead; add chain inet dead in { type filter hook input priority 0; }; \
         add chain inet dead out { type filter hook output priority 0; }; \
         add rule inet dead in udp dport 3784 drop; add rule inet dead out udp dport 3784 drop");
    table.row("BFD: the path is lost, the session ends", peers, 0, paths::lost);
    nft("delete table inet dead");
    table.row("BFD: the peer's admin-down leaves the session alone", peers, 0, paths::admin_down);
}
