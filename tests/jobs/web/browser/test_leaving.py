"""A view that was left does nothing more: no stream, no request, no change of the address."""

import pytest
from playwright.sync_api import Page, Route, expect

from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples
from tests.jobs.web.browser.page_control import (
    hold,
    keep_streams,
    let_go,
    open_streams,
    settle,
)
from tests.support.job_states import JOB, write_job


def _ask_for_a_draft(page: Page, site: str) -> list[Route]:
    """Ask for a draft whose submit is held back."""
    keep_streams(page)
    held = hold(page, "**/api/v1/jobs", "POST")
    page.goto(f"{site}#/new")
    page.get_by_label("Noise", exact=True).check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Width").fill("1200")
    page.get_by_label("Height").fill("600")
    with page.expect_request("**/api/v1/jobs"):
        page.get_by_role("button", name="Render a small draft").click()
    return held


def _write_waiting(store: FolderStore, job: str = JOB) -> str:
    store.put(f"active/{write_job(store, job).job}", b"")
    return job


def test_a_draft_that_comes_after_its_form_was_left_opens_no_stream(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    draft = _write_waiting(store)
    held = _ask_for_a_draft(page, empty_site)
    page.get_by_role("link", name="Farm", exact=True).click()
    expect(page.get_by_text("Nobody works at the moment.")).to_be_visible()
    let_go(page, held, {"job": draft})
    assert open_streams(page) == []


def test_of_two_drafts_only_the_later_one_is_followed(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    earlier, later = _write_waiting(store), _write_waiting(store, "later-0123456789ab")
    held = _ask_for_a_draft(page, empty_site)
    page.get_by_label("Width").fill("1400")
    page.route("**/api/v1/jobs", lambda route: route.fulfill(json={"job": later}), times=1)
    page.get_by_role("button", name="Render a small draft").click()
    expect(page.get_by_text("The draft waits for a worker")).to_be_visible()
    assert open_streams(page) == [f"?job={later}"]
    let_go(page, held, {"job": earlier})
    assert open_streams(page) == [f"?job={later}"]


@pytest.mark.parametrize(("view", "field"), [("jobs", "Name"), ("jobs/{dataset}", "Name")])
def test_a_filter_that_was_just_typed_leaves_the_next_address_alone(
    page: Page, site: str, examples: Examples, view: str, field: str
) -> None:
    page.clock.install()
    page.goto(f"{site}#/{view.format(**vars(examples))}")
    page.get_by_label(field, exact=True).wait_for()
    page.evaluate(
        """() => {
          const field = document.querySelector(".filters input");
          field.value = "sky";
          field.dispatchEvent(new Event("input"));
          location.hash = "#/farm";
        }"""
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Farm")
    page.clock.run_for(1000)
    assert page.url.endswith("#/farm")


def test_a_form_that_loads_after_it_was_left_asks_for_no_plan(
    page: Page, site: str, examples: Examples
) -> None:
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    held = hold(page, "**/api/v1/schema")
    with page.expect_request("**/api/v1/schema"):
        page.goto(f"{site}#/new?from={examples.poster}")
    page.get_by_role("link", name="Farm", exact=True).click()
    expect(page.get_by_text("Nobody works at the moment.")).to_be_visible()
    let_go(page, held)
    page.clock.run_for(2000)
    settle(page)
    assert [url for url in asked if url.endswith("/plans")] == []


def test_a_view_without_a_stream_does_not_say_that_the_server_is_silent(
    page: Page, site: str
) -> None:
    page.route("**/api/v1/events*", lambda route: route.abort())
    page.goto(site)
    banner = page.get_by_text("The server does not answer. What you see may be old.")
    expect(banner).to_be_visible()
    page.get_by_role("link", name="Farm", exact=True).click()
    expect(page.get_by_text("Nobody works at the moment.")).to_be_visible()
    expect(banner).to_be_hidden()


def test_a_dialog_closes_with_its_view(page: Page, empty_site: str, store: FolderStore) -> None:
    _write_waiting(store)
    page.goto(empty_site)
    page.get_by_role("link", name="sky").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url.endswith(JOB)
    page.go_back()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Jobs")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(heading).to_be_focused()
