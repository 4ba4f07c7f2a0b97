// The page: hands each message to the parts that show it.
//
//   stream --picture--> headline, map, cards, delivery, site
//          --samples--> ribbons
//          --event----> events, and a line across the ribbons
//
// In a file with a history inside, a player stands in the place of the stream.
//
// One client at a time is selected, by pointer or keyboard, on the map or on a ribbon; both bring it out.

import { showAlarms } from './alarms.js';
import { CableForm, SiteCards, showDetours, showFaults } from './cards.js';
import { Deliveries } from './delivery.js';
import { byId, say } from './element.js';
import { EventList } from './events.js';
import { headSite, headWorld } from './headline.js';
import { WorldMap } from './map.js';
import { HeldClock, play } from './player.js';
import { showReadout } from './readout.js';
import { Ribbons } from './ribbons.js';
import { Services } from './services.js';
import { showSite } from './site.js';
import { Clock, listen } from './stream.js';
import { startTheme } from './theme.js';

const history = byId('history');
const clock = history ? new HeldClock() : new Clock();
const events = new EventList(clock);
const siteCards = new SiteCards();
const cableForm = new CableForm();
const deliveries = new Deliveries();
const map = new WorldMap(byId('map'), select, (cable) => cableForm.pick(cable));
const ribbons = new Ribbons(byId('ribbons'), clock, select);
const services = new Services(() => {
  map.highlight(null);
  showWorld();
});
let picture = null;
/** The part of it that is shown: one service of several. */
let shown = null;

function select(name) {
  map.highlight(name);
  if (picture?.kind === 'lab') showReadout(shown, name);
}

/** Whether a picture is from another start of the server. Its wall clock may be set while it runs, by a little. */
function isAnotherStart(next) {
  return !picture || next.at_ms < picture.at_ms || Math.abs(next.started - picture.started) > 2000;
}

function show(next) {
  // Everything known so far is about the old start, and told by its clock.
  if (isAnotherStart(next)) {
    clock.start(next.started);
    events.reset();
    ribbons.reset();
  }
  picture = { sites: [], clients: [], groups: [], peers: [], alarms: [], ...next };
  clock.heard(picture.at_ms);
  document.title = `${picture.title} \u00b7 Catchment`;
  say(byId('title'), picture.title);
  say(byId('addresses'), picture.addresses.join('  '));
  document.body.dataset.kind = picture.kind;
  showAlarms(picture.alarms);
  if (picture.kind === 'lab') showWorld();
  else showDaemon();
  byId('who').hidden = false;
}

function showWorld() {
  byId('world').hidden = false;
  byId('sites').hidden = false;
  shown = services.of(picture);
  services.show(picture, shown);
  say(byId('addresses'), shown.addresses.join('  '));
  map.show(shown);
  showReadout(shown, map.selected);
  siteCards.show(shown.sites, shown.forwards);
  cableForm.show(picture.cables ?? []);
  deliveries.show(picture);
  showFaults(picture.faults ?? []);
  showDetours(shown.clients, shown.sites);
  // A sample names its site by the place among all of them.
  const sites = picture.sites.map(({ name, city, colour }) => ({ name, label: city, colour }));
  ribbons.show(shown.clients.map(({ name, city, site, rtt_ms, detour, ribbon }) => (
    { name, label: city, site, rtt: rtt_ms, detour: detour?.kind ?? null, ribbon })), sites);
  headWorld(shown, ribbons.moved());
  say(byId('ribbon-key'), 'A gap is silence, fainter is slower, a line across is something that was done.');
}

function showDaemon() {
  byId('site').hidden = false;
  headSite(picture);
  showSite(picture);
  say(byId('who-title'), 'Checks');
  const [site] = picture.sites;
  const sites = site ? [{ name: site.name, label: 'pass', colour: site.colour }] : [];
  const checks = picture.groups.flatMap((group) => group.checks);
  const oneService = new Set(checks.map(({ service }) => service)).size === 1;
  ribbons.show(checks.map(({ service, name, last, run }) => ({
    name, label: oneService ? name : `${service}: ${name}`, site: last === 'pass' ? site?.name : null, rtt: null, detour: null,
    said: last ? `${last} \u00d7${run}` : 'not yet run',
  })), sites);
  say(byId('ribbon-key'), 'A gap is a check that failed, fainter is slower.');
}

function happened(event) {
  clock.heard(event.at_ms);
  if (!events.add(event)) return;
  // What a client saw is in its ribbon already; a line across a lab's ribbons is for what was done to the world.
  const caused = picture?.kind === 'lab' ? event.kind === 'fault' : event.severity !== 'info';
  if (caused) ribbons.note(event.at_ms, event.text);
}

startTheme();
const listeners = {
  picture: show,
  samples: (samples) => {
    ribbons.put(samples);
    if (samples.length) clock.heard(samples[samples.length - 1][1]);
  },
  event: happened,
  connection: (open) => {
    document.body.classList.toggle('lost', !open);
    say(byId('connection'), open ? 'live' : 'connection lost, trying again');
  },
  // The next picture is taken for another start, and everything known so far is forgotten.
  reset: () => { picture = null; },
};
if (history) play(history, clock, listeners);
else listen(listeners);
setInterval(() => say(byId('now'), picture ? clock.name(clock.now(), 1) : ''), 100);
// Who moved is forgotten after a minute, even when nothing changes any more.
setInterval(() => picture?.kind === 'lab' && headWorld(shown, ribbons.moved()), 1000);
