"""Encodes a PDF/X-4 document whose pages are one picture each.

A picture is one image: in sRGB with its profile, or in CMYK for the output intent. It is not cut
into strips, because viewers show hairlines between them. Its samples are deflated with the
predictors of PNG, band by band; so they are exact, and of any size. The metadata precedes the
pictures, where readers find it soon.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from render.errors import OutputError
from render.pictures.bands import BandStream, Encoders, encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.encoding import Encoding
from render.pictures.jpeg_encode import jpeg_parts
from render.pictures.output_errors import encoder_errors
from render.pictures.output_format import Labels
from render.pictures.pdf_objects import Dictionary, Name, PdfWriter, Reference, Value
from render.pictures.pdf_page import Box, Page
from render.pictures.pdf_x import Metadata, output_intent, profile_name
from render.pictures.png_encode import zlib_parts
from render.pictures.write import write_file

_PICTURE, _SRGB = "Im0", "CS0"
"""Names of the resources of each page."""


class PdfPicture(NamedTuple):
    """A page and its picture."""

    page: Page
    picture: BandStream


EXACT = Encoding()
"""Exact pictures in sRGB, which is also the output intent."""


def write_pdf(
    path: Path,
    title: str,
    pages: Sequence[PdfPicture],
    labels: Labels,
    encoding: Encoding = EXACT,
    threads: int = 1,
) -> str:
    """Write a document, and return its `output_digest`. It raises what `write_picture` raises.

    title: of the document, printable ASCII. pages: their pictures are read once, in this order.
    encoding: its profile is the output intent, and that of CMYK pictures; None: pictures and
    intent are sRGB. With a quality, pictures are JPEGs instead of exact.
    """
    with encoder_errors(path), encoders(threads) as pool:
        return write_file(path, pdf_parts(title, pages, labels, encoding, pool))


def pdf_parts(
    title: str,
    pages: Sequence[PdfPicture],
    labels: Labels,
    encoding: Encoding,
    pool: Encoders,
) -> Iterator[bytes]:
    """Yield the parts of the file in order."""
    writer, metadata = PdfWriter(), Metadata(title, labels.identity)
    root, info, xmp, tree, srgb = (writer.reserve() for _ in range(5))
    yield writer.header()
    yield writer.object(info, metadata.info())
    xmp_type: Dictionary = {"Type": Name("Metadata"), "Subtype": Name("XML")}
    yield writer.stream(xmp, xmp_type, metadata.xmp())
    yield writer.stream(srgb, {"N": 3, "Alternate": Name("DeviceRGB")}, srgb_profile())
    intent = srgb
    if encoding.profile is not None:
        intent = writer.reserve()
        yield writer.stream(intent, {"N": encoding.channels}, encoding.profile)
    references = []
    for one in pages:
        references.append(writer.reserve())
        yield from _page_parts(writer, references[-1], (tree, srgb), one, labels, encoding, pool)
    count: Dictionary = {"Type": Name("Pages"), "Kids": references, "Count": len(references)}
    yield writer.object(tree, count)
    catalog: Dictionary = {
        "Type": Name("Catalog"),
        "Pages": tree,
        "Metadata": xmp,
        "OutputIntents": [output_intent(intent, profile_name(encoding.profile))],
    }
    yield writer.object(root, catalog)
    yield writer.end(root, info, metadata.file_id)


def _page_parts(
    writer: PdfWriter,
    at: Reference,
    shared: tuple[Reference, Reference],
    one: PdfPicture,
    labels: Labels,
    encoding: Encoding,
    pool: Encoders,
) -> Iterator[bytes]:
    tree, srgb = shared
    image, content = writer.reserve(), writer.reserve()
    srgb_space: Sequence[Value] = [Name("ICCBased"), srgb]
    filters, parts = _encoded(one.picture, labels, encoding, pool)
    dictionary: Dictionary = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": one.picture.width,
        "Height": one.picture.height,
        "BitsPerComponent": 8,
        # Samples for the output intent must not repeat its profile (ISO 15930-7).
        "ColorSpace": srgb_space if one.picture.channels == 3 else Name("DeviceCMYK"),
        **filters,
    }
    yield from writer.long_stream(image, dictionary, parts)
    yield writer.stream(content, {}, one.page.content(_PICTURE, _SRGB))
    page: Dictionary = {
        "Type": Name("Page"),
        "Parent": tree,
        "MediaBox": _array(one.page.media),
        "BleedBox": _array(one.page.bleed),
        "TrimBox": _array(one.page.trim),
        "Resources": {"XObject": {_PICTURE: image}, "ColorSpace": {_SRGB: srgb_space}},
        "Contents": content,
    }
    yield writer.object(at, page)


def _encoded(
    picture: BandStream, labels: Labels, encoding: Encoding, pool: Encoders
) -> tuple[Dictionary, Iterator[bytes]]:
    """The entries that say how an image is encoded, and its parts."""
    if picture.depth != 8:
        raise OutputError("output pdf: has 8 bits a sample: use png or tiff for 16")
    if encoding.quality is not None:
        # The samples of a JPEG in CMYK are inverted, which only Adobe's marker tells.
        inverted: Dictionary = {"Decode": [1, 0] * 4} if picture.channels == 4 else {}
        filters = {"Filter": Name("DCTDecode"), **inverted}
        return filters, jpeg_parts(picture, labels, pool, encoding)
    predictor: Dictionary = {
        "Predictor": 15,
        "Colors": picture.channels,
        "BitsPerComponent": 8,
        "Columns": picture.width,
    }
    deflate: Dictionary = {"Filter": Name("FlateDecode"), "DecodeParms": predictor}
    return deflate, zlib_parts(picture, pool)


def _array(box: Box) -> list[float]:
    return list(box)
