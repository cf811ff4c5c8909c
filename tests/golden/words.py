"""The words of the command line: commands, their arguments and options, the fields of specs."""

import itertools
import re
from typing import Any

from tests.golden.shapes import shape
from tests.golden.shell import Shell, side_by_side

_COMMAND = re.compile(r"^│ ([a-z][\w-]*) ", re.MULTILINE)
_OPTION = re.compile(r"^│ +(?:\* +)?(-.*)$", re.MULTILINE)
_USAGE = re.compile(r"Usage: .*? -m jobs\.cli (.*?) *$", re.MULTILINE)

_POSTER = {"kind": "poster", "input": {"noise": {"seed": 7}}, "size": "64x48"}
_DATASET = {"kind": "dataset", "inputs": {"noise": {"seed": 3}}, "resize": "64x48"}
_ATLAS = {"kind": "atlas", "network": "lenet5", "of": {"classes": [1]}}

_WHOLES = {"poster": _POSTER, "dataset": _DATASET, "atlas": _ATLAS}

_PARTS = {
    "poster": (
        *("qqq=1", "crew.qqq=1", "dream.qqq=1", "dream.schedule.qqq=1"),
        *("dream.smooth.qqq=1", "input.qqq=1", "input.noise.qqq=1", "limits.qqq=1"),
        *("network={name: lenet5, qqq: 1}", "objectives=[{layer: s4, qqq: 1}]"),
        *("objectives=[{layer: s4, schedule: {qqq: 1}}]", "outputs=[{format: png, qqq: 1}]"),
        "tiles.qqq=1",
    ),
    "dataset": ("qqq=1", "fourier.qqq=1", "inputs.qqq=1", "limits.qqq=1", "output.qqq=1"),
    "atlas": ("qqq=1", "of.qqq=1", "start.qqq=1"),
}


def help_of_all(shell: Shell) -> dict[str, Any]:
    """Every command with how it is used, and its options; the empty word is `dreamfarm` itself."""
    commands = _COMMAND.findall(shell("--help").out)
    names = ["", *commands]
    return dict(zip(names, side_by_side(lambda one: _help(shell, one), names), strict=True))


def _help(shell: Shell, command: str) -> dict[str, Any]:
    ended = shell(*command.split(), "--help")
    assert (ended.code, ended.err) == (0, "")
    (usage,) = _USAGE.findall(ended.out)
    options = [
        itertools.takewhile(lambda word: word.startswith("-"), line.split())
        for line in _OPTION.findall(ended.out)
    ]
    return {"usage": usage, "options": sorted(itertools.chain(*options))}


def fields(shell: Shell) -> dict[str, dict[str, list[str]]]:
    """The keys that each part of a spec may have, as is said where one is unknown."""
    for kind, spec in _WHOLES.items():
        shell.written(f"{kind}.json", spec)
    cases = [(kind, part) for kind, parts in _PARTS.items() for part in parts]
    known = side_by_side(lambda case: _known(shell, *case), cases)
    return {
        kind: {part: keys for (of, part), keys in zip(cases, known, strict=True) if of == kind}
        for kind in _PARTS
    }


def catalogues(shell: Shell) -> dict[str, Any]:
    """What is said of the networks that ship with Dreamfarm, and of looks."""
    lines = {
        "layers": ("layers", "lenet5"),
        "classes": ("layers", "lenet5", "--classes"),
        "networks": ("networks",),
        "looks": ("looks",),
    }
    said = {name: shell(*line, "--json").told() for name, line in lines.items()}
    # How many there are besides follows from torchvision's version.
    return (
        said
        | {"networks": said["networks"][:2], "looks": shape(said["looks"])}
        | {"names of looks": [one["look"] for one in said["looks"]]}
    )


def _known(shell: Shell, kind: str, setting: str) -> list[str]:
    ended = shell("plan", f"{kind}.json", "--no-probe", "--set", setting)
    assert (ended.code, ended.out) == (2, "")
    said, _, keys = ended.err.partition("qqq: no such key; known: ")
    assert said.startswith("dreamfarm: "), ended.err
    return keys.strip().split(", ")
