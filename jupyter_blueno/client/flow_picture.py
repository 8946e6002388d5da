"""The picture of a flow: steps in layers from left to right, drawn as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 150, 44  # pixels of a node
GAP_X, GAP_Y, EDGE = 46, 18, 6
SHOWN = 18  # characters of a name
SWEEPS = 6  # up and down the layers, to have fewer lines cross

_COLOURS = {
    "SUCCEEDED": "var(--jp-success-color1,#388e3c)",
    "RUNNING": "var(--jp-brand-color1,#1976d2)",
    "FINISHING": "var(--jp-brand-color1,#1976d2)",
    "STARTING": "var(--jp-brand-color1,#1976d2)",
    "FAILED": "var(--jp-error-color1,#d32f2f)",
    "TIMED_OUT": "var(--jp-error-color1,#d32f2f)",
    "LOST": "var(--jp-error-color1,#d32f2f)",
}
_FAINT = "var(--jp-border-color1,#bdbdbd)"


@dataclass(frozen=True)
class Node:
    """A step in the picture; `below` stands under its name, `title` is told when one points at it."""

    name: str
    needs: Sequence[str]
    state: str
    below: str
    title: str


def layers(nodes: Sequence[Node]) -> list[list[str]]:
    """Names from left to right, each after all that it needs, ordered so that few lines cross."""
    by_name = {node.name: node for node in nodes}
    depth: dict[str, int] = {}
    left = [node.name for node in nodes]
    while left:
        later = []
        for name in left:
            needs = [need for need in by_name[name].needs if need in by_name]
            if all(need in depth for need in needs):
                depth[name] = 1 + max((depth[need] for need in needs), default=-1)
            else:
                later.append(name)
        if len(later) == len(left):  # a circle: it is told of when it is submitted
            depth.update(dict.fromkeys(later, 0))
            break
        left = later
    found: list[list[str]] = [[] for _ in range(1 + max(depth.values(), default=-1))]
    for node in nodes:
        found[depth[node.name]].append(node.name)
    return _ordered(found, by_name)


def _ordered(found: list[list[str]], by_name: dict[str, Node]) -> list[list[str]]:
    """Each layer by the middle of its neighbours', back and forth."""
    gives: dict[str, list[str]] = {name: [] for name in by_name}
    for node in by_name.values():
        for need in node.needs:
            gives.get(need, []).append(node.name)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        place = {name: (at + 0.5) / len(layer) for layer in found for at, name in enumerate(layer)}
        for layer in found if forward else reversed(found):
            middles = {}
            for at, name in enumerate(layer):
                near = by_name[name].needs if forward else gives[name]
                known = [place[one] for one in near if one in place]
                middles[name] = sum(known) / len(known) if known else (at + 0.5) / len(layer)
            layer.sort(key=middles.__getitem__)
            place |= {name: (at + 0.5) / len(layer) for at, name in enumerate(layer)}
    return found


def svg(nodes: Sequence[Node]) -> str:
    """The picture. Colours are those of Lab's theme where there is one."""
    if not nodes:
        return ""
    columns = layers(nodes)
    tallest = max(map(len, columns))
    width = len(columns) * (WIDTH + GAP_X) - GAP_X + 2 * EDGE
    height = tallest * (HEIGHT + GAP_Y) - GAP_Y + 2 * EDGE
    places = {}
    for across, column in enumerate(columns):
        top = EDGE + (tallest - len(column)) * (HEIGHT + GAP_Y) / 2
        for down, name in enumerate(column):
            places[name] = (EDGE + across * (WIDTH + GAP_X), top + down * (HEIGHT + GAP_Y))
    lines = [
        _line(places[need], places[node.name]) for node in nodes for need in node.needs if need in places
    ]
    boxes = [_box(node, *places[node.name]) for node in nodes]
    return (
        f"<svg width='{width}' height='{height:g}' viewBox='0 0 {width} {height:g}' role='img' "
        f"style='display:block;max-width:100%;height:auto;margin-top:6px' aria-label='Steps of the flow'>"
        f"{''.join(lines)}{''.join(boxes)}</svg>"
    )


def _line(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1, x2, y2 = start[0] + WIDTH, start[1] + HEIGHT / 2, end[0], end[1] + HEIGHT / 2
    bend = max(GAP_X / 2, (x2 - x1) / 2)
    path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f"<path d='{path}' fill='none' stroke='{_FAINT}' stroke-width='1.5'/>"


def _box(node: Node, x: float, y: float) -> str:
    name = node.name if len(node.name) <= SHOWN else node.name[: SHOWN - 1] + "…"
    colour = _COLOURS.get(node.state, _FAINT)
    ink = "fill='var(--jp-ui-font-color1,#222)'"
    faint = "fill='var(--jp-ui-font-color2,#666)'"
    dashes = " stroke-dasharray='4 3'" if node.state in ("WAITING", "NOT_RUN") else ""
    return (
        f"<g><title>{escape(node.name)}: {escape(node.title or node.below)}</title>"
        f"<rect x='{x:g}' y='{y:g}' width='{WIDTH}' height='{HEIGHT}' rx='6' "
        f"fill='var(--jp-layout-color1,#fff)' stroke='{colour}' stroke-width='1.5'{dashes}/>"
        f"<text x='{x + 10:g}' y='{y + 19:g}' font-size='13' {ink}>{escape(name)}</text>"
        f"<text x='{x + 10:g}' y='{y + 35:g}' font-size='11' {faint}>{escape(node.below[:24])}</text></g>"
    )
