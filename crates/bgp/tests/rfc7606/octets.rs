//! UPDATEs as octets: a flawless one, and what damages it.

pub(super) const WELL_KNOWN: u8 = 0x40;
pub(super) const OPTIONAL: u8 = 0x80;
pub(super) const OPTIONAL_TRANSITIVE: u8 = 0xc0;

/// One attribute as it is on the wire.
pub(super) type Raw = Vec<u8>;

pub(super) fn raw(flags: u8, code: u8, value: &[u8]) -> Raw {
    let length = u8::try_from(value.len()).unwrap();
    [&[flags, code, length], value].concat()
}

/// A flawless announcement of 192.0.2.0/24: what the rows damage.
pub(super) fn flawless() -> Vec<Raw> {
    vec![
        raw(WELL_KNOWN, 1, &[0]),
        raw(WELL_KNOWN, 2, &[2, 1, 0, 0, 0xfb, 0xf4]),
        raw(WELL_KNOWN, 3, &[10, 0, 0, 1]),
    ]
}

pub(super) fn without(code: u8) -> Vec<Raw> {
    flawless().into_iter().filter(|raw| raw[1] != code).collect()
}

/// The flawless attributes, the one of that type replaced or added.
pub(super) fn with(flags: u8, code: u8, value: &[u8]) -> Vec<Raw> {
    without(code).into_iter().chain([raw(flags, code, value)]).collect()
}

/// The flawless attributes and these octets.
pub(super) fn and(octets: Raw) -> Vec<Raw> {
    flawless().into_iter().chain([octets]).collect()
}

pub(super) const NLRI: &[u8] = &[24, 192, 0, 2];
pub(super) const NLRI6: &[u8] = &[48, 0x20, 0x01, 0x0d, 0xb8, 0, 0x53];
/// 2001:db8::1.
pub(super) const HOP6: [u8; 16] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

pub(super) fn body(withdrawn: &[u8], attributes: &[Raw], nlri: &[u8]) -> Vec<u8> {
    let attributes = attributes.concat();
    let length = |octets: &[u8]| u16::try_from(octets.len()).unwrap().to_be_bytes();
    [&length(withdrawn)[..], withdrawn, &length(&attributes)[..], &attributes, nlri].concat()
}

pub(super) fn announce(attributes: &[Raw]) -> Vec<u8> {
    body(&[], attributes, NLRI)
}

/// The value of an MP_REACH_NLRI of IPv6.
pub(super) fn mp_reach(next_hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    reach(2, next_hop, nlri)
}

pub(super) fn reach(afi: u8, next_hop: &[u8], nlri: &[u8]) -> Vec<u8> {
    let length = u8::try_from(next_hop.len()).unwrap();
    [&[0, afi, 1, length][..], next_hop, &[0], nlri].concat()
}

/// Both families announced, the MP_REACH_NLRI with that value.
pub(super) fn both(flags: u8, value: &[u8]) -> Vec<u8> {
    announce(&and(raw(flags, 14, value)))
}

/// MP_REACH_NLRI alone, with what it needs.
pub(super) fn alone(value: &[u8]) -> Vec<u8> {
    body(&[], &[without(3), vec![raw(OPTIONAL, 14, value)]].concat(), &[])
}

/// MP_UNREACH_NLRI alone.
pub(super) fn gone(value: &[u8]) -> Vec<u8> {
    body(&[], &[raw(OPTIONAL, 15, value)], &[])
}
