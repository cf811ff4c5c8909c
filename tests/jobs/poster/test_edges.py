"""A poster that repeats: any crew renders the reference's picture, and `plan` says if it closes."""

from pathlib import Path

import numpy as np
import pytest
import pyvips
import torch

from jobs.planning.estimate.request import EstimateRequest
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.plan_report import poster_plan_report
from jobs.poster.redo_spec import redo_spec
from jobs.poster.submit import submit_poster
from jobs.runtime.context import retrying_store
from jobs.spec.redo import RedoRequest
from jobs.text.report import Properties
from render.dream.reference import dream_reference
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_canvas, to_samples
from render.pictures.decode import open_picture
from tests.support.small_poster import LAYER, MACHINE, NETWORK, claim_poster, plan_poster

CLOSED = ("dream.edges=wrap", "precision=float64", "size=120x88", "fit=stretch")


def reference(plan: PosterPlan, picture: Path) -> np.ndarray:
    """The 8-bit samples of the poster, rendered without tiles."""
    source = np.concatenate(list(open_picture(picture).bands(64)))
    canvas = to_canvas(source, torch.float64)
    found = dream_reference(
        load_network(NETWORK, plan.weights, (LAYER,), torch.float64),
        layer_grid(build_network(NETWORK), NETWORK, (LAYER,)),
        plan.mix,
        plan.spec.dream,
        lambda rect: canvas[rect.slices()],
        (source.shape[0], source.shape[1]),
        plan.size,
    )
    return to_samples(found, 8)


def samples(plan: PosterPlan, folder: Path, workers: int) -> np.ndarray:
    """The samples of the poster, rendered by a crew with its job in the store of a folder."""
    submit_poster(retrying_store(str(folder / "store")), plan.spec)
    poster = claim_poster(plan.with_workers(workers), folder)
    (output,) = poster.run()["outputs"]
    found: np.ndarray = pyvips.Image.new_from_file(str(poster.path(output))).numpy()
    return found


@pytest.mark.parametrize("workers", [1, 3])
def test_every_crew_renders_the_reference(
    picture: Path, weights: Path, tmp_path: Path, workers: int
) -> None:
    plan = plan_poster(picture, weights, *CLOSED)
    np.testing.assert_array_equal(samples(plan, tmp_path, workers), reference(plan, picture))


@pytest.mark.parametrize(
    ("edges", "size", "told"),
    [
        ("zero", "101x90", None),
        ("mirror", "101x90", "mirror"),
        ("wrap", "100x88", "wrap"),
        ("wrap", "101x90", "wrap; closes exactly at 100 x 88"),
        ("wrap-x", "103x90", "wrap-x; closes exactly at 104 x 90"),
        ("wrap-y", "103x92", "wrap-y"),
    ],
)
def test_the_plan_says_where_a_torus_closes(
    picture: Path, weights: Path, edges: str, size: str, told: str | None
) -> None:
    """The network has a stride of 4 pixels."""
    settings = (f"dream.edges={edges}", f"size={size}", "fit=stretch")
    spec = plan_poster(picture, weights, *settings).spec
    request = EstimateRequest()
    report = poster_plan_report(spec, MACHINE, request, lambda _: picture.parent, probe=False)
    assert report.document.get("edges") == told
    rows = [row for part in report.sections if isinstance(part, Properties) for row in part.rows]
    assert dict(rows).get("edges") == told


def test_a_part_at_the_edge_is_dreamed_again_with_what_lies_across(
    picture: Path, weights: Path, tmp_path: Path
) -> None:
    """Its windows read old pixels round the edge, and any crew renders the same bytes."""
    request = RedoRequest(region="70%,0%,30%x60%", settings=("dream.seed=7",))
    plan = plan_poster(picture, weights, *CLOSED)
    found = []
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        old = samples(plan, folder, 1)
        redo = make_plan(redo_spec(plan.spec, plan.identity.job_id, request), MACHINE)
        new = samples(redo, folder, workers)
        assert redo.redo is not None
        assert redo.redo.region is not None
        changed = (old != new).any(2)
        inside = redo.redo.region.rect(redo.size).slices()
        assert changed[inside].mean() > 0.5
        assert changed.sum() == changed[inside].sum()
        found.append(new)
    np.testing.assert_array_equal(found[0], found[1])
