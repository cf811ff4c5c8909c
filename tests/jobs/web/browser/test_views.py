"""What the views show of the jobs in a store."""

import pytest
from playwright.sync_api import Page, expect

from tests.jobs.web.browser.example_jobs import SCRIPT, Examples
from tests.support.small_poster import HEIGHT, WIDTH


def test_the_wall_shows_each_job_with_its_picture_and_state(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(site)
    tiles = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(tiles).to_have_count(6)
    done = tiles.filter(has=page.locator(f"a[href*='{examples.poster}']"))
    expect(done).to_contain_text("Done")
    expect(done.locator("img")).to_be_visible()
    assert done.locator("img").evaluate("image => image.naturalWidth") > 0
    waiting = tiles.filter(has_text="waiting")
    expect(waiting).to_contain_text("Waiting")
    expect(waiting.locator("img")).to_be_hidden()


def test_filters_leave_what_matches_and_stay_in_the_address(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_label("State").select_option(label="Failed")
    tiles = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(tiles).to_have_count(1)
    expect(tiles).to_contain_text("hostile")
    page.wait_for_url("**state=failed*")
    page.get_by_label("Name", exact=True).fill("nothing like this")
    expect(page.get_by_role("heading", name="No job matches")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    expect(tiles).to_have_count(6)


def test_markup_of_strangers_is_shown_as_text(page: Page, site: str, examples: Examples) -> None:
    page.goto(f"{site}#/jobs/{examples.hostile}")
    expect(page.locator("p.fault")).to_have_text(SCRIPT)
    expect(page.get_by_label("Events").get_by_text(SCRIPT).first).to_be_visible()
    assert page.locator("main img[src=x], main script").count() == 0
    assert page.title() == "hostile · Dreamfarm"


def test_a_finished_poster_is_shown_compared_and_saved(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(f"{site}#/jobs/{examples.poster}")
    expect(page.get_by_text("The finished picture.")).to_be_visible()
    canvas = page.locator(".zoom canvas")
    expect(canvas).to_be_visible()
    page.get_by_label("Before and after").first.check()
    before = page.get_by_role("img", name="The picture as it was")
    expect(before).to_be_visible()
    shape = before.evaluate("image => image.naturalWidth / image.naturalHeight")
    assert shape == pytest.approx(WIDTH / HEIGHT, rel=0.01)
    slider = page.get_by_label("Between before and after")
    slider.focus()
    page.keyboard.press("Home")
    cover = page.locator(".compare-cover")
    assert cover.evaluate("element => element.style.clipPath") == "inset(0px 0px 0px 0%)"
    page.keyboard.press("End")
    assert cover.evaluate("element => element.style.clipPath") == "inset(0px 0px 0px 100%)"
    with page.expect_download() as started:
        page.get_by_role("link", name="Save PNG").click()
    content = started.value.path().read_bytes()
    assert content.startswith(b"\x89PNG")


def test_the_items_of_a_dataset_have_pictures_reasons_and_pages(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(f"{site}#/jobs/{examples.dataset}")
    items = page.locator(".items > li")
    expect(items).to_have_count(4)
    page.get_by_label("Result").select_option(label="Failed")
    expect(items).to_have_count(1)
    expect(items).to_contain_text("Failed:")
    page.get_by_label("Result").select_option(label="Done")
    expect(items).to_have_count(3)
    items.first.get_by_role("link").click()
    expect(page.get_by_label("Between before and after")).to_be_visible()
    page.get_by_role("link", name="All items of this job").click()
    expect(page.locator(".items > li")).to_have_count(4)


def test_a_neuron_of_an_atlas_leads_to_a_form_with_its_objective(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(f"{site}#/jobs/{examples.atlas}")
    neurons = page.locator(".items > li")
    expect(neurons).to_have_text(["features.4 · 2", "features.4 · 5"])
    neurons.nth(1).get_by_role("link").click()
    expect(page.get_by_role("img", name="The dream of features.4 · 5")).to_be_visible()
    page.get_by_role("link", name="Dream a picture with this").click()
    expect(page.locator(".objective")).to_contain_text("features.4, channel 5")
    expect(page.get_by_role("combobox", name="Network")).to_have_value("squeezenet1_1")
    page.get_by_role("button", name="Choose by pictures").click()
    page.get_by_role("dialog").get_by_role("button", name="features.4 · 2").click()
    expect(page.locator(".objective")).to_have_count(2)


def test_a_job_that_is_not_there_is_named_and_may_be_asked_for_again(page: Page, site: str) -> None:
    page.goto(f"{site}#/jobs/nothing-0123456789ab")
    expect(page.get_by_role("alert")).to_contain_text("no job nothing-0123456789ab")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_farm_counts_its_jobs(page: Page, site: str) -> None:
    page.goto(f"{site}#/farm")
    expect(page.get_by_role("link", name="1 waiting")).to_be_visible()
    expect(page.get_by_role("link", name="1 failed")).to_be_visible()
    expect(page.get_by_text("Nobody works at the moment.")).to_be_visible()
