"""Checks the files of `ray up` with Ray's own code."""

import copy
from pathlib import Path
from typing import Any

import yaml

from infra.check.outcome import Problem


def ray_up(root: Path) -> list[Problem]:
    """the files of `ray up`, completed and validated by Ray"""
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    problems = []
    for cloud in ("aws", "gcp"):
        path = root / f"infra/{cloud}/cluster.yaml"
        config: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
        try:
            validate_config(prepare_config(copy.deepcopy(config)))
        except (ValidationError, ValueError, RuntimeError) as error:
            problems.append(f"{path}: {error}")
    return problems
