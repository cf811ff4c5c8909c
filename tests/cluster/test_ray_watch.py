"""The watch over a private Ray: a loss interrupts the session, and an end of the program wins.

No Ray runs here. A list says which processes have died.
"""

import signal
import sys
import time
from types import SimpleNamespace

import pytest

from cluster.errors import SessionLost
from cluster.ray_watch import _leave, _Program, ending_with_ray


class Terminated(BaseException):
    """What a signal handler raises to end the program."""


def signal_handler_of(kind: type[BaseException]) -> None:
    raise kind


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the processes of Ray that have died."""
    names: list[str] = []
    fake = SimpleNamespace(lost_process=lambda: names[0] if names else None)
    # The real module imports Ray, which reads its settings at that moment.
    monkeypatch.setitem(sys.modules, "cluster.ray_actors", fake)
    monkeypatch.setattr("cluster.ray_watch._WATCH_INTERVAL", 0.01)
    monkeypatch.setattr("cluster.ray_watch._SIGNAL_INTERVAL", 0.05)
    return names


def test_a_dead_process_is_a_lost_session(dead: list[str]) -> None:
    handler = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(SessionLost, match="raylet has died"), ending_with_ray():
        dead.append("raylet")
        time.sleep(20)
    assert signal.getsignal(signal.SIGUSR1) is handler


def test_a_swallowed_interrupt_is_sent_again(dead: list[str]) -> None:
    with pytest.raises(SessionLost), ending_with_ray():
        dead.append("raylet")
        with pytest.raises(KeyboardInterrupt):
            time.sleep(20)
        time.sleep(20)


@pytest.mark.parametrize("kind", [Terminated, SystemExit, KeyboardInterrupt])
def test_an_end_of_the_program_that_takes_ray_along_stays_what_it_is(
    dead: list[str], kind: type[BaseException]
) -> None:
    ending = kind("the first")
    with pytest.raises(kind) as caught, ending_with_ray():
        try:
            raise ending
        finally:
            dead.append("raylet")
            # Like a wait for actors, which Ray would not end.
            time.sleep(20)
    assert caught.value is ending


def test_the_cleanup_after_an_interrupt_is_not_interrupted_again(dead: list[str]) -> None:
    closed = False
    with pytest.raises(SessionLost), ending_with_ray():
        try:
            dead.append("raylet")
            time.sleep(20)
        finally:
            time.sleep(0.3)
            closed = True
    assert closed


def test_an_end_of_the_program_after_the_loss_wins(dead: list[str]) -> None:
    with pytest.raises(Terminated), ending_with_ray():
        try:
            dead.append("raylet")
            time.sleep(20)
        finally:
            raise Terminated


def test_ctrl_c_stays_a_keyboard_interrupt(dead: list[str]) -> None:
    with pytest.raises(KeyboardInterrupt), ending_with_ray():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("kind", [Terminated, KeyboardInterrupt])
def test_an_end_of_the_program_that_ray_turned_into_an_error_wins(
    dead: list[str], kind: type[BaseException]
) -> None:
    with pytest.raises(kind), ending_with_ray():
        try:
            signal_handler_of(kind)
        except kind as error:
            raise SystemError("returned a result with an exception set") from error


def test_a_program_that_is_stuck_in_ray_is_left(
    dead: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int | None] = []
    monkeypatch.setattr("cluster.ray_watch._STUCK_SECONDS_IF_HOPELESS", 0.1)
    monkeypatch.setattr("cluster.ray_watch._leave", left.append)
    # Nothing interrupts the start of Ray.
    monkeypatch.setattr(
        "cluster.ray_watch._dead_children", lambda: dict.fromkeys(range(len(dead)), "raylet")
    )
    with ending_with_ray(starting=True):
        dead.append("raylet")
        while not left:
            time.sleep(0.01)
    assert set(left) == {None}


def test_a_program_that_is_stuck_in_ray_ends_if_a_signal_asked_for_it(
    dead: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[int | None] = []
    monkeypatch.setattr("cluster.ray_watch._STUCK_SECONDS_IF_HOPELESS", 0.1)
    monkeypatch.setattr("cluster.ray_watch._leave", left.append)
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    monkeypatch.setattr(
        "cluster.ray_watch._dead_children", lambda: dict.fromkeys(range(len(dead)), "raylet")
    )
    try:
        with ending_with_ray(starting=True):
            dead.append("raylet")
            signal.raise_signal(signal.SIGTERM)
            while not left:
                time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, handler)
    assert set(left) == {signal.SIGTERM}


def test_a_program_that_may_not_start_again_is_left_to_ray(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_Program, "environment", None)
    for number in (None, signal.SIGTERM):
        _leave(number)


def test_an_error_does_not_hide_a_loss_in_its_cleanup(dead: list[str]) -> None:
    with pytest.raises(SessionLost), ending_with_ray():
        try:
            raise ValueError
        finally:
            dead.append("gcs_server")
            time.sleep(20)


def test_a_session_that_follows_a_lost_one_is_watched_too(dead: list[str]) -> None:
    dead.append("raylet")
    try:
        with ending_with_ray():
            time.sleep(20)
    except SessionLost:
        with pytest.raises(SessionLost), ending_with_ray():
            time.sleep(20)
