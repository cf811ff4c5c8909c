"""`dreamfarm networks`, `layers` and `looks`: the values that a spec can choose."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.cli.arguments import AsJson
from jobs.cli.completion import complete_networks
from jobs.cli.format import echo_json, print_table

if TYPE_CHECKING:
    from render.networks.exactness import Exactness


_SOURCES = {
    "shipped": "built in",
    "downloaded": "pretrained: downloaded",
    "elsewhere": "a file, or pretrained",
    "inside": "in the file",
}


def networks(
    network: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NETWORK",
            help="Names, .onnx files, or files of weights.",
            autocompletion=complete_networks,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="The last layer with exact tiles of each; slow at first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the networks, and where their weights come from."""
    from render.networks.architecture import is_onnx_path
    from render.networks.catalogue import check_network_name, network_names

    for name in network or ():
        if not is_onnx_path(name) and (every or not _is_weights_file(name)):
            check_network_name(name)
    names = network or network_names()
    if every:
        _print_exactness(names, as_json)
    else:
        _print_weights(names, as_json)


def _print_weights(names: Sequence[str], as_json: bool) -> None:

    rows = [_weights(name) for name in names]
    if as_json:
        echo_json(rows)
        return
    print_table(
        ("network", "weights", "licence", "classes"),
        (
            (
                row["network"],
                _SOURCES.get(row["weights"], row["weights"]),
                row["licence"],
                row["classes"],
            )
            for row in rows
        ),
    )


def _weights(name: str) -> dict[str, Any]:
    """The source of a network's weights, their licence if built in, and the number of classes."""
    from render.networks.architecture import named_network
    from render.networks.builtin import builtin_weights, uses_builtin_weights
    from render.networks.classes import class_names
    from render.networks.weight_paths import downloaded_weights
    from render.networks.weights_metadata import read_metadata

    network = named_network(name)
    if network.file is None and _is_weights_file(name):
        return _weights_file(Path(name))
    if network.file is not None:
        where, licence = "inside", ""
    elif uses_builtin_weights(name, None):
        where, licence = "shipped", read_metadata(builtin_weights(name)).licence
    else:
        where, licence = "downloaded" if downloaded_weights(name) else "elsewhere", ""
    count = len(class_names(network.name, network.file))
    return {"network": name, "weights": where, "licence": licence, "classes": count}


def _is_weights_file(text: str) -> bool:
    """Whether a text is the path of a file; names of networks have no suffix."""
    return bool(Path(text).suffix) and Path(text).is_file()


def _weights_file(path: Path) -> dict[str, Any]:
    """The row of a file of weights: what is published of it, and what it states about itself."""
    from jobs.planning.identity import file_digest
    from render.networks.published_weights import published_weights
    from render.networks.weights_metadata import read_metadata

    found, stated = published_weights(path, file_digest(path)), read_metadata(path)
    return {
        "network": str(path),
        "weights": found or stated.architecture or "not a published file",
        "licence": stated.licence,
        "classes": len(stated.classes) or None,
    }


def _print_exactness(names: Sequence[str], as_json: bool) -> None:

    rows = list(_exactness(names))
    if as_json:
        echo_json([_exactness_document(name, last) for name, last in rows])
        return
    print_table(
        ("network", "exact up to", "stride", "field", "halo", "classes", "no further, because"),
        (
            (
                name,
                last.layer,
                last.stride,
                last.field,
                last.halo,
                f"yes, field {last.classes_field}" if last.has_exact_classes else "no",
                last.reason,
            )
            for name, last in rows
        ),
    )


def _exactness_document(name: str, last: "Exactness") -> dict[str, object]:
    return {
        "network": name,
        "layer": last.layer,
        "stride": last.stride,
        "field": last.field,
        "classes": last.has_exact_classes,
        "classes_field": last.classes_field,
        "reason": last.reason,
        "halo": last.halo,
    }


def _exactness(names: Sequence[str]) -> Iterator[tuple[str, "Exactness"]]:
    """Each network with its last exact layer. On a terminal, with a progress bar."""
    from rich.console import Console
    from rich.progress import track

    from render.networks.exactness import network_exactness

    console = Console(stderr=True)
    is_terminal = console.is_terminal
    for name in track(names, "looking", console=console, transient=True, disable=not is_terminal):
        yield name, network_exactness(name)


def layers(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="A name, an .onnx file, or .safetensors with a network in it.",
            autocompletion=complete_networks,
        ),
    ],
    classes: Annotated[bool, typer.Option("--classes", help="List its classes instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the layers of a network: channels, stride, field, halo, and whether tiles are exact."""
    name, weights = _stated_network(network)
    if classes:
        _print_classes(name, weights, as_json)
    else:
        _print_layers(name, weights, as_json)


def _stated_network(text: str) -> tuple[str, Path | None]:
    """The network that a text means, and the weights file that names it, if the text is one."""
    from jobs.text.errors import RequestError
    from render.networks.weight_paths import SAFETENSORS_SUFFIX
    from render.networks.weights_metadata import read_metadata

    path = Path(text)
    if path.suffix.lower() != SAFETENSORS_SUFFIX:
        return text, None
    if stated := read_metadata(path).architecture:
        return stated, path
    raise RequestError(f"{path}: does not say for which network it is; give the network's name")


def _print_classes(network: str, weights: Path | None, as_json: bool) -> None:
    from render.networks.architecture import named_network
    from render.networks.classes import class_names

    found = named_network(network)
    names = class_names(found.name, weights or found.file)
    if as_json:
        echo_json(names)
        return
    print_table(("class", "name"), enumerate(names))


def _print_layers(network: str, weights: Path | None, as_json: bool) -> None:
    from render.engine.network_profile import list_layers
    from render.networks.classes import architecture_of

    rows = list_layers(network if weights is None else architecture_of(network, weights))
    if as_json:
        echo_json(list(rows))
        return
    print_table(
        ("layer", "channels", "stride", "field", "halo", "exact tiles"),
        (
            (
                layer["name"],
                layer["channels"],
                layer["stride"],
                layer["field"],
                layer["halo"],
                f"no: {layer['reason']}" if layer["reason"] else "yes",
            )
            for layer in rows
        ),
    )


def looks(as_json: AsJson = False) -> None:
    """List the looks for `--look`, and what they show."""
    from jobs.spec.looks import describe_look, load_look, look_names

    rows: list[dict[str, Any]] = [
        {"look": name, "network": load_look(name)["network"]["name"], "about": describe_look(name)}
        for name in look_names()
    ]
    if as_json:
        echo_json(rows)
        return

    print_table(("look", "network", "what it shows"), (list(row.values()) for row in rows))
