"""A notebook server of a hub stops when nobody is there; its person is asked before."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, expect

from tests.hub.conftest import Hub
from tests.hub.test_two_people import signed_in
from tests.ui.conftest import picture


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_who_is_there_is_asked_before(hub: Hub, browser: Browser) -> None:
    page = signed_in(browser, hub, "zoe")  # whose servers stop after 24 seconds
    warning = page.locator(".Toastify__toast", has_text="this server stops in")
    expect(warning).to_be_visible(timeout=60_000)
    picture(page, "hub-idle")
    warning.get_by_role("button", name="Keep it running").click()
    expect(warning).to_have_count(0)
    page.context.close()


def test_the_hub_stops_a_server_in_which_nothing_happens(hub: Hub) -> None:
    hub.sign_in("yan")
    hub.start_server("yan")  # which stops after 12 seconds
    deadline = time.monotonic() + 60
    while hub.api("GET", "/users/yan")["servers"]:
        assert time.monotonic() < deadline, hub.log()
        time.sleep(0.2)
