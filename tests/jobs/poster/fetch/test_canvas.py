"""The final canvas has the size and the labels of the job's own files."""

from pathlib import Path

from jobs.poster.fetch.canvas import final_canvas
from jobs.poster.outputs import output_labels
from jobs.records.job import load_job
from jobs.store.folder import FolderStore
from tests.support.rendered_poster import render_poster
from tests.support.small_poster import plan_poster

SETTINGS = (
    "size=9mm x auto @ 300dpi",
    "outputs=[png]",
    "objectives=[{layer: features.4, weight: 2.0}, {layer: features.3, channels: [1, 3]}]",
)


def test_the_canvas_has_the_labels_and_the_size_of_the_plan(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    rendered = render_poster(picture, weights, tmp_path, *SETTINGS)
    store = FolderStore(rendered.store)
    job = load_job(store, rendered.job)
    canvas = final_canvas(store, job, rendered.manifest["outputs"][0]["dpi"])

    assert canvas is not None
    plan = plan_poster(picture, weights, *SETTINGS)
    assert canvas.labels == output_labels(plan)
    assert canvas.size == plan.size
