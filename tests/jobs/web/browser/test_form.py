"""The form of a spec: it gives a job's spec again, marks what is wrong, and renders drafts."""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, Route, expect

from jobs.records.job import load_job
from jobs.store.folder import FolderStore
from tests.jobs.web.browser.example_jobs import Examples
from tests.jobs.web.browser.page_control import hold

_COUNT_ABORTS = """
  window.aborts = 0;
  window.XMLHttpRequest = class extends XMLHttpRequest {
    abort() {
      window.aborts += 1;
      super.abort();
    }
  };
"""


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


def test_a_size_is_marked_until_it_is_right_and_the_plan_says_why(page: Page, site: str) -> None:
    held = hold(page, "**/api/v1/plans", "POST")
    page.goto(f"{site}#/new")
    page.get_by_label("A colour").check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Height").fill("40")
    width = page.get_by_label("Width")
    with page.expect_request("**/api/v1/plans"):
        width.fill("0")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert").filter(has_text="size").first).to_be_visible()
    expect(width).to_have_attribute("aria-invalid", "true")
    held[0].continue_()
    plan = page.get_by_label("Plan", exact=True)
    expect(plan.locator(".fault")).to_contain_text("size")
    width.fill("60")
    expect(width).not_to_have_attribute("aria-invalid", "true")


def test_a_fault_of_an_objective_goes_when_the_form_changes(page: Page, site: str) -> None:
    objective = '{"layer": "nothing"}'
    page.goto(f"{site}#/new?{urlencode({'objective': objective})}")
    page.get_by_label("A colour").check()
    page.get_by_label("Unit").select_option(label="pixels")
    page.get_by_label("Height").fill("40")
    objectives = page.get_by_role("group", name="Objectives")
    page.route("**/api/v1/jobs", _refuse_objective, times=1)
    page.get_by_role("button", name="Submit").click()
    expect(objectives.get_by_role("alert").get_by_text("no such layer")).to_be_visible()
    objectives.get_by_role("button", name="Remove nothing").click()
    expect(objectives.get_by_text("no such layer")).to_have_count(0)
    expect(objectives.get_by_text("None chosen")).to_be_visible()


def _refuse_objective(route: Route) -> None:
    fault = {"field": "objectives", "message": "no such layer"}
    route.fulfill(status=422, json={"detail": "the spec is wrong", "errors": [fault]})


def test_a_later_choice_breaks_the_upload_before_it_off(
    page: Page, site: str, picture: Path
) -> None:
    later = picture.with_name("later.png")
    later.write_bytes(picture.read_bytes())
    page.add_init_script(_COUNT_ABORTS)
    hold(page, "**/api/v1/uploads*", "POST")
    page.goto(f"{site}#/new")
    chooser = page.locator(".drop input")
    with page.expect_request("**/api/v1/uploads*"):
        chooser.set_input_files(picture)
    with page.expect_response("**/api/v1/uploads*"):
        chooser.set_input_files(later)
    assert page.evaluate("window.aborts") == 1
    expect(page.get_by_text(f"{later.name}, ")).to_be_visible()


def test_a_file_whose_upload_broke_off_can_be_chosen_again(
    page: Page, site: str, picture: Path
) -> None:
    page.route("**/api/v1/uploads*", lambda route: route.abort())
    page.goto(f"{site}#/new")
    chooser = page.locator(".drop input")
    chooser.set_input_files(picture)
    expect(page.get_by_text("The upload broke off. Choose the file again.")).to_be_visible()
    # A browser tells of a choice only if it is another one.
    expect(chooser).to_have_value("")


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
