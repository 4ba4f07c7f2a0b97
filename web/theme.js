// Light or dark: what the system says, until somebody says otherwise. `?theme=dark` says it for one visit.

import { byId, say } from './element.js';

const CHOICES = ['auto', 'light', 'dark'];
const KEY = 'catchment-theme';

/** A page in a frame that may not keep anything, or in a file of some browsers, has no storage. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

export function startTheme() {
  const asked = new URLSearchParams(location.search).get('theme');
  let choice = [asked, storage()?.getItem(KEY), 'auto'].find((one) => CHOICES.includes(one));
  const button = byId('theme');
  const apply = () => {
    if (choice === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    say(button, `\u25d0 ${choice}`);
    button.setAttribute('aria-label', `Colours: ${choice}`);
  };
  button.addEventListener('click', () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
    storage()?.setItem(KEY, choice);
    apply();
  });
  apply();
}
