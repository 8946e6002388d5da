"""The configuration of the hub that the tests start; read by ``jupyterhub -f``."""

import json
import os
import sys

from jupyter_blueno.hub import admission, settings
from jupyter_blueno.jobs.quotas.model import Amounts, Quotas

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the hub gives it
told = json.loads(os.environ["HUB_UNDER_TEST"])
port, folder = told["port"], told["folder"]

c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{port + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{port + 2}"
c.ConfigurableHTTPProxy.command = told["proxy"]
c.JupyterHub.db_url = told["database"]
c.JupyterHub.cookie_secret_file = f"{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = f"{folder}/proxy.pid"
for name, value in told["authentication"].items():
    setattr(
        c.JupyterHub if name in ("authenticator_class", "redirect_to_server") else c.Authenticator,
        name,
        value,
    )
c.Authenticator.admin_users = {"admin"}
c.JupyterHub.load_groups = told["groups"]
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{folder}/volume/home/{{username}}"
c.Spawner.args = ["--allow-root", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.JupyterHub.services = [{"name": "tests", "api_token": told["token"]}]
c.JupyterHub.load_roles = [
    {"name": "tests", "services": ["tests"], "scopes": ["admin:users", "admin:servers", "tokens", "groups"]}
]
settings.configure(
    c,
    service_url=f"http://127.0.0.1:{port + 3}/services/blueno",
    token="a-token-of-the-service-for-tests",
    volume=f"{folder}/volume",
    command=[sys.executable, "-m", "tests.hub.watched", f"{folder}/volume/teams", f"{folder}/looked-at"],
    environment=told["service"] | {"PYTHONPATH": os.environ["PYTHONPATH"]},
)
idle = {"zoe": "24", "yan": "12"}
c.Spawner.environment["BLUENO_IDLE_TIMEOUT"] = lambda spawner: idle.get(spawner.user.name, "0")
# gwen's servers hold GPUs, as those of a profile do that has them.
c.Spawner.environment["BLUENO_PROFILE_WITHOUT_GPUS"] = "small Small"
c.Spawner.environment["BLUENO_NOTEBOOK_GPUS"] = lambda spawner: (
    "2" if spawner.user.name == "gwen" and spawner.user_options.get("profile") != "small" else "0"
)
make_shared = c.Spawner.pre_spawn_hook


async def before(spawner):  # type: ignore[no-untyped-def]
    """What the chart's hub asks once it knows the pod: of two teams, of which one has a quota."""
    make_shared(spawner)
    groups = [group.name for group in spawner.user.groups]
    for team in {"small", "brief"} & set(groups):
        url = f"http://127.0.0.1:{port + 3}/services/blueno"
        rescue = spawner.user_options.get("profile") == "rescue"
        await admission.ask(spawner, team, "Large", Amounts(cpu=1.4), url, Quotas(), rescue)
    if spawner.user.name == "henry":
        raise RuntimeError("henry does not start")


c.Spawner.pre_spawn_hook = before
