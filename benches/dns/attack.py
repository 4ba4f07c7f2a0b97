"""Clients that waste the connections of a DNS server: silent ones, slow ones, and ones that never read."""

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
        self.made, self.over = multiprocessing.Value("Q", 0), multiprocessing.Event()

    def __enter__(self):
        self.process = multiprocessing.Process(target=self.lay, daemon=True)
        self.process.start()
        until = time.monotonic() + 10
        while self.made.value < AT_A_TIME and self.process.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self.over.set()
        self.process.join()

    def connections(self):
        return self.made.value

    def lay(self):
        os.sched_setaffinity(0, [self.core])
        resource.setrlimit(resource.RLIMIT_NOFILE, (AT_A_TIME + 1000,) * 2)
        # It gets of the processor what the loader leaves.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        crowd, at = [], 0
        while not self.over.is_set():
            if len(crowd) < AT_A_TIME:
                crowd.append(None)
                at = len(crowd) - 1
            else:
                at = (at + 1) % AT_A_TIME
                crowd[at].close()
            crowd[at] = self.call(at)

    def call(self, number):
        caller = socket.socket()
        # From many networks, so that no network's share stops it.
        caller.bind((f"127.{1 + number % 200}.{number % 250}.1", 0))
        # A server that takes no more is not waited for.
        caller.setblocking(False)
        caller.connect_ex((self.address, 53))
        try:
            caller.send((b"", QUESTION[:5], QUESTION * 1000)[number % 3])
            self.made.value += 1
        except OSError:
            pass  # there is no connection, or it has been cut already
        return caller
