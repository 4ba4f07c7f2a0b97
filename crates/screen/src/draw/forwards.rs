//! Connections that one site takes in for another: a dashed line beside all cables, and how many there are.

use super::map::Stroke;
use super::side::city;
use super::station::Sign;
use crate::earth::{Frame, Point, bowed, dots, great_circle};
use crate::palette::{Colours, Tone};
use crate::selection::Chosen;
use crate::view::View;
use crate::words::count;
use api::{Client, Forward, Site};
use ratatui::style::Style;
use terms::{SiteName, Thousands};

/// How far a line leaves the way of a cable, as a part of its length.
const BOW: f64 = 0.16;
/// Dots that are drawn, of how many.
const DASH: (usize, usize) = (5, 8);

/// A line from where the packets arrive, in the colour of the site that has the connections, and in its middle their number
/// with that site's letter. While another client is chosen, it steps back.
pub(super) fn legs(view: &View, ink: Colours, frame: &Frame) -> (Vec<Stroke>, Vec<Sign>) {
    let chosen = match view.chosen() {
        Some(Chosen::Client(client)) => Some(client),
        Some(Chosen::Site(_) | Chosen::Cable(_)) | None => None,
    };
    let leg = |forward: &Forward| {
        let (_, from) = site(view, &forward.from)?;
        let (place, to) = site(view, &forward.to)?;
        // The way back, where there is one too, lies beside.
        let bow = if from.name < to.name { BOW } else { 2.0 * BOW };
        let line = bowed(&great_circle(from.at?, to.at?), bow);
        let steps_back = chosen.is_some_and(|client| !forward.clients.contains(&client.name));
        let (colour, style) = match steps_back {
            true => (ink.ink(Tone::Faint), ink.tone(Tone::Quiet)),
            false => (ink.of_site(to.colour), ink.letter(to.colour)),
        };
        let sign = sign(forward.connections, view.letter(place), style, line[line.len() / 2]);
        let dots = dots(&line, frame.dot()).into_iter().enumerate();
        let dots = dots.filter(|(number, _)| number % DASH.1 < DASH.0).map(|(_, dot)| dot).collect();
        Some((Stroke { dots, colour }, sign))
    };
    view.picture.forwards.iter().filter_map(leg).unzip()
}

fn site<'v>(view: &'v View, name: &SiteName) -> Option<(usize, &'v Site)> {
    let place = view.site(name)?;
    Some((place, view.picture.sites.get(place)?))
}

fn sign(connections: u64, letter: char, style: Style, at: Point) -> Sign {
    Sign { at, words: format!("{}»{letter}", Thousands(connections)), style }
}

/// What a site takes in for others: `; it forwards 1,002 connections to Tokyo`.
pub(super) fn words_of_site(view: &View, chosen: &Site) -> String {
    let its = view.picture.forwards.iter().filter(|forward| forward.from == chosen.name);
    let words = its.map(|forward| format!("{} to {}", connections(forward), city(view, &forward.to)));
    let words: Vec<String> = words.collect();
    if words.is_empty() { String::new() } else { format!("; it forwards {}", words.join(", ")) }
}

/// Where connections go on to that a client has had since before it was moved.
pub(super) fn words_of_client(view: &View, client: &Client) -> Vec<String> {
    let its = view.picture.forwards.iter().filter(|forward| forward.clients.contains(&client.name));
    let way = |forward: &Forward| {
        let way = format!("{} → {} »", client.city, city(view, &forward.from));
        match forward.clients.len() {
            1 => format!("{} of before: {way} {}", connections(forward), city(view, &forward.to)),
            _ => format!("Connections of before: {way} {}", city(view, &forward.to)),
        }
    };
    its.map(way).collect()
}

fn connections(forward: &Forward) -> String {
    match forward.connections {
        1 => count(1, "connection"),
        more => format!("{} connections", Thousands(more)),
    }
}
