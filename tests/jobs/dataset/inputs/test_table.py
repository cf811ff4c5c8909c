"""Input tables in CSV, JSON Lines and Parquet."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.dataset.inputs.listing import list_images
from jobs.dataset.inputs.s3 import s3_client
from jobs.spec.inputs import Inputs
from jobs.store.errors import StoreUnreachable
from jobs.text.errors import RequestError
from tests.support.faulty_proxy import canned_error, faulty_proxy
from tests.support.listed_inputs import S3Prefix, list_inputs, peak_memory
from tests.support.s3_servers import Server, s3_environment

Rows = list[dict[str, Any]]
Write = Callable[[Path, Rows], None]


def write_csv(path: Path, rows: Rows) -> None:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    cells = [["" if cell is None else str(cell) for cell in line] for line in lines]
    path.write_text("".join(",".join(line) + "\r\n" for line in cells), "utf-8-sig")


def write_jsonl(path: Path, rows: Rows) -> None:
    path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))


def write_parquet(path: Path, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


WRITERS: dict[str, Write] = {".csv": write_csv, ".jsonl": write_jsonl, ".parquet": write_parquet}
each_kind = pytest.mark.parametrize("kind", list(WRITERS))

ROWS: Rows = [
    {"picture": "a.jpg", "dream.steps": 4, "objectives.0.layer": "features.9", "label": "x"},
    {"picture": "./b//c.jpg", "dream.steps": None, "objectives.0.layer": "", "label": "y"},
    {"picture": "/data/d.jpg", "dream.steps": 5, "objectives.0.layer": None, "label": "z"},
    {"picture": "s3://bucket/e//f g.jpg", "dream.steps": 6, "objectives.0.layer": "", "label": ""},
]


@each_kind
def test_rows_name_pictures_and_set_fields(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, ROWS)
    rows = list(list_images(Inputs(path=str(path))))
    assert [(row.key, row.place.address, row.settings, row.error) for row in rows] == [
        (
            "a.jpg",
            f"{tmp_path}/a.jpg",
            {"dream.steps": 4, "objectives.0.layer": "features.9"},
            None,
        ),
        ("b/c.jpg", f"{tmp_path}/./b//c.jpg", {}, None),
        ("/data/d.jpg", "/data/d.jpg", {"dream.steps": 5}, None),
        ("s3://bucket/e//f g.jpg", "s3://bucket/e//f g.jpg", {"dream.steps": 6}, None),
    ]


@each_kind
def test_a_table_may_have_keys_and_another_picture_column(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, [{"kind": "a.jpg", "key": "first"}, {"kind": "b.jpg", "key": ""}])
    assert [one.key for one in list_inputs(path, column="kind")] == ["b.jpg", "first"]
    WRITERS[kind](path, [{"picture": "a.jpg", "key": 7, "name": "sky"}])
    (row,) = list_inputs(path)
    assert (row.key, row.settings) == ("7", {"name": "sky"})


TEXTS = ["a.jpg", None, "ftp://me:secret@b/c.jpg?key=secret", " "]


@each_kind
def test_a_row_without_a_picture_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, [{"picture": text, "label": 1} for text in TEXTS])
    rows = list(list_images(Inputs(path=str(path))))
    assert [row.key for row in rows] == ["a.jpg", "row 2", "row 3", "row 4"]
    # A CSV has a header, this JSONL an empty line after each row, and Parquet no lines.
    numbers = {".csv": (2, 3, 4, 5), ".jsonl": (1, 3, 5, 7)}.get(kind)
    lines = [""] * 4 if numbers is None else [f" (line {number})" for number in numbers]
    assert [row.error for row in rows] == [
        None,
        f"row 2{lines[1]}: has no picture; write a path or an s3:// address",
        f"row 3{lines[2]}: ftp:// is not supported; download the file, and give its path",
        f"row 4{lines[3]}: the picture must be a path or an s3:// address",
    ]
    assert rows[1].place.address == str(path)
    assert not any("secret" in row.model_dump_json() for row in rows)


@each_kind
def test_a_missing_picture_column_is_an_error_with_a_suggestion(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, [{"pictures": "a.jpg", "label": "x"}])
    with pytest.raises(RequestError) as caught:
        list_inputs(path)
    assert str(caught.value) == (
        f"{path}: no column picture; nearest: pictures; it has pictures, label; set inputs.column"
    )


@each_kind
@pytest.mark.parametrize("column", ["network", "tiles.size", "kind", "sweep", "input.path"])
def test_a_column_for_a_shared_field_is_refused(tmp_path: Path, kind: str, column: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, [{"picture": "a.jpg", column: "x"}])
    with pytest.raises(RequestError, match=f"column {column}: .* is the same for all pictures"):
        list_inputs(path)


@each_kind
def test_a_table_without_rows_has_no_pictures(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"pictures{kind}"
    WRITERS[kind](path, [{"picture": "a.jpg"}])
    if kind == ".parquet":
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    else:
        path.write_text("picture\n" if kind == ".csv" else "\n")
    with pytest.raises(RequestError, match="no pictures there"):
        list_inputs(path)


def test_invalid_csv_rows_are_errors_and_the_others_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "pictures.csv"
    path.write_bytes(
        b"picture,dream.steps,caption\n"
        b"a.jpg,1\n"
        b'b.jpg,2,"said ""so"", and\nwent"\n'
        b'c.jpg,3,"x"y\n'
        b"d.jpg,[,x\n"
        b"\n"
        b"caf\xe9.jpg,4,x\n"
        b"e.jpg,5,caf\xe9\n"
        b'f.jpg,6,"never closed\n'
        b"g.jpg,7,swallowed\n"
    )
    rows = list(list_images(Inputs(path=str(path))))
    assert [row.key for row in rows] == [
        "row 1",
        "b.jpg",
        "row 3",
        "d.jpg",
        r"caf\udce9.jpg",
        "e.jpg",
        "row 7",
    ]
    assert [row.settings.get("dream.steps") for row in rows] == [None, 2, None, None, None, 5, None]
    words = ["has 2 cells", None, "not CSV", "dream.steps: column 2", "not UTF-8", None, "not CSV"]
    for row, word in zip(rows, words, strict=True):
        assert (row.error is None) == (word is None)
        assert word is None or word in str(row.error)
        assert row.model_dump_json()
    # The second row takes two lines, and one line is empty.
    places = [str(row.error).partition(":")[0] for row in rows if row.error]
    begins = ((1, 2), (3, 5), (4, 6), (5, 8), (7, 10))
    assert places == [f"row {row} (line {line})" for row, line in begins]


def test_invalid_jsonl_rows_are_errors_and_the_others_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "pictures.jsonl"
    path.write_bytes(
        b'{"picture": "a.jpg"\n'
        b'{"picture": "b.jpg", "dream": {"steps": 3, "seed": null}, "objectives": [{"layer": 1}]}\n'
        b'["c.jpg"]\n'
        b'{"picture": {"path": "d.jpg"}}\n'
        b'{"key": "e"}\n'
        b'{"picture": "f.jpg", "picture": "g.jpg"}\n'
        b'{"picture": "\\ud800.jpg"}\n'
        b'{"picture": "h\\u0000.jpg"}\n'
        b'{"picture": "i.jpg", "key": true}\n'
        b'{"picture": "caf\xe9.jpg"}\n' + b"[" * 5000 + b"\n"
        b'{"picture": "j.jpg", "dream": 5}\n'
    )
    rows = list(list_images(Inputs(path=str(path))))
    good = {row.key: row.settings for row in rows if row.error is None}
    assert good == {
        "b.jpg": {"dream.steps": 3, "objectives": [{"layer": 1}]},
        "j.jpg": {"dream": 5},
    }
    assert len(rows) == 12
    assert [row.key for row in rows][:6] == ["row 1", "b.jpg", "row 3", "row 4", "row 5", "row 6"]
    assert all(row.model_dump_json() for row in rows)
    assert str(rows[0].error).startswith("row 1 (line 1): not JSON (column 20: ")


def test_columns_of_later_rows_are_checked_too(tmp_path: Path) -> None:
    path = tmp_path / "pictures.jsonl"
    path.write_text('{"picture": "a.jpg"}\n{"picture": "b.jpg", "crew": {"workers": 2}}\n')
    with pytest.raises(RequestError, match="column crew"):
        list_inputs(path)


def test_empty_cells_written_by_pandas_set_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pictures.parquet"
    write_parquet(
        path,
        [
            {
                "picture": "a.jpg",
                "dream": {"steps": 4.0, "step_size": 0.5},
                "day": date(2026, 1, 1),
            },
            {"picture": "b.jpg", "dream": {"steps": float("nan")}, "day": None},
        ],
    )
    first, second = list_inputs(path)
    assert first.settings == {"dream.steps": 4, "dream.step_size": 0.5}
    assert type(first.settings["dream.steps"]) is int
    assert second.settings == {}


def test_values_that_are_not_json_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "pictures.parquet"
    write_parquet(path, [{"picture": "a.jpg", "name": date(2026, 1, 1)}])
    (row,) = list_inputs(path)
    assert row.error == "row 1: name: must be text, a number, a list or a mapping"


@pytest.mark.parametrize("content", [b"", b"not parquet at all", b"PAR1" * 20])
def test_a_file_that_is_not_parquet_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pictures.parquet"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=r"pictures\.parquet: not Parquet, or damaged"):
        list_inputs(path)


@each_kind
def test_paths_in_a_table_in_a_bucket_are_relative_to_it(
    tmp_path: Path, prefix: S3Prefix, kind: str
) -> None:
    path = tmp_path / "pictures"
    WRITERS[kind](
        path, [{"picture": text} for text in ("b c.jpg", "./d.jpg", "../e.jpg", "/f.jpg")]
    )
    address = prefix.put(f"a/pictures{kind}", path.read_bytes())
    rows = list(list_images(Inputs(path=address)))
    assert [(row.key, row.place.address) for row in rows] == [
        ("b c.jpg", f"{prefix.address}/a/b c.jpg"),
        ("d.jpg", f"{prefix.address}/a/d.jpg"),
        ("../e.jpg", f"{prefix.address}/e.jpg"),
        ("/f.jpg", "/f.jpg"),
    ]


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_failing_bucket_is_not_an_invalid_table(
    tmp_path: Path, prefix: S3Prefix, moto: Server, kind: str
) -> None:
    """Also if Arrow reads the bytes."""
    path = tmp_path / "pictures"
    WRITERS[kind](path, [{"picture": "a.jpg"}])
    address = prefix.put(f"pictures{kind}", path.read_bytes())
    with faulty_proxy(moto.endpoint) as proxy, s3_environment(moto.behind(proxy.endpoint)):
        s3_client.cache_clear()
        rows = list_images(Inputs(path=address))
        proxy.script(None, *[canned_error(503, "SlowDown")] * 3)
        with pytest.raises(StoreUnreachable, match="SlowDown"):
            next(rows)


@each_kind
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    few, many = tmp_path / f"few{kind}", tmp_path / f"many{kind}"
    for path, count in ((few, 1200), (many, 6000)):
        WRITERS[kind](path, [{"picture": f"{number:06}.jpg" * 10} for number in range(count)])
    assert peak_memory(many, 6000) < peak_memory(few, 1200) + (128 << 10)
