"""A primary of `example.` for whoever is measured as its secondary: many names, and every version changes a few of them."""

import socket
import struct
import threading

from zones import A, SOA

AXFR, IXFR, NOTIFY = 252, 251, 4
MESSAGE = 16_000
ZONE = b"\x07example\0"


def record(owner, kind, data, ttl=3600):
    return owner + struct.pack("!2HIH", kind, 1, ttl, len(data)) + data


class Primary:
    """Serves SOA, AXFR and IXFR over TCP, and says NOTIFY when there is another version."""

    def __init__(self, address, names, changes):
        self.address, self.names, self.changes, self.serial = address, names, changes, 1
        self.listener = socket.create_server((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.converse, args=(client,), daemon=True).start()

    def converse(self, client):
        try:
            while len(length := client.recv(2, socket.MSG_WAITALL)) == 2:
                query = client.recv(struct.unpack("!H", length)[0], socket.MSG_WAITALL)
                end = query.index(b"\0", 12) + 5
                kind = struct.unpack("!H", query[end - 4:end - 2])[0]
                self.reply(client, query[:2], query[12:end], kind, query[end:])
        except OSError:
            pass  # the secondary has gone
        client.close()

    def reply(self, client, number, question, kind, authority):
        batch, size = [], 0
        for one in self.records(kind, authority):
            if size + len(one) > MESSAGE:
                self.send(client, number, question, batch)
                batch, size = [], 0
            batch.append(one)
            size += len(one)
        self.send(client, number, question, batch)

    @staticmethod
    def send(client, number, question, records):
        message = number + struct.pack("!5H", 0x8400, 1, len(records), 0, 0) + question + b"".join(records)
        client.sendall(struct.pack("!H", len(message)) + message)

    def soa(self, serial):
        data = b"\x02ns" + ZONE + b"\x05admin" + ZONE + struct.pack("!5I", serial, 3600, 600, 86400, 300)
        return record(b"\xc0\x0c", SOA, data)

    def address_of(self, name, version):
        return record(b"\x08n%07d\xc0\x0c" % name, A, struct.pack("!I", 0x0a000000 + (name + version) % (1 << 24)))

    def changed(self, serial):
        """The names that have another address in this version than in the one before, and no other."""
        return [(serial * self.changes + n) * 7919 % self.names for n in range(self.changes)]

    def version_of(self, name, serial):
        return max((v for v in range(2, serial + 1) if name in self.changed(v)), default=0)

    def records(self, kind, authority):
        newest = self.soa(self.serial)
        yield newest
        if kind == SOA:
            return
        since = None
        if kind == IXFR:
            # The last numbers of the SOA record that came along.
            at = authority.index(struct.pack("!4I", 3600, 600, 86400, 300))
            since = struct.unpack("!I", authority[at - 4:at])[0]
        if since == self.serial:
            return
        if since:
            for serial in range(since + 1, self.serial + 1):
                yield self.soa(serial - 1)
                yield from (self.address_of(name, self.version_of(name, serial - 1)) for name in self.changed(serial))
                yield self.soa(serial)
                yield from (self.address_of(name, serial) for name in self.changed(serial))
        else:
            yield record(b"\xc0\x0c", 2, b"\x02ns" + ZONE)
            yield record(b"\x02ns\xc0\x0c", A, b"\xc6\x12\0\x35")
            last = {name: serial for serial in range(2, self.serial + 1) for name in self.changed(serial)}
            yield from (self.address_of(name, last.get(name, 0)) for name in range(self.names))
        yield newest

    def step(self, secondary):
        """Has another version, and says so."""
        self.serial += 1
        message = struct.pack("!6H", 7, NOTIFY << 11 | 0x400, 1, 0, 0, 0) + ZONE + struct.pack("!2H", SOA, 1)
        caller = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        caller.bind((self.address, 0))
        caller.sendto(message, (secondary, 53))
        caller.close()
