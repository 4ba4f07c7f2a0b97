"""The zones that are served and the questions that are asked, made from a seed.

A question says what must be answered: see crates/daemon/examples/dns_load.rs.
"""

import random
import subprocess

ADDRESS = "198.18.0.53"
A, NS, SOA, DNSKEY = 1, 2, 6, 48
SEED = 1035
TRAIN = 32


class Flat:
    """So many names with an address each, all equally long: `n0000042.example.`"""

    origin = "example."

    def __init__(self, directory, names, questions):
        self.file, self.questions = directory / f"{names}.zone", directory / f"{names}.questions"
        with open(self.file, "w") as zone:
            zone.write(f"$ORIGIN example.\n$TTL 3600\n@ SOA ns admin 1 3600 600 86400 300\n@ NS ns\nns A {ADDRESS}\n")
            zone.writelines(f"n{n:07} A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(names))
        dice = random.Random(SEED)
        asked = dice.sample(range(names), names) if names >= questions else dice.choices(range(names), k=questions)
        with open(self.questions, "w") as lines:
            lines.writelines(f"n{n:07}.example. {A} 0 0 1 1 0a{n:06x}\n" for n in asked)
        self.last = f"n{names - 1:07}.example."


class Root:
    """A zone of the root's shape, signed: 1,440 delegations, half with DS. Six questions of ten are for names that do not
    exist, as at the root; all ask for DNSSEC."""

    origin, last = ".", "."
    DELEGATIONS, QUESTIONS = 1440, 50_000

    def __init__(self, directory):
        dice = random.Random(SEED)
        place = directory / "root"
        place.mkdir()
        names = sorted({"".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.choice((2, 2, 3, 4, 5, 7, 9)))) for _ in range(self.DELEGATIONS)})
        plain, self.file = place / "plain.zone", directory / "root.zone"
        with open(plain, "w") as zone:
            zone.write("$ORIGIN .\n$TTL 172800\n. SOA a.root-servers.net. admin.example. 1 1800 900 604800 86400\n")
            zone.writelines(f". NS {letter}.root-servers.net.\n{letter}.root-servers.net. A 192.0.2.1\n" for letter in "abcdefghijklm")
            for name in names:
                for server in range(dice.choice((2, 4, 4, 4, 6))):
                    zone.write(f"{name}. NS ns{server}.nic.{name}.\nns{server}.nic.{name}. A 192.0.2.{server + 1}\n")
                    zone.write(f"ns{server}.nic.{name}. AAAA 2001:db8::{server + 1}\n")
                if dice.random() < 0.5:
                    zone.write(f"{name}. DS {dice.randrange(65536)} 13 2 {dice.randbytes(32).hex()}\n")
        keygen = ["dnssec-keygen", "-q", "-K", str(place), "-a", "ECDSAP256SHA256"]
        subprocess.run([*keygen, "-f", "KSK", "."], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([*keygen, "."], check=True, stdout=subprocess.DEVNULL)
        sign = ["dnssec-signzone", "-q", "-S", "-K", str(place), "-d", str(place), "-o", ".", "-f", str(self.file), str(plain)]
        subprocess.run(sign, check=True, stdout=subprocess.DEVNULL)
        self.questions = directory / "root.questions"
        taken = set(names)
        asked = [self.question(dice, names, taken) for _ in range(self.QUESTIONS)]
        with open(self.questions, "w") as lines:
            lines.writelines(trains(dice, asked))

    @staticmethod
    def question(dice, names, taken):
        chance = dice.random()
        if chance < 0.6:
            while (name := "".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=dice.choice((6, 8, 10, 12))))) in taken:
                pass
            return f"{name}. {A} 1 3 1 0 -\n"
        if chance < 0.95:
            return f"www.example.{dice.choice(names)}. {A} 1 0 0 0 -\n"
        return f". {SOA} 1 0 1 2 -\n"


def trains(dice, lines):
    """The questions in pieces of equal length, since that is what the loader hands over at once; the pieces in no order."""
    by_length = {}
    for line in lines:
        by_length.setdefault(line.index(" "), []).append(line)
    pieces = [lines[at : at + TRAIN] for lines in by_length.values() for at in range(0, len(lines), TRAIN)]
    dice.shuffle(pieces)
    return (line for piece in pieces for line in piece)
