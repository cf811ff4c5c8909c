"""A plan rendered here and now, by a crew on this machine."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.berth import Berth
from cluster.crew import Crew
from jobs.errors import RequestError
from jobs.manifest import MANIFEST, manifest, versions, write_manifest
from jobs.plan import Plan
from jobs.poster import (
    Progress,
    Watch,
    Written,
    member_arguments,
    output_names,
    render_poster,
)
from jobs.worker import Worker
from render.pictures.deepzoom import publish

_FRAGMENT_ROUNDS = 4
"""Rounds of fragments that Ray's store holds at most: made, taken, and not yet collected."""

_LEAST_STORE = 100 << 20  # Ray refuses less than 75 MiB


def render_here(plan: Plan, out: Path, watch: Watch, *, in_process: bool) -> dict[str, Any]:
    """Render a plan into the folder `out`; returns the manifest, which lies there too.

    The crew is on a private Ray, or in this process. Until all outputs are complete, `out` holds
    nothing but a hidden working folder, which goes whatever happens. Raises RequestError where
    there is no room or no permission, ClusterError where the crew fails.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    with _working_folder(out) as scratch:
        plan.disk.check(out)
        _check_places(plan, out)
        software = versions()
        times = _Times(watch)
        with _crew(plan, scratch, in_process) as crew:
            written = render_poster(plan, crew, scratch, times)
        seconds = {**times.seconds(), "total": time.monotonic() - clock}
        # A manifest that is there speaks of the files that are replaced now.
        (out / MANIFEST).unlink(missing_ok=True)
        moved = [_published(one, out) for one in written]
    content = manifest(plan, moved, software, started, seconds)
    write_manifest(out, content)
    return content


@contextmanager
def _working_folder(out: Path) -> Iterator[Path]:
    made: list[Path] = []
    try:
        made += (folder for folder in (out, *out.parents) if not folder.exists())
        out.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".rendering-", dir=out))
    except OSError as why:
        _remove_if_empty(made)
        raise RequestError(
            f"{out}: cannot be written ({why.strerror}); choose another --out"
        ) from why
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        _remove_if_empty(made)


def _check_places(plan: Plan, out: Path) -> None:
    """RequestError where a folder stands in the place of a file that will be written."""
    for name in (MANIFEST, *output_names(plan)):
        if (out / name).is_dir():
            raise RequestError(f"{out / name}: is a folder; remove it, or choose another --out")


def _remove_if_empty(folders: list[Path]) -> None:
    """Take back folders made for a render that left nothing in them, the innermost first."""
    for folder in folders:
        if not folder.is_dir():
            continue
        if any(folder.iterdir()):
            return
        folder.rmdir()


@contextmanager
def _crew(plan: Plan, scratch: Path, in_process: bool) -> Iterator[Crew]:
    arguments = member_arguments(plan, scratch)
    if in_process:
        from cluster.inprocess import LocalCrew

        with LocalCrew(Worker, arguments) as crew:
            yield crew
        return
    from cluster.machine import local_ray

    cpus = 1 if plan.spec.crew.cpus_per_worker == "auto" else plan.spec.crew.cpus_per_worker
    store = max(_LEAST_STORE, _FRAGMENT_ROUNDS * plan.memory.lent * plan.workers)
    with local_ray(cpus * plan.workers, store) as ray_crew:
        berth = Berth(cpus=cpus, gpus=plan.gpus_per_worker)
        with ray_crew(Worker, arguments, berth) as crew:
            yield crew


class _Times:
    """Passes progress on, and notes how long each phase took."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._begun: dict[str, float] = {}

    def __call__(self, progress: Progress) -> None:
        self._begun.setdefault(progress.phase, time.monotonic())
        self._watch(progress)

    def seconds(self) -> dict[str, float]:
        """Wall seconds by phase, each until the next began."""
        ends = [*list(self._begun.values())[1:], time.monotonic()]
        return {
            phase: end - begun
            for (phase, begun), end in zip(self._begun.items(), ends, strict=True)
        }


def _published(one: Written, out: Path) -> Written:
    """Move an output to its final place: a file, or a DeepZoom with its folder of tiles."""
    final = out / one.path.name
    if one.format == "deepzoom":
        publish(one.path, final)
    else:
        one.path.replace(final)
    return Written(final, one.format, one.depth, one.digest)
