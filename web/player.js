// A player in the place of a server: a person holds the clock, and what was recorded is told by it.
//
//   history --> Recording --picture, samples, event--> the same parts that a live page has

import { byId, element, refresh, say } from './element.js';
import { Recording, readHistory } from './recording.js';
import { Clock } from './stream.js';
import { Story } from './story.js';

/** How often time is told, ms. */
const BEAT = 50;
/** Steps of the arrow keys, ms; finer with Shift. */
const STEP = 1000;
const FINE = 100;

/** A clock that runs at a speed, stands still, and can be set. */
export class HeldClock extends Clock {
  #at = 0;
  #since = null;
  #speed = 1;

  /** The recording says when things happened, not when they are told. */
  heard() {}

  now() {
    return this.#since === null ? this.#at : this.#at + (performance.now() - this.#since) * this.#speed;
  }

  set(at) {
    this.#at = at;
    if (this.#since !== null) this.#since = performance.now();
  }

  get runs() {
    return this.#since !== null;
  }

  run() {
    this.#since = performance.now();
  }

  halt() {
    this.#at = this.now();
    this.#since = null;
  }

  set speed(speed) {
    this.set(this.now());
    this.#speed = speed;
  }
}

/** Plays what stands in a node of the page to the listeners of a live page, and `reset` before everything anew. */
export async function play(node, clock, listeners) {
  try {
    const { plays } = await readHistory(node.textContent);
    new Player(plays.map((one) => new Recording(one)), clock, listeners);
  } catch (error) {
    say(byId('headline'), `This replay cannot be read: ${error.message}`);
    byId('headline').classList.add('wrong');
  }
}

class Player {
  constructor(recordings, clock, listeners) {
    [this.recordings, this.clock, this.listeners] = [recordings, clock, listeners];
    this.story = new Story((at) => this.seek(at));
    this.bar = byId('seek');
    this.button = byId('play');
    this.bar.addEventListener('input', () => this.seek(this.bar.valueAsNumber));
    this.bar.addEventListener('keydown', (event) => this.#step(event));
    this.button.addEventListener('click', () => this.#toggle());
    byId('speed').addEventListener('change', ({ target }) => { clock.speed = Number(target.value); });
    byId('plays').append(...recordings.map(({ play: { title, report } }, index) => element('option', { value: index },
      report ? `${title} \u2014 ${report.verdict}` : title)));
    byId('plays').addEventListener('change', ({ target }) => this.#choose(Number(target.value)));
    byId('plays').hidden = recordings.length < 2;
    byId('player').hidden = false;
    document.body.dataset.mode = 'replay';
    const asked = new URLSearchParams(location.hash.slice(1)).get('t');
    this.#choose(0);
    if (asked !== null && Number.isFinite(Number(asked))) this.seek(Number(asked) * 1000);
    else if (!matchMedia('(prefers-reduced-motion: reduce)').matches) this.#toggle();
    setInterval(() => this.#beat(), BEAT);
  }

  /** Shows a moment, and goes on from there if it played. */
  seek(at) {
    const { begin, end } = this.recording;
    this.told = Math.min(end, Math.max(begin, at));
    this.clock.set(this.told);
    this.recording.tellAll(this.told, this.listeners);
    this.#show();
  }

  #choose(index) {
    this.recording = this.recordings[index];
    const { begin, end, play: { title, report, events }, pictures } = this.recording;
    [this.bar.min, this.bar.max, this.bar.step] = [begin, end, 10];
    say(byId('play-title'), title);
    byId('play-title').hidden = this.recordings.length > 1;
    this.story.show(report ?? null, events, begin, end);
    const date = new Date(pictures[0]?.started ?? 0);
    say(byId('connection'), `recorded ${date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}`);
    this.seek(begin);
  }

  #toggle() {
    if (this.clock.runs) this.clock.halt();
    else {
      if (this.told >= this.recording.end) this.seek(this.recording.begin);
      this.clock.run();
    }
    this.#show();
  }

  #step(event) {
    const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!way) return;
    event.preventDefault();
    this.seek(this.told + way * (event.shiftKey ? FINE : STEP));
  }

  #beat() {
    if (!this.clock.runs) return;
    const now = Math.min(this.clock.now(), this.recording.end);
    this.recording.tell(this.told, now, this.listeners);
    this.told = now;
    if (now >= this.recording.end) {
      this.clock.halt();
      this.clock.set(now);
    }
    this.#show();
  }

  #show() {
    this.bar.value = this.told;
    const [now, end] = [this.told, this.recording.end].map((at) => (at / 1000).toFixed(1));
    say(byId('moment'), `${now} / ${end}\u00a0s`);
    this.bar.setAttribute('aria-valuetext', `${Math.round(this.told / 1000)} of ${Math.round(this.recording.end / 1000)} seconds`);
    refresh(this.button, this.clock.runs, () => [this.clock.runs ? '\u275a\u275a' : '\u25b6']);
    this.button.setAttribute('aria-label', this.clock.runs ? 'Pause' : 'Play');
    this.story.at(this.told);
  }
}
