"""What the doctor says of the machines of a cluster."""

from typing import Any

import pytest

from jobs.services.doctor.cluster_checks import MachineSurvey, clusters, judged, survey
from jobs.services.doctor.finding import Finding
from tests.support.s3_servers import free_ports

HERE = {"python": "3.11.7", "torch": "2.12.0"}


def answer(**more: Any) -> str:
    known: dict[str, Any] = {
        "name": "node",
        "cores": 4,
        "gpus": 1,
        "software": HERE,
        "free": 50 << 30,
        "sees_store": True,
        "trouble": None,
    }
    return MachineSurvey(**(known | more)).model_dump_json()


def found(**answers: str) -> dict[str, Finding]:
    return {one.check: one for one in judged("head:6379", answers, HERE)}


def bad(**answers: str) -> dict[str, Finding]:
    return {check: one for check, one in found(**answers).items() if one.verdict != "ok"}


def test_machines_that_are_alike_pass() -> None:
    told = found(a=answer(), b=answer())
    assert not bad(a=answer(), b=answer())
    assert "2 machines, 8 cores, 2 GPUs" in told["cluster"].found


@pytest.mark.parametrize(
    ("check", "other", "told"),
    [
        ("cluster", "ModuleNotFoundError: No module named 'jobs'", "No module named"),
        ("cluster: versions", answer(software=HERE | {"torch": "2.11.0"}), "torch 2.11.0"),
        ("cluster: disks", answer(free=1 << 20), "0.0 GiB"),
        ("cluster: store", answer(sees_store=False, trouble="no such bucket"), "no such bucket"),
    ],
)
def test_a_machine_that_is_not_is_named(check: str, other: str, told: str) -> None:
    (only,) = bad(a=answer(), b=other).values()
    assert only.check == check
    assert "b" in only.found.split(":")[0]
    assert told in only.found
    assert only.advice


def test_of_a_store_that_was_not_named_nothing_is_said() -> None:
    assert "cluster: store" not in found(a=answer(sees_store=None))


def test_a_machine_surveys_itself(tmp_path: Any) -> None:
    one = MachineSurvey.decode(survey(str(tmp_path)).encode(), "here")
    assert one.cores >= 1
    assert one.sees_store is True
    assert MachineSurvey.decode(survey("").encode(), "here").sees_store is None


def test_a_cluster_that_is_gone() -> None:
    (only,) = clusters(f"127.0.0.1:{free_ports(1)}", None)
    assert only.verdict == "failed"
    assert "no Ray cluster answers" in only.found
