"""What goes wrong at host a, and what is counted at the client."""

import dataclasses
import signal
import time
import typing


@dataclasses.dataclass
class Round:
    """One fault on one contender, in a world that was started for it."""

    world: object
    client: object
    contender: object
    start: int = 0  # when the fault happened, ns of the monotonic clock

    @property
    def service(self):
        return self.world.services["a"]

    def now(self):
        self.start = time.monotonic_ns()


def killed(round):
    round.now()
    round.service.signal(signal.SIGKILL)


def hung(round):
    round.now()
    round.service.signal(signal.SIGSTOP)


def link_lost(round):
    round.now()
    round.world.cut_silently("a")


def drained(round):
    round.now()
    round.contender.drain()


def daemon_killed(round):
    round.now()
    round.contender.die()


def rebooted(round):
    """The service ends when what announces it has ended, as `After=` in a unit orders it."""
    round.now()
    round.contender.stop()
    round.service.signal(signal.SIGTERM)


def checker_then_service(round):
    round.contender.lose_checker()
    time.sleep(0.2)
    round.now()
    round.service.signal(signal.SIGKILL)


def dead_start(round):
    """Host a was up, went down in order, and comes back without its service."""
    round.contender.stop()
    round.service.signal(signal.SIGKILL)
    round.world.until("the other host answers", lambda: round.client.is_served_by("b", 0.5), 60)
    round.world.power_off("a")
    round.now()
    round.contender.start()


def grey(round):
    """1.5 s silent, 1.5 s well, twice."""
    round.now()
    for _ in range(2):
        round.service.signal(signal.SIGSTOP)
        time.sleep(1.5)
        round.service.signal(signal.SIGCONT)
        time.sleep(1.5)


def restarted(round):
    round.now()
    round.contender.restart()


# What is counted: from a round that is over to its figure, the smaller the better.


def silence(round):
    return round.client.outage_ms(round.start)


def until_moved(round):
    return round.client.moved_ms(round.start, "b")


def lost(round):
    return round.client.lost(round.start)


def switches(round):
    return round.client.switches(round.start)


@dataclasses.dataclass
class Fault:
    name: str
    counted: str
    count: typing.Callable
    inflict: typing.Callable
    cap: float = 30  # longest wait for the other host, s
    watch: float = 1.0  # how long to look on once it answers, s
    watch_default: float = 1.0  # the same for the default configurations
    default: bool = False  # whether the default configurations differ in it
    bfd: bool = False  # whether BFD beside the session changes it
    ends_at_b: bool = True  # whether the other host has to answer in the end


FAULTS = (
    Fault("service killed", "silence, ms", silence, killed, cap=40, default=True),
    Fault("service hung (SIGSTOP)", "silence, ms", silence, hung, cap=40, default=True),
    Fault("silent link loss", "silence, ms", silence, link_lost, default=True, bfd=True),
    Fault("drain", "answers lost", lost, drained),
    Fault("session's process killed (SIGKILL)", "ms until answered elsewhere", until_moved, daemon_killed),
    Fault("orderly reboot", "ms until answered elsewhere", until_moved, rebooted),
    Fault("checker killed, then the service", "silence, ms", silence, checker_then_service, cap=15),
    Fault("start with a dead service", "silence, ms", silence, dead_start, cap=20, watch=8, watch_default=25,
          default=True),
    Fault("grey service: 1.5 s off, 1.5 s on", "switches in 6 s", switches, grey, cap=0, ends_at_b=False),
    Fault("planned restart of what announces", "switches in 10 s", switches, restarted, cap=0, watch=10, ends_at_b=False),
)
