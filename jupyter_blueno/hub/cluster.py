"""A JupyterHub on Kubernetes, as the chart installs it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from jupyter_blueno.hub import admission, settings
from jupyter_blueno.hub.folders import Folders, script
from jupyter_blueno.jobs.backends.kubernetes.objects import secrets_volume, value_of
from jupyter_blueno.jobs.quotas.model import Quotas

PORT = 8081
SERVICE_PORT = 8890
USER = 1000
LATER = 1800  # seconds


class Amount(Struct, frozen=True, forbid_unknown_fields=True):
    """What a notebook is sure to have, and what it may use."""

    guarantee: float | str | None = None
    limit: float | str | None = None


class Profile(Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of notebook; `groups`, if some are named, are who may choose it. `idle`: see `Idle`.

    A `rescue` starts although the person's folder is full, so that they can make room in it.
    """

    name: str
    slug: str
    description: str = ""
    image: str | None = None
    cpu: Amount = Amount()
    memory: Amount = Amount()
    gpu: int = 0
    gpu_resource: str = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    groups: list[str] = []
    idle: int | None = None
    rescue: bool = False


class GpuIdle(Struct, frozen=True, forbid_unknown_fields=True):
    """`timeout`: seconds in which less than `below` percent of a notebook's GPUs are used; 0 is never."""

    timeout: int = 0
    below: float = 5


class Idle(Struct, frozen=True, forbid_unknown_fields=True):
    """`timeout`: seconds after which a notebook server stops in which nothing happens; 0 is never."""

    timeout: int = 3600
    gpu: GpuIdle = field(default_factory=GpuIdle)


class Curators(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may write to the folder that everybody reads: a group of the hub, and people to put into it."""

    group: str = "blueno:curators"  # can be no team's name
    people: list[str] = []


class Values(Struct, frozen=True, forbid_unknown_fields=True):
    """What the chart tells the hub."""

    release: str
    namespace: str
    users: str  # the namespace of notebooks and jobs
    image: str
    claim: str
    volume: str = "/blueno"
    secrets: str = "/run/secrets/blueno"
    pull_policy: str = "IfNotPresent"
    pull_secrets: list[str] = []
    default_team: str = "team"
    teams: dict[str, list[str]] = {}
    curators: Curators = field(default_factory=Curators)
    profiles: list[Profile] = []
    authentication: dict[str, Any] = {}
    public_url: str = ""
    idle: Idle = field(default_factory=Idle)
    quotas: Quotas = field(default_factory=Quotas)
    subdomain_host: str = ""
    closed: list[str] = []  # addresses that notebooks and jobs should not reach

    @property
    def service_url(self) -> str:
        return f"http://{self.release}-service.{self.namespace}:{SERVICE_PORT}/services/blueno"


def wait_for_database(patience: float = 50) -> None:
    """Return when the hub's database answers, or after some seconds: then the hub says what is wrong.

    They are installed at the same time, and a hub that does not find it would
    be started again later and later.
    """
    import sqlalchemy as sa

    engine = sa.create_engine(os.environ["HUB_DATABASE_URL"])
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(sa.exc.OperationalError):
            engine.connect().close()
            break
        time.sleep(0.5)
    engine.dispose()


def configure(c: Any, path: str | Path) -> None:
    """Set a hub up as the values in a JSON file say.

    Parameters
    ----------
    c : Config
        The hub's, as ``get_config()`` gives it.
    path : path
        The file; see `Values`.

    Raises
    ------
    msgspec.ValidationError
        It says which value is wrong.
    """
    values = msgspec.json.decode(Path(path).read_bytes(), type=Values)
    _set_up_hub(c, values)
    _set_up_people(c, values)
    _set_up_notebooks(c, values)
    _stop_idle(c, values)
    settings.configure(
        c,
        service_url=values.service_url,
        token=os.environ["BLUENO_SERVICE_TOKEN"],
        volume=values.volume,
        default_team=values.default_team,
        idle_timeout=values.idle.timeout,
        jobs_backend="kubernetes",
    )


# Of libpq: seconds to connect, milliseconds until what was sent is acknowledged.
DATABASE_PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 5000}


def _set_up_hub(c: Any, values: Values) -> None:
    c.JupyterHub.hub_bind_url = f"http://0.0.0.0:{PORT}"
    c.JupyterHub.hub_connect_url = f"http://{values.release}-hub.{values.namespace}:{PORT}"
    c.JupyterHub.db_url = os.environ["HUB_DATABASE_URL"]
    # The hub does one thing at a time: it must not wait minutes for a database's pod that is gone.
    c.JupyterHub.db_kwargs = {"pool_pre_ping": True, "connect_args": DATABASE_PATIENCE}
    c.JupyterHub.cleanup_servers = False  # notebooks live on while the hub is away
    # With it, the hub looks what the proxy knows: one that was replaced knows nothing.
    c.JupyterHub.last_activity_interval = 10
    if values.subdomain_host:  # what runs in one person's page reads nobody else's
        c.JupyterHub.subdomain_host = values.subdomain_host
        # Of a cookie of this prefix a browser knows that no other domain has set it.
        c.JupyterHub.cookie_host_prefix_enabled = values.subdomain_host.startswith("https://")
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = f"http://{values.release}-proxy-api:8001"


def _set_up_people(c: Any, values: Values) -> None:
    if values.public_url:
        c.JupyterHub.public_url = values.public_url
    given = dict(values.authentication)
    if "authenticator_class" in given:
        c.JupyterHub.authenticator_class = given.pop("authenticator_class")
    for name, value in given.items():
        setattr(c.Authenticator, name, set(value) if isinstance(value, list) else value)
    groups = dict(values.teams)
    if values.curators.people:
        groups[values.curators.group] = values.curators.people
    if groups:
        c.JupyterHub.load_groups = {group: {"users": people} for group, people in groups.items()}


def _set_up_notebooks(c: Any, values: Values) -> None:
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    spawner = c.KubeSpawner
    spawner.namespace = values.users
    spawner.image = values.image
    spawner.image_pull_policy = values.pull_policy
    spawner.image_pull_secrets = values.pull_secrets
    spawner.component_label = admission.COMPONENT
    spawner.cmd = ["jupyterhub-singleuser"]
    spawner.default_url = "/blueno/open"  # Lab, the first time with a notebook to begin with
    spawner.start_timeout = 600  # a node may have to start, an image to be pulled
    spawner.http_timeout = 120
    spawner.uid = spawner.gid = USER
    spawner.enable_user_namespaces = False
    spawner.automount_service_account_token = False
    spawner.services_enabled = False
    spawner.container_security_context = RESTRICTED
    spawner.profile_list = lambda one: _profiles(one, values)
    folders = Folders()
    spawner.pre_spawn_hook = lambda one: furnish(one, values, folders)
    c.Spawner.post_stop_hook = lambda one: folders.ended(one, _team(one, values))
    spawner.modify_pod_hook = lambda one, pod: admit(one, pod, values)
    # Where a file is locked by more than one client, SQLite is not safe: Jupyter's own stay in the pod.
    spawner.args = ARGS


ARGS = [
    "--NotebookNotary.db_file=/tmp/nbsignatures.db",
    "--BaseFileIdManager.db_path=/tmp/file_id_manager.db",
]
# What Jupyter and its kernels write besides people's own files; what is deleted is not kept in a trash.
RESCUE = {
    "HOME": "/tmp/rescue",
    "IPYTHONDIR": "/tmp/rescue/ipython",
    "JUPYTER_CONFIG_DIR": "/tmp/rescue/config",
    "JUPYTER_DATA_DIR": "/tmp/rescue/data",
    "JUPYTERLAB_SETTINGS_DIR": "/tmp/rescue/settings",
    "JUPYTERLAB_WORKSPACES_DIR": "/tmp/rescue/workspaces",
}
RESCUE_ARGS = ["--FileContentsManager.delete_to_trash=False"]

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def furnish(spawner: Any, values: Values, folders: Folders) -> None:
    """Give a notebook the folders of its person and team, and no others."""
    name = value_of(spawner.user.name)
    team = _team(spawner, values)
    datasets = f"{values.volume}/datasets"
    parts = [f"home/{name}", f"shared/{team}", f"teams/{team}"]
    volume = {"name": "volume", "persistentVolumeClaim": {"claimName": values.claim}}
    keeps = any(group.name == values.curators.group for group in spawner.user.groups)
    # For data loaders; what is in it counts as the notebook's memory.
    secrets, secrets_mount = secrets_volume(team, values.secrets)
    spawner.volumes = [volume, secrets, {"name": "shared-memory", "emptyDir": {"medium": "Memory"}}]
    spawner.volume_mounts = [
        *({"name": "volume", "mountPath": f"{values.volume}/{one}", "subPath": one} for one in parts),
        {"name": "volume", "mountPath": datasets, "subPath": "datasets", "readOnly": not keeps},
        secrets_mount,
        {"name": "shared-memory", "mountPath": "/dev/shm"},
    ]
    home, *shared = *(f"{values.volume}/{one}" for one in parts), datasets
    make = {
        "name": "folders",
        "image": spawner.image,
        "imagePullPolicy": values.pull_policy,
        "command": ["sh", "-c", script(home, shared)],
        "securityContext": {**RESTRICTED, "runAsUser": USER, "runAsGroup": USER},
        "volumeMounts": [{"name": "volume", "mountPath": values.volume}],
    }
    spawner.init_containers = [] if folders.are_there(spawner, team) else [make]
    spawner.notebook_dir = home
    spawner.environment = {
        **spawner.environment,
        "HOME": home,
        "BLUENO_SECRETS": values.secrets,
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",
        "BLUENO_CLOSED": ",".join(values.closed),
    }


def admit(spawner: Any, pod: Any, values: Values) -> Awaitable[Any]:
    """Have a notebook counted, or refuse it in words; see `admission`."""
    team = _team(spawner, values)
    chosen = spawner.user_options.get("profile")
    profiles = [one for one in values.profiles if one.slug == chosen] or values.profiles
    name, rescue = (profiles[0].name, profiles[0].rescue) if profiles else ("", False)
    return admission.admit(spawner, pod, team, name, values.service_url, values.quotas, rescue)


def _team(spawner: Any, values: Values) -> str:
    return settings.team_of([group.name for group in spawner.user.groups], values.default_team)


def _profiles(spawner: Any, values: Values) -> list[dict[str, Any]]:
    """What a person chooses from."""
    theirs = [one for one in values.profiles if _may_have(one, spawner)]
    without = next((one for one in theirs if not one.gpu and not one.rescue), None)
    return [_profile(one, values, without) for one in theirs]


def _profile(profile: Profile, values: Values, without_gpus: Profile | None) -> dict[str, Any]:
    override: dict[str, Any] = {
        "image": profile.image or values.image,
        "cpu_guarantee": profile.cpu.guarantee,
        "cpu_limit": profile.cpu.limit,
        "mem_guarantee": _bytes(profile.memory.guarantee),
        "mem_limit": _bytes(profile.memory.limit),
        "node_selector": profile.node_selector,
        "tolerations": profile.tolerations,
    }
    if profile.gpu:
        override["extra_resource_limits"] = {profile.gpu_resource: str(profile.gpu)}
    environment = _of_gpus(profile, values.idle.gpu, without_gpus) if profile.gpu else {}
    if profile.idle is not None:
        environment["BLUENO_IDLE_TIMEOUT"] = str(profile.idle)
    if profile.rescue:
        environment |= RESCUE
        override["args"] = [*ARGS, *RESCUE_ARGS]
    override["environment"] = environment
    given = {name: value for name, value in override.items() if value not in (None, {}, [])}
    return {
        "display_name": profile.name,
        "slug": profile.slug,
        "description": profile.description,
        "kubespawner_override": given,
    }


def _of_gpus(profile: Profile, idle: GpuIdle, without_gpus: Profile | None) -> dict[str, str]:
    """What a notebook with GPUs is told of them, and what it can become to give them back."""
    other = (
        {"BLUENO_PROFILE_WITHOUT_GPUS": f"{without_gpus.slug} {without_gpus.name}"} if without_gpus else {}
    )
    return other | {
        "BLUENO_NOTEBOOK_GPUS": str(profile.gpu),
        "BLUENO_GPU_IDLE_TIMEOUT": str(idle.timeout),
        "BLUENO_GPU_IDLE_BELOW": str(idle.below / 100),
    }


def _may_have(profile: Profile, spawner: Any) -> bool:
    return not profile.groups or bool({group.name for group in spawner.user.groups} & set(profile.groups))


def _bytes(amount: float | str | None) -> float | str | None:
    """Kubernetes writes 2Gi, the hub 2G, and means the same."""
    return amount.removesuffix("i") if isinstance(amount, str) else amount


def _stop_idle(c: Any, values: Values) -> None:
    """Notebook servers stop themselves (`server/idle.py`); this ends those that no longer can."""
    times = [values.idle.timeout, *(one.idle for one in values.profiles if one.idle is not None)]
    if not all(times):
        return
    timeout = max(times) + LATER
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={timeout}"]
    settings.add(c.JupyterHub, "services", {"name": "idle", "command": command})
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    settings.add(c.JupyterHub, "load_roles", {"name": "idle", "services": ["idle"], "scopes": scopes})
