"""Database, data folder, decoders, jobs: of whoever serves the operations."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path

from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.doctor.model import Check, Finding, finding
from jupyter_blueno.jobs.sending.amounts import written

LEAST_FREE = 2 * 10**9  # bytes that a data folder should have left


class PlatformCheck:
    """What the platform stands on."""

    def __init__(self, config: Config, store: Callable[[], Database]) -> None:
        self.config, self.store = config, store

    def checks(self) -> list[Check]:
        """All checks, with what each looks at."""
        return [
            ("data folder", self.folder),
            ("database", self.database),
            ("decoders", self.decoders),
            ("jobs", self.jobs),
            ("quotas", self.quotas),
            ("notices of jobs", self.notices),
        ]

    def folder(self) -> Iterator[Finding]:
        home = Path(os.path.abspath(os.path.expanduser(self.config.home)))
        try:
            trial = self.config.folder() / f".doctor-{os.getpid()}"
            trial.write_bytes(b"x")
            trial.unlink()
        except OSError as error:
            yield Finding(
                "data folder", "fail", f"{home} cannot be written ({error.strerror})",
                "Set BLUENO_HOME to a folder of yours, or ask for the right to write there.",
            )  # fmt: skip
            return
        total, _, free = shutil.disk_usage(home)
        yield finding(
            "data folder", free >= LEAST_FREE, f"{home}, {written(free)} of {written(total)} free",
            f"Make room ({written(LEAST_FREE)} at least), or set BLUENO_HOME to a larger disk.",
        )  # fmt: skip

    def database(self) -> Iterator[Finding]:
        import sqlalchemy as sa

        store = self.store()
        with store.begin() as connection:
            version = connection.scalar(sa.text("SHOW server_version"))
            mighty = connection.scalar(
                sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            )
            owns = connection.scalar(
                sa.text("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'dataset'")
            )
        url = store.config.database_url
        where = sa.make_url(url).render_as_string(hide_password=True) if url else "embedded"
        yield Finding("database", "ok", f"PostgreSQL {version}, {where}")
        if url:
            yield finding(
                "role in the database", not mighty,
                "may do everything, and sees the rows of all teams" if mighty
                else "owns its tables, no more" if owns else "uses its tables, and may not change them",
                "Give Blueno a role that is no superuser and has no BYPASSRLS.", "warn",
            )  # fmt: skip

    def decoders(self) -> Iterator[Finding]:
        wanted = {"Pillow": "PIL", "nibabel": "nibabel", "pydicom": "pydicom", "numpy": "numpy"}
        missing = [name for name, module in wanted.items() if not util.find_spec(module)]
        there = [f"{name} {metadata.version(name)}" for name in wanted if name not in missing]
        yield finding("decoders", not missing, ", ".join(there), f"pip install {' '.join(missing)}")

    def jobs(self) -> Iterator[Finding]:
        if self.config.jobs_backend == "kubernetes":
            from jupyter_blueno.doctor.cluster import ClusterCheck

            yield from ClusterCheck(self.config).api()
            return
        from jupyter_blueno.jobs.engine import cgroup

        place = cgroup.place()
        yield finding(
            "limits of jobs", place is not None,
            f"kept by control groups (version {place[0]}) in {place[1]}" if place
            else "memory is looked at twice a second; no control group may be made here",
            "nothing needs to be done; 'systemd-run --user --scope blueno lab' has the kernel keep them",
            "warn",
        )  # fmt: skip

    def quotas(self) -> Iterator[Finding]:
        from jupyter_blueno.jobs.quotas import gate, model

        quotas = model.read(self.config.quotas)
        if quotas is None:
            return
        with self.store().begin() as connection:
            mine = self.config.of_several  # who asks a service is told of their own team
            teams = [self.config.team] if mine else sorted({*quotas.teams, *gate.teams(connection)})
            states = [(team, gate.state(connection, team, quotas.of(team))) for team in teams]
        for team, (full, words) in states:
            yield finding(
                f"quota of the team {team}", not full, words or "as much as there is",
                f"{full} used up: new jobs wait, notebooks are refused. End something, or raise 'quotas'.",
                "warn",
            )  # fmt: skip

    def notices(self) -> Iterator[Finding]:
        from urllib.parse import urlsplit

        config = self.config
        if config.webhook or config.mail_server:
            where = [f"a webhook at {urlsplit(config.webhook).hostname}"] if config.webhook else []
            where += [f"e-mail to {config.mail_to}"] if config.mail_server and config.mail_to else []
            yield finding(
                "notices of jobs", bool(where),
                " and ".join(where) or "a mail server, and nobody to write to",
                "Set BLUENO_MAIL_TO to an address.", "warn",
            )  # fmt: skip
