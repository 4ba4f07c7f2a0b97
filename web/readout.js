// The strip below the map: the key to its signs, or, while a client is pointed at, its way hop by hop.

import { byId, element, refresh, svg } from './element.js';
import { connections } from './forwards.js';
import { colour, detourChip, detourIcon, mark, ms, noMark, shape } from './marks.js';

function key() {
  const sample = (attributes) => svg('svg', { viewBox: '0 0 26 12', width: 26, height: 12, 'aria-hidden': 'true' },
    svg('path', { d: 'M1,6H25', ...attributes }));
  const entry = (sign, words) => element('span', {}, sign, words);
  const icon = (kind) => svg('svg', { viewBox: '0 0 18 16', width: 15, height: 13, 'aria-hidden': 'true' }, detourIcon(kind));
  const leg = () => svg('svg', { class: 'forward', viewBox: '0 0 40 12', width: 40, height: 12, 'aria-hidden': 'true' },
    svg('path', { class: 'leg', d: 'M1,6H30', stroke: colour(1) }),
    svg('path', { class: 'arrow', d: 'M29,0.5L40,6L29,11.5Z', fill: colour(1) }));
  const resort = svg('svg', { class: 'station gshut', viewBox: '-12 -12 24 24', width: 17, height: 17, 'aria-hidden': 'true' },
    svg('path', { class: 'halo', d: shape(0, 11), stroke: colour(0) }), svg('path', { class: 'body', d: shape(0, 6), stroke: colour(0) }));
  return [
    entry(mark(0), 'a client wears the mark of its site'),
    entry(mark(0, { hollow: true }), 'not the nearest'),
    entry(icon('policy'), 'by policy'),
    entry(icon('failover'), 'after a failover'),
    entry(resort, 'a site of last resort'),
    entry(sample({ class: 'broken cut' }), 'cut'),
    entry(sample({ class: 'broken blackhole' }), 'black hole'),
    entry(sample({ class: 'broken half-broken' }), 'half broken'),
    entry(noMark(), 'gone or silent'),
    entry(leg(), 'connections that one site takes in for another, and how many'),
  ];
}

/** The nodes of a way, one name for neighbours in the same city of the same network. */
function hops(client, picture) {
  const routers = new Map((picture.routers ?? []).map((router) => [router.name, router]));
  const between = client.path.slice(1, -1)
    .map((name) => (routers.has(name) ? `${routers.get(name).network} ${routers.get(name).city}` : name));
  return between.filter((hop, index) => hop !== between[index - 1]);
}

/** Where connections go on to that the client has had since before it was moved. */
function owned(client, picture) {
  const city = (name) => picture.sites.find((site) => site.name === name)?.city ?? name;
  const its = (picture.forwards ?? []).filter(({ clients }) => clients.includes(client.name));
  return its.map(({ from, to, clients, connections: number }) => element('p', { class: 'hops' },
    clients.length === 1 ? `${connections(number)} of before: ` : 'Connections of before: ',
    `${[client.city, city(from)].join(' \u2192 ')} \u21e2 ${city(to)}, which has them.`));
}

function way(client, picture) {
  const site = picture.sites.find(({ name }) => name === client.site);
  const nearest = picture.sites.find(({ name }) => name === client.nearest?.site);
  const from = `${client.city} (${client.network}, AS ${client.asn})`;
  if (!site) return [element('p', {}, noMark(), element('strong', {}, from), ' gets no answer.')];
  return [
    element('p', {}, mark(site.colour), element('strong', {}, from),
      ` is answered by ${site.city} in ${ms(client.rtt_ms)}`,
      client.detour && nearest ? `; ${nearest.city} is ${ms(client.nearest.rtt_ms)} away. ` : '. ',
      client.detour && detourChip(client.detour.kind), client.detour && ` ${client.detour.words}.`),
    element('p', { class: 'hops' }, [client.city, ...hops(client, picture), site.city].join(' \u2192 ')),
    ...owned(client, picture),
  ];
}

/** Shows the way of the client of that name, or the key for none. */
export function showReadout(picture, name) {
  const client = picture.clients?.find((one) => one.name === name);
  const node = byId('readout');
  node.classList.toggle('key', !client);
  const source = client ? [client, picture.sites.map(({ city }) => city), picture.forwards] : 'key';
  refresh(node, source, () => (client ? way(client, picture) : key()));
}
