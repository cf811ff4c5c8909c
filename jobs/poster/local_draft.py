"""The first octaves of a poster on this machine: a draft, from which the same render goes on."""

import json
import shutil
from pathlib import Path
from typing import Any

from jobs.planning.poster import PosterPlan
from jobs.poster.local import claim_render, run_render
from jobs.records.keys import JobKeys
from jobs.records.record import read_json_object
from jobs.runtime.backend import StartCrew
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.control import Stopped
from jobs.runtime.local_workdir import WORKDIR_NAME, LocalWorkdir, open_local_store, open_workdir
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Target
from jobs.spec.attachments import map_attachments
from jobs.store.store import Store
from jobs.text.errors import RequestError


def draft_here(
    plan: PosterPlan, target: Target, watch: WatchProgress, start: StartCrew, until: int
) -> tuple[Path, int]:
    """Render the first octaves of a plan into a folder. Returns their picture, and their number.

    That number is higher than `until` if an earlier render went further. The working folder stays,
    so that the same render without a limit goes on from there.

    Args:
        watch: gets the progress after each step.
        start: starts a crew.
        until: how many octaves, at least 1 and fewer than all.

    Raises: as `jobs.poster.local.render_here`.
    """
    workdir = LocalWorkdir(target.out, plan.identity.job_id)
    with open_workdir(workdir) as store:
        try:
            with claim_render(workdir, store, until) as (context, lease):
                plan.disk.check(target.out)
                request = {"version": 1, "spec": absolute_spec(plan)}
                store.put(_request_key(workdir.job), json.dumps(request).encode())
                run_render(plan, context, lease, watch, start)
                # Within the claim, whose end after success would remove what is dreamed.
                raise RequestError(
                    f"{target.out}: all octaves are dreamed already; run the same command without "
                    "--until"
                )
        except Stopped:
            octaves = valid_commits(store, workdir.keys)[0].commit.octave + 1
            return _publish(store, workdir.keys.outputs(lease.number), target.out), octaves


def drafted_render(folder: Path, text: str) -> tuple[dict[str, Any], Path] | None:
    """The spec of the draft of a job in a folder of results, and the folder of that job.

    text: a job id, or its first characters. None if there is no such draft. Raises RequestError if
    there are several.
    """
    found = sorted(
        {
            (path.parent.name, out)
            for out in (folder, *(one for one in folder.glob("*") if one.is_dir()))
            for path in (out / WORKDIR_NAME).glob("*/store")
            if path.parent.name.startswith(text)
        }
    )
    if len(found) > 1:
        named = ", ".join(str(out) for _, out in found)
        raise RequestError(f"{text}: drafts of {len(found)} jobs start with this: {named}")
    for job, out in found:
        store = open_local_store(LocalWorkdir(out, job).store.absolute())
        request = read_json_object(store, _request_key(job))
        if request is not None:
            return request["spec"], out
    return None


def _request_key(job: str) -> str:
    return f"{JobKeys(job).folder}render.json"


def absolute_spec(plan: PosterPlan) -> dict[str, Any]:
    """The document of the spec, with paths that are valid in any working directory."""
    spec: dict[str, Any] = map_attachments(plan.spec.document(), _absolute)
    spec["network"] = {"name": plan.spec.network.name, "weights": _absolute(plan.weights)}
    if plan.spec.input.path is not None:
        spec["input"]["path"] = _absolute(plan.spec.input.path)
    return spec


def _absolute(path: str | Path) -> str:
    return str(Path(path).absolute())


def _publish(store: Store, folder: str, out: Path) -> Path:
    """Copy the picture of a draft out of the working folder."""
    (entry,) = (one for one in store.list_objects(folder) if one.key.endswith(".png"))
    picture = store.local_path(entry.key)
    if picture is None:
        raise ValueError("a local store is a folder")
    path = out / picture.name
    part = path.with_name(f".{path.name}.part")
    try:
        shutil.copyfile(picture, part)
        part.replace(path)
    except OSError as why:
        part.unlink(missing_ok=True)
        raise RequestError(f"{path}: cannot be written ({why.strerror})") from why
    return path
