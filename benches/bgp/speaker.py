"""A speaker of BGP by hand, small enough that what it adds to a latency is the same for every contender.

It introduces itself, keeps the session alive, announces and withdraws routes, and stamps what it hears.
"""

import errno
import os
import select
import socket
import struct
import time

OPEN, UPDATE, NOTIFICATION, KEEPALIVE = 1, 2, 3, 4
HOLD_TIME = 180


def message(kind, body=b""):
    """RFC 4271 section 4.1."""
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def prefix(text):
    address, bits = text.split("/")
    return bytes([int(bits)]) + socket.inet_aton(address)[: (int(bits) + 7) // 8]


def announce(asn, next_hop, encoded, med):
    """An UPDATE with ORIGIN, AS_PATH, NEXT_HOP and MED for these encoded prefixes; AS numbers have four octets."""
    attributes = b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack("!I", asn)
    attributes += b"\x40\x03\x04" + socket.inet_aton(next_hop) + b"\x80\x04\x04" + struct.pack("!I", med)
    return message(UPDATE, b"\x00\x00" + struct.pack("!H", len(attributes)) + attributes + encoded)


def withdraw(encoded):
    return message(UPDATE, struct.pack("!H", len(encoded)) + encoded + b"\x00\x00")


class Lost(Exception):
    """The session is over."""


class Speaker:
    """One established session."""

    def __init__(self, address, asn, router, patience):
        self.address, self.asn = address, asn
        deadline = time.monotonic() + patience
        while True:
            try:
                self._establish(router)
                return
            except (OSError, Lost) as fault:
                if time.monotonic() > deadline:
                    raise Lost(f"no session from {address} within {patience} s: {fault}") from fault
                time.sleep(0.2)

    def _establish(self, router):
        self.socket = socket.create_connection((router, 179), timeout=5, source_address=(self.address, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.spoken = b"", time.monotonic()
        capabilities = b"\x01\x04\x00\x01\x00\x01" + b"\x41\x04" + struct.pack("!I", self.asn)
        options = bytes([2, len(capabilities)]) + capabilities
        body = struct.pack("!BHH", 4, self.asn, HOLD_TIME) + socket.inet_aton(self.address)
        self.socket.sendall(message(OPEN, body + bytes([len(options)]) + options))
        while self.hear()[0] != OPEN:
            pass
        self.socket.sendall(message(KEEPALIVE))
        while self.hear()[0] != KEEPALIVE:
            pass

    def hear(self, timeout=5.0):
        """The next message: its type, its body, and when it came, ns on the monotonic clock."""
        while True:
            if len(self.buffer) >= 19:
                length, kind = struct.unpack_from("!HB", self.buffer, 16)
                if len(self.buffer) >= length:
                    body, self.buffer = self.buffer[19:length], self.buffer[length:]
                    if kind == NOTIFICATION:
                        raise Lost(f"NOTIFICATION {body[0]}/{body[1]}")
                    return kind, body, self.arrived
            if not select.select([self.socket], [], [], timeout)[0]:
                raise TimeoutError
            octets = self.socket.recv(65536)
            self.arrived = time.monotonic_ns()
            if not octets:
                raise Lost("it hung up")
            self.buffer += octets

    def say(self, octets):
        self.socket.sendall(octets)
        self.spoken = time.monotonic()

    def live(self):
        """Says that it lives, now and then, and reads what nobody waits for."""
        if time.monotonic() > self.spoken + 2:
            self.say(message(KEEPALIVE))
        try:
            while True:
                self.hear(0)
        except TimeoutError:
            pass

    def until_route(self, encoded, reached, timeout):
        """Waits for the UPDATE that announces or withdraws exactly this prefix. Returns when it came."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            if time.monotonic() > self.spoken + 2:
                self.say(message(KEEPALIVE))
            try:
                kind, body, when = self.hear(min(left, 1.0))
            except TimeoutError:
                continue
            if kind == UPDATE and encoded in (reachable(body) if reached else unreachable(body)):
                return when
        raise TimeoutError

    def close(self):
        self.socket.close()


def split(encoded):
    at = 0
    while at < len(encoded):
        end = at + 1 + (encoded[at] + 7) // 8
        yield encoded[at:end]
        at = end


def unreachable(body):
    (length,) = struct.unpack_from("!H", body)
    return list(split(body[2 : 2 + length]))


def reachable(body):
    (withdrawn,) = struct.unpack_from("!H", body)
    (attributes,) = struct.unpack_from("!H", body, 2 + withdrawn)
    return list(split(body[4 + withdrawn + attributes :]))


def full_table(asn, next_hop, routes, med):
    """So many routes as UPDATEs of four prefixes each, about what a table of the Internet packs into one."""
    encoded = [b"\x18" + struct.pack("!I", (20 << 24) + (number << 8))[:3] for number in range(routes)]
    return b"".join(announce(asn, next_hop, b"".join(encoded[at : at + 4]), med) for at in range(0, routes, 4))


def flood(address, asn, router, routes, began):
    """A process of its own: tells a full table again and again, each time with another MED, as fast as it is taken.
    `began` counts the whole tables, from the first that is on its way."""
    os.setsid()  # not in the group that comes first
    speaker = Speaker(address, asn, router, 30)
    tables = [full_table(asn, address, routes, med) for med in (1, 2)]
    speaker.socket.setblocking(False)
    told = 0
    while True:
        table, at = memoryview(tables[told % 2]), 0
        began.value = told + 1
        while at < len(table):
            ready = select.select([speaker.socket], [speaker.socket], [])
            if ready[0] and not speaker.socket.recv(65536):
                raise Lost("the flooded router hung up")
            if ready[1]:
                try:
                    at += speaker.socket.send(table[at : at + 262144])
                except OSError as fault:
                    if fault.errno != errno.EAGAIN:
                        raise
        told += 1
