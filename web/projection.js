// The earth on a plane: Natural Earth projection (Tom Patterson 2008, polynomial by Bojan Savric et al. 2011), cut in
// the Bering Strait, where it hurts no land.

const CENTRE = 11;
const RADIANS = Math.PI / 180;

/** Longitude and latitude in degrees to a point whose unit is the earth's radius, y up. */
function raw(lon, lat) {
  let turned = lon - CENTRE;
  while (turned > 180) turned -= 360;
  while (turned < -180) turned += 360;
  return plane(turned * RADIANS, lat * RADIANS);
}

function plane(lambda, phi) {
  const p2 = phi * phi;
  const p4 = p2 * p2;
  return [
    lambda * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4))),
    phi * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4))),
  ];
}

const NORTH = 79;
const SOUTH = -55;
const TOP = raw(CENTRE, NORTH)[1];
const BOTTOM = raw(CENTRE, SOUTH)[1];
const HALF_WIDTH = plane(Math.PI, 0)[0];

/**
 * A projection that fits the world, or the part of it between two longitudes, into a width in pixels.
 * `point(lon, lat)` gives pixels; `line(points)` turns longitudes and latitudes into an SVG path, cut at the seam.
 */
export function fit(width, west = -HALF_WIDTH, east = HALF_WIDTH) {
  const scale = width / (east - west);
  const height = Math.round((TOP - BOTTOM) * scale);
  const place = ([x, y]) => [(x - west) * scale, (TOP - y) * scale];
  const point = (lon, lat) => place(raw(lon, lat));
  const seam = HALF_WIDTH * scale;

  function pieces(points) {
    const all = [];
    let piece = [];
    let before = null;
    for (const [lon, lat] of points) {
      const next = point(lon, lat);
      if (before && Math.abs(next[0] - before[0]) > seam) {
        all.push(piece);
        piece = [];
      }
      piece.push(next);
      before = next;
    }
    all.push(piece);
    return all.filter((part) => part.length > 1);
  }

  return { width, height, point, pieces, outline: () => outline(place), graticule: () => graticule(pieces) };
}

/** The extent in projected units of some places with a margin, for a screen too narrow for the whole world. */
export function extent(places, margin = 0.25) {
  const xs = places.map(([lon, lat]) => raw(lon, lat)[0]);
  return [
    Math.max(-HALF_WIDTH, Math.min(...xs) - margin),
    Math.min(HALF_WIDTH, Math.max(...xs) + margin),
  ];
}

/** The edge of the visible earth. */
function outline(place) {
  const edge = [];
  for (let lat = SOUTH; lat <= NORTH; lat += 2) edge.push(plane(Math.PI, lat * RADIANS));
  const west = edge.map(([x, y]) => [-x, y]).reverse();
  return path([[...edge, ...west].map(place)], true);
}

function graticule(pieces) {
  const lines = [];
  for (let lon = -150; lon <= 180; lon += 30) {
    lines.push(Array.from({ length: 70 }, (_, step) => [lon, SOUTH + step * 2]));
  }
  for (let lat = -40; lat <= 80; lat += 20) {
    lines.push(Array.from({ length: 181 }, (_, step) => [CENTRE - 179.9 + step * 1.9988, lat]));
  }
  return path(lines.flatMap((line) => pieces(line)));
}

/** Pixel points as an SVG path. */
export function path(pieces, closed = false) {
  const piece = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}`;
  return pieces.map((points) => piece(points) + (closed ? 'Z' : '')).join('');
}

/** Places every degree or so on the great circle between two places. */
export function greatCircle([lon1, lat1], [lon2, lat2]) {
  const vector = (lon, lat) => [
    Math.cos(lat * RADIANS) * Math.cos(lon * RADIANS),
    Math.cos(lat * RADIANS) * Math.sin(lon * RADIANS),
    Math.sin(lat * RADIANS),
  ];
  const [a, b] = [vector(lon1, lat1), vector(lon2, lat2)];
  const angle = Math.acos(Math.min(1, Math.max(-1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])));
  if (angle < 1e-6) return [[lon1, lat1], [lon2, lat2]];
  const steps = Math.max(2, Math.ceil(angle / RADIANS));
  return Array.from({ length: steps + 1 }, (_, step) => {
    const [s, t] = [Math.sin((1 - step / steps) * angle), Math.sin((step / steps) * angle)];
    const [x, y, z] = [0, 1, 2].map((axis) => (s * a[axis] + t * b[axis]) / Math.sin(angle));
    return [Math.atan2(y, x) / RADIANS, Math.atan2(z, Math.hypot(x, y)) / RADIANS];
  });
}

/** A line that leaves its way by so many pixels in the middle, towards the middle of the map, and comes back to its end. */
export function bowed(pieces, by, height) {
  const off = (line) => Math.abs(centre(line)[1] - height / 2);
  const [left, right] = [leaving(pieces, by), leaving(pieces, -by)];
  return off(left) <= off(right) ? left : right;
}

/** The point in the middle of a line. */
export function centre(pieces) {
  const points = pieces.flat();
  return points[Math.floor(points.length / 2)];
}

/** To its left. */
function leaving(pieces, by) {
  const steps = pieces.flat().length - 1;
  let step = -1;
  return pieces.map((points) => points.map(([x, y], index) => {
    step += 1;
    const [x1, y1] = points[Math.max(0, index - 1)];
    const [x2, y2] = points[Math.min(points.length - 1, index + 1)];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const away = by * Math.sin((step / steps) * Math.PI);
    return [x + ((y2 - y1) / length) * away, y - ((x2 - x1) / length) * away];
  }));
}

/** A line moved sideways by some pixels, so that two routes over one cable lie beside each other. */
export function beside(points, distance) {
  if (distance === 0) return points;
  return points.map(([x, y], index) => {
    const [x1, y1] = points[Math.max(0, index - 1)];
    const [x2, y2] = points[Math.min(points.length - 1, index + 1)];
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    return [x - ((y2 - y1) / length) * distance, y + ((x2 - x1) / length) * distance];
  });
}
