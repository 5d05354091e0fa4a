"""One evaluation, many outputs: which format goes where, and how a file comes to be whole.

A CI step that fails in the middle must not leave half a report that the next step uploads. So every
file is first written beside its place, and only when all of them are on disk they take their names;
standard output comes last. What is no ordinary file (a device, a pipe) is written as it is: putting
another file in its place would remove it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        click.UsageError: two formats for standard output, or two for one file.
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
    files = [one.file for one in found if one.file is not None and not _special(one.file)]
    places = [file.resolve() for file in files]
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

    staged: list[tuple[Path, Path]] = []
    try:
        for one in outputs:
            if one.file is not None:
                data = FORMATS[one.format].write(checked)
                with _refused(one.file):
                    _stage(one, data, staged)
        for part, place in staged:
            with _refused(place):
                part.replace(place)
    except BaseException:
        for part, _ in staged:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise


def _stage(one: Output, data: bytes, staged: list[tuple[Path, Path]]) -> None:
    assert one.file is not None  # noqa: S101 - the caller has asked
    if _special(one.file):
        one.file.write_bytes(data)
        return
    # A link stays a link: what it points at gets the new content.
    place = one.file.resolve()
    before = b""
    if one.append:
        with suppress(FileNotFoundError):
            before = place.read_bytes()
        data = data if len(before) + len(data) <= _SUMMARY_ROOM else _NO_ROOM
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    with part.open("xb") as file:
        staged.append((part, place))
        file.write(before + data)
    with suppress(FileNotFoundError):
        part.chmod(place.stat().st_mode & 0o7777)


def _special(place: Path) -> bool:
    """Whether something is there that is no ordinary file."""
    return place.exists() and not place.is_file()


@contextmanager
def _refused(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"{place} cannot be written: {error.strerror or error}"
        remedy = "check that its directory exists, is yours, and that the disk has room"
        raise OutputError(message, remedy=remedy) from error
