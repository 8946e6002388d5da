"""The OpenAPI 3.1 document, written from the operations.

``python -m jupyter_blueno.server.openapi`` prints it.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec

from jupyter_blueno._version import __version__
from jupyter_blueno.api.operation import PREFIX, Content, Operation, operations
from jupyter_blueno.server.handlers.operation import Problem

_REF = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """Describe every operation and every struct."""
    declared = operations()
    types = [one.ask for one in declared]
    types += [one.answer for one in declared if one.answer is not Content]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    by_type = dict(zip([*types, Problem], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in declared:
        paths.setdefault(one.path, {})[one.method.lower()] = _describe(one, by_type, components)
    asked = {one.ask.__name__ for one in declared if not one.json_body}
    return {
        "openapi": "3.1.0",
        "info": {"title": "jupyter-blueno", "version": __version__},
        "servers": [{"url": PREFIX, "description": "below the Jupyter server's base URL"}],
        "paths": paths,
        "components": {
            "schemas": {k: v for k, v in sorted(components.items()) if k not in asked},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
        "security": [{"token": []}],
    }


def _describe(
    one: Operation[Any, Any], by_type: dict[Any, Any], components: dict[str, Any]
) -> dict[str, Any]:
    properties = components[one.ask.__name__].get("properties", {})
    required = components[one.ask.__name__].get("required", [])
    parameters = []
    for name, schema in properties.items():
        in_path = name in one.path_fields
        if name == one.raw_body or (one.json_body and not in_path):
            continue
        parameters.append(
            {
                "name": name,
                "in": "path" if in_path else "query",
                "required": in_path or name in required,
                "schema": schema,
            }
        )
    described: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": inspect.getdoc(one.run) or "",
        "tags": [one.noun],
        "parameters": parameters,
        "x-blueno-authorization": f"{one.action} blueno:{one.resource}",
        # Beside a hub: by the notebook server of who asks, where their files are, or by the hub's service.
        "x-blueno-served": "beside" if one.local else "service",
        "responses": {
            str(one.status): {"description": "Done.", "content": _answer(one, by_type)},
            "default": {
                "description": "An error.",
                "content": {"application/json": {"schema": by_type[Problem]}},
            },
        },
    }
    if one.raw_body is not None:
        binary = {"schema": {"type": "string", "format": "binary"}}
        described["requestBody"] = {"required": True, "content": {"application/octet-stream": binary}}
    elif one.json_body and set(properties) - set(one.path_fields):
        described["requestBody"] = {
            "required": bool(set(required) - set(one.path_fields)),
            "content": {"application/json": {"schema": by_type[one.ask]}},
        }
    return described


def _answer(one: Operation[Any, Any], by_type: dict[Any, Any]) -> dict[str, Any]:
    if one.answer is Content:
        return {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {"application/json": {"schema": by_type[one.answer]}}


if __name__ == "__main__":
    print(json.dumps(document(), indent=1, ensure_ascii=False))
