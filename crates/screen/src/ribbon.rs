//! A ribbon: who answered one client, over the last minute, a cell for every stretch of time.

use api::minute::{SLOT_MS, WINDOW_MS};
use api::{LastMinute, Outcome};
use terms::Family;

/// A sample holds so long, ms, unless another comes.
const HOLDS_MS: u64 = 1200;
/// So many silent slots make a cell silent. One is a lost packet.
const SILENT_SLOTS: u32 = 2;

/// What a client saw in one stretch of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    /// It did not ask.
    Unknown,
    /// An answer.
    Answered {
        /// By whom: the place in the picture's sites.
        site: u16,
        /// Round trip, ms.
        rtt_ms: f32,
    },
    /// No answer.
    Silent,
    /// No answer over this family, and one over the other.
    HalfSilent(Family),
}

/// How time is cut into cells. The cuts stay where they are when time goes on, so that nothing flickers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    cell_ms: u64,
    /// The number of the last cell, counted from the start.
    last: u64,
    cells: usize,
}

impl Scale {
    /// At least the last minute before `now_ms` in so many cells.
    pub(crate) fn of(now_ms: u64, cells: usize) -> Scale {
        let wanted = WINDOW_MS.div_ceil((cells as u64).max(1));
        let cell_ms = wanted.div_ceil(SLOT_MS).max(1) * SLOT_MS;
        Scale { cell_ms, last: now_ms / cell_ms, cells }
    }

    /// The cell in which a moment lies, counted from the left; none if it is too long ago, or yet to come.
    pub(crate) fn cell(&self, at_ms: u64) -> Option<usize> {
        let ago = usize::try_from(self.last.checked_sub(at_ms / self.cell_ms)?).ok()?;
        self.cells.checked_sub(1)?.checked_sub(ago)
    }

    /// The seconds that all cells together last.
    pub(crate) fn seconds(&self) -> u64 {
        self.cell_ms.saturating_mul(self.cells as u64) / 1000
    }
}

/// The cells of one ribbon.
pub(crate) fn cells(minute: &LastMinute, ribbon: u16, scale: Scale) -> Vec<Cell> {
    let [v4, v6, either] =
        [Some(Family::Ipv4), Some(Family::Ipv6), None].map(|family| track(minute, (ribbon, family), scale));
    v4.into_iter().zip(v6).zip(either).map(|((v4, v6), either)| both(v4, v6, either)).collect()
}

/// A client asks five times as often over IPv4: who answers it there is who answers.
fn both(v4: Cell, v6: Cell, either: Cell) -> Cell {
    match (v4, v6) {
        (Cell::Silent, Cell::Answered { .. }) => Cell::HalfSilent(Family::Ipv4),
        (Cell::Answered { .. }, Cell::Silent) => Cell::HalfSilent(Family::Ipv6),
        (Cell::Unknown, Cell::Unknown) => either,
        (Cell::Unknown, seen) | (seen, _) => seen,
    }
}

/// What one family saw in each cell.
fn track(minute: &LastMinute, (ribbon, family): (u16, Option<Family>), scale: Scale) -> Vec<Cell> {
    let mut counts = vec![Count::default(); scale.cells];
    for sample in minute.ribbon(ribbon, family) {
        if let Some(count) = scale.cell(sample.at_ms).and_then(|cell| counts.get_mut(cell)) {
            count.add(sample.outcome);
        }
    }
    let mut held = (Cell::Unknown, u64::MAX);
    let mut seen = |count: Count| {
        held = match count.cell() {
            Cell::Unknown => (held.0, held.1.saturating_add(scale.cell_ms)),
            cell => (cell, 0),
        };
        if held.1 <= HOLDS_MS.max(scale.cell_ms) { held.0 } else { Cell::Unknown }
    };
    counts.into_iter().map(&mut seen).collect()
}

#[derive(Clone, Copy, Default)]
struct Count {
    silent: u32,
    answered: Option<(u16, f32)>,
}

impl Count {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered { site, rtt_ms } => self.answered = Some((site, rtt_ms)),
            Outcome::Silent => self.silent = self.silent.saturating_add(1),
        }
    }

    fn cell(self) -> Cell {
        match (self.silent, self.answered) {
            (0, None) => Cell::Unknown,
            (silent, Some((site, rtt_ms))) if silent < SILENT_SLOTS => Cell::Answered { site, rtt_ms },
            _ => Cell::Silent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::Sample;
    use proptest::prelude::*;

    /// Letters are sites that answer, `.` is silence, a space is nothing; a sample every 100 ms.
    fn minute(v4: &str, v6: &str) -> LastMinute {
        let mut minute = LastMinute::default();
        for (family, seen) in [(Family::Ipv4, v4), (Family::Ipv6, v6)] {
            for (slot, letter) in seen.bytes().enumerate().filter(|(_, letter)| *letter != b' ') {
                let outcome = match letter {
                    b'.' => Outcome::Silent,
                    site => Outcome::Answered { site: u16::from(site), rtt_ms: 1.0 },
                };
                let at_ms = slot as u64 * SLOT_MS;
                minute.sample(Sample { ribbon: 0, at_ms, outcome, family: Some(family) });
            }
        }
        minute
    }

    /// The last cells of a ribbon whose cells last 500 ms.
    fn drawn(v4: &str, v6: &str) -> String {
        let minute = minute(v4, v6);
        let cells = cells(&minute, 0, Scale::of(minute.latest_ms(), 120));
        let letter = |cell: &Cell| match cell {
            Cell::Unknown => ' ',
            Cell::Answered { site, .. } => char::from(u8::try_from(*site).unwrap_or(b'?')),
            Cell::Silent => '.',
            Cell::HalfSilent(Family::Ipv4) => '4',
            Cell::HalfSilent(Family::Ipv6) => '6',
        };
        cells.iter().map(letter).collect::<String>().trim_start().to_owned()
    }

    #[test]
    fn a_lost_packet_is_no_gap_and_a_failover_is_one() {
        assert_eq!(drawn("AAAAA.AAAAAAAAA", ""), "AAA");
        assert_eq!(drawn("AAAAAA...BBBBBB", ""), "A.B");
    }

    #[test]
    fn a_family_that_is_silent_alone_is_named() {
        assert_eq!(drawn("AAAAAAAAAA", "AAAAA....."), "A6");
        assert_eq!(drawn("AAAAA.....", "AAAAAAAAAA"), "A4");
        assert_eq!(drawn("AAAAA.....", "AAAAA....."), "A.");
    }

    #[test]
    fn who_has_not_asked_for_long_is_unknown() {
        assert_eq!(drawn("AAAAA               BBBBB", ""), "AAA B");
    }

    proptest! {
        #[test]
        fn there_are_as_many_cells_as_asked_for(now_ms: u64, wanted in 0usize..400) {
            let scale = Scale::of(now_ms, wanted);
            prop_assert_eq!(cells(&LastMinute::default(), 0, scale).len(), wanted);
            prop_assert!(wanted == 0 || scale.seconds() >= WINDOW_MS / 1000);
            prop_assert_eq!(scale.cell(now_ms), wanted.checked_sub(1));
        }
    }
}
