"""Where a command may put its result: nowhere where it would replace what people wrote.

A mistyped `=` is enough to name `ordain.yaml` as the file of a report, and a report below `specs/`
is a broken document for the next check. That is said before anything is done. The place decides and
not the estate that the command works on: documents of another one are worth as much.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from ordain.specs.trees import ESTATE_FILE, belongs_to_estate, is_document_path, is_policy_test


def refuse_place(asked: Path) -> None:
    """Refuse a file of a repository or of an estate as the place of a result.

    Raises:
        click.UsageError: it is such a file, or would be read as one.
    """
    # What a link is called and what it points at are both somebody's.
    for place in (Path(os.path.abspath(asked)), Path(os.path.realpath(asked))):  # noqa: PTH100 - a link stays one
        if _in_repository(place):
            raise click.UsageError(f"{asked} belongs to git; name another file")
        for root in place.parents:
            if os.path.isfile(root / ESTATE_FILE):  # noqa: PTH113 - it may be unreadable
                _refuse_inside(asked, place, place.relative_to(root).as_posix())


def _refuse_inside(asked: Path, place: Path, path: str) -> None:
    if os.path.lexists(place):
        if belongs_to_estate(path):
            raise click.UsageError(f"{asked} belongs to the estate; name another file")
    elif is_document_path(path) or is_policy_test(path):
        first = path.partition("/")[0]
        raise click.UsageError(
            f"{asked} would be read as a document of the estate; name a file outside of {first}/"
        )


def _in_repository(place: Path) -> bool:
    """Whether git keeps its own things there; a bare repository may have any name."""
    return any(part.casefold() == ".git" for part in place.parts) or any(
        all(os.path.lexists(one / name) for name in ("HEAD", "objects", "refs"))
        for one in place.parents
    )
