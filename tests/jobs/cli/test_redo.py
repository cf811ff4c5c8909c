"""`dreamfarm redo`: of a job in a store, and of a render with `--keep`."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from jobs.planning.poster import make_plan
from jobs.poster.staging import stage_spec
from jobs.records.job import load_job
from jobs.records.keys import JobKeys
from jobs.records.redos import open_redos
from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.support.coordinators import claim_job
from tests.support.rendered_poster import RenderedPoster
from tests.support.shell import Shell
from tests.support.small_poster import MACHINE, poster_document

REGION = "20%,10%,40%x50%"


def pixels(path: str | Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_redo_in_a_store_is_a_job_with_a_parent(
    shell: Shell, job: RenderedPoster, store: FolderStore, tmp_path: Path
) -> None:
    told = shell("redo", job.job[:6], "--region", REGION, "--feather", "0%", "--json")
    assert told.code == 0, told.err
    new = json.loads(told.out)
    assert (new["state"], new["parent"]) == ("queued", job.job)
    keys = JobKeys(new["job"])
    redo = load_job(store, keys.job).spec.submitted_document["redo"]
    assert (redo["parent"], redo["region"]) == (job.job, [0.2, 0.1, 0.4, 0.5])
    assert open_redos(store, job.job) == [keys.job]

    # Meanwhile the older picture stays.
    refused = shell("delete", job.job, "--yes")
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert f"{keys.job} dreams it again" in refused.err
    found = json.loads(shell("clean", "--json").out)["found"]
    assert not [one for one in found if "checkpoints" in str(one)]

    assert claim_job(store, keys.job, tmp_path / "scratch").run() == DONE
    done = load_job(store, keys.job)
    assert done.state == "succeeded", done.status
    assert done.manifest is not None
    assert done.manifest["parent"] == {"job": job.job}
    # Its octaves were kept, so it rendered none of them again.
    assert not [*store.list_objects(JobKeys(keys.job, 1).checkpoints)]
    assert open_redos(store, job.job) == []

    for name in (job.job, keys.job):
        assert shell("fetch", name, "--out", tmp_path / name).code == 0
    old, new_pixels = (pixels(tmp_path / name / "sky.png") for name in (job.job, keys.job))
    plan = make_plan(stage_spec(store, done.spec, None, tmp_path / "cache"), MACHINE)
    assert plan.redo is not None
    assert plan.redo.region is not None
    inside = np.zeros(old.shape[:2], bool)
    inside[plan.redo.region.rect(plan.size).slices()] = True
    differs = (old != new_pixels).any(axis=2)
    assert not differs[~inside].any()
    assert differs[inside].mean() > 0.5

    # Another format is encoded from both canvases.
    assert shell("fetch", keys.job, "--format", "tiff:8", "--out", tmp_path / "tiff").code == 0
    np.testing.assert_array_equal(new_pixels, pixels(tmp_path / "tiff" / "sky.tif"))


def test_a_redo_of_cleaned_octaves_says_what_remains_and_what_it_costs(
    shell: Shell, job: RenderedPoster, store: FolderStore
) -> None:
    assert shell("clean", "--yes").code == 0
    refused = shell("redo", job.job, "--region", REGION)
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert "not kept any more, 1 to 2; of 2 octaves none remain" in refused.err
    assert "megapixel-steps" in refused.err
    assert [*store.list_folders("jobs/")] == [job.job]
    allowed = shell("redo", job.job, "--region", REGION, "--render-older", "--json")
    assert json.loads(allowed.out)["state"] == "queued"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "redo: needs a region, a mask, or octaves such as 5.."),
        (("--region", "80%,10%,30%x20%"), "reaches beyond the picture, to 110% of its width"),
        (("--region", "80%,10%,0%x20%"), "has no width, so no pixel"),
        (("--region", "50%,50%,0.001%x1%"), "has no pixel of 100 x 68"),
        (("--region", "left"), "must be LEFT,TOP,WIDTHxHEIGHT"),
        (("--region", REGION, "--feather", "90%"), "from 0% to 50%"),
        (("--octaves", "9.."), "octaves 9..: the picture has 2 octaves"),
        (("--octaves", "last"), "write the first octave to dream again, such as 5.."),
        (("--mask", "missing.png"), "missing.png"),
        (("--region", REGION, "--mask", "missing.png"), "leave one of them out"),
        (("--octaves", "2", "--set", "size=x2"), "--set size: a redo keeps it as it is"),
        (("--octaves", "2", "--set", "dream.octaves=3"), "--set dream.octaves: a redo keeps"),
    ],
)
def test_a_wrong_redo_is_one_line_and_changes_nothing(
    shell: Shell,
    job: RenderedPoster,
    store: FolderStore,
    options: tuple[str, ...],
    message: str,
) -> None:
    refused = shell("redo", job.job, *options)
    assert refused.code == 2
    assert message in refused.err
    assert refused.err.count("\n") == 1
    assert [*store.list_folders("jobs/")] == [job.job]


def test_only_a_picture_that_has_succeeded_is_dreamed_again(
    shell: Shell, store: FolderStore, picture: Path, weights: Path, tmp_path: Path
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(poster_document(picture, weights)))
    (queued,) = shell("submit", spec).out.split()
    refused = shell("redo", queued, "--octaves", "2")
    assert refused.code == 2
    assert f"{queued}: is queued; only a picture that has succeeded" in refused.err


def test_a_render_that_keeps_its_octaves_is_dreamed_again_here(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:25, 20:45] = 255
    Image.fromarray(mask).save("mask.png")
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(poster_document(picture, weights)))
    made = shell("render", spec, "--in-process", "--keep")
    assert made.code == 0, made.err
    (old,) = made.out.splitlines()
    parent = Path(old).parent.name
    again = shell("redo", parent[:7], "--mask", "mask.png", "--in-process", "--json")
    assert again.code == 0, again.err
    told = json.loads(again.out.splitlines()[-1])
    (new,) = (one["path"] for one in told["outputs"])
    differs = (pixels(old) != pixels(new)).any(axis=2)
    assert differs[20:40, 36:70].mean() > 0.5
    assert not differs[:, :20].any()
    assert not differs[:10].any()

    # The octaves are links to what the render has left, so nothing was rendered again.
    checkpoints = Path(new).parent / ".rendering" / told["job"] / "store"
    commits = (checkpoints / JobKeys(told["job"], 1).checkpoints).glob("*/*/commit.json")
    assert {path.parent.parent.name for path in commits} == {"000000"}

    # A redo of the redo needs the octaves of both.
    twice = shell("redo", told["job"], "--region", REGION, "--in-process", "--json")
    assert twice.code == 0, twice.err
    third = json.loads(twice.out.splitlines()[-1])

    # Without what was kept, the chain is rendered from nothing, with the same bytes.
    manifest = json.loads(Path(third["manifest"]).read_text())
    chain = tmp_path / "chain.json"
    chain.write_text(json.dumps(manifest["spec"]))
    whole = shell("render", chain, "--in-process", "--out", tmp_path / "else" / "where", "--json")
    assert whole.code == 0, whole.err
    (mine,), (wanted,) = (one["outputs"] for one in (third, json.loads(whole.out.splitlines()[-1])))
    assert mine["sha256"] == wanted["sha256"]


def test_a_render_that_kept_nothing_says_what_it_costs(
    shell: Shell, picture: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(poster_document(picture, weights)))
    (old,) = shell("render", spec, "--in-process").out.splitlines()
    parent = Path(old).parent.name
    refused = shell("redo", parent, "--octaves", "2..")
    assert refused.code == 2
    assert "not kept any more, 1; of 2 octaves none remain" in refused.err
    allowed = shell("redo", parent, "--octaves", "2..", "--render-older", "--in-process")
    assert allowed.code == 0, allowed.err
    assert pixels(allowed.out.strip()).shape == pixels(old).shape


def test_a_dataset_has_nothing_to_dream_again(
    shell: Shell, dreamed: object, store: FolderStore
) -> None:
    del dreamed
    (job,) = store.list_folders("jobs/")
    refused = shell("redo", job, "--octaves", "2..")
    assert refused.code == 2
    assert "is a dataset; only a poster can be dreamed again" in refused.err
