"""Joining Ray: one of our own on this machine, or a cluster that is there already.

Both hand out `RayCrew`, so that Ray is imported only when it has been told how to behave.
"""

import functools
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.errors import ClusterError, Unreachable

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


_Changes = Mapping[str, str | None]
"""Environment variables; None unsets one."""


_ANSWER_WITHIN = 5.0
"""Seconds for a cluster to accept a connection; Ray itself would try for minutes."""


_LONGEST_FOLDER = 40
"""Characters: Ray puts sockets below its folder, and their paths end at 107."""


_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray prints notices of lost workers on standard output, where programs read our results.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""While Ray starts."""


_SILENT = {"RAY_IGNORE_UNHANDLED_ERRORS": "1"}
"""As long as it runs: of what was dealt and failed the member itself tells, in one line."""


@contextmanager
def local_ray(cpus: int, object_store_bytes: int, gpus: int = 0) -> Iterator["type[RayCrew]"]:
    """A private Ray on this machine; all its processes end with the context.

    It listens on loopback only (where this is the process's first use of Ray), wants a random
    token, reports to nobody and ignores RAY_ADDRESS. Enter and leave it in one thread: Ray's
    processes die with the thread that started them.

    Args:
        cpus: logical CPUs wanted. There are at least as many as cores, so that a crew larger
            than the machine starts at once too.
        object_store_bytes: memory for values on their way; what is more goes to disk.
        gpus: the first so many of those that this process sees; the others stay free.

    Raises:
        ClusterError: Ray does not start, or this process has joined one already.
    """
    folder = _scratch_folder()
    private = {
        # Left to itself, Ray wants a token of everybody who joins its own cluster.
        "RAY_AUTH_MODE": None,
        "RAY_AUTH_TOKEN": _token(),
        # Despite its name: off, Ray stays on the loopback address on every system.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Ray would start an idle process for every logical CPU.
        "RAY_enable_worker_prestart": "0",
        "RAY_prestart_worker_first_driver": "0",
        # A head that is gone never comes back here; who waits for it could start another Ray.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    try:
        with _ray(
            private,
            address="local",
            num_cpus=max(cpus, os.cpu_count() or 1),
            num_gpus=gpus,
            object_store_memory=object_store_bytes,
            include_dashboard=False,
            _temp_dir=str(folder),
        ) as crew:
            yield crew
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def joined_ray(address: str) -> Iterator["type[RayCrew]"]:
    """The cluster at `address`, HOST:PORT, of which this machine must be a part.

    A cluster that wants a token takes it from RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH; one that
    speaks TLS, this machine's certificate from RAY_USE_TLS=1 and RAY_TLS_….

    Raises:
        Unreachable: nothing answers there, or it does not let us in.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _ANSWER_WITHIN).close()
    except (OSError, ValueError) as error:
        raise Unreachable(
            f"no Ray cluster answers at {address!r} ({error}): give HOST:PORT of its head"
        ) from error
    with _ray({}, address=address) as crew:
        yield crew


@contextmanager
def _ray(environment: _Changes, **options: Any) -> Iterator["type[RayCrew]"]:
    on_terminate = signal.getsignal(signal.SIGTERM)
    with _environment({**_QUIET, **environment}):
        import ray

        if ray.is_initialized():
            raise ClusterError("this process has joined a Ray already: leave that one first")
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            ray.shutdown(wait_for_processes=True)
            raise _refusal(options["address"], error) from error
    # Left to Ray, SIGTERM would print its stack and skip our `finally`.
    _on_terminate(_leave if on_terminate is signal.SIG_DFL else on_terminate)
    try:
        from cluster.ray_crew import RayCrew

        with _environment(_SILENT):
            yield RayCrew
    finally:
        ray.shutdown(wait_for_processes=True)
        _on_terminate(on_terminate)


def _refusal(address: str, error: Exception) -> ClusterError:
    why = " ".join(str(error).split())
    if address == "local":
        return ClusterError(f"Ray does not start on this machine: {why}")
    return Unreachable(
        f"the Ray cluster at {address} does not let us in: run this on one of its machines, with "
        "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH where it wants a token, RAY_USE_TLS=1 and "
        f"RAY_TLS_… where it speaks TLS ({why})"
    )


@contextmanager
def _environment(changes: _Changes) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(changes: _Changes) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _on_terminate(handler: Any) -> None:
    # Only the main thread may, and only there does Ray take the signal over.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


@functools.cache
def _token() -> str:
    """One a process: Ray reads its token once."""
    return secrets.token_hex(32)


def _scratch_folder() -> Path:
    usual = tempfile.gettempdir()
    parent = usual if len(usual) < _LONGEST_FOLDER - len("/dream-12345678") else "/tmp"
    return Path(tempfile.mkdtemp(prefix="dream-", dir=parent))
