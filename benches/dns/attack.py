"""Clients that waste the connections of a DNS server: silent ones, slow ones, and ones that never read.

They have no TCP of a kernel: their packets are made here and go out of a TUN device, as from the tools of real attackers. So
they confirm nothing, repeat nothing and close nothing before the end, and of a connection only the server's half costs the
kernel anything that the server shares with them.
"""

import fcntl
import functools
import itertools
import multiprocessing
import os
import socket
import struct
import subprocess
import time

# Where they are, and the device that they are behind. Its queue has room for what the server says while nobody looks.
NETWORKS, DEVICE, ROOM = "10.0.0.0/8", "attackers", 10_000
# As many have called before it begins as a server has room for, and more.
AT_FIRST = 10_000
# Calls between two looks at what the server says.
BATCH = 16
# A question for `example. SOA`, with its length in front, and what each of the three kinds says.
QUESTION = struct.pack("!H6H", 25, 7, 0, 1, 0, 0, 0) + b"\x07example\0" + struct.pack("!2H", 6, 1)
SAID = (b"", QUESTION[:5], QUESTION * 1000)

# linux/if_tun.h
TUNSETIFF, TUNSETOFFLOAD = 0x400454CA, 0x400454D0
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, TUN_F_CSUM, TUN_F_TSO4 = 0x1, 0x1000, 0x4000, 1, 2
# linux/virtio_net.h, in front of each packet: the device needs no checksum of TCP, and cuts segments itself.
OFFLOAD = struct.Struct("=BBHHHH")
NEEDS_CHECKSUM, NO_SEGMENTS, TCP_SEGMENTS, CHECKSUM_AT = 1, 0, 1, 16
# RFC 791 and RFC 9293: lengths of headers, flags, the option for the largest segment, and how much may be sent to a client.
IP, TCP, SYN, RST, ACK, SEGMENT, WINDOW = 20, 20, 0x02, 0x04, 0x10, 1460, 65_535
LARGEST_SEGMENT = struct.pack("!BBH", 2, 4, SEGMENT)


class Siege:
    """It lasts for as long as this is entered. Needs a network of its own, and root."""

    def __init__(self, address, core):
        self.address, self.core = socket.inet_aton(address), int(core)
        self.begun, self.over = multiprocessing.Event(), multiprocessing.Event()
        self.told, self.telling = multiprocessing.Pipe(duplex=False)
        # When calls were made, and when the server took one.
        self.called, self.taken = [], []
        # Of each that it took, how many octets were said.
        self.connections = {}

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
        self.called, self.taken = self.told.recv()
        self.process.join()

    def between(self, began, ended):
        """How many called in that time, and how many the server took. Known once it is over."""
        return tuple(sum(began <= at < ended for at in times) for times in (self.called, self.taken))

    def lay(self):
        os.sched_setaffinity(0, [self.core])
        self.device = open_device()
        # It gets of the processor what the loader leaves.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        for number in itertools.count():
            if number % BATCH == 0:
                self.answer()
                if self.over.is_set():
                    break
            if number == AT_FIRST:
                self.begun.set()
            self.call(number)
        self.hang_up()
        self.telling.send((self.called, self.taken))

    def call(self, number):
        # From many networks, so that no network's share stops it.
        caller = bytes((10, 1 + number % 200, number % 250, 1))
        port = 1024 + number // 1000 % 60_000
        self.send(caller, port, 0, 0, SYN, LARGEST_SEGMENT, b"")
        self.called.append(time.time())

    def answer(self):
        """Completes each connection that the server has taken, and says what there is to say. Nothing else is heard."""
        while True:
            try:
                packet = os.read(self.device, 1 << 16)[OFFLOAD.size :]
            except BlockingIOError:
                return
            _, port, first, _, _, flags = struct.unpack_from("!HHIIBB", packet, IP)
            if flags & (SYN | ACK) == SYN | ACK:
                caller = packet[16:20]
                said = SAID[(caller[2] + port) % len(SAID)]
                self.send(caller, port, 1, first + 1 & 0xFFFFFFFF, ACK, b"", said)
                self.taken.append(time.time())
                self.connections[caller, port] = len(said)

    def hang_up(self):
        """Leaves nothing of a connection for whoever is measured next, whether or not the server has what was said."""
        for (caller, port), octets in self.connections.items():
            for sequence in (1, 1 + octets):
                self.send(caller, port, sequence, 0, RST, b"", b"")

    def send(self, caller, port, sequence, acknowledged, flags, options, said):
        head = TCP + len(options)
        segments = (TCP_SEGMENTS, IP + head, SEGMENT) if len(said) > SEGMENT else (NO_SEGMENTS, 0, 0)
        offload = OFFLOAD.pack(NEEDS_CHECKSUM, *segments, IP, CHECKSUM_AT)
        transport = struct.pack("!HHIIBBHHH", port, 53, sequence, acknowledged, head << 2, flags, WINDOW, 0, 0)
        os.write(self.device, offload + internet(IP + head + len(said), caller, self.address) + transport + options + said)


@functools.cache
def internet(length, source, target):
    """The header of RFC 791."""
    header = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, socket.IPPROTO_TCP, 0) + source + target
    total = sum(struct.unpack("!10H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:]


def open_device():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    fcntl.ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4)
    for command in (f"link set {DEVICE} up txqueuelen {ROOM}", f"route add {NETWORKS} dev {DEVICE}"):
        subprocess.run(["ip", *command.split()], check=True)
    return device
