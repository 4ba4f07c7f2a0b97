// How things stand, in one sentence and a few numbers.

import { strength } from './alarms.js';
import { byId, element, refresh, say } from './element.js';
import { ms } from './marks.js';

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : null;
}

/** Names as people list them: `A, B and C`. */
const listed = (names) => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`);

/** A lab; `moved` clients were answered by more than one site in the last minute. */
export function headWorld({ clients, sites, service }, moved) {
  const answered = clients.filter(({ site }) => site);
  const gone = sites.filter(({ output }) => output === 'none').map(({ city }) => city);
  const weak = ['gshut', 'depref'].map((output) => [output, sites.filter((site) => site.output === output)])
    .filter(([, some]) => some.length)
    .map(([output, some]) => `; ${listed(some.map(({ city }) => city))} ${some.length === 1 ? 'is' : 'are'} ${output === 'gshut' ? 'the ' : ''}${strength(output)}`);
  const all = clients.length > 0 && answered.length === clients.length;
  const everyone = service ? `Everyone who asks ${service} is answered` : 'Everyone is answered';
  const who = all ? everyone : `${answered.length || 'None'} of ${clients.length} are answered`;
  const without = gone.length && (gone.length === sites.length ? ': no site announces' : ` without ${listed(gone)}`);
  say(byId('headline'), `${who}${without || ''}${weak.join('')}.`);
  byId('headline').classList.toggle('wrong', !all);
  figures([
    ['answered', `${answered.length}/${clients.length}`],
    ['median', ms(median(answered.map(({ rtt_ms }) => rtt_ms))) || '\u2013'],
    ['moved in 60 s', String(moved)],
    ['sites', `${sites.length - gone.length}/${sites.length}`],
  ]);
}

/** A site. */
export function headSite({ title, groups, peers }) {
  const prefixes = groups.flatMap((group) => group.prefixes.map(({ prefix }) => ({ prefix, output: group.output })));
  const out = prefixes.filter(({ output }) => output !== 'none').map(({ prefix }) => prefix);
  const up = peers.filter(({ state }) => state === 'established').length;
  const name = title[0].toUpperCase() + title.slice(1);
  say(byId('headline'), `${name} announces ${listed(out) || 'nothing'}.`);
  byId('headline').classList.toggle('wrong', out.length < prefixes.length);
  figures([['prefixes', `${out.length}/${prefixes.length}`], ['sessions', `${up}/${peers.length}`]]);
}

function figures(rows) {
  refresh(byId('figures'), rows, () => rows.map(([name, value]) => {
    const [, number, unit] = value.match(/^(\S+)(?:\s(.*))?$/);
    return element('div', {}, element('dd', {}, number, unit && element('small', {}, ` ${unit}`)), element('dt', {}, name));
  }));
}
