"""What may be asked of scale, and what it is planned for."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.gpu_specs import CARDS, card, card_within
from jobs.planning.estimate.request import asked
from jobs.planning.machine import Machine
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

HERE = Machine(cores=4, gpus=0, memory=16 << 30)


@pytest.mark.parametrize(
    ("text", "counts"), [("64", (64,)), ("1,8,64", (1, 8, 64)), ("8, 2,8", (2, 8)), (None, ())]
)
def test_crews_are_numbers_with_commas(text: str | None, counts: tuple[int, ...]) -> None:
    assert asked(text, None, None, None).workers == counts


@pytest.mark.parametrize("text", ["0", "-1", "", "1,,2", "many", "513", "1.5", "99999", "²"])
def test_what_is_no_crew_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(RequestError, match=r"^--workers .*: write a number from 1 to 512") as why:
        asked(text, None, None, None)
    assert "\n" not in str(why.value)


def test_an_unknown_gpu_names_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"^--gpu h20: not known; nearest: h200"):
        asked(None, "h20", None, None)
    with pytest.raises(RequestError, match=r"^--gpu quantum: not known; known: a100, b200, h100"):
        card("quantum")
    assert card("H200") is CARDS["h200"]


@pytest.mark.parametrize("number", [0.0, -25.0, float("nan"), float("inf")])
def test_numbers_are_above_0(number: float) -> None:
    with pytest.raises(RequestError, match=r"^--network-gbps .*: must be a number above 0"):
        asked(None, None, number, None)
    with pytest.raises(RequestError, match=r"^--price .*: must be a number above 0"):
        asked(None, None, None, number)


def test_a_gpu_is_found_in_its_full_name() -> None:
    assert card_within("NVIDIA H100 80GB HBM3") is CARDS["h100"]
    assert card_within("NVIDIA A100-SXM4-80GB") is CARDS["a100"]
    assert card_within("NVIDIA L40S") is CARDS["l40s"]
    assert card_within("NVIDIA GeForce RTX 4090") is None


def test_what_is_here_is_planned_for_this_machine() -> None:
    assert asked("4", None, None, 0.5).machine(HERE, Crew()) is HERE


def test_gpus_elsewhere_are_as_many_as_the_largest_crew_needs() -> None:
    found = asked("2,64", "h200", 25, None).machine(HERE, Crew(gpus_per_worker=2))
    assert (found.cores, found.gpus, found.gpu_memory) == (64, 128, CARDS["h200"].memory)
    assert asked(None, "l4", None, None).machine(HERE, Crew(workers=3)).gpus == 3


def test_machines_elsewhere_are_like_this_one() -> None:
    found = asked("32", None, 10, None).machine(HERE, Crew(cpus_per_worker=2))
    assert (found.cores, found.gpus, found.memory) == (64, 0, 32 * (8 << 30))
    with_gpus = replace(HERE, gpus=2, gpu_memory=24 << 30)
    found = asked("8", None, 10, None).machine(with_gpus, Crew())
    assert (found.gpus, found.memory, found.gpu_memory) == (8, 8 * (8 << 30), 24 << 30)


def test_a_gpu_for_a_crew_without_any_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^--gpu h100: crew.gpus_per_worker is 0"):
        asked("2", "h100", None, None).machine(HERE, Crew(gpus_per_worker=0))
