"""``blueno setup``: from nothing to a team's hub; every run takes up what the last one left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
RIGHT, WRONG = "green", "red"


def where(command: Command) -> Command:
    """Add the options that say which installation is meant."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Change nothing; print each command."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        click.option(
            "--context", default="", metavar="NAME", help="Of the kubeconfig; default: the current one."
        ),
        click.option("--name", default="blueno", show_default=True, help="The release's name."),
        click.option("--namespace", default="blueno", show_default=True, help="Where hub and service run."),
    ):
        command = option(command)
    return command


def chart_and_values(command: Command) -> Command:
    """Add the options that say what is installed."""
    for option in (
        click.option(
            "--patience",
            metavar="MINUTES",
            type=float,
            default=15,
            show_default=True,
            help="For how long to wait.",
        ),
        click.option("--no-check", is_flag=True, help="Leave out the look at it when it runs (a minute)."),
        click.option(
            "--chart",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            help="Another chart's folder.",
        ),
        click.option(
            "--images",
            default="",
            metavar="REGISTRY/FOLDER[:TAG]",
            help="Where hub, notebook and service are.",
        ),
        click.option(
            "--values",
            "files",
            multiple=True,
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A file of values for the chart; several are laid one over the other.",
        ),
    ):
        command = option(command)
    return command


def people(command: Command) -> Command:
    """Add the options that say who comes in, and where."""
    for option in (
        click.option("--url", default="", help="Where people find the hub: https://hub.example.org"),
        click.option("--public", is_flag=True, help="An address of the cloud's load balancer."),
        click.option(
            "--admin",
            "admins",
            multiple=True,
            metavar="NAME",
            help="Who looks after the hub, with an identity provider. Else: who opens the link at the end.",
        ),
    ):
        command = option(command)
    return chart_and_values(where(command))


def files(command: Command) -> Command:
    """Add the options that say where everybody's files are."""
    for option in (
        click.option("--host-path", default="", metavar="FOLDER", help="Files in a folder of the only node."),
        click.option(
            "--claim", default="", metavar="NAME", help="Files on a claim that is in both namespaces."
        ),
        click.option(
            "--storage-class", default="", metavar="CLASS", help="Files on a new volume for many nodes."
        ),
        click.option("--nfs", default="", metavar="SERVER:/PATH", help="Files on an NFS server."),
    ):
        command = option(command)
    return own_server(command)


def own_server(command: Command) -> Command:
    """Add the options of the chart's NFS server."""
    for option in (
        click.option("--nfs-disk", default="", metavar="CLASS", help="Of its disk; default: the usual one."),
        click.option(
            "--nfs-nodes",
            multiple=True,
            metavar="NETWORK",
            help="Of nodes, and no pods: who else asks is refused.",
        ),
        click.option(
            "--nfs-address",
            default="",
            metavar="ADDRESS",
            help="A free one of services; default: one is found.",
        ),
        click.option(
            "--nfs-in-cluster", default="", metavar="SIZE", help="Files on a server with a disk, like 500Gi."
        ),
    ):
        command = option(command)
    return command


@click.group()
def setup() -> None:
    """Install a team's hub on Kubernetes. Each can be run again: it goes on where it was.

    \b
    blueno setup existing --nfs 10.0.0.2:/export/blueno --admin alice
    blueno setup existing --dry-run
    """


def sizes(command: Command) -> Command:
    """Add the options that say how large a cluster of its own is, and where."""
    for option in (
        click.option("--gpu-machine", default="", metavar="KIND", help="A machine with a GPU."),
        click.option(
            "--gpus", default=0, show_default=True, help="The most machines with a GPU; idle: none."
        ),
        click.option("--machine", default="", metavar="KIND", help="A machine without."),
        click.option("--nodes", default=3, show_default=True, help="The most machines without."),
        click.option("--tb", "storage", default=1, show_default=True, help="TB that are reserved for files."),
        click.option("--project", default="", help="Google's project, Azure's resource group."),
        click.option("--place", default="", metavar="ZONE", help="Google's zone, Azure's or AWS's region."),
        click.option("--cluster", default="blueno", show_default=True, help="The cluster's name."),
    ):
        command = option(command)
    return command


def provided(name: str, title: str, more: Callable[[Command], Command] = lambda command: command) -> None:
    """Add a command that makes a cluster first."""

    @setup.command(name, help=title)
    @sizes
    @more
    @people
    def command(**options: Any) -> None:
        from jupyter_blueno.cli.providers import set_up

        set_up(name, options)


provided("kind", "In a container of this machine, to try it.")
provided("minikube", "In a virtual machine or container of this machine, to try it.")
provided("k3s", "On this machine alone.")
provided("gke", "On Google Cloud: Kubernetes Engine and Filestore.", own_server)
provided("aks", "On Azure: Kubernetes Service and Azure Files.", own_server)
provided("eks", "On AWS: Elastic Kubernetes Service and EFS.", own_server)


@setup.command()
@click.option(
    "--from",
    "bundle",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What `blueno backup --to` wrote elsewhere: passwords, values and databases.",
)
@files
@people
def existing(**options: Any) -> None:
    """On the cluster that kubectl speaks to."""
    install(cluster_of(options), options)


def cluster_of(options: dict[str, Any]) -> Any:
    """The cluster that options mean."""
    from jupyter_blueno.setup.cluster import Cluster
    from jupyter_blueno.setup.programs import Shell, needed

    for program in ("kubectl", "helm"):
        needed(program)
    shell = Shell(click.echo, dry=options["dry_run"])
    return Cluster(shell, options["namespace"], options["name"], options["context"])


def install(cluster: Any, options: dict[str, Any]) -> None:
    """Look, plan, ask, do, look again."""
    from jupyter_blueno.setup import afterwards, doing

    made = wanted(cluster, options)
    if not cluster.planned:
        _looked_before(cluster, made)
    plan = made.plan()
    if options.get("storage_made"):  # its price was told with the provider's
        plan = replace(plan, prices=(), notes=())
    for line in doing.told(plan):
        click.echo(line)
    agreed(options)
    carried_out(plan, options)
    well = True
    if not options["no_check"]:
        click.echo("Looking at it …")
        well = afterwards.looked_at(cluster)
    if options["dry_run"]:
        return
    address = afterwards.address(cluster)
    click.secho(f"\nBlueno: {address}", bold=True)
    click.echo(afterwards.first_sign_in(cluster, address))
    if not well:
        raise click.ClickException(
            "It runs, but the look at it found something; see above, and run this again."
        )


def carried_out(plan: Any, options: dict[str, Any]) -> None:
    """Do a plan; an interruption is no harm."""
    from jupyter_blueno.setup import doing

    try:
        doing.done(plan, click.echo, dry=options["dry_run"])
    except KeyboardInterrupt:
        raise click.ClickException("Stopped. The same command goes on from here.") from None


def wanted(cluster: Any, options: dict[str, Any]) -> Any:
    """What is to be installed: what the release has, the files over it, then the options."""
    from jupyter_blueno.setup import backup
    from jupyter_blueno.setup import values as told
    from jupyter_blueno.setup.installation import Installation

    bundle = options.get("bundle")
    usual = options.get("usual") or {}  # what the provider of the cluster is like
    known = told.merged(backup.told(bundle)[1], cluster.values()) if bundle else cluster.values()
    known = told.merged(usual, known)
    for path in options["files"]:
        known = told.merged(known, told.read(path))
    storage = options.get("storage_made") or _named_storage(options)
    if not storage.given() and not told.has_storage(known):
        storage = _ask_storage(cluster, options)
    admins = options.get("admins") or ()
    if not admins and told.lacks_people(known) and not options["yes"]:
        admins = (click.prompt("Who looks after the hub (a user name)?"),)
    wishes = told.Wishes(
        admins=admins,
        images=options["images"],
        url=options.get("url") or "",
        public=options.get("public", False),
        storage=storage,
    )
    given = told.merged(known, told.wished(wishes, cluster))
    if storage.server or not storage.given():  # as it is written: with the address that was found
        storage = told.known_storage(given, cluster)
    chart = options["chart"] or told.chart()
    return Installation(cluster, chart, given, storage, options["patience"] * 60, bundle)


def server_of(options: dict[str, Any]) -> Any:
    """The NFS server in the cluster that options describe; None for none."""
    from jupyter_blueno.setup.server import asked_for

    said = (options.get(f"nfs_{one}", "") for one in ("in_cluster", "address", "nodes", "disk"))
    return asked_for(*said)


def _named_storage(options: dict[str, Any]) -> Any:
    """Where options say that everybody's files are to be."""
    from jupyter_blueno.setup.model import Storage

    names = ("nfs", "storage_class", "host_path", "claim")
    found = {one: options[one] for one in names if options.get(one)}
    server = server_of(options)
    given = [*found, *(["nfs_in_cluster"] if server else [])]
    if len(given) > 1:
        words = " and ".join(f"--{one.replace('_', '-')}" for one in given)
        raise click.UsageError(f"Everybody's files are in one place: {words} cannot be together.")
    return Storage(**found, server=server)


def _ask_storage(cluster: Any, options: dict[str, Any]) -> Any:
    """Ask where everybody's files are to be; what the cluster has is offered."""
    from jupyter_blueno.setup import checks
    from jupyter_blueno.setup.model import Storage

    offered: list[tuple[str, Storage]] = [
        (f"a new volume of class '{one['metadata']['name']}'", Storage(storage_class=one["metadata"]["name"]))
        for one in checks.classes(cluster)
        if checks.shared(one)
    ]
    if len(cluster.items("nodes")) == 1:
        offered.append(("the folder /var/lib/blueno of the only node", Storage(host_path="/var/lib/blueno")))
    if options["yes"]:
        if len(offered) == 1:
            return offered[0][1]
        raise click.UsageError(
            "Say where everybody's files are to be: --nfs, --storage-class, --host-path, --claim or "
            "--nfs-in-cluster."
        )
    click.echo("Where are everybody's files to be?")
    others = ("an NFS server that you have", "an NFS server in the cluster, with a disk of its own")
    for number, words in enumerate([*(words for words, _ in offered), *others], 1):
        click.echo(f"  {number}. {words}")
    most = len(offered) + len(others)
    chosen = click.prompt("Which", type=click.IntRange(1, most), default=1)
    if chosen <= len(offered):
        return offered[chosen - 1][1]
    if chosen < most:
        return Storage(nfs=click.prompt("NFS server and folder (10.0.0.2:/export/blueno)"))
    size = click.prompt("How large is its disk to be", default="500Gi")
    return Storage(server=server_of({"nfs_in_cluster": size}))


def _looked_before(cluster: Any, made: Any) -> None:
    from jupyter_blueno.setup import checks

    looked(checks.before(cluster, made.storage, made.values), cluster.shell.dry)


def looked(examined: Any, dry: bool) -> None:
    """Tell what checks found; whoever fails ends it, unless nothing is to be changed."""
    from jupyter_blueno.cli.doctor import line
    from jupyter_blueno.doctor.model import examined as each

    click.echo("What there is:")
    found = []
    for one in each(examined):
        found.append(one)
        click.echo(f"  {line(one)}")
    if any(one.state == "fail" for one in found) and not dry:
        raise click.ClickException("Nothing was done; mend what says FAIL, and run this again.")


def agreed(options: dict[str, Any], question: str = "Go on?") -> None:
    if options["dry_run"]:
        click.echo("A dry run: nothing is changed. These would be run:")
    elif not options["yes"] and not click.confirm(question):
        raise click.ClickException("Nothing was done.")
