//! A table of routes as one neighbour tells it: ever other prefixes of 24 bits from 20.0.0.0 on, four to a message, which
//! is about what a table of the Internet packs into one.

use super::MOST_ROUTES;

/// Routes whose messages are written at once.
const AT_ONCE: usize = 1_024;
const ROUTES_OF_A_MESSAGE: usize = 4;
/// The first prefix.
const FIRST: u32 = 20 << 24;

/// Type UPDATE, nothing withdrawn; ORIGIN igp, AS_PATH 64511, NEXT_HOP 10.66.66.66 (RFC 4271 section 4.3).
const HEAD: [u8; 25] =
    [2, 0, 0, 0, 20, 0x40, 1, 1, 0, 0x40, 2, 6, 2, 1, 0, 0, 0xfb, 0xff, 0x40, 3, 4, 10, 66, 66, 66];

/// The messages of a table of so many routes, some at a time.
pub(super) fn messages(count: u32) -> impl Iterator<Item = Vec<u8>> {
    let mut routes = 0..count.min(MOST_ROUTES);
    std::iter::from_fn(move || {
        let some: Vec<u32> = routes.by_ref().take(AT_ONCE).collect();
        let messages = some.chunks(ROUTES_OF_A_MESSAGE).flat_map(update);
        (!some.is_empty()).then(|| messages.collect())
    })
}

fn update(routes: &[u32]) -> Vec<u8> {
    let prefixes = routes.iter().flat_map(|number| {
        let [a, b, c, _] = (FIRST + (number << 8)).to_be_bytes();
        [24, a, b, c]
    });
    let body: Vec<u8> = HEAD.into_iter().chain(prefixes).collect();
    super::message(&body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::MARKER;
    use super::*;

    /// Every message states its own length, and every prefix is told once.
    #[test]
    fn a_table_is_whole() {
        let octets: Vec<u8> = messages(1_030).flatten().collect();
        let (mut at, mut prefixes) = (0, std::collections::BTreeSet::new());
        while at < octets.len() {
            assert_eq!(octets[at..at + 16], MARKER);
            let length = usize::from(u16::from_be_bytes([octets[at + 16], octets[at + 17]]));
            let told = &octets[at + 18 + HEAD.len()..at + length];
            prefixes.extend(told.chunks(4).map(|prefix| prefix.to_vec()));
            at += length;
        }
        assert_eq!((at, prefixes.len()), (octets.len(), 1_030));
        assert_eq!(prefixes.last().unwrap()[..], [24, 20, 4, 5]);
    }
}
