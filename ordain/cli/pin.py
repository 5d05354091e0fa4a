"""`ordain pin`."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ordain.cli.options import key_option, output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.cli.pinning import Pinned
    from ordain.reconciler.source import Source
    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.runtime.datasets.taking import Taker
    from ordain.specs.documents import Document


@click.command()
@click.argument("datasets", nargs=-1)
@click.option("--as", "person", help="Who you are, by the name in the Organization.")
@key_option
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Day up to which outcomes were seen, if not today.",
)
@click.option("--check", is_flag=True, help="Only verify the snapshots of what is pinned.")
@click.option("--dry-run", is_flag=True, help="Read the data, keep and write nothing.")
@output_option
@click.pass_obj
def command(
    directory: Path,
    datasets: tuple[str, ...],
    person: str | None,
    key: Path | None,
    as_of: datetime | None,
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
    from ordain.cli.pinning import Keeping, PinningError, chosen, estate_to_pin, pin_datasets
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.reconciler.pinned_data import signer_of
    from ordain.reconciler.source import open_source
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.vcs.errors import NoCommits
    from ordain.vcs.git import Repository

    if check and (dry_run or person or key or as_of):
        raise click.UsageError("--check reads what is pinned, and takes no other option")
    day = _day(as_of)
    with Repository.open(directory) as repository:
        root = repository.path
    estate = estate_to_pin(root)
    documents = chosen(estate, datasets)
    try:
        source = open_source(directory, os.environ)
    except NoCommits:
        if person or key:
            raise PinningError(
                "nobody can sign before the first commit, which says whose key is whose",
                remedy="commit, or leave --as and --key out",
            ) from None
        with _no_store() as nowhere:
            if check:
                code = tell_checked(documents, nowhere, (), output, named=bool(datasets))
                raise click.exceptions.Exit(code) from None
            found = _pin_without_store(root, documents, nowhere, day, write=not dry_run)
        _end_progress()
        _tell(found, output, "", dry_run=dry_run)
        if not dry_run:
            click.echo("note: there is no commit yet, so no snapshot was kept", err=True)
        return
    try:
        snapshots = Snapshots(ArtifactStore(source.home.artifacts))
        base = read_side(source, source.head()).estate
        people = allowed_keys(organization_of(base))
        if check:
            code = tell_checked(documents, snapshots, people, output, named=bool(datasets))
            raise click.exceptions.Exit(code)
        taker, unsigned = (_nobody(), "") if dry_run else _taker(source, person, key)
        keeping = Keeping(
            snapshots,
            taker,
            _progress,
            signer=lambda kept: signer_of(kept, people, taker.now).person,
            write=not dry_run,
            as_of=day,
            committed={one.name: one.spec.as_of for one in base.all("Dataset")},
        )
        found = pin_datasets(root, documents, os.environ, keeping)
    finally:
        _end_progress()
        source.repository.close()
    _tell(found, output, unsigned, dry_run=dry_run)


def _taker(source: Source, person: str | None, key: Path | None) -> tuple[Taker, str]:
    """Who signs, or nobody and the reason; whoever names a person or a key insists on it."""
    from ordain.reconciler.errors import ProposalRefused
    from ordain.reconciler.pinned_data import pinning_actor, taker_of
    from ordain.vcs.errors import KeyUnusable
    from ordain.vcs.keys import Signer

    moment = now()
    insisted = person is not None or key is not None
    try:
        actor = pinning_actor(source, person, key, moment)
    except (KeyUnusable, ProposalRefused) as error:
        if insisted:
            raise
        return _nobody(), error.message
    if not insisted and not isinstance(actor.signer, Signer):
        # Nobody is asked for a passphrase or a touch who did not ask to sign.
        return _nobody(), f"the key of {actor.person} is locked or elsewhere; sign with --as"
    return taker_of(actor, moment), ""


def _nobody() -> Taker:
    import ordain
    from ordain.runtime.datasets.taking import Taker

    return Taker("", now(), ordain.__version__)


def _day(as_of: datetime | None) -> str | None:
    """The day that somebody says, which must not be one to come."""
    from datetime import UTC, timedelta

    if as_of is None:
        return None
    # A day may have begun elsewhere that has not begun in UTC.
    if as_of.replace(tzinfo=UTC) > now().astimezone(UTC) + timedelta(days=1):
        message = f"{as_of.date()} is still to come, so no outcome was seen on it"
        raise click.BadParameter(message, param_hint="--as-of")
    return as_of.date().isoformat()


@contextmanager
def _no_store() -> Iterator[Snapshots]:
    """A place for what is read before the first commit, which names the store; it is not kept."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.datasets.snapshots import Snapshots

    with TemporaryDirectory(prefix="ordain-") as place:
        yield Snapshots(ArtifactStore(Path(place)))


def _pin_without_store(
    root: Path,
    documents: Sequence[Document],
    nowhere: Snapshots,
    day: str | None,
    *,
    write: bool,
) -> list[Pinned]:
    from ordain.cli.pinning import Keeping, pin_datasets, write_pinned

    keeping = Keeping(
        nowhere, _nobody(), _progress, signer=lambda _kept: None, write=False, as_of=day
    )
    found = pin_datasets(root, documents, os.environ, keeping)
    if write:
        write_pinned(root, documents, found)
    return found


def _tell(found: Sequence[Pinned], output: str, unsigned: str, *, dry_run: bool) -> None:
    if output == "json":
        from json import dumps

        click.echo(dumps([one.to_json() for one in found], indent=2, sort_keys=True))
        return
    for one in found:
        click.echo(f"{'~' if one.fields else '='} {one.name} {one.digest}{_kept(one)}")
        if "asOf" in one.fields:
            click.echo(f"  asOf {one.was or 'none'} -> {one.fields['asOf']}")
    if unsigned and not all(one.signed_by for one in found):
        click.echo(f"note: the snapshots are unsigned: {unsigned}", err=True)
    changed = [one.name for one in found if one.fields]
    if dry_run and changed:
        click.echo(f"Next: ordain pin {' '.join(changed)}")
    else:
        click.echo(
            "Next: commit the change, then ordain check" if changed else "Next: ordain check"
        )


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
