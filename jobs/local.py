"""A plan rendered here and now: the same machinery as for a store, on a folder of its own."""

import functools
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.checkpoint.checkpoints import valid_commits
from jobs.checkpoint.site import Site, patient_store
from jobs.errors import RequestError
from jobs.holding.crews import Start
from jobs.holding.holding import Holding
from jobs.holding.keeper import Keeper
from jobs.holding.reporter import Reporter
from jobs.lifecycle.errors import LeaseLost
from jobs.lifecycle.intent import Intent
from jobs.lifecycle.keys import JobKeys
from jobs.lifecycle.lease import Held, Standing, claim, standing
from jobs.manifest import MANIFEST, write_manifest
from jobs.plan import Plan
from jobs.poster.control import Control, Stopped
from jobs.poster.outputs import output_names
from jobs.poster.progress import Progress, Watch
from jobs.store.store import Store
from render.pictures.deepzoom import publish

WORKING = ".rendering"
"""The hidden folder beside the results in which a render works, and from which it can go on."""

_TTL = 30.0
"""Seconds of a lease: how long a render on another machine keeps its folder after it has died."""


def render_here(plan: Plan, out: Path, watch: Watch, start: Start) -> dict[str, Any]:
    """Render a plan into the folder `out`; returns the manifest, which lies there too.

    Until all outputs are complete, `out` holds nothing but a hidden working folder. What was
    killed or failed after its first checkpoint leaves that folder, and the same render goes on
    from it; otherwise it goes.

    Raises RequestError where there is no room or no permission or another process renders the same
    there, ClusterError where the crew fails.
    """
    place = _Place(out, plan.identity.job_id)
    with _working_folder(place) as store, _claimed(place, store) as (site, held):
        plan.disk.check(out)
        _check_places(plan, out)
        control, reporter = Control(), _Watched(site, watch)
        holding = Holding(plan, plan.spec.document(), site, held, start, control, reporter)
        with Keeper(store.impatient(), held, control, reporter):
            try:
                found = holding.run()
            except Stopped as stopped:
                raise LeaseLost(f"{out}: another render goes on with this one") from stopped
        # A manifest that is there speaks of the files that are replaced now.
        (out / MANIFEST).unlink(missing_ok=True)
        content = {**found, "outputs": [_published(one, place, store) for one in found["outputs"]]}
    write_manifest(out, content)
    return content


@dataclass(frozen=True)
class _Place:
    """A folder for results, and the job that is rendered into it."""

    out: Path
    job: str

    @property
    def working(self) -> Path:
        return self.out / WORKING / self.job

    @property
    def store(self) -> Path:
        return self.working / "store"

    @property
    def keys(self) -> JobKeys:
        return JobKeys(self.job)


class _Watched(Reporter):
    """Tells who waits here as well."""

    def __init__(self, site: Site, watch: Watch) -> None:
        super().__init__(site, generation=0)
        self._watch = watch

    def watch(self, progress: Progress) -> None:
        super().watch(progress)
        self._watch(progress)


@contextmanager
def _working_folder(place: _Place) -> Iterator[Store]:
    made: list[Path] = []
    try:
        made += (folder for folder in (place.out, *place.out.parents) if not folder.exists())
        place.store.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        _remove_if_empty(made)
        raise RequestError(
            f"{place.out}: cannot be written ({why.strerror}); choose another --out"
        ) from why
    try:
        yield patient_store(str(place.store))
    finally:
        _remove_if_empty([place.store, place.working, place.working.parent, *made])


def can_go_on(out: Path, job: str) -> bool:
    """Whether a render into a folder left what the same render can go on from."""
    place = _Place(out, job)
    return bool(place.store.is_dir() and valid_commits(patient_store(str(place.store)), place.keys))


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
def _claimed(place: _Place, store: Store) -> Iterator[tuple[Site, Held]]:
    """The next lease, unless somebody is at work here.

    Afterwards only what somebody can go on from is left.
    """
    before = standing(store, place.keys)
    if before is not None and before.is_live and not _is_dead(before):
        raise RequestError(
            f"{place.out}: is being rendered into by {before.lease.holder}; wait for it, or choose "
            "another --out"
        )
    held = claim(store, place.keys, before.number if before else 0, _me(), _TTL)
    if held is None:
        raise RequestError(f"{place.out}: another render into it was faster; wait for it")
    store.put(place.keys.intent, Intent().encoded())
    opener = functools.partial(patient_store, str(place.store))
    is_worth_keeping = True
    try:
        yield Site(opener, place.job, held.number, place.working / "scratch"), held
        is_worth_keeping = False
    except LeaseLost:
        raise
    except BaseException:
        is_worth_keeping = bool(valid_commits(store, place.keys))
        raise
    finally:
        held.release()
        if not is_worth_keeping:
            shutil.rmtree(place.working, ignore_errors=True)


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(before: Standing) -> bool:
    """Whether the holder was a process of this machine that is gone."""
    host, _, process = before.lease.holder.rpartition(":")
    return host == socket.gethostname() and not Path(f"/proc/{process}").exists()


def _published(one: dict[str, Any], place: _Place, store: Store) -> dict[str, Any]:
    """Move an output to its final place: a file, or a DeepZoom with its folder of tiles."""
    made = store.local(f"{place.keys.folder}{one['path']}")
    if made is None:
        raise ValueError("a local store is a folder")
    final = place.out / made.name
    if one["format"] == "deepzoom":
        publish(made, final)
    else:
        made.replace(final)
    return {**one, "path": final.name}
