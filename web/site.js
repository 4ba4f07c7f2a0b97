// What one site says about itself: its groups, what each peer was told, its peers.

import { strength } from './alarms.js';
import { byId, element, refresh } from './element.js';
import { connections } from './forwards.js';

const SIGNS = { announced: '\u25cf', withdrawn: '\u25cb', none: '\u2013' };

const time = (wall) => {
  const date = new Date(wall);
  return element('time', { datetime: date.toISOString() }, date.toLocaleTimeString([], { hour12: false }));
};

const table = (heads, rows) => element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': heads[0] }, element('table', {},
  element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
  element('tbody', {}, ...rows.map(([first, ...cells]) => element('tr', {},
    element('th', { scope: 'row' }, first), ...cells.map((cell) => element('td', {}, cell)))))));

function told({ told: word, attributes }) {
  const path = attributes?.path?.length ? ` path ${attributes.path.join(' ')}` : '';
  const hop = attributes ? ` next hop ${attributes.next_hop}` : '';
  return element('span', { class: `told ${word}` }, `${SIGNS[word]} ${word}`, element('small', {}, hop + path));
}

/** What an operator has ordered, in one line. */
function ordered({ kind, who, until, reason }) {
  return element('p', { class: 'order' }, element('strong', {}, kind), ` ordered by ${who}: ${reason} \u00b7 `,
    until ? 'until ' : 'until another order', until && time(until));
}

function group(one) {
  const peers = one.prefixes[0]?.peers.map(({ peer }) => peer) ?? [];
  return element('article', { class: one.output === 'none' ? 'group gone' : 'group' },
    element('p', { class: 'statement' },
      element('strong', {}, one.name), element('span', { class: `state ${one.state}` },
        [one.state, one.output === 'none' ? null : strength(one.output)].filter(Boolean).join(' \u00b7 ')),
      ` since `, time(one.since), `: ${one.reason}`),
    one.intent && one.intent.kind !== 'normal' && ordered(one.intent),
    ...one.alarms.map((alarm) => element('p', { class: 'alarm', role: 'alert' }, alarm)),
    table(['Prefix', ...peers], one.prefixes.map((row) => [row.prefix, ...row.peers.map(told)])));
}

/** What becomes of connections that routing moves, in one line. */
const STANDING = {
  on: 'connections that routing moves are forwarded',
  waiting: 'the fleet was not heard yet, moved connections go where they went',
  off: 'connections that routing moves are not forwarded',
};

/** Those that have moved: how many go between this host and each other one, and since when. */
function moved({ state, since, reason, owned, relay, forwarded, received }) {
  const rows = (way, totals) => totals.map((total) => [
    `${way} ${total.site ?? `number ${total.number}`}`, total.connections.toLocaleString('en'), time(total.since), time(total.seen),
    total.packets.toLocaleString('en')]);
  const all = [...rows('to', forwarded), ...rows('from', received)];
  return [
    element('p', { class: 'statement' },
      element('strong', {}, `${connections(owned)} of its own`), element('span', { class: `state ${state}` }, state), ' since ', time(since),
      `: ${reason ?? STANDING[state]}`),
    ...[relay && element('p', { class: 'order' }, 'this site is held: ', element('strong', {}, relay), ' answers new users in its place'),
      all.length > 0 && table(['Forwarded', 'Connections', 'Since', 'Last packet', 'Packets'], all)].filter(Boolean)];
}

/** Everything but the ribbons and the events. */
export function showSite(picture) {
  const groups = picture.groups.map(({ checks, ...rest }) => rest);
  refresh(byId('groups'), groups, () => picture.groups.map(group));
  refresh(byId('peers'), picture.peers, () => [table(
    ['Peer', 'Address', 'AS', 'Session', 'Since', 'Routes', 'Attributes discarded', 'Treated as withdrawn'],
    picture.peers.map((peer) => [peer.name, peer.address, peer.asn,
      element('span', { class: `state ${peer.state}` }, peer.state), time(peer.since),
      peer.received.accepted, peer.received.discarded_attributes, peer.received.treated_as_withdraw]),
  )]);
  const { continuity } = picture;
  byId('moved-title').hidden = !continuity;
  byId('moved').hidden = !continuity;
  if (continuity) refresh(byId('moved'), { ...continuity, packets: null }, () => moved(continuity));
}
