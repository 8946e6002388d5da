"""The chart as it is when nobody says who may sign in: who comes in, by which link, and who goes."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cluster.installation import Installation
from tests.cluster.test_chart import LONG, WELCOME, enter
from tests.hub.test_people_tab import TAB, invited
from tests.ui.conftest import picture, wait_for_idle_kernel

PASSWORD = "a horse, a battery and a staple"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def doors(release: Installation) -> Iterator[Installation]:
    """The chart with passwords."""
    release.having(hub={"authentication": {"authenticator_class": "passwords", "allow_all": False}})
    yield release
    for person in ("head", "nora"):
        release.stop_server(person)


def test_from_the_first_link_to_the_last_day(doors: Installation, browser: Browser) -> None:
    secret = doors.cluster.get(doors.namespace, f"secret/{doors.name}-hub")["data"]["setup-token"]
    first = f"{doors.url}/hub/invite?code={base64.b64decode(secret).decode()}"
    head = came(browser, first, "head", "cluster-set-up")
    head.get_by_role("button", name="People and teams").click()
    link = invited(head)

    nora = came(browser, link, "nora")
    home = doors.volume / "home" / "nora"
    assert (home / "welcome" / "01-browse.ipynb").exists()
    (pod,) = doors.pods(**{"hub.jupyter.org/username": "nora"})
    assert pod["metadata"]["namespace"] == doors.users

    tab = head.locator(TAB)
    tab.get_by_role("button", name="Look again").first.click()
    row = tab.locator("[data-person=nora]")
    expect(row).to_contain_text("pathology")
    expect(row).to_contain_text("small since")
    expect(tab.locator("[data-invitation]")).to_contain_text("1 of 3")
    picture(head, "cluster-people")
    row.get_by_role("button", name="Let nora go").click()
    head.get_by_role("button", name="Let go", exact=True).click()
    expect(head.get_by_text("nora is gone")).to_be_visible(timeout=LONG)
    expect(row).to_have_count(0)

    (left,) = (doors.volume / "home" / ".left").glob("nora-*")
    assert (left / "welcome" / "01-browse.ipynb").exists()
    assert not home.exists()
    assert doors.pods(**{"hub.jupyter.org/username": "nora"}) == []
    nora.goto(f"{doors.url}/hub/home")
    nora.fill("#username_input", "nora")
    nora.fill("#password_input", PASSWORD)
    nora.click("#login_submit")
    expect(nora.get_by_text("Invalid username or password")).to_be_visible()
    nora.goto(link)  # which two others may still use
    sign_up(nora, "nora")
    expect(nora.get_by_role("alert")).to_contain_text("somebody who left")
    for page in (head, nora):
        page.context.close()


def came(browser: Browser, link: str, name: str, seen: str = "") -> Page:
    """Lab of somebody who opened a link and made an account."""
    page = browser.new_context(viewport={"width": 1400, "height": 860}).new_page()
    page.set_default_timeout(30_000)
    page.goto(link)
    if seen and (folder := os.environ.get("BLUENO_PICTURES")):
        page.screenshot(path=Path(folder) / f"{seen}-light.png")
    sign_up(page, name)
    enter(page)
    wait_for_idle_kernel(page, WELCOME)  # which comes to the front some time after Lab is there
    return page


def sign_up(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
