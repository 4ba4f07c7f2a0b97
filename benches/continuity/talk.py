#!/usr/bin/env python3
"""Talks to the echo service over one connection, a line every millisecond, until its standard input ends.

Usage: talk.py ADDRESS     prints one JSON document: when each line was sent (CLOCK_MONOTONIC), how long its echo took, and
when the kernel has sent how many segments again so far.
"""

import json
import select
import socket
import struct
import sys
import time

PAUSE, LENGTH = 0.001, 16
TOTAL_RETRANS = 100  # where tcpi_total_retrans is (linux/tcp.h)


def main():
    talk = socket.create_connection((sys.argv[1], 7), 5)
    talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("connected", flush=True)
    sent, took, again, buffer, due = [], [], [(0, 0)], b"", time.monotonic()
    ended = False
    while not ended or len(took) < len(sent):
        readable, _, _ = select.select([talk, *([] if ended else [sys.stdin])], [], [], max(0, due - time.monotonic()))
        now = time.monotonic()
        if sys.stdin in readable:
            ended = True
        if talk in readable:
            octets = talk.recv(65536)
            if not octets:
                sys.exit("the connection has ended")
            buffer += octets
            while len(buffer) >= LENGTH:
                (number,), buffer = struct.unpack("!Q", buffer[:8]), buffer[LENGTH:]
                if number != len(took):
                    sys.exit(f"line {number} came for {len(took)}")
                took.append(now - sent[number])
        info = talk.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        (number,) = struct.unpack_from("=I", info, TOTAL_RETRANS)
        if number != again[-1][1]:
            again.append((now, number))
        if not ended and now >= due:
            sent.append(now)
            talk.sendall(struct.pack("!QQ", len(sent) - 1, 0))
            due = max(due + PAUSE, now)
    json.dump({"sent": sent, "took": took, "again": again}, sys.stdout)


main()
