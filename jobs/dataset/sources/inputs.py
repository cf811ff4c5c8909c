"""What a user wrote of where the pictures are."""

from typing import Annotated

from pydantic import Field

from jobs.spec import Part


class Inputs(Part):
    """Where the pictures of a dataset are.

    path: an absolute path or an `s3://` address: a folder or prefix, a glob, a manifest that ends
        in .csv, .jsonl or .parquet, or tars of WebDataset, of which braces name several.
    column: the column of a manifest that names the picture.
    """

    path: Annotated[str, Field(min_length=1)]
    column: Annotated[str, Field(min_length=1)] = "picture"
