//! Loading, attaching, a restart of the daemon; and what is said where it cannot be.

use crate::cases;
use crate::fleet::{self, client, london, service};
use crate::frames::{self, ACK};
use crate::kernel::{self, ROOM};
use continuity::{Action, Count, Filter, Layer};
use linux::link::{self, End, LinkIndex};
use linux::privileges::{self, Capabilities};
use linux::{Namespace, Netlink};
use std::path::Path;
use terms::Timestamp;
use xdp::{Continuity, Error, Mode, Room};

fn data(site: u8) -> Vec<u8> {
    frames::ethernet(&frames::tcp(client("IPv4", site), service("IPv4"), ACK, b"data"))
}

fn pins(directory: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name.contains('-')).collect();
    names.sort();
    names
}

/// A cable whose far end is in another network, where nobody looks.
fn cable(name: &str) -> Namespace {
    let (here, there) = (Namespace::current().unwrap(), Namespace::new().unwrap());
    let mut netlink = Netlink::open().unwrap();
    link::create_veth(&mut netlink, End { namespace: &here, name }, End { namespace: &there, name: "far" })
        .unwrap();
    let index = link::index(&mut netlink, name).unwrap();
    link::set_up(&mut netlink, index).unwrap();
    there
}

#[test]
fn everything_passes_before_anything_is_told_and_after() {
    kernel::inside(|directory| {
        let mut programs = Continuity::load(directory, ROOM).unwrap();
        for frame in
            cases::all().iter().filter(|case| case.layer == Layer::Ethernet).flat_map(|case| &case.frames)
        {
            assert_eq!(kernel::arrive(&programs, Layer::Ethernet, frame), (Action::Pass, frame.clone()));
        }
        programs.tell(&london()).unwrap();
        assert_eq!(kernel::arrive(&programs, Layer::Ethernet, &data(2)).0, Action::Transmit);
        programs.let_pass().unwrap();
        assert_eq!(kernel::arrive(&programs, Layer::Ethernet, &data(2)).0, Action::Pass);
    });
}

/// Another daemon finds what the last one has left: flows, counters, the settings, and the link.
#[test]
fn a_restart_loses_nothing() {
    kernel::inside(|directory| {
        let _far = cable("lan");
        let mut first = Continuity::load(directory, ROOM).unwrap();
        first.tell(&london()).unwrap();
        let mode = first.attach("lan").unwrap();
        assert_eq!(mode, Mode::Native, "a virtual Ethernet has it in its driver");
        kernel::arrive(&first, Layer::Ethernet, &data(2));
        let (before, links) = (first.forwarded().unwrap(), pins(directory));
        assert_eq!(before.len(), 1);
        assert_eq!(links.len(), 2, "{links:?}");
        drop(first);
        assert_eq!(pins(directory), links, "the links stay where nobody holds them");

        let mut second = Continuity::load(directory, ROOM).unwrap();
        assert_eq!(
            kernel::arrive(&second, Layer::Ethernet, &data(2)).0,
            Action::Transmit,
            "before it was told anything"
        );
        assert_eq!(second.attach("lan").unwrap(), mode);
        assert_eq!(pins(directory), links);
        let after = second.forwarded().unwrap();
        assert_eq!((after[0].flow, after[0].since, after[0].packets), (before[0].flow, before[0].since, 2));
        assert_eq!(second.counts().unwrap().get(Count::Learned), 1);
        second.detach("lan").unwrap();
        assert_eq!(pins(directory), Vec::<String>::new());
        assert_eq!(second.attach("lan").unwrap(), mode, "and free for the next");
    });
}

/// The kernel gives the number of an interface that has gone to another one: its old link is no link any more.
#[test]
fn an_interface_that_has_gone_leaves_a_pin_that_does_no_harm() {
    kernel::inside(|directory| {
        let far = cable("lan");
        let mut programs = Continuity::load(directory, ROOM).unwrap();
        programs.attach("lan").unwrap();
        let links = pins(directory);
        drop(far);
        let mut netlink = Netlink::open().unwrap();
        let began = std::time::Instant::now();
        while link::index(&mut netlink, "lan").is_ok() {
            assert!(began.elapsed().as_secs() < 30, "the cable goes with its far end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        for pin in &links {
            assert!(directory.join(pin).exists());
        }
        programs.detach("lan").unwrap();
        let error = programs.attach("lan").unwrap_err();
        assert!(matches!(&error, Error::NotAttached { interface, .. } if interface == "lan"), "{error}");
        let _far = cable("lan");
        programs.attach("lan").unwrap();
    });
}

#[test]
fn the_loopback_interface_has_it_in_the_general_path() {
    kernel::inside(|directory| {
        let mut netlink = Netlink::open().unwrap();
        link::set_up(&mut netlink, LinkIndex::LOOPBACK).unwrap();
        let mut programs = Continuity::load(directory, ROOM).unwrap();
        assert_eq!(programs.attach("lo").unwrap(), Mode::Generic);
    });
}

/// A table that is pinned keeps its size, whatever the next daemon asks for.
#[test]
fn the_room_is_that_of_the_tables_that_are_there() {
    kernel::inside(|directory| {
        let room_for = |flows_of_a_site| Room { flows_of_a_site, ..ROOM };
        let small = Continuity::load(directory, room_for(1)).unwrap();
        assert_eq!(small.room().unwrap(), 128);
        let mut larger = Continuity::load(directory, ROOM).unwrap();
        assert_eq!(larger.room().unwrap(), 128);
        larger.tell(&london()).unwrap();
        let mut settings = london();
        settings.sites.get_mut(&fleet::number(3)).unwrap().filter =
            Some(Filter::with_room_for(10_000).into());
        let error = larger.tell(&settings).unwrap_err();
        assert!(matches!(error, Error::FilterTooLarge { .. }), "{error}");
    });
}

/// The site is not held any more, and the next daemon knows it before it hears of the fleet.
#[test]
fn a_relay_ends_and_everything_else_stays() {
    kernel::inside(|directory| {
        let opening = frames::ethernet(&frames::tcp(client("IPv4", 9), service("IPv4"), frames::SYN, b""));
        let mut first = Continuity::load(directory, ROOM).unwrap();
        let relay = Some(fleet::number(2));
        first.tell(&continuity::Settings { relay, ..london() }).unwrap();
        assert_eq!(kernel::arrive(&first, Layer::Ethernet, &opening).0, Action::Transmit);
        let mut second = Continuity::load(directory, ROOM).unwrap();
        second.end_relay().unwrap();
        assert_eq!(kernel::arrive(&second, Layer::Ethernet, &opening).0, Action::Pass);
        assert_eq!(kernel::arrive(&second, Layer::Ethernet, &data(2)).0, Action::Transmit);
    });
}

/// What a daemon has left is found by the next one, by its pins alone.
#[test]
fn what_a_daemon_has_left_is_taken_off_where_it_is_not_wanted() {
    kernel::inside(|directory| {
        let _far = [cable("lan"), cable("wan")];
        let mut first = Continuity::load(directory, ROOM).unwrap();
        first.tell(&london()).unwrap();
        for interface in ["lan", "wan"] {
            first.attach(interface).unwrap();
        }
        drop(first);
        let left = pins(directory);
        assert_eq!(left.len(), 4, "one link for what arrives and one for what leaves: {left:?}");
        let mut second = Continuity::load(directory, ROOM).unwrap();
        second.detach_others(&["wan".to_owned()]).unwrap();
        assert_eq!(pins(directory).len(), 2);
        // A place that is taken cannot be attached to anew.
        let mut foreign = Continuity::load(&directory.with_file_name("foreign"), ROOM).unwrap();
        foreign.attach("lan").unwrap();
        drop(second);
        xdp::take_off(directory.parent().unwrap()).unwrap();
        assert!(!directory.exists(), "its tables, too");
        foreign.attach("wan").unwrap();
        assert_eq!(pins(&directory.with_file_name("foreign")).len(), 4, "what others have pinned stays");
    });
}

/// An upgrade that changes the tables finds none of its own, and its interface taken.
#[test]
fn what_another_version_has_left_makes_room() {
    kernel::inside(|directory| {
        let _far = [cable("lan"), cable("wan")];
        let of_others = directory.with_file_name("others");
        let mut others = Continuity::load(&of_others, ROOM).unwrap();
        others.attach("wan").unwrap();
        let older = directory.with_file_name("v0");
        let mut before = Continuity::load(&older, ROOM).unwrap();
        before.tell(&london()).unwrap();
        before.attach("lan").unwrap();
        drop((before, others));
        assert_eq!(pins(&older).len(), 2);
        let mut after = Continuity::load(directory, ROOM).unwrap();
        assert!(!older.exists(), "its links, its tables, and its directory");
        after.attach("lan").unwrap();
        assert_eq!(pins(directory).len(), 2);
        assert_eq!(pins(&of_others).len(), 2, "what others have pinned stays");
    });
}

/// Whoever has put up a fence and is gone takes it down no more, and there is room for so many only.
#[test]
fn a_fence_goes_with_its_daemon() {
    kernel::inside(|directory| {
        let flow = fleet::flow("IPv4", 2);
        let mut first = Continuity::load(directory, ROOM).unwrap();
        first.tell(&london()).unwrap();
        first.fences().unwrap().fence(&flow, Timestamp::from_nanos(u64::MAX)).unwrap();
        assert_eq!(kernel::arrive(&first, Layer::Ethernet, &data(2)).0, Action::Drop);
        drop(first);
        let second = Continuity::load(directory, ROOM).unwrap();
        assert_eq!(kernel::arrive(&second, Layer::Ethernet, &data(2)).0, Action::Transmit);
    });
}

#[test]
fn nothing_is_taken_off_where_nothing_can_be_pinned() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("v1").join("arrive-1-native");
    std::fs::create_dir(directory.path().join("v1")).unwrap();
    std::fs::write(&file, "somebody's own").unwrap();
    xdp::take_off(directory.path()).unwrap();
    assert!(file.exists());
    xdp::take_off(&directory.path().join("missing")).unwrap();
}

#[test]
fn a_filter_that_is_too_large_is_refused_and_what_was_told_stays() {
    kernel::inside(|directory| {
        let mut programs = Continuity::load(directory, Room { flows_of_a_site: 1, ..ROOM }).unwrap();
        let mut settings = london();
        programs.tell(&settings).unwrap();
        let large = Filter::with_room_for(1_000_000);
        settings.sites.get_mut(&fleet::number(3)).unwrap().filter = Some(large.into());
        let error = programs.tell(&settings).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the flow filter of site 3 has 46875 blocks, and there is room for 128"
        );
        assert_eq!(kernel::arrive(&programs, Layer::Ethernet, &data(3)).0, Action::Transmit);
    });
}

#[test]
fn what_is_missing_is_said() {
    let elsewhere = tempfile::tempdir().unwrap();
    let directory = elsewhere.path().join("catchment");
    if privileges::can_make_namespaces().unwrap() {
        let error = Continuity::load(&directory, ROOM).unwrap_err();
        assert!(matches!(error, Error::NoFileSystem(_)), "{error}");
        assert!(error.to_string().ends_with("mount one with `mount -t bpf bpf /sys/fs/bpf`"), "{error}");
    }
    kernel::inside(|directory| {
        // The library asks the kernel once in a process what it can: somebody has to who may.
        Continuity::load(directory, ROOM).unwrap();
        let with_only = |kept: Capabilities| {
            let load = || {
                privileges::keep_only(kept).unwrap();
                Continuity::load(directory, ROOM).map(drop)
            };
            std::thread::scope(|scope| scope.spawn(load).join().unwrap())
        };
        for kept in [Capabilities::NET_ADMIN, Capabilities::BPF] {
            let error = with_only(kept).unwrap_err();
            assert!(matches!(error, Error::NotPermitted), "{kept:?}: {error}");
        }
        with_only(Capabilities::NET_ADMIN | Capabilities::BPF).unwrap();
        let error = Continuity::load(directory, ROOM).unwrap().attach("nowhere").unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot attach to interface nowhere: cannot find interface nowhere: No such device (os error 19)"
        );
    });
}
