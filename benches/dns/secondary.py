"""How soon a secondary answers with what has changed at its primary, and what that takes of memory."""

import socket
import struct
import sys
import time

from contenders import Catchment, Knot, Nsd
from primary import PORT, PRIMARY
from zones import A, ADDRESS, SOA

CHANGES = 5
# A server that reads its zones again once a second at most does not wait for that.
REST, PATIENCE = 1.5, 30


class OfNsd(Nsd):
    def zone_text(self):
        return f" request-xfr: {PRIMARY}@{PORT} NOKEY\n allow-notify: {PRIMARY} NOKEY\n zonefile: \"{self.at}/zone\"\n"


class OfKnot(Knot):
    def zone_text(self):
        return f"    master: primary\n    acl: primary\n    storage: {self.at}\n    zonefile-sync: -1\n"

    def more_text(self):
        return f"remote:\n  - id: primary\n    address: {PRIMARY}@{PORT}\nacl:\n  - id: primary\n    address: {PRIMARY}\n    action: notify\n"


class OfCatchment(Catchment):
    def zone_text(self):
        return f"[[service.dns.zone]]\nname = \"{self.zone.origin}\"\nprimaries = [\"{PRIMARY}:{PORT}\"]\n"


ALL = {Nsd: OfNsd, Knot: OfKnot, Catchment: OfCatchment}


class Asked:
    """A socket that asks the server."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((ADDRESS, 53))
        self.socket.settimeout(0.01)
        self.id = 0

    def data(self, name, kind):
        """The data of the first record of the answer; none without an answer."""
        self.id = (self.id + 1) % 65536
        head, question = struct.pack("!6H", self.id, 0, 1, 0, 0, 0), name + struct.pack("!2H", kind, 1)
        try:
            self.socket.send(head + question)
            while (reply := self.socket.recv(4096))[:2] != head[:2]:
                pass  # it is late: that question was given up
        except (TimeoutError, ConnectionRefusedError):
            return None
        at = 12 + len(question)
        if reply[3] & 15 or reply[12:at] != question or reply[6:8] == b"\0\0":
            return None
        length = struct.unpack("!H", reply[at + 10 : at + 12])[0]  # the owner is a pointer
        return reply[at + 12 : at + 12 + length]

    def address(self, name):
        """The same of a name that is there, however busy the machine is."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if data := self.data(name, A):
                return data
        return None

    def serial(self):
        data = self.data(b"\x07example\0", SOA)
        return data and struct.unpack("!I", data[-20:-16])[0]


def change(asked, primary, meanwhile):
    """Changes the zone: how long it takes until that is served, in seconds. `meanwhile` is called between the questions."""
    serial = primary.change()
    began = time.monotonic()
    primary.notify(ADDRESS)
    while asked.serial() != serial:
        if time.monotonic() > began + PATIENCE:
            sys.exit("a change was not followed")
        meanwhile()
    took = time.monotonic() - began
    # A process that is about to end may answer for a moment longer.
    time.sleep(REST)
    for name, address in primary.changed(serial):
        if asked.address(b"\x08n%07d\x07example\0" % name) != address:
            sys.exit(f"n{name:07} is not what it has become")
    return took


def follow(life, primary, add):
    """Changes the zone again and again. `add` is told what each change took, and the memory of one more."""
    asked = Asked()
    time.sleep(REST)
    for _ in range(CHANGES):
        add("followed", change(asked, primary, lambda: None) * 1000)
    # A look at all of a process's memory holds it up, so it is no part of the changes above.
    memory = [life.megabytes()]
    change(asked, primary, lambda: memory.append(life.megabytes()))
    add("memory followed", max(memory))
    if primary.wholes.value != 1:
        sys.exit(f"the whole zone was fetched {primary.wholes.value} times")


def measure(server, primary, live, add):
    """One life of a secondary. `live` starts a server and waits until it answers."""
    with primary, live(server) as life:
        follow(life, primary, add)


def lines(kinds, figures, names):
    yield f"As secondaries of {names:,} names: ten addresses change at a primary, a small program, which says so (NOTIFY). How long"
    yield f"until the new serial number is answered, for {CHANGES} changes in each round, and the most memory (proportional set size)"
    yield "during another one. Only the changes are fetched (IXFR), and the new addresses are asked for."
    yield ""
    yield "| secondary | NOTIFY until served, ms | memory, MB |"
    yield "|---|---|---|"
    for kind in kinds:
        if kind in ALL:
            yield f"| {kind.title} | {figures.cell(kind.title, 'followed', 1)} | {figures.cell(kind.title, 'memory followed', 0)} |"
