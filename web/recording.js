// A recorded world: what was told of it, to be told again.

/** How far back ribbons look, ms. */
const WINDOW = 62_000;

/** Reads the history that stands in the file: gzip in base64. */
export async function readHistory(text) {
  const letters = atob(text.trim());
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

/** The next picture, of the one before and a JSON Merge Patch (RFC 7396). */
function merge(before, patch) {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const after = before !== null && typeof before === 'object' && !Array.isArray(before) ? { ...before } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete after[name];
    else after[name] = merge(after[name], value);
  }
  return after;
}

/** How many rows are not later than a moment; rows stand in the order of time. */
function until(rows, at, timeOf) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(rows[middle]) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

const timeOfSample = (row) => row[1];
const timeOfRow = (row) => row.at_ms;

export class Recording {
  constructor(play) {
    let whole = {};
    this.play = play;
    this.pictures = play.pictures.map((patch) => {
      whole = merge(whole, patch);
      return whole;
    });
    this.begin = play.from_ms;
    this.end = Math.max(play.until_ms, play.from_ms + 1);
  }

  /** Everything that is to be known at a moment, told at once. */
  tellAll(at, listeners) {
    listeners.reset();
    this.#tellPicture(-Infinity, at, listeners);
    this.#tellRows(at - WINDOW, -Infinity, at, listeners);
  }

  /** What came after one moment and not after another. */
  tell(from, to, listeners) {
    this.#tellPicture(from, to, listeners);
    this.#tellRows(from, from, to, listeners);
  }

  /** Of many pictures the last is enough; before the first one there is nothing else to show. */
  #tellPicture(from, to, listeners) {
    const last = Math.max(0, until(this.pictures, to, timeOfRow) - 1);
    const told = from === -Infinity ? -1 : Math.max(0, until(this.pictures, from, timeOfRow) - 1);
    if (last > told && this.pictures.length) listeners.picture(this.pictures[last]);
  }

  #tellRows(fromSamples, fromEvents, to, listeners) {
    const { samples, events } = this.play;
    listeners.samples(samples.slice(until(samples, fromSamples, timeOfSample), until(samples, to, timeOfSample)));
    events.slice(until(events, fromEvents, timeOfRow), until(events, to, timeOfRow)).forEach(listeners.event);
  }
}
