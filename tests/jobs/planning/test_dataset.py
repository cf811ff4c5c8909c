"""Plans of datasets: their variants, and the identity of the job."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from jobs.planning import dataset as module
from jobs.planning import identity as identities
from jobs.planning.dataset import DatasetPlan, dataset_identity, make_dataset_plan
from jobs.planning.identity import Identity, file_digest
from jobs.planning.item_settings import apply_settings
from jobs.planning.machine import Machine
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.text.errors import MachineTooSmall, RequestError
from render.errors import LayerError, WeightsError
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import LAYER, MACHINE, NETWORK

WEIGHTS = "sha256:01"


def spec(**fields: Any) -> DatasetSpec:
    made = parse_spec({"kind": "dataset", "name": "set", "inputs": "/pictures"} | fields)
    assert isinstance(made, DatasetSpec)
    return made


def identified(**fields: Any) -> Identity:
    return dataset_identity(spec(**fields), [WEIGHTS], {})


def planned(weights: Path, *settings: str, machine: Machine = MACHINE) -> DatasetPlan:
    made = parse_spec(dataset_document("/pictures", weights, *settings))
    assert isinstance(made, DatasetSpec)
    return make_dataset_plan(made, machine)


def test_the_identity_has_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update, the same spec must still find its job in a store."""
    monkeypatch.setattr(module, "PIXEL_VERSION", 1)
    fields = {"sweep": {"dream.seed": [1, 2]}, "resize": 512, "output": "jpeg"}

    assert identified().job_id == "set-0a69418b805e"
    assert identified(**fields).job_id == "set-c7e73243170e"


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
def test_fields_without_effect_on_results_keep_the_job(fields: dict[str, Any]) -> None:
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
def test_fields_with_effect_on_results_change_the_job(fields: dict[str, Any]) -> None:
    assert identified(**fields).job_id != BASE.job_id


def test_every_noise_field_changes_the_job() -> None:
    noise = {"inputs": {"noise": {"seed": 1}}, "resize": "64x64"}
    others: tuple[dict[str, Any], ...] = (
        {"inputs": {"noise": {"seed": 2}}},
        {"resize": "64x65"},
        {"fourier": {}},
        {"fourier": {"steps": 7}},
    )
    ids = {identified(**(noise | other)).job_id for other in ({}, *others)}

    assert len(ids) == 5


def test_a_name_changes_only_the_prefix_of_the_id() -> None:
    other = identified(name="other")

    assert other.document == BASE.document
    assert other.job_id == BASE.job_id.replace("set-", "other-")


def test_weights_and_pixel_version_change_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert dataset_identity(spec(), ["sha256:02"], {}).job_id != BASE.job_id
    monkeypatch.setattr(module, "PIXEL_VERSION", 10**6)
    assert identified().job_id != BASE.job_id


def test_swept_values_and_their_order_change_the_job() -> None:
    ids = {
        identified(sweep={"dream.seed": seeds}).job_id for seeds in ([1], [1, 2], [2, 1], [1, 3])
    }
    assert len(ids) == 4


def test_swept_weights_count_by_content(weights: Path, tmp_path: Path) -> None:
    other = save_seeded_weights(NETWORK, (LAYER,), tmp_path / "other.safetensors", 1)
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
    assert str(tmp_path) not in identities.canonical_json(plans[1].identity.document)


def test_a_plan_has_one_variant_per_combination(weights: Path) -> None:
    plan = planned(
        weights, f"sweep={{objectives.0.layer: [{LAYER}, features.3], resize: [32, 16]}}"
    )

    assert [one.settings for one in plan.variants] == [
        {"objectives.0.layer": LAYER, "resize": 32},
        {"objectives.0.layer": LAYER, "resize": 16},
        {"objectives.0.layer": "features.3", "resize": 32},
        {"objectives.0.layer": "features.3", "resize": 16},
    ]
    last = plan.item_settings(3, {})
    assert last.mix.layers == ("features.3",)
    assert last.spec.resize.size(64, 32) == (16, 8)
    assert last.spec.sweep == {}


def test_row_settings_override_variant_settings(weights: Path) -> None:
    plan = planned(weights, "sweep={dream.steps: [3, 4]}")
    item_settings = plan.item_settings(1, {"dream.steps": 9, "resize": "8x8"})

    assert (item_settings.spec.dream.steps, str(item_settings.spec.resize)) == (9, "8x8")
    assert plan.item_settings(1, {}).spec.dream.steps == 4
    with pytest.raises(RequestError, match=r"dream\.stps: no such key; nearest: steps"):
        plan.item_settings(0, {"dream.stps": 9})


def test_on_a_cpu_the_batch_is_one(weights: Path) -> None:
    gpu = Machine(cores=4, gpus=2, memory=16 << 30, gpu_memory=16 << 30)

    assert [planned(weights, f"batch={batch}").batch for batch in ("auto", 3)] == [1, 1]
    assert planned(weights, "batch=3", "crew.workers=2", machine=gpu).batch == 3
    on_gpu = planned(weights, "crew.workers=2", machine=gpu)
    assert (on_gpu.device, on_gpu.batch, on_gpu.gpus_per_worker) == ("cuda", 8, 1)
    assert planned(weights, "crew.workers=auto").workers == MACHINE.cores
    # The machine does not change the job.
    assert on_gpu.identity == planned(weights).identity


@pytest.mark.parametrize(
    ("setting", "kind", "line"),
    [
        ("sweep={dream.stps: [1]}", RequestError, "sweep: dream.stps: no such key; nearest: steps"),
        ("sweep={dream.steps: [1, -1]}", RequestError, "sweep: dream: steps must be from 0"),
        (
            "sweep={resize: [12 apes]}",
            RequestError,
            "sweep: resize: '12 apes' is not a valid resize",
        ),
        ("objectives=[{layer: feature.4}]", LayerError, "nearest: features.4"),
        ("sweep={objectives.0.layer: [classifier.3]}", LayerError, "has no exact tiles"),
        ("sweep={network.weights: [/none.pth]}", WeightsError, "/none.pth"),
        ("crew.gpus_per_worker=1", MachineTooSmall, "this machine has 0 GPUs, not 1"),
    ],
)
def test_impossible_plans_fail_in_one_line(
    weights: Path, setting: str, kind: type[Exception], line: str
) -> None:
    with pytest.raises(kind) as error:
        planned(weights, setting)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_applied_settings_leave_no_sweep() -> None:
    swept = spec(sweep={"dream.seed": [1, 2]}, output={"name": "{stem}-{variant}"})
    one = apply_settings(swept, {"dream.seed": 2, "objectives.0.layer": "a"})

    assert (one.dream.seed, one.sweep, one.output.name) == (2, {}, None)
    assert one.objectives is not None
    assert one.objectives[0].layer == "a"
    assert apply_settings(one, {}) == one
