// What happened, newest first, in milliseconds. Something that flaps is one row that counts.

import { byId, element, say } from './element.js';

const MOST = 250;
/** Rows about one subject that follow each other within so many ms are one. */
const FLAP = 1500;
/** Whoever listens is told at most this often, ms. */
const BETWEEN_WORDS = 2000;

export class EventList {
  #seen = -1;
  #rows = [];
  #spoken = -Infinity;

  constructor(clock) {
    this.clock = clock;
    this.list = byId('event-list');
  }

  reset() {
    this.#seen = -1;
    this.#rows = [];
    this.list.replaceChildren();
  }

  /** Adds a row; false if it was there already, as after a reconnect. */
  add(event) {
    if (event.seq <= this.#seen) return false;
    this.#seen = event.seq;
    if (!this.#merge(event)) this.#insert(event);
    this.#announce(event);
    return true;
  }

  #merge(event) {
    const row = this.#rows.find(({ last }) => last.subject === event.subject && last.kind === event.kind);
    if (!row || !event.subject || event.at_ms - row.last.at_ms > FLAP) return false;
    row.count += 1;
    row.last = event;
    say(row.text, event.text);
    say(row.times, `\u00d7${row.count} in ${event.at_ms - row.first} ms`);
    return true;
  }

  #insert(event) {
    const text = element('span', {}, event.text);
    const times = element('small', {});
    const wall = new Date(event.wall);
    const root = element('li', { class: event.severity },
      element('time', { datetime: wall.toISOString(), title: wall.toLocaleString() }, this.clock.name(event.at_ms, 3)),
      element('p', {}, text, ' ', times));
    this.#rows.unshift({ root, text, times, count: 1, first: event.at_ms, last: event });
    this.list.prepend(root);
    if (this.#rows.length > MOST) this.#rows.pop().root.remove();
  }

  #announce(event) {
    if (event.severity === 'info' || performance.now() - this.#spoken < BETWEEN_WORDS) return;
    this.#spoken = performance.now();
    say(byId('announcer'), event.text);
  }
}
