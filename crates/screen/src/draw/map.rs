//! The map: land, cables, the ways of answers, and what stands on it.

use super::forwards::legs;
use super::station::{Sign, stations};
use crate::earth::{Frame, Point, dots, great_circle, land, point};
use crate::palette::{Colours, Tone};
use crate::selection::{Chosen, List};
use crate::view::View;
use api::{Cable, CableState, Client, Output, Picture};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Context, Points};
use std::collections::BTreeMap;
use terms::GeoPoint;

/// A line on the map.
pub(super) struct Stroke {
    pub(super) dots: Vec<Point>,
    pub(super) colour: Color,
}

/// Draws it.
pub(super) fn map(view: &View, ink: Colours, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let picture = &*view.picture;
    let places =
        picture.sites.iter().filter_map(|site| site.at).chain(picture.clients.iter().map(|client| client.at));
    let places: Vec<Point> = places.map(point).collect();
    let frame = Frame::of(&places, area);
    let shores =
        land().iter().map(|ring| Stroke { dots: dots(ring, frame.dot()), colour: ink.ink(Tone::Faint) });
    let nodes = nodes(picture);
    let (cables, breaks) = cables(view, ink, &nodes, &frame);
    let (legs, numbers) = legs(view, ink, &frame);
    let layers = [shores.collect(), cables, ways(view, ink, &nodes, &frame), legs];
    let paint = |context: &mut Context<'_>| {
        for layer in &layers {
            let points = layer.iter().map(|stroke| Points { coords: &stroke.dots, color: stroke.colour });
            points.for_each(|points| context.draw(&points));
            context.layer();
        }
    };
    Canvas::default()
        .marker(Marker::Braille)
        .background_color(ink.background())
        .x_bounds(frame.x)
        .y_bounds(frame.y)
        .paint(paint)
        .render(area, buffer);
    stations(view, ink, &frame, &[breaks, numbers].concat(), area, buffer);
}

/// Where each router stands.
fn nodes(picture: &Picture) -> BTreeMap<&str, GeoPoint> {
    picture.routers.iter().map(|router| (router.name.as_str(), router.at)).collect()
}

/// Broken cables and the chosen one; the others while cables are chosen from. And the sign of each that is broken.
fn cables(
    view: &View,
    ink: Colours,
    nodes: &BTreeMap<&str, GeoPoint>,
    frame: &Frame,
) -> (Vec<Stroke>, Vec<Sign>) {
    let chosen = match view.chosen() {
        Some(Chosen::Cable(cable)) => Some(cable.name.as_str()),
        Some(Chosen::Site(_) | Chosen::Client(_)) | None => None,
    };
    let (mut strokes, mut breaks) = (Vec::new(), Vec::new());
    let weight = |cable: &&Cable| (cable.state != CableState::Up, Some(cable.name.as_str()) == chosen);
    let mut cables: Vec<&Cable> = view.picture.cables.iter().collect();
    cables.sort_by_key(weight);
    for cable in cables {
        let [Some(from), Some(to)] = cable.ends.each_ref().map(|end| nodes.get(end.as_str()).copied()) else {
            continue;
        };
        let is_chosen = Some(cable.name.as_str()) == chosen;
        let line = great_circle(from, to);
        // What breaks inside a city whose site is gone is part of that.
        let is_part = from == to && is_dark(&view.picture, from);
        if let Some(sign) = sign(cable.state).filter(|_| !is_part) {
            breaks.push(Sign { at: line[line.len() / 2], words: sign.into(), style: ink.tone(Tone::Alarm) });
        }
        if let Some(tone) = tone(cable.state, is_chosen, view.selection.list()) {
            let dots = dashed(dots(&line, frame.dot()), cable.state);
            strokes.push(Stroke { dots, colour: ink.ink(tone) });
        }
    }
    (strokes, breaks)
}

fn is_dark(picture: &Picture, place: GeoPoint) -> bool {
    picture.sites.iter().any(|site| site.at == Some(place) && site.output == Output::None)
}

fn tone(state: CableState, is_chosen: bool, list: List) -> Option<Tone> {
    match state {
        CableState::Cut | CableState::Blackhole | CableState::HalfBroken => Some(Tone::Alarm),
        CableState::Up if is_chosen => Some(Tone::Strong),
        CableState::Up if list == List::Cables => Some(Tone::Faint),
        CableState::Up => None,
    }
}

/// What stands in the middle of a cable.
fn sign(state: CableState) -> Option<char> {
    match state {
        CableState::Up => None,
        CableState::Cut => Some('╳'),
        CableState::Blackhole => Some('●'),
        CableState::HalfBroken => Some('╱'),
    }
}

/// A whole cable is a whole line.
fn dashed(dots: Vec<Point>, state: CableState) -> Vec<Point> {
    let (drawn, every) = match state {
        CableState::Up => return dots,
        CableState::Cut => (4, 7),
        CableState::Blackhole => (1, 3),
        CableState::HalfBroken => (6, 9),
    };
    let numbered = dots.into_iter().enumerate();
    numbered.filter(|(number, _)| number % every < drawn).map(|(_, dot)| dot).collect()
}

/// The real way of each client in the colour of its site. While one client is chosen, the others step back.
fn ways(view: &View, ink: Colours, nodes: &BTreeMap<&str, GeoPoint>, frame: &Frame) -> Vec<Stroke> {
    let chosen = match view.chosen() {
        Some(Chosen::Client(client)) => Some(client.name.as_str()),
        Some(Chosen::Site(_) | Chosen::Cable(_)) | None => None,
    };
    let mut clients: Vec<&Client> = view.picture.clients.iter().collect();
    clients.sort_by_key(|client| Some(client.name.as_str()) == chosen);
    let stroke = |client: &Client| {
        let site = &view.picture.sites[client.site.as_ref().and_then(|site| view.site(site))?];
        let steps_back = chosen.is_some_and(|chosen| chosen != client.name);
        let colour = if steps_back { ink.ink(Tone::Faint) } else { ink.of_site(site.colour) };
        // A site and a client may have one name: what lies between them is a router.
        let between = client.path.iter().skip(1).take(client.path.len().saturating_sub(2));
        let between = between.filter_map(|name| nodes.get(name.as_str()).copied());
        let way: Vec<GeoPoint> = [client.at].into_iter().chain(between).chain(site.at).collect();
        let hops = way.windows(2).filter(|hop| hop[0] != hop[1]);
        let dots = hops.flat_map(|hop| dots(&great_circle(hop[0], hop[1]), frame.dot())).collect();
        Some(Stroke { dots, colour })
    };
    clients.into_iter().filter_map(stroke).collect()
}
