"""`ordain check`."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import click

from ordain.cli.options import output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ordain.specs.findings import Finding


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
@output_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context,
    directory: Path,
    revision: str | None,
    base: str | None,
    fail_on: str,
    no_cache: bool,
    output: str,
) -> None:
    """Judge the estate: schema, references, policies.

    Looks at the files in the work tree, at one commit with --rev, or at a change with --base. The
    exit code is 1 when there are findings that block.
    """
    # A check keeps nearly everything that it makes to its end, and makes no garbage in circles.
    gc.set_threshold(1_000_000, 20, 20)
    if base is not None:
        tree, findings = _judge_change(directory, base, revision or "HEAD")
    else:
        tree, findings = _check_tree(directory, revision, no_cache=no_cache)
    _print(ctx, findings, tree, output)
    weights = {"error"} if fail_on == "error" else {"error", "warning"}
    ctx.exit(1 if any(finding.severity.value in weights for finding in findings) else 0)


def _check_tree(
    directory: Path, revision: str | None, *, no_cache: bool
) -> tuple[Mapping[str, bytes], Sequence[Finding]]:
    import os

    from ordain.cli.caching import cache_of
    from ordain.policies.gate import check
    from ordain.specs.estates import load_estate

    tree = _tree(directory, revision)
    kept = revision is None and not no_cache
    cache = cache_of(find_root(directory), os.environ) if kept else None
    estate = load_estate(tree, cache)
    return tree, check(estate, now(), tree=tree, cache=cache).findings


def _tree(directory: Path, revision: str | None) -> Mapping[str, bytes]:
    """The work tree around the directory, or the tree of a commit."""
    from ordain.specs.trees import WorkTree

    if revision is None:
        return WorkTree(find_root(directory))
    from ordain.reconciler.trees import CommitTree
    from ordain.vcs.git import Repository

    repository = Repository.open(directory)
    return CommitTree(repository, repository.resolve(revision))


def find_root(directory: Path) -> Path:
    """The nearest directory above that holds `ordain.yaml`; no git is needed to check files."""
    from ordain.specs.errors import SpecError

    start = directory.resolve()
    for place in (start, *start.parents):
        if (place / "ordain.yaml").is_file():
            return place
    message = f"there is no ordain.yaml in {start} or above it"
    raise SpecError(message, remedy="make an estate with: ordain init DIRECTORY")


def _judge_change(
    directory: Path, base: str, revision: str
) -> tuple[Mapping[str, bytes], Sequence[Finding]]:
    import os

    from ordain.reconciler.review import judge_revision
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    onto, head = source.repository.resolve(base), source.repository.resolve(revision)
    judged = judge_revision(source, onto, head, now())
    return source.tree(judged.revision), judged.findings


def _print(
    ctx: click.Context, findings: Sequence[Finding], tree: Mapping[str, bytes], output: str
) -> None:
    from ordain.specs.diagnostics import render_json, render_text
    from ordain.specs.trees import is_document_path

    if output == "json":
        files = sum(map(is_document_path, tree))
        click.echo(render_json(findings, summary={"files": files}, tree=tree), nl=False)
        return
    colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
    click.echo(render_text(findings, tree, colour=colour))
    click.echo(f"Next: ordain explain {findings[0].code}" if findings else "Next: ordain plan")
