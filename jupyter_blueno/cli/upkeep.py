"""``blueno upgrade``, ``backup``, ``restore`` and ``teardown``: the life of an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from jupyter_blueno.cli.providers import confirmed, remove, tell_of_losses
from jupyter_blueno.cli.setup import agreed, carried_out, chart_and_values, cluster_of, sizes, wanted, where


@click.command()
@click.option("--no-backup", is_flag=True, help="Do not write the databases to the volume first.")
@chart_and_values
@where
def upgrade(no_backup: bool, **options: Any) -> None:
    """Bring an installation to this Blueno's chart; data, passwords, notebooks and jobs stay.

    The databases are written to the volume before.
    """
    from jupyter_blueno.errors import BluenoError
    from jupyter_blueno.setup import afterwards, backup, doing

    cluster = cluster_of(options)
    known = _known(cluster)
    made = wanted(cluster, options)
    click.echo(f"From the chart {known['chart']} (revision {known['revision']}) to {made.version}.")
    plan = made.plan()
    for line in doing.told(plan):
        click.echo(line)
    agreed(options)
    kept = ""
    if not no_backup:
        click.echo("Backup …")
        kept = backup.make(cluster)
        click.echo(f"    backups/{kept} of the volume")
    try:
        carried_out(plan, options)
        well = options["no_check"] or afterwards.looked_at(cluster)
    except (BluenoError, click.ClickException) as error:
        raise click.ClickException(f"{error}\n\n{_back(cluster, known, kept)}") from None
    click.echo(_back(cluster, known, kept))
    if not well:
        raise click.ClickException("It runs, but the look at it found something; see above.")


def _known(cluster: Any) -> Any:
    from jupyter_blueno.errors import NotFound

    found = cluster.known()
    if found is None:
        raise NotFound(
            f"There is no release '{cluster.release}' in {cluster.namespace}: name it by --name "
            "and --namespace, or install one by 'blueno setup'."
        )
    return found


def _back(cluster: Any, known: Any, kept: str) -> str:
    lines = [
        "Back to what was before:",
        "  " + " ".join(cluster.helm("rollback", cluster.release, str(known["revision"]))),
    ]
    if kept:
        place = "".join(
            f" --{option} {value}"
            for option, value, usual in (
                ("namespace", cluster.namespace, "blueno"),
                ("name", cluster.release, "blueno"),
                ("context", cluster.context, ""),
            )
            if value != usual
        )
        lines.append(
            f"  blueno restore {kept}{place}   # if the service says that a newer one made the database"
        )
    return "\n".join(lines)


@click.command()
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also to this file here, with passwords.",
)
@where
def backup(target: Path | None, **options: Any) -> None:
    """Write the databases of an installation to its volume, as it does each night.

    What --to writes is all that an installation elsewhere needs beside a copy of the volume: `blueno setup
    existing --from FILE`. It holds passwords, and only you may read it.
    """
    from jupyter_blueno.errors import Conflict, NotFound
    from jupyter_blueno.setup import backup as backups

    cluster = cluster_of(options)
    if target is not None and target.exists():
        raise Conflict(f"{target} is there already; name another file.")
    if target is not None and not target.parent.is_dir():
        raise NotFound(f"The folder {target.parent} is not there; make it, or name another file.")
    name = backups.make(cluster)
    click.echo(f"backups/{name} of the volume")
    if target is not None:
        backups.fetch(cluster, name, target)
        click.echo(f"{target}")


@click.command()
@click.argument("kept", default="")
@where
def restore(kept: str, **options: Any) -> None:
    """Have the databases as they were in a backup (default: the newest).

    Hub and service are away meanwhile.
    """
    from jupyter_blueno.setup import backup as backups

    cluster = cluster_of(options)
    what = f"the backup {kept}" if kept else "the newest backup"
    click.echo(f"Everything that came after {what} is lost from hub and service of '{cluster.release}'.")
    agreed(options)
    backups.restore(cluster, kept)


@click.command()
@click.option(
    "--from",
    "provider",
    type=click.Choice(["kind", "minikube", "k3s", "gke", "aks", "eks"]),
    help="The cluster, too, and the files that `blueno setup` made there.",
)
@sizes
@click.option("--everything", is_flag=True, help="Also databases, passwords, claims, notebooks and jobs.")
@click.option("--no-backup", is_flag=True, help="Do not offer a backup.")
@click.option("--confirm", default="", metavar="NAME", help="The release's name, instead of typing it.")
@where
def teardown(provider: str | None, everything: bool, no_backup: bool, confirm: str, **options: Any) -> None:
    """Take an installation away, after saying what it holds.

    Without --everything it can be installed again, and has all it had.
    """
    from jupyter_blueno.setup import doing, removal

    cluster = cluster_of(options)
    if provider is not None:
        return remove(provider, cluster, confirm, options)
    plan = removal.plan(cluster, everything)
    stays = removal.stays(cluster, everything)
    counted = "" if not options["dry_run"] else " (not counted in a dry run)"
    click.echo(f"'{cluster.release}' in {cluster.namespace} holds:{counted}")
    tell_of_losses(cluster)
    for line in doing.told(plan):
        click.echo(line)
    if everything:
        for line in removal.lost(cluster):
            click.secho(line, bold=True)
    click.echo(f"It leaves {'; '.join(stays) or 'nothing'}.")
    if everything and not no_backup and not options["yes"] and cluster.known():
        _offer_backup(cluster)
    confirmed(cluster.release, confirm, options)
    carried_out(plan, options)


def _offer_backup(cluster: Any) -> None:
    from jupyter_blueno.setup import backup as backups

    file = Path(f"{cluster.release}-backup.tar")
    question = f"Write databases, passwords and values to {file} first?"
    if not cluster.shell.dry and click.confirm(question, default=True):
        backups.fetch(cluster, backups.make(cluster), file)
        click.echo(f"{file.resolve()}")
