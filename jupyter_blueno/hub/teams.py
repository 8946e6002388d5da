"""The data folders of the teams on the shared volume.

::

    /blueno                 the volume (BLUENO_VOLUME)
    ├── home/{user}         what a person has
    ├── shared/{team}       what a team has in common
    ├── teams/{team}        the team's data folder: BLUENO_HOME in its notebooks and jobs
    └── datasets            what everybody reads and curators write: BLUENO_DATASETS

The paths are the same in the service, the notebooks and the jobs. The service
needs of them ``teams`` alone, and reads nothing there that somebody names: what
jobs are made of is laid out by the notebook server of whoever asks.
"""

from __future__ import annotations

import threading
from pathlib import Path

from jupyter_blueno.api.context import Context, Hub, Platform, Shared
from jupyter_blueno.catalog.model import User
from jupyter_blueno.client.transport import JOB_TOKEN
from jupyter_blueno.config import Config
from jupyter_blueno.database.engine import Database
from jupyter_blueno.errors import Unavailable
from jupyter_blueno.hub.admission import Notebooks
from jupyter_blueno.hub.homes import ClusterHomes, LocalHomes
from jupyter_blueno.hub.keeping import ClusterSecrets
from jupyter_blueno.hub.mlflow_pods import TeamServer
from jupyter_blueno.hub.people import is_team, make_team_folder
from jupyter_blueno.hub.tokens import JobTokens
from jupyter_blueno.jobs.backends.kubernetes.access import Access
from jupyter_blueno.jobs.backends.kubernetes.settings import template_of
from jupyter_blueno.jobs.quotas import ledger
from jupyter_blueno.people.directory import Directory, Homes
from jupyter_blueno.tracking import mlflow
from jupyter_blueno.tracking.companion import Companion

CONNECTIONS = 24  # as many as requests are answered at once


class Teams:
    """One `Platform` for each team, made when it is first asked for. Thread-safe.

    Parameters
    ----------
    config : Config
        The service's: its `home` is the volume.
    url : str
        Where jobs reach the service.
    tokens : JobTokens
        What jobs prove themselves by.
    directory : Directory
        The hub.
    default_team : str
        Of those who are in no group.
    lab : str
        The address at which everybody finds their own Lab.
    """

    def __init__(
        self,
        config: Config,
        url: str,
        tokens: JobTokens,
        directory: Directory,
        default_team: str,
        lab: str = "/hub/user-redirect/",
    ) -> None:
        self.config = config
        self.url = url
        self.tokens = tokens
        self.lab = lab
        self._access = Access()
        self.database = Database(config, CONNECTIONS, team=None)  # who says no team sees nothing
        self.notebooks = Notebooks.of(config, self.database.of_everybody)
        self.hub = Hub(
            directory, _homes(config, self._access), self.database.of_everybody, self.platform, default_team
        )
        self.shared = Shared(
            self.database.of,
            lambda job_id: {JOB_TOKEN: tokens.of(job_id)},
            keeper=ClusterSecrets.of(config),
            look_at_notebooks=self.look_at_notebooks,
            hub=self.hub,
            mlflow=self._mlflow,
        )
        self._platforms: dict[str, Platform] = {}
        self._lock = threading.Lock()
        self._closed = False

    def context(self, user: User) -> Context:
        """A request of this person."""
        return Context(self.platform(user.team), user)

    def platform(self, team: str) -> Platform:
        """The team's; its jobs are followed and its schedules fired from now on."""
        with self._lock:
            if self._closed:
                raise Unavailable("The service is stopping.", code="stopping")
            if team not in self._platforms:
                self._platforms[team] = self._open(team)
            return self._platforms[team]

    def known(self) -> list[str]:
        """The teams that have a data folder."""
        try:
            found = (self.config.home_path / "teams").iterdir()
            return sorted(one.name for one in found if is_team(one.name) and one.is_dir())
        except FileNotFoundError:
            return []

    def look_at_notebooks(self) -> None:
        """Look which notebook servers there are, where the cluster knows."""
        if self.notebooks is not None:
            self.notebooks.look()

    def notebook_ended(self, owner: str, server: str) -> bool:
        """What somebody's notebook server held is free; False if it held nothing."""
        with self.database.of_everybody.begin() as connection:
            return ledger.ended(connection, owner, server)

    def _mlflow(self, config: Config) -> Companion:
        """MLflow's server of a team: a pod, or a process beside the service."""
        server: Companion
        if self.config.jobs_backend == "kubernetes":
            template = template_of(self.config)
            server = TeamServer(config, self._access, template, self.tokens.secret_of("MLflow"))
        else:
            server = mlflow.server(config)
        server.base_url = self.lab
        return server

    def close(self) -> None:
        with self._lock:
            self._closed = True
            platforms = list(self._platforms.values())
        for one in platforms:
            one.close()
        self.database.close()

    def _open(self, team: str) -> Platform:
        volume = self.config.home_path
        config = Config(
            home=str(volume / "teams" / team),
            team=team,
            service_url=self.url,
            secrets=self.config.secrets,
            quotas=self.config.quotas,
            database_url="",  # nobody's but the service's: jobs begin with what is said here
            roots=[],
            datasets=self.config.datasets,
            of_several=True,
            webhook=self.config.webhook,
            mail_server=self.config.mail_server,
            mail_to=self.config.mail_to,
        )
        make_team_folder(Path(config.home))
        platform = Platform(config, self.shared)
        platform.fires_schedules = True
        platform.jobs.start_monitor()
        platform.ticker.start()
        return platform


def _homes(config: Config, access: Access) -> Homes:
    """Who moves people's folders: on a cluster the service does not see them."""
    if config.jobs_backend != "kubernetes":
        return LocalHomes(config.home_path / "home")
    return ClusterHomes(access, config.jobs_namespace, template_of(config))
