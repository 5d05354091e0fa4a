"""`ordain pin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("datasets", nargs=-1)
@click.pass_obj
def command(directory: Path, datasets: tuple[str, ...]) -> None:
    """Write the digest of a dataset's content into its document.

    DATASETS are names of Dataset documents; without any, all are pinned. Training reads nothing
    whose content has another digest.
    """
    from ordain.cli.pinning import pin_datasets
    from ordain.vcs.git import Repository

    with Repository.open(directory) as repository:
        root = repository.path
    for name, (digest, changed) in pin_datasets(root, datasets).items():
        click.echo(f"{'~' if changed else '='} {name} {digest}")
    click.echo("Next: commit the change, then ordain check")
