//! Puts a view into cells. The same view, size and colours always give the same cells.

mod forwards;
mod map;
mod overlay;
mod ribbons;
mod side;
mod station;

use crate::headline::{Headline, figures};
use crate::layout::{LEAST, Layout, Rows};
use crate::menu::{RESTORE_KEY, keys};
use crate::palette::{Colours, Tone};
use crate::part::tabs;
use crate::view::{Overlay, Stage, View};
use crate::words::{fit, list, seconds, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

/// Fills an area of the buffer. Names and reasons may come from a hostile network: what would move the cursor or worse is
/// left out where text is put into cells, and a test sees to it.
pub fn draw(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    buffer.set_style(area, ink.ground());
    match Layout::of(area, rows(view)) {
        None => too_small(area, ink, buffer),
        Some(layout) if view.picture.sites.is_empty() => building(view, ink, &layout, buffer),
        Some(layout) => world(view, ink, &layout, buffer),
    }
}

fn rows(view: &View) -> Rows {
    let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX / 2);
    let picture = &view.picture;
    Rows {
        clients: rows(picture.clients.len()),
        sites: rows(picture.sites.len()),
        alarms: rows(picture.alarms.len()),
        in_force: rows(picture.faults.len()),
        offers: rows(view.offers().len()),
        detours: rows(picture.clients.iter().filter(|client| client.detour.is_some()).count()),
    }
}

fn world(view: &View, ink: Colours, layout: &Layout, buffer: &mut Buffer) {
    head(view, ink, layout.head, buffer);
    alarms(view, ink, layout.alarms, buffer);
    map::map(view, ink, layout.map, buffer);
    ribbons::ribbons(view, ink, layout.ribbons, buffer);
    side::detours(view, ink, layout.detours, buffer);
    side::list(view, ink, layout.list, buffer);
    side::faults(view, ink, layout.faults, buffer);
    side::in_force(view, ink, layout.in_force, buffer);
    side::news(view, ink, layout.news, buffer);
    offers(view, ink, layout.keys, buffer);
    foot(view, ink, layout.foot, buffer);
    match view.overlay {
        Overlay::None => {}
        Overlay::Help => overlay::help(ink, buffer.area, buffer),
        Overlay::Faults(place) => overlay::faults(view, place, ink, buffer.area, buffer),
    }
}

/// One line in the first row of an area.
fn line<'a>(spans: impl IntoIterator<Item = Span<'a>>, area: Rect, buffer: &mut Buffer) {
    if !area.is_empty() {
        buffer.set_line(area.x, area.y, &Line::from_iter(spans), area.width);
    }
}

/// Words, broken into as many lines as there are.
fn paragraph<'a>(spans: impl IntoIterator<Item = Span<'a>>, area: Rect, buffer: &mut Buffer) {
    Paragraph::new(Line::from_iter(spans)).wrap(Wrap { trim: true }).render(area, buffer);
}

/// Words on the left, and on the right as much of the end of `right` as there is room for beside them.
fn both_sides(left: &str, style: Style, right: &[Span<'_>], area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width);
    let left = fit(left, columns);
    let taken = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let fits = |from: &usize| width(&left) + taken(&right[*from..]) <= columns;
    let right = &right[(0..right.len()).find(fits).unwrap_or(right.len())..];
    let gap = " ".repeat(columns.saturating_sub(width(&left) + taken(right)));
    let left = [Span::styled(left.as_str(), style), Span::raw(gap)];
    line(left.into_iter().chain(right.iter().cloned()), area, buffer);
}

fn head(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let (strong, quiet) = (ink.tone(Tone::Strong), ink.tone(Tone::Quiet));
    let headline = Headline::of(&view.picture);
    let tone = if headline.is_wrong { Tone::Alarm } else { Tone::Strong };
    let figures = figures(&view.picture).map(|(what, value)| match area.height {
        0 | 1 => Span::styled(format!("  {value}"), strong),
        _ => Span::styled(format!("  {what} {value}"), quiet),
    });
    let clock = Span::styled(format!("  {:>8}", seconds(view.now_ms())), quiet);
    let tabs = tabs(&view.whole, view.service);
    if area.height < 2 {
        let about = if tabs.is_empty() { view.picture.title.clone() } else { tabs };
        let sentence = format!("{about}  {}", headline.sentence);
        let right: Vec<Span<'_>> = figures.into_iter().chain([clock]).collect();
        return both_sides(&sentence, ink.tone(tone), &right, area, buffer);
    }
    let addresses: Vec<String> = view.picture.addresses.iter().map(ToString::to_string).collect();
    let about = if tabs.is_empty() { addresses.join("  ") } else { tabs };
    let title = format!("Catchment  {}  {about}", view.picture.title);
    both_sides(&title, quiet, &[Span::styled(format!("  {}", view.page), quiet), clock], area, buffer);
    let brand =
        [Span::styled("Catchment", strong), Span::styled(format!("  {}", view.picture.title), strong)];
    line(brand, area, buffer);
    let below = Rect { y: area.y + 1, height: 1, ..area };
    both_sides(&headline.sentence, ink.tone(tone), &figures, below, buffer);
}

fn alarms(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    for (alarm, row) in view.picture.alarms.iter().zip(area.rows()) {
        let text = format!("! {} {}", alarm.subject, alarm.text);
        line([Span::styled(fit(&text, area.width.into()), ink.tone(Tone::Alarm))], row, buffer);
    }
}

/// The keys of what can be done to the chosen one.
fn offers(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let Some(chosen) = view.chosen() else { return };
    let title = fit(chosen.title(), usize::from(area.width) / 2);
    let mut room = usize::from(area.width).saturating_sub(width(&title) + 9);
    let mut spans = vec![Span::styled(format!("{title}:"), ink.tone(Tone::Strong))];
    for (key, offer) in keys(chosen.offers()) {
        let Some(key) = key else { continue };
        let needed = width(&offer.label) + 4;
        if needed > room {
            spans.extend([Span::styled("  enter", ink.tone(Tone::Key)), Span::raw(" …")]);
            break;
        }
        room -= needed;
        spans.push(Span::styled(format!("  {key}"), ink.tone(Tone::Key)));
        spans.push(Span::raw(format!(" {}", offer.label)));
    }
    if chosen.offers().is_empty() {
        spans.push(Span::styled(" its way is on the map", ink.tone(Tone::Quiet)));
    }
    line(spans, area, buffer);
}

/// What became of the last command; the keys that always work.
fn foot(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    if view.stage == Stage::Leaving {
        return line([Span::styled("The world is being taken down.", ink.tone(Tone::Strong))], area, buffer);
    }
    if let Some(message) = view.message() {
        let tone = if message.is_wrong { Tone::Alarm } else { Tone::Good };
        return line([Span::styled(fit(&message.text, area.width.into()), ink.tone(tone))], area, buffer);
    }
    let restore = RESTORE_KEY.to_string();
    let keys = [
        ("tab", "list"),
        ("↑↓", "choose"),
        ("enter", "faults"),
        (restore.as_str(), "restore everything"),
        ("?", "help"),
        ("q", "leave"),
    ];
    let spans = keys.into_iter().flat_map(|(key, words)| {
        [Span::styled(key, ink.tone(Tone::Key)), Span::styled(format!(" {words}  "), ink.tone(Tone::Quiet))]
    });
    line(spans.collect::<Vec<_>>(), area, buffer);
}

/// What the lab says while there is no picture.
fn building(view: &View, ink: Colours, layout: &Layout, buffer: &mut Buffer) {
    let title = format!("Catchment  {}", view.picture.title);
    line([Span::styled(title, ink.tone(Tone::Strong))], layout.head, buffer);
    let body = layout.head.union(layout.keys);
    let body = Rect { y: body.y + 2, height: body.height.saturating_sub(3), ..body };
    let skip = view.said.len().saturating_sub(body.height.into());
    for (said, row) in view.said.iter().skip(skip).zip(body.rows()) {
        line([Span::raw(fit(said, row.width.into()))], row, buffer);
    }
    if view.said.is_empty() {
        line([Span::styled("The world is being built.", ink.tone(Tone::Quiet))], body, buffer);
    }
    if view.stage == Stage::Leaving {
        return foot(view, ink, layout.foot, buffer);
    }
    let leave = [Span::styled("q", ink.tone(Tone::Key)), Span::styled(" leave", ink.tone(Tone::Quiet))];
    line(leave, layout.foot, buffer);
}

fn too_small(area: Rect, ink: Colours, buffer: &mut Buffer) {
    let (columns, rows) = LEAST;
    let words = format!(
        "A world needs {columns} columns and {rows} rows; this terminal has {}. Make it larger, or leave with q.",
        list(&[&area.width.to_string(), &area.height.to_string()])
    );
    paragraph([Span::styled(words, ink.tone(Tone::Strong))], area, buffer);
}

/// The title of a panel over its first row; what is left below.
fn title(words: &str, ink: Colours, area: Rect, buffer: &mut Buffer) -> Rect {
    let rule = "─".repeat(usize::from(area.width).saturating_sub(width(words) + 1));
    line(
        [
            Span::styled(words.to_owned(), ink.tone(Tone::Quiet)),
            Span::styled(format!(" {rule}"), ink.tone(Tone::Faint)),
        ],
        area,
        buffer,
    );
    below(area, 1)
}

/// What is left of an area below some rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// The places of a list that fit into some rows, with the chosen one among them.
fn window(place: usize, count: usize, rows: u16) -> std::ops::Range<usize> {
    let rows = usize::from(rows);
    let first = place.saturating_sub(rows / 2).min(count.saturating_sub(rows));
    first..(first + rows).min(count)
}
