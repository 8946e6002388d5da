"""What an operation needs to know of the world: the process and the person."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from jupyter_blueno.config import Config

if TYPE_CHECKING:
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.imaging.decoders import Decoders
    from jupyter_blueno.jobs.manager import JobManager


@dataclass(frozen=True)
class User:
    """Who asks."""

    name: str
    team: str = "local"
    teams: tuple[str, ...] = ()


class Platform:
    """The parts of one process, each made on first use and shared by its threads."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()

    @cached_property
    def database(self) -> Database:
        from jupyter_blueno.database.engine import Database

        return Database(self.config)

    @cached_property
    def decoders(self) -> Decoders:
        from jupyter_blueno.imaging.decoders import Decoders

        return Decoders(self.config.home_path / "cache" / "volumes")

    @cached_property
    def jobs(self) -> JobManager:
        from jupyter_blueno.jobs.manager import JobManager

        def settle() -> None:
            from jupyter_blueno.ingest import abandoned

            abandoned.settle(self.database)

        return JobManager(self.config, self.database, after_end=settle)

    def close(self) -> None:
        """Let go of everything; the embedded database stops if nobody else uses it."""
        if "decoders" in self.__dict__:
            self.decoders.close()
        if "jobs" in self.__dict__:
            self.jobs.close()
        if "database" in self.__dict__:
            self.database.close()


@dataclass(frozen=True)
class Context:
    """One request: `platform` is the process, `user` the person asking."""

    platform: Platform
    user: User = field(default_factory=lambda: User("local"))

    @property
    def config(self) -> Config:
        return self.platform.config

    @property
    def database(self) -> Database:
        return self.platform.database

    @classmethod
    def local(cls, config: Config | None = None) -> Context:
        """The person at this machine, served by this process."""
        platform = Platform(config)
        return cls(platform, User(platform.config.user, platform.config.team))
