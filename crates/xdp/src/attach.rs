//! Attaching: one link for what arrives and one for what leaves, each pinned, so that they outlive the daemon.

use crate::error::chain;
use crate::load::{ARRIVALS, CLAMPS, arrival, clamp};
use crate::{Continuity, Error};
use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::tc::{self, SchedClassifierLink, TcAttachType};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, XdpMode};
use continuity::Layer;
use linux::link::{self, LinkIndex};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How long to wait for an interface that is busy.
const PAUSE: Duration = Duration::from_millis(10);
const PATIENCE: usize = 200;

/// How an interface runs the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In its driver, before the kernel has made anything of the frame.
    Native,
    /// In the kernel's general receive path: any interface can, and it costs more.
    Generic,
}

impl Mode {
    const ALL: [Mode; 2] = [Mode::Native, Mode::Generic];

    fn name(self) -> &'static str {
        match self {
            Mode::Native => "native",
            Mode::Generic => "generic",
        }
    }

    fn flags(self) -> XdpMode {
        match self {
            Mode::Native => XdpMode::Driver,
            Mode::Generic => XdpMode::Skb,
        }
    }
}

impl Continuity {
    /// Attaches the programs to an interface of this network namespace: natively where its driver can. Programs that an
    /// earlier daemon has left there are replaced in one step. Waits for some seconds where another program is just leaving
    /// the interface.
    pub fn attach(&mut self, interface: &str) -> Result<Mode, Error> {
        let found =
            link::index_here(interface).and_then(|index| Ok((index, link::has_ethernet_here(index)?)));
        let (index, has_ethernet) =
            found.map_err(|error| Error::not_attached(interface, &[chain(&error)]))?;
        let layer = if has_ethernet { Layer::Ethernet } else { Layer::Ip };
        let mode = match self.replace_arrival(index, layer)? {
            Some(mode) => mode,
            None => self.attach_arrival(interface, index, layer)?,
        };
        self.attach_clamp(interface, index, layer)?;
        Ok(mode)
    }

    /// Takes the programs off an interface again. One that has gone has none any more.
    pub fn detach(&mut self, interface: &str) -> Result<(), Error> {
        let Ok(index) = link::index_here(interface) else { return Ok(()) };
        for pin in
            Mode::ALL.map(|mode| self.arrival_pin(index, mode)).into_iter().chain([self.clamp_pin(index)])
        {
            remove(&pin)?;
        }
        drop_filters(interface);
        Ok(())
    }

    /// Takes the programs off every interface on which an earlier daemon has left them, but for these.
    pub fn detach_others(&mut self, interfaces: &[String]) -> Result<(), Error> {
        let kept: BTreeSet<u32> =
            interfaces.iter().filter_map(|name| link::index_here(name).ok()).map(|index| index.0).collect();
        for (pin, index) in link_pins(&self.directory)? {
            if !kept.contains(&index.0) {
                let_go(&pin, index)?;
            }
        }
        Ok(())
    }

    /// Puts the program in the place of the one that the pinned link has; none if there is no such link, or if its
    /// interface has gone and another one has its number.
    fn replace_arrival(&mut self, index: LinkIndex, layer: Layer) -> Result<Option<Mode>, Error> {
        for mode in Mode::ALL {
            let pin = self.arrival_pin(index, mode);
            let Ok(pinned) = PinnedLink::from_pin(&pin) else { continue };
            let name = program(&ARRIVALS, layer);
            let xdp = arrival(&mut self.ebpf, name)?;
            let link = XdpLink::try_from(FdLink::from(pinned)).map_err(|error| Error::link(name, &error))?;
            if let Ok(id) = xdp.attach_to_link(link) {
                // The pin holds the link; this process need not.
                xdp.take_link(id).map_err(|error| Error::of_program(name, &error))?;
                return Ok(Some(mode));
            }
            remove(&pin)?;
        }
        Ok(None)
    }

    fn attach_arrival(&mut self, interface: &str, index: LinkIndex, layer: Layer) -> Result<Mode, Error> {
        let name = program(&ARRIVALS, layer);
        let mut answers = Vec::new();
        for mode in Mode::ALL {
            let pin = self.arrival_pin(index, mode);
            let xdp = arrival(&mut self.ebpf, name)?;
            match patiently(|| xdp.attach_to_if_index(index.0, mode.flags())) {
                Ok(id) => {
                    let link = xdp.take_link(id).map_err(|error| Error::of_program(name, &error))?;
                    let link = FdLink::try_from(link).map_err(|error| Error::link(name, &error))?;
                    link.pin(&pin).map_err(|error| Error::pin(pin.display().to_string(), &error))?;
                    return Ok(mode);
                }
                Err(error) => answers.push(format!("{}: {}", mode.name(), chain(&error))),
            }
        }
        Err(Error::not_attached(interface, &answers))
    }

    fn attach_clamp(&mut self, interface: &str, index: LinkIndex, layer: Layer) -> Result<(), Error> {
        let pin = self.clamp_pin(index);
        let name = program(&CLAMPS, layer);
        let refuse =
            |error: &ProgramError| Error::not_attached(interface, &[format!("{name}: {}", chain(error))]);
        let classifier = clamp(&mut self.ebpf, name)?;
        if let Ok(pinned) = PinnedLink::from_pin(&pin) {
            let link = SchedClassifierLink::try_from(FdLink::from(pinned))
                .map_err(|error| Error::link(name, &error))?;
            if let Ok(id) = classifier.attach_to_link(link) {
                classifier.take_link(id).map_err(|error| refuse(&error))?;
                return Ok(());
            }
            remove(&pin)?;
        }
        // Before Linux 6.6 there are no links for these programs; a filter of the queue stays by itself.
        let _ = tc::qdisc_add_clsact(interface);
        let _ = tc::qdisc_detach_program(interface, TcAttachType::Egress, name);
        let id = patiently(|| classifier.attach(interface, TcAttachType::Egress))
            .map_err(|error| refuse(&error))?;
        let link = classifier.take_link(id).map_err(|error| refuse(&error))?;
        match FdLink::try_from(link) {
            Ok(link) => {
                link.pin(&pin).map(drop).map_err(|error| Error::pin(pin.display().to_string(), &error))
            }
            Err(_) => Ok(()),
        }
    }

    fn arrival_pin(&self, index: LinkIndex, mode: Mode) -> PathBuf {
        self.directory.join(format!("arrive-{}-{}", index.0, mode.name()))
    }

    fn clamp_pin(&self, index: LinkIndex) -> PathBuf {
        self.directory.join(format!("clamp-{}", index.0))
    }
}

/// Takes off what daemons of every version have pinned in a place: the programs of every interface, and their tables. It
/// takes no right to load programs. Where no file system for BPF is, nothing can be pinned.
pub fn take_off(pins: &Path) -> Result<(), Error> {
    if !matches!(linux::mount::is_bpf(pins), Ok(true)) {
        return Ok(());
    }
    versions(pins)?.iter().try_for_each(|directory| take_off_one(directory))
}

/// Takes off what daemons of other versions have pinned beside this directory.
pub(crate) fn take_off_others(directory: &Path) -> Result<(), Error> {
    let Some(pins) = directory.parent() else { return Ok(()) };
    let versions = versions(pins)?.into_iter();
    versions.filter(|version| version != directory).try_for_each(|version| take_off_one(&version))
}

/// The directories of versions in a place for pins. What others have pinned there has other names.
fn versions(pins: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_version = |path: &PathBuf| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.and_then(|name| name.strip_prefix('v')).is_some_and(|number| number.parse::<u32>().is_ok())
    };
    let mut versions = entries(pins)?;
    versions.retain(is_version);
    Ok(versions)
}

fn take_off_one(directory: &Path) -> Result<(), Error> {
    for (pin, index) in link_pins(directory)? {
        let_go(&pin, index)?;
    }
    for pin in entries(directory)? {
        remove(&pin)?;
    }
    fs::remove_dir(directory).map_err(|source| Error::Directory { path: directory.to_owned(), source })
}

/// The pins of links in a directory, each with the interface that it is for.
fn link_pins(directory: &Path) -> Result<Vec<(PathBuf, LinkIndex)>, Error> {
    let index = |pin: &PathBuf| {
        let mut parts = pin.file_name()?.to_str()?.split('-');
        let is_link = matches!(parts.next()?, "arrive" | "clamp");
        parts.next()?.parse().ok().filter(|_| is_link).map(LinkIndex)
    };
    let pins = entries(directory)?.into_iter();
    Ok(pins.filter_map(|pin| index(&pin).map(|index| (pin, index))).collect())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Directory { path: directory.to_owned(), source };
    let entries = fs::read_dir(directory).map_err(unreadable)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(unreadable)).collect()
}

/// Ends the link that is pinned there.
fn let_go(pin: &Path, index: LinkIndex) -> Result<(), Error> {
    remove(pin)?;
    // An interface that has gone has no programs.
    if let Ok(interface) = link::name_here(index) {
        drop_filters(&interface);
    }
    Ok(())
}

/// Only kernels that have no links for programs of the queue still have them.
fn drop_filters(interface: &str) {
    for name in CLAMPS {
        let _ = tc::qdisc_detach_program(interface, TcAttachType::Egress, name);
    }
}

/// The kernel lets go of a link a moment after its pin is removed; until then its place is taken.
fn patiently<T>(mut attach: impl FnMut() -> Result<T, ProgramError>) -> Result<T, ProgramError> {
    let mut tries = 0;
    loop {
        match attach() {
            Err(ProgramError::SyscallError(error))
                if matches!(error.io_error.kind(), ErrorKind::ResourceBusy | ErrorKind::AlreadyExists)
                    && tries < PATIENCE =>
            {
                tries += 1;
                thread::sleep(PAUSE);
            }
            result => return result,
        }
    }
}

fn program(names: &[&'static str; 2], layer: Layer) -> &'static str {
    match layer {
        Layer::Ethernet => names[0],
        Layer::Ip => names[1],
    }
}

/// Without its pin, a link ends with the last process that holds it.
fn remove(pin: &Path) -> Result<(), Error> {
    match fs::remove_file(pin) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(Error::Directory { path: pin.to_owned(), source })
        }
        _ => Ok(()),
    }
}
