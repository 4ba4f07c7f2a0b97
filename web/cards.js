// The sites of a world, the buttons that break and mend it, and the reasons for the long ways round.

import { strength } from './alarms.js';
import { byId, element, refresh, say } from './element.js';
import { connections } from './forwards.js';
import { detourChip, mark, ms, noMark } from './marks.js';
import { command } from './stream.js';

/** How many offers stand open on a card; the rest is behind a button. */
const OPEN = 1;

/** How long an answer stays, ms. */
const READ = 8000;
let forget = null;

async function send(order) {
  clearTimeout(forget);
  const answer = byId('answer');
  say(answer, '\u2026');
  say(answer, await command(order));
  forget = setTimeout(() => say(answer, ''), READ);
}

const button = (offer) => element('button', {
  type: 'button', class: offer.command.kind, onclick: () => send(offer.command),
}, offer.label);

function offers(site) {
  const all = site.offers ?? [];
  const buttons = all.map(button);
  for (const [index, { label }] of all.entries()) buttons[index].setAttribute('aria-label', `${label}: ${site.city}`);
  if (all.length <= OPEN + 1) return buttons;
  const more = element('details', {}, element('summary', { 'aria-label': `More for ${site.city}` }, 'more'),
    element('div', {}, ...buttons.slice(OPEN)));
  more.addEventListener('focusout', ({ relatedTarget }) => {
    if (!more.contains(relatedTarget)) more.open = false;
  });
  more.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    more.open = false;
    more.firstChild.focus();
  });
  return [...buttons.slice(0, OPEN), more];
}

/** What a site takes in for others: `forwards 12 connections to Tokyo`. */
function forwarded(site, sites, forwards) {
  const city = (name) => sites.find((one) => one.name === name)?.city ?? name;
  const its = (forwards ?? []).filter(({ from }) => from === site.name);
  const words = its.map(({ to, connections: number }) => `${connections(number)} to ${city(to)}`);
  return words.length ? `\u21e2 forwards ${words.join(', ')}` : '';
}

/** A card for each site, kept for as long as the site is there, so that the keyboard keeps its place. */
export class SiteCards {
  #cards = new Map();

  show(sites, forwards) {
    refresh(byId('site-cards'), sites.map(({ name }) => name), () => sites.map((site) => this.#make(site)));
    for (const site of sites) this.#update(this.#cards.get(site.name), site, forwarded(site, sites, forwards));
  }

  #make(site) {
    const part = (tag, name) => element(tag, { class: name });
    const card = {
      sign: part('span', 'sign'), name: part('strong', 'name'), state: part('span', 'state'),
      numbers: part('span', 'numbers'), reason: part('p', 'reason'), offers: part('div', 'offers'),
      forwarded: part('p', 'forwarded'),
    };
    card.root = element('li', {},
      element('div', { class: 'row' }, card.sign, card.name, card.state, card.numbers),
      element('div', { class: 'row' }, card.reason, card.offers), card.forwarded);
    this.#cards.set(site.name, card);
    return card.root;
  }

  #update(card, site, words) {
    const gone = site.output === 'none';
    const weaker = gone ? null : strength(site.output);
    const state = [site.state ?? 'no daemon', weaker].filter(Boolean).join(' \u00b7 ');
    card.root.classList.toggle('gone', gone);
    card.root.classList.toggle('weak', weaker !== null);
    refresh(card.sign, [site.colour, gone, weaker], () => [gone ? noMark() : mark(site.colour, { hollow: weaker !== null })]);
    say(card.name, site.city);
    say(card.state, state);
    card.state.className = `state ${(site.state ?? 'dead')}`;
    const clients = `${site.clients} client${site.clients === 1 ? '' : 's'}`;
    say(card.numbers, site.clients ? `${clients} \u00b7 ${ms(site.rtt_ms)}` : clients);
    say(card.reason, site.reason);
    card.reason.title = site.reason;
    say(card.forwarded, words);
    const here = card.offers.contains(document.activeElement);
    // The keyboard stays on the card whose buttons it has just changed.
    if (refresh(card.offers, site.offers ?? [], () => offers(site)) && here) card.offers.firstChild?.focus();
  }
}

/** One cable chosen by its name, and what may be done to it. */
export class CableForm {
  constructor() {
    this.buttons = element('span', { class: 'offers' });
    this.list = element('select', { id: 'cable', onchange: () => this.#offer() });
    byId('cables').append(element('label', { for: 'cable' }, 'Cable'), this.list, this.buttons);
    byId('cables').addEventListener('submit', (event) => event.preventDefault());
  }

  show(cables) {
    this.cables = cables.filter((cable) => cable.offers?.length);
    byId('cables').hidden = this.cables.length === 0;
    const chosen = this.list.value;
    refresh(this.list, this.cables.map(({ name, state }) => [name, state]), () => this.cables.map((cable) => {
      const words = { up: '', cut: ' \u2014 cut', blackhole: ' \u2014 black hole', 'half-broken': ' \u2014 half broken' };
      return element('option', { value: cable.name }, cable.name + words[cable.state]);
    }));
    if (this.cables.some(({ name }) => name === chosen)) this.list.value = chosen;
    this.#offer();
  }

  pick(name) {
    this.list.value = name;
    this.#offer();
    this.list.focus();
  }

  #offer() {
    const cable = this.cables.find(({ name }) => name === this.list.value);
    refresh(this.buttons, cable?.offers ?? [], () => (cable?.offers ?? []).map(button));
  }
}

/** The faults that are in force. */
export function showFaults(faults) {
  byId('faults').hidden = faults.length === 0;
  refresh(byId('faults'), faults, () => [
    element('span', {}, 'In force'),
    ...faults.map(({ kind, target, since_ms: since }) => element('span', { class: 'fault' },
      `${kind} ${target}`, element('small', {}, ` since ${(since / 1000).toFixed(1)} s`))),
  ]);
}

/** Why each client that is answered from further away is. */
export function showDetours(clients, sites) {
  const away = clients.filter((client) => client.detour);
  byId('detours').hidden = away.length === 0;
  const city = (name) => sites.find((site) => site.name === name)?.city ?? name;
  const rows = away.map((client) => [client.city, client.detour, city(client.site), Math.round(client.rtt_ms),
    client.nearest && city(client.nearest.site), client.nearest && Math.round(client.nearest.rtt_ms)]);
  refresh(byId('detour-list'), rows, () => away.map((client, index) => {
    const [, , site, , nearest] = rows[index];
    const instead = nearest ? `, not ${nearest} ${ms(client.nearest.rtt_ms)}` : '';
    return element('li', {},
      element('p', {}, element('strong', {}, client.city), ` by ${site} ${ms(client.rtt_ms)}${instead}`),
      element('p', { class: 'reason' }, detourChip(client.detour.kind), ` ${client.detour.words}`));
  }));
}
