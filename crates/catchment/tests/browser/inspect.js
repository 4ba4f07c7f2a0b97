// What a test looks at in a page.

/** The channels of a colour as the browser computes it, 0 to 255, and its strength, 0 to 1. */
const channels = (colour) => {
  const numbers = colour.match(/[\d.]+/g).map(Number);
  return { rgb: numbers.slice(0, 3), alpha: numbers[3] ?? 1 };
};

/** Relative luminance (WCAG 2.2, glossary). */
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};

const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  && node.getClientRects().length > 0;

/** What is behind the letters of an element: letters on the map have a rim of their own. */
const ground = (node) => {
  if (node instanceof SVGElement) return channels(getComputedStyle(node).stroke).rgb;
  for (let behind = node; behind; behind = behind.parentElement) {
    const { rgb, alpha } = channels(getComputedStyle(behind).backgroundColor);
    if (alpha === 1) return rgb;
  }
  return channels(getComputedStyle(document.documentElement).backgroundColor).rgb;
};

/** Every text that is shown with less contrast than WCAG 2.2 asks for (1.4.3), and how many were looked at. */
window.faint = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = { seen: 0, faint: [] };
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || node.closest('script, style, noscript, title, option') || !shown(node)) continue;
    const style = getComputedStyle(node);
    const letters = channels(node instanceof SVGElement ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = contrast(letters.rgb, ground(node));
    found.seen += 1;
    if (letters.alpha < 1 || ratio < (large ? 3 : 4.5)) found.faint.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return found;
};

/** What sticks out to the right of the page, where nothing may scroll it. */
window.wide = () => [...document.body.querySelectorAll('*')]
  .filter((node) => shown(node) && !(node instanceof SVGElement) && !node.closest('.scroll, .unseen'))
  .filter((node) => node.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
  .map((node) => `${node.tagName} ${node.id} ${node.className}`)
  .concat(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the page scrolls'] : []);

const word = (node) => node.getAttribute('aria-label') ?? node.getAttribute('title') ?? node.textContent.trim();

/** What the keyboard is on: its words, and what is wrong with how that is shown. */
window.focused = () => {
  const node = document.activeElement;
  if (!node || node === document.body || node === document.documentElement) return null;
  node.dataset.reached = '';
  const style = getComputedStyle(node);
  const { top, bottom, left, right } = node.getBoundingClientRect();
  const seen = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  const ratio = contrast(channels(style.outlineColor).rgb, ground(node.parentElement));
  const wrong = [!seen && 'it is out of sight', !ring && 'it has no ring', ratio < 3 && 'its ring is faint'];
  return { words: word(node), tag: node.tagName, wrong: wrong.filter(Boolean) };
};

/** What somebody could use and the keyboard has not reached. */
window.unreached = () => [...document.querySelectorAll('a[href], button, select, input, summary, [tabindex="0"]')]
  .filter((node) => shown(node) && !('reached' in node.dataset))
  .map((node) => `${node.tagName} ${word(node)}`);

/** The names of the ribbons, from above. */
window.rows = () => [...document.querySelectorAll('.names button')].map((node) => node.textContent);

const pixel = (canvas, x, y) => {
  const ratio = canvas.width / canvas.clientWidth;
  return [...canvas.getContext('2d').getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
};

/** The place of the site whose colour a ribbon has so many seconds before its end; -1 for silence, null for nothing. */
window.ribbon = (name, seconds) => {
  const canvas = document.querySelector('#ribbons canvas');
  const row = window.rows().indexOf(name);
  const x = canvas.clientWidth * (1 - seconds / 60);
  const height = canvas.clientHeight - 22;
  // Near the upper edge of the bar: the line of silence lies in the middle of each family's half.
  const seen = pixel(canvas, x, (row + 0.5) * (height / window.rows().length) - 5);
  const style = getComputedStyle(document.getElementById('ribbons'));
  const colour = (name) => channels(style.getPropertyValue(name)).rgb;
  const behind = colour('--ground');
  const sites = [...document.querySelectorAll('#site-cards li')].map((_, site) => site);
  const looks = [null, -1, ...sites].flatMap((site) => {
    if (site === null) return [{ site, rgb: behind }];
    const rgb = colour(site === -1 ? '--alarm' : `--site-${site}`);
    const strengths = site === -1 ? [0.14] : [1, 0.86, 0.72, 0.58, 0.46, 0.36];
    return strengths.map((alpha) => ({ site, rgb: rgb.map((value, index) => value * alpha + behind[index] * (1 - alpha)) }));
  });
  const distance = ({ rgb }) => Math.hypot(...rgb.map((value, index) => value - seen[index]));
  return looks.reduce((best, look) => (distance(look) < distance(best) ? look : best)).site;
};

/** The hosts that got the last packet of a method, by name. */
window.received = (method) => [...document.querySelectorAll(`.${method} .got`)]
  .map((node) => node.getAttribute('aria-label').split(',')[0]).sort();

/** The city of the site whose mark is nearest to a point of the map. */
const cityAt = ({ x, y }) => {
  const away = (node) => { const { e, f } = node.transform.baseVal.consolidate().matrix; return Math.hypot(e - x, f - y); };
  const stations = [...document.querySelectorAll('#map .station')].sort((a, b) => away(a) - away(b));
  return stations[0].querySelector('title').textContent.split(':')[0];
};

/** The lines of connections that one site takes in for another: from and to which city, how many, whether the map shows the number, and whose. */
window.forwards = () => [...document.querySelectorAll('.forward[data-clients]')].map((node) => {
  const leg = node.querySelector('.leg');
  const [number, map] = [node.querySelector('.count'), document.getElementById('map')].map((one) => one.getBoundingClientRect());
  return {
    from: cityAt(leg.getPointAtLength(0)), to: cityAt(leg.getPointAtLength(leg.getTotalLength())),
    count: node.querySelector('.count').textContent, clients: node.dataset.clients,
    isInside: number.left >= map.left && number.right <= map.right && number.top >= map.top && number.bottom <= map.bottom,
    dashed: getComputedStyle(leg).strokeDasharray !== 'none',
  };
});
