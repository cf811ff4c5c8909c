"""The Python example of the documentation, on a real S3 server and with a real `dreamfarm work`."""

import ast
import contextlib
import io
import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import dreamfarm
from jobs.records.job_summary import JobSummary
from tests.support.s3_servers import BUCKET, Server, s3_environment
from tests.support.work_processes import work_processes

DOCUMENTS = ("README.md", "jobs/README.md")

_START = 120.0
"""Seconds within which the example submits its job."""


@dataclass(frozen=True)
class Example:
    """An example of the documentation.

    document: the file that it stands in. source, overrides: the arguments of its `submit`.
    """

    document: str
    code: str
    source: str
    overrides: dict[str, Any]

    def at(self, address: str) -> str:
        """The code with the address of another store."""
        changed, count = re.subn(r'Store\("s3://[^"]*"\)', f'Store("{address}")', self.code)
        assert count == 1, f"{self.document}: the example opens one store, at s3://..."
        return changed


def parse_example(project: Path, document: str) -> Example:
    """The first Python block with a store in a document. Fails if there is none."""
    blocks = re.findall(r"```python\n(.*?)```", (project / document).read_text(), re.DOTALL)
    codes = [code for code in blocks if "dreamfarm.Store(" in code]
    assert codes, f"{document}: no Python block contains dreamfarm.Store("
    (call,) = (
        node
        for node in ast.walk(ast.parse(codes[0]))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "submit"
    )
    overrides = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    return Example(document, codes[0], ast.literal_eval(call.args[0]), overrides)


@pytest.fixture
def address(ceph: Server) -> Iterator[str]:
    """An empty store on the real server."""
    with s3_environment(ceph):
        yield f"s3://{BUCKET}/{uuid.uuid4().hex}"


def watch_only_job(address: str) -> list[JobSummary]:
    """Wait until the store has a job, and watch it to its end."""
    store, deadline = dreamfarm.Store(address), time.monotonic() + _START
    while not (found := store.jobs()):
        assert time.monotonic() < deadline, "the example has submitted no job"
        time.sleep(0.2)
    return list(found[0].watch(every=0.2))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_example_renders_what_this_machine_renders(
    address: str,
    ceph: Server,
    project: Path,
    document: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = parse_example(project, document)
    monkeypatch.chdir(tmp_path)
    samples = np.random.default_rng(5).integers(0, 256, (20, 100, 3), np.uint8)
    Image.fromarray(samples).save(example.source)
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with (
        work_processes(address, [ceph.environment()], log=tmp_path / "log"),
        ThreadPoolExecutor(1) as pool,
        contextlib.redirect_stdout(printed),
    ):
        watched = pool.submit(watch_only_job, address)
        exec(example.at(address), names)
        summaries = watched.result()

    store, job = names["store"], names["job"]
    assert [one.id for one in store.jobs("succeeded")] == [job.id]
    assert (job.state, job.progress) == ("succeeded", 1.0)
    states = [summary.state for summary in summaries]
    assert states[-1] == "succeeded", (tmp_path / "log").read_text()
    assert "running" in states[:-1]
    progress = [summary.progress for summary in summaries]
    assert progress == sorted(progress)
    assert (progress[0], progress[-1]) == (0.0, 1.0)
    preview = job.preview()
    with Image.open(io.BytesIO(preview)) as shown:
        assert shown.format == "JPEG"

    here = dreamfarm.render(example.source, tmp_path / "here", in_process=True, **example.overrides)
    assert here.document["job"] == job.id
    fetched = [Path(line) for line in printed.getvalue().splitlines()]
    assert fetched
    assert [path.read_bytes() for path in fetched] == [
        Path(output["path"]).read_bytes() for output in here.document["outputs"]
    ]
