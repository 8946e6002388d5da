"""The reference of the chart's values: what the schema describes, beside what the chart has by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml
from environment import ROOT

CHART = ROOT / "charts" / "blueno"
PAGE = ROOT / "docs" / "values.md"
LONG = 60  # characters of a default that are shown
HEAD = """\
# Values of the chart

All that `charts/blueno` is told by `--values`; what is not here is refused. How they are used:
[operator.md](operator.md). `scripts/values` makes this page of `values.schema.json` and `values.yaml`.

"""


def page() -> str:
    """The whole page."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    parts = []
    for name, part in schema["properties"].items():
        if "description" not in part:
            continue  # helm's own
        rows = list(_rows(name, part, defaults.get(name)))
        table = "\n".join(rows)
        parts.append(f"## {name}\n\n{part['description']}\n\n| value | default | |\n|---|---|---|\n{table}\n")
    return HEAD + "\n".join(parts)


def _rows(path: str, schema: dict[str, Any], default: Any) -> Iterator[str]:
    inner = schema.get("properties", {})
    for name, part in inner.items():
        value = default.get(name) if isinstance(default, dict) else None
        yield from _rows(f"{path}.{name}", part, value)
    items = schema.get("items", {})
    if items.get("properties"):
        yield from _rows(f"{path}[]", items, None)
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and more.get("properties"):
        yield from _rows(f"{path}.*", more, None)
    elif not inner and not items.get("properties"):
        yield f"| `{path}` | {_shown(default)} | {_words(schema)} |"


def _shown(default: Any) -> str:
    if default in (None, "", [], {}):
        return ""
    text = json.dumps(default, ensure_ascii=False).replace("|", "\\|")
    return f"`{text}`" if len(text) <= LONG else "see `values.yaml`"


def _words(schema: dict[str, Any]) -> str:
    words = schema.get("description", "")
    if choices := schema.get("enum"):
        words += f" One of {', '.join(f'`{one}`' for one in choices)}."
    return str(words.replace("|", "\\|"))
