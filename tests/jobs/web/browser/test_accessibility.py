"""axe-core looks at each view, in light and in dark colours; and nothing is wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from tests.jobs.web.browser.example_jobs import Examples

_SERIOUS = {"serious", "critical"}

_PHONE: ViewportSize = {"width": 390, "height": 844}

# Addresses of views, and what is on the screen once a view is complete.
_VIEWS = {
    "jobs": ("#/jobs", ".tile img:not([hidden])"),
    "nothing matches": ("#/jobs?name=nothing", ".empty h2"),
    "poster": ("#/jobs/{poster}", ".zoom canvas"),
    "dataset": ("#/jobs/{dataset}", ".item img"),
    "item": ("#/jobs/{dataset}/items/0", ".compare"),
    "neuron": ("#/jobs/{atlas}/items/1", "img.alone"),
    "failed": ("#/jobs/{hostile}", "p.fault"),
    "missing": ("#/jobs/nothing-0123456789ab", ".fault"),
    "new": ("#/new?from={poster}", ".poster-form"),
    "atlas": ("#/new?kind=atlas", ".fields"),
    "farm": ("#/farm", ".figures"),
}

_UNFOLD = "() => document.querySelectorAll('details').forEach((one) => { one.open = true; })"


@pytest.mark.parametrize("view", _VIEWS)
def test_a_view_has_no_serious_fault_and_fits_a_phone(
    page: Page, site: str, examples: Examples, view: str
) -> None:
    address, complete = _VIEWS[view]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(site + address.format(**vars(examples)))
    expect(page.locator(complete).first).to_be_visible()
    page.evaluate(_UNFOLD)
    assert _serious_faults(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(_PHONE)
    assert _serious_faults(page, "color-contrast") == []
    width: int = page.evaluate("document.documentElement.scrollWidth")
    assert width <= _PHONE["width"]


def test_the_reader_may_choose_the_other_colours(page: Page, site: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{site}#/farm")
    background = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(background)
    page.get_by_role("button", name="Use dark colours").click()
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()


def _serious_faults(page: Page, *rules: str) -> list[str]:
    """The serious faults that axe-core finds, by all of its rules or by some."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for fault in found
        if fault["impact"] in _SERIOUS
        for node in fault["nodes"]
    ]
