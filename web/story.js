// The story of a scenario: its steps, what was done in each, what was judged and measured; as a list, and as marks over
// the seek bar.

import { byId, element, say } from './element.js';

const SIGNS = { pass: '\u2713', fail: '\u2715', inconclusive: '?' };
/** From good to bad. */
const VERDICTS = ['pass', 'inconclusive', 'fail'];

/** Marks that are nearer to each other than this share of the bar are one. */
const NEAR = 0.012;

const seconds = (at) => `${(at / 1000).toFixed(1)}\u00a0s`;
const verdict = (word) => element('span', { class: `verdict ${word}` }, `${SIGNS[word]} ${word}`);

export class Story {
  /** `seek(at)` is told which moment somebody wants to see. */
  constructor(seek) {
    this.seek = seek;
  }

  /** A report, or null where nobody judged, and what happened; the bar goes from one moment to the other. */
  show(report, events, begin, end) {
    byId('story').hidden = report === null;
    this.steps = report?.steps ?? [];
    this.checks = [...(report?.checks ?? [])].sort((a, b) => a.at_ms - b.at_ms);
    const title = report ? [verdict(report.verdict), report.slack === 1 ? null : ` with limits \u00d7 ${report.slack}`] : [];
    byId('story-verdict').replaceChildren(...title.filter(Boolean));
    this.items = this.steps.map((step, index) => this.#item(step, index + 1));
    byId('step-list').replaceChildren(...this.items);
    byId('ticks').replaceChildren(...this.#ticks(events, (at) => (at - begin) / (end - begin)));
  }

  /** Brings out the step of a moment, and tells what was judged last. */
  at(now) {
    const current = this.steps.findLastIndex((step) => step.at_ms <= now);
    this.items.forEach((item, index) => {
      if (index === current) item.setAttribute('aria-current', 'step');
      else item.removeAttribute('aria-current');
    });
    const step = this.steps[current];
    const judged = this.checks.findLast((check) => check.at_ms <= now && check.step === current + 1);
    const words = step && [`Step ${current + 1}`, step.say ?? step.done?.map(({ said }) => said).join(', ')];
    say(byId('caption'), words ? words.filter(Boolean).join(': ') : '');
    say(byId('judged'), judged ? `${SIGNS[judged.verdict]} ${judged.seen}` : '');
    byId('judged').className = judged ? `verdict ${judged.verdict}` : '';
  }

  #item(step, number) {
    const checks = this.checks.filter((check) => check.step === number);
    return element('li', {},
      element('button', { type: 'button', onclick: () => this.seek(step.at_ms) }, `Step ${number} at ${seconds(step.at_ms)}`),
      step.say && element('p', {}, step.say),
      ...(step.done ?? []).map(({ at_ms: at, said }) => element('p', { class: 'done' }, `\u25bc ${seconds(at)} ${said}`)),
      ...checks.map((check) => element('p', {}, verdict(check.verdict), ` ${check.sentence} `,
        element('span', { class: 'reason' }, check.seen))));
  }

  /** Marks: the number of each step, a wedge where something was done, and what was judged, the worst of its moment. */
  #ticks(events, place) {
    const tick = (at, kind, sign, title) => {
      const mark = element('span', { class: `tick ${kind}`, title }, sign);
      mark.style.setProperty('--at', place(at).toFixed(5));
      return mark;
    };
    const steps = this.steps.map((step, index) => tick(step.at_ms, 'step', String(index + 1), step.say ?? ''));
    const done = events.filter(({ kind }) => kind === 'fault')
      .map(({ at_ms: at, text }) => tick(at, 'done', '\u25bc', text));
    const groups = [];
    for (const check of this.checks) {
      const group = groups.at(-1);
      if (group && place(check.at_ms) - place(group[0].at_ms) < NEAR) group.push(check);
      else groups.push([check]);
    }
    const judged = groups.map((group) => {
      const worst = VERDICTS.findLast((word) => group.some((check) => check.verdict === word));
      return tick(group[0].at_ms, worst, SIGNS[worst], group.map(({ sentence, seen }) => `${sentence}: ${seen}`).join('\n'));
    });
    return [...steps, ...done, ...judged];
  }
}
