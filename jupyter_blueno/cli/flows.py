"""``blueno steps``."""

from __future__ import annotations

import click

from jupyter_blueno.cli.output import as_json, complete_jobs, print_json, say


@click.command()
@click.argument("job", shell_complete=complete_jobs)
@click.option("--resume", is_flag=True, help="Run what is left, as a new flow; prints its id.")
@as_json
def steps(job: str, resume: bool, as_json: bool) -> None:
    """List the steps of a flow. JOB is an id, the beginning of one, or a name."""
    from jupyter_blueno.client.flow_run import FlowRun
    from jupyter_blueno.client.jobs import find

    found = find(job)
    if not isinstance(found, FlowRun):
        raise click.UsageError(f"The job {job!r} is not a flow.")
    if resume:
        again = found.resume()
        click.echo(again.id[:8])
        say(f"{again.name} goes on in the background. `blueno steps {again.id[:8]}` shows how it stands.")
    elif as_json:
        print_json(found.flow)
    else:
        click.echo(repr(found))
