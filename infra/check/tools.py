"""Checkers that run a program on its files."""

import subprocess
import sys
from pathlib import Path

from infra.check.outcome import Problem

_BIN = Path(sys.executable).parent
_RULES = Path(__file__).with_name("yamllint.yaml")


def hadolint(root: Path) -> list[Problem]:
    """the Dockerfile and its shell commands"""
    return _run("hadolint", root / "infra/image/Dockerfile")


def shellcheck(root: Path) -> list[Problem]:
    """all scripts"""
    return _run("shellcheck", "--enable=all", "--exclude=SC2250,SC2310,SC2312", *scripts(root))


def yamllint(root: Path) -> list[Problem]:
    """all YAML files"""
    return _run("yamllint", "--strict", "--config-file", _RULES, root / "infra")


def compose(root: Path) -> list[Problem]:
    """the compose files, resolved by Docker Compose"""
    folder = root / "infra/compose"
    whole, cpu = folder / "compose.yaml", folder / "compose.cpu.yaml"
    return [
        *_run("docker-compose", "--file", whole, "--profile", "watch", "config", "--quiet"),
        *_run("docker-compose", "--file", whole, "--file", cpu, "config", "--quiet"),
    ]


def scripts(root: Path) -> list[Path]:
    """The scripts for bash or sh below infra/."""
    files = (path for path in (root / "infra").rglob("*") if path.is_file())
    return sorted(path for path in files if path.suffix == ".sh" or _has_shebang(path))


def _has_shebang(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))


def _run(program: str, *arguments: str | Path) -> list[Problem]:
    command = [_BIN / program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
