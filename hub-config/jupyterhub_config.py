"""A JupyterHub with Blueno on one machine: ``jupyterhub -f hub-config/jupyterhub_config.py``.

Install `jupyter-blueno[hub]` first, and the proxy (``jlpm install`` in
``hub-config/proxy``). Settings come from the environment:

- ``BLUENO_VOLUME``: the folder that everybody shares (default /blueno)
- ``BLUENO_DATABASE_URL``: the service's PostgreSQL
- ``HUB_DATABASE_URL``: the hub's own (default: a SQLite file where it runs)
- ``BLUENO_SERVICE_TOKEN``: ``openssl rand -hex 32``; made anew at each start where it is missing
"""

import os
import secrets
import shutil
import sys
from pathlib import Path

from jupyter_blueno.hub import settings

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the hub gives it

volume = os.environ.get("BLUENO_VOLUME", "/blueno")
proxy = Path(__file__).parent / "proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"
if not shutil.which("configurable-http-proxy"):
    c.ConfigurableHTTPProxy.command = ["node", str(proxy)]
if "HUB_DATABASE_URL" in os.environ:
    c.JupyterHub.db_url = os.environ["HUB_DATABASE_URL"]
# An `authenticator_class` goes here, before Blueno is added. With "passwords" people have one of this hub;
# the first comes by /hub/invite?code=… with what BLUENO_SETUP_TOKEN says.
c.Spawner.default_url = "/lab"

settings.configure(
    c,
    service_url="http://127.0.0.1:8890/services/blueno",
    token=os.environ.get("BLUENO_SERVICE_TOKEN") or secrets.token_hex(32),
    volume=volume,
    command=[sys.executable, "-m", "jupyter_blueno.hub"],
    environment={name: os.environ[name] for name in ("BLUENO_DATABASE_URL",) if name in os.environ},
)
