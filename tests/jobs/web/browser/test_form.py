"""The form of a spec: it gives a job's spec again, marks what is wrong, and renders drafts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from jobs.records.job import load_job
from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples
from tests.support.page_server import serving


def test_a_form_that_is_not_changed_finds_the_same_job(
    page: Page, site: str, examples: Examples
) -> None:
    page.goto(f"{site}#/jobs/{examples.poster}")
    page.get_by_role("link", name="Again with changes").click()
    expect(page.get_by_text("sky.png, as before")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("The same job was there already; here it is.")).to_be_visible()
    assert page.url.endswith(examples.poster)


def test_a_wrong_value_is_marked_where_it_stands(page: Page, site: str) -> None:
    page.goto(f"{site}#/new")
    page.get_by_label("A colour").check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Height").fill("40")
    page.locator(".more > summary").click()
    page.locator(".more summary", has_text="Dream").click()
    field = page.get_by_label("Octave scale")
    field.fill("9")
    page.get_by_role("button", name="Submit").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("alert").filter(has_text="octave_scale").first).to_be_visible()
    field.fill("2")
    expect(field).not_to_have_attribute("aria-invalid", "true")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store."""
    (tmp_path / "store").mkdir()
    return FolderStore(tmp_path / "store")


@pytest.fixture
def empty_site(store: FolderStore) -> Iterator[str]:
    """The address of a server of the empty store."""
    with serving(store) as address:
        yield address


def test_a_draft_goes_first_and_submit_goes_on_from_it(
    page: Page, empty_site: str, store: FolderStore
) -> None:
    page.goto(f"{empty_site}#/new")
    page.get_by_label("Noise", exact=True).check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Width").fill("1200")
    page.get_by_label("Height").fill("600")
    page.get_by_role("button", name="Render a small draft").click()
    note = "The draft waits for a worker, before all other jobs."
    expect(page.get_by_text(note)).to_be_visible()
    (job,) = (one.key.split("/")[1] for one in store.list_objects("active/"))
    draft = load_job(store, job)
    assert draft.spec.submitted_document["size"] == "1200 x 600"
    assert draft.intent.until is not None
    assert draft.run_settings is not None
    assert draft.run_settings.priority == 100

    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("It goes on from its draft.")).to_be_visible()
    assert page.url.endswith(job)
    whole = load_job(store, job)
    assert whole.intent.until is None
    assert whole.run_settings is not None
    assert whole.run_settings.priority == 50
