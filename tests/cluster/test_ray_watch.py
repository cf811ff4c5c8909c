"""The watch over a private Ray: a loss interrupts the session, and an end of the program wins.

No Ray runs here. A list says which processes have died.
"""

import signal
import sys
import time
from types import SimpleNamespace

import pytest

from cluster.errors import SessionLost
from cluster.ray_session import _ending_with_ray


class Terminated(BaseException):
    """What a signal handler raises to end the program."""


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the processes of Ray that have died."""
    names: list[str] = []
    fake = SimpleNamespace(lost_process=lambda: names[0] if names else None)
    # The real module imports Ray, which reads its settings at that moment.
    monkeypatch.setitem(sys.modules, "cluster.ray_actors", fake)
    monkeypatch.setattr("cluster.ray_session._WATCH_INTERVAL", 0.01)
    monkeypatch.setattr("cluster.ray_session._SIGNAL_INTERVAL", 0.05)
    return names


def test_a_dead_process_is_a_lost_session(dead: list[str]) -> None:
    handler = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(SessionLost, match="raylet has died"), _ending_with_ray():
        dead.append("raylet")
        time.sleep(20)
    assert signal.getsignal(signal.SIGUSR1) is handler


def test_a_swallowed_interrupt_is_sent_again(dead: list[str]) -> None:
    with pytest.raises(SessionLost), _ending_with_ray():
        dead.append("raylet")
        with pytest.raises(KeyboardInterrupt):
            time.sleep(20)
        time.sleep(20)


@pytest.mark.parametrize("kind", [Terminated, SystemExit, KeyboardInterrupt])
def test_an_end_of_the_program_that_takes_ray_along_stays_what_it_is(
    dead: list[str], kind: type[BaseException]
) -> None:
    ending = kind("the first")
    with pytest.raises(kind) as caught, _ending_with_ray():
        try:
            raise ending
        finally:
            dead.append("raylet")
            # Like a wait for actors, which Ray would not end.
            time.sleep(20)
    assert caught.value is ending


def test_the_cleanup_after_an_interrupt_is_not_interrupted_again(dead: list[str]) -> None:
    closed = False
    with pytest.raises(SessionLost), _ending_with_ray():
        try:
            dead.append("raylet")
            time.sleep(20)
        finally:
            time.sleep(0.3)
            closed = True
    assert closed


def test_an_end_of_the_program_after_the_loss_wins(dead: list[str]) -> None:
    with pytest.raises(Terminated), _ending_with_ray():
        try:
            dead.append("raylet")
            time.sleep(20)
        finally:
            raise Terminated


def test_ctrl_c_stays_a_keyboard_interrupt(dead: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt), _ending_with_ray():
        signal.raise_signal(signal.SIGINT)


def test_an_error_does_not_hide_a_loss_in_its_cleanup(dead: list[str]) -> None:
    with pytest.raises(SessionLost), _ending_with_ray():
        try:
            raise ValueError
        finally:
            dead.append("gcs_server")
            time.sleep(20)


def test_a_session_that_follows_a_lost_one_is_watched_too(dead: list[str]) -> None:
    dead.append("raylet")
    try:
        with _ending_with_ray():
            time.sleep(20)
    except SessionLost:
        with pytest.raises(SessionLost), _ending_with_ray():
            time.sleep(20)
