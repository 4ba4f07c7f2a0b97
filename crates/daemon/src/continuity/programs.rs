//! The programs in the kernel, brought to where the site file wants them, again and again until they are.

use super::fences::Fences;
use ::continuity::Counts;
use config::Continuity as Wanted;
use linux::link::{self, LinkIndex};
use std::collections::BTreeMap;
use xdp::{Continuity, Error, Known, Mode, Passages, Room, VERSION};

/// The programs, as far as they are there.
#[derive(Debug)]
pub(super) struct Programs {
    loaded: Option<Continuity>,
    fences: Fences,
    /// How each interface runs them, and which interface that was.
    attached: BTreeMap<String, (LinkIndex, Mode)>,
}

impl Programs {
    /// None are there yet.
    pub(super) fn new() -> Self {
        Programs { loaded: None, fences: Fences::default(), attached: BTreeMap::new() }
    }

    /// The fences that they watch.
    pub(super) fn fences(&self) -> Fences {
        self.fences.clone()
    }

    /// Loads and attaches what is not there yet, and takes it off interfaces that are not wanted any more. What an earlier
    /// daemon has left is used on.
    pub(super) fn make_ready(&mut self, wanted: &Wanted) -> Result<(), Error> {
        let names: Vec<String> = wanted.interfaces.iter().map(ToString::to_string).collect();
        let loaded = match &mut self.loaded {
            Some(loaded) => loaded,
            none => {
                let mut loaded = Continuity::load(&wanted.pins.join(VERSION), room(wanted))?;
                loaded.detach_others(&names)?;
                self.fences.follow(Some(loaded.fences()?));
                none.insert(loaded)
            }
        };
        self.attached.retain(|name, _| {
            let is_wanted = names.contains(name);
            if !is_wanted {
                // Where it fails, the programs stay and do what all others do.
                let _ = loaded.detach(name);
            }
            is_wanted
        });
        for name in names {
            // An interface that was made anew has the name of the old one, and another number.
            let index = link::index_here(&name).ok();
            if self.attached.get(&name).is_some_and(|(attached, _)| Some(*attached) == index) {
                continue;
            }
            self.attached.remove(&name);
            let mode = loaded.attach(&name)?;
            if let Some(index) = index {
                self.attached.insert(name, (index, mode));
            }
        }
        Ok(())
    }

    /// Tells the programs everything; nothing where there are none.
    pub(super) fn tell(&mut self, settings: &::continuity::Settings) -> Result<(), Error> {
        self.loaded.as_mut().map_or(Ok(()), |loaded| loaded.tell(settings))
    }

    /// Nobody answers in this host's place any more.
    pub(super) fn end_relay(&mut self) -> Result<(), Error> {
        self.loaded.as_mut().map_or(Ok(()), Continuity::end_relay)
    }

    /// Blocks that the filter of a site may have, once there are tables.
    pub(super) fn room(&self) -> Option<usize> {
        self.loaded.as_ref()?.room().ok()
    }

    /// Lets everything pass.
    pub(super) fn let_pass(&mut self) -> Result<(), Error> {
        self.loaded.as_mut().map_or(Ok(()), Continuity::let_pass)
    }

    /// Lets everything pass, and takes the programs off every interface.
    pub(super) fn leave(&mut self) -> Result<(), Error> {
        self.let_pass()?;
        self.fences.follow(None);
        let Some(mut loaded) = self.loaded.take() else { return Ok(()) };
        let names = std::mem::take(&mut self.attached).into_keys();
        // All of them, and then the first that could not be.
        let left: Vec<_> = names.map(|name| loaded.detach(&name)).collect();
        left.into_iter().collect()
    }

    /// How each interface runs them.
    pub(super) fn modes(&self) -> impl Iterator<Item = (&str, Mode)> {
        self.attached.iter().map(|(name, (_, mode))| (name.as_str(), *mode))
    }

    /// What became of all packets.
    pub(super) fn counts(&self) -> Result<Counts, Error> {
        self.loaded.as_ref().map_or(Ok(Counts::default()), Continuity::counts)
    }

    /// What they were told last; none while everything passes.
    pub(super) fn told(&self) -> Option<&::continuity::Settings> {
        self.loaded.as_ref().and_then(Continuity::told)
    }

    /// What they know of a flow; nothing where there are none.
    pub(super) fn known_of(&self, flow: &::continuity::Flow) -> Result<Known, Error> {
        self.loaded.as_ref().map_or(Ok(Known::default()), |loaded| loaded.known_of(flow))
    }

    /// The tables of flows that are forwarded and that are received; none where there are none.
    pub(super) fn passages(&self) -> Result<Option<Passages>, Error> {
        self.loaded.as_ref().map(Continuity::passages).transpose()
    }
}

fn room(wanted: &Wanted) -> Room {
    Room { flows_of_a_site: wanted.connections, ..Room::default() }
}
