//! The earth on a plane, as the page has it: Natural Earth projection (Tom Patterson 2008, polynomial by Bojan Savric et
//! al. 2011), cut in the Bering Strait, where it hurts no land; and the page's own outline of the land.

use ratatui::layout::Rect;
use std::f64::consts::PI;
use std::sync::LazyLock;
use terms::GeoPoint;

/// A point on the plane: the unit is the earth's radius, y goes up.
pub(crate) type Point = (f64, f64);

/// The longitude in the middle.
const CENTRE: f64 = 11.0;
/// What of the earth is shown at most.
const NORTH: f64 = 79.0;
const SOUTH: f64 = -56.0;
/// Longitudes of the land run on past 180 E up to the cut.
const CUT: f64 = 190.99;
/// Room around the places that are shown.
const MARGIN: f64 = 0.22;

fn plane(lambda: f64, phi: f64) -> Point {
    let square = phi * phi;
    let fourth = square * square;
    let x =
        0.8707 - 0.131979 * square + fourth * (-0.013791 + fourth * (0.003971 * square - 0.001529 * fourth));
    let y = 1.007226 + square * (0.015085 + fourth * (-0.044475 + 0.028874 * square - 0.005916 * fourth));
    (lambda * x, phi * y)
}

/// Degrees east and north as a point.
fn project(lon: f64, lat: f64) -> Point {
    let turned = (lon - CENTRE + 180.0).rem_euclid(360.0) - 180.0;
    plane(turned.to_radians(), lat.to_radians())
}

/// A place as a point.
pub(crate) fn point(place: GeoPoint) -> Point {
    project(place.lon(), place.lat())
}

/// Half of the width of the whole earth.
fn half_width() -> f64 {
    plane(PI, 0.0).0
}

/// The rings of the land, from the page's own file: each a line of `[lon, lat, dlon, dlat, ...]` in tenths of a degree.
static LAND: LazyLock<Vec<Vec<Point>>> = LazyLock::new(|| {
    let lines = include_str!("../../../web/land.js").lines();
    lines.filter_map(|line| ring(line.trim().trim_end_matches(','))).collect()
});

fn ring(text: &str) -> Option<Vec<Point>> {
    let steps: Vec<i32> = serde_json::from_str(text).ok()?;
    let (mut lon, mut lat) = (0, 0);
    let corner = |step: &[i32; 2]| {
        (lon, lat) = (lon + step[0], lat + step[1]);
        project((f64::from(lon) / 10.0).min(CUT), f64::from(lat) / 10.0)
    };
    Some(steps.as_chunks().0.iter().map(corner).collect())
}

/// The outline of the land.
pub(crate) fn land() -> &'static [Vec<Point>] {
    &LAND
}

/// Points every degree or so on the great circle between two places.
pub(crate) fn great_circle(from: GeoPoint, to: GeoPoint) -> Vec<Point> {
    let (a, b) = (vector(from), vector(to));
    let angle = a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>().clamp(-1.0, 1.0).acos();
    if angle.sin() < 1e-6 {
        return vec![point(from), point(to)];
    }
    let steps = (angle.to_degrees().ceil() as u32).max(2);
    let at = |step| {
        let share = f64::from(step) / f64::from(steps);
        let (left, right) =
            (((1.0 - share) * angle).sin() / angle.sin(), (share * angle).sin() / angle.sin());
        let [x, y, z] = [0, 1, 2].map(|axis| left * a[axis] + right * b[axis]);
        project(y.atan2(x).to_degrees(), z.atan2(x.hypot(y)).to_degrees())
    };
    (0..=steps).map(at).collect()
}

fn vector(place: GeoPoint) -> [f64; 3] {
    let (lon, lat) = (place.lon().to_radians(), place.lat().to_radians());
    [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
}

/// The line, leaving its way by a part of its length in the middle, towards the middle of the earth as it is shown.
pub(crate) fn bowed(line: &[Point], part: f64) -> Vec<Point> {
    let seam = half_width();
    let length = |ends: &[Point]| (ends[1].0 - ends[0].0).hypot(ends[1].1 - ends[0].1);
    let length: f64 = line.windows(2).map(length).filter(|step| *step < seam).sum();
    let (left, right) = (leaving(line, part * length), leaving(line, -part * length));
    let off =
        |line: &[Point]| line.get(line.len() / 2).map_or(0.0, |(_, y)| (y - project(CENTRE, 0.0).1).abs());
    if off(&left) <= off(&right) { left } else { right }
}

/// The line, leaving its way by so much in the middle, to its left.
fn leaving(line: &[Point], height: f64) -> Vec<Point> {
    let seam = half_width();
    let last = line.len().saturating_sub(1);
    let away = |(place, &(x, y)): (usize, &Point)| {
        let ((x1, y1), (x2, y2)) = (line[place.saturating_sub(1)], line[(place + 1).min(last)]);
        // Across the cut there is no direction.
        let length = (x2 - x1).hypot(y2 - y1);
        if length == 0.0 || length >= seam {
            return (x, y);
        }
        let away = height * (place as f64 / last as f64 * PI).sin();
        (x - (y2 - y1) / length * away, y + (x2 - x1) / length * away)
    };
    line.iter().enumerate().map(away).collect()
}

/// The dots of a line, so close that there is no gap; none where it crosses the cut.
pub(crate) fn dots(line: &[Point], dot: f64) -> Vec<Point> {
    let seam = half_width();
    let pieces = line.windows(2).filter_map(|ends| <[Point; 2]>::try_from(ends).ok());
    let piece = |[(x0, y0), (x1, y1)]: [Point; 2]| {
        let steps = ((x1 - x0).abs().max((y1 - y0).abs()) / dot).ceil().clamp(1.0, 1000.0) as u32;
        (0..=steps).map(move |step| {
            let share = f64::from(step) / f64::from(steps);
            (x0 + (x1 - x0) * share, y0 + (y1 - y0) * share)
        })
    };
    pieces.filter(|[from, to]| (from.0 - to.0).abs() < seam).flat_map(piece).collect()
}

/// The part of the earth that fits into some cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) x: [f64; 2],
    pub(crate) y: [f64; 2],
    area: Rect,
}

impl Frame {
    /// With all of these places in it, and whatever else there is room for. A cell is two dots wide and four high.
    pub(crate) fn of(places: &[Point], area: Rect) -> Frame {
        let whole = ([-half_width(), half_width()], [project(CENTRE, SOUTH).1, project(CENTRE, NORTH).1]);
        let x = extent(places.iter().map(|place| place.0), whole.0);
        let y = extent(places.iter().map(|place| place.1), whole.1);
        let (wide, high) = (f64::from(area.width.max(1)) * 2.0, f64::from(area.height.max(1)) * 4.0);
        let dot = ((x[1] - x[0]) / wide).max((y[1] - y[0]) / high);
        Frame { x: widen(x, dot * wide, whole.0), y: widen(y, dot * high, whole.1), area }
    }

    /// How far two dots are apart.
    pub(crate) fn dot(&self) -> f64 {
        (self.x[1] - self.x[0]) / (f64::from(self.area.width.max(1)) * 2.0)
    }

    /// The cell in which a point lies; none outside.
    pub(crate) fn cell(&self, (x, y): Point) -> Option<(u16, u16)> {
        let across = (x - self.x[0]) / (self.x[1] - self.x[0]) * f64::from(self.area.width);
        let down = (self.y[1] - y) / (self.y[1] - self.y[0]) * f64::from(self.area.height);
        let fits = (0.0..f64::from(self.area.width)).contains(&across)
            && (0.0..f64::from(self.area.height)).contains(&down);
        fits.then(|| (self.area.x + across as u16, self.area.y + down as u16))
    }
}

/// From the least to the greatest with a margin, inside of the whole; the whole where there is nothing.
fn extent(values: impl Iterator<Item = f64> + Clone, [least, most]: [f64; 2]) -> [f64; 2] {
    let from = values.clone().fold(f64::INFINITY, f64::min) - MARGIN;
    let to = values.fold(f64::NEG_INFINITY, f64::max) + MARGIN;
    if from < to { [from.clamp(least, most), to.clamp(least, most)] } else { [least, most] }
}

/// As wide as wanted around the same middle, shifted to stay inside of the whole where it can.
fn widen([from, to]: [f64; 2], wanted: f64, [least, most]: [f64; 2]) -> [f64; 2] {
    let middle = (from + to) / 2.0;
    let half = wanted / 2.0;
    let middle =
        if wanted >= most - least { (least + most) / 2.0 } else { middle.clamp(least + half, most - half) };
    [middle - half, middle + half]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = GeoPoint> {
        (-90.0..=90.0, -180.0..=180.0).prop_map(|(lat, lon)| GeoPoint::new(lat, lon).unwrap())
    }

    #[test]
    fn every_ring_of_the_page_is_read() {
        let rings =
            include_str!("../../../web/land.js").lines().filter(|line| line.starts_with(" [")).count();
        assert!(rings > 100);
        assert_eq!(land().len(), rings);
        let lisbon = project(-9.1, 38.7);
        let near = |corner: &&Point| (corner.0 - lisbon.0).hypot(corner.1 - lisbon.1) < 0.03;
        assert!(land().iter().flatten().any(|corner| near(&corner)), "there is a coast at Lisbon");
    }

    #[test]
    fn a_line_across_the_cut_leaves_no_line_across_the_map() {
        let (tokyo, san_jose) = (GeoPoint::new(35.7, 139.7).unwrap(), GeoPoint::new(37.3, -121.9).unwrap());
        let dots = dots(&great_circle(tokyo, san_jose), 0.01);
        assert!(dots.iter().all(|dot| dot.0.abs() > 1.5), "the Pacific only");
    }

    proptest! {
        #[test]
        fn every_place_of_a_frame_has_a_cell(
            places in proptest::collection::vec((-50.0..75.0f64, -180.0..180.0f64), 1..9),
            (width, height) in (1u16..300, 1u16..100),
        ) {
            let places: Vec<Point> = places.into_iter().map(|(lat, lon)| project(lon, lat)).collect();
            let area = Rect { x: 3, y: 5, width, height };
            let frame = Frame::of(&places, area);
            for place in places {
                let (x, y) = frame.cell(place).unwrap();
                prop_assert!(area.contains((x, y).into()));
            }
        }

        #[test]
        fn a_bow_joins_the_same_ends(from in place(), to in place(), part in 0.0..0.5f64) {
            let line = great_circle(from, to);
            let bow = bowed(&line, part);
            prop_assert_eq!(bow.len(), line.len());
            let near = |a: Point, b: Point| (a.0 - b.0).hypot(a.1 - b.1) < 1e-9;
            prop_assert!(near(bow[0], line[0]) && near(bow[bow.len() - 1], line[line.len() - 1]));
        }

        #[test]
        fn a_great_circle_joins_its_ends(from in place(), to in place()) {
            let circle = great_circle(from, to);
            let near = |a: Point, b: Point| (a.0.abs() - b.0.abs()).hypot(a.1 - b.1) < 1e-3;
            prop_assert!(near(circle[0], point(from)) && near(circle[circle.len() - 1], point(to)));
        }
    }
}
