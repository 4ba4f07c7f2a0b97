//! Loading: the object, its tables under their pins, its programs.

use crate::Error;
use crate::attach::take_off_others;
use crate::error::chain;
use crate::layout::PAGE_BLOCKS;
use aya::programs::{SchedClassifier, Xdp};
use aya::{Ebpf, EbpfLoader};
use continuity::{Filter, Settings, SiteNumber};
use std::fs;
use std::path::{Path, PathBuf};

/// The last part of the directory where a daemon pins what is to survive it, `v` and a number: raised with every change of
/// the tables.
pub const VERSION: &str = "v2";

/// The programs, as `ebpf/build` has compiled them.
pub const OBJECT: &[u8] = aya::include_bytes_aligned!("../../../ebpf/continuity.o");

pub(crate) const ARRIVALS: [&str; 2] = ["arrive_ethernet", "arrive_ip"];
pub(crate) const CLAMPS: [&str; 2] = ["clamp_ethernet", "clamp_ip"];

/// How much the tables hold. What is pinned already keeps its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Flows of each other site, in its filter: 96 octets of memory for each, as there may be 64 sites.
    pub flows_of_a_site: u32,
    /// Flows that are forwarded, and flows that are received.
    pub moved_flows: u32,
    /// Prefixes of clients whose last owner is remembered.
    pub prefixes: u32,
}

impl Default for Room {
    fn default() -> Self {
        Room { flows_of_a_site: 100_000, moved_flows: 262_144, prefixes: 65_536 }
    }
}

impl Room {
    /// Pages of `filters` for each site.
    fn pages(self) -> u32 {
        let bits = u64::from(self.flows_of_a_site) * Filter::BITS_PER_FLOW as u64;
        let pages = bits.div_ceil((PAGE_BLOCKS * Filter::BLOCK_LEN * 8) as u64);
        u32::try_from(pages).unwrap_or(u32::MAX).clamp(1, (Filter::MOST_BLOCKS / PAGE_BLOCKS) as u32)
    }
}

/// The programs in the kernel, with their tables.
#[derive(Debug)]
pub struct Continuity {
    pub(crate) ebpf: Ebpf,
    pub(crate) directory: PathBuf,
    /// What the tables say now, as far as this process has told them.
    pub(crate) told: Option<Settings>,
}

impl Continuity {
    /// Loads the programs, with the tables that are pinned in the directory, or with new ones that are pinned there
    /// then. Nothing is attached, and until [`Continuity::tell`] everything passes that passed before. What a daemon of
    /// another [`VERSION`] has left beside them is taken off: its programs hold the places of these. Fences go, too: what
    /// they have held went with the daemon that had put them up.
    pub fn load(directory: &Path, room: Room) -> Result<Self, Error> {
        check_kernel()?;
        make_directory(directory)?;
        let filters = SiteNumber::COUNT as u32 * room.pages();
        let mut loader = EbpfLoader::new();
        loader.default_map_pin_directory(directory).map_max_entries("filters", filters);
        for table in ["learned", "received"] {
            loader.map_max_entries(table, room.moved_flows);
        }
        let loaded = loader.map_max_entries("owners", room.prefixes).load(OBJECT);
        let mut ebpf = loaded.map_err(|error| of_loading(directory, &error))?;
        for name in ARRIVALS {
            arrival(&mut ebpf, name)?.load().map_err(|error| Error::of_program(name, &error))?;
        }
        for name in CLAMPS {
            clamp(&mut ebpf, name)?.load().map_err(|error| Error::of_program(name, &error))?;
        }
        let mut loaded = Continuity { ebpf, directory: directory.to_owned(), told: None };
        loaded.unfence_all()?;
        take_off_others(directory)?;
        Ok(loaded)
    }
}

/// A program for what arrives.
pub(crate) fn arrival<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut Xdp, Error> {
    let program = ebpf.program_mut(name).ok_or_else(|| missing(name))?;
    program.try_into().map_err(|error| Error::Unfit { what: name.to_owned(), reason: chain(&error) })
}

/// A program for what leaves.
pub(crate) fn clamp<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier, Error> {
    let program = ebpf.program_mut(name).ok_or_else(|| missing(name))?;
    program.try_into().map_err(|error| Error::Unfit { what: name.to_owned(), reason: chain(&error) })
}

pub(crate) fn missing(name: &str) -> Error {
    Error::Unfit { what: name.to_owned(), reason: "the object does not have it".to_owned() }
}

/// The kernel's answers to a call that it does not know are many; the version says it plainly.
fn check_kernel() -> Result<(), Error> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if is_old(&release) { Err(Error::OldKernel { running: release.trim().to_owned() }) } else { Ok(()) }
}

/// A release that cannot be read is given a try.
fn is_old(release: &str) -> bool {
    let number = |release: &str| {
        let mut parts = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
        Some((parts.next()??, parts.next()??))
    };
    number(release).is_some_and(|running| Some(running) < number(Error::OLDEST))
}

fn make_directory(directory: &Path) -> Result<(), Error> {
    let unusable = |source| Error::Directory { path: directory.to_owned(), source };
    // Asked before anything is made: `/sys/fs/bpf` is always there, and where nothing is mounted, nobody can make a
    // directory in it.
    let there = directory.ancestors().find(|place| place.exists()).unwrap_or(directory);
    if !linux::mount::is_bpf(there).map_err(|error| unusable(error.into()))? {
        return Err(Error::NoFileSystem(directory.to_owned()));
    }
    fs::create_dir_all(directory).map_err(|source| match source.kind() {
        // Whoever may not write there may not load programs either.
        std::io::ErrorKind::PermissionDenied => Error::NotPermitted,
        _ => unusable(source),
    })
}

fn of_loading(directory: &Path, error: &aya::EbpfError) -> Error {
    match Error::of_loading(error) {
        Error::Unfit { what, reason } => {
            Error::Unfit { what: format!("{what}, or a table in {}", directory.display()), reason }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_file_system_for_bpf_is_mounted_nothing_is_made() {
        let elsewhere = tempfile::tempdir().unwrap();
        let pins = elsewhere.path().join("bpf/catchment");
        assert!(matches!(make_directory(&pins), Err(Error::NoFileSystem(path)) if path == pins));
        assert!(!elsewhere.path().join("bpf").exists());
    }

    #[test]
    fn kernels_are_told_apart_by_their_numbers() {
        for old in ["5.17.12-amd64\n", "4.19.0", "5.4.0-150-generic", "3.10"] {
            assert!(is_old(old), "{old}");
        }
        for good in ["5.18.0", "6.1.0-50-amd64", "6.18.44\n", "10.0.1", "strange", ""] {
            assert!(!is_old(good), "{good}");
        }
    }

    #[test]
    fn there_is_room_for_the_flows_that_were_asked_for() {
        let pages = |flows| Room { flows_of_a_site: flows, ..Room::default() }.pages();
        assert_eq!([0, 1, 2730, 2731, 100_000, 1_000_000].map(pages), [1, 1, 1, 2, 37, 367]);
        assert_eq!(pages(u32::MAX) as usize * PAGE_BLOCKS, Filter::MOST_BLOCKS);
    }
}
