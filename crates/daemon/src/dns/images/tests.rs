//! What is kept, found again and thrown away.

use super::*;
use ::dns::zone;
use std::collections::BTreeSet;

fn keep(images: &Images, zone: &Zone) -> Zone {
    let (kept, written) = images.write(zone, zone.image().unwrap(), &Journal::default()).unwrap();
    written.put().unwrap();
    kept
}

fn note(images: &Images, apex: &DomainName, last: &Difference, journal: &Journal) -> io::Result<()> {
    images.note(apex, last, journal)?.unwrap().put()
}

/// A version of `a.` with a name of its own.
fn version(serial: u32) -> Zone {
    let text = format!(
        "$ORIGIN a.\n@ 60 SOA ns.b. h.b. {serial} 3600 900 604800 300\n@ NS ns.b.\nn{serial} A 192.0.2.1\n"
    );
    zone::parse(&text).unwrap()
}

fn step(from: u32) -> Difference {
    crate::dns::shelf::difference(&version(from), &version(from + 1))
}

#[test]
fn a_difference_that_was_under_way_does_not_come_back() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let (first, journal) = (version(1), Journal::default().with(step(1)));
    let apex = first.apex();
    let first_of_all = images.write(&first, first.image().unwrap(), &Journal::default()).unwrap().1;
    first_of_all.put().unwrap();
    note(&images, apex, &step(1), &journal).unwrap();
    let addition = images.note(apex, &step(2), &journal.with(step(2))).unwrap().unwrap();
    assert!(matches!(addition.files, Files::Addition { .. }));
    assert!(images.note(apex, &step(2), &Journal::default().with(step(2))).unwrap().is_none(), "not from 1");
    images.fall_behind(apex);
    let another = images.note(apex, &step(2), &journal.with(step(2))).unwrap().unwrap();
    assert!(matches!(another.files, Files::Journal(_)));
    // It begins anew while they are under way.
    images.forget(apex);
    let text = "$ORIGIN a.\n@ 60 SOA ns.b. h.b. 1 3600 900 604800 300\n@ NS ns.b.\nanew A 192.0.2.1\n";
    let anew = zone::parse(text).unwrap();
    images.write(&anew, anew.image().unwrap(), &Journal::default()).unwrap().1.put().unwrap();
    // Whoever is late does nothing either.
    let late = images.note(apex, &step(2), &journal.with(step(2))).unwrap();
    assert!(late.is_some());
    drop((addition, another, late));
    let image = images.load(apex).unwrap();
    assert_eq!((image.zone.serial(), image.fault, image.journal.end()), (1, None, None));
    assert_eq!(fs::read_dir(&images.folder).unwrap().count(), 2, "an image, a journal and no more");
}

/// Where the process keeps versions that is killed meanwhile.
const FOLDER: &str = "CATCHMENT_TEST_KEEPS_VERSIONS_IN";

#[test]
fn a_kill_at_any_moment_leaves_the_last_version_that_was_kept() {
    use std::io::BufRead;
    if let Some(folder) = std::env::var_os(FOLDER) {
        return keep_versions(Path::new(&folder));
    }
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let apex = version(1).apex().clone();
    // The longer, the more often it was all written anew.
    for enough in [1, 2, 9, 30, 75] {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "dns::images::tests::a_kill_at_any_moment_leaves_the_last_version_that_was_kept";
        command.args(["--exact", "--nocapture", name]).env(FOLDER, state.path());
        let mut keeping = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let lines = io::BufReader::new(keeping.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut kept = lines.filter_map(|line| line.strip_prefix("kept ")?.parse::<u32>().ok());
        let last = kept.by_ref().nth(enough).unwrap();
        keeping.kill().unwrap();
        keeping.wait().unwrap();
        let last = kept.last().unwrap_or(last);
        let image = images.load(&apex).unwrap();
        let found = image.zone.serial();
        assert!(found == last || found == last + 1, "{found} where {last} was the last: {:?}", image.fault);
        assert_eq!(image.zone.compacted().unwrap().image(), version(found).image(), "as it should be");
        assert!(image.journal.end().is_none_or(|end| end == found));
        // The kill may have left some, and these certainly did.
        for name in ["a.image.new-1-0", "a.journal.new-1-0", "members.new-1-0"] {
            fs::write(images.folder.join(name), "half").unwrap();
        }
        images.sweep([&apex].into_iter());
        let left = fs::read_dir(&images.folder).unwrap().map(|entry| entry.unwrap().path());
        let left: Vec<PathBuf> = left.filter(|path| linux::file::place_of(path).is_some()).collect();
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(images.load(&apex).unwrap().zone.serial(), found);
    }
}

/// Keeps one version after the other, as whoever receives them does, going on with what is there.
fn keep_versions(folder: &Path) {
    let images = Images::new(folder, &"dns".parse().unwrap());
    let apex = version(1).apex().clone();
    let (begin, mut journal) = match images.load(&apex) {
        Some(image) => (image.zone.serial(), image.journal),
        None => (0, Journal::default()),
    };
    for serial in begin + 1.. {
        if serial % 20 == 1 {
            journal = Journal::default();
            let zone = version(serial);
            images.write(&zone, zone.image().unwrap(), &journal).unwrap().1.put().unwrap();
        } else {
            journal = journal.with(step(serial - 1));
            note(&images, &apex, &step(serial - 1), &journal).unwrap();
        }
        println!("kept {serial}");
    }
}

#[test]
fn an_image_that_was_under_way_does_not_come_back() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let version = |serial: u32| {
        let text = format!("$ORIGIN a.\n@ 60 SOA ns.b. h.b. {serial} 3600 900 604800 300\n@ NS ns.b.\n");
        zone::parse(&text).unwrap()
    };
    let (first, second) = (version(1), version(2));
    let journal = Journal::default();
    let (kept, left) = images.write(&first, first.image().unwrap(), &journal).unwrap();
    images.forget(first.apex());
    // Whoever has the zone next is not in the way of the one before, which has not ended yet.
    let (_, written) = images.write(&second, second.image().unwrap(), &journal).unwrap();
    written.put().unwrap();
    drop(left);
    assert_eq!(images.load(first.apex()).unwrap().zone.serial(), 2);
    assert_eq!(kept.serial(), 1, "it is served until then");
    assert_eq!(fs::read_dir(&images.folder).unwrap().count(), 2, "an image, a journal and no more");
}

#[test]
fn a_list_of_members_that_cannot_be_read_is_not_lost() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    assert_eq!(images.members(), (Membership::default(), None), "the first start");
    let whole = "a. 1.zones.c.\nb. 2.zones.c.\n";
    let (membership, _) = Membership::parse(whole);
    images.keep_members(&membership).unwrap();
    let path = images.folder.join(MEMBERS);
    assert_eq!(fs::read_to_string(&path).unwrap(), whole);
    fs::write(&path, b"a. 1.zones.c.\n\xff\nb. 2.zones.c.\n").unwrap();
    let (read, fault) = images.members();
    assert_eq!(read, membership, "one damaged line is one line");
    assert!(fault.unwrap().to_string().ends_with("members: line 2 is no member"));
    // Nobody can read a folder, not even root.
    fs::remove_file(&path).unwrap();
    fs::create_dir_all(path.join("kept")).unwrap();
    assert!(images.members().1.is_some());
    assert!(images.keep_members(&membership).is_err() && path.join("kept").exists());
}

#[test]
fn what_is_kept_is_found_and_has_an_age() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let text = "$ORIGIN Ex\\047ample.\n@ 60 SOA ns.a. h.a. 7 3600 900 604800 300\n@ NS ns.a.\n";
    let zone = zone::parse(text).unwrap();
    assert!(images.load(zone.apex()).is_none());
    assert_eq!(keep(&images, &zone).serial(), 7);
    let hour = Duration::from_secs(3600);
    let file = File::open(images.path(zone.apex())).unwrap();
    file.set_modified(SystemTime::now() - hour).unwrap();
    assert!(images.load(zone.apex()).unwrap().age >= hour);
    images.confirm(zone.apex()).unwrap();
    assert!(images.load(zone.apex()).unwrap().age < hour);
    assert!(images.path(zone.apex()).ends_with("zones/dns/ex%2fample.image"));
    assert!(images.path(&DomainName::root()).ends_with("zones/dns/@.image"));
}

#[test]
fn what_nobody_asks_for_any_more_is_kept_until_it_is_too_old() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    images.sweep(std::iter::empty());
    for name in ["wanted", "left", "old"] {
        let text = format!("$ORIGIN {name}.\n@ 60 SOA ns.b. h.b. 7 3600 900 604800 300\n@ NS ns.b.\n");
        let zone = zone::parse(&text).unwrap();
        keep(&images, &zone);
    }
    let [wanted, left, old] = ["wanted.", "left.", "old."].map(|name| name.parse::<DomainName>().unwrap());
    fs::write(images.folder.join("damaged.image"), "no image").unwrap();
    for foreign in ["notes", "notes.new-1-1"] {
        fs::write(images.folder.join(foreign), "somebody else's").unwrap();
    }
    for journal in ["wanted", "left", "file", "gone", "lately"] {
        fs::write(images.folder.join(format!("{journal}.journal")), "").unwrap();
    }
    let long_ago = SystemTime::now() - Duration::from_secs(604_800);
    for journal in ["file", "gone"] {
        File::open(images.folder.join(format!("{journal}.journal"))).unwrap().set_modified(long_ago).unwrap();
    }
    // Somebody is writing it.
    let (_, under_way) = images.write(&version(1), version(1).image().unwrap(), &Journal::default()).unwrap();
    let file: DomainName = "file.".parse().unwrap();
    for apex in [&wanted, &old] {
        let file = File::open(images.path(apex)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(604_800)).unwrap();
    }
    images.sweep([&wanted, &file].into_iter());
    for (journal, stays) in
        [("wanted", true), ("left", true), ("file", true), ("gone", false), ("lately", true)]
    {
        assert_eq!(images.folder.join(format!("{journal}.journal")).exists(), stays, "{journal}");
    }
    let is_there = |path: PathBuf| path.exists();
    assert!(is_there(images.path(&wanted)) && is_there(images.path(&left)) && !is_there(images.path(&old)));
    assert!(!is_there(images.folder.join("damaged.image")) && is_there(images.folder.join("notes")));
    assert!(is_there(images.folder.join("notes.new-1-1")), "not ours");
    under_way.put().unwrap();
    assert_eq!(images.load(version(1).apex()).unwrap().zone.serial(), 1);
}

#[test]
fn an_image_that_cannot_be_judged_stays() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let path = images.path(version(1).apex());
    keep(&images, &version(1));
    let whole = fs::read(&path).unwrap();
    // Of another release, whichever order they come in.
    let mut other = whole.clone();
    other[8] ^= 0x40;
    fs::write(&path, other).unwrap();
    images.sweep(std::iter::empty());
    assert!(path.exists(), "another release may read it");
    // Refused as long as others may write it.
    fs::write(&path, whole).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    images.date(version(1).apex(), Duration::from_secs(604_800)).unwrap();
    images.sweep(std::iter::empty());
    assert!(path.exists(), "whoever corrects that has it");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    images.sweep(std::iter::empty());
    assert!(!path.exists(), "too old");
}

#[test]
fn another_image_is_as_old_as_is_said_from_its_first_moment() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let (first, hour) = (version(1), Duration::from_secs(3600));
    let (_, written) = images.write(&first, first.image().unwrap(), &Journal::default()).unwrap();
    written.date(hour).unwrap();
    let Files::Image { image, .. } = &written.files else { panic!("another image") };
    assert!(age(image.path()).unwrap() >= hour, "before it is in its place");
    written.put().unwrap();
    assert!(images.age(first.apex()).unwrap() >= hour);
}

#[test]
fn a_damaged_image_is_none() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let zone = zone::parse("$ORIGIN a.\n@ 60 SOA ns.b. h.b. 7 3600 900 604800 300\n@ NS ns.b.\n").unwrap();
    keep(&images, &zone);
    let mut octets = fs::read(images.path(zone.apex())).unwrap();
    *octets.last_mut().unwrap() ^= 1;
    fs::write(images.path(zone.apex()), octets).unwrap();
    assert!(images.load(zone.apex()).is_none());
}

#[test]
fn an_image_and_its_journal_are_the_last_version() {
    let state = tempfile::tempdir().unwrap();
    let images = Images::new(state.path(), &"dns".parse().unwrap());
    let version = |serial: u32| {
        let text = format!(
            "$ORIGIN a.\n@ 60 SOA ns.b. h.b. {serial} 3600 900 604800 300\n@ NS ns.b.\nn{serial} A 192.0.2.1\n"
        );
        zone::parse(&text).unwrap()
    };
    let first = version(1);
    let apex = first.apex();
    keep(&images, &first);
    let step = |from| crate::dns::shelf::difference(&version(from), &version(from + 1));
    let mut journal = Journal::default();
    for serial in 1..5 {
        journal = journal.with(step(serial));
        note(&images, apex, &step(serial), &journal).unwrap();
        let image = images.load(apex).unwrap();
        assert_eq!((image.zone.serial(), image.fault), (serial + 1, None));
        assert_eq!(image.zone.compacted().unwrap().image(), version(serial + 1).image());
        assert!(image.journal.leads_from(1));
    }
    let path = images.journal_path(apex);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let image = images.load(apex).unwrap();
    assert_eq!((image.zone.serial(), image.journal.end()), (4, Some(4)), "as far as it is good");
    assert!(image.fault.unwrap().to_string().contains("damaged"));
    assert!(images.load(apex).unwrap().fault.is_none(), "the rest is thrown away");
    note(&images, apex, &step(4), &image.journal.with(step(4))).unwrap();
    assert_eq!(images.load(apex).unwrap().zone.serial(), 5);
    // The next one cannot be added: the disk is full.
    let (aside, journal) = (path.with_extension("aside"), journal.with(step(5)));
    fs::rename(&path, &aside).unwrap();
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    assert!(note(&images, apex, &step(5), &journal).is_err());
    images.fall_behind(apex);
    fs::rename(&aside, &path).unwrap();
    let hour = Duration::from_secs(3600);
    File::open(images.path(apex)).unwrap().set_modified(SystemTime::now() - hour).unwrap();
    images.confirm(apex).unwrap();
    assert!(images.age(apex).unwrap() >= hour, "what was confirmed does not lie there");
    note(&images, apex, &step(6), &journal.with(step(6))).unwrap();
    let image = images.load(apex).unwrap();
    assert_eq!((image.zone.serial(), image.fault), (7, None));
    images.confirm(apex).unwrap();
    assert!(images.age(apex).unwrap() < hour);
    let stray = Journal::default().with(step(8));
    images.keep_journal(apex, &stray).unwrap();
    let image = images.load(apex).unwrap();
    assert!(image.is_expired(), "it was not this version that was confirmed last");
    let fault = image.fault.unwrap().to_string();
    assert!(fault.contains("not from 1"), "{fault}");
    // One that was left by the version before that of the image says nothing of it.
    let fifth = version(5);
    images.write(&fifth, fifth.image().unwrap(), &Journal::default()).unwrap().1.put().unwrap();
    images.keep_journal(apex, &Journal::default().with(step(3))).unwrap();
    let image = images.load(apex).unwrap();
    assert!(image.fault.is_some() && !image.is_expired());
}

#[test]
fn of_a_service_that_is_gone_only_what_is_ours_and_too_old_is_removed() {
    let state = tempfile::tempdir().unwrap();
    let left = |service: &str| Images::new(state.path(), &service.parse().unwrap());
    let zone = version(1);
    let zones = state.path().join("zones");
    for service in ["kept", "gone", "fresh", "shared", "listed"] {
        keep(&left(service), &zone);
        let age = if service == "fresh" { Duration::ZERO } else { Duration::from_secs(604_800) };
        left(service).date(zone.apex(), age).unwrap();
    }
    for service in ["listed", "back"] {
        left(service).keep_members(&Membership::parse("a. 1.zones.c.\n").0).unwrap();
    }
    let list = File::open(zones.join("listed/members")).unwrap();
    list.set_modified(SystemTime::now() - Duration::from_secs(604_800)).unwrap();
    left("fresh").keep_members(&Membership::parse("a. 1.zones.c.\n").0).unwrap();
    fs::write(zones.join("shared/notes"), "somebody else's").unwrap();
    fs::create_dir(zones.join("Not a service")).unwrap();
    fs::write(zones.join("file"), "").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), zones.join("linked")).unwrap();
    let services = BTreeSet::from(["kept".parse().unwrap()]);
    let mut gone = Images::sweep_others(state.path(), &services);
    gone.sort();
    assert_eq!(gone, ["gone", "listed"].map(|name| name.parse().unwrap()));
    let mut there: Vec<_> = fs::read_dir(&zones).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    there.sort();
    assert_eq!(there, ["Not a service", "back", "file", "fresh", "kept", "linked", "shared"]);
    assert!(left("fresh").load(zone.apex()).is_some() && zones.join("fresh/members").exists());
    assert!(left("kept").load(zone.apex()).is_some(), "what the site file has is swept by whoever serves it");
    assert_eq!(Images::sweep_others(&state.path().join("none"), &services), []);
}
