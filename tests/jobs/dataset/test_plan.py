"""The plan of a dataset: its variants, and the identity that follows from what decides results."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.planning import dataset as module
from jobs.planning import identity as identities
from jobs.planning.dataset import DatasetPlan, dataset_identity, make_dataset_plan
from jobs.planning.identity import Identity, file_digest
from jobs.planning.item_settings import settled
from jobs.planning.machine import Machine
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from jobs.text.errors import RequestError, TooSmall
from render.errors import LayerError, WeightsError
from tests.jobs.dataset.small import document
from tests.jobs.small import LAYER, MACHINE, NETWORK
from tests.render.engine import save_seeded

WEIGHTS = "sha256:01"


def spec(**fields: Any) -> DatasetSpec:
    made = any_spec_of({"kind": "dataset", "name": "set", "inputs": "/pictures"} | fields)
    assert isinstance(made, DatasetSpec)
    return made


def identified(**fields: Any) -> Identity:
    return dataset_identity(spec(**fields), [WEIGHTS], {})


def planned(weights: Path, *settings: str, machine: Machine = MACHINE) -> DatasetPlan:
    made = any_spec_of(document("/pictures", weights, *settings))
    assert isinstance(made, DatasetSpec)
    return make_dataset_plan(made, machine)


def test_the_identity_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that lie in stores must be found by the same spec after an update."""
    monkeypatch.setattr(module, "PIXEL_VERSION", 1)
    fields = {"sweep": {"dream.seed": [1, 2]}, "resize": 512, "output": "jpeg"}

    assert identified().job_id == "set-0ab9e47cd9cb"
    assert identified(**fields).job_id == "set-dbe2ce8e5709"


BASE = identified()


@pytest.mark.parametrize(
    "fields",
    [
        {"crew": {"workers": 7, "memory_per_worker": "2GiB"}},
        {"priority": 90},
        {"limits": {"max_pixels": 100, "max_failures": 0}},
        {"sheet": 0},
        {"network": {"name": "pareidolia", "weights": "/elsewhere/w.safetensors"}},
        {"resize": "none", "dream": {"octave_scale": 1.40}, "output": "png"},
    ],
)
def test_what_decides_no_result_is_the_same_job(fields: dict[str, Any]) -> None:
    assert identified(**fields) == BASE


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs": "/other"},
        {"inputs": {"path": "/pictures", "column": "file"}},
        {"resize": 64},
        {"network": "squeezenet1_0"},
        {"objectives": [{"layer": "a"}]},
        {"dream": {"seed": 1}},
        {"tiles": 64},
        {"precision": "float64"},
        {"output": "jpeg"},
        {"output": {"depth": 16}},
        {"output": {"name": "{key}"}},
        {"output": {"pack": "webdataset"}},
        {"sweep": {"dream.seed": [0]}},
        {"batch": 3},
        {"inputs": {"noise": {}}, "resize": "64x64"},
        {"sweep": {"dream.seed": [0]}, "labels": ["one"]},
    ],
)
def test_what_decides_results_is_another_job(fields: dict[str, Any]) -> None:
    assert identified(**fields).job_id != BASE.job_id


def test_all_of_a_noise_counts() -> None:
    noise = {"inputs": {"noise": {"seed": 1}}, "resize": "64x64"}
    others: tuple[dict[str, Any], ...] = (
        {"inputs": {"noise": {"seed": 2}}},
        {"resize": "64x65"},
        {"fourier": {}},
        {"fourier": {"steps": 7}},
    )
    ids = {identified(**(noise | other)).job_id for other in ({}, *others)}

    assert len(ids) == 5


def test_a_name_is_only_what_the_job_is_called() -> None:
    other = identified(name="other")

    assert other.document == BASE.document
    assert other.job_id == BASE.job_id.replace("set-", "other-")


def test_the_content_of_weights_and_the_pixel_version_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert dataset_identity(spec(), ["sha256:02"], {}).job_id != BASE.job_id
    monkeypatch.setattr(module, "PIXEL_VERSION", 10**6)
    assert identified().job_id != BASE.job_id


def test_swept_values_count_in_their_order() -> None:
    ids = {
        identified(sweep={"dream.seed": seeds}).job_id for seeds in ([1], [1, 2], [2, 1], [1, 3])
    }
    assert len(ids) == 4


def test_swept_weights_count_by_what_is_in_them(weights: Path, tmp_path: Path) -> None:
    other = save_seeded(NETWORK, (LAYER,), tmp_path / "other.safetensors", 1)
    moved = shutil.copyfile(weights, tmp_path / "moved.safetensors")
    plans = [
        planned(weights, f"sweep={{network.weights: [{first}, {second}]}}")
        for first, second in ((weights, other), (moved, other), (other, weights))
    ]

    assert plans[0].identity == plans[1].identity
    assert plans[0].identity != plans[2].identity
    assert [one.weights for one in plans[1].variants] == [moved, other]
    assert [one.weights_digest for one in plans[0].variants] == [
        file_digest(weights),
        file_digest(other),
    ]
    assert str(tmp_path) not in identities.canonical(plans[1].identity.document)


def test_a_plan_has_a_variant_a_combination(weights: Path) -> None:
    plan = planned(
        weights, f"sweep={{objectives.0.layer: [{LAYER}, features.3], resize: [32, 16]}}"
    )

    assert [one.settings for one in plan.variants] == [
        {"objectives.0.layer": LAYER, "resize": 32},
        {"objectives.0.layer": LAYER, "resize": 16},
        {"objectives.0.layer": "features.3", "resize": 32},
        {"objectives.0.layer": "features.3", "resize": 16},
    ]
    last = plan.manner(3, {})
    assert last.mix.layers == ("features.3",)
    assert last.spec.resize.size(64, 32) == (16, 8)
    assert last.spec.sweep == {}


def test_a_row_s_settings_go_over_its_variant_s(weights: Path) -> None:
    plan = planned(weights, "sweep={dream.steps: [3, 4]}")
    manner = plan.manner(1, {"dream.steps": 9, "resize": "8x8"})

    assert (manner.spec.dream.steps, str(manner.spec.resize)) == (9, "8x8")
    assert plan.manner(1, {}).spec.dream.steps == 4
    with pytest.raises(RequestError, match=r"dream\.stps: no such key; nearest: steps"):
        plan.manner(0, {"dream.stps": 9})


def test_on_a_cpu_pictures_are_dreamed_one_by_one(weights: Path) -> None:
    gpu = Machine(cores=4, gpus=2, memory=16 << 30, gpu_memory=16 << 30)

    assert [planned(weights, f"batch={batch}").batch for batch in ("auto", 3)] == [1, 1]
    assert planned(weights, "batch=3", "crew.workers=2", machine=gpu).batch == 3
    on_gpu = planned(weights, "crew.workers=2", machine=gpu)
    assert (on_gpu.device, on_gpu.batch, on_gpu.gpus_per_worker) == ("cuda", 8, 1)
    assert planned(weights, "crew.workers=auto").workers == MACHINE.cores
    # The job is the same, wherever it is planned.
    assert on_gpu.identity == planned(weights).identity


@pytest.mark.parametrize(
    ("setting", "kind", "line"),
    [
        ("sweep={dream.stps: [1]}", RequestError, "sweep: dream.stps: no such key; nearest: steps"),
        ("sweep={dream.steps: [1, -1]}", RequestError, "sweep: dream: steps must be from 0"),
        ("sweep={resize: [12 apes]}", RequestError, "sweep: resize: '12 apes' is no way"),
        ("objectives=[{layer: feature.4}]", LayerError, "nearest: features.4"),
        ("sweep={objectives.0.layer: [classifier.3]}", LayerError, "has no exact tiles"),
        ("sweep={network.weights: [/none.pth]}", WeightsError, "/none.pth"),
        ("crew.gpus_per_worker=1", TooSmall, "this machine has 0 GPUs, not 1"),
    ],
)
def test_what_cannot_be_dreamed_is_refused_in_a_line(
    weights: Path, setting: str, kind: type[Exception], line: str
) -> None:
    with pytest.raises(kind) as error:
        planned(weights, setting)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_settled_spec_has_nothing_left_to_sweep() -> None:
    swept = spec(sweep={"dream.seed": [1, 2]}, output={"name": "{stem}-{variant}"})
    one = settled(swept, {"dream.seed": 2, "objectives.0.layer": "a"})

    assert (one.dream.seed, one.sweep, one.output.name) == (2, {}, None)
    assert one.objectives is not None
    assert one.objectives[0].layer == "a"
    assert settled(one, {}) == one
