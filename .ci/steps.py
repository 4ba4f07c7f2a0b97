"""The steps of a test: each says what it has seen, and the first that is not as it should be ends it."""

import difflib
import re
import shlex
import subprocess
import sys
import time

PATIENCE = 60
MOMENT = re.compile(r"\b(\d\d):(\d\d):(\d\d\.\d\d\d)\b")
# BIRD works its moments out anew each time it shows them, seconds.
OFF = 0.01


def run(*command, **options):
    """Runs a command, shows what it said if it fails, returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"after {PATIENCE} s still not so: {what}")
        time.sleep(0.05)
    print(f"ok: {what}")


def check(what, holds):
    if not holds:
        sys.exit(f"not so: {what}")
    print(f"ok: {what}")


def unchanged(what, before, after):
    """Whether BIRD shows what it showed before."""
    def moments(text):
        return [(int(hours) * 60 + int(minutes)) * 60 + float(seconds) for hours, minutes, seconds in MOMENT.findall(text)]

    same = MOMENT.sub("", before) == MOMENT.sub("", after)
    if not same or any(abs(then - now) > OFF for then, now in zip(moments(before), moments(after))):
        print("\n".join(difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="")))
        sys.exit(f"not so: {what}")
    print(f"ok: {what}")
