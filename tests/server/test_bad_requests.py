"""Requests that are not as documented, or ask for what cannot be."""

from __future__ import annotations

import json
import random
import secrets
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jupyter_blueno.api.operation import Operation, operations
from jupyter_blueno.server.openapi import document
from tests.server.hostile import Reply, alive, ask, quoted, refused
from tests.servers import Lab

SQL = "'; DROP TABLE sample; --"
UNSTORABLE = [
    ("x" * 10_000, "name_too_long"),
    ("", "name_empty"),
    (" \t ", "name_empty"),
    ("a\0b", "invalid_character"),
]
STRANGE = ["a\x07b", SQL, "../x", "a/b", "%2F", '"q"', "\\", "a\nb", "\u202e.", "é" * 255]


@pytest.fixture(scope="module")
def dataset_id(lab: Lab) -> int:
    return int(ask(lab, "POST", "/datasets", {"name": f"requests {uuid.uuid4()}"}).json["id"])


@pytest.fixture
def version(lab: Lab) -> dict[str, int]:
    """A version being prepared, with ten ordinals reserved."""
    begun: dict[str, int] = ask(lab, "POST", "/versions", {"name": f"batch {uuid.uuid4()}"}).json
    ask(lab, "POST", f"/datasets/{begun['dataset_id']}/reserve", {"count": 10})
    return begun


def names(lab: Lab) -> set[str]:
    return {one["name"] for one in ask(lab, "GET", "/datasets").json["datasets"]}


@pytest.mark.parametrize("path", ["/datasets", "/versions"])
def test_names_that_cannot_be(lab: Lab, path: str) -> None:
    before = names(lab)
    for name, code in UNSTORABLE:
        refused(ask(lab, "POST", path, {"name": name}), 400, code)
    assert names(lab) == before


def test_strange_names_are_names(lab: Lab) -> None:
    for name in STRANGE:
        made = ask(lab, "POST", "/datasets", {"name": name})
        assert made.status == 201, made
        found = ask(lab, "GET", "/datasets", query=[("name", name)]).json["datasets"]
        assert [one["name"] for one in found] == [name]
        refused(ask(lab, "POST", "/datasets", {"name": name}), 409, "dataset_exists")
    alive(lab)


def test_a_name_asked_for_by_many_at_once_is_made_once(lab: Lab) -> None:
    name = f"race {uuid.uuid4()}"
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: ask(lab, "POST", "/datasets", {"name": name}), range(4)))
    assert sorted(one.status for one in made) == [201, 409, 409, 409]
    assert {one.problem.code for one in made if one.status == 409} == {"dataset_exists"}


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"null", b"1", b'"x"', b"{", b'{"name":NaN}', b'{"name":"\xff"}', b"\xff\xfe", b'{"name":1}',
        b'{"name":"\\ud800"}', b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' * 100_000,
        b'{"name":"x","info":[]}', b'{"name":"x","info":{"a":1e999}}', b'{"name":"x","no_such_field":1}',
    ],
    ids=lambda body: body[:20].decode("latin-1"),
)  # fmt: skip
def test_bodies_that_are_none(lab: Lab, body: bytes) -> None:
    for path in ("/datasets", "/versions", "/jobs", "/ingests"):
        refused(ask(lab, "POST", path, raw=body), 400, "invalid_request")


def test_info_that_cannot_be_stored(lab: Lab) -> None:
    before = names(lab)
    for info, status in (({"a": "\0"}, 400), ({"\0": 1}, 400), ({"a": "x" * 2_000_000}, 413)):
        refused(ask(lab, "POST", "/datasets", {"name": "info", "info": info}), status)
    assert names(lab) == before


def test_methods_and_addresses_that_are_not_there(lab: Lab) -> None:
    for method, path in (
        ("POST", "/status"),
        ("PATCH", "/datasets"),
        ("DELETE", "/jobs"),
        ("PUT", "/ingests"),
    ):
        assert "GET" in refused(ask(lab, method, path, {}), 405, "http_405").message or path == "/ingests"
    for path in ("/nowhere", "/datasets/1/nowhere", "/datasets/../../../etc/passwd", "/"):
        refused(ask(lab, "GET", path), 404, "http_404")


def test_ids_that_are_none(lab: Lab) -> None:
    for text, status in (("0", 404), ("-1", 404), ("9" * 30, 404), ("a", 400), ("1.5", 400), ("1%00", 400)):
        for method, rest in (("GET", ""), ("GET", "/facets"), ("DELETE", ""), ("POST", "/restore")):
            refused(ask(lab, method, f"/datasets/{text}{rest}"), status)
        refused(ask(lab, "POST", f"/versions/{text}/finish", {}), status)


@pytest.mark.parametrize("text", ["1-", "a", "5-1", "0-99999999999", "-1", "1;2", "٣", "0-1000", "1-2-3"])
def test_ordinals_that_are_none(lab: Lab, dataset_id: int, text: str) -> None:
    for noun in ("thumbnails", "samples-at"):
        path = f"/datasets/{dataset_id}/{noun}"
        refused(ask(lab, "GET", path, query=[("ordinals", text)]), 400, "invalid_ordinals")


def test_pages_that_are_none(lab: Lab, dataset_id: int) -> None:
    path = f"/datasets/{dataset_id}/samples"
    for limit in (0, -1, 10**9):
        refused(ask(lab, "GET", path, query=[("limit", limit)]), 400, "invalid_limit")
    for after in (10**30, 2**31):
        assert ask(lab, "GET", path, query=[("after", after)]).json == {"samples": [], "next": None}
    twice = refused(ask(lab, "GET", path, query=[("limit", 1), ("limit", 2)]), 400, "invalid_request")
    assert "limit" in twice.message
    refused(ask(lab, "GET", f"{path}?text=%ff"), 400)
    for text in ("[", "é(", "%_\\", "(?x", "*"):
        assert ask(lab, "GET", path, query=[("text", text)]).json["samples"] == []
    refused(ask(lab, "GET", path, query=[("text", "a\0")]), 400, "invalid_character")
    refused(ask(lab, "GET", path, query=[("version", 10**30)]), 404, "dataset_not_found")


def test_waiting_for_ever_is_not_possible(lab: Lab) -> None:
    now = ask(lab, "GET", "/changes").json["revision"]
    assert ask(lab, "GET", "/changes", query=[("since", now), ("wait", "nan")]).seconds < 20


@pytest.mark.parametrize(
    "columns",
    [
        {"shape": [2**40]}, {"shape": [-1]}, {"shapes": [[10**18]]}, {"bytes": 2**62}, {"bytes": [-5]},
        {"names": [""]}, {"names": [" "]}, {"names": ["a", "a"]}, {"names": ["x" * 10_000]},
        {"label": ["x", "y"]}, {"label": {"a": 1}},
        {"label": [1.5]}, {"label": "x" * 10_000}, {"keys": ["\0"]}, {"kind": "photo"},
        {"attributes": [{"a": "\0"}]}, {"data_url": "http://x"}, {"data_url": ""}, {"first_ordinal": 10},
    ],
    ids=str,
)  # fmt: skip
def test_rows_that_cannot_be(lab: Lab, version: dict[str, int], columns: dict[str, Any]) -> None:
    batch = {"first_ordinal": 0, "names": ["a"], "data_url": "file://data/a.npy"} | columns
    answer = ask(lab, "POST", f"/versions/{version['version_id']}/samples", {"batch": batch})
    assert answer.problem.code
    assert answer.status in (400, 409)
    assert ask(lab, "GET", f"/datasets/{version['dataset_id']}/samples").json["samples"] == []


def test_any_progress_can_be_told(lab: Lab, version: dict[str, int]) -> None:
    for message in ("\0", "x" * 1_000_000):
        tell = {"batch": {"first_ordinal": 0, "names": [], "data_url": ""}}
        path = f"/versions/{version['version_id']}/samples"
        told = ask(lab, "POST", path, {**tell, "progress": {"done": 1, "message": message}})
        assert told.status == 200
        kept = ask(lab, "GET", f"/datasets/{version['dataset_id']}").json["version"]["progress"]["message"]
        assert len(kept) <= 2000


# -- a small fuzz ----------------------------------------------------------------

_TEXTS = [
    "",
    " ",
    "a",
    "\0",
    "x" * 5000,
    "../..",
    "%2e%2e/",
    SQL,
    "\\",
    "é\u202e",
    "NaN",
    "-1",
    "[",
    "file://x",
]
_NUMBERS = [0, -1, 1, 2**31, 2**63, 10**18, -(2**63), 1.5, 1e308]
_RUBBISH: list[Any] = [None, True, [], {}, [[]], {"a": {}}, "text", 7, [None], -0.0]


def generated(schema: dict[str, Any], parts: dict[str, Any], random: random.Random, depth: int = 0) -> Any:
    """A value that a JSON schema describes, or now and then one that it does not."""
    if random.random() < 0.12 or depth > 6:
        return random.choice(_RUBBISH)
    if "$ref" in schema:
        return generated(parts[schema["$ref"].rsplit("/", 1)[-1]], parts, random, depth)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return generated(random.choice(schema[several]), parts, random, depth + 1)
    if "enum" in schema:
        return random.choice([*schema["enum"], "none of these"])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        wanted = set(schema.get("required", []))
        return {
            name: generated(one, parts, random, depth + 1)
            for name, one in schema.get("properties", {}).items()
            if name in wanted or random.random() < 0.5
        }
    if "prefixItems" in schema:
        return [generated(one, parts, random, depth + 1) for one in schema["prefixItems"]]
    if kind == "array":
        items = schema.get("items", {})
        return [generated(items, parts, random, depth + 1) for _ in range(random.choice([0, 1, 2]))]
    if kind == "string":
        return random.choice(_TEXTS)
    if kind in ("integer", "number"):
        return random.choice(_NUMBERS)
    return random.choice(_RUBBISH)


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.name)
def test_whatever_is_sent_is_answered(lab: Lab, operation: Operation[Any, Any]) -> None:
    described = document()
    parts = described["components"]["schemas"]
    entry = described["paths"][operation.path][operation.method.lower()]
    chance = random.Random(operation.name)  # the same requests in every run
    for _ in range(10):
        path, query = operation.path, []
        for parameter in entry["parameters"]:
            value = generated(parameter["schema"], parts, chance)
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", quoted(str(value) or "x"))
            elif parameter["required"] or chance.random() < 0.5:
                query.append((parameter["name"], value if isinstance(value, str) else json.dumps(value)))
        body, raw = None, None
        if operation.raw_body is not None:
            raw = chance.choice([b"", b"\0", b"x" * 1000])
        elif "requestBody" in entry:
            body = generated(entry["requestBody"]["content"]["application/json"]["schema"], parts, chance)
            if operation.name == "submit_job" and isinstance(body, dict):
                body["id"] = secrets.token_hex(15)  # one digit short: nothing is to be started
        query = [(name, value) for name, value in query if name != "wait"]
        must_be_answered(ask(lab, operation.method, path, body, query=query, raw=raw))
    alive(lab)


def must_be_answered(reply: Reply) -> None:
    if reply.status >= 400:
        assert reply.problem.code
        # 501: a package is missing here, and the message says which one.
        assert reply.status < 500 or reply.status == 501, reply
