"""A primary whose zone changes by ten addresses at a time: AXFR, IXFR, SOA and NOTIFY, without signatures."""

import multiprocessing
import os
import socket
import struct
import threading

from zones import A, ADDRESS, NS, SOA

PRIMARY, PORT = "198.18.0.1", 5300
IXFR, AXFR = 251, 252
CHANGED = 10
ZONE = b"\x07example\0"
# Every message has the question, so that names end with a pointer to it.
POINTER = b"\xc0\x0c"
# Records of a message of AXFR: some 16,000 octets.
TOGETHER = 640


def name(number):
    return b"\x08n%07d" % number + POINTER


def record(owner, kind, data):
    return owner + struct.pack("!HHIH", kind, 1, 3600, len(data)) + data


def authority(serial):
    return record(POINTER, SOA, b"\x02ns" + POINTER + b"\x05admin" + POINTER + struct.pack("!5I", serial, 3600, 600, 86400, 300))


class Primary:
    """It serves for as long as this is entered, on one processor: first the zone of `zones.Flat`."""

    def __init__(self, names, core):
        self.names, self.core = names, int(core)
        self.serial = multiprocessing.Value("I", 1)
        self.wholes = multiprocessing.Value("I", 0)
        self.messages = list(self.whole())

    def changed(self, serial):
        """Which names that version has changed, each with its new address."""
        for at in range(CHANGED):
            yield ((serial * CHANGED + at) * 7919) % self.names, bytes([172, 16, serial & 255, at])

    def __enter__(self):
        self.serial.value, self.wholes.value = 1, 0
        self.process = multiprocessing.Process(target=self.serve, daemon=True)
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()

    def whole(self):
        """The records of each message of AXFR but for the SOA records around all of them."""
        records = [record(POINTER, NS, b"\x02ns" + POINTER), record(b"\x02ns" + POINTER, A, socket.inet_aton(ADDRESS))]
        records += [record(name(n), A, bytes([10, n >> 16, n >> 8 & 255, n & 255])) for n in range(self.names)]
        for at in range(0, len(records), TOGETHER):
            yield len(records[at : at + TOGETHER]), b"".join(records[at : at + TOGETHER])

    def changes(self, since, until):
        """The records of IXFR between its first and its last (RFC 1995 section 4)."""
        for serial in range(since + 1, until + 1):
            yield authority(serial - 1)
            for number, _ in self.changed(serial):
                yield record(name(number), A, bytes([10, number >> 16, number >> 8 & 255, number & 255]))
            yield authority(serial)
            for number, address in self.changed(serial):
                yield record(name(number), A, address)

    def replies(self, query, stream):
        """What answers a message, as messages."""
        serial = self.serial.value
        end = query.index(ZONE, 12) + len(ZONE)
        kind = struct.unpack("!H", query[end : end + 2])[0]
        head = lambda count: query[:2] + struct.pack("!5H", 0x8400, 1, count, 0, 0) + query[12 : end + 4]
        soa = authority(serial)
        if kind == AXFR and stream:
            self.wholes.value += 1
            yield head(1) + soa
            yield from (head(count) + records for count, records in self.messages)
            yield head(1) + soa
        elif kind == IXFR and stream:
            # Its last SOA record has the secondary's serial number.
            since = struct.unpack("!I", query[query.rindex(struct.pack("!4I", 3600, 600, 86400, 300)) - 4 :][:4])[0]
            between = list(self.changes(since, serial))
            yield head(len(between) + 2) + soa + b"".join(between) + soa if between else head(1) + soa
        else:
            yield head(1) + soa  # over UDP this says that changes are to be had over TCP

    def serve(self):
        os.sched_setaffinity(0, [self.core])
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind((PRIMARY, PORT))
        threading.Thread(target=self.serve_datagrams, args=[datagrams], daemon=True).start()
        listener = socket.create_server((PRIMARY, PORT))
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=self.serve_stream, args=[caller], daemon=True).start()

    def serve_datagrams(self, datagrams):
        while True:
            query, client = datagrams.recvfrom(4096)
            for reply in self.replies(query, stream=False):
                datagrams.sendto(reply, client)

    def serve_stream(self, caller):
        with caller, caller.makefile("rb") as queries:
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while length := queries.read(2):
                    for reply in self.replies(queries.read(int.from_bytes(length)), stream=True):
                        caller.sendall(len(reply).to_bytes(2) + reply)
            except ConnectionError:
                pass  # it has had enough

    def change(self):
        """Another version; its serial number. Nobody is told."""
        self.serial.value += 1
        return self.serial.value

    @staticmethod
    def notify(address):
        """Tells a secondary that there is another version (RFC 1996)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as teller:
            teller.bind((PRIMARY, 0))
            teller.sendto(struct.pack("!6H", 7, 0x2400, 1, 0, 0, 0) + ZONE + struct.pack("!2H", SOA, 1), (address, 53))
