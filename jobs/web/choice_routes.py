"""Routes of what a spec can choose from: networks, layers, looks; and the schema of specs."""

import functools
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path

from jobs.planning.estimate.speed import GPUS
from jobs.spec.kinds import SPEC_KINDS
from jobs.spec.looks import describe_look, load_look, look_names
from jobs.spec.schema import model_schema
from jobs.web.farm import TheFarm
from jobs.web.guard import API
from jobs.web.models import Answer

router = APIRouter(prefix=API, tags=["choices"])

_Network = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,60}$")]


class NetworkView(Answer):
    """A network. weights: shipped, downloaded or elsewhere."""

    network: str
    weights: str
    licence: str
    classes: int


class Networks(Answer):
    """All networks that a spec may name."""

    networks: tuple[NetworkView, ...]


class Layer(Answer):
    """A layer of a network. reason: why its tiles are not exact; None if they are."""

    name: str
    channels: int
    stride: int | None
    field: int | None
    halo: int | None
    reason: str | None


class Layers(Answer):
    """The layers of a network, from low to high."""

    network: str
    layers: tuple[Layer, ...]


class Classes(Answer):
    """The names of a network's classes, by their numbers."""

    network: str
    classes: tuple[str, ...]


class GpuView(Answer):
    """A GPU by its data sheet. memory: bytes. price: US dollars an hour."""

    gpu: str
    memory: int
    price: float | None


class Gpus(Answer):
    """All GPUs that a plan knows."""

    gpus: tuple[GpuView, ...]


class LookView(Answer):
    """A named choice of network, objectives and settings."""

    look: str
    network: str
    about: str


class Looks(Answer):
    """All looks."""

    looks: tuple[LookView, ...]


@router.get("/networks")
def list_networks(farm: TheFarm) -> Networks:
    """List the networks."""
    return Networks(networks=tuple(farm.catalogue.ask("networks")))


@router.get("/networks/{network}/layers")
def list_layers(network: _Network, farm: TheFarm) -> Layers:
    """List the layers of a network; the first time takes seconds."""
    found = farm.catalogue.ask("layers", network)
    fields = Layer.model_fields
    layers = ({name: layer.get(name) for name in fields} for layer in found)
    return Layers(network=network, layers=tuple(Layer.model_validate(one) for one in layers))


@router.get("/networks/{network}/classes")
def list_classes(network: _Network, farm: TheFarm) -> Classes:
    """List the classes of a network."""
    return Classes(
        network=network, classes=tuple(farm.catalogue.ask("layers", network, "--classes"))
    )


@router.get("/looks")
def list_looks() -> Looks:
    """List the looks."""
    return Looks(
        looks=tuple(
            LookView(
                look=name, network=load_look(name)["network"]["name"], about=describe_look(name)
            )
            for name in look_names()
        )
    )


@router.get("/gpus")
def list_gpus() -> Gpus:
    """List the GPUs whose time and price a plan can estimate."""
    return Gpus(
        gpus=tuple(
            GpuView(gpu=name, memory=specs.memory, price=specs.price)
            for name, specs in GPUS.items()
        )
    )


@router.get("/schema", status_code=HTTPStatus.OK)
def show_schema() -> dict[str, Any]:
    """Show the JSON schema of each kind of spec."""
    return _schemas()


@functools.cache
def _schemas() -> dict[str, Any]:
    return {name: model_schema(name) for name in SPEC_KINDS}
