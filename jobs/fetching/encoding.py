"""A format that a job has not made itself, encoded on this machine from its finished canvas."""

from dataclasses import dataclass

from jobs.disk import disk_use
from jobs.fetching.canvas import FinalCanvas
from jobs.fetching.download import Piece
from jobs.fetching.place import Output, Place
from jobs.fetching.wanted import Wanted
from jobs.spec import Output as Asked
from render.pictures.deepzoom import tiles_folder
from render.pictures.digest import digest
from render.pictures.format import check_output


@dataclass(frozen=True)
class Encoding:
    """A file to be made, of that name, and what it is made of."""

    wanted: Wanted
    name: str
    canvas: FinalCanvas

    def __post_init__(self) -> None:
        """Raises OutputError for what the format cannot hold."""
        check_output(self.wanted.format, *self.canvas.size, self.wanted.depth)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The objects that must be here first."""
        return self.canvas.pieces

    @property
    def made(self) -> int:
        """Bytes of the file, at the most."""
        asked = Asked.model_validate({"format": self.wanted.format, "depth": self.wanted.depth})
        return disk_use((0, 0), 8, self.canvas.size, 0, 0, False, (asked,)).outputs

    def finished(self, place: Place) -> Output:
        """Encode it. Raises OutputError where the disk does not allow it."""
        # Torch takes seconds, which who only downloads need not wait for.
        from render.outtake import bands
        from render.pictures.write import write_picture

        path, size, depth = place.working / self.name, self.canvas.size, self.wanted.depth
        samples = bands(self.canvas.mosaic(place.working), depth)
        write_picture(path, self.wanted.format, size, depth, samples, self.canvas.labels)
        files = [path, *(one for one in tiles_folder(path).rglob("*") if one.is_file())]
        return {
            "path": self.name,
            "format": self.wanted.format,
            "width": size[1],
            "height": size[0],
            "depth": depth,
            "dpi": self.canvas.labels.dpi,
            "bytes": sum(one.stat().st_size for one in files),
            "sha256": f"sha256:{digest(path)}",
        }
