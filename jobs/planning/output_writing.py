"""How the files of an output are written: what its spec says, made ready for an encoder."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jobs
from jobs.spec.encoding_fields import EncodingFields
from render.pictures.encoding import Encoding, Viewer
from render.pictures.ink import Gamut, Press
from render.pictures.output_format import Labels
from render.pictures.print_writing import Writing, go_on

_OPENSEADRAGON = Path("web", "static", "vendor", "openseadragon")
"""Where the page of a store has it; a page beside tiles gets a copy."""

_SHARE_DIGITS = 6


def output_writing(
    format_name: str,
    how: EncodingFields,
    labels: Labels,
    threads: int,
    check_stop: Callable[[], None] = go_on,
) -> Writing:
    """How the files of an output are written. The file of its profile is on this machine."""
    press = _press(how)
    given = {key: getattr(how, key) for key in ("compression", "chroma")}
    encoding = Encoding(
        **{key: value for key, value in given.items() if value is not None},
        quality=how.quality,
        profile=None if press is None or how.proof else press.content(),
        address=how.address,
        viewer=_viewer() if how.has_page(format_name) else None,
    )
    return Writing(
        labels, press, encoding, threads, check_stop, gamut=Gamut() if how.proof else None
    )


def output_details(
    how: EncodingFields, writing: Writing, digest: Callable[[Path], str]
) -> dict[str, Any]:
    """What a manifest says of an output besides its format. writing: after the file is written.

    digest: returns that of the file of a profile.
    """
    settings = how.settings(digest)
    details: dict[str, Any] = {"settings": settings} if settings else {}
    if writing.gamut is not None:
        details["out_of_gamut"] = round(writing.gamut.share_missed, _SHARE_DIGITS)
    return details


def _press(how: EncodingFields) -> Press | None:
    if how.profile is None:
        return None
    given = {key: getattr(how, key) for key in ("intent", "black_point_compensation")}
    return Press(
        how.profile_path, **{key: value for key, value in given.items() if value is not None}
    )


@functools.cache
def _viewer() -> Viewer:
    folder = Path(jobs.__file__).parent / _OPENSEADRAGON
    return Viewer(
        (folder / "openseadragon.min.js").read_bytes(), (folder / "LICENSE.txt").read_bytes()
    )
