"""The fields of the form: only those that count are shown, and only what was set is sent."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from jobs.records.job import load_job
from jobs.services.kinds import kind_of
from jobs.spec.kinds import parse_spec
from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples
from tests.support.small_poster import NETWORK

_DETAILED: dict[str, Any] = {
    "name": "detailed",
    "size": "A6 @ 60dpi",
    "fit": "crop",
    "focus": [0.123, 0.7],
    "dream": {
        "steps": 3,
        "edges": "wrap-x",
        "keep": "colours",
        "schedule": {"octaves": [1.0, 0.5]},
        "smooth": {"gaussian": [1.0, 2.0]},
    },
    "outputs": [
        {"format": "tiff", "depth": 16, "compression": "none"},
        {"format": "tiff", "profile": "cmyk", "black_point_compensation": False},
        {"format": "png", "profile": "cmyk", "proof": True, "intent": "perceptual"},
        {"format": "jpeg", "quality": 80, "chroma": "4:2:0"},
        {"format": "deepzoom", "page": True},
        {"format": "iiif", "address": "https://example.org/sky"},
        {"format": "pdf", "bleed": "3mm", "marks": True},
        {"format": "pdf", "panels": {"width": "6cm", "overlap": "1cm", "marks": True}},
        {"format": "contract-proof"},
    ],
    "limits": {"usd": 2.5, "hours": 8.0},
    "notify": ["studio", "42"],
    "tiles": {"size": 128},
    "priority": 70,
}


def _submit(store: FolderStore, document: dict[str, Any]) -> str:
    spec = parse_spec({"kind": "poster", **document})
    return kind_of(spec).submit(store, spec).job


def _check_that_it_is_found(page: Page, site: str, job: str) -> None:
    """Open the form with the spec of a job, and submit it as it is."""
    page.goto(f"{site}#/new?from={job}")
    expect(page.locator(".poster-form")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("The same job was there already; here it is.")).to_be_visible()
    assert page.url.endswith(job)


def test_a_detailed_spec_that_is_not_changed_finds_the_same_job(
    page: Page, empty_site: str, store: FolderStore, picture: Path, weights: Path
) -> None:
    """Also one that dreams a part of an older picture again."""
    detailed = {"input": {"path": str(picture), "page": 1}, **_DETAILED}
    before = {"network": {"name": NETWORK, "weights": str(weights)}, "dream": _DETAILED["dream"]}
    parent = _submit(store, {**detailed, "network": before["network"]})
    redo = {"parent": parent, "before": before, "region": [0.1, 0.2, 0.3, 0.4]}
    job = _submit(store, {**detailed, "redo": redo})
    _check_that_it_is_found(page, empty_site, job)


def test_an_atlas_that_is_not_changed_is_the_same_job(
    page: Page, site: str, examples: Examples
) -> None:
    _check_that_it_is_found(page, site, examples.atlas)


def _start(page: Page, site: str) -> Locator:
    """Begin a form with a plain colour of 60 x 40 pixels; gives its group of files."""
    page.goto(f"{site}#/new")
    page.get_by_label("A colour").check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Width").fill("60")
    page.get_by_label("Height").fill("40")
    return page.get_by_role("group", name="Files")


def _shown(files: Locator) -> list[str]:
    return [text for text in files.locator("label:visible").all_inner_texts() if text]


def test_a_file_has_the_settings_of_its_format_and_of_its_colours(page: Page, site: str) -> None:
    files = _start(page, site)
    files.locator("summary").click()
    assert _shown(files) == ["Format", "Bits per channel", "Colours", "Cut into panels"]
    files.get_by_label("Format").select_option("webp")
    assert _shown(files) == ["Format", "Quality", "Colours"]
    files.get_by_label("Format").select_option("jpeg")
    assert _shown(files) == ["Format", "Quality", "Colour samples", "Colours", "Cut into panels"]
    files.get_by_label("Colours").select_option("cmyk")
    press = ["Press", "Rendering intent", "Black point compensation"]
    assert _shown(files) == ["Format", "Quality", "Colours", *press, "Cut into panels"]
    files.get_by_label("Format").select_option("pdf")
    print_fields = ["Bleed", "Crop marks", "Cut into panels"]
    assert _shown(files) == ["Format", "Quality", "Colours", *press, *print_fields]
    files.get_by_label("Cut into panels").check()
    panels = ["Panel width", "Panel height", "Overlap", "Bleed of a panel", "Crop marks of panels"]
    assert _shown(files)[-6:] == ["Cut into panels", *panels]
    assert "Bleed" not in _shown(files)


def test_what_was_chosen_is_submitted_and_what_is_hidden_is_not(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    files = _start(page, empty_site)
    files.locator("summary").click()
    files.get_by_label("Bits per channel").select_option("16")
    files.get_by_label("Format").select_option("jpeg")
    files.get_by_label("Quality").fill("70")
    files.get_by_role("button", name="Add a file").click()
    second = files.get_by_role("group", name="File 2")
    second.get_by_label("Format").select_option("tiff")
    second.locator("summary").click()
    second.get_by_label("Colours").select_option("cmyk")
    second.get_by_label("Black point compensation").select_option("no")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    spec = load_job(store, page.url.rpartition("/")[2]).spec.submitted_document
    assert spec["outputs"] == [
        {"format": "jpeg", "depth": 8, "quality": 70},
        {"format": "tiff", "depth": 8, "profile": "cmyk", "black_point_compensation": False},
    ]
    assert not {"notify", "redo", "fit", "focus"} & set(spec)


def test_faults_of_files_are_marked_where_they_stand(page: Page, site: str) -> None:
    files = _start(page, site)
    files.get_by_role("button", name="Add a file").click()
    second = files.get_by_role("group", name="File 2")
    second.get_by_label("Format").select_option("png")
    page.get_by_role("button", name="Submit").click()
    expect(files.get_by_role("alert").get_by_text("a format twice")).to_be_visible()
    second.get_by_label("Format").select_option("pdf")
    second.locator("summary").click()
    second.get_by_label("Cut into panels").check()
    second.locator("summary").click()
    page.get_by_role("button", name="Submit").click()
    cut = second.get_by_label("Cut into panels")
    expect(cut).to_be_visible()
    expect(cut).to_have_attribute("aria-invalid", "true")
    width = second.get_by_label("Panel width")
    width.fill("12 parsecs")
    page.get_by_role("button", name="Submit").click()
    expect(width).to_have_attribute("aria-invalid", "true")
    expect(second.get_by_text("is not a length")).to_be_visible()


def test_faults_of_groups_are_marked_and_several_at_once(page: Page, site: str) -> None:
    _start(page, site)
    page.locator(".more > summary").click()
    page.get_by_role("group", name="Dream").locator("> summary").click()
    page.get_by_label("Ascent").select_option(label="search, up to 512 px")
    page.get_by_label("Beyond the edges").select_option(label="wrap, no seam")
    page.get_by_role("group", name="Limits").locator("> summary").click()
    page.get_by_label("US dollars").fill("-1")
    page.get_by_role("button", name="Submit").click()
    for label in ("Ascent", "US dollars"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("US dollars").fill("")
    page.get_by_label("Ascent").select_option(label="gradient")
    smooth = page.get_by_role("group", name="Smooth")
    smooth.locator("> summary").click()
    page.get_by_label("Gaussian").fill("1")
    page.get_by_role("button", name="Submit").click()
    expect(smooth.get_by_role("alert").get_by_text("must be one of gaussian")).to_be_visible()


_LABELS = """() => {
  document.querySelectorAll("details").forEach((one) => { one.open = true; });
  return [...document.querySelectorAll("form label")]
    .filter((label) => label.checkVisibility())
    .map((label) => label.textContent);
}"""


@pytest.mark.parametrize("address", ["?kind=poster", "?kind=dataset", "?kind=atlas"])
def test_no_two_fields_have_the_same_label(page: Page, site: str, address: str) -> None:
    page.goto(f"{site}#/new{address}")
    expect(page.locator(".fields").first).to_be_attached()
    labels = page.evaluate(_LABELS)
    assert len(labels) > 20
    assert sorted({one for one in labels if labels.count(one) > 1}) == []
