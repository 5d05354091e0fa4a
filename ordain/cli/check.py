"""`ordain check`."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from ordain.cli.options import outputs_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.cli.outputs import Output
    from ordain.policies.gate import Judgement
    from ordain.reconciler.source import Source
    from ordain.specs.documents import LoadedEstate
    from ordain.specs.errors import OrdainError
    from ordain.specs.explanations import Explanation
    from ordain.specs.findings import Finding, Severity
    from ordain.specs.trees import WorkTree
    from ordain.specs.writers.checked import Checked
    from ordain.vcs.errors import GitError


@click.command()
@click.option("--rev", "revision", help="Judge this commit instead of the work tree.")
@click.option(
    "--base", help="Judge what merging into this commit would change, approvals included."
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning")),
    default="error",
    show_default=True,
    help="The weight from which on the exit code is 1.",
)
@click.option(
    "--no-cache",
    is_flag=True,
    help="Read and ask everything in the work tree anew; ORDAIN_NO_CACHE=1 says the same.",
)
@outputs_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    revision: str | None,
    base: str | None,
    fail_on: str,
    no_cache: bool,
    outputs: tuple[Output, ...],
) -> None:
    """Judge the estate: schema, references, policies.

    Looks at the files in the work tree, at one commit with --rev, or at a change with --base. The
    exit code is 1 when there are findings that block.

    One evaluation is written in as many formats as are asked for, each once: text, json, sarif,
    junit, github (annotations), github-summary, gitlab, openreports, markdown (for a pull request).
    """
    from ordain.cli.outputs import settle
    from ordain.specs.findings import Severity

    settled = settle(outputs, os.environ)
    moment = now()
    # A check keeps nearly everything that it makes to its end, and makes no garbage in circles.
    gc.set_threshold(1_000_000, 20, 20)
    if base is not None:
        seen = _judge_change(directory, base, revision or "HEAD", moment)
    else:
        seen = _check_tree(directory, revision, moment, no_cache=no_cache)
    if any(one.file is not None or one.format != "text" for one in settled):
        _write(_described(seen, moment, fail_on, settled), settled)
    if any(one.file is None and one.format == "text" for one in settled):
        _show_text(ctx, seen)
    least = Severity(fail_on)
    ctx.exit(1 if any(one.severity.reaches(least) for one in seen.findings) else 0)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the gate said, and of what; `revision` and `base` are commits, or empty.

    `estates` are those whose rules were asked, that of a base before that of its head.
    """

    judgement: Judgement
    findings: tuple[Finding, ...]
    tree: Mapping[str, bytes]
    estates: tuple[LoadedEstate, ...]
    revision: str = ""
    base: str = ""

    @property
    def command(self) -> tuple[str, ...]:
        """The command that judges the same again."""
        base = ("--base", self.base[:12]) if self.base else ()
        revision = ("--rev", self.revision[:12]) if self.revision else ()
        return ("ordain", "check", *base, *revision)


def _check_tree(
    directory: Path, revision: str | None, moment: datetime, *, no_cache: bool
) -> _Seen:
    from ordain.cli.caching import cache_of
    from ordain.policies.gate import check
    from ordain.specs.estates import load_estate
    from ordain.specs.findings import Severity
    from ordain.specs.trees import find_root, misplaced

    tree, commit = _tree(directory, revision)
    elsewhere = misplaced(directory)
    if elsewhere is not None and revision is not None:
        raise elsewhere
    kept = revision is None and not no_cache
    cache = cache_of(find_root(directory), os.environ) if kept else None
    estate = load_estate(tree, cache)
    judgement = check(estate, moment, tree=tree, cache=cache)
    # The files may be right for all that; only what reads commits cannot find them.
    said = () if elsewhere is None else (_finding(elsewhere, Severity.WARNING),)
    return _Seen(judgement, (*said, *judgement.findings), tree, (estate,), commit)


def _tree(directory: Path, revision: str | None) -> tuple[Mapping[str, bytes], str]:
    """The work tree around the directory, or the tree of a commit and its name."""
    if revision is None:
        return _files(directory), ""
    from ordain.reconciler.trees import CommitTree
    from ordain.vcs.git import Repository

    repository = Repository.open(directory)
    commit = repository.resolve(revision)
    return CommitTree(repository, commit), commit


def _files(directory: Path) -> WorkTree:
    from ordain.specs.errors import SpecError
    from ordain.specs.trees import WorkTree, find_root

    try:
        return WorkTree(find_root(directory))
    except SpecError as error:
        if not _is_bare(directory):
            raise
        message = f"{directory} is a bare repository, which has commits and no files"
        remedy = "name a commit: ordain check --rev COMMIT"
        raise SpecError(message, remedy=remedy) from error


def _is_bare(directory: Path) -> bool:
    from ordain.vcs.errors import GitError
    from ordain.vcs.git import Repository

    try:
        with Repository.open(directory) as repository:
            return repository.bare
    except GitError:
        return False


def _judge_change(directory: Path, base: str, revision: str, moment: datetime) -> _Seen:
    from ordain.reconciler.emergency_reading import overdue_by_claim
    from ordain.reconciler.review import judge_sides
    from ordain.reconciler.source import open_source
    from ordain.vcs.errors import MergeConflict, UnrelatedHistories

    source = open_source(directory, os.environ)
    onto, head = source.repository.resolve(base), source.repository.resolve(revision)
    try:
        before, after, judged = judge_sides(source, onto, head, moment)
    except (MergeConflict, UnrelatedHistories) as error:
        return _judge_apart(source, onto, head, error, moment)
    estates = (before.estate, after.estate)
    findings = (*judged.findings, *overdue_by_claim(source, before, moment))
    return _Seen(judged.judgement, findings, after.tree, estates, head, onto)


def _judge_apart(source: Source, onto: str, head: str, error: GitError, moment: datetime) -> _Seen:
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
    ] or [_finding(error, Severity.ERROR)]
    findings = (*said, *judgement.findings)
    return _Seen(judgement, findings, side.tree, (side.estate,), head, onto)


def _finding(error: OrdainError, severity: Severity) -> Finding:
    from ordain.specs.findings import Finding

    return Finding(error.code, severity, error.message, error.location, remedy=error.remedy)


def _described(seen: _Seen, moment: datetime, fail_on: str, settled: Sequence[Output]) -> Checked:
    """All that a writer may say: what was judged, by what, and what its codes mean."""
    from ordain.policies.gate import verdict_of
    from ordain.specs.findings import Severity
    from ordain.specs.trees import is_document_path
    from ordain.specs.writers import FORMATS
    from ordain.specs.writers.checked import Checked, Waived

    judgement = seen.judgement
    return Checked(
        verdict_of(seen.findings),
        seen.findings,
        moment,
        seen.tree,
        tuple(
            Waived(one.finding, one.waiver, one.reason, one.approved_by, one.expires, one.subject)
            for one in judgement.suppressed
        ),
        paths=tuple(filter(is_document_path, seen.tree)),
        engine=judgement.engine,
        policies=judgement.policies,
        revision=seen.revision,
        base=seen.base,
        change=judgement.kind.value if judgement.kind is not None else "",
        fail_on=Severity(fail_on),
        command=seen.command,
        pages=_pages(seen.estates) if any(FORMATS[one.format].pages for one in settled) else {},
    )


def _pages(estates: Iterable[LoadedEstate]) -> Mapping[str, Explanation]:
    """What is said about every code, those of the estate's own policies too."""
    from ordain.cli.explain import pages_of, register_all
    from ordain.specs.explanations import explanations

    register_all()
    own = pages_of(policy for estate in estates for policy in estate.all("Policy"))
    return {**own, **explanations()}


def _write(checked: Checked, settled: Sequence[Output]) -> None:
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


def _show_text(ctx: click.Context, seen: _Seen) -> None:
    """What a terminal gets; nothing of the writers is loaded for it."""
    from ordain.specs.diagnostics import render_text, waiver_words

    colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
    waived = [
        (one.finding, waiver_words(one.waiver, one.expires, one.approved_by, one.reason))
        for one in seen.judgement.suppressed
    ]
    click.echo(render_text(seen.findings, seen.tree, colour=colour, waived=waived))
    click.echo(f"Next: {_next(seen.findings)}")


def _next(findings: Sequence[Finding]) -> str:
    """What weighs most is what a reader mends first."""
    worst = min(findings, key=lambda one: one.severity.rank, default=None)
    return "ordain plan" if worst is None else f"ordain explain {worst.code}"
