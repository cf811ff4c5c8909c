"""Where a dataset is dreamed that is rendered without a store."""

from pathlib import Path

import pytest

from jobs.dataset.kind import DatasetKind
from jobs.planning.dataset import DatasetPlan
from jobs.runtime.backend import StartPool, pool_in_process, pool_on_own_ray
from jobs.runtime.publish import Target
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from jobs.text.errors import RequestError
from tests.support.small_dataset import dataset_document


@pytest.mark.parametrize(
    ("in_process", "wanted"), [(False, pool_on_own_ray), (True, pool_in_process)]
)
def test_one_worker_has_its_own_process_too(
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_process: bool,
    wanted: StartPool,
) -> None:
    """A picture that kills a worker costs one item. In this process it would cost all of them."""
    spec = parse_spec(dataset_document(tmp_path, weights, "crew.workers=1"))
    assert isinstance(spec, DatasetSpec)
    started: list[StartPool] = []

    def stop(_plan: DatasetPlan, _target: Target, _watch: object, start: StartPool) -> None:
        started.append(start)
        raise RequestError("started")

    monkeypatch.setattr("jobs.dataset.local.render_dataset_here", stop)
    with pytest.raises(RequestError, match="started"):
        DatasetKind().render_here(
            spec, lambda _: Target(tmp_path), lambda _: None, in_process=in_process
        )
    assert started == [wanted]
