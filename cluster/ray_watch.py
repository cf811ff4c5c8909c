"""The watch over a private Ray: what happens when one of its processes dies.

Ray would wait for a dead process, and then end this whole program. The watch interrupts the main
thread first. Some of Ray's calls cannot be interrupted, and Ray cannot start twice after a failed
start. There, a program that has called `allow_restart` is executed anew.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.errors import SessionLost

_WATCH_INTERVAL = 0.25
"""Seconds between two looks at the processes of a private Ray."""


_SIGNAL_INTERVAL = 1.0
"""Seconds between two signals. In a destructor or a callback, an interrupt may have no effect."""


_LOST_SIGNAL = signal.SIGUSR1
"""Interrupts the main thread, also within Ray, after a process of a private Ray has died."""


_STUCK_SECONDS = 8.0
"""Seconds without an answer of the main thread until it counts as stuck. Ray gives up after 15."""


_STUCK_SECONDS_IF_HOPELESS = 3.0
"""The same, if a signal has asked the program to end, or while Ray starts."""


_ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

_ESSENTIAL = ("gcs_server", "raylet")
"""Ray's names for the processes without which a private Ray does not work."""


_MAX_RESTARTS = 3

_RESTARTS = "DREAMFARM_RAY_RESTARTS"
"""The environment variable that counts how often the program was executed anew."""


class _Program:
    """Whether this program may be executed anew, and the environment that it began with."""

    environment: Mapping[str, str] | None = None


def allow_restart() -> None:
    """Let the watch execute this program anew, with the same arguments.

    For programs that can be killed at any time, and that then go on when they are run again. Does
    nothing in a process that was started with other arguments, such as a test.
    """
    arguments = sys.argv[1:]
    if arguments and sys.orig_argv[-len(arguments) :] == arguments:
        _Program.environment = dict(os.environ)


@contextmanager
def ending_with_ray(*, starting: bool = False) -> Iterator[None]:
    """Raise SessionLost in the main thread soon after a process of the private Ray has died.

    A signal that ends the program wins, even if Ray has turned its exception into another one.

    starting: Ray starts in this block. Nothing is interrupted, because a half-started Ray cannot be
        started again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer = sys.exception()
    watch = _Watch(outer, starting=starting)
    try:
        with watch.running():
            yield
    except BaseException as error:
        endings = [
            one
            for one in _context_chain(error, outer)
            if not isinstance(one, Exception | GeneratorExit)
        ]
        if not endings:
            raise
        # A signal that ends the program may arrive first, and end Ray's processes as well. Ray's
        # own code may turn its exception into another.
        stronger = [one for one in endings if not isinstance(one, KeyboardInterrupt)]
        if stronger or len(endings) > 1 or not (watch.lost and watch.interrupted.is_set()):
            raise (stronger[0] if stronger else endings[-1]) from None
        raise SessionLost(
            f"Ray's process {watch.lost} has died: start another Ray; "
            "a machine that is short of memory kills processes"
        ) from None


class _Watch:
    """Watches the processes of a private Ray in a thread, and interrupts the main thread.

    lost: Ray's name of the process that has died. interrupted: is set once the main thread was.
    """

    def __init__(self, outer: BaseException | None, *, starting: bool) -> None:
        self.lost: str | None = None
        self.interrupted = threading.Event()
        self._outer, self._starting = outer, starting
        self._over = threading.Event()
        self._answered = time.monotonic()
        self._before = _dead_children()
        self._find_lost = self._lost_child
        if not starting:
            from cluster.ray_actors import lost_process

            self._find_lost = lost_process
        self._signals, self._wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch until the block ends."""
        handler = signal.signal(_LOST_SIGNAL, self._interrupt)
        # Shows signals that the main thread, stuck in Ray, has not handled yet.
        wakeup = signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        watcher = threading.Thread(target=self._run, name="ray-watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            try:
                self._over.set()
            finally:
                # An interrupt may arrive within the first call. It is the last one: `_interrupt`
                # raises none while one is handled.
                self._over.set()
                watcher.join()
                signal.set_wakeup_fd(wakeup)
                signal.signal(_LOST_SIGNAL, handler)
                os.close(self._signals)
                os.close(self._wakeup)

    def _run(self) -> None:
        while self.lost is None:
            if self._over.wait(_WATCH_INTERVAL):
                return
            self.lost = self._find_lost()
        self._answered = time.monotonic()
        is_ending = False
        while not self._over.is_set():
            if not self._starting:
                signal.pthread_kill(threading.main_thread().ident or 0, _LOST_SIGNAL)
            if self._over.wait(_SIGNAL_INTERVAL):
                return
            is_ending = is_ending or self._ending_signal() is not None
            is_hopeless = is_ending or self._starting
            limit = _STUCK_SECONDS_IF_HOPELESS if is_hopeless else _STUCK_SECONDS
            if time.monotonic() - self._answered > limit:
                _leave(self._ended_by)

    def _lost_child(self) -> str | None:
        """Like `lost_process`, while Ray starts. It shows its processes only once all run."""
        dead = _dead_children()
        return next((dead[child] for child in dead.keys() - self._before.keys()), None)

    _ended_by: int | None = None

    def _ending_signal(self) -> int | None:
        """The first signal so far that asks the program to end, handled or not."""
        with suppress(BlockingIOError):
            arrived = _ENDING_SIGNALS.intersection(os.read(self._signals, 1 << 16))
            self._ended_by = self._ended_by or min(arrived, default=None)
        return self._ended_by

    def _interrupt(self, _number: int, _frame: object) -> None:
        self._answered = time.monotonic()
        handled = _context_chain(sys.exception(), self._outer)
        # One interrupt at a time: another would only disturb the cleanup.
        is_under_way = self.interrupted.is_set() and any(
            isinstance(error, KeyboardInterrupt) for error in handled
        )
        if self._over.is_set() or is_under_way:
            return
        self.interrupted.set()
        # Ray's waiting calls obey no other exception.
        raise KeyboardInterrupt


def _leave(ended_by: int | None) -> None:
    """End a program that is stuck in Ray, or execute it anew, if that is allowed."""
    if _Program.environment is None:
        return
    if ended_by is not None:
        os._exit(128 + ended_by)
    count = _Program.environment.get(_RESTARTS, "0")
    restarts = int(count) if count.isdecimal() else _MAX_RESTARTS
    if restarts >= _MAX_RESTARTS:
        os.write(
            sys.stderr.fileno(),
            b"dreamfarm: Ray's processes die while Ray starts: check the machine's memory, and run "
            b"the same command again\n",
        )
        os._exit(1)
    # Dead children of this process are strangers to the program that follows.
    for child, name in _children().items():
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)
            if name in _ESSENTIAL:
                os.waitpid(child, 0)
    environment = {**_Program.environment, _RESTARTS: str(restarts + 1)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def _children() -> dict[int, str]:
    """The names of this process's children, by process id. Empty where the kernel has no list."""
    children: dict[int, str] = {}
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for child in path.read_text().split():
                children[int(child)] = Path("/proc", child, "comm").read_text().strip()
    return children


def _dead_children() -> dict[int, str]:
    """Ray's essential processes that have died and that nobody has waited for, by process id."""
    dead = {}
    for child, name in _children().items():
        with suppress(OSError):
            state = Path(f"/proc/{child}/stat").read_bytes().rpartition(b")")[2].split()[0]
            if name in _ESSENTIAL and state == b"Z":
                dead[child] = name
    return dead


def _context_chain(
    error: BaseException | None, outer: BaseException | None
) -> Iterator[BaseException]:
    """An exception and its contexts, up to the one that was handled before the session began."""
    while error is not None and error is not outer:
        yield error
        error = error.__context__
