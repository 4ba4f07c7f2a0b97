"""What the client saw: every question, who answered it, and what follows from that."""

import pathlib
import subprocess
import threading
import time

import probe


class Client:
    """Asks until it is closed."""

    def __init__(self, world):
        self.sent = []  # when each question left, ns of the monotonic clock
        self.site = {}  # number of the question -> who answered
        script = str(pathlib.Path(__file__).with_name("probe.py"))
        command = world.inside("client", ["python3", script, world.ADDRESS])
        self.asking = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self):
        for line in self.asking.stdout:
            if not line.endswith("\n"):
                return  # it was ended in the middle of a word
            kind, number, value = line.split()
            if kind == "sent":
                self.sent.append(int(value))
            else:
                self.site[int(number)] = value

    def close(self):
        """Asks no more; answers under way get their time."""
        asked = len(self.sent)
        time.sleep(probe.PATIENCE)
        self.asking.terminate()
        self.asking.wait()
        self.reading.join()
        del self.sent[asked:]

    def latest(self, seconds):
        """Who answered the questions of the last while, the very last ones left out: their answers are under way."""
        asked = len(self.sent) - int(0.05 / probe.EVERY)
        return [self.site.get(n) for n in range(max(0, asked - int(seconds / probe.EVERY)), asked)]

    def is_served_by(self, site, seconds):
        """Whether one site answered everything of late."""
        latest = self.latest(seconds)
        return len(latest) >= int(seconds / probe.EVERY) and set(latest) == {site}

    # What follows is asked once everything is over.

    def _since(self, start):
        return [(when, self.site.get(n)) for n, when in enumerate(self.sent) if when >= start]

    def lost(self, start):
        """Questions without an answer."""
        return sum(site is None for _, site in self._since(start))

    def outage_ms(self, start):
        """The longest time from one answered question to the next, beyond the usual."""
        answered = [when for n, when in enumerate(self.sent) if self.site.get(n)]
        answered = [when for when, later in zip(answered, answered[1:]) if later >= start] + answered[-1:]
        gaps = [later - earlier for earlier, later in zip(answered, answered[1:])]
        return max(0.0, max(gaps, default=0) / 1e6 - 1000 * probe.EVERY)

    def moved_ms(self, start, site):
        """From the fault to the first question that another site answered; none if that never came."""
        first = next((when for when, by in self._since(start) if by == site), None)
        return None if first is None else (first - start) / 1e6

    def switches(self, start):
        """How often the answers came from another site than before."""
        sites = [site for _, site in self._since(start) if site]
        return sum(earlier != later for earlier, later in zip(sites, sites[1:]))

    def lateness_ms(self, start):
        """How late the client itself was at worst: a busy machine makes every outage look longer."""
        sent = [when for when in self.sent if when >= start]
        gaps = [later - earlier for earlier, later in zip(sent, sent[1:])]
        return max(gaps, default=0) / 1e6 - 1000 * probe.EVERY
