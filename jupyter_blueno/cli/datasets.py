"""``blueno datasets``, ``ingest`` and ``prepare``."""

from __future__ import annotations

import click

from jupyter_blueno.cli.output import as_json, complete_datasets, complete_public_sets, print_json, say


@click.command()
@click.argument("name", required=False, shell_complete=complete_datasets)
@as_json
def datasets(name: str | None, as_json: bool) -> None:
    """List the datasets; with NAME, tell about one."""
    from jupyter_blueno.client.finding import dataset
    from jupyter_blueno.client.finding import datasets as find

    if name is not None:
        one = dataset(name)
        print_json(one._info) if as_json else click.echo(repr(one))
        return
    found = find()
    if as_json:
        print_json([one._info for one in found])
    elif found:
        click.echo(repr(found))
    else:
        say("No datasets yet. `blueno ingest FOLDER` or `blueno prepare mnist` makes one.")


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--name", help="What the dataset is called; default: the first path's name.")
@click.option("--description", help="A line about it.")
@click.option("--no-wait", is_flag=True, help="Return at once; it goes on in the background.")
def ingest(paths: tuple[str, ...], name: str | None, description: str | None, no_wait: bool) -> None:
    """Make a dataset of a folder of images, or of volumes. Files stay where they are."""
    from jupyter_blueno.client.ingest import ingest as take_in

    try:
        source = paths[0] if len(paths) == 1 else list(paths)
        made = take_in(source, name=name, description=description, wait=not no_wait)
    except KeyboardInterrupt:
        say("It goes on in the background; `blueno datasets` says how far it is.")
        raise SystemExit(1) from None
    click.echo(repr(made))
    if made.problems:
        say(f"{len(made.problems):,} could not be read:")
        for one in made.problems[:10]:
            say(f"  {one.name}: {one.message}")


@click.command()
@click.argument("names", nargs=-1, required=True, shell_complete=complete_public_sets)
@click.option("--no-wait", is_flag=True, help="Return at once; it goes on in the background.")
@click.option("--no-tfrecord", is_flag=True, help="Leave out what tfds.load reads: half the disk space.")
def prepare(names: tuple[str, ...], no_wait: bool, no_tfrecord: bool) -> None:
    """Make public datasets ready, by name: mnist, cifar10 …"""
    from jupyter_blueno.client.dataset_display import DatasetList
    from jupyter_blueno.client.datasets import Dataset
    from jupyter_blueno.client.ingest import prepare as make_ready

    try:
        made = make_ready(*names, wait=not no_wait, tfrecord=not no_tfrecord)
    except KeyboardInterrupt:
        say("It goes on in the background; `blueno datasets` says how far it is.")
        raise SystemExit(1) from None
    click.echo(repr(DatasetList([made]) if isinstance(made, Dataset) else made))
