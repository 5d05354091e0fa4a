"""`ordain digest`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate


@click.command()
@click.argument("objects", nargs=-1, required=True)
@click.option("--rev", "revision", help="Look at this commit instead of the work tree.")
@click.pass_obj
def command(directory: Path, objects: tuple[str, ...], revision: str | None) -> None:
    """Print the digest of what a document declares.

    OBJECTS are documents, each as KIND/NAME. A Waiver names the digest of its object, so that it
    accepts what was looked at and nothing that comes later. Comments, order and defaults that are
    written out change nothing in it. A version that is proposed is in the branch of its proposal:
    --rev ordain/promote/MODEL-NUMBER.
    """
    from difflib import get_close_matches

    from ordain.specs.plain import spec_digest

    estate = _estate(directory, revision)
    for key in objects:
        document = estate.documents.get(key)
        if document is None:
            close = get_close_matches(key, estate.documents, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"there is no document {key!r} that can be read{hint}")
        click.echo(f"{key} {spec_digest(document.spec)}")
    click.echo("Next: ordain check")


def _estate(directory: Path, revision: str | None) -> LoadedEstate:
    from ordain.specs.estates import load_estate

    if revision is None:
        from ordain.specs.trees import WorkTree, find_root

        return load_estate(WorkTree(find_root(directory)))
    from ordain.reconciler.trees import CommitTree
    from ordain.vcs.git import Repository

    with Repository.open(directory) as repository:
        return load_estate(CommitTree(repository, repository.resolve(revision)))
