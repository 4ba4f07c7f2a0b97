// What is wrong and stays wrong until it is cleared, above everything else. And how strongly a site is announced, in
// words: the same on its card, on the map and in the headline.

import { byId, element, refresh } from './element.js';

const STRENGTH = { none: 'not announced', gshut: 'last resort', depref: 'less preferred', normal: null };

/** How strongly something is announced; null if as usual. */
export const strength = (output) => STRENGTH[output] ?? null;

/** The banner: one line an alarm, with whom it is about and since when. */
export function showAlarms(alarms) {
  byId('alarms').hidden = alarms.length === 0;
  refresh(byId('alarms'), alarms, () => alarms.map(({ subject, text, since }) => {
    const date = new Date(since);
    return element('li', {},
      subject && element('strong', {}, subject), ` ${text} `,
      element('time', { datetime: date.toISOString() }, date.toLocaleTimeString([], { hour12: false })));
  }));
}
