"""Trains a network on a user's own pictures, into a folder of results."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.dataset.contact_sheet import Cell, draw_contact_sheet
from jobs.planning.identity import file_digest, make_identity
from jobs.runtime.local_workdir import (
    TRAINING_NAME,
    LocalWorkdir,
    claim_workdir,
    keep_renewed,
    open_workdir,
)
from jobs.runtime.publish import Publisher, StagedResult, Target
from jobs.spec.base import NAME_LENGTH, slug
from jobs.spec.dataset import MAX_SHEET
from jobs.text.errors import RequestError
from jobs.text.report import ResultReport
from render.errors import TrainingError
from render.training.finetune.image_folder import Motif, list_motifs
from render.training.finetune.settings import FineTuneSettings, Stage, Watch, usual_batches

if TYPE_CHECKING:
    import numpy as np

    from render.training.evaluation import Figures
    from render.training.finetune.picture_pool import PicturePool

_LISTED = 5  # files in a message


def train(
    folder: Path,
    out_of: Callable[[str], Path],
    settings: FineTuneSettings,
    watch: Watch,
    *,
    batches: int | None = None,
    overwrite: bool = False,
) -> ResultReport:
    """Train a network on a folder that has a folder of pictures for each motif.

    The results are a weights file, a sheet of its classes, and the manifest. If interrupted, the
    same call goes on from a hidden folder beside them.

    Args:
        folder: The pictures.
        out_of: Returns the folder of the results for the id of the job.
        settings: What else decides the network.
        watch: Gets the progress.
        batches: Replaces those of the settings; None means as many as so many motifs need.
        overwrite: Whether to replace files there that this job did not make; never pictures.

    Raises:
        TrainingError: There are too few pictures, or they are not in folders of motifs.
        RequestError: The folder of the results is among the pictures, cannot be written, or has
            files that this job did not make; or another process trains there.
        LeaseLost: Another process has taken over.
    """
    motifs = list_motifs(folder, _reserved(settings))
    settings = replace(settings, batches=batches or usual_batches(len(motifs)))
    name = slug(folder.resolve().name)[:NAME_LENGTH].strip("._-") or "motifs"
    job = make_identity(name, _identity(motifs, settings)).job_id
    out = out_of(job)
    _check_outside(folder, out)
    workdir = LocalWorkdir(out, job, TRAINING_NAME)
    made = workdir.path / "made"
    with (
        open_workdir(workdir) as store,
        claim_workdir(workdir, store, made.is_dir, is_permanent=False) as (_, lease),
        keep_renewed(lease),
    ):
        publisher = Publisher(
            Target(out, overwrite), job, workdir.path, lease.check, lambda: _files(motifs)
        )
        names = [f"{name}.safetensors", f"{name}.jpg"]
        publisher.check_names(names)
        made.mkdir(exist_ok=True)

        def watch_held(stage: Stage) -> None:
            # A late process must not write into `made`, where another one goes on.
            lease.check()
            watch(stage)

        manifest = _make(motifs, made, names, settings, watch_held) | {"job": job}
        staged = [
            StagedResult(one["path"], made / one["path"], one["sha256"])
            for one in manifest["outputs"]
        ]
        publisher.publish(staged, manifest)
    return _report(manifest, out)


def _reserved(settings: FineTuneSettings) -> Sequence[str]:
    """The classes that no motif may have."""
    if not settings.keep_classes:
        return ()
    from render.networks.builtin import PAREIDOLIA
    from render.networks.classes import class_names

    return class_names(PAREIDOLIA)


def _identity(motifs: Sequence[Motif], settings: FineTuneSettings) -> dict[str, Any]:
    """What decides the network. Pictures are known by name, size and time: hashing takes hours."""
    pictures = {
        motif.name: [
            [path.name, found.st_size, found.st_mtime_ns]
            for path in motif.files
            for found in [path.lstat()]
        ]
        for motif in motifs
    }
    return {"pictures": pictures, "settings": asdict(settings), "dreamfarm": version("dreamfarm")}


def _check_outside(folder: Path, out: Path) -> None:
    root = folder.resolve()
    if root == out.resolve() or root in out.resolve().parents:
        raise RequestError(f"{out}: lies in {root}, among the pictures; choose another --out")


def _files(motifs: Sequence[Motif]) -> Iterator[Path]:
    for motif in motifs:
        yield from motif.files


def _make(
    motifs: Sequence[Motif],
    made: Path,
    names: Sequence[str],
    settings: FineTuneSettings,
    watch: Watch,
) -> dict[str, Any]:
    """Make the results in the folder `made`, and return their manifest."""
    from render.training.finetune.class_pictures import dream_classes
    from render.training.finetune.finetune import (
        CHECKPOINT_SECONDS,
        Checkpoints,
        fine_tune,
        this_machine,
    )
    from render.training.finetune.picture_pool import read_pool
    from render.training.finetune.weights_file import class_names_of, judge, write_weights

    weights, sheet = (made / name for name in names)
    machine = this_machine()
    try:
        pool = read_pool(motifs, made / "pictures", settings.seed, watch)
    except TrainingError:
        shutil.rmtree(made)  # the same request will fail again
        raise
    checkpoints = Checkpoints(made / "checkpoint.pt", CHECKPOINT_SECONDS)
    network = fine_tune(pool, settings, machine, checkpoints, watch)
    figures = judge(network, pool, settings, machine, watch)
    write_weights(network, weights, pool, settings, figures)
    classes = class_names_of(pool, settings)
    pictures = dream_classes(weights, min(len(classes), MAX_SHEET), settings.seed, machine, watch)
    # Not in place: after an interruption it may be a hard link to the published sheet.
    sheet.unlink(missing_ok=True)
    sheet.write_bytes(_draw_sheet(list(pictures), classes, weights.stem))
    return _manifest(pool, classes, figures, settings, (weights, sheet))


def _draw_sheet(pictures: Sequence["np.ndarray"], classes: Sequence[str], title: str) -> bytes:
    cells = [
        Cell(None, _png(picture), label) for picture, label in zip(pictures, classes, strict=False)
    ]
    return draw_contact_sheet(cells, title)


def _png(picture: "np.ndarray") -> bytes:
    from PIL import Image

    content = BytesIO()
    Image.fromarray(picture).save(content, "PNG")
    return content.getvalue()


def _manifest(
    pool: "PicturePool",
    classes: Sequence[str],
    figures: "Figures",
    settings: FineTuneSettings,
    made: Sequence[Path],
) -> dict[str, Any]:
    return {
        "version": 1,
        "kind": "training",
        "dreamfarm": version("dreamfarm"),
        "classes": list(classes),
        "licence": settings.licence,
        "pictures": {one.name: len(one.squares) for one in pool.motifs},
        "left_out": [one._asdict() for one in pool.left_out],
        "figures": figures,
        "outputs": [
            {
                "path": path.name,
                "format": path.suffix[1:],
                "bytes": path.stat().st_size,
                "sha256": file_digest(path),
            }
            for path in made
        ],
    }


def _report(manifest: dict[str, Any], out: Path) -> ResultReport:
    paths = [out / one["path"] for one in manifest["outputs"]]
    document = {
        "job": manifest["job"],
        "state": "succeeded",
        "manifest": str(out / "manifest.json"),
        "outputs": [
            {**one, "path": str(path)} for one, path in zip(manifest["outputs"], paths, strict=True)
        ],
        **{name: manifest[name] for name in ("classes", "pictures", "left_out", "figures")},
    }
    figures = manifest["figures"]
    line = (
        f"of {figures['held_out']} held-out pictures it names {figures['clean_accuracy']:.0%}, "
        f"and {figures['perturbed_accuracy']:.0%} after an attack"
    )
    return ResultReport(manifest, document, (*map(str, paths), line), _left_out(manifest))


def _left_out(manifest: dict[str, Any]) -> str | None:
    """A note that names the files that could not be read."""
    reasons = [one["reason"] for one in manifest["left_out"]]
    if not reasons:
        return None
    more = len(reasons) - _LISTED
    listed = "; ".join(reasons[:_LISTED]) + (
        f"; and {more} more, see the manifest" if more > 0 else ""
    )
    return f"left out {len(reasons)}: {listed}"
