"""Errors of specs name the file, the line and the column."""

import pickle
from pathlib import Path

import pytest

from jobs.services.spec_source import load_spec
from jobs.text.errors import Fault, InvalidDocument, RequestError

SPEC = """\
# A poster
input: sky.jpg
size: 64x48
dream:
  steps: {steps}
  {key}: 0.3
objectives:
  - layer: a
  - {{layer: b, weight: {weight}}}
"""


def error_of(path: Path, text: str, **overrides: object) -> str:
    path.write_text(text)
    with pytest.raises(RequestError) as caught:
        load_spec(path, **overrides)
    message = str(caught.value)
    return message.removeprefix(str(path))


def spec(steps: object = 4, key: str = "step_size", weight: object = 1) -> str:
    return SPEC.format(steps=steps, key=key, weight=weight)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (spec(steps=-1), ", line 5, column 3: dream: steps must be from 0 to 100000; not -1"),
        (spec(steps="many"), ", line 5, column 3: dream.steps: must be a whole number, not 'many'"),
        (
            spec(key="stepsize"),
            ", line 6, column 3: dream.stepsize: no such key; nearest: step_size, steps",
        ),
        (
            spec(weight=0),
            ", line 9, column 16: objectives.1: weight must be a finite number other than 0; "
            "not 0.0",
        ),
        (spec() + "sise: x2\n", ", line 10, column 1: sise: no such key; nearest: size"),
        (spec() + "look: gardn\n", ", line 10, column 1: look gardn: no such look; nearest: gard"),
        (spec() + "kind: postr\n", ", line 10, column 1: kind: must be poster, dataset or atlas"),
        (
            spec() + "network: {name: lenet5, onnx: a.onnx}\n",
            ", line 10, column 11: network.name: a.onnx is an ONNX file",
        ),
        (spec() + "outputs:\n- png\n- gif\n", ", line 12, column 3: outputs.1.format: must be"),
        (spec() + "tiles: 0\n", ", line 10, column 1: tiles.size: must be at least 1"),
        (spec() + "dream: [\n", ", line 11, column 1: expected the node content"),
    ],
)
def test_a_field_is_found(tmp_path: Path, text: str, said: str) -> None:
    assert error_of(tmp_path / "spec.yaml", text).startswith(said)


def test_what_is_missing_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("size: x2\npriority: 1\n")
    with pytest.raises(RequestError) as caught:
        load_spec(tmp_path / "a.yaml")
    assert str(caught.value) == "input: is missing"
    said = error_of(tmp_path / "a.yaml", "input: sky.jpg\nobjectives:\n- {weight: 1}\n")
    assert said.startswith(", line 3, column 3: objectives.0: needs a layer, or classes")


def test_several_faults_are_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = spec(steps="many", weight=0) + "priority: 101\n"
    assert error_of(tmp_path / "spec.yaml", text) == (
        ", line 5, column 3: dream.steps: must be a whole number, not 'many'; "
        "line 9, column 16: objectives.1: weight must be a finite number other than 0; not 0.0; "
        "line 10, column 1: priority: must be at most 100, not 101"
    )


def test_what_the_file_does_not_say_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    assert error_of(path, spec(), priority=101) == "priority: must be at most 100, not 101"
    text = spec() + "priority: 102\n"
    assert error_of(path, text, priority=101) == "priority: must be at most 100, not 101"
    both = error_of(path, spec(steps="many"), priority=101)
    assert both == (
        ", line 5, column 3: dream.steps: must be a whole number, not 'many'; "
        "priority: must be at most 100, not 101"
    )


def test_an_error_goes_to_another_process_as_its_message() -> None:
    with pytest.raises(InvalidDocument) as caught:
        load_spec({"input": "sky.jpg", "priority": 101})
    assert caught.value.faults == (Fault(("priority",), "must be at most 100, not 101"),)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy)) == (RequestError, str(caught.value))


def test_json_has_lines_too_unless_it_is_a_single_one(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    text = '{\n\t"input": "sky.jpg",\n\t"dream": {"seed": 1, "steps": "x"}\n}'
    said = ", line 3, column 23: dream.steps: must be a whole number, not 'x'"
    assert error_of(path, text) == said
    path.write_text(text.replace("\n", ""))
    with pytest.raises(RequestError) as caught:
        load_spec(path)
    assert str(caught.value) == "dream.steps: must be a whole number, not 'x'"
