"""What a scheduler tells the process that it starts for one job."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from jobs.lifecycle.record import Record
from jobs.watching.lines import LogFormat


class Errand(Record):
    """A job whose lease was claimed, and what may be used for it.

    store: its address. number, token, holder, ttl: the lease's. ray: HOST:PORT of a cluster; None
    for a Ray of its own. cores, gpus, memory: of this machine (bytes), or of the cluster.
    checkpoint_seconds: between two checkpoints within an octave, at the least. allow, max_pixels:
    what its spec may have read, as in `Settings`. mouth: a descriptor of that process, for its
    readings; None where nobody listens. log: what it writes to standard error: nothing but trouble,
    or lines for programs. regroup: how many times its cost another crew must save.
    """

    store: str
    job: str
    number: Annotated[int, Field(ge=1)]
    token: str
    holder: str
    ttl: Annotated[float, Field(gt=0)]
    ray: str | None
    cores: Annotated[int, Field(ge=1)]
    gpus: Annotated[int, Field(ge=0)]
    memory: Annotated[int, Field(ge=1)]
    checkpoint_seconds: Annotated[float, Field(ge=0)]
    allow: tuple[str, ...]
    max_pixels: Annotated[int, Field(ge=1)]
    regroup: Annotated[float, Field(ge=0)]
    scratch: Annotated[Path, Field(strict=False)]
    log: LogFormat
    mouth: Annotated[int, Field(ge=0)] | None = None
