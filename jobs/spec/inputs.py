"""The `inputs` of a dataset spec: where its pictures are."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from jobs.spec.base import Noise, SpecModel

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


NOISE_SCHEME = "noise:"
"""The prefix of the address of seeded noise; the seed follows."""


class Inputs(SpecModel):
    """The location of the pictures of a dataset.

    path: an absolute path or an `s3://` address. It names a folder or prefix, a glob, an input
        table (.csv, .jsonl or .parquet), or WebDataset tars; braces name several tars.
    column: the column of an input table that contains the picture's path.
    noise: a single input of seeded noise instead of pictures.
    """

    path: Annotated[str, Field(min_length=1)] | None = None
    column: Annotated[str, Field(min_length=1)] = "picture"
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
