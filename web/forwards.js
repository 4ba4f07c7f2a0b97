// Connections that routing has moved: a dashed line from the site where their packets arrive to the one that has them, in
// the mark of the latter, beside all cables; an arrow at its end, and in its middle how many there are.

import { svg } from './element.js';
import { colour } from './marks.js';
import { bowed, centre, greatCircle, path } from './projection.js';
import { same } from './ways.js';

/** How far the line leaves the way of a cable, as a part of its length, and in pixels at least and at most. */
const BOW = { part: 0.16, least: 16, most: 64 };
/** How far from a site the line ends, so that its arrow is seen. */
const CLEAR = 13;
/** How far from the edge of the map its number lies at least, in pixels. */
const EDGE = 28;

/** `1,002 connections`. */
export const connections = (number) => `${number.toLocaleString('en')} connection${number === 1 ? '' : 's'}`;

/** What is drawn of a picture: `{ from, to, connections, clients, pieces, middle, words }`, the ends being sites. */
export function forwards(picture, projection) {
  const site = (name) => picture.sites.find((one) => one.name === name && one.at);
  const drawn = (picture.forwards ?? []).map((forward) => ({ ...forward, from: site(forward.from), to: site(forward.to) }));
  return drawn.filter(({ from, to }) => from && to && !same(place(from), place(to))).map((forward) => {
    const pieces = curve(forward, projection);
    const words = `${connections(forward.connections)} of ${forward.to.city} arrive in ${forward.from.city}, which forwards them`;
    return { ...forward, pieces, middle: centre([shown(pieces, projection.width)]), words };
  });
}

const place = ({ at }) => [at.lon, at.lat];

function curve({ from, to }, projection) {
  const pieces = projection.pieces(greatCircle(place(from), place(to)));
  const length = pieces.flatMap(steps).reduce((sum, step) => sum + step, 0);
  const by = Math.min(BOW.most, Math.max(BOW.least, BOW.part * length));
  // The way back, where there is one too, lies beside.
  return bowed(pieces, from.name < to.name ? by : 2 * by, projection.height);
}

/** The longest part of a line that is on the map: a narrow map shows a part of the earth. */
function shown(pieces, width) {
  const inside = pieces.map((piece) => piece.filter(([x]) => x >= EDGE && x <= width - EDGE));
  const longest = inside.reduce((one, other) => (other.length > one.length ? other : one));
  return longest.length > 0 ? longest : pieces.flat();
}

const steps = (piece) => piece.slice(1).map(([x, y], index) => Math.hypot(x - piece[index][0], y - piece[index][1]));

/** The last point of a line that is clear of its end, and the direction from there, in degrees. */
function tip(piece) {
  const [x, y] = piece.at(-1);
  const far = piece.findLastIndex(([px, py]) => Math.hypot(px - x, py - y) >= CLEAR);
  const [px, py] = piece[Math.max(0, far)];
  return { last: Math.max(0, far), xy: [px, py], turn: (Math.atan2(y - py, x - px) * 180) / Math.PI };
}

/** The lines, arrows and numbers. */
export function drawForward({ to, clients, pieces, middle, words, connections: number }) {
  const { last, xy, turn } = tip(pieces.at(-1));
  const d = path([...pieces.slice(0, -1), pieces.at(-1).slice(0, last + 1)]);
  const { width, height } = pill(number);
  return svg('g', { class: 'forward', 'data-clients': clients.join(' ') },
    svg('title', {}, words),
    svg('path', { class: 'rim', d }),
    svg('path', { class: 'leg', d, stroke: colour(to.colour) }),
    svg('path', {
      class: 'arrow', d: 'M-5,-5.5L6,0L-5,5.5Z', fill: colour(to.colour),
      transform: `translate(${xy.map((value) => value.toFixed(1))}) rotate(${turn.toFixed(1)})`,
    }),
    svg('g', { class: 'count', transform: `translate(${middle.map((value) => value.toFixed(1))})` },
      svg('rect', { x: -width / 2, y: -height / 2, width, height, rx: height / 2, stroke: colour(to.colour) }),
      svg('text', { y: 3.7, 'text-anchor': 'middle', 'font-size': 11 }, number.toLocaleString('en'))));
}

const pill = (number) => ({ width: 12 + 6.6 * number.toLocaleString('en').length, height: 17 });

/** Where the number of a line lies, as `{ left, top, right, bottom }`: nothing else may lie there. */
export function counted({ middle: [x, y], connections: number }) {
  const { width, height } = pill(number);
  return { left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 };
}
