// Who answers whom: a ribbon each, the last minute long. Colour is who answers, a gap is silence, paler is slower. Where
// both families are asked, the upper half is IPv4 and the lower IPv6.

import { byId, element, refresh, say } from './element.js';
import { colour, detourChip, mark, ms, noMark } from './marks.js';

const WINDOW = 60_000;
const SLOT = 100;
const SLOTS = WINDOW / SLOT + 20;
const ROW = 18;
const BAR = 12;
const AXIS = 22;
/** A sample holds for so many slots, unless another comes. */
const HOLDS = 12;
const SILENT = -1;
/** Round trips up to so many ms get the strength beside them; slower ones the last. */
const STRENGTH = [[15, 1], [40, 0.86], [80, 0.72], [130, 0.58], [200, 0.46], [Infinity, 0.36]];

/** The samples of one client over one family, a slot for every tenth of a second, in a ring. */
class Track {
  slots = new Float64Array(SLOTS).fill(NaN);
  sites = new Int16Array(SLOTS);
  rtts = new Float32Array(SLOTS);

  /** In a slot silence wins: a gap is what people look for. */
  put(at, site, rtt) {
    const slot = Math.floor(at / SLOT);
    const index = slot % SLOTS;
    if (this.slots[index] > slot) return;
    if (this.slots[index] === slot && this.sites[index] === SILENT) return;
    this.slots[index] = slot;
    this.sites[index] = site ?? SILENT;
    this.rtts[index] = rtt ?? 0;
  }

  /** Every site that answered in a slot or later. */
  sitesSince(slot) {
    return new Set(this.sites.filter((site, index) => site !== SILENT && this.slots[index] >= slot));
  }

  /** What holds in a slot: the latest sample up to it, `{ site, rtt }`; null for nothing. */
  held(slot) {
    for (let at = slot; at > slot - HOLDS && at >= 0; at -= 1) {
      const index = at % SLOTS;
      if (this.slots[index] === at) return { site: this.sites[index], rtt: this.rtts[index] };
    }
    return null;
  }
}

export class Ribbons {
  /** `select(name)` is told which row the pointer or the keyboard is on, null for none. */
  constructor(host, clock, select) {
    this.clock = clock;
    this.select = select;
    this.rows = [];
    this.tracks = new Map();
    this.marks = [];
    this.names = element('div', { class: 'names' });
    this.canvas = element('canvas', {
      tabindex: 0,
      role: 'img',
      'aria-label': 'One ribbon per row over the last minute; the arrow keys read it out',
      'aria-describedby': 'who-readout',
      onpointermove: (event) => this.point(event.offsetX, event.offsetY),
      onpointerleave: () => this.aim(null),
      onblur: () => this.aim(null),
      onkeydown: (event) => this.step(event),
    });
    this.values = element('div', { class: 'values' });
    host.append(this.names, this.canvas, this.values);
    this.pen = this.canvas.getContext('2d');
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    this.pace();
  }

  /** Redraws ten times a second, once a second for who asked for less motion, never while nobody looks. */
  pace() {
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    let last = 0;
    setInterval(() => {
      const due = performance.now() - last >= (calm.matches ? 1000 : 95);
      if (!due || document.hidden || !this.rows.length) return;
      last = performance.now();
      this.draw();
    }, 50);
  }

  /** Rows are `{ name, label, site, rtt, detour, said, ribbon }`, `said` standing in for the round trip and `ribbon` for the
   * place of the row where some are left out; `sites` gives each site's name, label and place in the palette. */
  show(rows, sites) {
    this.rows = rows;
    this.sites = sites;
    refresh(this.names, rows.map((row) => row.label), () => rows.map((row) => element('button', {
      type: 'button',
      title: row.label,
      onpointerenter: () => this.select(row.name),
      onpointerleave: () => this.select(null),
      onfocus: () => this.select(row.name),
      onblur: () => this.select(null),
      onclick: () => this.select(row.name),
    }, row.label)));
    const looks = rows.map(({ site, rtt, detour, said }) => [site, ms(rtt), detour, said]);
    refresh(this.values, looks, () => rows.map((row) => this.value(row)));
    rows.forEach((row, index) => this.names.children[index].setAttribute('aria-label', this.spoken(row)));
    this.resize();
  }

  /** A row in words, for whoever does not see it. */
  spoken({ label, site, rtt, detour, said }) {
    const who = this.sites.find(({ name }) => name === site)?.label ?? 'silent';
    return [label, said ?? who, site && ms(rtt), detour && `detour by ${detour}`].filter(Boolean).join(', ');
  }

  value(row) {
    const index = this.sites.findIndex(({ name }) => name === row.site);
    const site = this.sites[index];
    if (!site) return element('p', { class: 'silent' }, noMark(), element('span', {}, row.said ?? 'silent'));
    if (row.said) return element('p', {}, mark(site.colour), element('span', { class: 'said' }, row.said));
    return element('p', {}, mark(site.colour, { hollow: Boolean(row.detour), title: row.site }),
      element('span', { class: 'number' }, ms(row.rtt)), row.detour ? detourChip(row.detour) : null);
  }

  put(samples) {
    for (const [ribbon, at, site, rtt, family] of samples) {
      const key = ribbon * 2 + (family === 6 ? 1 : 0);
      if (!this.tracks.has(key)) this.tracks.set(key, new Track());
      this.tracks.get(key).put(at, site, rtt);
    }
  }

  /** The tracks of a row, IPv4 and IPv6. */
  keys(row) {
    const ribbon = this.rows[row].ribbon ?? row;
    return [ribbon * 2, ribbon * 2 + 1];
  }

  /** How many clients were answered by more than one site in the last minute. */
  moved() {
    const now = Math.floor(this.clock.now() / SLOT);
    return this.rows.filter((_, row) => {
      const seen = this.keys(row).map((key) => this.tracks.get(key)?.sitesSince(now - WINDOW / SLOT) ?? new Set());
      return seen.some((sites) => sites.size > 1);
    }).length;
  }

  /** A line across all ribbons at something that happened. */
  note(at, text) {
    this.marks.push({ at, text });
    if (this.marks.length > 40) this.marks.shift();
  }

  reset() {
    this.tracks.clear();
    this.marks = [];
  }

  resize() {
    const width = this.canvas.clientWidth;
    const height = this.rows.length * ROW + AXIS;
    const ratio = devicePixelRatio || 1;
    if (this.width === width && this.height === height && this.ratio === ratio) return;
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.draw();
  }

  /** The nearest whole pixel of the screen, so that two halves leave no seam. */
  snap(y) {
    return Math.round(y * this.ratio) / this.ratio;
  }

  x(at) {
    return this.width - ((this.now - at) / WINDOW) * this.width;
  }

  draw() {
    if (!this.width) return;
    this.now = this.clock.now();
    this.ink = inks(this.sites ?? []);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.rows.forEach((_, row) => this.drawRow(row));
    this.drawAxis();
    this.drawMarks();
    if (this.cursor) this.drawCursor();
  }

  drawRow(row) {
    const top = this.snap(row * ROW + (ROW - BAR) / 2);
    const middle = this.snap(top + BAR / 2);
    this.pen.fillStyle = this.ink.ground;
    this.pen.fillRect(0, top, this.width, BAR);
    const [v4, v6] = this.keys(row);
    const both = this.tracks.has(v6) && this.tracks.has(v4);
    const halves = both ? [[v4, top, middle - top], [v6, middle, top + BAR - middle]]
      : [[this.tracks.has(v4) ? v4 : v6, top, BAR]];
    for (const [key, y, height] of halves) {
      if (this.tracks.has(key)) this.drawTrack(this.tracks.get(key), y, height);
    }
  }

  /** Slots that look alike are drawn as one piece. */
  drawTrack(track, y, height) {
    const last = Math.floor(this.now / SLOT);
    let start = last - WINDOW / SLOT - 1;
    let before = null;
    for (let slot = start; slot <= last + 1; slot += 1) {
      const held = slot <= last ? track.held(slot) : null;
      const look = held && (held.site === SILENT ? 'silent' : `${held.site}/${strength(held.rtt)}`);
      if (look === before) continue;
      if (before) this.drawPiece(before, start * SLOT, slot * SLOT, y, height);
      [start, before] = [slot, look];
    }
  }

  drawPiece(look, from, to, y, height) {
    const left = this.x(from);
    const width = this.x(to) - left;
    if (look === 'silent') {
      this.pen.fillStyle = this.ink.alarm;
      this.pen.globalAlpha = 0.14;
      this.pen.fillRect(left, y, width, height);
      this.pen.globalAlpha = 1;
      this.pen.fillRect(left, y + height / 2 - 0.75, width, 1.5);
    } else {
      const [site, alpha] = look.split('/');
      this.pen.fillStyle = this.ink.sites[site] ?? this.ink.faint;
      this.pen.globalAlpha = Number(alpha);
      this.pen.fillRect(left, y, width, height);
      this.pen.globalAlpha = 1;
    }
  }

  drawAxis() {
    const y = this.rows.length * ROW;
    this.pen.font = `11px ${this.ink.font}`;
    this.pen.fillStyle = this.ink.muted;
    this.pen.textAlign = 'center';
    const every = this.width < 420 ? 20_000 : 10_000;
    for (let at = Math.ceil((this.now - WINDOW) / every) * every; at <= this.now; at += every) {
      const x = this.x(at);
      if (at < 0 || x < 24 || x > this.width - 24) continue;
      this.pen.fillRect(x, y, 1, 4);
      this.pen.fillText(this.clock.name(at), x, y + 16);
    }
  }

  drawMarks() {
    const oldest = this.now - WINDOW;
    for (const { at } of this.marks) {
      if (at < oldest) continue;
      const x = Math.round(this.x(at));
      this.pen.fillStyle = this.ink.ink;
      this.pen.globalAlpha = 0.6;
      this.pen.fillRect(x, 0, 1, this.rows.length * ROW + 2);
      this.pen.globalAlpha = 1;
      this.pen.beginPath();
      this.pen.moveTo(x - 3.5, this.rows.length * ROW + 7);
      this.pen.lineTo(x + 4.5, this.rows.length * ROW + 7);
      this.pen.lineTo(x + 0.5, this.rows.length * ROW + 1);
      this.pen.fill();
    }
  }

  drawCursor() {
    const { row, at } = this.cursor;
    const x = Math.round(this.x(at));
    this.pen.strokeStyle = this.ink.ink;
    this.pen.lineWidth = 1;
    this.pen.strokeRect(x - 2.5, row * ROW + 1.5, 5, ROW - 3);
    this.read();
  }

  point(x, y) {
    const row = Math.floor(y / ROW);
    if (row < 0 || row >= this.rows.length) return this.aim(null);
    return this.aim({ row, at: this.now - ((this.width - x) / this.width) * WINDOW });
  }

  step(event) {
    const moves = { ArrowLeft: [0, -500], ArrowRight: [0, 500], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key];
    if (!move || !this.rows.length) return;
    event.preventDefault();
    const { row, at } = this.cursor ?? { row: 0, at: this.now - 1000 };
    const rows = this.rows.length;
    this.aim({
      row: (row + move[0] + rows) % rows,
      at: Math.min(this.now, Math.max(this.now - WINDOW, at + move[1])),
    });
  }

  aim(cursor) {
    this.cursor = cursor;
    this.select(cursor ? this.rows[cursor.row].name : null);
    if (!cursor) say(byId('who-readout'), '');
    this.draw();
  }

  read() {
    const { row, at } = this.cursor;
    const slot = Math.floor(at / SLOT);
    const [v4, v6] = this.keys(row);
    const families = [[v4, 'IPv4'], [v6, 'IPv6']].filter(([key]) => this.tracks.has(key));
    const said = families.map(([key, family]) => {
      const found = this.tracks.get(key).held(slot);
      const words = !found ? 'not asked' : found.site === SILENT ? 'silence'
        : `${this.sites[found.site]?.label}, ${ms(found.rtt)}`;
      return families.length > 1 ? `${family}: ${words}` : words;
    });
    const near = this.marks.find((note) => Math.abs(note.at - at) < 300);
    say(byId('who-readout'), [`${this.rows[row].label} at ${this.clock.name(slot * SLOT, 1)}`, ...said, near?.text]
      .filter(Boolean).join(' \u00b7 '));
  }
}

const strength = (rtt) => STRENGTH.find(([limit]) => rtt <= limit)[1];

/** The colours of the style sheet as a canvas takes them. */
function inks(sites) {
  const probe = byId('ribbons');
  const style = getComputedStyle(probe);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    ink: read('--ink'), muted: read('--muted'), faint: read('--line'), ground: read('--ground'), alarm: read('--alarm'),
    font: style.fontFamily,
    sites: sites.map((site) => read(colour(site.colour).slice(4, -1))),
  };
}
