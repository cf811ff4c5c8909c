"""What a user wrote of where the pictures are."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from jobs.spec.base import Noise, Part

SCHEME = "s3://"


def is_in_bucket(address: str) -> bool:
    """Whether an address is one of a bucket."""
    return address.startswith(SCHEME)


def folder_of(address: str) -> str:
    """What comes before the last slash."""
    return address.rpartition("/")[0]


def name_of(address: str) -> str:
    """What comes after the last slash."""
    return address.rpartition("/")[2]


NOISE = "noise:"
"""What begins the address of seeded noise, which lies nowhere, before its seed."""


class Inputs(Part):
    """Where the pictures of a dataset are.

    path: an absolute path or an `s3://` address: a folder or prefix, a glob, a manifest that ends
        in .csv, .jsonl or .parquet, or tars of WebDataset, of which braces name several.
    column: the column of a manifest that names the picture.
    noise: in place of pictures: the one input is seeded noise.
    """

    path: Annotated[str, Field(min_length=1)] | None = None
    column: Annotated[str, Field(min_length=1)] = "picture"
    noise: Noise | None = None

    @field_validator("path")
    @classmethod
    def _is_near(cls, path: str | None) -> str | None:
        if path is not None and "://" in path and not is_in_bucket(path):
            # The rest may hold a password, or a signature.
            scheme = path.partition("://")[0]
            raise ValueError(f"{scheme}:// is not supported; fetch the files, and give their path")
        return path

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.path is None) == (self.noise is None):
            raise ValueError("must be a path, or {noise: {seed: 0}}")
        return self

    @property
    def address(self) -> str:
        """Where they are, in one word."""
        return f"{NOISE}{self.noise.seed}" if self.noise is not None else self.path or ""
