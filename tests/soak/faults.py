"""The kinds of faults. Each function makes one, checks that it was real, and says what it hit."""

import http.client
import os
import random
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil

from tests.soak.farm import LEASE, Farm
from tests.soak.machine import CLOCK_STEP
from tests.soak.processes import Program, age_of, kill_all, kind_of, pause, resume
from tests.soak.proxy import CONFLICT, Cable, Only
from tests.support.faulty_proxy import Fate, Fault

Inject = Callable[[Farm, random.Random], str | None]
"""Makes a fault. Returns what it hit; None if there is nothing to hit at the moment."""


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault. weight: its share of all faults."""

    name: str
    weight: int
    inject: Inject


KINDS: dict[str, FaultKind] = {}


def _kind(name: str, weight: int) -> Callable[[Inject], Inject]:
    def register(inject: Inject) -> Inject:
        KINDS[name] = FaultKind(name, weight, inject)
        return inject

    return register


def deal(count: int, draw: random.Random, without: Iterable[str] = ()) -> list[FaultKind]:
    """The kinds of `count` faults in random order, in proportion to their weights."""
    kinds = [kind for name, kind in KINDS.items() if name not in set(without)]
    # Each kind once, if there is room, and the rest by weight.
    dealt = draw.sample(kinds, min(count, len(kinds)))
    dealt += draw.choices(kinds, [kind.weight for kind in kinds], k=count - len(dealt))
    draw.shuffle(dealt)
    return dealt


def missing_kinds(farm: Farm) -> dict[str, str]:
    """The kinds that cannot happen here, and why."""
    missing = {}
    if not farm.disk.is_real:
        missing["full disk"] = "NO FULL DISK: mounting a tmpfs needs root"
    if not farm.clock.is_real:
        missing["clock step"] = "NO CLOCK STEPS: Debian's package libfaketime is not installed"
    return missing


_AT_WORK_SECONDS = 1.5
"""Age of a Ray worker that has begun with its job."""

_ANY_MOMENT = 0.25
"""The fraction of kills that may also hit a job that is only starting."""


def _root(process: psutil.Process, program: Program) -> psutil.Process | None:
    """The coordinator or the program to which a process of Ray belongs."""
    for ancestor in [process, *process.parents()]:
        is_program = program.process is not None and ancestor.pid == program.process.pid
        if is_program or kind_of(ancestor) == "coordinator":
            return ancestor
    return None


def _is_at_work(process: psutil.Process, program: Program) -> bool:
    try:
        root = _root(process, program)
        below = root.children(recursive=True) if root else []
    except psutil.NoSuchProcess:
        return False
    return any(kind_of(one) == "worker" and age_of(one) > _AT_WORK_SECONDS for one in below)


def _pick(farm: Farm, draw: random.Random, kind: str) -> psutil.Process | None:
    """A process of a kind, mostly of a job that is being rendered."""
    found = [
        (process, program)
        for program in farm.programs
        for process in program.tree()
        if kind_of(process) == kind and process.pid not in farm.paused
    ]
    if draw.random() >= _ANY_MOMENT:
        found = [pair for pair in found if _is_at_work(*pair)]
    return draw.choice(found)[0] if found else None


def _kill_one(farm: Farm, draw: random.Random, kind: str) -> str | None:
    victim = _pick(farm, draw, kind)
    return f"process {victim.pid}" if victim and kill_all([victim]) else None


@_kind("kill worker", 8)
def _kill_worker(farm: Farm, draw: random.Random) -> str | None:
    return _kill_one(farm, draw, "worker")


@_kind("kill coordinator", 8)
def _kill_coordinator(farm: Farm, draw: random.Random) -> str | None:
    return _kill_one(farm, draw, "coordinator")


@_kind("kill raylet", 5)
def _kill_raylet(farm: Farm, draw: random.Random) -> str | None:
    return _kill_one(farm, draw, "raylet")


@_kind("kill GCS", 5)
def _kill_gcs(farm: Farm, draw: random.Random) -> str | None:
    return _kill_one(farm, draw, "gcs")


@_kind("kill work", 5)
def _kill_work(farm: Farm, draw: random.Random) -> str | None:
    work = farm.works[0]
    return work.name if work.kill() else None


@_kind("kill machine", 3)
def _kill_machine(farm: Farm, draw: random.Random) -> str | None:
    """The power cut: a `work` and all its processes at once."""
    work = farm.works[0]
    return work.name if work.tree() and work.kill(with_tree=True) else None


@_kind("kill render", 10)
def _kill_render(farm: Farm, draw: random.Random) -> str | None:
    running = [render for render in farm.renders if render.is_running]
    if not running:
        return None
    render = draw.choice(running)
    # Seldom at the very start, so that it gets somewhere.
    if render.lived < draw.uniform(0, 5) or not render.kill(with_tree=draw.random() < 0.5):
        return None
    return render.name


def _pause(farm: Farm, process: psutil.Process | None, seconds: float) -> str | None:
    if process is None or process.pid in farm.paused or not pause([process]):
        return None
    farm.paused.add(process.pid)

    def go_on() -> None:
        resume([process])
        farm.paused.discard(process.pid)

    farm.later(seconds, go_on)
    return f"process {process.pid} for {seconds:.1f} s"


def _past_lease(draw: random.Random) -> float:
    # Another `work` waits half a lease longer, and may then take the job.
    return LEASE * draw.uniform(1.2, 3)


@_kind("pause coordinator", 8)
def _pause_coordinator(farm: Farm, draw: random.Random) -> str | None:
    return _pause(farm, _pick(farm, draw, "coordinator"), _past_lease(draw))


@_kind("pause work", 5)
def _pause_work(farm: Farm, draw: random.Random) -> str | None:
    return _pause(farm, _process(draw.choice(farm.works)), _past_lease(draw))


@_kind("pause render", 4)
def _pause_render(farm: Farm, draw: random.Random) -> str | None:
    return _pause(farm, _process(draw.choice(farm.renders)), draw.uniform(0.5, 4))


def _process(program: Program) -> psutil.Process | None:
    if program.process is None or not program.is_running:
        return None
    return psutil.Process(program.process.pid)


_MET_SECONDS = 8.0
"""For a fault of the store to meet a request."""


def _store_faults(
    farm: Farm, draw: random.Random, fate: Fate, most: int, only: Only | None = None
) -> str | None:
    """Give the next requests of one `work` a fault, and wait until one has met it."""
    number = draw.randrange(len(farm.works))
    cable, count = farm.cables[number], draw.randint(1, most)
    if not farm.works[number].is_running or cable.out:
        return None
    before, deadline = cable.met, time.monotonic() + _MET_SECONDS
    cable.add_faults(fate, count, only or (lambda _: True))
    while cable.met == before:
        if time.monotonic() > deadline:
            cable.forget()
            return None
        time.sleep(0.02)
    return f"{farm.works[number].name}, {count} requests"


def _is_write(asked: object) -> bool:
    return getattr(asked, "method", "") == "PUT" and getattr(asked, "kind", "") == "object"


@_kind("store 500", 4)
def _store_500(farm: Farm, draw: random.Random) -> str | None:
    return _store_faults(farm, draw, Fault.ERROR, 10)


@_kind("store 503", 4)
def _store_503(farm: Farm, draw: random.Random) -> str | None:
    return _store_faults(farm, draw, Fault.SLOW_DOWN, 10)


@_kind("store slow", 3)
def _store_slow(farm: Farm, draw: random.Random) -> str | None:
    return _store_faults(farm, draw, Fault.STALL, 4)


@_kind("store reset", 4)
def _store_reset(farm: Farm, draw: random.Random) -> str | None:
    return _store_faults(farm, draw, draw.choice([Fault.DROPPED, Fault.CUT]), 10)


@_kind("store 412", 4)
def _store_lost(farm: Farm, draw: random.Random) -> str | None:
    """Writes whose answers are lost; a conditional one is answered 412 when it is sent again."""
    return _store_faults(farm, draw, Fault.LOST, 4, _is_write)


@_kind("store 409", 4)
def _store_409(farm: Farm, draw: random.Random) -> str | None:
    return _store_faults(farm, draw, CONFLICT, 4, _is_write)


@_kind("cut cable", 4)
def _cut(farm: Farm, draw: random.Random) -> str | None:
    """Cut one `work` off from the store for longer than its lease."""
    number, seconds = draw.randrange(len(farm.works)), _past_lease(draw)
    cable = farm.cables[number]
    if cable.out or not farm.works[number].is_running:
        return None
    cable.out = True
    farm.later(seconds, lambda: setattr(cable, "out", False))
    assert not _answers(cable), "the cable is not cut"
    return f"{farm.works[number].name} for {seconds:.1f} s"


def _answers(cable: Cable) -> bool:
    connection = http.client.HTTPConnection(urlsplit(cable.endpoint).netloc, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


@_kind("full disk", 4)
def _full_disk(farm: Farm, draw: random.Random) -> str | None:
    """Fill the disk of all scratch folders and of the local renders for some seconds."""
    if farm.disk_full or farm.may_fail_for_space:
        return None
    seconds, farm.disk_full = draw.uniform(1, 5), True
    written = farm.disk.fill()

    def free() -> None:
        farm.disk.free()
        farm.disk_full, farm.disk_freed = False, time.monotonic()

    farm.later(seconds, free)
    assert shutil.disk_usage(farm.disk.path).free < os.sysconf("SC_PAGE_SIZE") * 256
    return f"{written >> 20} MiB for {seconds:.1f} s"


@_kind("clock step", 6)
def _step_clock(farm: Farm, draw: random.Random) -> str | None:
    """Move the wall clock of a `work` and of the renders by five minutes."""
    old = farm.clock.offset
    # Back and forth, so that the store's signatures stay valid.
    new = draw.choice([-CLOCK_STEP, CLOCK_STEP]) if old == 0 else 0
    farm.clock.set(new)
    shown = farm.clock.shown() - time.time()
    assert abs(shown - new) < 10, f"the clock shows {shown:+.0f} s, not {new:+d} s"
    return f"{old:+d} s to {new:+d} s"
