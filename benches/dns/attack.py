"""Clients that waste the connections of a DNS server: silent ones, slow ones, and ones that never read."""

import itertools
import multiprocessing
import os
import resource
import socket
import struct
import time

AT_A_TIME = 10_000
# A question for `example. SOA`, with its length in front.
QUESTION = struct.pack("!H6H", 25, 7, 0, 1, 0, 0, 0) + b"\x07example\0" + struct.pack("!2H", 6, 1)


class Siege:
    """It lasts for as long as this is entered."""

    def __init__(self, address, core):
        self.address, self.core = address, int(core)
        self.begun, self.over = multiprocessing.Event(), multiprocessing.Event()
        self.told, self.telling = multiprocessing.Pipe(duplex=False)
        # Of each call, when it was made and whether the server took it.
        self.calls = []

    def __enter__(self):
        """Once as many have called as there is room for."""
        self.process = multiprocessing.Process(target=self.lay, daemon=True)
        self.process.start()
        self.telling.close()
        if not self.begun.wait(10):
            raise TimeoutError("the attackers are not there")
        return self

    def __exit__(self, *_):
        self.over.set()
        self.calls = self.told.recv()
        self.process.join()

    def between(self, began, ended):
        """How many called in that time, and how many of them the server took. Known once it is over."""
        taken = [is_taken for at, is_taken in self.calls if began <= at < ended]
        return len(taken), sum(taken)

    def lay(self):
        os.sched_setaffinity(0, [self.core])
        resource.setrlimit(resource.RLIMIT_NOFILE, (AT_A_TIME + 1000,) * 2)
        # It gets of the processor what the loader leaves.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        crowd = [None] * AT_A_TIME
        for at in itertools.cycle(range(AT_A_TIME)):
            if self.over.is_set():
                break
            if crowd[at]:
                crowd[at].close()
            crowd[at] = self.call(at)
            if at == AT_A_TIME - 1:
                self.begun.set()
        self.telling.send(self.calls)

    def call(self, number):
        caller = socket.socket()
        # From many networks, so that no network's share stops it.
        caller.bind((f"127.{1 + number % 200}.{number % 250}.1", 0))
        # A server that takes no more is not waited for.
        caller.setblocking(False)
        caller.connect_ex((self.address, 53))
        try:
            caller.send((b"", QUESTION[:5], QUESTION * 1000)[number % 3])
            is_taken = True
        except OSError:
            is_taken = False  # there is no connection, or it has been cut already
        self.calls.append((time.time(), is_taken))
        return caller
