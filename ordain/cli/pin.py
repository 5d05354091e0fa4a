"""`ordain pin`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import click

from ordain.cli.options import key_option, output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    from ordain.cli.pinning import chosen, estate_to_pin
    from ordain.reconciler.source import open_source
    from ordain.vcs.errors import NoCommits
    from ordain.vcs.git import Repository

    if check and (dry_run or person or key or as_of):
        raise click.UsageError("--check reads what is pinned, and takes no other option")
    day = _day(as_of)
    with Repository.open(directory) as repository:
        root = repository.path
    documents = chosen(estate_to_pin(root), datasets)
    wanted = _Wanted(root, documents, output, day, named=bool(datasets), dry_run=dry_run)
    try:
        source = open_source(directory, os.environ)
    except NoCommits:
        _before_first_commit(wanted, check=check, signs=bool(person or key))
        return
    try:
        if check:
            _check(wanted, source)
        else:
            _pin(wanted, source, person, key)
    finally:
        source.repository.close()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be pinned or verified; `named` where somebody has named the Datasets."""

    root: Path
    documents: Sequence[Document]
    output: str
    as_of: str | None
    named: bool
    dry_run: bool


def _check(wanted: _Wanted, source: Source) -> NoReturn:
    from ordain.cli.pin_check import tell_checked
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of

    people = allowed_keys(organization_of(read_side(source, source.head()).estate))
    documents, snapshots = wanted.documents, _snapshots(source.home.artifacts)
    code = tell_checked(documents, snapshots, people, wanted.output, named=wanted.named)
    raise click.exceptions.Exit(code)


def _pin(wanted: _Wanted, source: Source, person: str | None, key: Path | None) -> None:
    from ordain.cli.pinning import Keeping, pin_datasets
    from ordain.reconciler.gating import read_side
    from ordain.reconciler.people import allowed_keys, organization_of
    from ordain.reconciler.pinned_data import signer_of

    base = read_side(source, source.head()).estate
    people = allowed_keys(organization_of(base))
    taker, unsigned = (_nobody(), "") if wanted.dry_run else _taker(source, person, key)
    keeping = Keeping(
        _snapshots(source.home.artifacts),
        taker,
        _progress,
        signer=lambda kept: signer_of(kept, people, taker.now).person,
        write=not wanted.dry_run,
        as_of=wanted.as_of,
        committed={one.name: one.spec.as_of for one in base.all("Dataset")},
    )
    try:
        found = pin_datasets(wanted.root, wanted.documents, os.environ, keeping)
    finally:
        _end_progress()
    _tell(found, wanted.output, unsigned, dry_run=wanted.dry_run)


def _before_first_commit(wanted: _Wanted, *, check: bool, signs: bool) -> None:
    """What can be done where no commit says yet where the store is, and whose key is whose."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from ordain.cli.pin_check import tell_checked
    from ordain.cli.pinning import Keeping, PinningError, pin_datasets, write_pinned

    if signs:
        message = "nobody can sign before the first commit, which says whose key is whose"
        raise PinningError(message, remedy="commit, or leave --as and --key out")
    with TemporaryDirectory(prefix="ordain-") as place:
        nowhere, documents = _snapshots(Path(place)), wanted.documents
        if check:
            code = tell_checked(documents, nowhere, (), wanted.output, named=wanted.named)
            raise click.exceptions.Exit(code)
        keeping = Keeping(
            nowhere,
            _nobody(),
            _progress,
            signer=lambda _kept: None,
            write=False,
            as_of=wanted.as_of,
        )
        try:
            found = pin_datasets(wanted.root, documents, os.environ, keeping)
        finally:
            _end_progress()
    if not wanted.dry_run:
        write_pinned(wanted.root, documents, found)
    _tell(found, wanted.output, "", dry_run=wanted.dry_run)
    if not wanted.dry_run:
        click.echo("note: there is no commit yet, so no snapshot was kept", err=True)


def _snapshots(artifacts: Path) -> Snapshots:
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.runtime.datasets.snapshots import Snapshots

    return Snapshots(ArtifactStore(artifacts))


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
