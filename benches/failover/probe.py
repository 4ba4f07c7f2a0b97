"""The client: asks the anycast address which site answers, every few milliseconds. Runs inside the client's namespace.

Every question and every answer becomes a line at once: `sent NUMBER WHEN`, `from NUMBER SITE`. An answer that takes
longer than a client would wait counts as lost, so it is not told.
"""

import select
import socket
import struct
import sys
import time

EVERY = 0.005
PATIENCE = 0.5

# id.server CH TXT, the question that every DNS server of a site answers with its own name (RFC 4892).
QUESTION = b"\2id\6server\0" + struct.pack("!HH", 16, 3)


def question(number):
    return struct.pack("!HHHHHH", number & 0xFFFF, 0, 1, 0, 0, 0) + QUESTION


def site(answer):
    """The first character string of the first TXT record; none if there is none."""
    answers = struct.unpack("!H", answer[6:8])[0]
    text = 12 + len(QUESTION) + 2 + 2 + 2 + 4 + 2  # header, question, then the record: pointer, type, class, TTL, length
    if not answers or len(answer) <= text:
        return None
    return answer[text + 1 : text + 1 + answer[text]].decode("ascii", "replace")


def main(address):
    # Not connected: an ICMP error must not cost the next question.
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asking.setblocking(False)
    asked = {}
    number, due = 0, time.monotonic()
    while True:
        try:
            asking.sendto(question(number), (address, 53))
        except OSError:
            pass  # no route is an answer that does not come
        asked[number & 0xFFFF] = (number, time.monotonic())
        print("sent", number, time.monotonic_ns(), flush=True)
        number, due = number + 1, due + EVERY
        while (left := due - time.monotonic()) > 0:
            if not select.select([asking], [], [], left)[0]:
                continue
            answer, _ = asking.recvfrom(4096)
            of, when = asked.pop(struct.unpack("!H", answer[:2])[0], (None, 0))
            if of is not None and time.monotonic() - when <= PATIENCE and (name := site(answer)):
                print("from", of, name, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except (KeyboardInterrupt, BrokenPipeError):
        pass
