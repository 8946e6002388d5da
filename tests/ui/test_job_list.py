"""The list of jobs in the panel: searched, and several of it chosen."""

from __future__ import annotations

import uuid
import zipfile

from playwright.sync_api import Page, expect

from jupyter_blueno.api.jobs import SubmitJob, submit_job
from jupyter_blueno.jobs.model import JobSpec
from tests.servers import Lab
from tests.ui.conftest import execute, picture
from tests.ui.test_jobs import LONG, UNTIL_FILE, open_job, release, row, submit_cell

assert release  # a fixture


def test_panel_finds_and_deletes(lab: Lab, page: Page) -> None:
    name = f"needle-{uuid.uuid4().hex[:8]}"
    job_id = submit_cell(lab, name, "print('short')")
    found = row(page, job_id)
    expect(found).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    page.get_by_role("button", name="Search jobs").click()
    page.get_by_role("search").get_by_role("searchbox").fill(name)
    expect(page.locator(".jp-blueno-job")).to_have_count(1)
    found.hover()
    found.get_by_role("button", name=f"What to do with {name}").click()
    page.locator(".lm-Menu-item[data-command='blueno:delete-job']").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    found.wait_for(state="detached")


def test_several_are_chosen(lab: Lab, page: Page, release: str) -> None:
    name = f"many-{uuid.uuid4().hex[:8]}"
    ids = [submit_cell(lab, f"{name}-{n}", f"print({n})") for n in range(3)]
    ids.append(submit_cell(lab, f"{name}-long", UNTIL_FILE.format(file=release)))
    for one in ids[:3]:
        expect(row(page, one)).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    page.get_by_role("button", name="Search jobs").click()
    page.get_by_role("search").get_by_role("searchbox").fill(name)
    listed = page.locator(".jp-blueno-job")
    expect(listed).to_have_count(4)
    bar = page.get_by_role("toolbar", name="What to do with the chosen jobs")
    listed.nth(1).hover()
    listed.nth(1).get_by_role("checkbox").check()
    expect(bar).to_contain_text("1 job chosen")
    expect(bar.get_by_role("button", name="Compare")).to_be_disabled()
    listed.nth(3).locator(".jp-blueno-job-row").click(modifiers=["Shift"])
    expect(bar).to_contain_text("3 jobs chosen")
    bar.get_by_role("button", name="Compare").click()
    expect(page.locator(".jp-blueno-compare")).to_contain_text(f"{name}-2")
    # By keyboard, from the first one down.
    listed.first.locator(".jp-blueno-job-row").focus()
    page.keyboard.press("Escape")
    expect(bar).to_have_count(0)
    page.keyboard.press("Shift+ArrowDown")
    expect(bar).to_contain_text("2 jobs chosen")
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("4 jobs chosen")
    picture(page, "jobs-chosen")
    bar.get_by_role("button", name="Cancel …").click()
    question = page.locator(".jp-Dialog")
    expect(question).to_contain_text("Cancel 1 job?")
    expect(question).to_contain_text(f"{name}-long")
    question.get_by_role("button", name="Cancel 1 job").click()
    expect(listed.first).to_have_attribute("data-state", "CANCELLED", timeout=LONG)
    bar.get_by_role("button", name="Choose none").click()
    listed.nth(2).locator(".jp-blueno-job-row").focus()
    for key in ("x", "ArrowUp", "x", "Delete"):
        page.keyboard.press(key)
    question.get_by_role("button", name="Delete").click()
    expect(listed).to_have_count(2)


def test_an_environment_is_built_and_removed(lab: Lab, page: Page) -> None:
    wheel = lab.root / "tiny-1.5-py3-none-any.whl"
    about = "tiny-1.5.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("tiny.py", "VALUE = 'tiny'\n")
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.5\n")
        file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{about}/RECORD", "")
    execute(page, "blueno:show-jobs")
    page.get_by_role("heading", name="Environments").click()
    page.get_by_role("button", name="Build one …").click()
    form = page.locator(".jp-Dialog")
    form.get_by_role("button", name="Build").click()
    expect(form.get_by_role("alert")).to_contain_text("Name packages, such as torch==2.8")
    form.get_by_label("Packages").fill(str(wheel))
    form.get_by_label("It is for").select_option("command")
    picture(page, "environment-form")
    form.get_by_role("button", name="Build").click()
    tab = page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")
    expect(tab.locator(".jp-blueno-job-header")).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    built = page.locator(".jp-blueno-environment", has_text="tiny")
    expect(built).to_contain_text("1 job")
    picture(page, "environments")
    built.get_by_role("button", name=f"How {wheel} was built").click()
    expect(form).to_contain_text("tiny")
    form.get_by_role("button", name="Close").click()
    built.get_by_role("button", name=f"Remove {wheel}").click()
    form.get_by_role("button", name="Remove").click()
    expect(built).to_have_count(0)
    page.get_by_role("heading", name="Environments").click()


def test_a_secret_is_set_used_and_deleted(lab: Lab, page: Page) -> None:
    execute(page, "blueno:show-jobs")
    page.get_by_role("heading", name="Secrets").click()
    page.get_by_role("button", name="Set one …").click()
    form = page.locator(".jp-Dialog")
    form.get_by_label("Name").fill("HF TOKEN")
    form.get_by_label("Value").fill("hf_never-shown")
    form.get_by_role("button", name="Set").click()
    expect(form.get_by_role("alert")).to_contain_text("cannot name a secret")
    form.get_by_label("Name").fill("HF_TOKEN")
    picture(page, "secret-form")
    page.keyboard.press("Enter")
    kept = page.locator(".jp-blueno-secret", has_text="HF_TOKEN")
    expect(kept).to_contain_text("set by")
    picture(page, "secrets")
    assert "hf_never-shown" not in page.content()
    spec = JobSpec("command", command=["sh", "-c", "echo it has ${#HF_TOKEN}"], secrets=["HF_TOKEN"])
    job = lab.transport.call(submit_job, SubmitJob(uuid.uuid4().hex, "with a token", spec))
    log = open_job(page, job.id).locator(".jp-blueno-log")
    expect(log).to_contain_text(f"it has {len('hf_never-shown')}", timeout=LONG)
    kept.get_by_role("button", name="Set HF_TOKEN anew").click()
    form.get_by_label("Value").fill("other")
    form.get_by_role("button", name="Set").click()
    expect(form).to_have_count(0)
    kept.get_by_role("button", name="Delete HF_TOKEN").click()
    form.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No secrets yet")).to_be_visible()
    page.get_by_role("heading", name="Secrets").click()


def test_what_each_person_s_jobs_took(lab: Lab, page: Page) -> None:
    name = f"counted-{uuid.uuid4().hex[:8]}"
    job_id = submit_cell(lab, name, "print('short')")
    expect(row(page, job_id)).to_have_attribute("data-state", "SUCCEEDED", timeout=LONG)
    execute(page, "blueno:open-usage")
    tab = page.locator(".jp-blueno-usage-tab:not(.lm-mod-hidden)")
    expect(tab.get_by_role("table", name="Usage by person").locator("tbody tr")).to_have_count(1)
    picture(page, "usage")
    tab.get_by_label("of the last").select_option("1")
    listed = tab.get_by_role("table", name="Jobs that took most")
    expect(listed.locator("tbody tr").first).to_be_visible()
    listed.get_by_role("button").first.click()
    expect(page.locator(".jp-blueno-job-tab:not(.lm-mod-hidden)")).to_be_visible()


def test_from_a_job_to_its_file_and_back(lab: Lab, page: Page) -> None:
    name = f"wrote-{uuid.uuid4().hex[:8]}.csv"
    job_id = submit_cell(lab, name, f"print('a,b\\n1,2', file=open('{name}', 'w'))")
    footer = open_job(page, job_id).locator(".jp-blueno-job-footer")
    footer.get_by_role("button", name=name).click(timeout=LONG)
    expect(page.locator(".jp-CSVViewer")).to_be_visible()
    picture(page, "job-wrote")
    execute(page, "docmanager:show-in-file-browser")
    page.locator(f".jp-DirListing-item[title*='{name}']").click(button="right")
    page.locator(".lm-Menu-item[data-command='blueno:open-writer']").click()
    expect(page.locator(f"#jp-blueno-job-{job_id}")).to_be_visible()
