//! Where everything stands, for every size of a terminal.

use ratatui::layout::Rect;

/// Columns and rows below which nothing can be read.
pub(crate) const LEAST: (u16, u16) = (50, 18);
/// From so many columns on, lists stand beside the map.
const TWO_COLUMNS: u16 = 76;
/// From so many rows on, the head has two of them.
const TALL: u16 = 28;
/// Where a list of faults always fits beside everything else.
const ROOMY: (u16, u16) = (48, 34);
/// The fewest rows of a map in which anything can be told.
const LEAST_MAP: u16 = 7;
/// Rows that the way of a client takes, and why it is not shorter.
const READOUT: u16 = 11;
/// Columns of a map that shows the whole earth, for ten rows of it.
const MAP_SHAPE: u16 = 44;

/// How many rows of each kind there are to show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) clients: u16,
    pub(crate) sites: u16,
    pub(crate) alarms: u16,
    pub(crate) in_force: u16,
    pub(crate) offers: u16,
    pub(crate) detours: u16,
}

/// The places. One without rows is not drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) head: Rect,
    pub(crate) alarms: Rect,
    pub(crate) map: Rect,
    pub(crate) ribbons: Rect,
    pub(crate) detours: Rect,
    pub(crate) list: Rect,
    pub(crate) faults: Rect,
    pub(crate) in_force: Rect,
    pub(crate) news: Rect,
    pub(crate) keys: Rect,
    pub(crate) foot: Rect,
}

impl Layout {
    /// None if the terminal is too small.
    pub(crate) fn of(area: Rect, rows: Rows) -> Option<Layout> {
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return None;
        }
        let rest = Rect { x: area.x + 1, width: area.width - 2, ..area };
        let (head, rest) = top(rest, if area.height < TALL { 1 } else { 2 });
        let (foot, rest) = bottom(rest, 1);
        let (keys, rest) = bottom(rest, 1);
        let (alarms, rest) = top(rest, rows.alarms.min(2));
        let layout = Layout { head, alarms, keys, foot, ..Layout::default() };
        Some(if area.width < TWO_COLUMNS {
            layout.one_column(rest, rows)
        } else {
            layout.two_columns(rest, rows)
        })
    }

    fn one_column(self, rest: Rect, rows: Rows) -> Layout {
        let (map, rest) = top(rest, (rest.width * 10 / MAP_SHAPE).min(rest.height * 2 / 5));
        let (ribbons, rest) = top(rest, (rows.clients + 1).min(rest.height / 2));
        let (list, rest) = top(rest, (rows.sites + 3).min(rest.height * 2 / 3));
        let (in_force, rest) = top(rest, panel(rows.in_force.min(2)));
        Layout { map, ribbons, list, in_force, news: rest, ..self }
    }

    fn two_columns(self, rest: Rect, rows: Rows) -> Layout {
        let side = (rest.width * 3 / 10).clamp(31, 64);
        let right = Rect { x: rest.right() - side, width: side, ..rest };
        let left = Rect { width: rest.width - side - 2, ..rest };
        // Where there is room for all, the map has some more of it than the earth takes.
        let whole_map = left.width * 12 / MAP_SHAPE;
        let others = rows.clients.saturating_add(1 + panel(rows.detours));
        let beside_ribbons = left.height.saturating_sub(others).max(left.width * 10 / MAP_SHAPE);
        let beside_ribbons = beside_ribbons.min(left.height.saturating_sub(rows.clients + 1)).max(LEAST_MAP);
        let (map, left) = top(left, whole_map.min(beside_ribbons));
        let (ribbons, left) = top(left, rows.clients + 1);
        let detours =
            Rect { y: left.y + 1, height: left.height.saturating_sub(1).min(panel(rows.detours)), ..left };
        let list = (rows.sites + 3).max(if has_room_for_a_way(right) { READOUT } else { 7 });
        let (list, right) = top(right, list.min(right.height * 9 / 20));
        let roomy = right.width >= ROOMY.0 && right.height + list.height >= ROOMY.1;
        let (faults, right) = top(right, if roomy { panel(rows.offers.max(11)) } else { 0 });
        let (in_force, right) = top(right, panel(rows.in_force.min(4)));
        Layout { map, ribbons, detours, list, faults, in_force, news: right, ..self }
    }
}

/// Whether there is room to say everything about one client.
fn has_room_for_a_way(area: Rect) -> bool {
    area.height >= 2 * READOUT
}

/// Rows of a panel with a title and a free row after it; none if there is nothing in it.
fn panel(rows: u16) -> u16 {
    if rows == 0 { 0 } else { rows + 2 }
}

/// So many rows of an area, as far as it has them, and what is left.
fn top(area: Rect, rows: u16) -> (Rect, Rect) {
    let height = rows.min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + height, height: area.height - height, ..area })
}

/// The same from below.
fn bottom(area: Rect, rows: u16) -> (Rect, Rect) {
    let height = rows.min(area.height);
    let rest = Rect { height: area.height - height, ..area };
    (Rect { y: rest.bottom(), height, ..area }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_lies_over_anything_else_or_outside(
            (width, height) in (0u16..400, 0u16..200),
            [clients, sites, alarms, in_force, offers, detours] in proptest::array::uniform6(0u16..200),
        ) {
            let area = Rect { x: 0, y: 0, width, height };
            let rows = Rows { clients, sites, alarms, in_force, offers, detours };
            let Some(layout) = Layout::of(area, rows) else {
                prop_assert!(width < LEAST.0 || height < LEAST.1);
                return Ok(());
            };
            let Layout { head, alarms, map, ribbons, detours, list, faults, in_force, news, keys, foot } = layout;
            let places = [head, alarms, map, ribbons, detours, list, faults, in_force, news, keys, foot];
            for (index, place) in places.iter().enumerate() {
                prop_assert_eq!(area.union(*place), area, "{:?}", layout);
                for other in places[..index].iter().filter(|other| !other.is_empty() && !place.is_empty()) {
                    prop_assert!(!place.intersects(*other), "{:?}", layout);
                }
            }
            prop_assert!(head.height > 0 && map.height > 0 && ribbons.height > 0 && list.height > 0);
        }
    }
}
