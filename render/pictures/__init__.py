"""Picture files and tiled images: input pictures to a canvas, and a canvas to outputs.

`__all__` is the public surface. Importing the package loads neither torch nor libvips.

- picture_format, tiff_selection, tiff_page, tiff_directories, heif: which picture of a file is
  read, or why not
- decode, png_chunks: read it safely, as a stream of sRGB bands
- colour_profile, matrix_profile, linear_light, png_colour, cielab: what its samples mean
- generated: noise and plain colours in place of a picture file
- ingest, tiled_image: store a picture as tiles, and read any rectangle of them
- colour: samples to normalised colours and back
- export: a canvas as bands of samples, and its preview
- output_format, write, output_errors: check and write outputs, and what a refusing disk raises
- encode, bands, pyramid: outputs as parts of files, made of bands and smaller sizes, in threads
- encoding, ink: settings of encoders, and the colours of a press
- png_encode, jpeg_encode, tiff_encode, tile_compression, whole_encode: formats of one file
- zoom, deepzoom, deepzoom_encode, iiif_encode, zip_stream, zoom_page: tiles for viewers
- pdf_objects, pdf_page, pdf_x, pdf_document, stroke_text: PDF/X-4, streamed
- panels, hanging_plan, contract_proof, print_files, print_writing: files for a printer
- vips: lazy access to libvips
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from render.pictures.colour import to_canvas, to_samples
    from render.pictures.decode import MAX_PIXELS, Picture, open_picture
    from render.pictures.deepzoom import publish_deepzoom, tiles_folder
    from render.pictures.export import export_bands, preview
    from render.pictures.generated import Noise, PlainColour
    from render.pictures.ingest import INPUT_TILE, PictureSource, ingest_picture, input_layout
    from render.pictures.output_format import FORMATS, Format, Labels, check_output
    from render.pictures.tiled_image import (
        ByteSource,
        FileByteSource,
        TiledImage,
        TileFile,
        TileLayout,
        TileSet,
    )
    from render.pictures.write import output_digest, write_picture

__all__ = [
    "FORMATS",
    "INPUT_TILE",
    "MAX_PIXELS",
    "ByteSource",
    "FileByteSource",
    "Format",
    "Labels",
    "Noise",
    "Picture",
    "PictureSource",
    "PlainColour",
    "TileFile",
    "TileLayout",
    "TileSet",
    "TiledImage",
    "check_output",
    "export_bands",
    "ingest_picture",
    "input_layout",
    "open_picture",
    "output_digest",
    "preview",
    "publish_deepzoom",
    "tiles_folder",
    "to_canvas",
    "to_samples",
    "write_picture",
]

_LAZY = {
    "to_canvas": "colour",
    "to_samples": "colour",
    "MAX_PIXELS": "decode",
    "Picture": "decode",
    "open_picture": "decode",
    "publish_deepzoom": "deepzoom",
    "tiles_folder": "deepzoom",
    "export_bands": "export",
    "preview": "export",
    "Noise": "generated",
    "PlainColour": "generated",
    "INPUT_TILE": "ingest",
    "PictureSource": "ingest",
    "ingest_picture": "ingest",
    "input_layout": "ingest",
    "FORMATS": "output_format",
    "Format": "output_format",
    "Labels": "output_format",
    "check_output": "output_format",
    "ByteSource": "tiled_image",
    "FileByteSource": "tiled_image",
    "TileFile": "tiled_image",
    "TileLayout": "tiled_image",
    "TileSet": "tiled_image",
    "TiledImage": "tiled_image",
    "output_digest": "write",
    "write_picture": "write",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
