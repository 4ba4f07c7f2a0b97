//! What stands on the map: sites, clients and the signs of lines, each in cells of its own, and as many names
//! as there is room for.

use crate::earth::{Frame, Point, point};
use crate::marks::NOBODY;
use crate::palette::{Colours, Tone};
use crate::selection::Chosen;
use crate::view::View;
use crate::words::{ms, width};
use api::{Client, Output, Site};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use std::collections::BTreeSet;

/// From so many columns on, names have the round trip beside them.
const WIDE: u16 = 90;
/// From so many columns on, everybody has a name.
const ROOMY: u16 = 64;
/// Where something goes whose cell is taken, from near to far.
const ASIDE: [(i32, i32); 11] =
    [(0, 0), (1, 0), (-1, 0), (0, -1), (0, 1), (2, 0), (-2, 0), (1, -1), (-1, 1), (1, 1), (-1, -1)];

/// What stands on a line: that a cable is broken, how many connections are forwarded.
#[derive(Clone)]
pub(super) struct Sign {
    pub(super) at: Point,
    pub(super) words: String,
    pub(super) style: Style,
}

/// A city: a site, a client, or both.
struct Station<'v> {
    at: Point,
    site: Option<(usize, &'v Site)>,
    client: Option<&'v Client>,
    is_chosen: bool,
}

impl<'v> Station<'v> {
    /// Sites first, the chosen one before all others: who comes first has room.
    fn all(view: &'v View) -> Vec<Station<'v>> {
        let picture = &view.picture;
        let chosen = view.chosen();
        let sites = picture.sites.iter().enumerate().filter_map(|(place, site)| {
            let is_chosen = matches!(chosen, Some(Chosen::Site(chosen)) if chosen.name == site.name);
            Some(Station { at: point(site.at?), site: Some((place, site)), client: None, is_chosen })
        });
        let mut stations: Vec<Station<'v>> = sites.collect();
        for client in &picture.clients {
            let is_chosen = matches!(chosen, Some(Chosen::Client(chosen)) if chosen.name == client.name);
            let at = point(client.at);
            match stations.iter_mut().find(|station| station.at == at) {
                Some(station) => {
                    station.is_chosen |= is_chosen;
                    station.client = station.client.filter(|_| !is_chosen).or(Some(client));
                }
                None => stations.push(Station { at, site: None, client: Some(client), is_chosen }),
            }
        }
        stations.sort_by_key(|station| (!station.is_chosen, station.site.is_none()));
        stations
    }

    fn city(&self) -> &'v str {
        match (self.site, self.client) {
            (Some((_, site)), _) => &site.city,
            (None, Some(client)) => &client.city,
            (None, None) => "",
        }
    }

    /// What stands in its cells.
    fn marks(&self, view: &View, ink: Colours) -> Vec<(char, Style)> {
        let site = self.site.map(|(place, site)| match site.output {
            Output::None => (NOBODY, ink.alarm_badge()),
            Output::Gshut | Output::Depref => (view.letter(place), ink.letter(site.colour)),
            Output::Normal => (view.letter(place), ink.badge(site.colour)),
        });
        let client = self.client.map(|client| match client.site.as_ref().and_then(|site| view.site(site)) {
            Some(place) => (view.letter(place), ink.letter(view.picture.sites[place].colour)),
            None => (NOBODY, ink.tone(Tone::Alarm)),
        });
        [site, client].into_iter().flatten().collect()
    }

    /// Its name, the long form first. Where there is little room, only what matters most has one.
    fn names(&self, columns: u16) -> Vec<String> {
        let matters =
            self.is_chosen || self.site.is_some() || self.client.is_some_and(|client| client.site.is_none());
        if columns < ROOMY && !matters {
            return Vec::new();
        }
        let value = self.client.map(|client| client.rtt_ms.map_or_else(|| "silent".to_owned(), ms));
        let long = value.filter(|_| columns >= WIDE).map(|value| format!("{} {value}", self.city()));
        long.into_iter().chain([self.city().to_owned()]).collect()
    }

    fn style(&self, ink: Colours) -> Style {
        let is_gone = self.site.is_some_and(|(_, site)| site.output == Output::None);
        let is_silent = self.client.is_some_and(|client| client.site.is_none());
        ink.tone(match () {
            () if self.is_chosen => Tone::Chosen,
            () if is_gone || is_silent => Tone::Alarm,
            () if self.site.is_some() => Tone::Strong,
            () => Tone::Plain,
        })
    }
}

/// The cells that something stands in.
struct Taken {
    area: Rect,
    cells: BTreeSet<(u16, u16)>,
}

impl Taken {
    fn is_free(&self, x: i32, y: i32, columns: usize) -> bool {
        let columns = i32::try_from(columns).unwrap_or(i32::MAX);
        (x..x.saturating_add(columns)).all(|x| {
            let Some((x, y)) = u16::try_from(x).ok().zip(u16::try_from(y).ok()) else { return false };
            self.area.contains(Position { x, y }) && !self.cells.contains(&(x, y))
        })
    }

    /// Takes the first of these places with so many free columns.
    fn take(&mut self, places: impl IntoIterator<Item = (i32, i32)>, columns: usize) -> Option<(u16, u16)> {
        let (x, y) = places.into_iter().find(|(x, y)| self.is_free(*x, *y, columns))?;
        let (x, y) = (u16::try_from(x).ok()?, u16::try_from(y).ok()?);
        self.cells.extend((x..).take(columns).map(|x| (x, y)));
        Some((x, y))
    }

    /// Takes a place for a word, with nothing right before and after it.
    fn take_word(
        &mut self,
        places: impl IntoIterator<Item = (i32, i32)>,
        columns: usize,
    ) -> Option<(u16, u16)> {
        let is_taken = |x: i32, y: i32| {
            let cell = u16::try_from(x).ok().zip(u16::try_from(y).ok());
            cell.is_some_and(|cell| self.cells.contains(&cell))
        };
        let after = i32::try_from(columns).unwrap_or(i32::MAX / 2);
        let apart = places.into_iter().filter(|(x, y)| !is_taken(x - 1, *y) && !is_taken(x + after, *y));
        let apart: Vec<(i32, i32)> = apart.collect();
        self.take(apart, columns)
    }

    /// Takes a place at a cell or beside it.
    fn take_near(&mut self, (x, y): (u16, u16), columns: usize) -> Option<(u16, u16)> {
        let (x, y) = (i32::from(x), i32::from(y));
        self.take(ASIDE.map(|(right, down)| (x + right, y + down)), columns)
    }
}

/// Draws everything that stands on the map.
pub(super) fn stations(
    view: &View,
    ink: Colours,
    frame: &Frame,
    signs: &[Sign],
    area: Rect,
    buffer: &mut Buffer,
) {
    let mut taken = Taken { area, cells: BTreeSet::new() };
    let mut placed = Vec::new();
    for station in Station::all(view) {
        let marks = station.marks(view, ink);
        let place = frame.cell(station.at).and_then(|cell| taken.take_near(cell, marks.len()));
        let Some((x, y)) = place else { continue };
        for ((sign, style), x) in marks.iter().zip(x..) {
            buffer.set_string(x, y, sign.to_string(), *style);
        }
        placed.push((station, (x, y), marks.len()));
    }
    for Sign { at, words, style } in signs {
        let columns = width(words);
        let Some((x, y)) = frame.cell(*at).and_then(|cell| taken.take_near(cell, columns)) else { continue };
        buffer.set_string(x, y, words, *style);
    }
    for (station, (x, y), marks) in placed {
        let marks = i32::try_from(marks).unwrap_or(2);
        let (x, y) = (i32::from(x), i32::from(y));
        for name in station.names(area.width) {
            let columns = width(&name);
            let left = x - 1 - i32::try_from(columns).unwrap_or(i32::MAX / 2);
            let places =
                [(x + marks + 1, y), (left, y), (x, y - 1), (x, y + 1), (left + 2, y - 1), (left + 2, y + 1)];
            if let Some((x, y)) = taken.take_word(places, columns) {
                buffer.set_string(x, y, name, station.style(ink));
                break;
            }
        }
    }
}
