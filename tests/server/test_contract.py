"""The route table and the document: what is served is what is documented, and nothing is open."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jupyter_blueno.api.operation import PREFIX, Content, Operation, operations
from jupyter_blueno.server.openapi import document
from jupyter_blueno.server.routes import routes
from tests.servers import TOKEN, Lab

OPERATIONS = operations()
ROOT = Path(__file__).parents[2]


def ask(
    lab: Lab, method: str, path: str, body: bytes | None = None, token: str | None = TOKEN
) -> tuple[int, bytes]:
    """One request; the status and the body, whatever they are."""
    headers = {"Authorization": f"token {token}"} if token else {}
    request = urllib.request.Request(f"{lab.url}{PREFIX}{path}", body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def example_path(operation: Operation[Any, Any]) -> str:
    return re.sub(r"{\w+}", "1", operation.path)


def test_every_operation_has_a_route_and_every_route_an_operation() -> None:
    served = {
        (method, one.path) for _, _, options in routes() for method, one in options.get("methods", {}).items()
    }
    assert served == {(one.method, one.path) for one in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_nobody_enters_without_signing_in(lab: Lab, operation: Operation[Any, Any]) -> None:
    body = b"{}" if operation.method in {"POST", "PUT", "PATCH"} else None
    for token in (None, "wrong"):
        status, said = ask(lab, operation.method, example_path(operation), body, token)
        assert status == 403, said
        assert set(json.loads(said)) == {"code", "message"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_unknown_fields_are_refused_in_a_sentence(lab: Lab, operation: Operation[Any, Any]) -> None:
    path, body = example_path(operation) + "?no_such_field=1", None
    if operation.json_body:
        path, body = example_path(operation), b'{"no_such_field": 1}'
    elif operation.method == "PUT":
        body = b"x"
    status, said = ask(lab, operation.method, path, body)
    problem = json.loads(said)
    assert status == 400
    assert problem["code"] == "invalid_request"
    assert "no_such_field" in problem["message"] or "required" in problem["message"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_authorisation_is_asked_for_every_operation(operation: Operation[Any, Any]) -> None:
    assert operation.resource
    assert operation.action == ("read" if operation.method == "GET" else operation.action)
    assert operation.action in {"read", "write", "execute"}


@pytest.fixture(scope="module")
def closed_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server whose authorizer allows everything but Blueno."""
    folder = tmp_path_factory.mktemp("closed")
    authorizer = "tests.server.authorizer.AllButBlueno"
    running = Lab(folder / "root", folder / "home", arguments=[f"--ServerApp.authorizer_class={authorizer}"])
    running.root.mkdir()
    running.start()
    yield running
    running.stop()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_signed_in_is_not_enough(closed_lab: Lab, operation: Operation[Any, Any]) -> None:
    body = b"{}" if operation.method in {"POST", "PUT", "PATCH"} else None
    status, _ = ask(closed_lab, operation.method, example_path(operation), body)
    assert status == 403


def test_committed_document_is_current() -> None:
    written = json.loads(json.dumps(document()))  # JSON has no tuples
    assert json.loads((ROOT / "docs" / "openapi.json").read_text()) == written


def test_every_operation_says_what_it_does() -> None:
    assert [one.name for one in OPERATIONS if not one.summary] == []


def answers() -> list[str]:
    """Paths of reading operations that need nothing to be there before."""
    return [
        "/status",
        "/changes",
        "/datasets",
        "/departures",
        "/doctor",
        "/environments",
        "/idle",
        "/invitations",
        "/jobs",
        "/ingests/public-sets",
        "/me",
        "/mlflow",
        "/models",
        "/notebook",
        "/people",
        "/schedules",
        "/secrets",
        "/usage",
    ]


@pytest.mark.parametrize("path", answers())
def test_answers_are_as_documented(lab: Lab, path: str) -> None:
    status, body = ask(lab, "GET", path)
    assert status == 200
    validate(document(), path, "get", json.loads(body))


def validate(doc: dict[str, Any], path: str, method: str, answer: Any) -> None:
    """Check an answer against the document's schema."""
    responses = doc["paths"][path][method]["responses"]
    schema = next(v for k, v in responses.items() if k != "default")["content"]["application/json"]["schema"]
    jsonschema.validate(
        answer, {**schema, "components": doc["components"]}, cls=jsonschema.Draft202012Validator
    )


def test_reading_operations_are_covered() -> None:
    """A new reading operation without parameters joins `answers`."""
    free = {
        one.path
        for one in OPERATIONS
        if (
            one.method == "GET"
            and not one.path_fields
            and one.answer is not Content
            and not document()["paths"][one.path]["get"]["parameters"][:1]
        )
        or one.name in {"list_datasets", "list_jobs", "list_models", "get_changes", "get_team_usage"}
    }
    assert free == set(answers())
