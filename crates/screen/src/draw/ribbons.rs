//! Who answers whom: one row a client, the last minute. A letter says who, a thinner line is a slower answer, a cross is
//! silence.

use super::{line, window};
use crate::marks::{DETOUR, NOBODY};
use crate::palette::{Colours, Tone};
use crate::ribbon::{Cell, Scale, cells};
use crate::selection::List;
use crate::view::View;
use crate::words::{fit, ms, width};
use api::{Client, DetourKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;
use terms::Family;

/// Round trips up to so many ms have the sign beside them.
const STRENGTH: [(f32, char); 5] = [(15.0, '▆'), (40.0, '▅'), (80.0, '▄'), (130.0, '▃'), (200.0, '▂')];
/// Slower ones have this.
const SLOW: char = '▁';
/// From so many columns on, detours have words.
const WIDE: u16 = 70;

/// The columns of a row, counted from its left.
struct Columns {
    names: u16,
    ribbon: u16,
    values: u16,
}

impl Columns {
    fn of(view: &View, area: Rect) -> Columns {
        let longest = view.picture.clients.iter().map(|client| width(&client.city)).max().unwrap_or(0);
        let names = u16::try_from(longest.clamp(10, 14)).unwrap_or(14) + 2;
        let values = if area.width >= WIDE { 18 } else { 10 };
        Columns { names, ribbon: area.width.saturating_sub(names + values + 1), values }
    }
}

/// Draws as many ribbons as there are rows.
pub(super) fn ribbons(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let columns = Columns::of(view, area);
    let scale = Scale::of(view.now_ms(), columns.ribbon.into());
    let clients = &view.picture.clients;
    let place = view.selection.place(List::Clients);
    let shown = window(place, clients.len(), area.height.saturating_sub(1));
    let mut rows = area.rows();
    let Some(head) = rows.next() else { return };
    let hidden = clients.len() - shown.len();
    axis(view, ink, (&columns, scale, hidden), head, buffer);
    let is_active = view.selection.list() == List::Clients;
    for (index, row) in shown.zip(rows) {
        let client = &clients[index];
        let name = Rect { width: columns.names.saturating_sub(1), ..row };
        let tone = if is_active && index == place { Tone::Chosen } else { Tone::Plain };
        let sign = if is_active && index == place { '▸' } else { ' ' };
        let room = usize::from(name.width).saturating_sub(1);
        let city = format!("{sign}{:<room$}", fit(&client.city, room));
        line([Span::styled(city, ink.tone(tone))], name, buffer);
        let ribbon = Rect { x: row.x + columns.names, width: columns.ribbon, ..row };
        let seen = cells(&view.minute, view.part.ribbon(index), scale);
        draw(view, ink, &seen, ribbon, buffer);
        let value = Rect { x: ribbon.right() + 1, width: columns.values, ..row };
        line(value_of(view, ink, client, columns.values), value, buffer);
    }
}

/// The title, the time, and a wedge where somebody did something to the world.
fn axis(
    view: &View,
    ink: Colours,
    (columns, scale, hidden): (&Columns, Scale, usize),
    row: Rect,
    buffer: &mut Buffer,
) {
    let title = Rect { width: columns.names, ..row };
    line([Span::styled("Who answers", ink.tone(Tone::Quiet))], title, buffer);
    let time = Rect { x: row.x + columns.names, width: columns.ribbon, ..row };
    let rule = "─".repeat(time.width.into());
    line([Span::styled(rule, ink.tone(Tone::Faint))], time, buffer);
    let begin = format!("{} s ago ", scale.seconds());
    line([Span::styled(begin, ink.tone(Tone::Quiet))], time, buffer);
    for at in view.news.faults().filter_map(|at| scale.cell(at)) {
        let wedge = Rect { x: time.x + u16::try_from(at).unwrap_or(0), width: 1, ..time };
        line([Span::styled("▼", ink.tone(Tone::Alarm))], wedge, buffer);
    }
    let last = Rect { x: time.right() + 1, width: columns.values, ..row };
    let words = if hidden == 0 { "now".to_owned() } else { format!("{hidden} hidden") };
    line([Span::styled(words, ink.tone(Tone::Quiet))], last, buffer);
}

fn draw(view: &View, ink: Colours, seen: &[Cell], area: Rect, buffer: &mut Buffer) {
    let mut before = None;
    let spans = seen.iter().map(|cell| {
        let (sign, style) = sign(view, ink, *cell, before);
        before = who(*cell);
        Span::styled(sign.to_string(), style)
    });
    line(spans.collect::<Vec<_>>(), area, buffer);
}

fn who(cell: Cell) -> Option<u16> {
    match cell {
        Cell::Answered { site, .. } => Some(site),
        Cell::Unknown | Cell::Silent | Cell::HalfSilent(_) => None,
    }
}

/// Where another site begins to answer there is its letter.
fn sign(view: &View, ink: Colours, cell: Cell, before: Option<u16>) -> (char, Style) {
    match cell {
        Cell::Unknown => (' ', Style::new()),
        Cell::Silent => (NOBODY, ink.tone(Tone::Alarm)),
        Cell::HalfSilent(Family::Ipv4) => ('4', ink.tone(Tone::Alarm)),
        Cell::HalfSilent(Family::Ipv6) => ('6', ink.tone(Tone::Alarm)),
        Cell::Answered { site, rtt_ms } => {
            let place = view.part.site(site);
            let colour = place.and_then(|place| view.picture.sites.get(place)).map_or(0, |site| site.colour);
            if before == Some(site) {
                (strength(rtt_ms), Style::new().fg(ink.of_site(colour)))
            } else {
                (view.letter(place.unwrap_or(usize::MAX)), ink.badge(colour))
            }
        }
    }
}

fn strength(rtt_ms: f32) -> char {
    STRENGTH.iter().find(|(most, _)| rtt_ms <= *most).map_or(SLOW, |(_, sign)| *sign)
}

/// Who answers now, how fast, and why not the nearest.
fn value_of<'a>(view: &View, ink: Colours, client: &Client, columns: u16) -> Vec<Span<'a>> {
    let Some(place) = client.site.as_ref().and_then(|site| view.site(site)) else {
        return vec![Span::styled(format!("{NOBODY} silent"), ink.tone(Tone::Alarm))];
    };
    let letter = Span::styled(view.letter(place).to_string(), ink.letter(view.picture.sites[place].colour));
    let round_trip = Span::raw(format!(" {:>6}", client.rtt_ms.map(ms).unwrap_or_default()));
    let why = client.detour.as_ref().map(|detour| match (detour.kind, columns > 10) {
        (DetourKind::Failover, true) => Span::styled(format!(" {DETOUR} failover"), ink.tone(Tone::Alarm)),
        (DetourKind::Policy, true) => Span::styled(format!(" {DETOUR} policy"), ink.tone(Tone::Quiet)),
        (DetourKind::Failover, false) => Span::styled(format!(" {DETOUR}"), ink.tone(Tone::Alarm)),
        (DetourKind::Policy, false) => Span::styled(format!(" {DETOUR}"), ink.tone(Tone::Quiet)),
    });
    [Some(letter), Some(round_trip), why].into_iter().flatten().collect()
}
