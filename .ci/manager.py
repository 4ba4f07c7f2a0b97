"""What systemd would do for the daemon, where it is not there itself: starts it as its unit says, and takes in what it is told."""

import os
import pathlib
import resource
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time

from steps import run

# struct ucred of unix(7): the process, its user and its group.
CREDENTIALS = struct.Struct("iII")


class Manager:
    """One daemon, and everything that it says over the notify socket, with who said it and when."""

    def __init__(self, service):
        self.service = service
        self.told = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.bind("/run/notify")
        os.chmod("/run/notify", 0o666)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            said, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(CREDENTIALS.size))
            process = CREDENTIALS.unpack(ancillary[0][2][:CREDENTIALS.size])[0]
            self.told.append((time.monotonic(), process, said.decode().splitlines()))

    def start(self, trace):
        service = self.service
        for kind, base in (("StateDirectory", "/var/lib"), ("RuntimeDirectory", "/run")):
            directory = f"{base}/{service[kind]}"
            run("install", "-d", "-o", service["User"], "-g", service["Group"], "-m", service[f"{kind}Mode"], directory)
        capabilities = ",".join("+" + name.removeprefix("CAP_").lower() for name in service["AmbientCapabilities"].split())
        # Without systemd the test may be allowed less.
        descriptors = min(int(service["LimitNOFILE"]), resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        limited = ["prlimit", f"--nofile={descriptors}", f"--core={service['LimitCORE']}"]
        allowed = ["setpriv", f"--reuid={service['User']}", f"--regid={service['Group']}", "--init-groups", "--no-new-privs",
                   f"--inh-caps=-all,{capabilities}", f"--ambient-caps=-all,{capabilities}", f"--bounding-set=-all,{capabilities}"]
        traced = ["strace", "-f", "-qq", "-o", trace, "-e", "signal=none"] if trace else []
        watchdog = str(int(service["WatchdogSec"]) * 1_000_000)
        environment = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": watchdog}
        command = [*limited, *traced, *allowed, *shlex.split(service["ExecStart"])]
        self.log = open("/tmp/daemon.log", "ab")
        self.daemon = subprocess.Popen(command, env=environment, stderr=self.log, umask=int(service["UMask"], 8))

    def words(self, since=0):
        """What was said after so many messages, one word after the other."""
        return [word for _, _, words in self.told[since:] for word in words]

    def hears(self, beginning, since=0):
        heard = any(word.startswith(beginning) for word in self.words(since))
        if self.daemon.poll() is not None and not heard:
            sys.exit(f"the daemon ended with {self.daemon.returncode}:\n{pathlib.Path('/tmp/daemon.log').read_text()}")
        return heard

    def silence(self):
        """The longest time between two beats, in seconds."""
        beats = [when for when, _, words in self.told if "WATCHDOG=1" in words]
        return max(later - earlier for earlier, later in zip(beats, beats[1:]))

    def pid(self):
        """The daemon's own process, which strace may have started."""
        return int(run("pgrep", "--exact", "catchment").split()[0])
