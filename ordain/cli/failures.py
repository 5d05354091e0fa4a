"""The one place where an error becomes words and an exit code.

An `OrdainError` says where, what and how to mend it. Anything else is a defect of ours: it is said
to be one, in one line, with its traceback in a file beside the state and not on the terminal.
"""

from __future__ import annotations

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
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(f"error[ORD002]: {error.filename}: {error.strerror}", err=True)
        click.echo(
            "  = help: check that the path exists, is yours, and that the disk has room", err=True
        )
        return 2
    with tempfile.NamedTemporaryFile(
        "w", prefix="ordain-defect-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    click.echo(f"error[ORD999]: a defect in ordain: {type(error).__name__}: {error}", err=True)
    click.echo(f"  = help: please report it with {file.name}", err=True)
    return 2


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
