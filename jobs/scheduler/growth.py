"""What a cluster can grow to, as its operator says."""

import re

from pydantic import ByteSize, TypeAdapter, ValidationError

from cluster.room import Room
from jobs.errors import RequestError

_MACHINES = re.compile(r"(\d+) ?x ?(\d+) ?cpu(?:, ?(\d+) ?gpu)?, ?(\d[\w.]*)", re.IGNORECASE)
_BYTES: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def growth(text: str) -> Room:
    """All machines together, from `16x8cpu,1gpu,32GiB`; without GPUs `4x8cpu,32GiB`.

    RequestError, in one line, where it says anything else.
    """
    match = _MACHINES.fullmatch(text.strip())
    machines, cpus, gpus = (int(one or 0) for one in match.group(1, 2, 3)) if match else (0, 0, 0)
    try:
        memory = _BYTES.validate_python(match[4] if match else None)
    except ValidationError:
        memory = ByteSize(0)
    if not machines or not cpus or not memory:
        raise RequestError(
            f"--grows-to {text}: write the machines that the cluster may have, such as "
            "16x8cpu,1gpu,32GiB"
        )
    return Room(cpus=machines * cpus, gpus=machines * gpus, memory=machines * memory)
