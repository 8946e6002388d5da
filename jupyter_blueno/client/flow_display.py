"""How flows look in a notebook and in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jupyter_blueno.client import flow_picture, look
from jupyter_blueno.client.progress import duration
from jupyter_blueno.flows.model import Flow, Step, StepSpec

STATE_WORDS = {**look.STATE_WORDS, "WAITING": "waiting", "NOT_RUN": "not run"}
STATE_SIGNS = {**look.STATE_SIGNS, "WAITING": "○", "NOT_RUN": "–"}


def step_words(step: Step) -> str:
    """How a step stands, in a few words."""
    words = ["reused" if step.reused else STATE_WORDS[step.state]]
    if step.mapped:
        words.append(f"{step.parts_done} of {step.parts}")
    if step.seconds is not None and not step.reused:
        words.append(duration(step.seconds))
    if step.reason and not (step.reused and step.parts == 1):
        words.append(step.reason)
    return " · ".join(words)


def run_text(flow: Flow) -> str:
    """A flow with its steps, one a line."""
    head = (
        f"<Flow {flow.name!r} {flow.id[:8]}: {look.STATE_SIGNS[flow.state]} {look.STATE_WORDS[flow.state]}>"
    )
    rows = [[f"  {STATE_SIGNS[one.state]} {one.name}", step_words(one)] for one in flow.steps]
    width = max(len(row[0]) for row in rows)
    return "\n".join([head, *(f"{name.ljust(width)}  {words}" for name, words in rows)])


def run_html(flow: Flow) -> str:
    """The same with its picture."""
    nodes = [
        flow_picture.Node(one.name, one.needs, one.state, _below(one), step_words(one)) for one in flow.steps
    ]
    head = (
        f"<b>{escape(flow.name)}</b> <span style='{look.FAINT}'>{flow.id[:8]}</span> "
        f"{look.STATE_SIGNS[flow.state]} {look.STATE_WORDS[flow.state]}"
    )
    said = f"<div>{escape(flow.summary)}</div>" if flow.summary else ""
    return f"<div style='{look.FRAME}'>{head}{said}{flow_picture.svg(nodes)}</div>"


def _below(step: Step) -> str:
    if step.reused:
        return "reused"
    words = STATE_WORDS[step.state]
    if step.mapped:
        return f"{words} {step.parts_done}/{step.parts}"
    return f"{words} {duration(step.seconds)}" if step.seconds is not None else words


def plan_text(name: str, steps: Sequence[StepSpec]) -> str:
    """A flow that is being written."""
    lines = [f"<flow {name!r}, not submitted yet: {len(steps)} step{'' if len(steps) == 1 else 's'}>"]
    for one in steps:
        kind = f"{one.spec.kind} × {len(one.parts)}" if one.mapped else one.spec.kind
        after = f" after {', '.join(one.needs)}" if one.needs else ""
        lines.append(f"  {one.name} ({kind}{', cached' if one.cache else ''}){after}")
    return "\n".join(lines)


def plan_html(name: str, steps: Sequence[StepSpec]) -> str:
    """The same with its picture."""
    nodes = [
        flow_picture.Node(
            one.name,
            one.needs,
            "WAITING",
            f"{one.spec.kind} × {len(one.parts)}" if one.mapped else one.spec.kind,
            "",
        )
        for one in steps
    ]
    return (
        f"<div style='{look.FRAME}'><b>{escape(name)}</b> <span style='{look.FAINT}'>not submitted yet</span>"
        f"{flow_picture.svg(nodes)}</div>"
    )
