"""From an empty farm to a cancelled job with the keyboard alone."""

from playwright.sync_api import Page, expect

from jobs.records.job import load_job
from jobs.store.folder import FolderStore

_MOST_TABS = 60


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus, which must be visible."""
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and _name_of(page) == name:
            return
    raise AssertionError(f"no Tab leads to {name!r}")


def _name_of(page: Page) -> str:
    """What a screen reader would call the focused control."""
    name: str = page.evaluate(
        """() => {
          const focused = document.activeElement;
          const label = focused.labels?.[0]?.textContent;
          return (focused.getAttribute("aria-label") ?? label ?? focused.textContent).trim();
        }"""
    )
    return name


def test_the_keyboard_alone_submits_pauses_resumes_and_cancels(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    page.goto(empty_site)
    expect(page.get_by_role("heading", name="Nothing has been dreamed here yet")).to_be_visible()
    _tab_to(page, "Skip to the content")
    page.keyboard.press("Enter")
    _tab_to(page, "Start a dream")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Drop a picture here, or choose one")).to_be_visible()

    _tab_to(page, "A picture")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Noise", exact=True)).to_be_checked()
    _tab_to(page, "Unit")
    page.keyboard.type("pixels")
    _tab_to(page, "Width")
    page.keyboard.type("120")
    _tab_to(page, "Height")
    page.keyboard.type("80")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("noise")
    expect(heading).to_be_focused()
    state = page.locator(".job-state")
    expect(state).to_contain_text("Waiting")
    job = page.url.rpartition("/")[2]
    assert load_job(store, job).spec.submitted_document["size"] == "120 x 80"

    _tab_to(page, "Pause")
    page.keyboard.press("Enter")
    expect(state).to_contain_text("Paused")
    expect(page.get_by_role("button", name="Resume")).to_be_focused()
    page.keyboard.press("Enter")
    expect(state).to_contain_text("Waiting")
    _tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(state).to_contain_text("Waiting")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    _tab_to(page, "Cancel the job")
    page.keyboard.press("Enter")
    expect(state).to_contain_text("Cancelled")
    assert load_job(store, job).state == "cancelled"
