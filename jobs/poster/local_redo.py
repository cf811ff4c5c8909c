"""Redos on this machine, from what `render --keep` left in its hidden folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.planning.identity import pixel_document
from jobs.planning.machine import this_machine
from jobs.planning.memory import VALUE_BYTES
from jobs.planning.poster import PosterPlan
from jobs.planning.weights import find_weights
from jobs.poster.redo import plan_request
from jobs.records.keys import JobKeys
from jobs.records.manifest import MANIFEST
from jobs.records.record import read_json_object
from jobs.runtime.checkpoints import CommitPart
from jobs.runtime.local_workdir import LocalWorkdir, open_local_store
from jobs.runtime.octave_ends import OctaveEnds, ancestry
from jobs.runtime.ownership import read_mapping
from jobs.spec.document import parse_poster_spec
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from jobs.store.store import Store
from jobs.text.errors import RequestError
from render.pictures.tiled_image import CHANNELS

_ADOPTED = 0
"""The lease number in the keys of commits that are taken from another folder. No holder has it."""


@dataclass(frozen=True)
class RenderedHere:
    """A poster in a folder of results, and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def job(self) -> str:
        """The id of the job."""
        return str(self.manifest["job"])


def rendered_here(text: str, folder: Path) -> RenderedHere | None:
    """The poster in a folder in that folder, whose job id starts with a text; None if none.

    text: also the path of the folder of a poster. Raises RequestError if there are several.
    """
    if (named := read_mapping(Path(text) / MANIFEST)).get("job") is not None:
        return RenderedHere(Path(text), named)
    places = (one for one in sorted(folder.glob("*")) if one.is_dir())
    found = {}
    for place in places:
        manifest = read_mapping(place / MANIFEST)
        job = manifest.get("job")
        if isinstance(job, str) and text and job.startswith(text):
            found[job] = RenderedHere(place, manifest)
    if len(found) > 1:
        raise RequestError(
            f"{text}: {len(found)} renders start with this: {', '.join(found)}; give more of the id"
        )
    return next(iter(found.values()), None)


def redo_of(here: RenderedHere, request: RedoRequest) -> PosterSpec:
    """The spec of a redo of a poster that was rendered here.

    Raises:
        RequestError: the request is wrong, the picture has changed, or its octaves are not kept.
    """
    document = here.manifest.get("spec")
    spec = parse_poster_spec(document if isinstance(document, dict) else {})
    path = (document or {}).get("input", {}).get("path")
    if path is not None and not Path(path).is_absolute():
        raise RequestError(
            f"{here.folder}: was fetched from a store; redo {here.job} there, with --store"
        )

    def remaining() -> list[int]:
        kept = _kept(here.folder, here.job, spec)
        return [] if kept is None else kept.remaining()

    plan = plan_request(spec, here.job, request, remaining, this_machine(), find_weights)
    if plan.redo is None or not _is_of(here.manifest, plan.redo.older):
        raise RequestError(
            f"{here.job}: its picture, its weights or this version have changed since; render it "
            "again, and redo that"
        )
    return plan.spec


def _kept(folder: Path, job: str, spec: PosterSpec) -> OctaveEnds | None:
    """The octaves that a render left in a folder of results."""
    workdir = LocalWorkdir(folder, job)
    if not workdir.store.is_dir():
        return None
    return OctaveEnds(open_local_store(workdir.store.absolute()), ancestry(job, spec.document()))


def check_disk(plan: PosterPlan, workdir: LocalWorkdir, store: Store, *, keeps: bool) -> None:
    """Check that the disk has room for a render, and for the octaves that stay or are missing.

    keeps: whether its octaves stay. Raises MachineTooSmall.
    """
    pixels = sum(one.pixels for one in plan.octaves[plan.first : -1]) if keeps else 0
    if not _has_older(workdir.job, store):
        sizes = [size for older in plan.older_plans for size in older.octave_sizes]
        pixels += sum(height * width for height, width in sizes)
    extra = pixels * CHANNELS * VALUE_BYTES[plan.precision]
    replace(plan.disk, scratch=plan.disk.scratch + extra).check(workdir.out)


def _has_older(job: str, store: Store) -> bool:
    """Whether a redo has canvases of its older picture, or has begun to render it again."""
    return next(iter(store.list_objects(JobKeys(job, 1).checkpoints)), None) is not None


def adopt_octaves(
    plan: PosterPlan, workdir: LocalWorkdir, store: Store, older: Path | None
) -> None:
    """Take the canvases that a redo needs from the folder of its picture, if they are kept there.

    They become links, or copies, in the redo's own working folder, so that both are independent.

    older: that folder; None for one beside the redo's own, with the name of the job.
    """
    if plan.redo is None or _has_older(workdir.job, store):
        return
    parent = plan.redo.parent
    source = LocalWorkdir(workdir.out.parent / parent if older is None else older, parent)
    if not source.store.is_dir():
        return
    kept_store = open_local_store(source.store.absolute())
    manifest = read_json_object(kept_store, source.keys.manifest)
    if manifest is not None and _is_of(manifest, plan.redo.older):
        _adopt(plan, workdir.job, store, kept_store)


def _adopt(plan: PosterPlan, job: str, store: Store, kept_store: Store) -> None:
    if plan.redo is None:
        return
    parent = plan.redo.parent
    kept = OctaveEnds(kept_store, ancestry(parent, plan.redo.older.spec.document()))
    if any(kept.layers(octave) is None for octave in plan.redo.needed):
        return
    for generation in range(len(plan.older_plans)):
        old, new = JobKeys(parent, generation), JobKeys(job, generation + 1)
        for octave, commit in kept.ends(old).items():
            parts = tuple(_link(part, old, new, store, kept_store) for part in commit.parts)
            moved = commit.model_copy(update={"parts": parts})
            store.put(new.commit(_ADOPTED, octave), moved.encode())
        for plan_bytes in _read(kept_store, old.plan):
            # Last: without it, the commits are not used.
            store.put(new.plan, plan_bytes)


def _read(store: Store, key: str) -> Iterator[bytes]:
    if any(entry.key == key for entry in store.list_objects(key)):
        yield store.get(key)


def _link(
    part: CommitPart, old: JobKeys, new: JobKeys, store: Store, kept_store: Store
) -> CommitPart:
    """Link or copy an object of tiles into another store."""
    key = new.checkpoints + part.key.removeprefix(old.checkpoints)
    source, target = kept_store.local_path(part.key), store.local_path(key)
    if source is None or target is None:
        raise ValueError("local stores are folders")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        pass
    except OSError:
        store.upload(source, key)
    return part.model_copy(update={"key": key})


def _is_of(manifest: dict[str, Any], plan: PosterPlan) -> bool:
    """Whether a manifest is that of a plan, whatever files it made."""
    identity = manifest.get("identity")
    expected = pixel_document(plan.identity.document)
    return isinstance(identity, dict) and pixel_document(identity) == expected
