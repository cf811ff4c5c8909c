"""What a spec may say about how an output is encoded: compression, quality, and colours of a press.

Specs without these fields do not have them at all, so their ids stay as they were.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from jobs.spec.base import LocalPath, SpecModel
from render.pictures.encoding import BUILTIN_PROFILE, Chroma, Compression, Intent
from render.pictures.output_format import FORMATS

_PRINTER_SETTINGS = {"pdf": {"quality", "chroma", "profile"}, "contract-proof": {"profile"}}
"""Of the formats that are only for the printer."""

_PROOFS = frozenset({"png", "tiff", "jpeg", "deepzoom", "webp", "avif", "jxl"})
"""Formats of a soft proof: each is for a screen."""

_WITH_PAGE = frozenset({"deepzoom-zip", "iiif", "iiif-zip"})
"""Formats whose tiles have a page beside them in any case."""

_SETTINGS = frozenset({"compression", "quality", "chroma", "profile", "address"})
"""Fields that a format has if its encoder heeds them."""

_MOST_ADDRESS = 1000


def _is_none(value: object) -> bool:
    return value is None


def _is_false(value: object) -> bool:
    return value is False


def _check_address(address: str) -> str:
    if re.fullmatch(r"https?://[!-~]+[^/\s]", address, re.ASCII) is None:
        raise ValueError("must be an address without a / at its end: https://example.org/sky")
    return address


_Flag = Annotated[bool, Field(exclude_if=_is_false)]


class EncodingFields(SpecModel):
    """How an output is encoded.

    compression: of a `tiff`: `deflate` (default), `lzw` or `none`.
    quality: of a picture with loss, 1 to 100.
    chroma: `4:4:4` (default) keeps all colour samples; `4:2:0` a quarter.
    profile: the ICC profile of a press: the file becomes CMYK; `cmyk` is a general one.
    intent: how colours come to the press: `relative` (default), `perceptual`, `saturation` or
        `absolute`.
    black_point_compensation: maps black to the darkest ink; default: true.
    proof: shows in sRGB what the press would print, in place of its inks.
    page: adds a page to a `deepzoom` that opens it in a browser with no network.
    address: where the folder of an `iiif` will be served, such as https://example.org/sky.
    """

    compression: Annotated[Compression | None, Field(exclude_if=_is_none)] = None
    quality: Annotated[Annotated[int, Field(ge=1, le=100)] | None, Field(exclude_if=_is_none)] = (
        None
    )
    chroma: Annotated[Chroma | None, Field(exclude_if=_is_none)] = None
    profile: Annotated[LocalPath | None, Field(exclude_if=_is_none)] = None
    intent: Annotated[Intent | None, Field(exclude_if=_is_none)] = None
    black_point_compensation: Annotated[bool | None, Field(exclude_if=_is_none)] = None
    proof: _Flag = False
    page: _Flag = False
    address: Annotated[
        Annotated[str, Field(max_length=_MOST_ADDRESS), AfterValidator(_check_address)] | None,
        Field(exclude_if=_is_none),
    ] = None

    def check_encoding(self, format_name: str) -> None:
        """Raise ValueError if the format has not these fields."""
        heeded = _settings_of(format_name)
        given = {
            "compression": self.compression is not None,
            "quality": self.quality is not None,
            "chroma": self.chroma is not None,
            "profile": self.is_inked,
            "address": self.address is not None,
        }
        for field, is_given in given.items():
            if is_given and field not in heeded:
                fitting = ", ".join(one for one in FORMATS if field in _settings_of(one))
                raise ValueError(f"{field} is for {fitting}, not {format_name}")
        if self.page and format_name != "deepzoom":
            raise ValueError(f"page is for deepzoom, not {format_name}")
        self._check_press(format_name)

    @staticmethod
    def fields_of(format_name: str) -> frozenset[str]:
        """The fields that a format may have.

        `profile` is among them if its file can be CMYK, and `proof` if it can be a proof.
        """
        fields = {field for field in _settings_of(format_name) if field in _SETTINGS}
        if format_name == "deepzoom":
            fields.add("page")
        if format_name in _PROOFS:
            fields.add("proof")
        if fields & {"profile", "proof"}:
            fields |= {"intent", "black_point_compensation"}
        return frozenset(fields)

    def _check_press(self, format_name: str) -> None:
        if self.profile is None:
            if self.proof or self.intent is not None or self.black_point_compensation is not None:
                raise ValueError("proof, intent and black_point_compensation need a profile")
        elif self.proof and format_name not in _PROOFS:
            raise ValueError(f"a proof is {', '.join(sorted(_PROOFS))}, not {format_name}")
        elif self.chroma is not None and not self.proof:
            raise ValueError("chroma is for sRGB; CMYK keeps all samples; leave it out")

    @property
    def profile_path(self) -> Path | None:
        """The file of the profile; None if there is no profile, or it is the general one."""
        return (
            None if self.profile is None or str(self.profile) == BUILTIN_PROFILE else self.profile
        )

    @property
    def is_inked(self) -> bool:
        """Whether the file is CMYK."""
        return self.profile is not None and not self.proof

    def has_page(self, format_name: str) -> bool:
        """Whether a page opens the tiles in a browser."""
        return self.page or format_name in _WITH_PAGE

    @property
    def kind(self) -> str:
        """The colours of the file, as part of its name: nothing for sRGB, `-cmyk`, `-proof`."""
        return "-cmyk" if self.is_inked else "-proof" if self.proof else ""

    def file_name(self, name: str, format_name: str) -> str:
        """The name of the file of a poster of some name."""
        return f"{name}{self.kind}{FORMATS[format_name].suffix}"

    def settings(self, digest: Callable[[Path], str]) -> dict[str, Any]:
        """The fields that are given, for a manifest, with a digest in place of a path."""
        given = {
            key: value
            for key, value in self.model_dump(mode="json").items()
            if key in EncodingFields.model_fields
        }
        path = self.profile_path
        return given if path is None else {**given, "profile": digest(path)}


def _settings_of(format_name: str) -> frozenset[str] | set[str]:
    known = _PRINTER_SETTINGS.get(format_name)
    return FORMATS[format_name].settings if known is None else known
