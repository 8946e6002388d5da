"""``blueno setup gke`` and its like: a cluster first, then the hub on it; and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import click

from jupyter_blueno.cli.setup import agreed, carried_out, cluster_of, install, looked, server_of


def set_up(name: str, options: dict[str, Any]) -> None:
    """Make a cluster at a provider, and a hub on it."""
    from jupyter_blueno.setup import doing

    cluster = cluster_of(options)
    shell = cluster.shell
    provider = provider_of(name, options)
    with in_words(provider):
        looked([(provider.title, lambda: provider.look(shell))], shell.dry)
        plan = plan_of(provider, provider.steps(shell))
        states = doing.states(plan)
        for line in doing.told(plan, states):
            click.echo(line)
        click.echo(f"Then Blueno on it, in the namespaces {cluster.namespace} and {cluster.namespace}-users.")
        agreed(options)
        carried_out(plan, options)
        cluster.context = provider.context
        cluster.planned = shell.dry and any(step.ground and now == "absent" for step, now in states)
        made = {"storage_made": provider.storage(shell), "usual": provider.values()}
    install(cluster, {**options, **made, "yes": True})


def plan_of(provider: Any, steps: list[Any]) -> Any:
    """What a provider is to do."""
    from jupyter_blueno.setup.model import Plan

    where = " ".join(one for one in (provider.title, provider.size.project, provider.size.place) if one)
    return Plan(where, tuple(steps), provider.prices(), provider.notes())


def provider_of(name: str, options: dict[str, Any]) -> Any:
    """The provider that options describe."""
    from jupyter_blueno.setup.providers import provider
    from jupyter_blueno.setup.providers.base import Size

    names = ("place", "project", "machine", "nodes", "gpu_machine", "gpus", "storage")
    return provider(
        name, Size(name=options["cluster"], server=server_of(options), **{one: options[one] for one in names})
    )


@contextmanager
def in_words(provider: Any) -> Iterator[None]:
    """Say what a provider's refusal means, and what to do."""
    from jupyter_blueno.setup.programs import Failed
    from jupyter_blueno.setup.providers.base import explained

    try:
        yield
    except Failed as error:
        raise explained(provider, error) from None


def remove(name: str, cluster: Any, confirm: str, options: dict[str, Any]) -> None:
    """Take away a cluster and everybody's files, after saying what is in them."""
    from jupyter_blueno.setup import doing

    provider = provider_of(name, options)
    with in_words(provider):
        looked([(provider.title, lambda: provider.look(cluster.shell))], cluster.shell.dry)
        plan = replace(plan_of(provider, provider.removal(cluster.shell)), prices=(), notes=())
        found = doing.states(plan)
        if all(now == "there" for _, now in found):
            raise click.ClickException(
                "There is nothing of that name; --cluster, --place and --project say which."
            )
        cluster.context = provider.context
        inside, lost = in_cluster(cluster)
        plan = replace(plan, steps=inside + plan.steps)
        found = [*((step, "absent") for step in inside), *found]
        click.echo(f"The cluster '{provider.size.name}' holds:")
        tell_of_losses(cluster)
        for line in doing.told(plan, found):
            click.echo(line)
        click.secho("All of it is lost: accounts, datasets, jobs, everybody's files.", bold=True)
        for line in lost:
            click.secho(line, bold=True)
        click.echo(
            "A backup of the databases: blueno backup --to FILE. Files are copied by whoever mounts them."
        )
        confirmed(provider.size.name, confirm, options)
        carried_out(plan, options)


def in_cluster(cluster: Any) -> tuple[tuple[Any, ...], list[str]]:
    """What goes before the cluster does, as providers leave disks behind; and what is lost with it."""
    from jupyter_blueno.errors import BluenoError
    from jupyter_blueno.setup import removal

    try:
        if removal.server_of(cluster):
            return removal.plan(cluster, True).steps, removal.lost(cluster)[1:]
    except BluenoError:  # it cannot be asked any more, and goes as it is
        pass
    return (), []


def tell_of_losses(cluster: Any) -> None:
    """Say what an installation holds, if that can be told."""
    from jupyter_blueno.errors import BluenoError
    from jupyter_blueno.setup import losses

    try:
        for line in [] if cluster.shell.dry else losses.told(losses.looked(cluster)):
            click.echo(line)
    except BluenoError as error:
        click.echo(f"  (it could not be counted: {error.message})")


def confirmed(name: str, typed: str, options: dict[str, Any]) -> None:
    """End it unless the name of what is taken away was typed."""
    if options["dry_run"]:
        agreed(options)
    elif (typed or click.prompt("Type its name to go on", default="", show_default=False)) != name:
        raise click.ClickException("Nothing was done.")
