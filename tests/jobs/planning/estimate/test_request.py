"""Requests for estimates, and the machines that they are planned for."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.request import parse_request
from jobs.planning.estimate.speed import GPUS, find_gpu, gpu_in_name
from jobs.planning.machine import Machine
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

HERE = Machine(cores=4, gpus=0, memory=16 << 30)


@pytest.mark.parametrize(
    ("text", "counts"), [("64", (64,)), ("1,8,64", (1, 8, 64)), ("8, 2,8", (2, 8)), (None, ())]
)
def test_crew_sizes_are_separated_by_commas(text: str | None, counts: tuple[int, ...]) -> None:
    assert parse_request(text, None, None, None).workers == counts


@pytest.mark.parametrize("text", ["0", "-1", "", "1,,2", "many", "513", "1.5", "99999", "²"])
def test_bad_crew_sizes_fail_in_one_line(text: str) -> None:
    with pytest.raises(RequestError, match=r"^--workers .*: write a number from 1 to 512") as why:
        parse_request(text, None, None, None)
    assert "\n" not in str(why.value)


def test_an_unknown_gpu_names_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"^--gpu h20: not known; nearest: h200"):
        parse_request(None, "h20", None, None)
    with pytest.raises(RequestError, match=r"^--gpu quantum: not known; known: a100, b200, h100"):
        find_gpu("quantum")
    assert find_gpu("H200") is GPUS["h200"]


@pytest.mark.parametrize("number", [0.0, -25.0, float("nan"), float("inf")])
def test_numbers_must_be_above_0(number: float) -> None:
    with pytest.raises(RequestError, match=r"^--network-gbps .*: must be a number above 0"):
        parse_request(None, None, number, None)
    with pytest.raises(RequestError, match=r"^--price .*: must be a number above 0"):
        parse_request(None, None, None, number)


def test_a_gpu_is_found_in_its_full_name() -> None:
    assert gpu_in_name("NVIDIA H100 80GB HBM3") is GPUS["h100"]
    assert gpu_in_name("NVIDIA A100-SXM4-80GB") is GPUS["a100"]
    assert gpu_in_name("NVIDIA L40S") is GPUS["l40s"]
    assert gpu_in_name("NVIDIA GeForce RTX 4090") is None


def test_a_local_request_uses_this_machine() -> None:
    assert parse_request("4", None, None, 0.5).machine(HERE, Crew()) is HERE


def test_remote_gpus_suffice_for_the_largest_crew() -> None:
    found = parse_request("2,64", "h200", 25, None).machine(HERE, Crew(gpus_per_worker=2))
    assert (found.cores, found.gpus, found.gpu_memory) == (64, 128, GPUS["h200"].memory)
    assert parse_request(None, "l4", None, None).machine(HERE, Crew(workers=3)).gpus == 3


def test_remote_machines_are_like_this_one() -> None:
    found = parse_request("32", None, 10, None).machine(HERE, Crew(cpus_per_worker=2))
    assert (found.cores, found.gpus, found.memory) == (64, 0, 32 * (8 << 30))
    with_gpus = replace(HERE, gpus=2, gpu_memory=24 << 30)
    found = parse_request("8", None, 10, None).machine(with_gpus, Crew())
    assert (found.gpus, found.memory, found.gpu_memory) == (8, 8 * (8 << 30), 24 << 30)


def test_a_gpu_for_a_crew_without_gpus_fails() -> None:
    with pytest.raises(RequestError, match=r"^--gpu h100: crew.gpus_per_worker is 0"):
        parse_request("2", "h100", None, None).machine(HERE, Crew(gpus_per_worker=0))
