"""The one place where an error becomes words and an exit code.

An `OrdainError` says where, what and how to mend it. Anything else is a defect of ours: it is said
to be one, in one line, with its traceback in a file beside the state and not on the terminal.
"""

from __future__ import annotations

import os
import tempfile
import traceback
from typing import TYPE_CHECKING

import click

from ordain.specs.errors import FindingsError, OrdainError

if TYPE_CHECKING:
    from ordain.specs.findings import Finding


def report_failure(error: Exception) -> int:
    """Print an error to the standard error stream and return the exit code."""
    if isinstance(error, OrdainError):
        _report_expected(error)
        return error.exit_code
    if isinstance(error, OSError):
        _report_refused(error)
    else:
        _report_defect(error)
    return 2


def _report_refused(error: OSError) -> None:
    """What the operating system refuses; it does not always say for which file."""
    from ordain.specs.diagnostics import one_line

    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    said = ": ".join(filter(None, (name, error.strerror or str(error))))
    click.echo(f"error[ORD002]: {one_line(said)}", err=True)
    remedy = "check that the path exists, is yours, and that the disk has room"
    click.echo(f"  = help: {remedy}", err=True)


def _report_defect(error: Exception) -> None:
    """Say that it is one, and where its traceback is, if that can be written."""
    from ordain.specs.diagnostics import one_line

    said = one_line(f"a defect in ordain: {type(error).__name__}: {error}")
    click.echo(f"error[ORD999]: {said}", err=True)
    place = _keep("".join(traceback.format_exception(error)))
    click.echo(f"  = help: please report it with {place or 'the command that led to it'}", err=True)


def _keep(text: str) -> str:
    """The file that holds a text for the person who reports it; nothing where it has no room."""
    try:
        with tempfile.NamedTemporaryFile(
            "w",
            prefix="ordain-defect-",
            suffix=".txt",
            delete=False,
            encoding="utf-8",
            errors="backslashreplace",
        ) as file:
            file.write(text)
    except OSError:
        return ""
    return file.name


def _report_expected(error: OrdainError) -> None:
    from ordain.specs.diagnostics import shown

    if isinstance(error, FindingsError):
        for finding in error.findings:
            click.echo(finding_line(finding), err=True)
    code = click.style(f"error[{error.code}]", fg="red", bold=True)
    click.echo(f"{code}: {shown(error.message)}", err=True)
    if error.location is not None:
        click.echo(f" --> {shown(str(error.location))}", err=True)
    if error.remedy:
        click.echo(f"  = help: {shown(error.remedy)}", err=True)


def finding_line(finding: Finding) -> str:
    """A finding on one or two lines, for places where its source text is not at hand."""
    from ordain.specs.diagnostics import shown

    place = f"{finding.location}: " if finding.location is not None else ""
    line = f"{finding.severity.value}[{finding.code}]: {place}{finding.message}"
    return shown(f"{line}\n  = help: {finding.remedy}" if finding.remedy else line)
