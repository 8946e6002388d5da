"""MLflow behind Jupyter's port: started by its first page, for those who are signed in."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse

from tests.servers import TOKEN, Lab

PAGE = "/blueno/mlflow/"
SIGNED_IN = {"Authorization": f"token {TOKEN}"}


def ask(
    lab: Lab, method: str, path: str, headers: dict[str, str], body: str | None = None
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=120)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_the_page_says_that_it_starts_and_then_is_mlflow(lab: Lab) -> None:
    status, text = ask(lab, "GET", PAGE, SIGNED_IN)
    assert status == 200
    assert "MLflow is starting" in text or 'id="root"' in text
    deadline = time.monotonic() + 110
    while "MLflow is starting" in text and time.monotonic() < deadline:
        status, text = ask(lab, "GET", PAGE, SIGNED_IN)
    assert 'id="root"' in text
    status, text = ask(lab, "GET", f"{PAGE}ajax-api/2.0/mlflow/experiments/search?max_results=5", SIGNED_IN)
    assert (status, json.loads(text)["experiments"][0]["name"]) == (200, "Default")
    sockets = lab.home / "mlflow" / "socket"
    assert sockets.stat().st_mode & 0o777 == 0o700, "others of this machine may not talk to it"


def test_strangers_get_nothing(lab: Lab) -> None:
    assert ask(lab, "GET", PAGE, {})[0] == 302
    status, _ = ask(lab, "POST", f"{PAGE}ajax-api/2.0/mlflow/experiments/create", {}, '{"name": "x"}')
    assert status == 403


def test_a_page_of_another_site_cannot_write(lab: Lab) -> None:
    """The browser sends its cookie along with what another site makes it post."""
    connection = http.client.HTTPConnection("127.0.0.1", lab.port, timeout=60)
    connection.request("GET", f"/lab?token={TOKEN}")
    answer = connection.getresponse()
    answer.read()
    cookies = "; ".join(
        value.split(";")[0] for name, value in answer.getheaders() if name.lower() == "set-cookie"
    )
    create = f"{PAGE}ajax-api/2.0/mlflow/experiments/create"
    foreign = {"Cookie": cookies, "Origin": "https://elsewhere.example", "Content-Type": "application/json"}
    assert ask(lab, "POST", create, foreign, '{"name": "forged"}')[0] in {403, 404}
    own = {**foreign, "Origin": urllib.parse.urljoin(lab.url, "/").rstrip("/")}
    assert ask(lab, "POST", create, own, '{"name": "own"}')[0] == 200
