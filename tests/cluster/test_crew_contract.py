"""The contract of a crew. Every test runs on each backend."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.crew import Crew
from cluster.errors import CallCancelled, ClusterError, MemberLost
from tests.cluster.conftest import Start
from tests.support.crew_members import ClosingMember, FailingMember, ToyMember

ALL: dict[int, tuple[object, ...]] = {0: (), 1: (), 2: ()}


@pytest.fixture
def pair(start: Start) -> Iterator[Crew]:
    """Two members that a test may break."""
    with start(ToyMember, [("Eve",), ("Fay",)]) as crew:
        yield crew


def test_each_member_is_made_of_its_own_arguments(trio: Crew) -> None:
    assert trio.size == 3
    assert trio.call("who", ALL) == {0: "Ada", 1: "Bob", 2: "Cyd"}


def test_members_keep_their_state_between_calls(pair: Crew) -> None:
    assert pair.call("hold", {0: ("x",), 1: ("x",)}) == {0: 1, 1: 1}
    assert pair.call("hold", {1: ("y",)}) == {1: 2}
    assert pair.call("hold", {0: ("z",), 1: ("z",)}) == {0: 2, 1: 3}


def test_only_the_members_named_are_called(trio: Crew) -> None:
    assert trio.call("echo", {2: (1, "two")}) == {2: (1, "two")}
    assert trio.call("echo", {}) == {}
    assert trio.exchange("greet", {}, {}) == {0: [], 1: [], 2: []}


def test_an_unknown_member_is_refused(trio: Crew) -> None:
    with pytest.raises(ValueError, match=r"\[3\] are not in a crew of 3"):
        trio.call("who", {0: (), 3: ()})
    with pytest.raises(ValueError, match="not in a crew"):
        trio.exchange("greet", {-1: (0,)}, {-1: (0,)})
    with pytest.raises(ValueError, match="not in a crew"):
        trio.exchange("greet", {0: (3,)}, {0: (3,)})


def test_a_crew_has_members(start: Start) -> None:
    with pytest.raises(ValueError, match="at least one member"):
        start(ToyMember, [])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_refs_go_round_a_ring(start: Start, size: int) -> None:
    with start(ToyMember, [(str(member),) for member in range(size)]) as crew:
        ways = {at: sorted({(at - 1) % size, (at + 1) % size}) for at in range(size)}
        exchanged = crew.exchange("greet", {at: tuple(to) for at, to in ways.items()}, ways)
        received = crew.call("echo", {to: tuple(exchanged[to]) for to in range(size)})
    assert received == {to: tuple(f"{at} to {to}" for at in ways[to]) for to in range(size)}


def test_only_the_named_receivers_get_refs(trio: Crew) -> None:
    receivers = {0: (2,), 1: (), 2: (0, 2)}
    exchanged = trio.exchange("greet", receivers, receivers)
    assert {receiver: len(own) for receiver, own in exchanged.items()} == {0: 1, 1: 0, 2: 2}
    received = trio.call("echo", {receiver: tuple(own) for receiver, own in exchanged.items()})
    assert received == {0: ("Cyd to 0",), 1: (), 2: ("Ada to 2", "Cyd to 2")}


def test_an_exchange_takes_refs(trio: Crew) -> None:
    (first,) = trio.exchange("greet", {0: (1,)}, {0: (1,)})[1]
    (second,) = trio.exchange("pass_on", {1: (2, first, "and Bob")}, {1: (2,)})[2]
    assert trio.call("echo", {2: (second,)}) == {2: (("Ada to 1", "and Bob"),)}


@pytest.mark.parametrize("shape", [(3,), (2500, 3000)], ids=["12 bytes", "30 MB"])
def test_exchanged_arrays_arrive_read_only(trio: Crew, shape: tuple[int, ...]) -> None:
    exchanged = trio.exchange("arrays", {0: ((0, 1, 2), shape)}, {0: (0, 1, 2)})
    trio.call("spoil", {0: ()})
    seen = trio.call("look", {receiver: tuple(own) for receiver, own in exchanged.items()})
    assert seen == dict.fromkeys(range(3), (7.0, False))


def test_an_array_of_the_caller_is_not_shared_either(trio: Crew) -> None:
    mine = np.zeros(5)
    (held,) = trio.call("echo", {1: (mine,)})[1]
    mine[:] = 1
    assert held.tolist() == [0] * 5
    assert trio.call("look", {1: (mine,)})[1] == (1.0, False)


def test_strided_arrays_arrive_whole(trio: Crew) -> None:
    (ref,) = trio.exchange("columns", {0: (1,)}, {0: (1,)})[1]
    ((array,),) = trio.call("echo", {1: (ref,)}).values()
    assert array.tolist() == [[1, 2], [5, 6], [9, 10]]


def test_an_error_keeps_its_type_and_names_the_member(trio: Crew) -> None:
    with pytest.raises(KeyError) as caught:
        trio.call("fail", ALL | {0: (1,)})
    assert type(caught.value) is KeyError
    assert caught.value.__notes__[0].startswith("in fail of member ")
    with pytest.raises(KeyError, match="Bob") as caught:
        trio.call("fail", {1: ()})
    assert caught.value.__notes__ == ["in fail of member 1"]
    assert trio.call("who", {1: ()}) == {1: "Bob"}


def test_the_others_finish_when_one_fails(pair: Crew) -> None:
    with pytest.raises(TypeError):
        pair.call("hold", {0: (), 1: ("x",)})
    assert pair.call("hold", {1: ("y",)}) == {1: 2}


def test_an_unknown_method_is_an_attribute_error(trio: Crew) -> None:
    with pytest.raises(AttributeError, match="juggle"):
        trio.call("juggle", {0: ()})


def test_a_failed_exchange_fails_where_its_ref_is_used(start: Start) -> None:
    with start(ToyMember, [("Ada",), ("Bob",), ("Cyd",)]) as crew:
        from_bob, from_cyd = crew.exchange("fail", {1: (), 2: ()}, {1: (0,), 2: (0,)})[0]
        with pytest.raises(KeyError, match="Bob") as caught:
            crew.call("echo", {0: (from_bob,)})
        assert type(caught.value) is KeyError
        assert caught.value.__notes__ == ["in fail of member 1"]
        (passed_on,) = crew.exchange("pass_on", {0: (0, from_cyd)}, {0: (0,)})[0]
        with pytest.raises(KeyError, match="Cyd"):
            crew.call("hold", {0: (passed_on,)})
        assert crew.call("who", {0: ()}) == {0: "Ada"}


@pytest.mark.parametrize("receivers", [(), (0,)])
def test_a_member_whose_exchange_failed_raises_from_then_on(
    pair: Crew, receivers: tuple[int, ...]
) -> None:
    """Even if nobody uses the refs: its object may be half changed."""
    pair.exchange("fail", {1: ()}, {1: receivers})
    for _ in range(2):
        with pytest.raises(KeyError, match="Fay") as caught:
            pair.call("who", {0: (), 1: ()})
        assert caught.value.__notes__ == ["in fail of member 1"]
    assert pair.call("who", {0: ()}) == {0: "Eve"}
    (after,) = pair.exchange("greet", {1: (0,)}, {1: (0,)})[0]
    with pytest.raises(KeyError, match="Fay"):
        pair.call("echo", {0: (after,)})


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("greet", (0,), r"values for \[0, 1\], not for \[0\]"),
        ("greet", (0, 1, 2), r"values for \[0, 1\], not for \[0, 1, 2\]"),
        ("who", (), r"values for \[0, 1\], not .*str"),
    ],
)
def test_an_exchange_must_return_a_value_for_each_receiver(
    pair: Crew, method: str, arguments: tuple[object, ...], message: str
) -> None:
    exchanged = pair.exchange(method, {0: arguments}, {0: (0, 1)})
    with pytest.raises(TypeError, match=message):
        pair.call("echo", {1: tuple(exchanged[1])})


def test_an_error_that_cannot_be_pickled_is_quoted(trio: Crew) -> None:
    with pytest.raises(
        ClusterError, match="UnpicklableError in fail_oddly of member 2: here: mind"
    ):
        trio.call("fail_oddly", {2: ()})


def test_the_error_of_a_constructor(start: Start) -> None:
    with pytest.raises(ValueError, match="cannot be created") as caught:
        start(FailingMember, [(), ()])
    assert caught.value.__notes__[0].startswith("in the constructor of member ")


def test_a_member_that_exits_is_lost(pair: Crew) -> None:
    with pytest.raises(MemberLost, match="member 1 is lost") as caught:
        pair.call("leave", {1: ()})
    assert caught.value.member == 1
    for _ in range(2):
        with pytest.raises(MemberLost) as again:
            pair.call("who", {0: ()})
        assert again.value.member == 1
    with pytest.raises(MemberLost):
        pair.exchange("greet", {0: (1,)}, {0: (1,)})


def test_a_member_that_exits_during_an_exchange_is_the_one_lost(pair: Crew) -> None:
    (ref,) = pair.exchange("leave", {1: ()}, {1: (0,)})[0]
    with pytest.raises(MemberLost) as caught:
        pair.call("echo", {0: (ref,)})
    assert caught.value.member == 1


def test_a_closed_crew_stays_closed(start: Start) -> None:
    crew = start(ToyMember, [("Gil",)])
    crew.close()
    crew.close()
    with pytest.raises(ClusterError, match="closed"):
        crew.call("who", {0: ()})


def cancel_when_started(crew: Crew, folder: Path) -> threading.Thread:
    """Cancels the call as soon as a member has created a file in the folder."""

    def cancel() -> None:
        while not any(folder.iterdir()):
            time.sleep(0.01)
        crew.cancel_call()

    thread = threading.Thread(target=cancel, daemon=True)
    thread.start()
    return thread


def test_a_cancelled_call_ends_early_and_the_crew_stays_usable(trio: Crew, tmp_path: Path) -> None:
    thread = cancel_when_started(trio, tmp_path)
    started = time.monotonic()
    with pytest.raises(CallCancelled):
        trio.call("work_until_cancelled", dict.fromkeys(range(3), (tmp_path, 30)))
    thread.join()

    assert time.monotonic() - started < 15
    assert trio.call("who", ALL) == {0: "Ada", 1: "Bob", 2: "Cyd"}
    assert trio.call("recall", {0: ()}) == {0: True}


def test_a_cancelled_call_has_no_result_even_if_its_methods_ran_to_their_end(
    trio: Crew,
) -> None:
    threading.Timer(0.5, trio.cancel_call).start()
    with pytest.raises(CallCancelled):
        trio.call("sleep", {0: (1.5,)})
    assert trio.call("who", {0: ()}) == {0: "Ada"}


def test_cancelling_an_idle_crew_does_nothing(trio: Crew, tmp_path: Path) -> None:
    trio.cancel_call()
    trio.call("work_until_cancelled", {1: (tmp_path, 0.05)})
    assert trio.call("recall", {1: ()}) == {1: False}


def test_members_clean_up_when_the_crew_is_closed(start: Start, tmp_path: Path) -> None:
    with start(ClosingMember, [(tmp_path, "Gil"), (tmp_path, "Hal")]) as crew:
        crew.call("who", {0: ()})
        assert list(tmp_path.iterdir()) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Gil", "Hal"]
    crew.close()


def test_after_a_loss_the_other_members_are_not_closed(start: Start, tmp_path: Path) -> None:
    with (
        start(ClosingMember, [(tmp_path, "Ira"), (tmp_path, "Jon")]) as crew,
        pytest.raises(MemberLost),
    ):
        crew.call("leave", {0: ()})
    assert list(tmp_path.iterdir()) == []
