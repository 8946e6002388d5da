"""What a browser is given: cookies, protection of forms, and who may frame or script a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.hub.conftest import Hub

NOBODY = "frame-ancestors 'none'"


@pytest.fixture(scope="module")
def browser(hub: Hub) -> Iterator[requests.Session]:
    """Alice's, signed in by the form, with her server open."""
    hub.sign_in("alice")
    hub.start_server("alice")
    with requests.Session() as session:
        session.get(f"{hub.url}/hub/login")
        form = {"username": "alice", "password": "any"}
        refused = session.post(f"{hub.url}/hub/login", data=form, allow_redirects=False)
        assert refused.status_code == 403
        form["_xsrf"] = str(session.cookies.get("_xsrf", path="/hub/"))
        answer = session.post(f"{hub.url}/hub/login", data=form, allow_redirects=False)
        assert answer.status_code == 302
        assert session.get(f"{hub.url}/user/alice/lab").status_code == 200
        yield session


def test_cookies_are_for_one_server_and_not_for_scripts_nor_other_sites(
    hub: Hub, browser: requests.Session
) -> None:
    kept = {(one.name, one.path): one for one in browser.cookies if one.name != "_xsrf"}
    assert set(kept) == {
        ("jupyterhub-hub-login", "/hub/"),
        ("jupyterhub-session-id", "/"),
        ("jupyterhub-user-alice", "/user/alice/"),
    }
    for name, one in kept.items():
        assert one.has_nonstandard_attr("HttpOnly"), name
        assert str(one.get_nonstandard_attr("SameSite")) == "Lax", name


def test_a_page_of_another_site_does_nothing_in_somebody_s_name(hub: Hub, browser: requests.Session) -> None:
    mine = f"{hub.url}/user/alice"
    assert browser.get(f"{mine}/blueno/api/status").json()["user"] == "alice"
    for path in ("/blueno/api/datasets", "/api/contents", "/api/kernels", "/blueno/api/jobs"):
        assert browser.post(mine + path, json={}).status_code == 403, path
    token = browser.cookies.get("_xsrf", path="/user/alice/")
    answer = browser.post(f"{mine}/blueno/api/datasets", json={}, headers={"X-XSRFToken": str(token)})
    assert answer.json()["code"] == "invalid_request"  # it came as far as the operation
    with requests.Session() as forged:  # who may only send cookies is nobody to the service
        forged.cookies.update(browser.cookies)
        assert forged.get(f"{hub.service}/blueno/api/status").status_code == 403


def test_nobody_s_server_takes_the_cookies_of_another(hub: Hub, browser: requests.Session) -> None:
    hub.sign_in("bob")
    hub.start_server("bob")
    with requests.Session() as session:
        for one in browser.cookies:
            session.cookies.set(one.name, one.value, path=one.path.replace("/user/alice/", "/user/bob/"))
        answer = session.get(f"{hub.url}/user/bob/blueno/api/status")
        assert answer.status_code == 403
        page = session.get(f"{hub.url}/user/bob/lab")  # asked of the hub, which knows who that is
        assert page.status_code == 403
        assert "bob" not in session.cookies.get("jupyterhub-user-bob", "", path="/user/bob/")


def test_no_page_is_framed_and_no_answer_is_a_page(hub: Hub, browser: requests.Session) -> None:
    for path in ("/hub/login", "/user/alice/lab", "/user/alice/blueno/api/status", "/hub/home"):
        headers = browser.get(hub.url + path).headers
        assert NOBODY in headers["content-security-policy"], path
    headers = browser.get(f"{hub.url}/user/alice/blueno/api/status").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
