// How a site looks everywhere: a colour and a shape, so that neither is needed alone. A client wears, smaller, the mark
// of the site that answers it.

import { element, svg } from './element.js';

const COLOURS = 7;

/** The CSS colour of a site's place in the palette (Okabe and Ito, safe for the colour-blind). */
export const colour = (index) => `var(--site-${index % COLOURS})`;

const polygon = (corners, turn, inner) => (r) => {
  const points = [];
  const steps = inner ? corners * 2 : corners;
  for (let step = 0; step < steps; step += 1) {
    const angle = ((step / steps) * 2 + turn) * Math.PI;
    const length = inner && step % 2 ? r * inner : r;
    points.push(`${(length * Math.sin(angle)).toFixed(2)},${(-length * Math.cos(angle)).toFixed(2)}`);
  }
  return `M${points.join('L')}Z`;
};

const plus = (r) => {
  const a = r * 0.38;
  return `M${-a},${-r}H${a}V${-a}H${r}V${a}H${a}V${r}H${-a}V${a}H${-r}V${-a}H${-a}Z`;
};

const SHAPES = [
  { name: 'square', path: (r) => polygon(4, 0.25)(r * 1.25) },
  { name: 'triangle', path: (r) => polygon(3, 0)(r * 1.3) },
  { name: 'diamond', path: (r) => polygon(4, 0)(r * 1.3) },
  { name: 'circle', path: (r) => `M${-r},0A${r},${r},0,1,1,${r},0A${r},${r},0,1,1,${-r},0Z` },
  { name: 'star', path: (r) => polygon(5, 0, 0.48)(r * 1.4) },
  { name: 'plus', path: (r) => plus(r * 1.15) },
  { name: 'wedge', path: (r) => polygon(3, 1)(r * 1.3) },
  { name: 'hexagon', path: (r) => polygon(6, 0)(r * 1.15) },
];

/** The outline of a site's shape around the origin, as an SVG path. */
export const shape = (index, r) => SHAPES[index % SHAPES.length].path(r);

/** A mark that stands in a line of text. */
export function mark(index, { hollow = false, title = null } = {}) {
  const path = svg('path', {
    d: shape(index, 5),
    fill: hollow ? 'none' : colour(index),
    stroke: colour(index),
    'stroke-width': 1.5,
  });
  const image = svg('svg', { class: 'mark', viewBox: '-8 -8 16 16', width: 14, height: 14, 'aria-hidden': 'true' }, path);
  return title ? element('span', { title }, image) : image;
}

/** The mark of nobody: silence or a site that is gone. */
export function noMark() {
  const cross = svg('path', { d: 'M-4,-4L4,4M4,-4L-4,4', class: 'cross' });
  return svg('svg', { class: 'mark', viewBox: '-8 -8 16 16', width: 14, height: 14, 'aria-hidden': 'true' }, cross);
}

const DETOURS = {
  policy: { word: 'policy', path: 'M2 12C2 4 8 4 8 8s6 4 6-4m-3 3 3-3 2.6 3' },
  failover: { word: 'failover', path: 'M2 4l5 5M7 4 2 9M9 12c4 0 5-3 5-8m-3 3 3-3 2.6 3' },
};

/** Why a client goes the long way, as a sign 18 wide and 16 high. */
export const detourIcon = (kind) => svg('path', { class: `why ${kind}`, d: DETOURS[kind].path });

/** The same sign with its word, to stand in a text. */
export function detourChip(kind) {
  const size = { viewBox: '0 0 18 16', width: 15, height: 13 };
  const icon = svg('svg', { ...size, 'aria-hidden': 'true' }, detourIcon(kind));
  return element('span', { class: `chip ${kind}` }, icon, DETOURS[kind].word);
}

/** Milliseconds as people read them. */
export function ms(value) {
  if (value === null || value === undefined) return '';
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}\u00a0ms`;
}
