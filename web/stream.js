// The wire: what the server tells, the clock it tells it by, and the commands it takes.

/** After so many ms a refused stream is asked for again. */
const AGAIN = 3000;

/**
 * Listens to the live stream and tries again by itself. `listeners` has a function each for `picture`, `samples`,
 * `event` and `connection` (true or false).
 */
export function listen(listeners) {
  const stream = new EventSource('/live');
  stream.onopen = () => listeners.connection(true);
  stream.onerror = () => {
    listeners.connection(false);
    // A browser gives up on an answer that is no stream, such as "too many pages are open".
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => listen(listeners), AGAIN);
  };
  for (const name of ['picture', 'samples', 'event']) {
    stream.addEventListener(name, (message) => listeners[name](JSON.parse(message.data)));
  }
}

/** A server that runs longer than this is told by the time of day, ms. */
const LONG = 3_600_000;

/**
 * The server's clock as this page sees it. A message cannot come before it was sent, so the message that was under way
 * for the shortest time gives the best reading.
 */
export class Clock {
  #ahead = -Infinity;
  #started = 0;

  /** Something happened at this moment of the server and was just heard of. */
  heard(at) {
    this.#ahead = Math.max(this.#ahead, at - performance.now());
  }

  /** Starts anew, for another run of the server, that began at this moment of the day (ms since 1970). */
  start(started) {
    this.#ahead = -Infinity;
    this.#started = started;
  }

  /** Milliseconds since the server's start, 0 before anything was heard. */
  now() {
    return Math.max(0, this.#ahead + performance.now());
  }

  /** A moment as people read it: seconds since the start, or the time of day once the server runs for long. */
  name(at, digits = 0) {
    if (this.now() < LONG) return `${(at / 1000).toFixed(digits)}\u00a0s`;
    const date = new Date(this.#started + at);
    const day = date.toLocaleTimeString('en-GB');
    return digits ? `${day}.${String(date.getMilliseconds()).padStart(3, '0').slice(0, digits)}` : day;
  }
}

const token = document.querySelector('meta[name="catchment-token"]').content;

/** Sends a command; the sentence that comes back, whether it was done or refused. */
export async function command(order) {
  try {
    const answer = await fetch('/command', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-catchment-token': token },
      body: JSON.stringify(order),
    });
    const { said, error, hint } = await answer.json();
    if (answer.ok) return said;
    return hint ? `${error} (${hint})` : error;
  } catch {
    return 'The lab does not answer.';
  }
}
