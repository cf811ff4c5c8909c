"""A short soak, and the parts of the soak's machinery."""

import random
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.soak.farm import LEASE
from tests.soak.faults import KINDS, deal
from tests.soak.machine import CLOCK_STEP, FalseClock, small_disk
from tests.soak.memory import TOLERANCE_BYTES, Life
from tests.soak.proxy import CONFLICT, cable_to
from tests.soak.results import Result
from tests.soak.soak import Settings, soak
from tests.support.faulty_proxy import Asked
from tests.support.s3_servers import Server

FAULTS = 50


# On a busy machine each start of Ray takes most of a minute.
@pytest.mark.timeout(900)
def test_jobs_survive_fifty_faults(moto: Server, tmp_path: Path) -> None:
    settings = Settings(seed=13, faults=FAULTS, gap=0.4, limit=600, patience=60, faults_per_job=10)
    report = soak(settings, tmp_path, moto, print)
    summary = report.summary()
    assert report.problems() == [], summary
    assert report.totals.different == report.totals.stuck == 0, summary
    assert report.totals.ended >= len(report.streams), summary
    assert report.faults + report.no_target == FAULTS
    assert report.no_target <= FAULTS // 5, summary


def test_each_kind_of_fault_is_dealt_and_the_same_for_a_seed() -> None:
    dealt = [kind.name for kind in deal(1000, random.Random(3))]
    assert dealt == [kind.name for kind in deal(1000, random.Random(3))]
    assert set(dealt) == set(KINDS)
    weights = sum(kind.weight for kind in KINDS.values())
    for name, kind in KINDS.items():
        assert dealt.count(name) == pytest.approx(1000 * kind.weight / weights, abs=35)
    assert len({kind.name for kind in deal(len(KINDS), random.Random(3))}) == len(KINDS)


def life(sizes: list[int]) -> Life:
    """A life with a reading every five seconds."""
    return Life("work", [5.0 * at for at in range(len(sizes))], sizes)


def test_memory_that_grows_is_told_from_memory_that_swings() -> None:
    megabyte, draw = 1 << 20, random.Random(0)
    swings = [(100 + draw.randint(-15, 15)) * megabyte for _ in range(500)]
    assert life(swings).is_flat
    grows = [size + at * TOLERANCE_BYTES // 400 for at, size in enumerate(swings)]
    assert not life(grows).is_flat
    assert life(grows[:14]).is_flat, "too short to tell"


def test_the_disk_is_full_to_the_last_byte() -> None:
    with small_disk() as disk:
        if not disk.is_real:
            pytest.skip("NO FULL DISK: mounting a tmpfs needs root")
        disk.fill()
        assert shutil.disk_usage(disk.path).free == 0
        with pytest.raises(OSError, match="No space left"):
            (disk.path / "more").write_bytes(b"x")
        disk.free()
        (disk.path / "more").write_bytes(b"x")
    assert not disk.path.exists()


def test_the_false_clock_steps_in_a_running_process(tmp_path: Path) -> None:
    clock = FalseClock(tmp_path / "clock")
    if not clock.is_real:
        pytest.skip("NO CLOCK STEPS: Debian's package libfaketime is not installed")
    program = "import time\nwhile True: print(time.time(), flush=True); time.sleep(0.1)"
    with subprocess.Popen(
        ["python3", "-c", program], env=clock.environment(), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert abs(float(running.stdout.readline()) - time.time()) < 60
        clock.set(-CLOCK_STEP)
        begun = time.monotonic()
        while float(running.stdout.readline()) - time.time() > -CLOCK_STEP / 2:
            assert time.monotonic() - begun < 20
        running.kill()


def test_a_cable_gives_faults_only_to_requests_that_fit() -> None:
    with cable_to("http://127.0.0.1:9", stall=0) as cable:
        cable.add_faults(CONFLICT, 1, lambda asked: asked.method == "PUT")
        fates = [cable.take(Asked(method, "object", "a")) for method in ("GET", "PUT", "PUT")]
        assert fates == [None, CONFLICT, None]
        assert cable.met == 1


def test_a_difference_names_the_file_and_the_row() -> None:
    mine = Result({"a": "sha256:1", "b": "sha256:2"}, "manifest", '[{"state": "failed"}]')
    other = Result({"a": "sha256:1", "b": "sha256:3"}, "manifest", '[{"state": "done"}]')
    text = mine.difference(other)
    assert "files ['b']" in text
    assert '"failed"' in text
    assert "manifest …" not in text
    assert LEASE >= 3, "the shortest lease of `work`"
