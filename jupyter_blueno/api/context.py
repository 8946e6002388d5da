"""What an operation needs to know of the world: the process and the person."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from jupyter_blueno.catalog.model import User
from jupyter_blueno.config import Config
from jupyter_blueno.errors import NotFound, Unavailable

__all__ = ["Context", "Platform", "User"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_blueno.api.operation import Operation
    from jupyter_blueno.api.presence import Presence
    from jupyter_blueno.database.engine import Database
    from jupyter_blueno.imaging.decoders import Decoders
    from jupyter_blueno.jobs.manager import JobManager
    from jupyter_blueno.jobs.quotas.storage import Store
    from jupyter_blueno.jobs.sending.staging import Staging
    from jupyter_blueno.people.directory import Directory, Homes
    from jupyter_blueno.schedules.manager import ScheduleManager
    from jupyter_blueno.schedules.ticker import Ticker
    from jupyter_blueno.sweeps.manager import SweepManager
    from jupyter_blueno.tracking.boards import Boards
    from jupyter_blueno.tracking.companion import Companion
    from jupyter_blueno.tracking.mirror import Mirror
    from jupyter_blueno.vault.keepers import Keeper
    from jupyter_blueno.vault.vault import Vault

Part = TypeVar("Part")
Answer = TypeVar("Answer")


class part(Generic[Part]):  # noqa: N801 - reads as a decorator
    """A part of a platform: made when it is first asked for, once, however many threads ask."""

    def __init__(self, make: Callable[[Any], Part]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, platform: Platform, owner: type[Platform]) -> Part:
        # Once the part is there, the platform's own dictionary answers instead.
        with platform.lock:
            if platform.closed:
                raise Unavailable("The server is stopping.", code="stopping")
            if self._name not in platform.__dict__:
                platform.__dict__[self._name] = self._make(platform)
            made: Part = platform.__dict__[self._name]
            return made


@dataclass(frozen=True)
class Shared:
    """What the platforms of a hub's teams have in common.

    `database` is that of a team, `given` tells what a job of this id has in its
    environment beside what all have, `keeper` who keeps the secrets of a team; None:
    files of its data folder. `look_at_notebooks` looks which notebook
    servers there are, `hub` is what there is beside it, `mlflow` where MLflow's server of a team
    runs.
    """

    database: Callable[[str], Database]
    given: Callable[[str], dict[str, str]]
    keeper: Callable[[str], Keeper] | None = None
    look_at_notebooks: Callable[[], None] = lambda: None
    hub: Hub | None = None
    mlflow: Callable[[Config], Companion] | None = None


@dataclass(frozen=True)
class Hub:
    """The hub, as its service has it: who the people are, their folders, and the platforms of all teams."""

    directory: Directory
    homes: Homes
    everybody: Database  # in which all teams are seen
    platform: Callable[[str], Platform]
    default_team: str


class Platform:
    """The parts of one process, each made on first use and shared by its threads.

    After `close` no more are made: asking for one raises `Unavailable`.

    Parameters
    ----------
    config : Config, optional
    shared : Shared, optional
        A hub's service has a platform for each team.
    """

    def __init__(self, config: Config | None = None, shared: Shared | None = None) -> None:
        self.config = config or Config()
        self._shared = shared
        self.closed = False
        self.fires_schedules = False  # whether this process does, sooner or later
        self.lock = threading.RLock()

    @part
    def database(self) -> Database:
        from jupyter_blueno.database.engine import Database

        if self._shared is not None:
            return self._shared.database(self.config.team)
        if self.config.service_url:
            raise Unavailable("The database of a hub is its service's alone.", code="no_database")
        return Database(self.config)

    @part
    def found(self) -> Remembered:
        """Where things were found, for a moment: who scrolls or follows a log asks again and again."""
        return Remembered()

    @part
    def decoders(self) -> Decoders:
        from jupyter_blueno.imaging.decoders import Decoders

        return Decoders(self.config.home_path / "cache" / "volumes")

    @part
    def presence(self) -> Presence:
        from jupyter_blueno.api.presence import Presence

        of_gpus = self.config.gpu_idle_timeout if self.config.notebook_gpus else 0
        return Presence(self.config.idle_timeout, of_gpus)

    @part
    def jobs(self) -> JobManager:
        from jupyter_blueno.jobs.manager import JobManager

        def settle() -> None:
            from jupyter_blueno.ingest import abandoned

            abandoned.settle(self.database)

        if self._shared is None:
            return JobManager(self.config, self.database, after_end=settle, staging=self.staging)
        return JobManager(
            self.config,
            self.database,
            after_end=settle,
            team=self.config.team,
            given=self._shared.given,
            staging=self.staging,
        )

    @part
    def staging(self) -> Staging:
        """Lays work out that is asked for; a hub's service, which serves many, looks at nothing of it."""
        from jupyter_blueno.jobs.sending.staging import Staging

        return Staging(self.config, looks=self._shared is None)

    @part
    def schedules(self) -> ScheduleManager:
        from jupyter_blueno.flows import keeping
        from jupyter_blueno.schedules.manager import ScheduleManager

        starters = {"flow": functools.partial(keeping.start, self.jobs)}
        return ScheduleManager(self.config, self.database, self.jobs, starters=starters)

    @part
    def ticker(self) -> Ticker:
        from jupyter_blueno.schedules.ticker import Ticker

        return Ticker(self.schedules)

    @part
    def sweeps(self) -> SweepManager:
        from jupyter_blueno.sweeps.manager import SweepManager

        return SweepManager(self.jobs)

    @part
    def vault(self) -> Vault:
        from jupyter_blueno.vault.keepers import Files
        from jupyter_blueno.vault.vault import Vault

        keeper = self._shared.keeper if self._shared is not None else None
        return Vault(self.database, keeper(self.config.team) if keeper else Files(self.config.secrets_path))

    def look_at_notebooks(self) -> None:
        """Look which notebook servers there are, where that can be seen."""
        if self._shared is not None:
            self._shared.look_at_notebooks()

    @property
    def beside_a_hub(self) -> bool:
        """Whether there is a hub, so others than the person at this machine."""
        return self._shared is not None and self._shared.hub is not None

    @property
    def hub(self) -> Hub:
        """The hub that this belongs to."""
        if self._shared is None or self._shared.hub is None:
            raise NotFound(
                "There is no hub here; people, teams and invitations are a JupyterHub's.", code="no_hub"
            )
        return self._shared.hub

    @part
    def storage(self) -> Store | None:
        """What is kept on the hub's volume; None where there is no hub."""
        from jupyter_blueno.jobs.backends.kubernetes.objects import value_of
        from jupyter_blueno.jobs.quotas import model
        from jupyter_blueno.jobs.quotas.storage import Store

        if not self.beside_a_hub:
            return None
        config, quotas = self.config, model.read(self.config.quotas) or model.Quotas()
        folder_of = value_of if config.jobs_backend == "kubernetes" else str
        return Store(config.home_path.parent, config.team, quotas.of(config.team), folder_of)

    @part
    def mlflow(self) -> Companion:
        from jupyter_blueno.tracking import mlflow

        if self._shared is not None and self._shared.mlflow is not None:
            return self._shared.mlflow(self.config)
        return mlflow.server(self.config)

    @part
    def mirror(self) -> Mirror:
        from jupyter_blueno.tracking.mirror import Mirror

        return Mirror(self.config, self.database, self.mlflow)

    @part
    def boards(self) -> Boards:
        from jupyter_blueno.tracking.boards import Boards

        return Boards(self.config)

    def close(self) -> None:
        """Let go of everything; the embedded database stops if nobody else uses it."""
        with self.lock:
            self.closed = True
        # The database last: the jobs use it, as schedules do the jobs.
        for name in ("boards", "ticker", "mlflow", "decoders", "jobs", "staging", "database"):
            made = self.__dict__.pop(name, None)
            if made is not None and (name != "database" or self._shared is None):
                made.close()


class Remembered:
    """Values that are believed for some seconds. Thread-safe."""

    BELIEVED = 5.0  # seconds
    MOST = 1024

    def __init__(self) -> None:
        self._values: dict[Any, tuple[float, Any]] = {}

    def get(self, name: Any, look: Callable[[], Part]) -> Part:
        """What `look` answered a moment ago, or answers now."""
        known = self._values.get(name)
        if known is None or time.monotonic() - known[0] > self.BELIEVED:
            if len(self._values) >= self.MOST:
                self._values.clear()
            known = self._values[name] = (time.monotonic(), look())
        value: Part = known[1]
        return value


class Service(Protocol):
    """Answers operations elsewhere, as a hub's service does."""

    def call(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        """Return the answer, or raise the error that was raised there."""


@dataclass(frozen=True)
class Context:
    """One request: `platform` is the process, `user` the person asking.

    In a hub's notebooks there is no database: `service` answers what needs it.
    """

    platform: Platform
    user: User = field(default_factory=lambda: User("local"))
    service: Service | None = None

    @property
    def config(self) -> Config:
        return self.platform.config

    @property
    def database(self) -> Database:
        return self.platform.database

    def ask(self, operation: Operation[Any, Answer], ask: Any) -> Answer:
        """What an operation answers, from here or from the service."""
        return operation(self, ask) if self.service is None else self.service.call(operation, ask)

    def of_team(self) -> Context:
        """The same of nobody in particular, who sees what all of the team see."""
        return Context(self.platform, User("", self.user.team))

    @classmethod
    def local(cls, config: Config | None = None) -> Context:
        """The person at this machine, served by this process."""
        platform = Platform(config)
        return cls(platform, User(platform.config.user, platform.config.team))
