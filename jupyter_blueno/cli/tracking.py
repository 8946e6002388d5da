"""``blueno mlflow``: where runs and models are shown."""

from __future__ import annotations

import click

from jupyter_blueno.errors import MissingDependency, Unavailable


@click.command()
def mlflow() -> None:
    """Print the address of MLflow, behind JupyterLab's own.

    It starts when the page is opened, and ends half an hour after it was last used.
    """
    from jupyter_blueno.api.operation import Nothing
    from jupyter_blueno.api.tracking import get_tracking
    from jupyter_blueno.client.transport import find_server

    server = find_server()
    if server is None:
        raise Unavailable("No JupyterLab with Blueno is running; start one with `blueno lab`.")
    found = server.call(get_tracking, Nothing())
    if not found.installed:
        raise MissingDependency(
            "MLflow is not installed where JupyterLab runs; run pip install 'jupyter-blueno[tracking]' there."
        )
    click.echo(f"{server.url}{found.path}{f'?token={server.token}' if server.token else ''}")
