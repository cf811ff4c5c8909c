"""The spec that the shared arguments of `render` and `plan` stand for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jobs.spec.document import AnySpec


_SPECS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Flags:
    """What may be given in place of a spec file, besides the picture."""

    size: str | None
    network: str | None
    weights: str | None
    layer: str | None
    look: str | None


def requested(what: Path, flags: Flags, workers: int | None, settings: Sequence[str]) -> "AnySpec":
    """The spec in a file, or of a picture or a folder of them with flags; settings come last.

    RequestError if wrong.
    """
    from jobs.spec.document import (
        any_spec_of,
        assigned,
        override,
        read_document,
        spec_for_folder,
        spec_for_picture,
    )
    from jobs.text.errors import RequestError

    if what.suffix.lower() in _SPECS:
        given = [f"--{name}" for name, value in vars(flags).items() if value is not None]
        if given:
            raise RequestError(
                f"{', '.join(given)}: for a picture, not for a spec; "
                f"change {what}, or use --set key=value"
            )
        document = read_document(what)
    elif what.is_dir():
        if flags.size is not None:
            raise RequestError("--size: for a picture; of a folder write --set resize=1024")
        chosen = {name: value for name, value in vars(flags).items() if name != "size"}
        document = spec_for_folder(what, **chosen)
    else:
        document = spec_for_picture(what, **vars(flags))
    if workers is not None:
        document = assigned(document, "crew.workers", workers)
    return any_spec_of(override(document, settings))
