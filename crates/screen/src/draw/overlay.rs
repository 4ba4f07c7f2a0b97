//! What lies over the rest: what can be done, and what keys and signs mean.

use super::{line, window};
use crate::menu::{keys, sentence};
use crate::palette::{Colours, Tone};
use crate::view::View;
use crate::words::{fit, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;
use ratatui::widgets::{Block, Clear, Widget};

const HELP: [(&str, &str); 18] = [
    ("tab", "the next list: sites, clients, cables"),
    ("↑ ↓", "choose one of it"),
    ("enter", "what can be done to it, in full words"),
    ("letter", "do it at once; the line at the bottom has the letters"),
    ("1 2 3", "show another service, where the world has several"),
    ("R", "restore everything"),
    ("q", "leave; the world is taken down, as with Ctrl-C"),
    ("", ""),
    ("L", "a letter on a colour: a site that announces the address"),
    ("L", "a letter alone: its client, or a site of last resort"),
    ("×", "a site that is gone, a client without an answer"),
    ("L▆▅▄▃▂▁", "a ribbon: L answers from here on; thinner is slower"),
    ("4  6", "in a ribbon: silent over that family only"),
    ("~", "not the nearest site: by policy, or after a failover"),
    ("▼", "somebody did something to the world"),
    ("╳ ● ╱", "a cable that is cut, that swallows all packets, or some"),
    ("9»L", "dashed: connections that arrive elsewhere and are L's, and how many"),
    ("", "The page has the same signs, and more about each."),
];

/// A framed place in the middle, as large as it has to be; what is inside of the frame.
fn frame(
    heading: &str,
    (columns, rows): (usize, usize),
    ink: Colours,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let size = |wanted: usize, room: u16| u16::try_from(wanted).unwrap_or(room).min(room);
    let (columns, rows) = (size(columns + 4, area.width), size(rows + 2, area.height));
    let place = Rect {
        x: area.x + (area.width - columns) / 2,
        y: area.y + (area.height - rows) / 2,
        width: columns,
        height: rows,
    };
    Clear.render(place, buffer);
    buffer.set_style(place, ink.ground());
    let title = Span::styled(format!(" {heading} "), ink.tone(Tone::Strong));
    let block = Block::bordered().border_style(ink.tone(Tone::Quiet)).title(title);
    let inside = block.inner(place);
    block.render(place, buffer);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

/// What keys and signs mean.
pub(super) fn help(ink: Colours, area: Rect, buffer: &mut Buffer) {
    let inside = frame("Keys and signs", (68, HELP.len()), ink, area, buffer);
    for ((sign, words), row) in HELP.into_iter().zip(inside.rows()) {
        let sign = Span::styled(format!("{sign:<9}"), ink.tone(Tone::Key));
        line([sign, Span::raw(fit(words, usize::from(row.width).saturating_sub(9)))], row, buffer);
    }
}

/// What can be done to the chosen one: its key, its name on the page, its name on the command line.
pub(super) fn faults(view: &View, place: usize, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let Some(chosen) = view.chosen() else { return };
    let offers = keys(chosen.offers());
    let longest = offers.iter().map(|(_, offer)| width(&offer.label)).max().unwrap_or(0);
    let sentences = offers.iter().map(|(_, offer)| width(&sentence(&offer.command))).max().unwrap_or(0);
    let columns = longest + sentences + 6 + COMMAND.len();
    let heading = format!("Faults: {}", chosen.title());
    let inside = frame(&heading, (columns, offers.len() + 2), ink, area, buffer);
    let list = Rect { height: inside.height.saturating_sub(2), ..inside };
    for (index, row) in window(place, offers.len(), list.height).zip(list.rows()) {
        let (key, offer) = offers[index];
        let (sign, tone) = if index == place { ('▸', Tone::Chosen) } else { (' ', Tone::Plain) };
        let key = Span::styled(format!("{sign}{}", key.unwrap_or(' ')), ink.tone(Tone::Key));
        let label = Span::styled(format!(" {:<longest$} ", offer.label), ink.tone(tone));
        let room = usize::from(row.width).saturating_sub(longest + 5);
        let command = fit(&format!("{COMMAND}{}", sentence(&offer.command)), room);
        line([key, label, Span::raw(" "), Span::styled(command, ink.tone(Tone::Quiet))], row, buffer);
    }
    let last = Rect { y: inside.bottom().saturating_sub(1), height: 1.min(inside.height), ..inside };
    let keys = "the letter, or ↑↓ and enter, does it; esc goes back";
    line([Span::styled(fit(keys, last.width.into()), ink.tone(Tone::Quiet))], last, buffer);
}

const COMMAND: &str = "catchment lab fault ";
