//! ADD-PATH: several paths to one prefix (RFC 7911 section 4).

use crate::wire::nlri;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use terms::Family;

const RECEIVE: u8 = 1;
const SEND: u8 = 2;

/// Whether a prefix comes with a path identifier, by direction. In a capability: what the speaker is able to do. In
/// what was negotiated: what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddPath {
    /// From the neighbour.
    pub receive: bool,
    /// To the neighbour.
    pub send: bool,
}

impl AddPath {
    /// What happens between a speaker with this ability and a neighbour with that one.
    pub fn with(self, theirs: AddPath) -> AddPath {
        AddPath { receive: self.receive && theirs.send, send: self.send && theirs.receive }
    }

    /// The same seen from the other end.
    pub fn reversed(self) -> AddPath {
        AddPath { receive: self.send, send: self.receive }
    }

    fn is_any(self) -> bool {
        self.receive || self.send
    }
}

/// Abilities by family. An entry with an undefined value or about a family that is not spoken here is ignored; none
/// if the list ends within an entry.
pub(super) fn decode(value: &[u8]) -> Option<BTreeMap<Family, AddPath>> {
    let (entries, rest) = value.as_chunks();
    let understood = entries.iter().filter_map(|&[high, low, safi, value]| {
        let family = nlri::family(u16::from_be_bytes([high, low]), safi)?;
        let ability = AddPath { receive: value & RECEIVE != 0, send: value & SEND != 0 };
        (1..=3).contains(&value).then_some((family, ability))
    });
    rest.is_empty().then(|| understood.collect())
}

/// One entry for each family that has any ability.
pub(super) fn encode(families: &BTreeMap<Family, AddPath>) -> Vec<u8> {
    let able = families.iter().filter(|(_, ability)| ability.is_any());
    let entry = |(&family, ability): (&Family, &AddPath)| {
        let [high, low] = nlri::afi(family).to_be_bytes();
        let receive = if ability.receive { RECEIVE } else { 0 };
        let send = if ability.send { SEND } else { 0 };
        [high, low, nlri::SAFI_UNICAST, receive | send]
    };
    able.flat_map(entry).collect()
}
