// The state of the world in one sentence and three numbers.

import { byId, element, refresh, say } from './element.js';
import { ms } from './marks.js';

const MINUTE = 60_000;

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
}

/** Remembers who was answered by whom, to say how many have moved of late. */
export class Headline {
  #sites = new Map();
  #moved = new Map();

  reset() {
    this.#sites.clear();
    this.#moved.clear();
  }

  #movedOfLate(picture) {
    for (const { name, site } of picture.clients) {
      const before = this.#sites.get(name);
      if (site && before && before !== site) this.#moved.set(name, picture.at_ms);
      if (site) this.#sites.set(name, site);
    }
    return [...this.#moved.values()].filter((at) => picture.at_ms - at < MINUTE).length;
  }

  showWorld(picture) {
    const { clients, sites } = picture;
    const answered = clients.filter(({ site }) => site).length;
    const gone = sites.filter(({ output }) => output === 'none').map(({ city }) => city);
    const all = clients.length > 0 && answered === clients.length;
    const who = all ? 'Everyone is answered' : `${answered} of ${clients.length} clients are answered`;
    say(byId('headline'), `${who}${gone.length ? ` without ${gone.join(' and ')}` : ''}.`);
    byId('headline').classList.toggle('wrong', !all);
    figures([
      ['answered', `${answered}/${clients.length}`],
      ['median round trip', ms(median(clients.filter(({ site }) => site).map(({ rtt_ms }) => rtt_ms))) || '\u2013'],
      ['moved in the last minute', String(this.#movedOfLate(picture))],
      ['sites announced', `${sites.length - gone.length}/${sites.length}`],
    ]);
  }

  showSite(picture) {
    const groups = picture.groups ?? [];
    const prefixes = groups.flatMap((group) => group.prefixes.map(({ prefix }) => ({ prefix, output: group.output })));
    const out = prefixes.filter(({ output }) => output !== 'none').map(({ prefix }) => prefix);
    const up = picture.peers.filter(({ state }) => state === 'established').length;
    say(byId('headline'), out.length ? `${picture.title} announces ${out.join(' and ')}.`
      : `${picture.title} announces nothing.`);
    byId('headline').classList.toggle('wrong', out.length < prefixes.length);
    figures([
      ['prefixes announced', `${out.length}/${prefixes.length}`],
      ['sessions established', `${up}/${picture.peers.length}`],
    ]);
  }
}

function figures(rows) {
  refresh(byId('figures'), rows, () => rows.map(([name, value]) => {
    const [, number, unit] = value.match(/^(\S+)(?: (.*))?$/);
    return element('div', {}, element('dd', {}, number, unit && element('small', {}, ` ${unit}`)), element('dt', {}, name));
  }));
}
