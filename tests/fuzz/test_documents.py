"""A thousand hostile specs and rows, records and headers; `make fuzz` judges many more."""

import pytest

from tests.fuzz import headers, records, specs
from tests.fuzz.campaign import MakeCase, fuzz


@pytest.mark.parametrize(
    ("target", "make"),
    [
        ("tests.fuzz.specs:judge", specs.make_content),
        ("tests.fuzz.records:judge", records.make_content),
        ("tests.fuzz.headers:judge", headers.make_content),
        ("tests.fuzz.headers:judge_onnx", headers.make_onnx),
    ],
)
def test_hostile_documents_give_results_or_errors_of_one_line(target: str, make: MakeCase) -> None:
    tally = fuzz(target, make, range(1000), seed=0)
    assert {place: detail for place, (_, detail) in tally.findings.items()} == {}
    assert len(tally.outcomes) > 1
