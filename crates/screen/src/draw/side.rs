//! The lists beside the map: sites, clients, cables; what can be done to the chosen one, what is in force, what
//! happened, and who is answered from far away.

use super::forwards::{words_of_client, words_of_site};
use super::{below, line, paragraph, title, window};
use crate::marks::NOBODY;
use crate::menu::{keys, sentence};
use crate::palette::{Colours, Tone};
use crate::selection::{Chosen, List, cables};
use crate::view::View;
use crate::words::{count, fit, ms, seconds, strength, width, wrap};
use api::{Cable, CableState, Client, DetourKind, Output, Site};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};
use terms::{Severity, SiteName};

/// From so many columns on, times have words.
const ROOMY: u16 = 44;

/// The list that the arrows move in, and more about the chosen one of it.
pub(super) fn list(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let tabs = List::ALL.into_iter().flat_map(|list| {
        let words = list.title();
        let tab = match list == view.selection.list() {
            true => Span::styled(format!("[{words}]"), ink.tone(Tone::Chosen)),
            false => Span::styled(format!(" {words} "), ink.tone(Tone::Quiet)),
        };
        [tab, Span::raw(" ")]
    });
    line(tabs.collect::<Vec<_>>(), area, buffer);
    let area = below(area, 1);
    match view.chosen() {
        None => {}
        Some(Chosen::Client(client)) => readout(view, ink, client, area, buffer),
        Some(Chosen::Site(chosen)) => {
            let rest = rows(
                view,
                List::Sites,
                area,
                buffer,
                view.picture.sites.len(),
                |place, is_chosen, columns| site(view, ink, place, is_chosen, columns),
            );
            let words = format!("{}: {}{}", chosen.city, chosen.reason, words_of_site(view, chosen));
            paragraph([Span::styled(words, ink.tone(Tone::Quiet))], rest, buffer);
        }
        Some(Chosen::Cable(chosen)) => {
            let cables: Vec<&Cable> = cables(&view.picture).collect();
            let rest = rows(view, List::Cables, area, buffer, cables.len(), |place, is_chosen, columns| {
                cable(ink, cables[place], is_chosen, columns)
            });
            let words = format!("{} one way, {}", ms(chosen.delay_ms), about(chosen));
            paragraph([Span::styled(words, ink.tone(Tone::Quiet))], rest, buffer);
        }
    }
}

/// Two rows are kept for what is said about the chosen one, and are what is left.
fn rows<'a>(
    view: &View,
    list: List,
    area: Rect,
    buffer: &mut Buffer,
    count: usize,
    row: impl Fn(usize, bool, usize) -> Vec<Span<'a>>,
) -> Rect {
    let place = view.selection.place(list);
    let shown = window(place, count, area.height.saturating_sub(2).max(1));
    let rest = below(area, u16::try_from(shown.len()).unwrap_or(area.height));
    for (index, at) in shown.zip(area.rows()) {
        line(row(index, index == place, at.width.into()), at, buffer);
    }
    rest
}

/// A name that takes the rest of a row, and what stands behind it.
fn named(name: &str, behind: &str, is_chosen: bool, columns: usize, ink: Colours) -> [Span<'static>; 2] {
    let room = columns.saturating_sub(width(behind) + 1);
    let name = fit(name, room);
    let pad = " ".repeat(room.saturating_sub(width(&name)));
    let tone = if is_chosen { Tone::Chosen } else { Tone::Plain };
    [
        Span::styled(format!("{name}{pad} "), ink.tone(tone)),
        Span::styled(behind.to_owned(), ink.tone(Tone::Quiet)),
    ]
}

fn pointer(is_chosen: bool, ink: Colours) -> Span<'static> {
    Span::styled(if is_chosen { "▸" } else { " " }, ink.tone(Tone::Strong))
}

fn site<'a>(view: &View, ink: Colours, place: usize, is_chosen: bool, columns: usize) -> Vec<Span<'a>> {
    let Some(site) = view.picture.sites.get(place) else { return Vec::new() };
    let mark = match site.output {
        Output::None => Span::styled(NOBODY.to_string(), ink.alarm_badge()),
        Output::Gshut | Output::Depref => {
            Span::styled(view.letter(place).to_string(), ink.letter(site.colour))
        }
        Output::Normal => Span::styled(view.letter(place).to_string(), ink.badge(site.colour)),
    };
    let (state, tone) = state(site);
    let round_trip = site.rtt_ms.map(ms).unwrap_or_default();
    let clients = format!("{:>3} {round_trip:>6}", site.clients);
    let [name, numbers] =
        named(&site.city, &clients, is_chosen, columns.saturating_sub(width(&state) + 4), ink);
    vec![
        pointer(is_chosen, ink),
        mark,
        Span::raw(" "),
        name,
        Span::styled(state, ink.tone(tone)),
        Span::raw(" "),
        numbers,
    ]
}

/// Where its group stands and how strongly it is announced, as its card on the page says it.
fn state(site: &Site) -> (String, Tone) {
    let state = site.state.map_or("no daemon", |state| state.word());
    let tone = match site.output {
        Output::None => Tone::Alarm,
        Output::Gshut | Output::Depref => Tone::Strong,
        Output::Normal => Tone::Good,
    };
    match strength(site.output).filter(|_| site.output != Output::None) {
        Some(weaker) => (format!("{state}, {weaker}"), tone),
        None => (state.to_owned(), tone),
    }
}

fn cable<'a>(ink: Colours, cable: &Cable, is_chosen: bool, columns: usize) -> Vec<Span<'a>> {
    let (state, tone) = match cable.state {
        CableState::Up if cable.used => ("in use", Tone::Good),
        CableState::Up => ("", Tone::Quiet),
        CableState::Cut | CableState::Blackhole | CableState::HalfBroken => (cable.state.word(), Tone::Alarm),
    };
    let [name, _] = named(&cable.name, "", is_chosen, columns.saturating_sub(width(state) + 1), ink);
    vec![pointer(is_chosen, ink), name, Span::styled(state, ink.tone(tone))]
}

fn about(cable: &Cable) -> &'static str {
    match cable.state {
        CableState::Up if cable.used => "the way of some client runs over it",
        CableState::Up => "no client's way runs over it",
        CableState::Cut => "it is cut",
        CableState::Blackhole => "it swallows every packet",
        CableState::HalfBroken => "it loses some packets",
    }
}

/// The way of a client, hop by hop, and why it is not a shorter one.
fn readout(view: &View, ink: Colours, client: &Client, area: Rect, buffer: &mut Buffer) {
    let from = format!("{} ({}, AS {})", client.city, client.network, client.asn);
    let strong = |words: String| Span::styled(words, ink.tone(Tone::Strong));
    let Some(site) = &client.site else {
        let words = [strong(from), Span::styled(" gets no answer.", ink.tone(Tone::Alarm))];
        return paragraph(words, area, buffer);
    };
    let by = format!(" is answered by {} in {}", city(view, site), client.rtt_ms.map(ms).unwrap_or_default());
    let instead = client.nearest.as_ref().filter(|_| client.detour.is_some());
    let instead =
        instead.map(|nearest| format!("; {} is {} away", city(view, &nearest.site), ms(nearest.rtt_ms)));
    let first =
        Line::from(vec![strong(from), Span::raw(by), Span::raw(instead.unwrap_or_default()), Span::raw(".")]);
    let why = client.detour.as_ref().map(|detour| {
        let (word, tone) = kind(detour.kind);
        Line::from(vec![
            Span::styled(word, ink.tone(tone)),
            Span::styled(format!(": {}.", detour.words), ink.tone(Tone::Quiet)),
        ])
    });
    let hops = Line::from(Span::styled(hops(view, client, city(view, site)), ink.tone(Tone::Quiet)));
    let strong = |words: String| Line::from(Span::styled(words, ink.tone(Tone::Strong)));
    let owned = words_of_client(view, client).into_iter().map(strong);
    let lines: Vec<Line<'_>> = [Some(first), why, Some(hops)].into_iter().flatten().chain(owned).collect();
    Paragraph::new(lines).wrap(Wrap { trim: true }).render(area, buffer);
}

/// The city of a site, or its name where it is not shown.
pub(super) fn city<'v>(view: &'v View, name: &'v SiteName) -> &'v str {
    view.site(name).map_or(name.as_str(), |place| &view.picture.sites[place].city)
}

fn kind(kind: DetourKind) -> (&'static str, Tone) {
    match kind {
        DetourKind::Policy => ("policy", Tone::Strong),
        DetourKind::Failover => ("failover", Tone::Alarm),
    }
}

/// One name for neighbours in the same city of the same network.
fn hops(view: &View, client: &Client, site: &str) -> String {
    let name_of = |name: &String| {
        let router = view.picture.routers.iter().find(|router| router.name == *name);
        router.map_or_else(|| name.clone(), |router| format!("{} {}", router.network, router.city))
    };
    let between = client.path.iter().skip(1).take(client.path.len().saturating_sub(2));
    let mut hops: Vec<String> = between.map(name_of).collect();
    hops.dedup();
    [vec![client.city.clone()], hops, vec![site.to_owned()]].concat().join(" → ")
}

/// Every offer with its key, its name on the page and its name on the command line.
pub(super) fn faults(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    let Some(chosen) = view.chosen().filter(|_| !area.is_empty()) else { return };
    let area = title(&format!("Faults: {}", chosen.title()), ink, area, buffer);
    let longest = chosen.offers().iter().map(|offer| width(&offer.label)).max().unwrap_or(0);
    for ((key, offer), row) in keys(chosen.offers()).into_iter().zip(area.rows()) {
        let key = Span::styled(format!(" {} ", key.unwrap_or(' ')), ink.tone(Tone::Key));
        let label = Span::raw(format!("{:<longest$}  ", offer.label));
        let room = usize::from(row.width).saturating_sub(longest + 5);
        let sentence = Span::styled(fit(&sentence(&offer.command), room), ink.tone(Tone::Quiet));
        line([key, label, sentence], row, buffer);
    }
    if chosen.offers().is_empty() {
        let words = format!(" Nothing can be done to {}.", chosen.title());
        line([Span::styled(words, ink.tone(Tone::Quiet))], area, buffer);
    }
}

/// The faults that stand until they are restored.
pub(super) fn in_force(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let faults = &view.picture.faults;
    let area = title(&format!("{} in force", count(faults.len(), "fault")), ink, area, buffer);
    for (fault, row) in faults.iter().rev().zip(area.rows()) {
        let since = seconds(fault.since_ms);
        let since = if row.width < ROOMY { since } else { format!("since {since}") };
        let [name, since] =
            named(&format!("{} {}", fault.kind, fault.target), &since, false, row.width.into(), ink);
        line([Span::styled(name.content, ink.tone(Tone::Alarm)), since], row, buffer);
    }
}

/// What happened, newest first.
pub(super) fn news(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let mut area = title("What happened", ink, area, buffer);
    for row in view.news.rows() {
        if area.is_empty() {
            return;
        }
        let at = Rect { width: 8.min(area.width), ..area };
        line([Span::styled(format!("{:>7}", seconds(row.event.at_ms)), ink.tone(Tone::Quiet))], at, buffer);
        let words = Rect { x: area.x + at.width, width: area.width - at.width, ..area };
        let style = ink.tone(match row.event.severity {
            Severity::Info => Tone::Quiet,
            Severity::Notice => Tone::Plain,
            Severity::Warning | Severity::Alarm => Tone::Alarm,
        });
        let times = match row.times {
            1 => String::new(),
            times => format!(" (×{times} in {} ms)", row.event.at_ms.saturating_sub(row.first_ms)),
        };
        let lines = wrap(&format!("{}{times}", row.event.text), words.width.into());
        for (text, at) in lines.iter().zip(words.rows()) {
            line([Span::styled(text.as_str(), style)], at, buffer);
        }
        area = below(area, u16::try_from(lines.len()).unwrap_or(u16::MAX).max(1));
    }
}

/// Why each client that is answered from further away is.
pub(super) fn detours(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let area = title("The long way round", ink, area, buffer);
    let away = view
        .picture
        .clients
        .iter()
        .filter_map(|client| client.detour.as_ref().map(|detour| (client, detour)));
    for ((client, detour), row) in away.zip(area.rows()) {
        let (word, tone) = kind(detour.kind);
        let words =
            format!("{:<14} {:>6}  ", fit(&client.city, 14), client.rtt_ms.map(ms).unwrap_or_default());
        let room = usize::from(row.width).saturating_sub(width(&words) + 10);
        let reason = Span::styled(fit(detour.words.as_str(), room), ink.tone(Tone::Quiet));
        line([Span::raw(words), Span::styled(format!("{word:<8}  "), ink.tone(tone)), reason], row, buffer);
    }
}
