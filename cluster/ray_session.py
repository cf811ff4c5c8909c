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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cluster.errors import ClusterError, ClusterUnreachable, SessionLost
from cluster.ray_folder import ray_folder

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


_EnvironmentChanges = Mapping[str, str | None]
"""Changes to environment variables. None unsets a variable."""


_CONNECT_TIMEOUT = 5.0
"""Seconds for a cluster to accept a connection. Ray itself would try for minutes."""


_WATCH_INTERVAL = 0.25
"""Seconds between two looks at the processes of a private Ray."""


_SIGNAL_INTERVAL = 1.0
"""Seconds between two signals. In a destructor or a callback, an interrupt may have no effect."""


_LOST_SIGNAL = signal.SIGUSR1
"""Interrupts the main thread, also within Ray, after a process of a private Ray has died."""


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
        _ending_with_ray(),
    ):
        yield crew


@contextmanager
def _ending_with_ray() -> Iterator[None]:
    """Raise SessionLost in the main thread soon after a process of the private Ray has died.

    Otherwise, Ray would wait for it, and then end this whole program.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    from cluster.ray_actors import lost_process

    outer = sys.exception()
    lost: list[str] = []
    over, interrupted = threading.Event(), threading.Event()

    def watch() -> None:
        name = None
        while name is None:
            if over.wait(_WATCH_INTERVAL):
                return
            name = lost_process()
        lost.append(name)
        while not over.is_set():
            signal.pthread_kill(threading.main_thread().ident or 0, _LOST_SIGNAL)
            over.wait(_SIGNAL_INTERVAL)

    def interrupt(_number: int, _frame: object) -> None:
        handled = _context_chain(sys.exception(), outer)
        # One interrupt at a time: another would only disturb the cleanup.
        is_under_way = interrupted.is_set() and any(
            isinstance(error, KeyboardInterrupt) for error in handled
        )
        if over.is_set() or is_under_way:
            return
        interrupted.set()
        # Ray's waiting calls obey no other exception.
        raise KeyboardInterrupt

    handler = signal.signal(_LOST_SIGNAL, interrupt)
    watcher = threading.Thread(target=watch, name="ray-watch", daemon=True)
    watcher.start()
    try:
        try:
            yield
        finally:
            over.set()
    except KeyboardInterrupt as error:
        # A signal that ends the program may arrive first, and end Ray's processes as well.
        for ending in _context_chain(error.__context__, outer):
            if not isinstance(ending, Exception | GeneratorExit):
                raise ending from None
        if not (lost and interrupted.is_set()):
            raise
        raise SessionLost(
            f"Ray's process {lost[0]} has died: start another Ray; "
            "a machine that is short of memory kills processes"
        ) from None
    finally:
        watcher.join()
        signal.signal(_LOST_SIGNAL, handler)


def _context_chain(
    error: BaseException | None, outer: BaseException | None
) -> Iterator[BaseException]:
    """An exception and its contexts, up to the one that was handled before the session began."""
    while error is not None and error is not outer:
        yield error
        error = error.__context__


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
