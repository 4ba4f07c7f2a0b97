"""The three that announce: Catchment, anycast-healthchecker with BIRD, ExaBGP with its healthcheck.

Tuned, the others ask the service every 100 ms and take two failures in a row; Catchment asks every 20 ms and takes its
`profile = "fast"`, 0.3 s of silence. All have 3 s of hold time, the shortest that RFC 4271 allows. Default, each keeps
its own defaults; what it does not have one for (the check itself) is the same question.
"""

import json
import os
import signal
import subprocess
import sys

from world import BFD

ASK = "/usr/bin/dig @198.18.0.53 example. SOA +time=1 +tries=1"


class Contender:
    """One of the three on one host."""

    bfd = None  # the interval, ms; a link is lost after three

    def __init__(self, world, host, tuned):
        self.world, self.host, self.tuned = world, host, tuned
        self.number = {"a": 1, "b": 2}[host]
        self.router = f"10.{self.number}.0.1"
        self.address = f"10.{self.number}.0.2"
        self.at = world.at(host)

    def watches(self):
        """Whether everything is up that the contender wants to have beside the session."""
        return True

    def _start(self, command, log, **environment):
        return self.world.start(self.host, command, f"{self.key}-{log}", **environment)

    def _write(self, name, text):
        path = self.at / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)


class Catchment(Contender):
    key, title = "catchment", "Catchment"
    start_within = 30

    SITE = """
[site]
name = "{host}"
asn = 64501
router_id = "10.0.1.{number}"
reject_routes = false
drain = "3s"
converge = "1s"
linger = "2s"
state_dir = "state"
[[peer]]
name = "router"
address = "{router}"
asn = 64500
{hold}
{bfd}
[[service]]
name = "dns"
addresses = ["198.18.0.53"]
announce = ["198.18.0.53/32"]
[[service.check]]
dns = {{ name = "example.", type = "SOA" }}
{hang}
[api]
socket = "api.sock"
"""
    binary = None  # set once, by `run`

    def start(self):
        self.socket = str(self.at / "api.sock")
        fast = 'profile = "fast"\ninterval = "20ms"\ntimeout = "15ms"'
        hold, hang = ('hold_time = "3s"', fast) if self.tuned else ("", "")
        site = self.SITE.format(host=self.host, number=self.number, router=self.router, hold=hold, hang=hang,
                                bfd=f'bfd = {{ interval = "{self.bfd}ms", multiplier = 3 }}' if self.bfd else "")
        self.daemon = self._start([self.binary, "run", self._write("site.toml", site)], "daemon")

    def die(self):
        """What holds the BGP session is killed."""
        self.daemon.signal(signal.SIGKILL)

    def lose_checker(self):
        self.daemon.signal(signal.SIGKILL)

    def stop(self):
        self.daemon.signal(signal.SIGTERM)
        self.daemon.ended(60)

    def restart(self):
        """The program on disk takes over, as in an upgrade."""
        self.world.run(self.host, self.binary, "restart", "--socket", self.socket)

    def drain(self):
        self.world.run(self.host, self.binary, "drain", "--socket", self.socket, "--reason", "benchmark")

    def watches(self):
        if not self.bfd:
            return True
        status = self.world.run(self.host, self.binary, "status", "--json", "--socket", self.socket)
        return json.loads(status)["peers"][0]["bfd"]["state"] == "up"

    drains_with = "`catchment drain`"


class HealthcheckerAndBird(Contender):
    key, title = "healthchecker", "anycast-healthchecker + BIRD"
    start_within = 60
    program = None  # set once, by `run`

    BIRD = """
log "{at}/bird.log" all;
router id 10.0.1.{number};
include "{at}/prefixes.conf";
protocol device {{}}
protocol direct {{ ipv4; interface "lo"; }}
{bfd_protocol}
protocol bgp upstream {{
  local {address} as 64501; neighbor {router} as 64500; {hold} connect delay time 1; error wait time 1, 2; {bfd}
  ipv4 {{ import none; export where net ~ ACAST_PS_ADVERTISE; }};
}}
"""
    DAEMON = """
[daemon]
pidfile = {at}/checker.pid
bird_conf = {at}/prefixes.conf
bird_reconfigure_cmd = /usr/sbin/birdc -s {at}/bird.ctl configure
log_file = {at}/checker.log
stderr_file = {at}/checker.err
loglevel = info
"""
    SERVICE = """
[dns]
check_cmd = {ask}
check_disabled = false
ip_prefix = 198.18.0.53/32
{tuning}
"""
    TUNING = "check_interval = 0.1\ncheck_timeout = 0.15\ncheck_rise = 3\ncheck_fail = 2"

    def start(self):
        tuning = self.TUNING if self.tuned else ""
        hold = "hold time 3;" if self.tuned else ""
        bfd_protocol, bfd = (BFD.format(ms=self.bfd), "bfd on;") if self.bfd else ("", "")
        daemon = self._write("checker.conf", self.DAEMON.format(at=self.at))
        self._write("checks/dns.conf", self.SERVICE.format(ask=ASK, tuning=tuning))
        # What the checker wrote last stays on the disk, as it does on an operator's machine.
        if not (self.at / "prefixes.conf").exists():
            self._write("prefixes.conf", "define ACAST_PS_ADVERTISE = [ 10.189.200.255/32 ];\n")
        config = self.BIRD.format(at=self.at, number=self.number, address=self.address, router=self.router,
                                  hold=hold, bfd_protocol=bfd_protocol, bfd=bfd)
        self._write("bird.conf", config)
        self._start_bird()
        self.checker = self._start([self.program, "-f", daemon, "-d", str(self.at / "checks")], "checker")

    def _start_bird(self):
        control = self.at / "bird.ctl"
        control.unlink(missing_ok=True)
        self.bird = self._start(["bird", "-f", "-c", str(self.at / "bird.conf"), "-s", str(control)], "bird")
        self.world.until("BIRD answers", control.exists, 10)

    def restart(self):
        self.bird.signal(signal.SIGTERM)
        self.bird.ended(60)
        self._start_bird()

    def watches(self):
        if not self.bfd:
            return True
        sessions = self.world.run(self.host, "birdc", "-s", str(self.at / "bird.ctl"), "show", "bfd", "sessions")
        return "Up" in sessions

    def die(self):
        self.bird.signal(signal.SIGKILL)

    def lose_checker(self):
        self.checker.signal(signal.SIGKILL)

    def stop(self):
        for process in (self.checker, self.bird):
            process.signal(signal.SIGTERM)
        self.bird.ended(60)

    def drain(self):
        self.world.run(self.host, "birdc", "-s", str(self.at / "bird.ctl"), "disable", "upstream")

    drains_with = "`birdc disable`"


class ExaBgp(Contender):
    key, title = "exabgp", "ExaBGP"
    start_within = 60

    CONFIG = """
process healthcheck {{
  run {python} -m exabgp healthcheck --no-syslog --ip 198.18.0.53/32 --no-ip-setup --withdraw-on-down \
--disable {at}/maintenance {tuning} --cmd "{ask}";
  encoder text;
}}
neighbor {router} {{
  router-id 10.0.1.{number};
  local-address {address};
  local-as 64501;
  peer-as 64500;
  {hold}
  family {{ ipv4 unicast; }}
  api {{ processes [ healthcheck ]; }}
}}
"""
    TUNING = "--interval 0.1 --fast-interval 0.1 --timeout 1 --rise 3 --fall 2"

    def start(self):
        (self.at / "maintenance").unlink(missing_ok=True)
        # Its own timeout is in whole seconds; coreutils can do better.
        ask = f"timeout 0.15 {ASK}" if self.tuned else ASK
        config = self._write("exabgp.conf", self.CONFIG.format(
            python="/usr/bin/python3", at=self.at, ask=ask, router=self.router, address=self.address, number=self.number,
            tuning=self.TUNING if self.tuned else "", hold="hold-time 3;" if self.tuned else ""))
        settings = {"exabgp.daemon.user": "root", "exabgp.api.cli": "false", "exabgp.daemon.daemonize": "false",
                    "exabgp.api.ack": "true"}
        self.daemon = self._start(["exabgp", config], "daemon", **settings)

    def die(self):
        self.daemon.signal(signal.SIGKILL)

    def lose_checker(self):
        for child in self.daemon.children():
            os.kill(child, signal.SIGKILL)

    def stop(self):
        self.daemon.signal(signal.SIGTERM)
        self.daemon.ended(60)

    def restart(self):
        self.stop()
        self.start()

    def drain(self):
        (self.at / "maintenance").touch()

    drains_with = "the healthcheck's `--disable` file"


ALL = (Catchment, HealthcheckerAndBird, ExaBgp)


def with_bfd(kind, interval):
    """The same with BFD beside the session."""
    title = f"{kind.title}, BFD {interval} ms x 3"
    return type(kind.__name__, (kind,), {"key": f"{kind.key}-bfd-{interval}", "title": title, "bfd": interval})


WITH_BFD = tuple(with_bfd(kind, interval) for interval in (50, 100) for kind in (Catchment, HealthcheckerAndBird))


def install_healthchecker(directory):
    """Installs anycast-healthchecker from PyPI into a place of its own. Returns its program."""
    subprocess.run([sys.executable, "-m", "venv", str(directory)], check=True)
    subprocess.run([str(directory / "bin/pip"), "install", "--quiet", "anycast-healthchecker"], check=True)
    return str(directory / "bin/anycast-healthchecker")


def versions(program):
    """Who was measured, for the page."""
    exabgp = subprocess.run(["exabgp", "--version"], capture_output=True, text=True, check=False).stdout
    exabgp = exabgp.split(":", 1)[1].split()[0]
    checker = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    bird = subprocess.run(["bird", "--version"], capture_output=True, text=True, check=False).stderr.split()[-1]
    return f"ExaBGP {exabgp} (Debian), anycast-healthchecker {checker} (PyPI), BIRD {bird} (Debian)"
