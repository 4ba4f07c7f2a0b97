"""A processor that nothing of the machine runs on but what is told to.

A kernel that does not preempt looks only at each tick, every few milliseconds, whether another program should run. Whatever wakes up
on the processor of a server that is busy, be it the kernel's own keeper of memory, holds up a hundred answers or more.
"""

import glob
import os


class Shield:
    """It lasts for as long as this is entered: all that may run elsewhere has to, and what it starts, too. Needs root, and reaches
    only the tasks of its own namespace."""

    def __init__(self, core):
        self.all = os.sched_getaffinity(0)
        self.others = self.all - {int(core)}
        # Where each task might run before.
        self.before = {}

    def __enter__(self):
        self.before = dict(tasks())
        for task, allowed in self.before.items():
            if allowed & self.others:
                keep(task, allowed & self.others)
        return self

    def __exit__(self, *_):
        for task, allowed in tasks():
            # One that has begun meanwhile has its place from one that had been moved.
            if allowed <= self.others:
                keep(task, self.before.get(task, self.all))


def tasks():
    """All that run, and where each may."""
    for place in glob.glob("/proc/[0-9]*/task/[0-9]*"):
        try:
            task = int(os.path.basename(place))
            yield task, os.sched_getaffinity(task)
        except ProcessLookupError:
            pass  # it has ended


def keep(task, processors):
    try:
        os.sched_setaffinity(task, processors)
    except OSError:
        pass  # it has ended, or the kernel needs it where it is
