"""`ordain pin --check`: whether what the documents pin is in the store, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.datasets.snapshots import Snapshots
    from ordain.specs.documents import Document
    from ordain.vcs.keys import AllowedKey


def tell_checked(
    documents: Sequence[Document],
    snapshots: Snapshots,
    people: Sequence[AllowedKey],
    output: str,
    *,
    named: bool,
) -> int:
    """Say of each pinned Dataset how its snapshot is; 1 where one is not what was pinned.

    Of all Datasets those that are not pinned are passed over; of those that were named none is.
    """
    pinned = [one for one in documents if named or one.spec.digest is not None]
    found = [_checked(one, snapshots, people) for one in pinned]
    bad = [one for one in found if one["problem"]]
    if output == "json":
        from json import dumps

        click.echo(dumps(found, indent=2, sort_keys=True))
        return 1 if bad else 0
    for one in found:
        click.echo(_line(one))
    names = " ".join(one["dataset"] for one in bad)
    click.echo(f"Next: ordain pin {names}" if bad else "Next: ordain check")
    return 1 if bad else 0


def _line(one: dict[str, Any]) -> str:
    if one["problem"]:
        return f"! {one['dataset']} {one['digest'] or '-'}: {one['problem']}"
    signed = f"signed by {one['signedBy']}" if one["signedBy"] else "unsigned"
    return f"= {one['dataset']} {one['digest']} ({one['rows']} rows, {signed})"


def _checked(
    document: Document, snapshots: Snapshots, people: Sequence[AllowedKey]
) -> dict[str, Any]:
    """The row of one Dataset; `problem` is empty where everything holds."""
    from ordain.reconciler.pinned_data import signer_of
    from ordain.runtime.datasets.reading import find_pinned, prove_content
    from ordain.runtime.errors import RunError

    row: dict[str, Any] = {
        "dataset": document.name,
        "digest": document.spec.digest,
        "rows": None,
        "signedBy": None,
        "problem": "",
    }
    try:
        kept = find_pinned(document.name, document.spec, snapshots)
        snapshots.prove(document.name, kept)
        prove_content(document.name, snapshots, kept)
    except RunError as error:
        return row | {"problem": error.message}
    row["rows"] = kept.snapshot.rows
    if kept.signature is None:
        return row
    signer = signer_of(kept, people, now())
    problem = "" if signer.person else f"the signature does not hold: {signer.reason}"
    return row | {"signedBy": signer.person, "problem": problem}
