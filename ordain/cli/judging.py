"""What was judged, and how it is told: shared by every command that asks the gate.

`check` and `gate` look at different things for different people, and must say the same of the same
commit. So both make one `Seen` and hand it on: to the writers, to the record, to the terminal.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from ordain.specs.errors import OrdainError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.cli.outputs import Output
    from ordain.policies.gate import Judgement
    from ordain.reconciler.gating import Judged, Side
    from ordain.reconciler.source import Source
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.explanations import Explanation
    from ordain.specs.findings import Finding, Severity
    from ordain.specs.writers.checked import Checked
    from ordain.vcs.errors import GitError


class RecordUnwritable(OrdainError):
    """The record of a verdict cannot be written.

    A verdict that leaves no record is not given: the command ends with exit code 2.
    """

    code = "VDT002"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gate said, and of what; `revision` and `base` are commits, or empty.

    `estates` are those whose rules were asked, that of a base before that of its head. `change` is
    there where a change could be judged as one.
    """

    judgement: Judgement
    findings: tuple[Finding, ...]
    tree: Mapping[str, bytes]
    estates: tuple[LoadedEstate, ...]
    revision: str = ""
    base: str = ""
    change: tuple[Side, Side, Judged] | None = None

    @property
    def command(self) -> tuple[str, ...]:
        """The command that judges the same again."""
        base = ("--base", self.base[:12]) if self.base else ()
        revision = ("--rev", self.revision[:12]) if self.revision else ()
        return ("ordain", "check", *base, *revision)

    def failed(self, least: Severity) -> bool:
        """Whether anything weighs as much as `least`."""
        return any(one.severity.reaches(least) for one in self.findings)


def judge_change(
    source: Source, onto: str, head: str, moment: datetime, *, number: int | None = None
) -> Seen:
    """Judge what merging one commit into another would change; `number` is its proposal's."""
    from ordain.reconciler.emergency_reading import overdue_by_claim
    from ordain.reconciler.review import judge_sides
    from ordain.vcs.errors import MergeConflict, UnrelatedHistories

    try:
        sides = judge_sides(source, onto, head, moment, number=number)
    except (MergeConflict, UnrelatedHistories) as error:
        return _judge_apart(source, onto, head, error, moment)
    seen = _seen(sides, head, onto)
    return replace(seen, findings=(*seen.findings, *overdue_by_claim(source, sides[0], moment)))


def judge_pushed(source: Source, onto: str, head: str, moment: datetime) -> Seen:
    """Judge what stands on a branch already, as the reconciler will, by what was before it."""
    from ordain.reconciler.gating import judge_commit, read_side

    before, after = read_side(source, onto), read_side(source, head)
    return _seen((before, after, judge_commit(source, before, after, moment)), head, onto)


def _seen(sides: tuple[Side, Side, Judged], head: str, onto: str) -> Seen:
    before, after, judged = sides
    estates = (before.estate, after.estate)
    return Seen(judged.judgement, judged.findings, after.tree, estates, head, onto, sides)


def _judge_apart(source: Source, onto: str, head: str, error: GitError, moment: datetime) -> Seen:
    """Judge a commit that does not merge by itself, so that all that is wrong with it is told."""
    from ordain.policies.gate import check
    from ordain.reconciler.gating import read_side
    from ordain.specs.findings import Finding, Location, Severity
    from ordain.vcs.errors import MergeConflict

    side = read_side(source, head)
    judgement = check(side.estate, moment, tree=side.tree)
    paths = error.paths if isinstance(error, MergeConflict) else ()
    both = "the two sides changed the same lines of this file"
    said = [
        Finding(error.code, Severity.ERROR, both, Location(path), remedy=error.remedy)
        for path in paths
    ] or [finding_of(error, Severity.ERROR)]
    findings = (*said, *judgement.findings)
    return Seen(judgement, findings, side.tree, (side.estate,), head, onto)


def finding_of(error: OrdainError, severity: Severity) -> Finding:
    from ordain.specs.findings import Finding

    return Finding(error.code, severity, error.message, error.location, remedy=error.remedy)


def described(
    seen: Seen, moment: datetime, fail_on: str = "error", settled: Sequence[Output] = ()
) -> Checked:
    """All that a writer may say: what was judged, by what, and what its codes mean."""
    from ordain.policies.records import described as of_gate
    from ordain.specs.findings import Severity
    from ordain.specs.writers import FORMATS

    return of_gate(
        seen.judgement,
        moment,
        seen.tree,
        findings=seen.findings,
        revision=seen.revision,
        base=seen.base,
        fail_on=Severity(fail_on),
        command=seen.command,
        pages=_pages(seen.estates) if any(FORMATS[one.format].pages for one in settled) else {},
    )


def record_of(source: Source, seen: Seen, moment: datetime) -> dict[str, Any]:
    """The record of what was seen of a change."""
    from ordain.policies.records import verdict_record
    from ordain.reconciler.verdicts import inputs_of

    judged = None if seen.change is None else seen.change[2]
    revision = seen.revision if judged is None else judged.revision
    inputs = inputs_of(source.repository, revision, seen.base, judged)
    return verdict_record(described(seen, moment), seen.judgement, inputs)


def write_record(place: Path, record: Mapping[str, Any]) -> None:
    """Write a record to a file.

    Raises:
        RecordUnwritable: it cannot be written.
    """
    from ordain.policies.records import record_bytes
    from ordain.specs.files import write_whole

    try:
        write_whole(place, record_bytes(record))
    except OSError as error:
        message = f"the record cannot be written to {error.filename}: {error.strerror}"
        remedy = "check that its directory exists, is yours, and that the disk has room"
        raise RecordUnwritable(message, remedy=remedy) from error


def _pages(estates: Iterable[LoadedEstate]) -> Mapping[str, Explanation]:
    """What is said about every code, those of the estate's own policies too."""
    from ordain.cli.explain import pages_of, register_all
    from ordain.specs.explanations import explanations

    register_all()
    own = pages_of(policy for estate in estates for policy in estate.all("Policy"))
    return {**own, **explanations()}


def write_out(checked: Checked, settled: Sequence[Output]) -> None:
    """Files first, so that nothing is shown when one of them cannot be written."""
    from ordain.cli.outputs import write_files
    from ordain.specs.diagnostics import shown, summary_line
    from ordain.specs.writers import FORMATS

    write_files(settled, checked)
    here = next((one.format for one in settled if one.file is None), None)
    if here is None:
        # Nothing stands on standard output, so whoever waits reads where it went.
        said = summary_line(checked.findings, len(checked.paths), len(checked.suppressed))
        files = ", ".join(shown(str(one.file)) for one in settled)
        click.echo(f"{said}: wrote {files}", err=True)
    elif here != "text":
        click.echo(FORMATS[here].write(checked), nl=False)


def show_text(ctx: click.Context, seen: Seen) -> None:
    """What a terminal gets; nothing of the writers is loaded for it."""
    from ordain.specs.diagnostics import render_text, waiver_words

    colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
    waived = [
        (one.finding, waiver_words(one.waiver, one.expires, one.approved_by, one.reason))
        for one in seen.judgement.suppressed
    ]
    click.echo(render_text(seen.findings, seen.tree, colour=colour, waived=waived))
    click.echo(f"Next: {following(seen.findings)}")


def following(findings: Sequence[Finding]) -> str:
    """What weighs most is what a reader mends first."""
    worst = min(findings, key=lambda one: one.severity.rank, default=None)
    return "ordain plan" if worst is None else f"ordain explain {worst.code}"
