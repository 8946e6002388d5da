"""A dry run, as it looks in a notebook and a terminal."""

from __future__ import annotations

from html import escape

from jupyter_blueno.client import look
from jupyter_blueno.client.progress import duration
from jupyter_blueno.jobs.sending import outlook
from jupyter_blueno.sweeps import model as sweeps

FILES = 10  # that are named


class Preview:
    """What would be sent, where, and when it would start. Nothing was started.

    Attributes
    ----------
    info : Preview
        The same as plain values.
    """

    def __init__(self, info: outlook.Preview) -> None:
        self.info = info

    def rows(self) -> list[tuple[str, str]]:
        """What it says, line by line: a word, and what stands beside it."""
        info = self.info
        files = sorted(info.files, key=lambda file: -file.size)
        named = ", ".join(f"{file.name} ({look.size(file.size)})" for file in files[:FILES])
        if len(files) > FILES:
            named += f" and {len(files) - FILES} more"
        total = look.size(sum(file.size for file in files) + info.payload)
        values = ", ".join(
            f"{one.name} = {one.value if one.fixed else repr(one.value)}" for one in info.parameters
        )
        rows = [("job", f"{info.name} ({info.kind})"), ("runs in", info.folder), ("Python", self._python())]
        rows.append(("files", named or "none"))
        if info.payload:
            rows.append(("pickled", look.size(info.payload)))
        rows.append(("in all", total))
        if values:
            rows.append(("values", values))
        if info.variables:
            rows.append(("variables", ", ".join(info.variables)))
        return [*rows, ("may use", self._resources()), ("free now", self._room()), ("starts", info.starts)]

    def _python(self) -> str:
        info = self.info
        if info.built is None:
            return info.python
        state = "is built already" if info.built else "will be built first"
        return f"an environment of {', '.join(info.requirements) or info.python}, which {state}"

    def _resources(self) -> str:
        asked = self.info.resources
        words = ["all cores" if asked.cpu is None else f"{asked.cpu:g} cores"]
        words.append(
            "memory without a limit" if asked.memory is None else f"{look.size(asked.memory)} of memory"
        )
        words.append(f"{asked.gpu} GPU{'' if asked.gpu == 1 else 's'}" if asked.gpu else "no GPU")
        if asked.workers > 1:
            words.append(f"each of {asked.workers} workers")
        words.append("no time limit" if asked.timeout is None else f"at most {duration(asked.timeout)}")
        return ", ".join(words) + (f"; priority {asked.priority}" if asked.priority else "")

    def _room(self) -> str:
        room = self.info.room
        words = f"{room.places_free} of {room.places} places, {room.cpu_free:g} of {room.cpu:g} cores, "
        words += f"{look.size(room.memory_free)} of {look.size(room.memory)} of memory"
        return words + (f", {room.gpus_free} of {room.gpus} GPUs" if room.gpus else "")

    def __repr__(self) -> str:
        width = max(len(word) for word, _ in self.rows())
        lines = [f"{word.ljust(width)}  {text}" for word, text in self.rows()]
        return "\n".join(["Nothing was started. This would be:", *lines])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left;{look.FAINT}'>{escape(word)}</td>"
            f"<td style='text-align:left'>{escape(text)}</td></tr>"
            for word, text in self.rows()
        )
        return f"<div style='{look.FRAME}'>Nothing was started. This would be:<table>{rows}</table></div>"


class SweepPreview(Preview):
    """What a sweep would try, and its first trial as a job. Nothing was started.

    Attributes
    ----------
    outline : Outline
        The same as plain values.
    """

    def __init__(self, outline: sweeps.Outline) -> None:
        super().__init__(outline.trial)
        self.outline = outline

    def rows(self) -> list[tuple[str, str]]:
        """What it says, line by line: a word, and what stands beside it."""
        plan = self.outline.plan
        count, points = self.outline.trials, self.outline.points
        of = f" of {points:,} combinations" if points is not None else ""
        tried = ", ".join(f"{name} {_domain(one)}" for name, one in plan.space.items())
        return [
            ("trials", f"at most {count:,}{of}, {plan.at_once} at once; {plan.direction} {plan.objective}"),
            ("varies", f"{tried}; chosen by {_SAMPLERS[plan.sampler]}"),
            ("first", "the first trial, as a job:"),
            *super().rows(),
        ]


_SAMPLERS = {"tpe": "what was good so far (TPE)", "random": "chance", "grid": "going through all (grid)"}


def _domain(domain: sweeps.Domain) -> str:
    if isinstance(domain, sweeps.Choice):
        words = [*map(repr, domain.values[:FILES]), *(["…"] if len(domain.values) > FILES else [])]
        return f"in [{', '.join(words)}]"
    step = f" by {domain.step:g}" if domain.step else ""
    return f"from {domain.low:g} to {domain.high:g}{step}{' (log)' if domain.log else ''}"
