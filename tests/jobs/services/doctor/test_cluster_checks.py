"""Findings about the machines of a cluster."""

from typing import Any

import pytest

from jobs.services.doctor.cluster_checks import (
    NodeReport,
    check_cluster,
    evaluate_reports,
    report_node,
)
from jobs.services.doctor.finding import Finding
from tests.support.s3_servers import free_ports

HERE = {"python": "3.11.7", "torch": "2.12.0"}


def answer(**changes: Any) -> str:
    """The answer of a healthy machine, with changes."""
    healthy: dict[str, Any] = {
        "name": "node",
        "cores": 4,
        "gpus": 1,
        "software": HERE,
        "free_disk": 50 << 30,
        "sees_store": True,
        "store_error": None,
    }
    return NodeReport(**(healthy | changes)).model_dump_json()


def findings(**answers: str) -> dict[str, Finding]:
    return {one.check: one for one in evaluate_reports("head:6379", answers, HERE)}


def problems(**answers: str) -> dict[str, Finding]:
    return {check: one for check, one in findings(**answers).items() if one.verdict != "ok"}


def test_identical_machines_pass() -> None:
    found = findings(a=answer(), b=answer())
    assert not problems(a=answer(), b=answer())
    assert "2 machines, 8 cores, 2 GPUs" in found["cluster"].found


@pytest.mark.parametrize(
    ("check", "other", "text"),
    [
        ("cluster", "ModuleNotFoundError: No module named 'jobs'", "No module named"),
        ("cluster: versions", answer(software=HERE | {"torch": "2.11.0"}), "torch 2.11.0"),
        ("cluster: disks", answer(free_disk=1 << 20), "0.0 GiB"),
        (
            "cluster: store",
            answer(sees_store=False, store_error="no such bucket"),
            "no such bucket",
        ),
    ],
)
def test_a_finding_names_the_differing_machine(check: str, other: str, text: str) -> None:
    (only,) = problems(a=answer(), b=other).values()
    assert only.check == check
    assert "b" in only.found.split(":")[0]
    assert text in only.found
    assert only.advice


def test_without_a_store_there_is_no_finding_about_it() -> None:
    assert "cluster: store" not in findings(a=answer(sees_store=None))


def test_a_machine_reports_on_itself(tmp_path: Any) -> None:
    report = NodeReport.decode(report_node(str(tmp_path)).encode(), "here")
    assert report.cores >= 1
    assert report.sees_store is True
    assert NodeReport.decode(report_node("").encode(), "here").sees_store is None


def test_an_unreachable_cluster_fails() -> None:
    (only,) = check_cluster(f"127.0.0.1:{free_ports(1)}", None)
    assert only.verdict == "failed"
    assert "no Ray cluster answers" in only.found
