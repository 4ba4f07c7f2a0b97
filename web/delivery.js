// One packet, four ways: for each method of delivery the same hosts, and which of them got the packet. A host shows how
// many packets of that method it has received; it is filled when it got the last one.

import { byId, element, refresh, say } from './element.js';
import { command } from './stream.js';

const WAYS = {
  unicast: { name: 'Unicast', words: 'one address, one machine' },
  broadcast: { name: 'Broadcast', words: 'one address, every device of one network' },
  multicast: { name: 'Multicast', words: 'one address, the members who joined' },
  anycast: { name: 'Anycast', words: 'one address, the nearest of many machines' },
};
/** The group that is offered as long as nobody has joined another one. */
const GROUP = '239.18.0.7';

const SIGNS = new Map([[true, '\u2713 those, and nobody else'], [false, '\u2715 not those whom it should reach'], [null, 'on its way']]);

/** What a host is called among those of its city. */
function short({ name, kind, lan }) {
  if (lan) return name.slice(lan.length + 1);
  const more = name.match(/-(\d+)$/);
  return kind + (more ? ` ${more[1]}` : '');
}

/** Hosts by city, those on LANs first, as `[city, hosts]`. */
function places(hosts) {
  const cities = new Map();
  for (const host of [...hosts.filter(({ lan }) => lan), ...hosts.filter(({ lan }) => !lan)]) {
    if (!cities.has(host.city)) cities.set(host.city, []);
    cities.get(host.city).push(host);
  }
  return [...cities];
}

/** What an address stands for, and the address, where one is not the other. */
const target = (method, { to, address }) => (method === 'unicast' || method === 'broadcast' ? `${to} (${address})` : address);

const option = (name) => element('option', { value: name }, name);

export class Deliveries {
  #parts = null;

  /** Draws what a picture has of it; a picture without hosts has nothing. */
  show({ hosts = [], lans = [], deliveries = [], multicast_groups: groups = [] }) {
    byId('methods').hidden = hosts.length === 0;
    if (!hosts.length) return;
    this.#parts ??= this.#make();
    this.hosts = hosts;
    this.#choices(hosts, lans, groups);
    deliveries.forEach((delivery, index) => this.#card(delivery, index, groups));
  }

  #make() {
    const select = (label, more) => element('select', { 'aria-label': label, ...more });
    this.from = select('Sender');
    byId('methods-from').append(element('label', {}, 'from ', this.from));
    const to = { unicast: select('Receiver'), broadcast: select('LAN'), multicast: select('Group'), anycast: null };
    this.member = select('Host that joins or leaves', { onchange: () => this.#membership() });
    this.join = element('button', { type: 'button', onclick: () => this.#turn() });
    this.to = to;
    const cards = Object.entries(WAYS).map(([method, way]) => {
      const card = {
        sent: element('p', { class: 'sent' }), hosts: element('div', { class: 'hosts' }), told: element('p', { class: 'told-of' }),
        known: method === 'multicast' ? element('p', { class: 'known' }) : null,
      };
      const send = element('button', { type: 'button', onclick: () => this.#send(method), 'aria-label': `Send ${method}` }, 'Send');
      card.root = element('article', { class: `method ${method}`, 'aria-label': way.name },
        element('h3', {}, way.name), element('p', { class: 'means' }, way.words),
        card.sent, card.hosts, card.told,
        element('p', { class: 'order' }, send, to[method] && ' to ', to[method]),
        card.known && element('div', {}, card.known, element('p', { class: 'order' }, this.member, this.join)));
      return card;
    });
    byId('method-cards').append(...cards.map(({ root }) => root));
    return cards;
  }

  /** What can be chosen; what was chosen stays. */
  #choices(hosts, lans, groups) {
    const names = hosts.map(({ name }) => name);
    const known = groups.map(({ group }) => group);
    const choose = (select, values, first) => {
      const before = select.value;
      if (!refresh(select, values, () => values.map(option))) return;
      select.value = values.includes(before) ? before : values[Math.min(first, values.length - 1)];
    };
    choose(this.from, names, hosts.findIndex(({ lan }) => lan));
    choose(this.to.unicast, names, names.length - 1);
    choose(this.to.broadcast, lans.map(({ name }) => name), 1);
    choose(this.to.multicast, known.length ? known : [GROUP], 0);
    choose(this.member, names, hosts.findIndex(({ lan }) => lan));
    this.to.broadcast.closest('.order').hidden = lans.length === 0;
    this.#membership();
  }

  #isMember(name) {
    return this.hosts.find((host) => host.name === name)?.groups.includes(this.to.multicast.value) ?? false;
  }

  #membership() {
    say(this.join, this.#isMember(this.member.value) ? 'Leave' : 'Join');
    this.join.setAttribute('aria-label', `${this.join.textContent} ${this.to.multicast.value}`);
  }

  #card({ method, sent, last }, index, groups) {
    const card = this.#parts[index];
    const got = new Map((last?.received ?? []).map(({ host, times }) => [host, times]));
    say(card.sent, last ? `${last.from} \u2192 ${target(method, last)}` : 'nothing sent yet');
    const looks = this.hosts.map((host) => ({
      host, count: host.received[index], got: got.get(host.name) ?? 0, sender: last?.from === host.name,
      member: method === 'multicast' && host.groups.length > 0,
    }));
    refresh(card.hosts, looks, () => places(this.hosts).map(([city, hosts]) => element('div', { class: 'place' },
      element('span', { class: 'city' }, city),
      ...hosts.map((host) => this.#host(looks.find((look) => look.host === host))))));
    const number = got.size === 1 ? '1 host' : `${got.size} hosts`;
    say(card.told, last ? `${sent} sent; the last to ${number} of ${this.hosts.length}: ${SIGNS.get(last.as_meant)}` : '');
    card.told.classList.toggle('fail', last?.as_meant === false);
    card.told.classList.toggle('pass', last?.as_meant === true);
    if (card.known) this.#known(card.known, groups);
  }

  #host({ host, count, got, sender, member }) {
    const words = [`${host.name}, ${host.address}`, `${count} received`, got && 'got the last one', sender && 'sent it',
      member && `in ${host.groups.join(', ')}`].filter(Boolean).join('; ');
    const looks = ['host', got && 'got', sender && 'sender', member && 'member'].filter(Boolean).join(' ');
    return element('span', { class: looks, title: words, role: 'img', 'aria-label': words },
      element('small', {}, sender ? `\u25b8${short(host)}` : short(host)), element('b', {}, count ? String(count) : '\u00b7'));
  }

  /** What the routers have heard by IGMP. */
  #known(node, groups) {
    const words = groups.map(({ group, members, routers }) => `${group}: ${members.length} joined, `
      + `${routers.length} routers know`);
    say(node, words.join('; ') || 'nobody has joined a group');
    node.title = groups.map(({ group, members, routers }) => `${group}: members ${members.join(', ') || 'none'}; known to `
      + `${routers.join(', ') || 'no router'}`).join('\n');
  }

  #send(method) {
    const to = this.to[method] ? ` to ${this.to[method].value}` : '';
    return this.#order('send', `${method} from ${this.from.value}${to}`);
  }

  #turn() {
    const member = this.member.value;
    return this.#order(this.#isMember(member) ? 'leave' : 'join', `${this.to.multicast.value} at ${member}`);
  }

  async #order(kind, target) {
    say(byId('methods-answer'), '\u2026');
    say(byId('methods-answer'), await command({ kind, target }));
  }
}
