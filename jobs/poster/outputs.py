"""Encodes a poster's output files from the final commit, without a crew."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from jobs.planning.memory import encoding_memory
from jobs.planning.poster import PosterPlan
from jobs.runtime.context import JobContext
from jobs.runtime.manifest import OutputFile
from jobs.runtime.metrics.counters import ResourceUse
from jobs.spec.poster import Output
from render.pictures.output_format import FORMATS, Labels
from render.pictures.tiled_image import TiledImage


def output_names(plan: PosterPlan) -> list[str]:
    """The names of the plan's files, in the order of its outputs."""
    return [output_name(plan, output) for output in plan.spec.outputs]


def output_name(plan: PosterPlan, output: Output) -> str:
    """The name of one output's file, or of its .dzi."""
    return plan.spec.name + FORMATS[output.format].suffix


def output_labels(plan: PosterPlan) -> Labels:
    """The metadata of the plan's files: resolution and label."""
    return Labels(plan.extent.dpi, plan.label())


def parallel_outputs(plan: PosterPlan) -> int:
    """How many outputs to encode at once, with the cores of a crew and the memory of one worker."""
    most, width = min(plan.workers, len(plan.spec.outputs)), plan.extent.width
    fitting = (n for n in range(most, 1, -1) if encoding_memory(width, n) <= plan.memory.limit)
    return next(fitting, 1)


def encoding_resources(plan: PosterPlan) -> ResourceUse:
    """The resources that encoding the outputs needs."""
    threads = parallel_outputs(plan)
    return ResourceUse(cores=threads, gpus=0, memory=encoding_memory(plan.extent.width, threads))


def write_outputs(
    plan: PosterPlan, context: JobContext, canvas: TiledImage, check_stop: Callable[[], None]
) -> list[OutputFile]:
    """Encode every output of the final canvas, and its preview, in this process.

    Reads the canvas in bands, so the memory grows with the poster's width alone. check_stop: called
    in threads before each band of each output; its exceptions end all of them.
    """
    # Imported here because it loads torch.
    from jobs.poster.picture_io import PictureIO

    pictures, ended = PictureIO(context), threading.Event()

    def check() -> None:
        if ended.is_set():
            raise _GivenUp
        check_stop()

    pictures.write_preview(canvas, len(plan.octaves))
    with ThreadPoolExecutor(parallel_outputs(plan), "output") as pool:
        try:
            writing = [
                pool.submit(
                    pictures.write_output,
                    canvas,
                    output_name(plan, one),
                    one,
                    output_labels(plan),
                    check,
                )
                for one in plan.spec.outputs
            ]
            for one in as_completed(writing):
                one.result()
        finally:
            # After an error or Ctrl-C, end the other outputs early.
            ended.set()
    return [one.result() for one in writing]


class _GivenUp(Exception):  # noqa: N818 - not an error
    """This output was given up because another one failed."""
