"""Which job a request is: specs of every kind, and what the command line makes of pictures."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.golden.shell import Shell, side_by_side

HERE = "/proc/self/cwd"
"""A dataset's id holds the path of its inputs; this one is the same on every Linux machine."""

_NOISE = {"kind": "poster", "name": "noise", "input": {"noise": {"seed": 7}}, "size": "64x48"}
_COLOUR = {"input": {"colour": "#204060"}, "size": "90x60"}
_PICTURE = {"input": "sky.png"}
_STUDY = {"kind": "dataset", "inputs": {"noise": {"seed": 3}}, "resize": "64x48"}
_ALBUM = {"kind": "dataset", "inputs": f"{HERE}/photos"}
_ATLAS = {"kind": "atlas", "network": "lenet5", "of": {"classes": [1, 2]}, "size": 32}
_LAYER = {"layer": "stem.2.relu"}
_MOTIFS = {"layer": "classes.relu"}

_MIX = [
    _LAYER | {"channels": [3, 5], "at": [[0.5, 0.25]], "weight": -0.5},
    _LAYER | {"mask": "sky.png", "schedule": {"octaves": [1, 0], "steps": [0, 1, 0]}},
    {"classes": ["eye", 2]},
]
_GUIDED = [_LAYER | {"guide": "sky.png"}]

SWEEPS: dict[str, dict[str, Any]] = {
    "dataset with swept objectives": _STUDY
    | {
        "objectives": [_LAYER],
        "sweep": {
            "objectives": [[_LAYER], _MIX, _GUIDED, [_MOTIFS]],
            "precision": ["auto", "float64"],
        },
    },
    "atlas of layers": _ATLAS | {"of": {"layers": ["s2", "s4"]}, "size": "48x32"},
    "atlas of channels": _ATLAS | {"of": {"layer": "s4", "channels": [0, 3]}},
    "atlas of classes": _ATLAS,
}
"""These come first: they find out in one process what others then find in the cache."""

SPECS: dict[str, dict[str, Any]] = {
    "poster of noise": _NOISE,
    "poster of other noise": _NOISE | {"input": {"noise": {"seed": 8}}},
    "poster without kind and name": {"input": {"noise": {}}, "size": "64x48"},
    "poster of a colour": _COLOUR,
    "poster of a colour at print size": _COLOUR | {"size": "2cm x 1cm @ 100dpi"},
    "poster of a picture": _PICTURE,
    "poster twice as large": _PICTURE | {"size": "x2"},
    "poster with one side auto": _PICTURE | {"size": "100 x auto"},
    "poster of another network": _NOISE | {"network": "lenet5", "objectives": [{"layer": "s4"}]},
    "poster of a layer": _NOISE | {"objectives": [_LAYER]},
    "poster of a mix": _NOISE | {"objectives": _MIX},
    "poster with a guide and a strength": _NOISE
    | {"objectives": _GUIDED, "dream": {"strength": "sky.png"}},
    "poster with a schedule": _NOISE | {"dream": {"schedule": {"octaves": [1, 2]}}},
    "poster with all of a dream": _NOISE
    | {
        "dream": {
            "octaves": 3,
            "octave_scale": 1.5,
            "steps": 4,
            "step_size": 0.1,
            "jitter": 16,
            "seed": 9,
            "smooth": {"gaussian": [1, 2]},
            "keep": "colours",
            "palette": "free",
            "limit": "hard",
        }
    },
    "poster without smoothing": _NOISE | {"dream": {"smooth": None}},
    "poster by tiles and precision": _NOISE | {"tiles": {"size": 64}, "precision": "float64"},
    "poster in all formats": _NOISE
    | {"outputs": ["png", {"format": "tiff", "depth": 16}, "jpeg", "deepzoom"]},
    "poster by another crew": _NOISE
    | {"crew": {"workers": 2, "memory_per_worker": "2GiB"}, "priority": 70},
    "poster by a look": _NOISE | {"look": "garden"},
    "dataset of noise": _STUDY,
    "dataset of noise with a sweep": _STUDY
    | {"sweep": {"dream.step_size": [0.01, 0.02], "dream.seed": [1, 2]}},
    "dataset of features": _STUDY | {"fourier": {"steps": 8}, "objectives": [_LAYER]},
    "dataset of a folder": _ALBUM,
    "dataset of a pattern": _ALBUM | {"inputs": f"{HERE}/photos/*.png", "resize": "fit 40x40"},
    "dataset of a list": _ALBUM | {"inputs": f"{HERE}/list.csv", "name": "listed"},
    "dataset with outputs of another kind": _ALBUM
    | {
        "resize": 32,
        "output": {"format": "tiff", "depth": 16, "pack": "webdataset", "name": "{stem}-{variant}"},
        "limits": {"max_failures": 3},
        "batch": 4,
        "sheet": 5,
    },
    "dataset with labels": _ALBUM
    | {"sweep": {"dream.keep": [None, "colours"]}, "labels": ["free", "kept"]},
    "atlas of all classes": _ATLAS | {"of": {"classes": "all"}},
    "atlas of a layer": _ATLAS | {"of": {"layer": "s2"}},
    "atlas in pixels": _ATLAS | {"basis": "pixels", "dream": {"octaves": 2, "steps": 3}},
    "atlas with a basis of its own": _ATLAS
    | {
        "fourier": {"steps": 9, "rate": 0.1, "decay": 0.5, "turn": 5},
        "start": {"noise": {"seed": 4}},
    },
    "atlas from a picture": _ATLAS | {"start": f"{HERE}/sky.png"},
}

LINES: dict[str, tuple[str, ...]] = {
    "a picture": ("sky.png",),
    "a picture with flags": (
        *("sky.png", "--size", "x2", "--network", "pareidolia", "--layer", "stem.2.relu"),
        *("--workers", "3", "--set", "dream.steps=4", "--set", "outputs=[png,tiff]"),
    ),
    "a picture with a look": ("sky.png", "--look", "faces"),
    "a folder": ("photos", "--set", f"inputs={HERE}/photos", "--set", "resize=32"),
}
"""Words of `submit`."""


def submitted(shell: Shell) -> dict[str, str]:
    """The id of each job by `submit`."""
    first = _submitted(shell, {name: (_spec(shell, spec),) for name, spec in SWEEPS.items()})
    lines = {name: (_spec(shell, spec),) for name, spec in SPECS.items()}
    return first | _submitted(shell, {**lines, **LINES})


def planned(shell: Shell) -> dict[str, str]:
    """The id of some of them by `plan`, which looks at no store."""
    names = ("poster of a picture", "dataset of a folder", "atlas of all classes")
    return {
        name: str(shell("plan", _spec(shell, SPECS[name]), "--no-probe", "--json").told()["job"])
        for name in names
    }


def _spec(shell: Shell, spec: dict[str, Any]) -> str:
    """The spec as a file, named by its content."""
    return shell.written(f"{zlib.crc32(repr(spec).encode()):08x}.json", spec).name


def _submitted(shell: Shell, lines: Mapping[str, Sequence[str]]) -> dict[str, str]:
    def submit(line: Sequence[str]) -> str:
        return str(shell("submit", *line, "--create", "--store", "ids", "--json").told()["job"])

    return dict(zip(lines, side_by_side(submit, lines.values()), strict=True))
