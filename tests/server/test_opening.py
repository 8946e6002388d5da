"""The address that `blueno lab` opens."""

from __future__ import annotations

import http.client

import pytest

from tests.servers import TOKEN, Lab


@pytest.mark.parametrize(
    ("page", "place"),
    [
        ("/lab", "/lab?blueno-panel"),
        ("/lab/tree/a%20b/c%3Fd.ipynb", "/lab/tree/a%20b/c%3Fd.ipynb?blueno-panel"),
    ],
)
def test_it_leads_to_lab_with_the_panel_in_view(lab: Lab, page: str, place: str) -> None:
    assert asked(lab, f"{page}?token={TOKEN}") == (302, place)


def test_whoever_is_not_signed_in_is_led_there_first(lab: Lab) -> None:
    status, place = asked(lab, "/lab")
    assert (status, place.partition("?")[0]) == (302, "/login")


def test_it_leads_nowhere_else(lab: Lab) -> None:
    assert asked(lab, f"//example.org/lab?token={TOKEN}") == (404, "")


def asked(lab: Lab, page: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=30)
    connection.request("GET", f"/blueno/open{page}")
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers.get("Location", "")
