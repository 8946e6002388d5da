"""People, teams, invitations and acts in Lab, by an administrator's clicks."""

from __future__ import annotations

import re
import uuid

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.hub.conftest import Hub
from tests.hub.test_two_people import signed_in
from tests.hub.visitor import Visitor
from tests.ui.conftest import picture
from tests.ui.test_accessibility import assert_accessible

TAB = ".jp-blueno-people-tab:not(.lm-mod-hidden)"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_administrator_invites_places_and_lets_go(hub: Hub, browser: Browser) -> None:
    guest = f"guest-{uuid.uuid4().hex[:6]}"
    hub.sign_in(guest)
    page = signed_in(browser, hub, "admin")
    page.get_by_role("button", name="People and teams").click()
    tab = page.locator(TAB)
    row = tab.locator(f"[data-person='{guest}']")
    expect(row).to_contain_text("never")
    expect(tab.locator("[data-person='admin']")).to_contain_text("since just now")

    row.get_by_role("button", name=f"Put {guest} into a team").click()
    page.get_by_label("Team", exact=True).fill("Not a team")
    page.get_by_role("button", name="Put into it").click()
    expect(page.locator("#blueno-people-team-note")).to_contain_text("cannot be a team")
    page.get_by_label("Team", exact=True).fill("radiology")
    page.get_by_role("button", name="Put into it").click()
    expect(row).to_contain_text("radiology")
    row.get_by_role("button", name=f"Take {guest} out of radiology").click()
    page.get_by_role("button", name="Take out", exact=True).click()
    expect(row).not_to_contain_text("radiology")

    quotas = tab.get_by_role("table", name="Quotas")
    expect(quotas.get_by_role("row", name="You: CPU cores")).to_contain_text("of 100")
    link = invited(page)
    assert "admin invites you to the team pathology" in Visitor(hub.url).open(link).words
    opened = tab.locator("[data-invitation]").filter(has_text="0 of 3")
    expect(opened).to_have_count(1)
    picture(page, "people")
    assert_accessible(page, TAB)
    opened.get_by_role("button", name="Take back").click()
    expect(tab.get_by_text("0 of 3")).to_have_count(0)
    assert Visitor(hub.url).open(link).status == 410

    row.get_by_role("button", name=f"Let {guest} go").click()
    expect(page.get_by_role("list", name="What is done")).to_contain_text("nobody gets the name again")
    page.get_by_role("button", name="Let go", exact=True).click()
    expect(page.locator(".jp-toastContainer, .Toastify").get_by_text(f"{guest} is gone")).to_be_visible()
    expect(row).to_have_count(0)
    acts = tab.get_by_role("region", name="Who did what")
    acts.get_by_role("textbox", name="Did").fill("let_go")
    expect(acts.get_by_role("row", name=re.compile(rf"let_go name {guest}")).first).to_be_visible()
    page.context.close()


def invited(page: Page) -> str:
    """Fill in the dialog; the link that is shown."""
    page.locator(TAB).get_by_role("button", name="Invite …").first.click()
    page.get_by_label("Team", exact=True).fill("pathology")
    page.get_by_role("textbox", name="People").fill("3")
    page.get_by_role("button", name="Make a link").click()
    shown = page.get_by_label("Link", exact=True).input_value()
    page.get_by_role("button", name="Close", exact=True).click()
    return shown
