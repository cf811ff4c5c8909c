"""The inputs of a spec: where the pictures of a dataset are, and plain colours."""

import re
from pathlib import PurePosixPath
from typing import NamedTuple, Self

from pydantic import field_validator, model_validator

from jobs.spec.base import Noise, PathText, ShortText, SpecModel
from render.errors import suggest

S3_SCHEME = "s3://"


def is_in_bucket(address: str) -> bool:
    """Whether an address is in an S3 bucket."""
    return address.startswith(S3_SCHEME)


def folder_of(address: str) -> str:
    """The part of an address before the last slash."""
    return address.rpartition("/")[0]


def name_of(address: str) -> str:
    """The part of an address after the last slash."""
    return address.rpartition("/")[2]


def suffix_of(name: str) -> str:
    """The last suffix of a name, with its dot, in lower case."""
    return PurePosixPath(name).suffix.lower()


NOISE_SCHEME = "noise:"
"""The prefix of the address of seeded noise; the seed follows."""


class Inputs(SpecModel):
    """The location of the pictures of a dataset.

    path: an absolute path or an `s3://` address. It names a folder or prefix, a glob, an input
        table (.csv, .jsonl or .parquet), or WebDataset tars; braces name several tars.
    column: the column of an input table that contains the picture's path.
    noise: a single input of seeded noise instead of pictures.
    """

    path: PathText | None = None
    column: ShortText = "picture"
    noise: Noise | None = None

    @field_validator("path")
    @classmethod
    def _has_supported_scheme(cls, path: str | None) -> str | None:
        if path is not None and "://" in path and not is_in_bucket(path):
            # The rest of the address may contain a password or a signature.
            scheme = path.partition("://")[0]
            raise ValueError(
                f"{scheme}:// is not supported; download the files, and give their path"
            )
        return path

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.path is None) == (self.noise is None):
            raise ValueError("must be a path, or {noise: {seed: 0}}")
        return self

    @property
    def address(self) -> str:
        """The location as text; `noise:SEED` for noise."""
        return f"{NOISE_SCHEME}{self.noise.seed}" if self.noise is not None else self.path or ""


_NAMES = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "lime": "#00ff00",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "white": "#ffffff",
    "yellow": "#ffff00",
}


class Colour(NamedTuple):
    """An sRGB colour; each channel is 0 to 255. `str` gives `#rrggbb`."""

    red: int
    green: int
    blue: int

    def __str__(self) -> str:
        return f"#{bytes(self).hex()}"


def parse_colour(text: str) -> Colour:
    """Parse a colour. Raises ValueError, which lists the valid forms."""
    code = _NAMES.get(text.lower(), text)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", code):
        raise ValueError(
            f"'{text}' is not a colour; write '#rrggbb' or a name; {suggest(text, _NAMES)}"
        )
    return Colour(*bytes.fromhex(code[1:]))
