//! What the thread hands to the program that takes over, and how that goes on from it.

use super::directory::Link;
use super::ear::Ear;
use super::view::View;
use super::voice::Voice;
use super::{Hops, Shown};
use crate::succession::Descriptors;
use ::bfd::session::Session;
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use terms::{Family, PeerName, WallTime};

/// The sessions and everything that they stand on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Kept {
    ears: Vec<KeptEar>,
    links: Vec<KeptLink>,
}

/// A socket in which packets wait.
#[derive(Debug, Serialize, Deserialize)]
struct KeptEar {
    hops: Hops,
    family: Family,
    descriptor: RawFd,
}

/// One session.
#[derive(Debug, Serialize, Deserialize)]
struct KeptLink {
    name: PeerName,
    neighbour: SocketAddr,
    hops: Hops,
    session: Session,
    since: WallTime,
    voice: RawFd,
}

impl Kept {
    /// What there is to keep; a session on its way out has said so already.
    pub(super) fn of<'a>(ears: &[Ear], links: impl Iterator<Item = &'a mut Link>) -> Self {
        let ear =
            |ear: &Ear| KeptEar { hops: ear.hops, family: ear.family, descriptor: ear.as_fd().as_raw_fd() };
        let link = |link: &mut Link| KeptLink {
            name: link.name.clone(),
            neighbour: link.neighbour,
            hops: link.hops,
            session: link.session.clone(),
            since: link.view.since,
            voice: link.voice.as_fd().as_raw_fd(),
        };
        let ears = ears.iter().map(ear).collect();
        Kept { ears, links: links.filter(|link| link.shown.is_some()).map(link).collect() }
    }

    /// The descriptors that it needs.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let ears = self.ears.iter().map(|ear| ear.descriptor);
        ears.chain(self.links.iter().map(|link| link.voice))
    }

    /// What can be taken over of it: every ear that is open, and every session or whose it was.
    pub(super) fn take(self, descriptors: &mut Descriptors) -> (Vec<Ear>, Vec<Result<Link, PeerName>>) {
        let ears = self.ears.into_iter().filter_map(|KeptEar { hops, family, descriptor }| {
            Some(Ear { hops, family, socket: descriptors.take(descriptor)? })
        });
        let ears = ears.collect();
        let links = self.links.into_iter().map(|kept| match descriptors.take(kept.voice) {
            Some(voice) => Ok(kept.go_on(voice)),
            None => Err(kept.name),
        });
        (ears, links.collect())
    }
}

impl KeptLink {
    fn go_on(self, voice: UdpSocket) -> Link {
        let KeptLink { name, neighbour, hops, session, since, voice: _ } = self;
        let voice = Voice::go_on(voice, neighbour, hops.port());
        let view = View::of(&session, since);
        // Nobody looks until its peer's task comes.
        Link { name, neighbour, hops, session, voice, view, shown: Some(Shown::default()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::bfd::Discriminator;
    use ::bfd::session::{Input, Settings, StateName};
    use std::collections::BTreeSet;
    use std::num::NonZeroU32;
    use terms::Timestamp;

    fn link(name: &str, neighbour: &str, number: u32) -> Link {
        let neighbour: SocketAddr = neighbour.parse().unwrap();
        let settings = Settings {
            interval: std::time::Duration::from_millis(50).into(),
            multiplier: 3.try_into().unwrap(),
            passive: false,
        };
        let mut session = Session::new(settings, Discriminator(NonZeroU32::new(number).unwrap()), 1);
        session.handle(Input::Start, Timestamp::ZERO);
        let view = View::of(&session, WallTime(7));
        let voice = Voice::open(neighbour, Hops::Single.port()).unwrap();
        let (name, shown) = (name.parse().unwrap(), Some(Shown::default()));
        Link { name, neighbour, hops: Hops::Single, session, voice, view, shown }
    }

    #[test]
    fn a_session_goes_on_with_its_place_and_its_time_and_one_without_a_socket_does_not() {
        let mut links = [link("here", "[fe80::1%3]:179", 1), link("gone", "192.0.2.1:179", 2)];
        let kept = Kept::of(&[], links.iter_mut());
        let numbers: BTreeSet<RawFd> = kept.descriptors().collect();
        assert_eq!(numbers.len(), 2);
        let octets = serde_json::to_vec(&kept).unwrap();
        let [here, _gone] = links;
        let mut descriptors = Descriptors::for_test([(here.voice.as_fd().as_raw_fd(), here.voice.into())]);
        let kept: Kept = serde_json::from_slice(&octets).unwrap();
        let (_, mut links) = kept.take(&mut descriptors);
        assert_eq!(links.pop().unwrap().err().unwrap(), "gone".parse().unwrap());
        let link = links.pop().unwrap().ok().unwrap();
        assert_eq!((link.neighbour, link.view.since), (here.neighbour, WallTime(7)));
        assert_eq!((link.session.state(), link.session.discriminator().0.get()), (StateName::Down, 1));
    }

    #[test]
    fn a_session_on_its_way_out_stays_behind() {
        let mut link = Link { shown: None, ..link("here", "192.0.2.1:179", 1) };
        assert_eq!(Kept::of(&[], std::iter::once(&mut link)).descriptors().count(), 0);
    }
}
