"""The motifs of a folder: each is a folder of pictures, named like the motif."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from render.errors import TrainingError
from render.input_file import read_problem

MIN_PICTURES, MAX_PICTURES = 50, 5_000
"""The least and the most pictures of a motif."""

MAX_MOTIFS = 1_000

_IGNORED = frozenset({"thumbs.db", "desktop.ini"})
"""Files that other programs put beside pictures. Those with a dot before their name are left out
too."""


@dataclass(frozen=True)
class Motif:
    """A class to be: its name, and the files of its folder, sorted by name."""

    name: str
    files: tuple[Path, ...]


def list_motifs(folder: Path, reserved: Sequence[str] = ()) -> tuple[Motif, ...]:
    """List the motifs of a folder, sorted by name. Opens no file.

    reserved: names of classes that no motif may have.

    Raises TrainingError if the folder cannot be listed, has fewer than two motifs or files beside
    them, or if a motif has another folder in it, too few or too many files, or a reserved name.
    """
    entries = list(_visible_entries(folder))
    motifs = tuple(_read_motif(Path(one.path)) for one in entries if one.is_dir())
    loose = [one.name for one in entries if not one.is_dir()]
    _check_motifs(folder, motifs, loose)
    for motif in motifs:
        _check_name(folder / motif.name, motif.name, reserved)
    return motifs


def _visible_entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda one: os.fsencode(one.name))
    except NotADirectoryError as error:
        raise TrainingError(
            f"{folder}: is not a folder; give a folder that has a folder for each motif"
        ) from error
    except FileNotFoundError as error:
        raise TrainingError(f"{folder}: no such folder; check the path") from error
    except OSError as error:
        raise TrainingError(f"{folder}: {read_problem(error)}") from error
    for one in entries:
        if not one.name.startswith(".") and one.name.lower() not in _IGNORED:
            yield one


def _read_motif(folder: Path) -> Motif:
    entries = list(_visible_entries(folder))
    for one in entries:
        if one.is_dir():
            raise TrainingError(
                f"{one.path}: is a folder in the folder of a motif; move its pictures up, or make "
                f"it a motif beside {folder.name}"
            )
    count = len(entries)
    if not MIN_PICTURES <= count <= MAX_PICTURES:
        advice = "add more" if count < MIN_PICTURES else "take a part of them"
        raise TrainingError(
            f"{folder}: has {_count(count)}; a motif needs {MIN_PICTURES} to {MAX_PICTURES}, "
            f"so {advice}"
        )
    return Motif(folder.name, tuple(Path(one.path) for one in entries))


def _count(pictures: int) -> str:
    return "1 picture" if pictures == 1 else f"{pictures or 'no'} pictures"


def _check_motifs(folder: Path, motifs: Sequence[Motif], loose: Sequence[str]) -> None:
    if not motifs:
        held = f"{_count(len(loose))} and no folders" if loose else "nothing in it"
        raise TrainingError(f"{folder}: has {held}; make a folder for each motif in it")
    if len(motifs) == 1:
        raise TrainingError(
            f"{folder}: has one motif, {motifs[0].name}; a network needs two or more to tell apart"
        )
    if len(motifs) > MAX_MOTIFS:
        raise TrainingError(f"{folder}: has {len(motifs)} motifs; at most {MAX_MOTIFS} are trained")
    if loose:
        more = f" and {len(loose) - 1} more" if len(loose) > 1 else ""
        raise TrainingError(
            f"{folder}: {loose[0]}{more} beside the folders of the motifs; move each file into the "
            "folder of its motif, or away"
        )


def _check_name(path: Path, name: str, reserved: Sequence[str]) -> None:
    if name.encode("utf-8", "backslashreplace").decode() != name:
        raise TrainingError(f"{path}: the name is not UTF-8; rename it")
    if name.lower() in {one.lower() for one in reserved}:
        raise TrainingError(
            f"{path}: pareidolia has a class of that name; rename the folder, or leave "
            "--keep-classes out"
        )
