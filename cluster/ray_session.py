"""Ray sessions: a private Ray on this machine, or membership of an existing cluster.

Ray reads its configuration when it is imported and started. A session sets it first, then imports
Ray and yields `RayCrew`.
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

from cluster.errors import ClusterError, ClusterUnreachable

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


_EnvironmentChanges = Mapping[str, str | None]
"""Changes to environment variables. None unsets a variable."""


_CONNECT_TIMEOUT = 5.0
"""Seconds for a cluster to accept a connection. Ray itself would try for minutes."""


_MAX_FOLDER_LENGTH = 40
"""Characters. Ray creates sockets below its folder, and a socket's path ends at 107."""


_STARTING = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray prints notices of lost workers to standard output, where programs read our results.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",
}
"""Set while Ray starts."""


_RUNNING = {"RAY_IGNORE_UNHANDLED_ERRORS": "1"}
"""Set while the session lasts. A member reports a failed exchange itself, in one line."""


@contextmanager
def local_ray(cpus: int, object_store_bytes: int, gpus: int = 0) -> Iterator["type[RayCrew]"]:
    """A private Ray on this machine. All its processes end with the context.

    It requires a random token, sends no usage statistics and ignores RAY_ADDRESS. It listens on
    loopback only, if this is the first use of Ray in the process. Enter and leave the context in
    the same thread: Ray's processes end with the thread that started them.

    Args:
        cpus: logical CPUs. The session has at least as many as the machine has cores. It may have
            more, so that a crew larger than the machine starts all at once.
        object_store_bytes: memory for values in transit. What does not fit is written to disk.
        gpus: how many GPUs to use: the first ones that this process sees.

    Raises:
        ClusterError: Ray does not start, or this process is in a session already.
    """
    folder = _create_scratch_folder()
    environment = {
        # Left unset, Ray turns authentication on, with the token below.
        "RAY_AUTH_MODE": None,
        "RAY_AUTH_TOKEN": _auth_token(),
        # Despite the name, "0" keeps Ray on the loopback address on every system.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        # Ray would start an idle process for every logical CPU.
        "RAY_enable_worker_prestart": "0",
        "RAY_prestart_worker_first_driver": "0",
        # A lost head never returns here. A process that waits for it could start another Ray.
        "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    try:
        with _session(
            environment,
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
    """Membership of the cluster at `address`, HOST:PORT. This machine must be one of its nodes.

    For a cluster with a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH. For a cluster with
    TLS, set RAY_USE_TLS=1 and RAY_TLS_… to this machine's certificate.

    Raises:
        ClusterUnreachable: no cluster answers there, or it refuses this process.
        ClusterError: this process is in a session already.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_TIMEOUT).close()
    except (OSError, ValueError) as error:
        raise ClusterUnreachable(
            f"no Ray cluster answers at {address!r} ({error}): give HOST:PORT of its head"
        ) from error
    with _session({}, address=address) as crew:
        yield crew


@contextmanager
def _session(environment: _EnvironmentChanges, **options: Any) -> Iterator["type[RayCrew]"]:
    sigterm_handler = signal.getsignal(signal.SIGTERM)
    with _environment({**_STARTING, **environment}):
        import ray

        if ray.is_initialized():
            raise ClusterError("this process is in a Ray session already: leave that one first")
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
        except Exception as error:
            ray.shutdown(wait_for_processes=True)
            raise _start_error(options["address"], error) from error
    # Ray's own SIGTERM handler prints a stack trace and skips our `finally`.
    _handle_sigterm(_exit if sigterm_handler is signal.SIG_DFL else sigterm_handler)
    try:
        from cluster.ray_crew import RayCrew

        with _environment(_RUNNING):
            yield RayCrew
    finally:
        ray.shutdown(wait_for_processes=True)
        _handle_sigterm(sigterm_handler)


def _start_error(address: str, error: Exception) -> ClusterError:
    why = " ".join(str(error).split())
    if address == "local":
        return ClusterError(f"Ray does not start on this machine: {why}")
    return ClusterUnreachable(
        f"the Ray cluster at {address} cannot be joined ({why}): run this on one of its machines; "
        "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN_PATH if it requires a token, "
        "RAY_USE_TLS=1 and RAY_TLS_… if it uses TLS"
    )


@contextmanager
def _environment(changes: _EnvironmentChanges) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    _set_environment(changes)
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(changes: _EnvironmentChanges) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _exit(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _handle_sigterm(handler: Any) -> None:
    # Only the main thread may set handlers, and only there does Ray set its own.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


@functools.cache
def _auth_token() -> str:
    """A random token, the same for all sessions of the process: Ray reads its token only once."""
    return secrets.token_hex(32)


def _create_scratch_folder() -> Path:
    default = tempfile.gettempdir()
    parent = default if len(default) < _MAX_FOLDER_LENGTH - len("/dream-12345678") else "/tmp"
    return Path(tempfile.mkdtemp(prefix="dream-", dir=parent))
