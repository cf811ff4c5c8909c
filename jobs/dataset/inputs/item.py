"""The items of a dataset, and the files that they are read from."""

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from jobs.records.record import Count, Record
from jobs.spec.inputs import NOISE_SCHEME, name_of, suffix_of

BLOB_SCHEME = "blob:"
"""The prefix of the address of an uploaded file; its digest follows."""


class InputPlace(BaseModel):
    """Where the bytes of an input come from: a file, a part of one, or noise.

    address: a path on the workers' machines, an `s3://` address, `blob:sha256:HEX` for an object
        in the job's store, or `noise:SEED`.
    start, length: the part, in bytes, such as a member of a tar. A length of None means to the end.
    """

    model_config = Record.model_config

    address: str
    start: Count = 0
    length: Count | None = None

    @property
    def is_noise(self) -> bool:
        """Whether it is noise, which is generated instead of read."""
        return self.address.startswith(NOISE_SCHEME)


class SampleFile(BaseModel):
    """A file beside a picture in a WebDataset sample, such as its label.

    suffix: the part of the name after the sample's key and a dot, such as `cls` or `json`.
    """

    model_config = Record.model_config

    suffix: str
    place: InputPlace


class ListedImage(BaseModel):
    """A picture found by a listing.

    key: its name, unique among all inputs: the path below the folder or prefix, or as the input
        table says. For a sample of a tar it is `input_tar`, a slash, and the sample's own key.
    input_tar: the name of its tar, without the suffix. Stored as `shard`.
    suffix: of the picture in its sample, such as `jpg` or `input.jpg`; None outside of tars.
    settings: the fields that its row of an input table sets, by their dotted names.
    error: why it cannot be dreamed, if the listing knows already. Stored as `complaint`.
    """

    model_config = Record.model_config | ConfigDict(serialize_by_alias=True, validate_by_name=True)

    key: str
    place: InputPlace
    input_tar: str | None = Field(
        default=None, validation_alias="shard", serialization_alias="shard"
    )
    suffix: str | None = Field(default=None, exclude_if=lambda suffix: suffix is None)
    settings: dict[str, Any] = Field(default_factory=dict)
    extras: tuple[SampleFile, ...] = ()
    error: str | None = Field(
        default=None, validation_alias="complaint", serialization_alias="complaint"
    )


class Item(Record):
    """One picture under one variant of the spec: a line of an item file.

    number: from 0, over all item files of the job. variant: the number of the variant, from 0.
    name: of the output, without a suffix and unique in the job. It may contain slashes.
    """

    number: Count
    variant: Count
    name: str
    found: ListedImage


@dataclass(frozen=True)
class ListedFile:
    """A file found by a listing.

    key: its path below the folder or prefix. address: its path or `s3://` address. error: why it
    cannot be read, if the listing knows already.
    """

    key: str
    address: str
    error: str | None = None


_MAX_ENDINGS, _SHOWN_ENDINGS = 1000, 5
"""How many endings of files that were left out are counted apart, and how many are named."""


_VARIOUS = "of other kinds"


def is_mac_metadata(name: str) -> bool:
    """Whether a path is of a file that macOS adds to archives and to foreign disks: AppleDouble."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith("._"))


class LeftOut:
    """Counts the files that a listing leaves out: not named like a picture, or a dataset's results.

    Hidden files, and the files that macOS adds, are not counted.
    """

    def __init__(self) -> None:
        self._endings: Counter[str] = Counter()
        self._folder_links = 0
        self._results = 0

    @property
    def count(self) -> int:
        """The number of files and links that were left out, without results."""
        return self._endings.total() + self._folder_links

    def add(self, path: str) -> None:
        """Count a file."""
        if name_of(path).startswith(".") or is_mac_metadata(path):
            return
        ending = suffix_of(path)
        is_known = ending in self._endings or len(self._endings) < _MAX_ENDINGS
        self._endings[ending if is_known else _VARIOUS] += 1

    def add_folder_link(self) -> None:
        """Count a link to a folder."""
        self._folder_links += 1

    def add_result(self) -> None:
        """Count a result of an earlier run."""
        self._results += 1

    def note(self) -> str | None:
        """What was left out, as text; None for nothing: `left out 3 files: 2 .txt, 1 .json`."""
        results = f"left out results of an earlier run: {self._results}" if self._results else None
        return "; ".join(filter(None, (self._note_of_others(), results))) or None

    def _note_of_others(self) -> str | None:
        if not self.count:
            return None
        # Folders are listed in any order.
        endings = sorted(self._endings.items(), key=lambda one: (-one[1], one[0]))
        shown = endings[:_SHOWN_ENDINGS]
        words = [f"{count} {ending or 'without an ending'}" for ending, count in shown]
        if others := self._endings.total() - sum(count for _, count in shown):
            words.append(f"{others} others")
        if self._folder_links:
            words.append(f"links to folders: {self._folder_links}")
        files = "1 file" if self.count == 1 else f"{self.count} files"
        return f"left out {files} not named like a picture: {', '.join(words)}"
