"""Reads the files of infra/ as data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import yaml

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"

Tree = dict[str, Any]


def text(path: str) -> str:
    """The text of a file below infra/."""
    return (INFRA / path).read_text("utf-8")


def documents(path: str) -> list[Any]:
    """All documents of a YAML file below infra/."""
    return [one for one in yaml.safe_load_all(text(path)) if one is not None]


def document(path: str) -> Any:
    """The only document of a YAML file below infra/."""
    (only,) = documents(path)
    return only


def manifests() -> list[Tree]:
    """All resources in kubernetes/base/, before overlays."""
    paths = document("kubernetes/base/kustomization.yaml")["resources"]
    return [one for path in paths for one in documents(f"kubernetes/base/{path}")]


def manifest(kind: str, name: str) -> Tree:
    """One resource in kubernetes/base/."""
    (only,) = [one for one in manifests() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return only


def pods() -> Iterator[tuple[str, Tree]]:
    """The pod templates in kubernetes/base/, by their role."""
    cluster = manifest("RayCluster", "farm")["spec"]
    yield "head", cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["groupName"], group["template"]
    yield "work", manifest("Deployment", "work")["spec"]["template"]


def blocks(cloud: str, kind: str) -> dict[tuple[str, str], Tree]:
    """The Terraform blocks of a kind (`resource`, `data`) in a cloud's folder, by type and name."""
    found = {}
    for path in sorted((INFRA / cloud).glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            tree = hcl2.load(file)
        for one in tree.get(kind, []):
            for family, named in one.items():
                for name, body in named.items():
                    found[family.strip('"'), name.strip('"')] = body
    return found
