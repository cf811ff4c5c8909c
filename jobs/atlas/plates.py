"""What a user wrote of what an atlas shows."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from jobs.spec import Part

_Layer = Annotated[str, Field(min_length=1)]
_Channels = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
_Layers = Annotated[tuple[_Layer, ...], Field(min_length=1)]
_Classes = Annotated[tuple[int | str, ...], Field(min_length=1)]


class Plates(Part):
    """The pictures of an atlas: one of `layer`, `layers` and `classes`.

    layer: all channels of a layer, each by itself, or those of `channels`.
    layers: whole layers: all with exact tiles, from the first to the deepest, or those of a list.
    classes: all, or those of a list, by number or name.
    """

    layer: _Layer | None = None
    channels: _Channels | None = None
    layers: Literal["all"] | _Layers | None = None
    classes: Literal["all"] | _Classes | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(what is not None for what in (self.layer, self.layers, self.classes)) != 1:
            raise ValueError("must be one of {layer: NAME}, {layers: all}, {classes: all}")
        if self.channels is not None and self.layer is None:
            raise ValueError("channels are a layer's; name it, as {layer: NAME, channels: [0, 1]}")
        for name, chosen in self:
            if isinstance(chosen, tuple) and len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} must not name one twice")
        return self

    @property
    def word(self) -> str:
        """A word for them: the layer, `layers` or `classes`."""
        if self.layer is not None:
            return self.layer
        return "layers" if self.layers is not None else "classes"
