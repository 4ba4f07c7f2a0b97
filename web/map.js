// The map: land, cables, the ways of answers, sites and clients. It is redrawn part by part, only where a part changed,
// and laid out in real pixels, so that marks and letters keep their size on any screen.

import { strength } from './alarms.js';
import { element, refresh, say, svg } from './element.js';
import { counted, drawForward, forwards } from './forwards.js';
import { RINGS } from './land.js';
import { arrange } from './labels.js';
import { colour, detourIcon, ms, shape } from './marks.js';
import { beside, extent, fit, greatCircle, path } from './projection.js';
import { cables, positions, same, ways } from './ways.js';

const NARROW = 620;
const SITE = 7.5;
const CLIENT = 4.2;
/** Where a client's mark goes when a site stands in the same city. */
const ASIDE = [11, 10];

const land = RINGS.map((ring) => {
  const points = [];
  let [lon, lat] = [0, 0];
  for (let index = 0; index < ring.length; index += 2) {
    lon += ring[index];
    lat += ring[index + 1];
    points.push([lon / 10, lat / 10]);
  }
  return points;
});

export class WorldMap {
  /** `select(name)` is told which client the pointer is on, null for none; `pick(cable)` which cable was clicked. */
  constructor(host, select, pick) {
    this.select = select;
    this.pick = pick;
    this.layers = Object.fromEntries(
      ['earth', 'cables', 'ways', 'breaks', 'forwards', 'marks', 'labels'].map((name) => [name, svg('g', { class: name })]),
    );
    this.root = svg('svg', { role: 'img', 'aria-label': 'Map of the world' }, ...Object.values(this.layers));
    host.append(this.root);
    this.ruler = element('canvas').getContext('2d');
    new ResizeObserver(() => this.resize(host.clientWidth)).observe(host);
    this.root.addEventListener('pointerleave', () => this.select(null));
  }

  resize(width) {
    if (!width || width === this.width) return;
    this.width = width;
    this.projection = null;
    if (this.picture) this.show(this.picture);
  }

  show(picture) {
    this.picture = picture;
    if (!this.width) return;
    this.at = positions(picture);
    this.project();
    const dark = (picture.everySite ?? picture.sites).filter((site) => site.at && site.output === 'none')
      .map((site) => [site.at.lon, site.at.lat]);
    this.drawCables(cables(picture, this.at), dark);
    this.drawWays(ways(picture, this.at));
    this.drawForwards(picture);
    this.drawNodes(picture);
    this.highlight(this.selected);
    const answered = picture.clients.filter((client) => client.site).length;
    this.root.setAttribute('aria-label', `Map: ${answered} of ${picture.clients.length} clients are answered; `
      + 'the list below says by whom');
  }

  /** Brings out the way of one client and lets the others step back; null undoes it. */
  highlight(client) {
    this.selected = client;
    this.root.classList.toggle('one', Boolean(client));
    for (const node of this.root.querySelectorAll('[data-clients]')) {
      node.classList.toggle('lit', Boolean(client) && node.dataset.clients.split(' ').includes(client));
    }
  }

  project() {
    if (this.projection) return;
    const narrow = this.width < NARROW;
    this.projection = narrow ? fit(this.width, ...extent([...this.at.values()])) : fit(this.width);
    const { width, height } = this.projection;
    this.root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.root.setAttribute('height', height);
    this.root.setAttribute('width', width);
    for (const layer of Object.values(this.layers)) delete layer.dataset.signature;
    // Steps of a few pixels would turn at the seam into lines across the whole map; rings never cross it.
    const rings = land.map((ring) => this.ring(ring));
    this.layers.earth.replaceChildren(
      svg('path', { class: 'ocean', d: this.projection.outline() }),
      svg('path', { class: 'graticule', d: this.projection.graticule() }),
      svg('path', { class: 'land', d: path(rings, true) }),
    );
  }

  ring(points) {
    return points.map(([lon, lat]) => this.projection.point(Math.min(lon, 190.99), lat));
  }

  arc(from, to) {
    return this.projection.pieces(greatCircle(from, to));
  }

  /** What breaks inside a city whose site is gone, a place in `dark`, is part of that and gets no sign of its own. */
  drawCables(lines, dark) {
    const whole = lines.filter(({ state, from, to }) => state === 'up' && !same(from, to));
    refresh(this.layers.cables, whole, () => whole.flatMap((line) => {
      const d = path(this.arc(line.from, line.to));
      return [svg('path', { class: 'cable', d }), this.reach(line, d)];
    }));
    const broken = lines.filter(({ state, from, to }) => state !== 'up'
      && !(same(from, to) && dark.some((place) => same(place, from))));
    refresh(this.layers.breaks, broken, () => broken.flatMap((line) => this.drawBreak(line)));
  }

  /** A wide invisible line, so that a thin cable can be pointed at. */
  reach(line, d) {
    const title = svg('title', {}, line.names.join(', '));
    return svg('path', { class: 'reach', d, onclick: () => this.pick(line.names[0]) }, title);
  }

  drawBreak(line) {
    const pieces = this.arc(line.from, line.to);
    const longest = pieces.reduce((a, b) => (b.length > a.length ? b : a));
    const [x, y] = same(line.from, line.to)
      ? [longest[0][0] - ASIDE[0], longest[0][1] - ASIDE[1]]
      : longest[Math.floor(longest.length / 2)];
    const sign = line.state === 'cut'
      ? svg('path', { d: 'M-3,-3L3,3M3,-3L-3,3' })
      : line.state === 'half-broken'
        ? svg('path', { d: 'M-3,3L3,-3' })
        : svg('circle', { r: 2.6, class: 'hole' });
    const badge = svg('g', { class: 'badge', transform: `translate(${x.toFixed(1)},${y.toFixed(1)})` },
      svg('circle', { r: 7.5 }), sign);
    const d = path(pieces);
    return [svg('path', { class: `broken ${line.state}`, d }), this.reach(line, d), badge];
  }

  drawWays(hops) {
    this.points = hops.flatMap((hop) => this.arc(hop.from, hop.to).flat());
    refresh(this.layers.ways, hops, () => hops.flatMap((hop) => {
      const pieces = this.arc(hop.from, hop.to);
      const gap = 3.2;
      return hop.lines.map((line, index) => svg('path', {
        class: line.known ? 'way' : 'way unknown',
        d: path(pieces.map((piece) => beside(piece, (index - (hop.lines.length - 1) / 2) * gap))),
        stroke: colour(line.site),
        'stroke-width': Math.min(3.6, 1.8 + 0.5 * Math.log2(line.clients.length)).toFixed(1),
        'data-clients': line.clients.join(' '),
      }));
    }));
  }

  drawForwards(picture) {
    this.forwards = forwards(picture, this.projection);
    this.points.push(...this.forwards.flatMap(({ pieces }) => pieces.flat()));
    refresh(this.layers.forwards, this.forwards, () => this.forwards.map(drawForward));
  }

  drawNodes(picture) {
    const sites = picture.sites.filter((site) => site.at)
      .map((site) => ({ ...site, xy: this.projection.point(site.at.lon, site.at.lat) }));
    const clients = picture.clients.map((client) => this.placeClient(client, sites));
    const looks = [sites.map(({ name, output, state }) => [name, output, state]),
      clients.map(({ name, site, detour }) => [name, site, detour?.kind]),
      this.forwards.map(({ from, to, connections }) => [from.name, to.name, String(connections).length])];
    refresh(this.layers.marks, looks, () => [
      ...[...new Set((picture.routers ?? []).map((router) => String(this.at.get(router.name))))].map((place) => {
        const [cx, cy] = this.projection.point(...place.split(',').map(Number));
        return svg('circle', { class: 'router', cx: cx.toFixed(1), cy: cy.toFixed(1), r: 1.6 });
      }),
      ...sites.map((site) => this.drawSite(site)),
      ...clients.map((client) => this.drawClient(client, sites)),
    ]);
    this.drawLabels(sites, clients, looks);
  }

  placeClient(client, sites) {
    const [x, y] = this.projection.point(client.at.lon, client.at.lat);
    const host = sites.find((site) => same([site.at.lon, site.at.lat], [client.at.lon, client.at.lat]));
    if (host) return { ...client, host: host.name, xy: [host.xy[0] + ASIDE[0], host.xy[1] + ASIDE[1]] };
    return { ...client, xy: sites.reduce((xy, site) => apart(xy, site.xy), [x, y]) };
  }

  drawSite(site) {
    const gone = site.output === 'none';
    const words = strength(site.output);
    const group = svg('g', { class: `station ${gone ? 'gone' : site.output}`, transform: translate(site.xy) },
      svg('title', {}, `${site.city}: ${words ?? 'announced'}`),
      svg('path', { class: 'halo', d: shape(site.colour, SITE + 4), stroke: colour(site.colour) }),
      svg('path', { class: 'body', d: shape(site.colour, SITE), fill: colour(site.colour), stroke: colour(site.colour) }));
    if (gone) group.append(svg('path', { class: 'cross', d: 'M-9,-9L9,9M9,-9L-9,9' }));
    return group;
  }

  drawClient(client, sites) {
    const site = sites.find(({ name }) => name === client.site);
    const d = site ? shape(site.colour, CLIENT) : 'M-4,-4L4,4M4,-4L-4,4';
    const kind = !site ? 'silent' : client.detour ? 'away' : 'near';
    return svg('g', {
      class: `client ${kind}`,
      transform: translate(client.xy),
      'data-clients': client.name,
      onpointerenter: () => this.select(client.name),
      onpointerleave: () => this.select(null),
      onclick: () => this.select(client.name),
    },
    svg('circle', { class: 'reach', r: 11 }),
    svg('path', { d, fill: site ? colour(site.colour) : 'none', stroke: site ? colour(site.colour) : null }));
  }

  drawLabels(sites, clients, looks) {
    const narrow = this.width < NARROW;
    const names = this.names(sites, clients);
    if (refresh(this.layers.labels, looks, () => this.buildLabels(names, narrow))) this.highlight(this.selected);
    for (const { client } of names) {
      if (!client) continue;
      const value = this.layers.labels.querySelector(`[data-value="${client.name}"]`);
      if (value) say(value, client.site ? ms(client.rtt_ms) : 'silent');
    }
  }

  /** One label a city: a site and a client that share one share the label. `about` are the clients it matters to. */
  names(sites, clients) {
    const free = clients.filter((client) => !client.host);
    return [
      ...sites.map((site) => {
        const answered = clients.filter((client) => client.site === site.name || client.host === site.name);
        const client = clients.find(({ host }) => host === site.name);
        return { site, city: site.city, client, about: answered.map(({ name }) => name) };
      }),
      ...free.map((client) => ({ client, city: client.city, about: [client.name] })),
    ];
  }

  buildLabels(names, narrow) {
    const size = narrow ? 10 : 11.5;
    this.ruler.font = `600 ${size}px ${getComputedStyle(this.root).fontFamily}`;
    const measure = (text) => this.ruler.measureText(text).width;
    const wants = names.map(({ site, city, client }) => ({
      x: (site ?? client).xy[0],
      y: (site ?? client).xy[1],
      radius: site ? SITE + (client ? 7 : 4) : CLIENT + 2,
      width: Math.max(measure(city), client ? measure('888 ms') + (client.detour ? 18 : 0) : 0),
      height: client ? size * 2.15 : size * 1.2,
      weight: (site ? 4 : 0) + (client?.detour ? 2 : 0) + (client && !client.site ? 3 : 0),
    }));
    const corners = arrange(wants, this.points, this.projection, this.forwards.map(counted));
    return names.flatMap(({ site, city, client, about }, index) => {
      if (!corners[index]) return [];
      const [left, top] = corners[index];
      const onRight = left > wants[index].x;
      const x = onRight || Math.abs(left + wants[index].width / 2 - wants[index].x) < 1 ? 0 : wants[index].width;
      const anchor = x === 0 ? 'start' : 'end';
      const label = svg('g', {
        class: `label ${site ? 'of-site' : ''} ${site?.output === 'none' ? 'of-gone' : ''}`,
        transform: translate([left, top]),
        'font-size': size,
        'text-anchor': anchor,
        'data-clients': about.join(' '),
      }, svg('text', { x, y: size * 0.9 }, city));
      if (client) label.append(...this.buildValue(client, x, size));
      return [...leader(wants[index], left, top), label];
    });
  }

  buildValue(client, x, size) {
    const text = svg('text', {
      class: client.site ? 'value' : 'value silent', x: x + (client.detour ? (x === 0 ? 17 : 0) : 0), y: size * 1.98,
      'data-value': client.name,
    });
    if (!client.detour) return [text];
    const left = x === 0 ? 0 : x - this.ruler.measureText('888 ms').width - 17;
    const icon = detourIcon(client.detour.kind);
    icon.setAttribute('transform', `translate(${left.toFixed(1)},${(size * 1.12).toFixed(1)}) scale(0.78)`);
    return [icon, text];
  }
}

/** A thin line from a mark to its label, where the label had to go far. */
function leader({ x, y, radius, width, height }, left, top) {
  const [tx, ty] = [Math.min(left + width, Math.max(left, x)), Math.min(top + height, Math.max(top, y))];
  const distance = Math.hypot(tx - x, ty - y);
  if (distance < radius + 9) return [];
  const [sx, sy] = [x + ((tx - x) / distance) * radius, y + ((ty - y) / distance) * radius];
  return [svg('path', { class: 'leader', d: `M${sx.toFixed(1)},${sy.toFixed(1)}L${tx.toFixed(1)},${ty.toFixed(1)}` })];
}

/** Moves a client's mark out from below a site's, as far as it takes to be seen. */
function apart([x, y], [sx, sy]) {
  const distance = Math.hypot(x - sx, y - sy);
  const least = SITE + CLIENT + 4;
  if (distance >= least) return [x, y];
  const scale = least / (distance || 1);
  return [sx + (x - sx) * scale, sy + (y - sy) * scale];
}

const translate = ([x, y]) => `translate(${x.toFixed(1)},${y.toFixed(1)})`;
