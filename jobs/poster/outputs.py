"""The output files of a poster, encoded without a crew, and the manifest that describes them."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from jobs.planning.machine import available_cores
from jobs.planning.memory import MOST_THREADS, encoding_memory
from jobs.planning.poster import PosterPlan
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.spec.poster import Output
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiled_image import TiledImage
from render.version import PIXEL_VERSION

if TYPE_CHECKING:
    from jobs.poster.picture_io import OutputFile


def output_names(plan: PosterPlan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [output_name(plan, output) for output in plan.spec.outputs]


def output_name(plan: PosterPlan, output: Output) -> str:
    """The name of one output's file; for a DeepZoom, of its .dzi file."""
    return plan.spec.name + FORMATS[output.format].suffix


def output_labels(plan: PosterPlan) -> Labels:
    """The metadata of the plan's files: resolution and label."""
    return Labels(plan.extent.dpi, plan.label())


class EncodingPlan(NamedTuple):
    """How the outputs are encoded: how many at once, the threads of each, and the memory."""

    outputs: int
    threads: int
    memory: int


def encoding_plan(plan: PosterPlan) -> EncodingPlan:
    """Plan the encoding of the outputs, with the cores of a crew and the memory of one worker."""
    cores, outputs = plan.workers * plan.cores_per_worker, plan.spec.outputs
    if plan.gpus_per_worker:
        # A worker with a GPU reserves one core, and the machine has more.
        cores = max(cores, available_cores())
    most = min(cores, len(outputs))
    for together in range(most, 0, -1):
        for threads in range(min(cores // together, MOST_THREADS), 0, -1):
            memory = encoding_memory(plan.extent.width, outputs, together, threads)
            if memory <= plan.memory.limit or together == threads == 1:
                return EncodingPlan(together, threads, memory)
    raise AssertionError("one output with one thread is always allowed")


def encoding_resources(plan: PosterPlan) -> ResourceUse:
    """The resources that encoding the outputs needs."""
    encoding = encoding_plan(plan)
    return ResourceUse(cores=encoding.outputs * encoding.threads, gpus=0, memory=encoding.memory)


def write_outputs(
    plan: PosterPlan, context: JobContext, canvas: TiledImage, check_stop: Callable[[], None]
) -> "list[OutputFile]":
    """Encode all outputs of the final canvas, and its preview, in this process.

    The canvas is read in bands, so the memory grows with the poster's width only.

    check_stop: called in threads before each band of each output. An exception that it raises ends
    all outputs, and is raised here.

    Raises:
        OutputError: a file cannot be written.
        StoreError: a file cannot be uploaded.
    """
    # Imported here because it loads torch.
    from jobs.poster.picture_io import PictureIO

    pictures, has_ended = PictureIO(context), threading.Event()

    def check() -> None:
        if has_ended.is_set():
            raise _Abandoned
        check_stop()

    pictures.write_preview(canvas, len(plan.octaves))
    encoding = encoding_plan(plan)
    with ThreadPoolExecutor(encoding.outputs, "output") as pool:
        try:
            writing = [
                pool.submit(
                    pictures.write_output,
                    canvas,
                    output_name(plan, one),
                    one,
                    output_labels(plan),
                    check,
                    encoding.threads,
                )
                for one in plan.spec.outputs
            ]
            for one in as_completed(writing):
                one.result()
        finally:
            # After an error or Ctrl-C, end the other outputs early.
            has_ended.set()
    return [one.result() for one in writing]


class _Abandoned(Exception):  # noqa: N818 - not an error
    """This output was abandoned because another one failed."""


def poster_manifest(
    plan: PosterPlan,
    environment: Environment,
    document: dict[str, Any],
    outputs: Sequence[dict[str, Any]],
    started: datetime,
    seconds: dict[str, float],
) -> dict[str, Any]:
    """The manifest of a poster as JSON values: what was made, from what, and with what.

    Args:
        environment: of the crew.
        document: the spec as the user submitted it.
        outputs: see `output_document`.
        started: the time in UTC when the holder that finished the job started.
        seconds: wall-clock times of that holder by phase.
    """
    return {
        "version": 1,
        "job": plan.identity.job_id,
        "state": "succeeded",
        "spec": document,
        "identity": plan.identity.document,
        "plan": plan.pixel_settings(),
        "input": {
            "height": plan.source.height,
            "width": plan.source.width,
            "depth": plan.source.depth,
            "sha256": plan.source.digest,
            **({"notes": list(plan.source.notes)} if plan.source.notes else {}),
        },
        "weights": {"sha256": plan.weights_digest},
        "pixel_version": PIXEL_VERSION,
        "software": environment.software,
        "device": environment.device_name,
        "workers": plan.workers,
        "started": started.isoformat(timespec="seconds"),
        "seconds": {phase: round(time, 2) for phase, time in seconds.items()},
        "megapixel_steps": round(plan.megapixel_steps, 3),
        "outputs": list(outputs),
    }


def output_document(plan: PosterPlan, folder: str, file: "OutputFile") -> dict[str, Any]:
    """The entry of an output in the manifest.

    folder: the folder of the outputs relative to the manifest, with its final `/`.
    """
    return {
        "path": f"{folder}{file.name}",
        "format": file.format,
        "width": plan.extent.width,
        "height": plan.extent.height,
        "depth": file.depth,
        "dpi": plan.extent.dpi,
        "bytes": file.size,
        "sha256": file.digest,
    }
