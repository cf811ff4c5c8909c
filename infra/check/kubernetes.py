"""Builds the Kubernetes manifests with kubectl, and validates them with schemas."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from infra.check.kubectl import kubectl
from infra.check.outcome import Problem

_OVERLAYS = ("on-demand", "spot", "job")

_SCHEMA = Path(__file__).with_name("ray.schema.json")

_Manifest = dict[str, Any]


def kubernetes(root: Path) -> list[Problem]:
    """all overlays: Kubernetes' resources with its schemas, Ray's with ours"""
    return [problem for overlay in _OVERLAYS for problem in _check_overlay(root, overlay)]


def _check_overlay(root: Path, overlay: str) -> Iterator[Problem]:
    path = f"infra/kubernetes/{overlay}"
    built = subprocess.run(
        [kubectl(), "kustomize", root / path], capture_output=True, text=True, check=False
    )
    if built.returncode:
        yield f"{path}: {built.stderr.strip()}"
        return
    for manifest in yaml.safe_load_all(built.stdout):
        name = f"{path}: {manifest['kind']}/{manifest['metadata']['name']}"
        for problem in _check_manifest(manifest):
            yield f"{name}: {problem}"


def _check_manifest(manifest: _Manifest) -> Iterator[Problem]:
    if not manifest["apiVersion"].startswith("ray.io/"):
        yield from _check_native(manifest)
        return
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(_SCHEMA.read_text("utf-8")))
    for error in validator.iter_errors(manifest):
        yield f"{error.json_path}: {error.message}"
    for template in _pod_templates(manifest):
        named = {"metadata": {"name": "template"}, "template": template}
        yield from _check_native({"apiVersion": "v1", "kind": "PodTemplate", **named})


def _check_native(manifest: _Manifest) -> Iterator[Problem]:
    """Validate with the newest known version of Kubernetes; unknown fields are problems."""
    import kubernetes_validate

    try:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


def _pod_templates(manifest: _Manifest) -> Iterator[_Manifest]:
    spec = manifest["spec"]
    cluster = spec.get("rayClusterSpec", spec)
    yield cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["template"]
