"""One evaluation, many outputs: which format goes where, and which place is refused.

A CI step that fails in the middle must not leave half a report that the next step uploads. So all
files are written whole or none is; standard output comes last.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ordain.cli.places import refuse_place
from ordain.specs.errors import OrdainError
from ordain.specs.files import is_special, written_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.specs.writers.checked import Checked

# Where GitHub Actions collects the summary of a step; several commands of a step add to it.
SUMMARY_VARIABLE: Final = "GITHUB_STEP_SUMMARY"
_SUMMARY: Final = "github-summary"
# What all commands of a step may write there together; more is refused as a whole.
_SUMMARY_ROOM: Final = 1024 * 1024
_NO_ROOM: Final = b"\nThe summary of `ordain check` has no room here; see the log.\n"


class OutputError(OrdainError):
    """A file that was asked for cannot be written.

    None of the files of the command was written; those of an earlier run are as they were.
    """

    code = "CLI004"


@dataclass(frozen=True, slots=True)
class Output:
    """A format and its file; without one it goes to standard output."""

    format: str
    file: Path | None = None
    append: bool = False


# What everybody gets who asks for nothing; it must not wait for the table of formats.
_DEFAULT: Final = Output("text")


def parse_output(text: str) -> Output:
    """One value of `-o`.

    Raises:
        ValueError: for a format that does not exist, or a file without a name.
    """
    if text == _DEFAULT.format:
        return _DEFAULT
    from ordain.specs.writers import FORMATS

    name, given, file = text.partition("=")
    if name not in FORMATS:
        from difflib import get_close_matches

        close = get_close_matches(name, FORMATS, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; choose from {', '.join(FORMATS)}"
        raise ValueError(f"there is no format {name!r}{hint}")
    if given and not file:
        raise ValueError(f"{text!r} names no file; write {name}=FILE, or {name} alone")
    return Output(name, Path(file) if given else None)


def settle(outputs: Sequence[Output], environ: Mapping[str, str]) -> tuple[Output, ...]:
    """Give the summary of a job its file, and refuse what cannot all be written.

    Raises:
        click.UsageError: two formats for standard output, two for one file, or a file that is not
            to be replaced.
    """
    summary = environ.get(SUMMARY_VARIABLE)
    found = tuple(
        Output(one.format, Path(summary), append=True)
        if summary and one.format == _SUMMARY and one.file is None
        else one
        for one in outputs
    )
    shown = [one.format for one in found if one.file is None]
    if len(shown) > 1:
        raise click.UsageError(
            f"{' and '.join(shown)} cannot both go to standard output;"
            f" give one a file, as in -o {shown[-1]}=FILE"
        )
    files = [one.file for one in found if one.file is not None]
    for file in files:
        refuse_place(file)
    places = [os.path.realpath(file) for file in files if not is_special(file)]
    twice = next((place for place in places if places.count(place) > 1), None)
    if twice is not None:
        raise click.UsageError(f"two formats cannot both be written to {twice}")
    return found


def write_files(outputs: Sequence[Output], checked: Checked) -> None:
    """Write every output that has a file, or none.

    Raises:
        OutputError: one of them cannot be written.
    """
    from ordain.specs.writers import FORMATS

    try:
        with written_whole() as write:
            for one in outputs:
                if one.file is not None:
                    write(one.file, _content(one, one.file, FORMATS[one.format].write(checked)))
    except OSError as error:
        message = f"{error.filename} cannot be written: {error.strerror}"
        remedy = "check that its directory exists, is yours, and that the disk has room"
        raise OutputError(message, remedy=remedy) from error


def _content(one: Output, file: Path, data: bytes) -> bytes:
    """What shall stand in a file: what several commands add to is kept, as long as it has room."""
    before = b""
    if one.append and not is_special(file):
        with suppress(FileNotFoundError):
            before = file.read_bytes()
        data = data if len(before) + len(data) <= _SUMMARY_ROOM else _NO_ROOM
    return before + data
