// Where labels go: beside their mark, on nothing else. Greedy: the most important first, each at the cheapest of a
// score of places; one that fits nowhere is left out, since two that overlap are worth less than one.

const PLACES = [
  [1, 0], [-1, 0], [1, 0.8], [-1, 0.8], [1, -0.8], [-1, -0.8], [0, 1], [0, -1],
  [1, 1.3], [-1, 1.3], [1, -1.3], [-1, -1.3], [1, -2.3], [0, -2.6], [-1, -2.3], [1, 2.3], [0, 2.6], [-1, 2.3],
];

/**
 * Every want is `{ x, y, radius, width, height, weight }`; the answer has for each the top left corner of its label, or
 * null. `lines` are points that labels had better not cover, `blocked` boxes that they may not.
 */
export function arrange(wants, lines, bounds, blocked) {
  const marks = wants.map(({ x, y, radius }) => box(x - radius, y - radius, radius * 2, radius * 2));
  const taken = [...marks, ...blocked];
  const order = wants.map((_, index) => index).sort((a, b) => wants[b].weight - wants[a].weight);
  const answers = wants.map(() => null);
  for (const index of order) {
    const best = cheapest(wants[index], taken, lines, bounds, index);
    if (best) {
      taken.push(best);
      answers[index] = [best.left, best.top];
    }
  }
  return answers;
}

function cheapest({ x, y, radius, width, height }, taken, lines, bounds, own) {
  let best = null;
  PLACES.forEach(([dx, dy], rank) => {
    const gap = radius + 3;
    const left = dx === 0 ? x - width / 2 : dx > 0 ? x + gap : x - gap - width;
    const top = y - height / 2 + dy * (height / 2 + (dx === 0 ? gap : 2));
    const place = box(left, top, width, height);
    const outside = left < 0 || top < 0 || place.right > bounds.width || place.bottom > bounds.height;
    if (outside || taken.some((other, index) => index !== own && overlap(place, other))) return;
    const covered = lines.filter(([px, py]) => inside(place, px, py)).length;
    const cost = rank + covered * 1.5;
    if (!best || cost < best.cost) best = { ...place, cost };
  });
  return best;
}

const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });
const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const inside = (a, x, y) => x > a.left - 1 && x < a.right + 1 && y > a.top - 1 && y < a.bottom + 1;
