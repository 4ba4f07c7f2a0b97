"""The speakers that are measured, each with three neighbours: a feeder that triggers, an observer, and a flooder.

Only the measured prefix goes to the observer, and nothing goes to the others. Nothing is installed in a kernel.
"""

import os
import pathlib
import socket
import subprocess
import threading
import time

from speaker import announce, prefix, withdraw

ROUTER = "10.0.0.1"
ASN = 64500
FEEDER, OBSERVER, FLOODER = (("10.0.0.11", 64511), ("10.0.0.12", 64512), ("10.0.0.13", 64513))
NEIGHBOURS = (FEEDER, OBSERVER, FLOODER)
PREFIX = "198.18.0.0/24"


class Contender:
    """One that hears the route from the feeder and passes it on: what triggers is the feeder's UPDATE."""

    has_feeder = True
    title, package = "", ""

    def __init__(self, world):
        self.world, self.at = world, world.directory

    def write(self, name, text):
        path = self.at / name
        path.write_text(text)
        path.chmod(0o600)
        return str(path)

    def trigger(self, feeder, reached):
        """Makes the route appear or vanish. Returns when, ns on the monotonic clock."""
        encoded = prefix(PREFIX)
        octets = announce(FEEDER[1], FEEDER[0], encoded, 0) if reached else withdraw(encoded)
        now = time.monotonic_ns()
        feeder.say(octets)
        return now

    def version(self):
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.package], capture_output=True, text=True, check=True)
        return shown.stdout.split("-")[0].split("+")[0] + " (Debian)"


class Catchment(Contender):
    """It announces what it checks: what triggers is the answer of the service that it is asked about."""

    has_feeder = False
    title = "Catchment"
    binary = None  # set once, by `run`

    SITE = """
[site]
name = "site"
asn = {asn}
router_id = "{router}"
reject_routes = false
state_dir = "state"
[[service]]
name = "web"
addresses = ["198.18.0.80"]
announce = ["{prefix}"]
[[service.check]]
http = {{ url = "http://198.18.0.80:8080/" }}
interval = "20ms"
timeout = "15ms"
hang_after = "60s"
fall = 1
rise = 1
[[group]]
services = ["web"]
backoff = {{ base = "1ms", cap = "1ms", forgiven_after = "1s" }}
[api]
socket = "api.sock"
"""
    PEER = '[[peer]]\nname = "p{asn}"\naddress = "{address}"\nasn = {asn}\npassive = true\nhold_time = "90s"\n'

    def start(self):
        peers = "".join(self.PEER.format(address=address, asn=asn) for address, asn in (OBSERVER, FLOODER))
        site = self.SITE.format(asn=ASN, router=ROUTER, prefix=PREFIX) + peers
        self.service = Service(self.world)
        return [self.world.start([self.binary, "run", self.write("site.toml", site)])]

    def trigger(self, feeder, reached):
        return self.service.answer_from_now_on(reached)

    def version(self):
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


class Service:
    """A web server on the router's host that says "200" or "503", and stamps the first answer of each kind."""

    def __init__(self, world):
        self.well, self.changed, self.when = False, threading.Event(), 0
        self.told = False
        listener = world.inside_thread(self._listen)
        threading.Thread(target=self._serve, args=[listener], daemon=True).start()

    @staticmethod
    def _listen():
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("0.0.0.0", 8080))
        listener.listen(16)
        return listener

    def _serve(self, listener):
        while True:
            caller, _ = listener.accept()
            try:
                caller.settimeout(1)
                caller.recv(4096)
                well = self.well
                status = "200 OK" if well else "503 Service Unavailable"
                now = time.monotonic_ns()
                caller.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                if well != self.told:
                    self.told, self.when = well, now
                    self.changed.set()
            except OSError:
                pass  # the site gave up on this one; the next one counts
            finally:
                caller.close()

    def answer_from_now_on(self, well):
        self.changed.clear()
        self.well = well
        if not self.changed.wait(30):
            raise TimeoutError("the service was not asked")
        return self.when


class Bird(Contender):
    title, package = "BIRD", "bird2"

    def start(self):
        text = f"log \"{self.at}/bird.log\" all;\nrouter id {ROUTER};\nprotocol device {{}}\n"
        for address, asn in NEIGHBOURS:
            export = f"where net = {PREFIX}" if address == OBSERVER[0] else "none"
            text += f"protocol bgp p{asn} {{ local {ROUTER} as {ASN}; neighbor {address} as {asn}; passive on;\n"
            text += f"  ipv4 {{ import all; export {export}; }};\n}}\n"
        return [self.world.start(["bird", "-f", "-c", self.write("bird.conf", text), "-s", f"{self.at}/bird.ctl"])]


class Frr(Contender):
    title, package = "FRR", "frr"

    def start(self):
        text = f"frr defaults datacenter\nrouter bgp {ASN}\n bgp router-id {ROUTER}\n no bgp ebgp-requires-policy\n"
        for address, asn in NEIGHBOURS:
            text += f" neighbor {address} remote-as {asn}\n neighbor {address} passive\n"
        text += " address-family ipv4 unicast\n"
        for address, _ in NEIGHBOURS:
            text += f"  neighbor {address} prefix-list {'measured' if address == OBSERVER[0] else 'nothing'} out\n"
        text += f" exit-address-family\nip prefix-list measured permit {PREFIX}\nip prefix-list nothing deny any\n"
        self.write("zebra.conf", "")
        self.write("bgpd.conf", text)
        started = []
        for daemon, more in (("zebra", []), ("bgpd", ["--no_kernel"])):
            files = [f"--{key}={self.at}/{value}" for key, value in (
                ("vty_socket", ""), ("socket", "zserv.api"), ("pid_file", f"{daemon}.pid"), ("config_file", f"{daemon}.conf"))]
            started.append(self.world.start([f"/usr/lib/frr/{daemon}", "--skip_runas", "--vty_port=0", *files, *more]))
        return started


class Gobgp(Contender):
    title, package = "GoBGP", "gobgpd"

    def start(self):
        text = f'[global.config]\nas = {ASN}\nrouter-id = "{ROUTER}"\n[global.apply-policy.config]\n'
        text += 'export-policy-list = ["measured"]\ndefault-export-policy = "reject-route"\n'
        text += f'[[defined-sets.prefix-sets]]\nprefix-set-name = "measured"\n[[defined-sets.prefix-sets.prefix-list]]\nip-prefix = "{PREFIX}"\n'
        text += f'[[defined-sets.neighbor-sets]]\nneighbor-set-name = "observer"\nneighbor-info-list = ["{OBSERVER[0]}"]\n'
        text += '[[policy-definitions]]\nname = "measured"\n[[policy-definitions.statements]]\n'
        text += '[policy-definitions.statements.conditions.match-prefix-set]\nprefix-set = "measured"\n'
        text += '[policy-definitions.statements.conditions.match-neighbor-set]\nneighbor-set = "observer"\n'
        text += '[policy-definitions.statements.actions]\nroute-disposition = "accept-route"\n'
        for address, asn in NEIGHBOURS:
            text += f'[[neighbors]]\n[neighbors.config]\nneighbor-address = "{address}"\npeer-as = {asn}\n'
            text += "[neighbors.transport.config]\npassive-mode = true\n"
        command = ["gobgpd", "-f", self.write("gobgpd.toml", text), "--api-hosts=127.0.0.1:50051", "--pprof-disable"]
        return [self.world.start(command)]


class Openbgpd(Contender):
    title, package = "OpenBGPD", "openbgpd"

    def start(self):
        os.makedirs("/run/openbgpd", exist_ok=True)  # where its unprivileged processes lock themselves in
        text = f'AS {ASN}\nrouter-id {ROUTER}\nsocket "{self.at}/bgpd.sock"\nfib-update no\nlisten on {ROUTER}\n'
        for address, asn in NEIGHBOURS:
            text += f"neighbor {address} {{\n  remote-as {asn}\n  passive\n}}\n"
        text += f"allow from any\ndeny to any\nallow to {OBSERVER[0]} prefix {PREFIX}\n"
        return [self.world.start(["/usr/sbin/bgpd", "-d", "-f", self.write("openbgpd.conf", text)])]


class Exabgp(Contender):
    """It passes nothing on: what triggers is a line on the pipe of its process."""

    has_feeder = False
    title, package = "ExaBGP", "exabgp"

    def start(self):
        pipe = self.at / "orders"
        pipe.unlink(missing_ok=True)
        os.mkfifo(pipe)
        text = f"process orders {{ run /bin/cat {pipe}; encoder text; }}\n"
        for address, asn in (OBSERVER, FLOODER):
            api = "api { processes [ orders ]; }" if address == OBSERVER[0] else ""
            text += f"neighbor {address} {{ router-id {ROUTER}; local-address {ROUTER}; local-as {ASN}; peer-as {asn};\n"
            text += f"  family {{ ipv4 unicast; }} passive; {api}\n}}\n"
        config = self.write("exabgp.conf", text)
        self.at.chmod(0o755)
        pathlib.Path(config).chmod(0o644)
        started = self.world.start(
            ["exabgp", config], **{"exabgp.daemon.user": "root", "exabgp.tcp.bind": ROUTER, "exabgp.api.ack": "false", "exabgp.cache.attributes": "false"}
        )
        # Open for both, it waits for no reader: an ExaBGP that has ended is missed by its neighbours, within their time.
        self.orders = open(os.open(pipe, os.O_RDWR), "w", buffering=1)
        return [started]

    def trigger(self, feeder, reached):
        verb = "announce" if reached else "withdraw"
        line = f"{verb} route {PREFIX} next-hop {ROUTER}\n"
        now = time.monotonic_ns()
        self.orders.write(line)
        return now


ALL = (Catchment, Bird, Openbgpd, Gobgp, Frr, Exabgp)
