"""`ordain pin`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ordain.cli.options import key_option, output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ordain.cli.pinning import Pinned
    from ordain.reconciler.source import Source
    from ordain.runtime.datasets.taking import Taker
    from ordain.specs.documents import Document


@click.command()
@click.argument("datasets", nargs=-1)
@click.option("--as", "person", help="Who you are, by the name in the Organization.")
@key_option
@click.option("--check", is_flag=True, help="Only verify the snapshots of what is pinned.")
@click.option("--dry-run", is_flag=True, help="Read the data, keep and write nothing.")
@output_option
@click.pass_obj
def command(
    directory: Path,
    datasets: tuple[str, ...],
    person: str | None,
    key: Path | None,
    output: str,
    *,
    check: bool,
    dry_run: bool,
) -> None:
    """Keep a dataset's rows, and pin their digest.

    DATASETS are names of Dataset documents; without any, all are pinned. The rows go into the
    artifact store as a snapshot, signed with your key where there is one. Training reads nothing
    but snapshots, and none whose content has another digest.
    """
    from ordain.cli.pin_check import tell_checked
    from ordain.cli.pinning import Keeping, chosen, estate_to_pin, pin_datasets
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.reconciler.source import open_source
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.vcs.errors import NoCommits
    from ordain.vcs.git import Repository

    with Repository.open(directory) as repository:
        root = repository.path
    estate = estate_to_pin(root)
    documents = chosen(estate, datasets)
    try:
        source = open_source(directory, os.environ)
    except NoCommits:
        _without_home(root, documents)
        return
    try:
        snapshots = Snapshots(ArtifactStore(source.home.artifacts))
        if check:
            people = allowed_keys(organization_of(read_side(source, source.head()).estate))
            raise click.exceptions.Exit(tell_checked(documents, snapshots, people, output))
        taker, unsigned = _taker(source, person, key)
        keeping = Keeping(snapshots, taker, _progress, write=not dry_run)
        found = pin_datasets(root, documents, os.environ, keeping)
    finally:
        _end_progress()
        source.repository.close()
    _tell(found, output, "" if dry_run else unsigned)


def _taker(source: Source, person: str | None, key: Path | None) -> tuple[Taker, str]:
    """Who signs, or nobody and the reason; whoever names a person or a key insists on it."""
    import ordain
    from ordain.reconciler.errors import ProposalRefused
    from ordain.reconciler.pinned_data import pinning_actor, taker_of
    from ordain.runtime.datasets.taking import Taker
    from ordain.vcs.errors import KeyUnusable
    from ordain.vcs.keys import Signer

    moment = now()
    insisted = person is not None or key is not None
    nobody = Taker("", moment, ordain.__version__)
    try:
        actor = pinning_actor(source, person, key, moment)
    except (KeyUnusable, ProposalRefused) as error:
        if insisted:
            raise
        return nobody, error.message
    if not insisted and not isinstance(actor.signer, Signer):
        # Nobody is asked for a passphrase or a touch who did not ask to sign.
        return nobody, f"the key of {actor.person} is locked or elsewhere; sign with --as"
    return taker_of(actor, moment), ""


def _without_home(root: Path, documents: Sequence[Document]) -> None:
    """Before the first commit there is no place for snapshots, because that commit names it."""
    from ordain.cli.pinning import pin_digests

    found = pin_digests(root, documents, os.environ)
    _tell(found, "text", "")
    click.echo("note: there is no commit yet, so no snapshot was kept", err=True)


def _tell(found: Sequence[Pinned], output: str, unsigned: str) -> None:
    if output == "json":
        from json import dumps

        click.echo(dumps([one.to_json() for one in found], indent=2, sort_keys=True))
        return
    for one in found:
        click.echo(f"{'~' if one.fields else '='} {one.name} {one.digest}{_kept(one)}")
    if unsigned and not all(one.signed_by for one in found):
        click.echo(f"note: the snapshots are unsigned: {unsigned}", err=True)
    click.echo("Next: commit the change, then ordain check")


def _kept(one: Pinned) -> str:
    if one.snapshot is None:
        return "" if one.rows is None else f" ({one.rows} rows, not kept)"
    signed = f"signed by {one.signed_by}" if one.signed_by else "unsigned"
    return f" ({one.rows} rows, {signed})"


def _progress(name: str, rows: int) -> None:
    """Rows so far, on a terminal and on one line."""
    import sys

    if sys.stderr.isatty():
        sys.stderr.write(f"\r{name}: {rows:,} rows\x1b[K")
        sys.stderr.flush()


def _end_progress() -> None:
    """Leave the line of the progress to what is told next."""
    import sys

    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
