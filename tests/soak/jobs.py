"""The specs of a soak's jobs: a poster, a dataset with bad pictures, and an atlas."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from jobs.services.kinds import kind_of
from jobs.spec.kinds import parse_spec
from jobs.store.folder import FolderStore
from tests.soak.results import Result, read_folder, read_job
from tests.soak.streams import render_command
from tests.support.bad_pictures import mixed_pictures
from tests.support.coordinators import claim_job
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import LAYER, NETWORK, poster_document

_PICTURES, _BAD = 24, 4


def soak_documents(folder: Path) -> dict[str, dict[str, Any]]:
    """The specs by name. Writes their weights and pictures below a folder."""
    weights = save_seeded_weights(NETWORK, (LAYER,), folder / "weights.safetensors")
    pictures = mixed_pictures(_PICTURES, _BAD).write_to(folder / "in")
    noise = ("input={noise: {seed: 3}}", "size=300x200", "tiles=64", "outputs=[png]")
    return {
        "poster": poster_document(
            None, weights, *noise, "dream.octaves=3", "dream.steps=8", "crew={workers: 2}"
        ),
        "set": dataset_document(pictures, weights, "sheet=4", "dream.steps=3"),
        "atlas": {
            "kind": "atlas",
            "network": {"name": NETWORK, "weights": str(weights)},
            "of": {"layer": LAYER, "channels": list(range(8))},
            "size": 64,
            "fourier": {"steps": 24},
            "crew": {"workers": 1},
            "sheet": 4,
        },
    }


def undisturbed_job(name: str, document: dict[str, Any], folder: Path) -> Result:
    """The result of a job in a store that nothing disturbs, rendered in this process."""
    store = FolderStore(folder / "store")
    spec = parse_spec({**document, "name": f"{name}-0"})
    job = kind_of(spec).submit(store, spec).job
    claim_job(store, job, folder).run()
    return read_job(store, job)


def undisturbed_render(
    name: str, document: dict[str, Any], folder: Path, options: Sequence[str]
) -> Result:
    """The result of the command `render` that nothing disturbs."""
    spec, out = folder / f"undisturbed-{name}.yaml", folder / f"undisturbed-{name}"
    spec.write_text(yaml.safe_dump(document))
    subprocess.run(
        [sys.executable, "-m", "jobs.cli", *render_command(spec, out, options)],
        check=True,
        capture_output=True,
        env=os.environ,
    )
    return read_folder(out)
