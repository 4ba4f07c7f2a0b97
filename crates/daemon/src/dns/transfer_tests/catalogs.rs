//! Zones that catalogs list, from Knot and NSD and for Knot and BIND, and what must not become of them.

use super::peers::ADDRESS;
use super::*;
use config::{Catalog, Members};
use linux::{address, link};

const CATALOG: &str = "catalog.";

/// A small zone with this serial.
pub(in crate::dns) fn member(apex: &str, serial: u32) -> String {
    format!(
        "$ORIGIN {apex}\n@ 60 SOA ns.elsewhere. h.a. {serial} 3600 900 604800 300\n@ 60 NS ns.elsewhere.\n"
    )
}

/// A catalog that lists zones, each as `LABEL ZONE`, of which whoever has it asks every second.
pub(super) fn listing(serial: u32, version: &str, members: &[&str]) -> String {
    let mut text = format!(
        "$ORIGIN {CATALOG}\n@ 0 SOA invalid. invalid. {serial} 1 1 86400 0\n@ 0 NS invalid.\nversion 0 TXT {version}\n"
    );
    for member in members {
        let (label, zone) = member.split_once(' ').unwrap();
        text += &format!("{label}.zones 0 PTR {zone}\n");
    }
    text
}

/// How the zones of a catalog are treated.
pub(super) fn settings(most_removed: Option<usize>) -> Catalog {
    let primaries = vec![server_at(ADDRESS)];
    let members = Members { primaries, allow: Policy::default(), notify: Vec::new() };
    Catalog { members, groups: BTreeMap::new(), most_members: 100, most_removed }
}

/// What follows the catalog and takes its zones from there.
fn follower(most_removed: Option<usize>) -> BuiltInDns {
    let (primaries, catalog) = (vec![server_at(ADDRESS)], settings(most_removed));
    let zones = Zones::with_unavailable(Vec::new(), vec![name(CATALOG)]).unwrap();
    let transfers =
        vec![ZoneTransfers { zone: name(CATALOG), primaries, allow: Policy::default(), notify: Vec::new() }];
    BuiltInDns { catalogs: BTreeMap::from([(name(CATALOG), catalog)]), ..built_in(zones, transfers) }
}

impl World {
    /// The version of a zone that we answer with, or the code.
    fn version(&self, zone: &str) -> String {
        let reply = self.dig(&format!("@{SERVICE}"), &format!("{zone} SOA"));
        let soa = reply.lines().find(|line| line.starts_with(zone) && line.contains("\tSOA\t"));
        let serial = soa.and_then(|soa| soa.split_whitespace().nth(6)).map(str::to_owned);
        let code = reply.split("status: ").nth(1).and_then(|rest| rest.split(',').next());
        serial.unwrap_or_else(|| code.unwrap_or("none").to_owned())
    }

    fn reload(&self, written: &BuiltInDns) {
        self.shelf.compare(self.shelf.change(written));
        self._wanted.send_modify(|_| {});
    }

    fn with_what_was_kept(self, written: &BuiltInDns) -> World {
        let World { folder, .. } = self;
        World::with(written, folder)
    }

    fn catalog(&self) -> api::Catalog {
        self.views.borrow().catalogs[0].clone()
    }
}

/// Knot that has these zones beside a catalog of the others, which it makes itself.
fn knot_that_generates(folder: &Path, members: &[&str]) -> String {
    let mut zones = String::new();
    for zone in ["a.", "b.", "c."] {
        std::fs::write(folder.join(format!("{zone}zone")), member(zone, 7)).unwrap();
    }
    for zone in members {
        zones += &format!(
            "  - domain: {zone}\n    file: {zone}zone\n    catalog-role: member\n    catalog-zone: {CATALOG}\n"
        );
    }
    knot(folder, &format!("  - domain: {CATALOG}\n    catalog-role: generate\n{zones}"))
}

fn knot(folder: &Path, zones: &str) -> String {
    let (here, ip, port) = (folder.display(), ADDRESS.ip(), ADDRESS.port());
    format!(
        "server:\n  listen: {ip}@{port}\n  rundir: \"{here}\"\n  udp-workers: 1\n  tcp-workers: 1\n  \
         background-workers: 1\nlog:\n  - target: stderr\n    any: warning\ndatabase:\n  storage: \"{here}\"\n\
         key:\n  - id: transfer.\n    algorithm: hmac-sha256\n    secret: {SECRET}\n\
         remote:\n  - id: us\n    address: {SERVICE}@53\n    key: transfer.\n\
         acl:\n  - id: all\n    key: transfer.\n    action: [notify, transfer]\n\
         template:\n  - id: default\n    storage: \"{here}\"\n    acl: all\n    notify: us\n    zonefile-sync: -1\n    \
         journal-content: none\n    zonefile-load: whole\n  - id: member\n    storage: \"{here}\"\n    acl: all\n    \
         master: us\nzone:\n{zones}"
    )
}

/// Serves a catalog and zones from files, and tells nobody.
fn nsd(folder: &Path, zones: &[&str]) -> String {
    let (here, ip, port) = (folder.display(), ADDRESS.ip(), ADDRESS.port());
    let mut text = format!(
        "server:\n ip-address: {ip}@{port}\n port: {port}\n server-count: 1\n username: \"\"\n chroot: \"\"\n \
         zonesdir: \"{here}\"\n pidfile: \"{here}/nsd.pid\"\n database: \"\"\n xfrdfile: \"{here}/xfrd.state\"\n \
         zonelistfile: \"{here}/zone.list\"\n xfrdir: \"{here}\"\n cookie-secret-file: \"\"\n \
         xfrd-reload-timeout: 0\nremote-control:\n control-enable: no\n\
         key:\n name: \"transfer.\"\n algorithm: hmac-sha256\n secret: \"{SECRET}\"\n"
    );
    for zone in zones {
        text += &format!(
            "zone:\n name: \"{zone}\"\n zonefile: {zone}zone\n provide-xfr: 127.0.0.0/8 transfer.\n"
        );
    }
    text
}

#[test]
fn zones_come_and_go_with_the_catalog_that_knot_generates() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let world = World::new(&follower(None));
    let knot = Peer::start(&world.namespace, here, "knotd", &knot_that_generates(here, &["a.", "b."]));
    world.wait_until("both zones", || world.version("a.") == "7" && world.version("b.") == "7");
    let change = |members: &[&str]| {
        std::fs::write(here.join("configuration"), knot_that_generates(here, members)).unwrap();
        knot.reload();
    };
    change(&["b.", "c."]);
    world.wait_until("another zone", || world.version("c.") == "7" && world.version("a.") == "REFUSED");
    assert_eq!((world.catalog().members, world.version("b.").as_str()), (2, "7"));
    let image = |zone: &str| world.folder.path().join(format!("zones/dns/{zone}.image")).exists();
    assert!(!image("a") && image("b"), "what is gone is gone from the disk, too");
    change(&[]);
    world.wait_until("the alarm", || world.has_alarm("catalog-refused"));
    assert_eq!(world.catalog().state, api::CatalogState::Refused);
    let held = |world: &World| (world.version("b."), world.version("c."));
    let both = ("7".to_owned(), "7".to_owned());
    assert_eq!(held(&world), both, "no catalog takes everything");
    drop(knot);
    let world = world.with_what_was_kept(&follower(None));
    assert_eq!(held(&world), both, "at once, without a primary");
    world.wait_until("the alarm once more", || world.has_alarm("catalog-refused"));
    assert_eq!(held(&world), both);
    world.reload(&follower(Some(2)));
    world.wait_until("their end", || held(&world) == ("REFUSED".to_owned(), "REFUSED".to_owned()));
    assert!(!world.has_alarm("catalog-refused"));
}

/// Nobody is told of anything: every NOTIFY is lost.
#[test]
fn a_catalog_that_is_broken_holds_and_a_new_label_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |zone: &str, text: &str| std::fs::write(here.join(format!("{zone}zone")), text).unwrap();
    let by_hand = zone::parse(&member("hand.", 99)).unwrap();
    write("a.", &member("a.", 7));
    write("b.", &member("b.", 7));
    write(CATALOG, &listing(1, "2", &["one a.", "two b.", "three hand."]));
    let zones = Zones::with_unavailable(vec![Arc::new(by_hand)], vec![name(CATALOG)]).unwrap();
    let world = World::new(&BuiltInDns { zones: Arc::new(zones), ..follower(None) });
    let nsd = Peer::start(&world.namespace, here, "nsd", &nsd(here, &["a.", "b.", CATALOG]));
    world.wait_until("both zones", || world.version("a.") == "7" && world.version("b.") == "7");
    world.wait_until("the clash", || world.has_told("catalog-clash"));
    assert_eq!((world.version("hand.").as_str(), world.catalog().members), ("99", 2), "the site file holds");
    write(CATALOG, &listing(2, "1", &["two b."]));
    nsd.reload();
    world.wait_until("the alarm", || world.has_alarm("catalog-refused"));
    assert_eq!((world.version("a.").as_str(), world.catalog().members), ("7", 2), "it stays as it was");
    // An older version, which nobody would fetch who still had the other.
    write("a.", &member("a.", 3));
    write(CATALOG, &listing(3, "2", &["four a.", "two b."]));
    nsd.reload();
    world.wait_until("the zone anew", || world.version("a.") == "3");
    assert!(!world.has_alarm("catalog-refused"));
    assert_eq!(world.version("b."), "7");
    let told = world.bus.latest();
    let came =
        |zone: &str| told.iter().filter(|row| row.kind == "zone-received" && row.subject == zone).count();
    assert_eq!((came("a."), came("b.")), (2, 1), "one that was not meant is not disturbed");
}

/// What we serve a catalog and its zone from.
fn listed() -> BuiltInDns {
    primary(&[&listing(1, "2", &["one a."]), &member("a.", 7), &member("b.", 7)], &[ADDRESS])
}

/// Whoever follows our catalog has the zone that it lists, and the one that it lists next.
fn is_followed(peer: fn(&World, &Path) -> Peer) {
    let world = World::new(&listed());
    let folder = tempfile::tempdir().unwrap();
    let _peer = peer(&world, folder.path());
    let port = ADDRESS.port();
    let has = |zone: &str| {
        let reply = world.dig(&format!("@{}", ADDRESS.ip()), &format!("-p {port} +short +norec {zone} SOA"));
        reply.starts_with("ns.elsewhere. h.a. 7 ")
    };
    world.wait_until("the first zone", || has("a."));
    assert!(!has("b."));
    let next =
        primary(&[&listing(2, "2", &["one a.", "two b."]), &member("a.", 7), &member("b.", 7)], &[ADDRESS]);
    world.reload(&next);
    world.wait_until("the second zone", || has("b."));
}

#[test]
fn knot_follows_a_catalog_of_ours() {
    is_followed(|world, folder| {
        let zone = format!(
            "  - domain: {CATALOG}\n    catalog-role: interpret\n    catalog-template: member\n    master: us\n    acl: all\n"
        );
        Peer::start(&world.namespace, folder, "knotd", &knot(folder, &zone).replace("    notify: us\n", ""))
    });
}

#[test]
fn bind_follows_a_catalog_of_ours() {
    is_followed(|world, folder| {
        let (here, ip, port) = (folder.display(), ADDRESS.ip(), ADDRESS.port());
        // It listens on addresses of the host only.
        let mut netlink = world.namespace.netlink().unwrap();
        address::add(&mut netlink, link::LinkIndex::LOOPBACK, ADDRESS.ip().into()).unwrap();
        let us = format!("{{ {SERVICE} key transfer.; }}");
        let configuration = format!(
            "key transfer. {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\ncontrols {{ }};\n\
             options {{ directory \"{here}\"; listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }};\n \
             pid-file \"{here}/named.pid\"; session-keyfile \"{here}/session.key\"; recursion no; \
             dnssec-validation no; allow-notify {{ any; }};\n \
             catalog-zones {{ zone \"{CATALOG}\" default-primaries {us} in-memory yes min-update-interval 1; }}; }};\n\
             zone \"{CATALOG}\" {{ type secondary; primaries {us}; file \"catalog\"; }};\n"
        );
        Peer::start(&world.namespace, folder, "named", &configuration)
    });
}
