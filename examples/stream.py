#!/usr/bin/env python3
"""A service whose connections go to another site in a drain: stream.py SOCKET ADDRESS:PORT...

Ten times a second each client gets a line: its number, and how many octets have come from the client. Both are all that has
to go along. What is said with the daemon: docs/reference/handover.md. To make a service of your own, take Cooperation.
"""
import selectors, socket, sys, time

selector = selectors.DefaultSelector()
clients = set()


class Client:
    def __init__(self, connection, number=0, octets=0):
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection, self.number, self.octets, self.unsent = connection, number, octets, b""
        self.serve()

    def serve(self):
        clients.add(self)
        selector.register(self.connection, selectors.EVENT_READ, self.read)

    def rest(self):
        clients.discard(self)
        selector.unregister(self.connection)

    def read(self):
        try:
            octets = self.connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        self.octets += len(octets)
        if not octets:
            self.rest()
            self.connection.close()

    def tick(self):
        if not self.unsent:
            self.unsent = b"%d %d\n" % (self.number, self.octets)
            self.number += 1
        try:
            self.unsent = self.unsent[self.connection.send(self.unsent):]
        except OSError:
            pass  # A slow reader's line waits; of a client that is gone, `read` hears.


class Cooperation:
    def __init__(self, path, addresses):
        self.path, self.hello = path, "join 1 stream %s\n" % " ".join(addresses)
        self.daemon, self.wished, self.offered, self.next_try = None, set(), {}, 0

    def tick(self):
        """Without a daemon the service serves on, and tries again."""
        if self.daemon is None and time.monotonic() >= self.next_try:
            self.next_try = time.monotonic() + 1
            # It never waits: a daemon with a full queue would stop the service.
            daemon = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
            try:
                daemon.connect(self.path)
                daemon.send(self.hello.encode())
            except OSError:
                return daemon.close()
            self.daemon = daemon
            selector.register(daemon, selectors.EVENT_READ, self.hear)

    def hear(self):
        try:
            packet, sockets, _, _ = socket.recv_fds(self.daemon, 70000, 1)
            line, _, state = packet.partition(b"\n")
            match line.decode().split(" "):
                case ["drain"]:
                    self.wished = set(clients)
                    self.daemon.send(b"wish %d\n" % len(self.wished))
                case ["turn", turn]:
                    self.offer(turn)
                case ["moved", turn]:
                    self.offered.pop(turn).connection.close()
                case ["stays", turn]:
                    self.offered.pop(turn).serve()
                case ["given", _, _]:
                    number, octets = state.split()
                    Client(socket.socket(fileno=sockets[0]), int(number), int(octets))
                case ["refused", *why]:
                    print("refused:", *why, file=sys.stderr)
                    self.next_try = time.monotonic() + 10
                case [""]:
                    raise ConnectionResetError
        except OSError:
            self.leave()

    def offer(self, turn):
        # One that was served to its end meanwhile, or has half a line to send, does not go.
        ready = [client for client in self.wished & clients if not client.unsent]
        if not ready:
            return self.daemon.send(b"pass %s\n" % turn.encode())
        client = ready[0]
        self.wished.discard(client)
        client.rest()
        self.offered[turn] = client
        words = "offer %s\n%d %d" % (turn, client.number, client.octets)
        socket.send_fds(self.daemon, [words.encode()], [client.connection.fileno()])

    def leave(self):
        """What has become of an offered connection is not known any more: it may be another site's."""
        for client in self.offered.values():
            client.connection.close()
        selector.unregister(self.daemon)
        self.daemon.close()
        self.daemon, self.wished, self.offered = None, set(), {}


def main(path, *addresses):
    port = int(addresses[0].rpartition(":")[2])
    listener = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    selector.register(listener, selectors.EVENT_READ, lambda: Client(listener.accept()[0]))
    cooperation, tick = Cooperation(path, addresses), time.monotonic()
    while True:
        for key, _ in selector.select(max(0, tick - time.monotonic())):
            key.data()
        if time.monotonic() >= tick:
            tick += 0.1
            cooperation.tick()
            for client in list(clients):
                client.tick()


main(*sys.argv[1:])
