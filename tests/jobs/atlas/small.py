"""The smallest atlases: of Pareidolia, which has its weights."""

from typing import Any

from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of


def atlas(of: dict[str, Any], **fields: Any) -> DatasetSpec:
    """The dataset that an atlas becomes."""
    made = any_spec_of({"kind": "atlas", "of": of} | fields)
    assert isinstance(made, DatasetSpec)
    return made


def objectives(spec: DatasetSpec) -> dict[str, dict[str, Any]]:
    """Each label's one objective."""
    assert spec.labels is not None
    found: dict[str, dict[str, Any]] = {}
    for label, (objective,) in zip(spec.labels, spec.sweep["objectives"], strict=True):
        found[label] = objective
    return found
