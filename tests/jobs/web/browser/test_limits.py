"""What a job costs, and how one that has reached its limit goes on."""

from playwright.sync_api import Page, expect

from jobs.records.job import load_job
from jobs.store.folder import FolderStore
from tests.support.job_states import JOB, pause_at_limit


def test_a_job_at_its_limit_shows_its_cost_and_goes_on_with_a_higher_limit(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    store.put(f"active/{pause_at_limit(store, usd=40.0, hours=3.0).job}", b"")
    page.goto(empty_site)
    tile = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    expect(tile).to_contain_text("39.90 USD")
    page.goto(f"{empty_site}#/jobs/{JOB}")
    cost = page.get_by_text("39.90 USD, 4 h of workers, at most 40.00 USD, at most 3 h")
    expect(cost).to_be_visible()
    expect(page.locator("p.notice")).to_contain_text("spent USD 39.90")

    page.get_by_role("button", name="Resume").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("More US dollars")).to_be_focused()
    page.keyboard.type("20")
    dialog.get_by_role("button", name="Raise and go on").click()
    expect(page.get_by_text("at most 60.00 USD")).to_be_visible()
    expect(page.locator(".state").first).to_have_text("Waiting")
    limits = load_job(store, JOB).limits
    assert limits is not None
    assert (limits.usd, limits.hours) == (60, 3)


def test_a_raise_that_is_too_small_says_so(page: Page, empty_site: str, store: FolderStore) -> None:
    store.put(f"active/{pause_at_limit(store, usd=40.0, hours=3.0).job}", b"")
    page.goto(f"{empty_site}#/jobs/{JOB}")
    page.get_by_role("button", name="Resume").click()
    page.get_by_label("More hours with workers").fill("1")
    page.get_by_role("button", name="Raise and go on").click()
    expect(page.get_by_text("has reached limits.usd")).to_be_visible()
