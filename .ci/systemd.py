"""The package under systemd itself, which is process 1 of a process namespace and knows this unit only."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

from steps import PATIENCE, check, run, unchanged, until

# What systemd knows: the unit as it is shipped, and what every unit asks for.
UNITS = "/run/units"
STUBS = ("only.target", "sysinit.target", "basic.target", "shutdown.target", "network.target")
LOG = "/run/catchment.log"

# The control group that is all of them that it sees.
GROUPS = "/run/groups"
GROUP = f"{GROUPS}/catchment-package"

# A container as systemd sees one: it leaves the machine's clock, console and settings alone.
BOOT = f"""
set -e
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /dev/null /dev/console
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test SYSTEMD_UNIT_PATH={UNITS} SYSTEMD_GENERATOR_PATH=/nowhere \
  SYSTEMD_LOG_TARGET=null /lib/systemd/systemd --system --unit=only.target --show-status=false
"""


class Systemd:
    """systemd as process 1, and how it is spoken to. It answers nobody whose process it does not see."""

    def __init__(self):
        os.mkdir(GROUPS)
        run("mount", "-t", "cgroup2", "cgroup2", GROUPS)
        os.makedirs(GROUP, exist_ok=True)
        namespaces = "unshare --mount --pid --cgroup --uts --ipc --fork --kill-child"
        enter = f'echo $$ > {GROUP}/cgroup.procs && exec {namespaces} sh -c "$0"'
        self.outside = subprocess.Popen(["sh", "-c", enter, BOOT], stderr=subprocess.DEVNULL)

    def inside(self, *command):
        """The command as one of its own processes."""
        number = self.outside.pid
        children = pathlib.Path(f"/proc/{number}/task/{number}/children").read_text().split()
        return ["nsenter", f"--target={children[0] if children else number}", "--mount", "--pid", "--root", *command]

    def run(self, *command):
        return run(*self.inside(*command))

    def is_up(self):
        """Whether it comes up: False where the machine does not let it be process 1."""
        deadline = time.monotonic() + PATIENCE
        while self.outside.poll() is None and time.monotonic() < deadline:
            asked = self.inside("systemctl", "is-active", "only.target")
            if subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == "active":
                return True
            time.sleep(0.1)
        return False

    def shown(self, *properties):
        rows = self.run("systemctl", "show", "catchment", *(f"--property={name}" for name in properties))
        return dict(row.split("=", 1) for row in rows.splitlines())

    def end(self):
        """Ends it and everything that it has started, and takes its traces away."""
        number = self.outside.pid
        children = pathlib.Path(f"/proc/{number}/task/{number}/children").read_text().split()
        # The first process takes all others of its namespace along, and unshare waits for it.
        for process in children or [number]:
            os.kill(int(process), signal.SIGKILL)
        self.outside.wait()
        subprocess.run(["find", GROUP, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"], check=False)
        shutil.rmtree("/run/systemd", ignore_errors=True)


def write_units():
    drop_in = pathlib.Path(f"{UNITS}/catchment.service.d")
    drop_in.mkdir(parents=True)
    os.symlink("/lib/systemd/system/catchment.service", f"{UNITS}/catchment.service")
    # There is no journal.
    (drop_in / "log.conf").write_text(f"[Service]\nStandardOutput=append:{LOG}\nStandardError=append:{LOG}\n")
    for stub in STUBS:
        pathlib.Path(f"{UNITS}/{stub}").write_text("[Unit]\nDefaultDependencies=no\n")


def lives(package, birdc):
    """Starts the unit, upgrades the package while it runs, and has it hang: what systemd makes of all that."""
    write_units()
    systemd = Systemd()
    if not systemd.is_up():
        print("skipped: systemd cannot be process 1 here; what it would hear is judged above")
        return systemd.end()
    systemd.run("systemctl", "start", "catchment")
    print("ok: systemd has started the unit as it is shipped")
    until("BIRD has its prefix", lambda: "198.18.0.0/24" in birdc("show route"))
    is_upgraded(systemd, package, birdc)
    hangs(systemd)
    until("and the next one announces", lambda: "198.18.0.0/24" in birdc("show route"))
    systemd.run("systemctl", "stop", "catchment")
    check("systemctl stop ends it in order", systemd.shown("Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"})
    check("and it is withdrawn", "198.18.0.0/24" not in birdc("show route"))
    systemd.end()


def is_upgraded(systemd, package, birdc):
    """Twice: the second time it is a program that has been taken over already."""
    seen, same = ("show protocols", "show route all"), ("MainPID", "InvocationID", "NRestarts")
    shown = lambda: "".join(birdc(question) for question in seen)  # noqa: E731
    before, session = systemd.shown(*same), shown()
    for upgrade in ("an upgrade of the package is taken over", "and another one"):
        check(upgrade, "has taken over" in systemd.run("dpkg", "--install", package))
        check("systemd has the same process of the same start", systemd.shown(*same) == before)
        running = {"ActiveState": "active", "SubState": "running"}
        until("which runs", lambda: systemd.shown(*running) == running)
        unchanged("and BIRD has seen nothing of it", session, shown())
        beat = systemd.shown("WatchdogTimestampMonotonic")
        until("systemd hears the next program beat", lambda: systemd.shown("WatchdogTimestampMonotonic") != beat)


def hangs(systemd):
    """Stops the process that has been taken over: the watchdog of systemd is still there for it."""
    systemd.run("systemctl", "kill", "--signal=STOP", "--kill-who=main", "catchment")
    again = {"NRestarts": "1", "SubState": "running"}
    until("systemd's watchdog ends one that stands still, and another one starts", lambda: systemd.shown(*again) == again)
