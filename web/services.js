// Several services in one world: one is shown at a time, its sites and those who ask it, so that nothing lies on anything
// else. A tab for each says whether all of its sites announce and everybody is answered, also while another one is shown.

import { byId, element, refresh } from './element.js';

export class Services {
  #chosen = null;

  /** `turned()` is told when somebody wants to see another one. */
  constructor(turned) {
    this.turned = turned;
    byId('services').addEventListener('keydown', (event) => this.#step(event));
  }

  /** The part of a picture that is about the chosen service. Each client keeps the place of its ribbon. */
  of(picture) {
    const clients = picture.clients.map((client, ribbon) => ({ ...client, ribbon }));
    const services = picture.services ?? [];
    const chosen = services.find(({ name }) => name === this.#chosen) ?? services[0];
    if (!chosen) return { ...picture, clients };
    const asks = ({ service }) => service === chosen.name;
    return {
      ...picture, everySite: picture.sites, service: chosen.name, addresses: chosen.addresses, clients: clients.filter(asks), sites: picture.sites.filter(asks),
    };
  }

  show(picture, shown) {
    const services = picture.services ?? [];
    byId('services').hidden = services.length === 0;
    const rows = services.map(({ name, zone }, place) => {
      const of = ({ service }) => service === name;
      const [sites, askers] = [picture.sites.filter(of), picture.clients.filter(of)];
      const up = sites.filter(({ output }) => output !== 'none').length;
      const answered = askers.filter(({ site }) => site).length;
      return {
        name, chosen: name === shown.service, wrong: up < sites.length || answered < askers.length,
        about: zone ? `zone ${zone}` : place === 0 ? 'asked by clients' : '', numbers: `${up}/${sites.length} sites, ${answered}/${askers.length} answered`,
      };
    });
    const here = byId('services').contains(document.activeElement);
    if (refresh(byId('services'), rows, () => rows.map((row) => this.#tab(row))) && here) this.#focus();
  }

  #tab({ name, chosen, wrong, about, numbers }) {
    return element('button', {
      type: 'button', role: 'tab', class: wrong ? 'wrong' : '', 'aria-selected': String(chosen), tabindex: chosen ? 0 : -1,
      onclick: () => this.#turn(name), 'data-service': name,
    }, element('strong', {}, name), element('span', {}, about), element('small', {}, `${wrong ? '\u2715 ' : ''}${numbers}`));
  }

  #turn(name) {
    this.#chosen = name;
    this.turned();
  }

  #step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const names = [...byId('services').children].map((tab) => tab.dataset.service);
    const now = names.indexOf(byId('services').querySelector('[aria-selected="true"]').dataset.service);
    this.#turn(names[(now + by + names.length) % names.length]);
    this.#focus();
  }

  #focus() {
    byId('services').querySelector('[aria-selected="true"]')?.focus();
  }
}
