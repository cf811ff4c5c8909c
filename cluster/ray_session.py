"""Ray sessions: a private Ray on this machine, or membership of an existing cluster.

Ray reads its configuration when it is imported and started. A session sets it first, then imports
Ray and yields `RayCrew`.
"""

import functools
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from cluster.errors import ClusterError, ClusterUnreachable
from cluster.ray_folder import ray_folder
from cluster.ray_watch import ending_with_ray

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


_EnvironmentChanges = Mapping[str, str | None]
"""Changes to environment variables. None unsets a variable."""


_CONNECT_TIMEOUT = 5.0
"""Seconds for a cluster to accept a connection. Ray itself would try for minutes."""


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
        InsufficientCapacity: the temporary folder is full.
        SessionLost: a process of this Ray has died, and the context was entered in the main thread.
    """
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
        "RAY_gcs_rpc_server_reconnect_timeout_s": "15",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with (
        ray_folder(object_store_bytes) as folder,
        _session(
            environment,
            address="local",
            num_cpus=max(cpus, os.cpu_count() or 1),
            num_gpus=gpus,
            object_store_memory=object_store_bytes,
            include_dashboard=False,
            _temp_dir=str(folder),
        ) as crew,
        ending_with_ray(),
    ):
        yield crew


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
    starting = {**_STARTING, **environment}
    with _environment(starting):
        import ray
    if ray.is_initialized():
        raise ClusterError("this process is in a Ray session already: leave that one first")
    with _ending_at_sigterm() as set_handler:
        with _environment(starting):
            _start(options)
        try:
            set_handler()
            from cluster.ray_crew import RayCrew

            with _environment(_RUNNING):
                yield RayCrew
        finally:
            ray.shutdown(wait_for_processes=True)


def _start(options: dict[str, Any]) -> None:
    import ray

    is_private = options["address"] == "local"
    try:
        with ending_with_ray(starting=True) if is_private else nullcontext():
            ray.init(log_to_driver=False, logging_level=logging.ERROR, **options)
    except BaseException as error:
        ray.shutdown(wait_for_processes=True)
        if isinstance(error, Exception):
            raise _start_error(options["address"], error) from error
        raise


@contextmanager
def _ending_at_sigterm() -> Iterator[Callable[[], None]]:
    """Keep the program's SIGTERM handler, or exit in order if it has none.

    Ray's own handlers print a stack trace, skip our `finally`, and exit with another code. Yields a
    function that sets the handler again, for when Ray has started.
    """
    import ray._private.utils as ray_utils

    # Only the main thread may set handlers, and only there does Ray set its own.
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    handler, set_handler = signal.getsignal(signal.SIGTERM), ray_utils.set_sigterm_handler
    ours = _exit if handler is signal.SIG_DFL else handler

    def set_ours(_handler: object = None) -> None:
        signal.signal(signal.SIGTERM, ours)

    ray_utils.set_sigterm_handler = set_ours
    try:
        yield set_ours
    finally:
        ray_utils.set_sigterm_handler = set_handler
        signal.signal(signal.SIGTERM, handler)


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


@functools.cache
def _auth_token() -> str:
    """A random token, the same for all sessions of the process: Ray reads its token only once."""
    return secrets.token_hex(32)
