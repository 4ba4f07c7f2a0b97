//! One zone, from others and to others, by whichever way it comes and whatever goes wrong.

use super::peers::{Changes, Peer, Proxy, SECRET};
use super::*;
use std::path::Path;
use transfer::Held;

/// Our zone goes to a server, which hears of the next version and fetches what has changed.
fn is_a_primary_for(peer: fn(&World, &Path) -> Peer) {
    let world = World::new(&primary(&[&zone_text(1, PATIENT)], &[peers::ADDRESS]));
    let folder = tempfile::tempdir().unwrap();
    let _peer = peer(&world, folder.path());
    world.wait_until("the first version", || world.serial_at(peers::ADDRESS) == "1");
    let reread = world.shelf.change(&primary(&[&zone_text(2, PATIENT)], &[peers::ADDRESS]));
    assert_eq!(reread.len(), 1);
    world.shelf.compare(reread);
    world.wait_until("the second version", || world.serial_at(peers::ADDRESS) == "2");
    let port = peers::ADDRESS.port();
    let texts =
        |n| world.dig(&format!("@{}", peers::ADDRESS.ip()), &format!("-p {port} +short v{n}.example. TXT"));
    assert_eq!((texts(1).as_str(), texts(2).as_str()), ("", "\"only in version 2\"\n"));
    assert_eq!(
        world.dig(&format!("@{}", peers::ADDRESS.ip()), &format!("-p {port} +short host1999.example. A")),
        "192.0.2.207\n"
    );
}

#[test]
fn knot_takes_a_zone_from_us() {
    is_a_primary_for(|world, folder| Peer::knot_secondary(&world.namespace, folder));
}

#[test]
fn nsd_takes_a_zone_from_us() {
    is_a_primary_for(|world, folder| Peer::nsd_secondary(&world.namespace, folder));
}

#[test]
fn who_may_have_a_zone_gets_it_and_nobody_else() {
    let world = World::new(&primary(&[&zone_text(1, PATIENT)], &[]));
    let service = format!("@{SERVICE}");
    let axfr = |more: &str| world.dig(&service, &format!("{more}example. AXFR").replace("  ", " "));
    let good = format!("-y hmac-sha256:transfer:{SECRET} ");
    let zone = axfr(&good);
    assert_eq!(zone.lines().filter(|line| line.contains("\tSOA\t")).count(), 2, "{zone}");
    assert_eq!(zone.lines().filter(|line| line.starts_with("host")).count(), 2000);
    assert!(zone.matches("\tTSIG\t").count() > 2, "every message of it is signed: {zone}");
    assert!(axfr("").contains("Transfer failed"), "without a key");
    let other = "-y hmac-sha256:transfer:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI= ".to_owned();
    assert!(axfr(&other).contains("BADSIG"), "{}", axfr(&other));
    let unknown = format!("-y hmac-sha256:unknown:{SECRET} ");
    assert!(axfr(&unknown).contains("BADKEY"), "{}", axfr(&unknown));
    let changes = |serial: u32| world.dig(&service, &format!("{good}example. IXFR={serial}"));
    assert_eq!(changes(1).lines().filter(|line| line.contains("\tSOA\t")).count(), 1, "nothing has changed");
    assert_eq!(changes(0).lines().filter(|line| line.starts_with("host")).count(), 2000, "all of it");
    let soa = world.dig(&service, &format!("{good}example. SOA"));
    assert!(soa.contains("status: NOERROR") && soa.contains("TSIG PSEUDOSECTION"), "{soa}");
    let plain = world.dig(&service, "+tcp example. SOA");
    assert!(plain.contains("status: NOERROR") && !plain.contains("TSIG"), "{plain}");
    let elsewhere = world.dig(&service, &format!("{good}elsewhere. AXFR"));
    assert!(elsewhere.contains("NOTAUTH") || elsewhere.contains("Transfer failed"), "{elsewhere}");
}

/// Signed in each way, out by AXFR, and judged by three programs of other people.
#[test]
fn what_goes_out_is_the_zone_to_the_last_signature() {
    let folder = tempfile::tempdir().unwrap();
    let root = include_str!("../../../../dns/tests/zones/root-excerpt.zone");
    for (index, options) in
        [&[][..], &["-3", "aabb", "-H", "3"], &["-3", "-", "-H", "0", "-A"]].iter().enumerate()
    {
        let place = folder.path().join(index.to_string());
        std::fs::create_dir(&place).unwrap();
        let signed = peers::sign(&place, ".", root, options);
        let world = World::new(&primary(&[&signed], &[]));
        let transferred = world.dig(
            &format!("@{SERVICE}"),
            &format!("+onesoa +nocmd +nostats -y hmac-sha256:transfer:{SECRET} . AXFR"),
        );
        let file = place.join("transferred");
        let records: String = transferred
            .lines()
            .filter(|line| !line.contains("\tTSIG\t"))
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(&file, records).unwrap();
        let file = file.to_str().unwrap();
        let ldns = world.run("ldns-verify-zone", &[file]);
        assert!(ldns.contains("Zone is verified and complete"), "{options:?}: {ldns}");
        let bind = world.run("dnssec-verify", &["-o", ".", file]);
        assert!(bind.contains("Zone fully signed"), "{options:?}: {bind}");
        assert_eq!(world.run("kzonecheck", &["-o", ".", "-d", "on", file]).trim(), "", "{options:?}");
    }
}

/// A zone of theirs comes to us, and so does its next version.
fn is_a_secondary_of(peer: fn(&World, &Path) -> Peer, after: &str) {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&secondary(vec![server_at(peers::ADDRESS)]));
    assert_eq!(world.status(), "SERVFAIL", "not before it has come");
    let peer = peer(&world, folder.path());
    world.wait_until("the first version", || world.serial() == "1");
    peer.change(&zone_text(2, after));
    world.wait_until("the second version", || world.serial() == "2");
    let texts = |n| world.dig(&format!("@{SERVICE}"), &format!("+short v{n}.example. TXT"));
    assert_eq!((texts(1).as_str(), texts(2).as_str()), ("", "\"only in version 2\"\n"));
    assert_eq!(world.dig(&format!("@{SERVICE}"), "+short host1999.example. A"), "192.0.2.207\n");
    let axfr = world.dig(&format!("@{SERVICE}"), &format!("-b {SERVICE} example. AXFR"));
    assert_eq!(axfr.lines().filter(|line| line.starts_with("host")).count(), 2000, "and on to others");
    let changes = world.dig(&format!("@{SERVICE}"), &format!("-b {SERVICE} example. IXFR=1"));
    assert_eq!(changes.lines().filter(|line| line.contains("only in version")).count(), 2, "{changes}");
    assert!(changes.lines().count() < 50, "what has changed, and no more: {changes}");
}

#[test]
fn we_take_a_zone_from_knot() {
    let primary = |world: &World, folder: &Path| {
        Peer::knot_primary(&world.namespace, folder, &zone_text(1, PATIENT), Changes::Kept)
    };
    is_a_secondary_of(primary, PATIENT);
}

#[test]
fn we_take_a_zone_from_knot_that_forgets_changes() {
    let primary = |world: &World, folder: &Path| {
        Peer::knot_primary(&world.namespace, folder, &zone_text(1, PATIENT), Changes::Forgotten)
    };
    is_a_secondary_of(primary, PATIENT);
}

#[test]
fn we_take_a_zone_from_nsd() {
    let primary = |world: &World, folder: &Path| {
        Peer::nsd_primary(&world.namespace, folder, &zone_text(1, PATIENT), true)
    };
    is_a_secondary_of(primary, PATIENT);
}

/// A primary that tells nobody.
#[test]
fn a_lost_notify_costs_no_more_than_the_refresh_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = config::Server { address: peers::ADDRESS, key: Some(key("transfer.", SECRET)) };
    let world = World::new(&secondary(vec![server]));
    let peer = Peer::nsd_primary(&world.namespace, folder.path(), &zone_text(1, IMPATIENT), false);
    world.wait_until("the first version", || world.serial() == "1");
    peer.change(&zone_text(2, IMPATIENT));
    world.wait_until("the second version", || world.serial() == "2");
}

#[test]
fn a_primary_that_does_not_take_our_key_is_told_as_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = key("transfer.", "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=");
    let world = World::new(&secondary(vec![config::Server { address: peers::ADDRESS, key: Some(wrong) }]));
    let _peer = Peer::knot_primary(&world.namespace, folder.path(), &zone_text(1, PATIENT), Changes::Kept);
    world.wait_until("the fault", || world.fault().contains("the server finds the signature wrong"));
    assert_eq!(world.status(), "SERVFAIL");
    assert!(world.has_told("zone-not-received"));
}

#[test]
fn a_transfer_that_is_cut_leaves_the_version_before() {
    let folder = tempfile::tempdir().unwrap();
    let proxied: SocketAddr = "127.0.0.3:5302".parse().unwrap();
    let world = World::new(&secondary(vec![server_at(proxied)]));
    let proxy = Proxy::start(&world.namespace, peers::ADDRESS, usize::MAX);
    assert_eq!(proxy.address, proxied);
    let peer =
        Peer::knot_primary(&world.namespace, folder.path(), &zone_text(1, IMPATIENT), Changes::Forgotten);
    world.wait_until("the first version", || world.serial() == "1");
    proxy.cut_after(20_000);
    peer.change(&zone_text(2, IMPATIENT));
    world.wait_until("the fault", || world.fault().contains("broke off"));
    assert_eq!(world.serial(), "1", "the one before is served");
    proxy.cut_after(usize::MAX);
    world.wait_until("the second version", || world.serial() == "2");
    assert_eq!(world.fault(), "");
}

#[test]
fn a_primary_whose_serial_goes_back_is_told_as_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(&secondary(vec![server_at(peers::ADDRESS)]));
    let peer = Peer::nsd_primary(&world.namespace, folder.path(), &zone_text(2, IMPATIENT), false);
    world.wait_until("the first version", || world.serial() == "2");
    peer.change(&zone_text(1, IMPATIENT));
    world.wait_until("the fault", || world.fault().contains("serial 1, which is not newer than 2"));
    assert_eq!(world.serial(), "2", "the zone does not go back");
    peer.change(&zone_text(3, IMPATIENT));
    world.wait_until("the next version", || world.serial() == "3");
    assert_eq!(world.fault(), "");
}

#[test]
fn a_zone_expires_alone_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let other = zone::parse("$ORIGIN other.\n@ 60 SOA ns.a. h.a. 9 1 1 4 1\n@ NS ns.a.\n").unwrap();
    let both = secondary(vec![server_at(peers::ADDRESS)]);
    let zones = Zones::with_unavailable(vec![Arc::new(other)], vec![name("example.")]).unwrap();
    let world = World::new(&BuiltInDns { zones: Arc::new(zones), ..both });
    let text = zone_text(1, "1 1 4");
    let peer = Peer::knot_primary(&world.namespace, folder.path(), &text, Changes::Kept);
    world.wait_until("the first version", || world.serial() == "1");
    drop(peer);
    world.wait_until("its end", || world.status() == "SERVFAIL");
    assert!(matches!(world.view().unwrap().held, Held::Expired { .. }));
    let others = world.dig(&format!("@{SERVICE}"), "+short other. SOA");
    assert_eq!(others, "ns.a. h.a. 9 1 1 4 1\n", "a file does not expire, nor does the zone beside");
    assert_eq!(world.bus.alarms().len(), 1);
    assert_eq!(world.bus.alarms()[0].kind, "zone-expired");
    let _peer = Peer::knot_primary(&world.namespace, folder.path(), &text, Changes::Kept);
    world.wait_until("its return", || world.serial() == "1");
    assert_eq!(world.bus.alarms(), []);
}

#[test]
fn a_restart_serves_what_was_kept_without_a_primary() {
    let folder = tempfile::tempdir().unwrap();
    let written = secondary(vec![server_at(peers::ADDRESS)]);
    let world = World::new(&written);
    let peer = Peer::knot_primary(&world.namespace, folder.path(), &zone_text(1, PATIENT), Changes::Kept);
    world.wait_until("the first version", || world.serial() == "1");
    drop(peer);
    let World { folder: state, .. } = world;
    let world = World::with(&written, state);
    assert_eq!(world.serial(), "1");
    let image = world.folder.path().join("zones/dns/example.image");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(86_401);
    std::fs::File::open(&image).unwrap().set_modified(long_ago).unwrap();
    let World { folder: state, .. } = world;
    let world = World::with(&written, state);
    assert_eq!(world.status(), "SERVFAIL", "kept for longer than it may be served");
    world.wait_until("the alarm", || world.bus.alarms().iter().any(|alarm| alarm.kind == "zone-expired"));
    let _peer = Peer::knot_primary(&world.namespace, folder.path(), &zone_text(1, PATIENT), Changes::Kept);
    let bell = world.shelf.bell(&name("example.")).unwrap();
    let ring = || bell.ring(transfer::Client { address: peers::ADDRESS.ip(), key: None });
    world.wait_until("its return", || ring() && world.serial() == "1");
    assert_eq!(world.bus.alarms(), []);
}

/// What is answered to a message over UDP that comes from this address.
fn code_for(world: &World, message: &[u8], from: &str) -> u8 {
    let ask = || {
        let socket = std::net::UdpSocket::bind((from, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.send_to(message, (SERVICE, PORT)).unwrap();
        let mut reply = [0; 512];
        let length = socket.recv(&mut reply).unwrap();
        assert!(length >= 12 && reply[..2] == message[..2] && reply[2] & 0x80 != 0);
        reply[3] & 0x0f
    };
    world.namespace.run(ask).unwrap()
}

#[test]
fn a_notify_is_believed_from_primaries_only() {
    let world = World::new(&secondary(vec![server_at(peers::ADDRESS)]));
    let rung = world.shelf.bell(&name("example.")).unwrap().hear();
    let soa = zone::parse(&zone_text(2, PATIENT)).unwrap().authority().unwrap();
    let news = transfer::Question::News(&soa);
    let notify = news.message(7, &name("example."));
    assert_eq!(code_for(&world, &notify, SERVICE), 5, "a stranger");
    let mut signed = notify.clone();
    transfer::Conversation::open(key("transfer.", "QkJCQg=="), &mut signed, Clock::start().wall());
    assert_eq!(code_for(&world, &signed, peers::ADDRESS.ip().to_string().as_str()), 9, "with another secret");
    assert!(!rung.has_changed().unwrap());
    assert_eq!(code_for(&world, &notify, "127.0.0.2"), 0, "from the address of a primary");
    assert!(rung.has_changed().unwrap());
    let mut signed = notify;
    transfer::Conversation::open(key("transfer.", SECRET), &mut signed, Clock::start().wall());
    assert_eq!(code_for(&world, &signed, SERVICE), 0, "with the key of a primary");
    assert_eq!(code_for(&world, &news.message(7, &name("elsewhere.")), "127.0.0.2"), 9, "none of ours");
}
