"""A thousand mutated files of each format give pixels, or an error that names the file."""

from pathlib import Path

import pytest

from tests.fuzz.mutate import mutate, with_checksums
from tests.fuzz.picture_corpus import FORMATS, corpus
from tests.fuzz.pictures import LIMITS, TARGET, fuzz_format, judge
from tests.fuzz.sandbox import Sandbox

REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*"))

UNREAD = ("gif", "bmp")


@pytest.mark.parametrize("name", FORMATS)
def test_a_thousand_files(name: str) -> None:
    tally = fuzz_format(name, 1000, seed=0)
    assert not tally.findings, "\n".join(detail for _, detail in tally.findings)
    assert tally.outcomes.total() >= 1000
    assert (tally.outcomes["decoded"] > 50) == (name not in UNREAD), "the files are good enough"


def test_what_was_found_once() -> None:
    with Sandbox(TARGET, LIMITS) as sandbox:
        for path in REGRESSIONS:
            verdict = sandbox.judge(path.read_bytes())
            assert verdict.outcome != "finding", f"{path.name}: {verdict.detail}"


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in UNREAD])
def test_files_are_good_before_they_are_mutated(name: str) -> None:
    outcomes = [judge(content) for content in corpus(name)]
    assert outcomes.count("decoded") >= len(outcomes) - 1


def test_mutations_follow_from_their_seed() -> None:
    from random import Random

    files = corpus("png")
    first, second = (mutate(files[0], files[1], Random(4)) for _ in range(2))
    assert first == second != files[0]
    assert with_checksums(files[0]) == files[0]
