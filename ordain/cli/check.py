"""`ordain check`."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ordain.cli.options import outputs_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.cli.judging import Seen
    from ordain.cli.outputs import Output
    from ordain.specs.trees import WorkTree


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
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --base: write the record of the verdict to this file.",
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
    record: Path | None,
    outputs: tuple[Output, ...],
) -> None:
    """Judge the estate: schema, references, policies.

    Looks at the files in the work tree, at one commit with --rev, or at a change with --base. The
    exit code is 1 when there are findings that block.

    One evaluation is written in as many formats as are asked for, each once: text, json, sarif,
    junit, github (annotations), github-summary, gitlab, openreports, markdown (for a pull request).
    """
    from ordain.cli.judging import described, show_text, write_out
    from ordain.cli.outputs import settle
    from ordain.specs.findings import Severity

    settled = settle(outputs, os.environ)
    if record is not None:
        _refuse_record(ctx, record, base)
    moment = now()
    # A check keeps nearly everything that it makes to its end, and makes no garbage in circles.
    gc.set_threshold(1_000_000, 20, 20)
    if base is not None:
        seen = _judge_change(directory, base, revision or "HEAD", moment, record)
    else:
        seen = _check_tree(directory, revision, moment, no_cache=no_cache)
    if any(one.file is not None or one.format != "text" for one in settled):
        write_out(described(seen, moment, fail_on, settled), settled)
    if any(one.file is None and one.format == "text" for one in settled):
        show_text(ctx, seen)
    ctx.exit(1 if seen.failed(Severity(fail_on)) else 0)


def _check_tree(directory: Path, revision: str | None, moment: datetime, *, no_cache: bool) -> Seen:
    from ordain.cli.caching import cache_of
    from ordain.cli.judging import Seen, finding_of
    from ordain.policies.gate import check
    from ordain.specs.estates import load_estate
    from ordain.specs.findings import Severity
    from ordain.specs.sources import lost_queries
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
    said = () if elsewhere is None else (finding_of(elsewhere, Severity.WARNING),)
    if revision is None:
        root = find_root(directory)
        said = (*said, *lost_queries(estate, lambda path: (root / path).is_file()))
    return Seen(judgement, (*said, *judgement.findings), tree, (estate,), commit)


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


def _refuse_record(ctx: click.Context, record: Path, base: str | None) -> None:
    from ordain.cli.places import refuse_place

    if base is None:
        raise click.UsageError("--record is about a change: say into what, with --base", ctx)
    refuse_place(record)


def _judge_change(
    directory: Path, base: str, revision: str, moment: datetime, record: Path | None
) -> Seen:
    from ordain.cli.judging import judge_change, record_of, write_record
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    onto, head = source.repository.resolve(base), source.repository.resolve(revision)
    seen = judge_change(source, onto, head, moment)
    if record is not None:
        write_record(record, record_of(source, seen, moment))
    return seen
