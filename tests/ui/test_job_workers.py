"""A job of several workers in Lab: a log for each, told apart by its rank, and which one failed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from jupyter_blueno.jobs.model import JobSpec, Resources
from tests.servers import Lab
from tests.ui.test_accessibility import assert_accessible
from tests.ui.test_job_failures import keep_picture, open_job, submit

SHARDS = """\
import os, time
rank = int(os.environ["RANK"])
print(f"training on shard {rank} of {os.environ['WORLD_SIZE']}", flush=True)
if rank == 2:
    raise ValueError("shard 2 is empty")
time.sleep(600)
"""


def test_each_worker_has_a_log_and_the_one_that_failed_is_named(lab: Lab, page: Page) -> None:
    spec = JobSpec("cell", source=SHARDS, folder=str(lab.root), resources=Resources(workers=3))
    job_id = submit(lab, "three workers", spec)
    tab = open_job(page, job_id, "FAILED")
    why = tab.locator(".jp-blueno-job-why")
    expect(why).to_contain_text(
        "Rank 2 of 3 workers ended, and the others with it: ValueError: shard 2 is empty"
    )
    expect(tab.locator(".jp-blueno-job-standing")).to_contain_text("3 workers")
    ranks = tab.get_by_role("radiogroup", name="Whose log").get_by_role("radio")
    expect(ranks).to_have_count(3)
    expect(ranks.nth(2)).to_have_accessible_name("Rank 2, exit code 1")
    expect(ranks.nth(0)).to_have_accessible_name("Rank 0, ended with the others")
    log = tab.locator(".jp-blueno-log:visible")
    expect(log).to_contain_text("training on shard 0 of 3")
    ranks.nth(0).press("ArrowLeft")
    expect(ranks.nth(2)).to_be_focused()
    expect(ranks.nth(2)).to_be_checked()
    expect(log).to_contain_text("training on shard 2 of 3")
    expect(log).to_contain_text("ValueError")
    keep_picture(page, "workers-light")
    assert_accessible(page, f"#jp-blueno-job-{job_id} .jp-blueno-ranks")
