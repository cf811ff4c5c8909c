"""Whether the process that holds a lease still runs, as far as this process can see.

A local render need not wait until the lease of a killed one expires.
"""

import functools
import hashlib
import os
import socket
import uuid
from pathlib import Path

from jobs.records.lease import Lease

_HELD_HERE: set[str] = set()
"""The tokens of the leases that this program holds."""


def hold(token: str) -> None:
    """Note that this program holds a lease."""
    _HELD_HERE.add(token)


def let_go(token: str) -> None:
    """Note that this program no longer holds a lease."""
    _HELD_HERE.discard(token)


@functools.cache
def process_mark() -> str:
    """A mark of all processes that see one another by their ids, for the end of lease tokens.

    Containers may share a host name, and each counts its processes from 1.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        boot, namespace = uuid.uuid4().hex, Path()
    seen = f"{socket.gethostname()} {boot.strip()} {namespace}"
    return f"@{hashlib.sha256(seen.encode()).hexdigest()[:16]}"


def has_exited(lease: Lease) -> bool:
    """Whether the holder was a process that this one would see, and no longer runs."""
    if not lease.token.endswith(process_mark()):
        return False
    process = lease.holder.rpartition(":")[2]
    if process == str(os.getpid()):
        # Process ids are used again: at once if a program executes itself.
        return lease.token not in _HELD_HERE
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return True
    # The state follows the name, which is in brackets. Z: dead, but its parent has not noticed.
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]
