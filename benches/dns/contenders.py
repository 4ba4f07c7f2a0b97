"""The servers that are measured: each answers for one zone on one address, with one thread for UDP."""

import pathlib
import shutil
import subprocess

from zones import ADDRESS

# What is measured has this processor for itself; whoever asks has the other one.
SERVER_CORE, LOADER_CORE = "0", "1"


class Contender:
    title, package, image = "", "", False

    def __init__(self, directory, zone):
        self.at, self.zone = directory / self.title.split()[0].lower(), zone
        self.at.mkdir(exist_ok=True)
        self.prepare()

    def prepare(self):
        """What is done once, before anything is measured."""

    def write(self, name, text):
        path = self.at / name
        path.write_text(text)
        return str(path)

    def zone_text(self):
        """What its configuration says about the zone besides its name."""
        raise NotImplementedError

    def more_text(self):
        return ""

    def served(self):
        """The file that its zone is read from."""
        return self.zone.file

    def warm(self):
        """Has its program and its zone read: a machine may have put aside what nobody looked at for minutes, and a disk is no server."""
        for file in (shutil.which(self.command()[0]), self.served()):
            pathlib.Path(file).read_bytes()

    def start(self):
        with open(self.at / "output", "ab") as output:
            return subprocess.Popen(
                ["taskset", "-c", SERVER_CORE, *self.command()], cwd=self.at, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,
            )

    @classmethod
    def version(cls):
        shown = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", cls.package], capture_output=True, text=True, check=True)
        return shown.stdout.split("-")[0].split("+")[0].removeprefix("1:") + " (Debian)"


class Nsd(Contender):
    title, package = "NSD", "nsd"

    def command(self):
        text = f"server:\n ip-address: {ADDRESS}\n server-count: 1\n username: \"\"\n chroot: \"\"\n database: \"\"\n"
        text += f" pidfile: \"{self.at}/pid\"\n xfrdfile: \"{self.at}/xfrd\"\n zonelistfile: \"{self.at}/list\"\n zonesdir: \"{self.at}\"\n"
        text += " rrl-ratelimit: 0\n minimal-responses: yes\nremote-control:\n control-enable: no\n"
        text += f"zone:\n name: \"{self.zone.origin}\"\n" + self.zone_text()
        return ["nsd", "-d", "-c", self.write("nsd.conf", text)]

    def zone_text(self):
        return f" zonefile: \"{self.zone.file}\"\n"


class Knot(Contender):
    title, package = "Knot", "knot"

    def command(self):
        text = f"server:\n  listen: {ADDRESS}@53\n  rundir: {self.at}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
        text += f"database:\n  storage: {self.at}\nlog:\n  - target: stderr\n    any: error\n"
        text += self.more_text() + f"zone:\n  - domain: \"{self.zone.origin}\"\n" + self.zone_text()
        return ["knotd", "-c", self.write("knot.conf", text)]

    def zone_text(self):
        text = f"    file: {self.zone.file}\n    storage: {self.at}\n"
        return text + "    zonefile-load: whole\n    zonefile-sync: -1\n    journal-content: none\n"


class Bind(Contender):
    title, package = "BIND", "bind9"

    def command(self):
        text = f"options {{ directory \"{self.at}\"; pid-file \"{self.at}/pid\"; session-keyfile \"{self.at}/session\"; recursion no;\n"
        text += f" listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; minimal-responses yes; notify no; dnssec-validation no; }};\n"
        text += f"controls {{ }};\nzone \"{self.zone.origin}\" {{ type primary; file \"{self.zone.file}\"; }};\n"
        return ["named", "-f", "-n", "1", "-U", "1", "-c", self.write("named.conf", text)]


class Catchment(Contender):
    title = "Catchment"
    binary = None  # set once, by `run`

    SITE = """
[site]
name = "site"
asn = 64500
router_id = "10.0.0.1"
reject_routes = false
state_dir = "state"
[[peer]]
name = "nobody"
address = "10.0.0.2"
asn = 64501
passive = true
[[service]]
name = "dns"
addresses = ["{address}"]
announce = ["198.18.0.0/24"]
[[service.check]]
dns = {{ name = "{origin}" }}
interval = "10s"
[service.dns]
{zone}
[api]
socket = "api.sock"
"""

    def command(self):
        site = self.SITE.format(address=ADDRESS, origin=self.zone.origin, zone=self.zone_text())
        return [self.binary, "run", self.write("site.toml", site)]

    def zone_text(self):
        return f"zones = [\"{self.served()}\"]\n"

    @classmethod
    def version(cls):
        return subprocess.run([cls.binary, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


class CatchmentImage(Catchment):
    """From an image that was compiled before."""

    title, image = "Catchment from an image", True

    def prepare(self):
        subprocess.run([self.binary, "dns", "compile", self.zone.file, "-o", self.served()], check=True, capture_output=True)

    def served(self):
        return pathlib.Path(self.zone.file).with_suffix(".image")


ALL = (Catchment, Nsd, Knot, Bind)
