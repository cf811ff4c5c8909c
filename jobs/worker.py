"""What a crew's members do for a poster: take the input in, dream, write files."""

from pathlib import Path

from jobs.source import opened
from jobs.spec import Spec
from render.intake import take_in
from render.mosaic import Mosaic
from render.outtake import bands
from render.pictures.digest import digest
from render.pictures.labels import Labels
from render.pictures.write import write_picture
from render.recipe import Recipe
from render.shard import Shard


class Worker(Shard):
    """A shard that can also decode the input and encode outputs, so that the coordinator touches
    no pixels."""

    def __init__(self, recipe: Recipe, scratch: Path) -> None:
        super().__init__(recipe, scratch)
        self._input = recipe.input

    def take_in(self, spec: Spec) -> None:
        """Decode the spec's input into the recipe's tiles."""
        picture, _ = opened(spec)
        take_in(picture, self._input)

    def write(
        self, canvas: Mosaic, path: Path, format_name: str, depth: int, labels: Labels
    ) -> str:
        """Encode the committed canvas as one output; returns its digest, as `sha256:...`."""
        size = (canvas.grid.height, canvas.grid.width)
        write_picture(path, format_name, size, depth, bands(canvas, depth), labels)
        return f"sha256:{digest(path)}"
