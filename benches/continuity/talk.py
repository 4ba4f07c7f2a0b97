#!/usr/bin/env python3
"""Talks to a service over one connection, a message every millisecond, until its standard input ends.

Usage: talk.py ADDRESS echo|dns     (RFC 862; the built-in DNS service is asked for its site's name)

Prints one JSON document: when each message was sent (CLOCK_MONOTONIC), how long its answer took, when the kernel has sent
how many segments again so far, and what the last answer was.
"""

import json
import select
import socket
import struct
import sys
import time

PAUSE = 0.001
TOTAL_RETRANS = 100  # where tcpi_total_retrans is (linux/tcp.h)


class Echo:
    PORT = 7

    @staticmethod
    def message(number):
        return struct.pack("!QQ", number, 0)

    @staticmethod
    def answer(buffer):
        """The number of the first answer, what it says and what comes after it, once it is whole."""
        if len(buffer) >= 16:
            return struct.unpack("!Q", buffer[:8])[0], "", buffer[16:]


class Dns:
    PORT = 53
    QUESTION = b"\x02id\x06server\x00" + struct.pack("!2H", 16, 3)
    # Of the record: a pointer, type, class, TTL, length; and the length of its text.
    BEFORE = 12 + len(QUESTION) + 13

    @classmethod
    def message(cls, number):
        query = struct.pack("!6H", number & 0xFFFF, 0, 1, 0, 0, 0) + cls.QUESTION
        return struct.pack("!H", len(query)) + query

    @classmethod
    def answer(cls, buffer):
        end = 2 + int.from_bytes(buffer[:2], "big")
        if len(buffer) >= max(end, 3):
            return int.from_bytes(buffer[2:4], "big"), buffer[2 + cls.BEFORE : end].decode(), buffer[end:]


def main():
    language = {"echo": Echo, "dns": Dns}[sys.argv[2]]
    talk = socket.create_connection((sys.argv[1], language.PORT), 5)
    talk.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print("connected", flush=True)
    sent, took, again, buffer, due, last = [], [], [(0, 0)], b"", time.monotonic(), ""
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
            while found := language.answer(buffer):
                number, last, buffer = found
                if number & 0xFFFF != len(took) & 0xFFFF:
                    sys.exit(f"the answer to {number} came for {len(took)}")
                took.append(now - sent[len(took)])
        info = talk.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        (number,) = struct.unpack_from("=I", info, TOTAL_RETRANS)
        if number != again[-1][1]:
            again.append((now, number))
        if not ended and now >= due:
            talk.sendall(language.message(len(sent)))
            sent.append(now)
            due = max(due + PAUSE, now)
    json.dump({"sent": sent, "took": took, "again": again, "last": last}, sys.stdout)


main()
