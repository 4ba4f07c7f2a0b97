"""One client, one router, two hosts that announce the same address, in network namespaces.

                          ┌── 10.1.0.1 ── 10.1.0.2  host a, preferred: the lower router id
    client ── router BIRD ┤
                          └── 10.2.0.1 ── 10.2.0.2  host b
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time

# Rate limits are off: the client asks as often as they begin.
NSD = """
server:
  rrl-ratelimit: 0
  ip-address: 198.18.0.53
  identity: "{host}"
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{at}"
  pidfile: "{at}/nsd.pid"
  xfrdfile: "{at}/xfrd.state"
  zonelistfile: "{at}/zone.list"
  xfrdir: "{at}"
remote-control:
  control-enable: no
zone:
  name: "example."
  zonefile: "example.zone"
"""

ZONE = """example. 60 IN SOA ns.example. admin.example. 1 60 60 60 60
example. 60 IN NS ns.example.
ns.example. 60 IN A 198.18.0.53
"""

# Nothing is held back: what a contender tells is used at once.
ROUTER = """
log "{at}/bird.log" all;
router id 10.0.0.1;
protocol device {{}}
protocol direct {{ ipv4; }}
{bfd_protocol}
protocol kernel {{ ipv4 {{ import none; export where source = RTS_BGP; }}; }}
template bgp host {{
  local as 64500; connect delay time 1; error wait time 1, 2; {bfd}
  ipv4 {{ import all; export none; }};
}}
protocol bgp a from host {{ neighbor 10.1.0.2 as 64501; }}
protocol bgp b from host {{ neighbor 10.2.0.2 as 64501; }}
"""

BFD = 'protocol bfd {{ interface "*" {{ min rx interval {ms} ms; min tx interval {ms} ms; multiplier 3; }}; }}'


class Impossible(Exception):
    """The machine does not give what a measurement needs."""


class Process:
    """A program that was started here. It leads a group, so that what it forks can be signalled with it."""

    def __init__(self, world, node, command, log, **environment):
        self.node = node
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                world.inside(node, command), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, env={**os.environ, **environment},
            )
        # Whatever else the machine does comes after what is measured, for every contender alike.
        pathlib.Path(f"/proc/{self.popen.pid}/autogroup").write_text("-10")

    def signal(self, number):
        """To the program and its group; one that is gone is no error."""
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            pass

    def children(self):
        """The processes that it has started and that live."""
        pid = self.popen.pid
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def ended(self, patience):
        """Waits for the end."""
        self.popen.wait(patience)


class World:
    ADDRESS = "198.18.0.53"
    PREFIX = "198.18.0.53/32"
    NODES = ("client", "router", "a", "b")

    def __init__(self):
        # Both go with the mount namespace that this runs in.
        self.directory = pathlib.Path("/mnt")
        for place in ("/run/netns", self.directory):
            os.makedirs(place, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(place)], check=True)
        self.processes = []
        self.services = {}

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.silence()
        for node in self.NODES:
            subprocess.run(["ip", "netns", "delete", node], stderr=subprocess.DEVNULL, check=False)

    def inside(self, node, command):
        """The command line that runs a command in a node."""
        return ["ip", "netns", "exec", node, *command]

    def run(self, node, *command):
        """Runs a command in a node and returns what it printed."""
        done = subprocess.run(self.inside(node, command), capture_output=True, text=True, check=False)
        if done.returncode:
            raise Impossible(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def _build(self):
        for node in self.NODES:
            subprocess.run(["ip", "netns", "add", node], check=True)
            self.run(node, "ip", "link", "set", "lo", "up")
        for at, node in enumerate(("client", "a", "b")):
            cable = ["type", "veth", "peer", "name", "router", "netns", node]
            self.run("router", "ip", "link", "add", "name", node, *cable)
            for inside, device, address in (("router", node, 1), (node, "router", 2)):
                self.run(inside, "ip", "address", "add", f"10.{at}.0.{address}/24", "dev", device)
                self.run(inside, "ip", "link", "set", "dev", device, "up")
            self.run(node, "ip", "route", "add", "default", "via", f"10.{at}.0.1")
        self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for host in ("a", "b"):
            self.run(host, "ip", "address", "add", self.PREFIX, "dev", "lo")

    def fresh(self):
        """Everything as on the first day: no program runs, no program remembers anything."""
        self.silence()
        for host in ("a", "b"):
            at = self.at(host)
            shutil.rmtree(at, ignore_errors=True)
            at.mkdir()
            (at / "example.zone").write_text(ZONE)
            (at / "nsd.conf").write_text(NSD.format(host=host, at=at))

    def power_off(self, host):
        """Whatever still runs on a host ends at once."""
        for process in self.processes:
            if process.node == host:
                process.signal(signal.SIGKILL)
                process.ended(10)

    def at(self, node):
        """The directory of a node."""
        return self.directory / node

    def start(self, node, command, log, **environment):
        process = Process(self, node, command, self.directory / f"{node}-{log}.log", **environment)
        self.processes.append(process)
        return process

    def start_router(self, bfd=None):
        """Starts BIRD. It asks for its default hold time, 240 s, so that the shorter one of a host holds. `bfd`: the
        interval in ms, three of them without a packet and the link is lost."""
        config = self.directory / "router.conf"
        bfd_protocol, bfd = (BFD.format(ms=bfd), "bfd on;") if bfd else ("", "")
        config.write_text(ROUTER.format(at=self.directory, bfd=bfd, bfd_protocol=bfd_protocol))
        self.start("router", ["bird", "-f", "-c", str(config), "-s", str(self.directory / "router.ctl")], "bird")

    def start_service(self, host):
        config = str(self.at(host) / "nsd.conf")
        self.services[host] = self.start(host, ["nsd", "-d", "-c", config], "nsd")

    def announced(self):
        """The hosts that the router would send packets to."""
        # BIRD answers with an error before it listens and while nobody announces.
        command = ["birdc", "-s", str(self.directory / "router.ctl"), "show", "route", self.PREFIX]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return {host for host in ("a", "b") if f"[{host} " in answer}

    def cut_silently(self, host):
        """Both directions of a cable swallow everything; both ends stay up."""
        for node, device in (("router", host), (host, "router")):
            rules = f'table netdev cut {{ chain in {{ type filter hook ingress device "{device}" priority 0; policy drop; }}; }}'
            self.run(node, "nft", rules)

    def mend(self):
        for node in ("router", "a", "b"):
            for table in self.run(node, "nft", "list", "tables").splitlines():
                self.run(node, "nft", "delete", table)

    def until(self, what, holds, patience):
        """Polls until something holds. Returns whether it came to hold."""
        deadline = time.monotonic() + patience
        while not (held := holds()) and time.monotonic() < deadline:
            time.sleep(0.02)
        if what and not held:
            raise Impossible(f"after {patience} s still not so: {what}")
        return held

    def silence(self):
        """Ends every program in the namespaces, which are ours alone, and mends every cable."""
        for process in self.processes:
            process.signal(signal.SIGKILL)
            process.ended(10)
        self.processes.clear()
        self.services.clear()
        for node in self.NODES:
            listed = subprocess.run(["ip", "netns", "pids", node], capture_output=True, text=True, check=False)
            for pid in listed.stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        try:
            self.mend()
        except Impossible:
            pass  # a world that was never built has no cables
