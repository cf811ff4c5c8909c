"""The files of the page: a wheel has them all, and nothing in them comes from elsewhere."""

import re
from pathlib import Path

import pytest
from setuptools import Distribution
from setuptools.command.build_py import build_py

from jobs.web.app import STATIC

_VENDORED = STATIC / "vendor"

_OWN = sorted(
    path
    for path in STATIC.rglob("*")
    if path.suffix in {".html", ".js", ".css", ".svg"} and not path.is_relative_to(_VENDORED)
)

_ADDRESS = re.compile(r"""https?:(?!//www\.w3\.org/)[^\s"'`]*|["'(]//[^\s"'`]+""")

_INLINE = re.compile(r"""\sstyle=|\son[a-z]+=["']|<style|<script(?! type="module" src=)""")

_PARSES_HTML = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function"
)

_LONGEST = 350
"""Lines of a file, as in the other sources."""


def test_a_wheel_has_all_files_of_the_page(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    distribution = Distribution()
    distribution.parse_config_files()
    command = build_py(distribution)
    command.finalize_options()
    command.manifest_files = {}
    packed = {Path(path) for path in command.find_data_files("jobs.web", "jobs/web")}
    files = {path.relative_to(project) for path in STATIC.rglob("*") if path.is_file()}
    assert files <= packed
    assert Path("jobs/web/static/index.html") in files


def test_the_viewer_comes_with_its_licence() -> None:
    viewer = _VENDORED / "openseadragon"
    assert "Redistribution and use" in (viewer / "LICENSE.txt").read_text()
    assert (viewer / "openseadragon.min.js").read_text().startswith("//! openseadragon 6.1.1")


@pytest.mark.parametrize("path", _OWN, ids=lambda path: path.name)
def test_a_file_needs_nothing_from_elsewhere_and_parses_no_data_as_html(path: Path) -> None:
    text = path.read_text()
    assert _ADDRESS.findall(text) == []
    assert _PARSES_HTML.findall(text) == []
    if path.suffix == ".html":
        assert _INLINE.findall(text) == []
    assert len(text.splitlines()) <= _LONGEST


def test_each_style_and_module_is_used() -> None:
    texts = {path: path.read_text() for path in _OWN}
    for path in _OWN:
        if path.suffix in {".css", ".js"}:
            others = (text for other, text in texts.items() if other != path)
            assert any(path.name in text for text in others), path.name
