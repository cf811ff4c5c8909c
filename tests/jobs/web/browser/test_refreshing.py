"""A view that stays open keeps up with its jobs, and keeps the focus where it was."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, Route, expect

from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples
from tests.jobs.web.browser.page_control import hold, keep_streams, let_go, settle, tell
from tests.support.job_states import JOB, write_job


def _change(page: Page, pattern: str, change: Callable[[Any], None]) -> None:
    """Let the server answer something else from now on."""

    def answer(route: Route) -> None:
        response = route.fetch()
        document = response.json()
        change(document)
        route.fulfill(response=response, body=json.dumps(document))

    page.route(pattern, answer)


def _ask(site: str, job: str, request: str) -> None:
    """Ask something of a job, as another user does."""
    address = f"{site}api/v1/jobs/{job}/intent"
    with httpx.Client(trust_env=False) as client:
        assert client.post(address, json={"request": request}).status_code == 200


def test_the_farm_keeps_the_focus_while_its_figures_change(page: Page, site: str) -> None:
    page.clock.install()
    page.goto(f"{site}#/farm")
    link = page.get_by_role("link", name="1 waiting")
    link.focus()
    _change(page, "**/api/v1/farm", lambda farm: farm["open"].update(queued=7))
    page.clock.run_for(5000)
    link = page.get_by_role("link", name="7 waiting")
    expect(link).to_be_visible()
    expect(link).to_be_focused()


def test_trying_again_does_not_make_the_farm_ask_more_often(page: Page, site: str) -> None:
    page.clock.install()
    asked: list[str] = []
    page.route("**/api/v1/farm", lambda route: route.abort())
    page.goto(f"{site}#/farm")
    again = page.get_by_role("button", name="Try again")
    for _ in range(3):
        with page.expect_event("requestfailed"):
            again.click()
        expect(again).to_be_visible()
    page.unroute("**/api/v1/farm")
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(3):
        with page.expect_response("**/api/v1/farm"):
            page.clock.run_for(5000)
        expect(page.get_by_text("Nobody works at the moment.")).to_be_visible()
        settle(page)
    assert sum(url.endswith("/farm") for url in asked) == 3


def test_a_job_that_changes_leaves_the_list_that_it_does_not_match(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    for job in (JOB, "tree-0123456789ab"):
        store.put(f"active/{write_job(store, job).job}", b"")
    page.goto(f"{empty_site}#/jobs?state=queued")
    tiles = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(tiles).to_have_count(2)
    last = tiles.last.get_by_role("link")
    last.focus()
    first_job = str(tiles.first.get_by_role("link").get_attribute("href")).rpartition("/")[2]
    _ask(empty_site, first_job, "pause")
    expect(tiles).to_have_count(1)
    expect(page.get_by_text("1 job", exact=True)).to_be_visible()
    expect(tiles.get_by_role("link")).to_be_focused()


def test_the_age_of_a_job_grows_while_nothing_happens(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    store.put(f"active/{write_job(store).job}", b"")
    page.clock.install()
    page.goto(empty_site)
    tile = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(tile).to_contain_text("just now")
    page.clock.fast_forward("20:00")
    expect(tile).to_contain_text("20 min ago")
    tile.get_by_role("link").click()
    facts = page.get_by_label("About this job")
    expect(facts).to_contain_text("20 min ago")
    page.clock.fast_forward("20:00")
    expect(facts).to_contain_text("40 min ago")


def test_items_that_arrive_all_the_time_are_shown_and_the_focus_stays(
    page: Page, site: str, examples: Examples
) -> None:
    keep_streams(page)
    page.clock.install()
    page.goto(f"{site}#/jobs/{examples.dataset}")
    items = page.locator(".items > li")
    expect(items).to_have_count(4)
    job = httpx.get(f"{site}api/v1/jobs/{examples.dataset}", trust_env=False).json()
    link = items.nth(1).get_by_role("link")
    link.focus()
    focused = link.get_attribute("href")
    _change(page, "**/ledger*", lambda ledger: ledger["rows"].pop(0))
    with page.expect_request("**/ledger*"):
        for done in range(3):
            tell(page, "job", job | {"items": job["items"] | {"done": done}})
            page.clock.run_for(2000)
    expect(items).to_have_count(3)
    expect(items.first.get_by_role("link")).to_be_focused()
    assert items.first.get_by_role("link").get_attribute("href") == focused


def test_a_late_answer_to_an_earlier_filter_is_dropped(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(f"{site}#/jobs/{examples.dataset}")
    items = page.locator(".items > li")
    expect(items).to_have_count(4)
    held = hold(page, "**/ledger?state=failed*")
    result = page.get_by_label("Result")
    with page.expect_request("**/ledger?state=failed*"):
        result.select_option(label="Failed")
    result.select_option(label="Done")
    expect(items).to_have_count(3)
    let_go(page, held)
    expect(items).to_have_count(3)


def test_the_focus_stays_on_a_button_while_other_requests_become_possible(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    store.put(f"active/{write_job(store).job}", b"")
    page.goto(f"{empty_site}#/jobs/{JOB}")
    button = page.get_by_role("button", name="Cancel")
    button.focus()
    _ask(empty_site, JOB, "pause")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(button).to_be_focused()
