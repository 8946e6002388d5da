"""The magics themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from jupyter_blueno import errors
from jupyter_blueno.client import look
from jupyter_blueno.magics import pages
from jupyter_blueno.magics.arguments import CELL, LINE, Arguments, parse

if TYPE_CHECKING:
    from jupyter_blueno.client.variables import Taken


@magics_class
class BluenoMagics(Magics):
    """``%blueno`` for one line, ``%%blueno run`` for a cell."""

    @line_cell_magic
    def blueno(self, line: str, cell: str | None = None) -> Any:
        """Work with datasets and background jobs; ``%blueno`` alone shows examples."""
        try:
            if cell is None:
                asked = parse(line, LINE, "%blueno")
                return getattr(self, f"_{asked.command}")(asked)
            asked = parse(line, CELL, "%%blueno")
            return self._run(asked, cell) if asked.command == "run" else self._help(asked)
        except errors.BluenoError as error:
            raise UsageError(error.message) from None

    @property
    def _shell(self) -> Any:
        return self.shell

    # ---- lines

    def _help(self, _: Arguments) -> None:
        look.display(pages.Help())

    def _datasets(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.finding import datasets

        return datasets(*asked.words)

    def _show(self, asked: Arguments) -> Any:
        return self._chosen(asked).show()

    def _open(self, asked: Arguments) -> Any:
        return look.show(asked.words[0])

    def _ingest(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.ingest import ingest

        source = asked.words[0] if len(asked.words) == 1 else asked.words
        return ingest(source, name=_text(asked, "name"))

    def _prepare(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.ingest import prepare

        return prepare(*asked.words)

    def _jobs(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.jobs import jobs

        return jobs(*asked.words)

    def _job(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.jobs import find

        return find(asked.words[0])

    def _logs(self, asked: Arguments) -> None:
        from jupyter_blueno.client.jobs import find, follow

        found = find(asked.words[0])
        if asked.options.get("follow"):
            follow(found)
        else:
            for piece in found.logs():
                print(piece, end="")

    def _metrics(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.jobs import find

        return find(asked.words[0]).metrics()

    def _usage(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.jobs import find

        return find(asked.words[0]).usage()

    def _cancel(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.job_display import JobList
        from jupyter_blueno.client.jobs import find

        return JobList(find(word).cancel() for word in asked.words)

    def _pause(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.job_display import JobList
        from jupyter_blueno.client.jobs import find

        return JobList(find(word).pause() for word in asked.words)

    def _unpause(self, asked: Arguments) -> Any:
        from jupyter_blueno.client.job_display import JobList
        from jupyter_blueno.client.jobs import find

        return JobList(find(word).unpause() for word in asked.words)

    # ---- cells

    def _run(self, asked: Arguments, cell: str) -> Any:
        from jupyter_blueno.client.jobs import follow
        from jupyter_blueno.client.submit import run_cell

        taken = self._variables(asked, cell)
        job = run_cell(
            cell,
            name=_text(asked, "name"),
            gpu=_text(asked, "gpu") or 0,
            cpu=_text(asked, "cpu"),
            memory=_text(asked, "memory"),
            timeout=_text(asked, "timeout"),
            priority=_text(asked, "priority") or 0,
            retries=_text(asked, "retries") or 0,
            retry_on=_text(asked, "retry-on"),
            workers=_text(asked, "workers") or 1,
            secrets=_listed(asked, "secrets"),
            variables=taken,
            dry_run=bool(asked.options.get("dry-run")),
        )
        if taken.sizes:
            print(taken)
        look.display(job)
        if asked.options.get("dry-run"):
            return
        self._shell.user_ns["_job"] = job
        if asked.options.get("follow"):
            follow(job)

    def _variables(self, asked: Arguments, cell: str) -> Taken:
        """What the cell takes along of this kernel; names that are defined nowhere are told."""
        from jupyter_blueno.client import variables
        from jupyter_blueno.client.cells import Needs

        limit = variables.limit_of(_text(asked, "variables"))
        without = _listed(asked, "without")
        needs = Needs(self._shell, cell, limit, without)
        if missing := needs.missing():
            raise errors.InvalidInput(missing, code="undefined_names")
        if warning := needs.warning():
            print(warning)
        return needs.survey.taken()

    def _chosen(self, asked: Arguments) -> Any:
        """The dataset, or its sample when an ordinal is given."""
        from jupyter_blueno.client.finding import dataset

        found = dataset(asked.words[0])
        if len(asked.words) == 1:
            return found
        try:
            return found[int(asked.words[1])]
        except ValueError:
            return found.sample(asked.words[1])
        except IndexError as error:
            raise errors.NotFound(str(error), code="sample_not_found") from None


def _listed(asked: Arguments, option: str) -> list[str]:
    """The names of an option, between which are commas."""
    return [name.strip() for name in (_text(asked, option) or "").split(",") if name.strip()]


def _text(asked: Arguments, name: str) -> str | None:
    value = asked.options.get(name)
    return None if value is None else str(value)
