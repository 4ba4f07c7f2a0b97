//! The structures of `ebpf/tables.h`, octet by octet. The compiler of the programs asserts their sizes there.

use continuity::search::Learned;
use continuity::{Block, Filter, Flow, KeyId, Paces, Settings, Site, SiteNumber, State};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// `struct settings`.
pub(crate) const SETTINGS_LEN: usize = 176;
/// `struct site`.
pub(crate) const SITE_LEN: usize = 24;
/// `struct passage`.
pub(crate) const PASSAGE_LEN: usize = 32;
/// `struct page`.
pub(crate) const PAGE_LEN: usize = PAGE_BLOCKS * Filter::BLOCK_LEN;
/// Blocks of a page.
pub(crate) const PAGE_BLOCKS: usize = 128;
/// Where `relay` lies in `struct settings`.
const RELAY: usize = 172;
/// `NO_SITE`.
const NO_SITE: u8 = 255;

/// An address as a key.
pub(crate) fn address(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// Puts one field behind the other, as the C compiler does: the order of the structures leaves no gaps.
struct Fields<const N: usize> {
    octets: [u8; N],
    at: usize,
}

impl<const N: usize> Fields<N> {
    fn new() -> Self {
        Fields { octets: [0; N], at: 0 }
    }

    fn put(&mut self, field: &[u8]) {
        for (place, octet) in self.octets.iter_mut().skip(self.at).zip(field) {
            *place = *octet;
        }
        self.at += field.len();
    }
}

/// `struct settings`, active.
pub(crate) fn settings(settings: &Settings, pages: u32) -> [u8; SETTINGS_LEN] {
    let mut fields = Fields::new();
    let keys = KeyId::ALL.map(|id| settings.keys.get(id));
    for key in keys {
        fields.put(&key.map_or([0; 16], |key| key.octets()));
    }
    fields.put(&settings.filter_key.octets());
    let Paces { claims, guesses, resets } = settings.paces;
    for pace in [claims, guesses, resets] {
        fields.put(&nanoseconds(pace.interval).to_ne_bytes());
        fields.put(&nanoseconds(pace.depth()).to_ne_bytes());
    }
    fields.put(&settings.source4.map_or([0; 16], |source| address(source.into())));
    fields.put(&settings.source6.unwrap_or(Ipv6Addr::UNSPECIFIED).octets());
    fields.put(&pages.to_ne_bytes());
    fields.put(&settings.port.get().to_be_bytes());
    fields.put(&settings.longest().to_ne_bytes());
    let known = (0..).zip(keys).filter(|(_, key)| key.is_some()).map(|(bit, _)| 1 << bit).sum();
    let highest = settings.sites.keys().last().map_or(0, |number| number.get() + 1);
    fields.put(&[
        1,
        settings.number.get(),
        settings.keys.sending().get(),
        known,
        settings.relay.map_or(NO_SITE, SiteNumber::get),
        highest,
    ]);
    fields.octets
}

/// Takes the relay out of a `struct settings`; answers whether there was one.
pub(crate) fn end_relay(settings: &mut [u8; SETTINGS_LEN]) -> bool {
    std::mem::replace(&mut settings[RELAY], NO_SITE) != NO_SITE
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// `struct site`; with no blocks, its filter is not asked.
pub(crate) fn site(site: &Site, blocks: u32) -> [u8; SITE_LEN] {
    let mut fields = Fields::new();
    fields.put(&address(site.address));
    fields.put(&blocks.to_ne_bytes());
    let state = match site.state {
        State::Alive => 1,
        State::Dead => 2,
    };
    fields.put(&[if site.address.is_ipv4() { 4 } else { 6 }, state]);
    fields.octets
}

/// Blocks of the filter of a `struct site`.
pub(crate) fn blocks_of_site(octets: &[u8; SITE_LEN]) -> u32 {
    u32::from_ne_bytes([octets[16], octets[17], octets[18], octets[19]])
}

/// `struct page`: some of a filter's blocks.
pub(crate) fn page(blocks: &[Block]) -> [u8; PAGE_LEN] {
    let mut fields = Fields::new();
    for word in blocks.iter().flatten() {
        fields.put(&word.to_ne_bytes());
    }
    fields.octets
}

/// `struct passage`, of one packet.
pub(crate) fn passage(learned: Learned) -> [u8; PASSAGE_LEN] {
    let mut fields = Fields::new();
    for time in [learned.seen, learned.seen] {
        fields.put(&time.as_nanos().to_ne_bytes());
    }
    fields.put(&1_u64.to_ne_bytes());
    fields.put(&[learned.site.get(), learned.is_confirmed.into()]);
    fields.octets
}

/// Since when, until when (nanoseconds since the machine started), how many packets, the site's number, and whether its filter
/// has had the flow.
pub(crate) fn read_passage(octets: &[u8; PASSAGE_LEN]) -> ([u64; 3], u8, bool) {
    let words = octets.as_chunks::<8>().0;
    ([words[0], words[1], words[2]].map(u64::from_ne_bytes), octets[24], octets[25] != 0)
}

/// The flow and the octets of a `struct held`; none if it is none.
pub(crate) fn read_held(octets: &[u8]) -> Option<(Flow, Vec<u8>)> {
    let (flow, rest) = octets.split_first_chunk::<FLOW_LEN>()?;
    let (length, packet) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_ne_bytes(*length)).ok()?;
    Some((Flow::of_octets(flow), packet.get(..length)?.to_vec()))
}

/// `struct flow`.
pub(crate) const FLOW_LEN: usize = Flow::LEN;
