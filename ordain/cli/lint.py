"""`ordain lint`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ordain.cli.options import output_option
from ordain.cli.session import now

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ordain.policies.engine import Engine
    from ordain.specs.documents import Document
    from ordain.specs.findings import Finding

    Policies = tuple[Mapping[str, bytes], tuple[Document, ...], tuple[Finding, ...]]


@click.command()
@click.option(
    "--pack", "packs", multiple=True, metavar="NAME[@VERSION]", help="Look at a pack instead."
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "note")),
    default="error",
    show_default=True,
    help="The weight from which on the exit code is 1.",
)
@output_option
@click.pass_obj
@click.pass_context
def command(
    ctx: click.Context, directory: Path, packs: tuple[str, ...], fail_on: str, output: str
) -> None:
    """Find what is wrong with policies themselves.

    Fields that no schema has, comparisons that never hold, rules that ask about nothing, variables
    and params that are not declared or not used. The exit code is 1 when there are such errors.
    """
    from ordain.policies.engine import cel_engine
    from ordain.policies.lint.linting import lint
    from ordain.specs.findings import Severity

    tree, policies, unread = _of_packs(packs) if packs else _of_estate(directory)
    engine = cel_engine()
    findings = (*unread, *lint(policies, engine))
    if output == "json":
        click.echo(_as_json(findings, tree, policies, engine))
    else:
        _show(ctx, findings, tree, len(policies))
    least = Severity(fail_on)
    ctx.exit(1 if any(finding.severity.reaches(least) for finding in findings) else 0)


def _of_estate(directory: Path) -> Policies:
    """The policies of an estate, and what hinders reading its documents."""
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import find_root, work_tree

    tree = work_tree(find_root(directory))
    estate = load_estate(tree)
    return tree, estate.all("Policy"), estate.findings


def _of_packs(packs: Iterable[str]) -> Policies:
    from ordain.policies.packs import load_pack, pack_file

    tree: dict[str, bytes] = {}
    policies: list[Document] = []
    for one in packs:
        name, _, version = one.partition("@")
        pack = load_pack(name, version or None)
        path = f"{pack.name}/{pack.version}.yaml"
        tree[f"packs/{path}"] = pack_file(path)
        policies += pack.policies
    return tree, tuple(policies), ()


def _as_json(
    findings: tuple[Finding, ...],
    tree: Mapping[str, bytes],
    policies: Iterable[Document],
    engine: Engine,
) -> str:
    """What `ordain check -o json` writes, of the files that hold policies."""
    from ordain.policies.gate import verdict_of
    from ordain.specs.writers import documents
    from ordain.specs.writers.checked import Checked

    paths = tuple(sorted({document.path for document in policies}))
    verdict = verdict_of(findings)
    checked = Checked(verdict, findings, now(), tree, paths=paths, engine=engine.name)
    return documents.render(checked)


def _show(
    ctx: click.Context, findings: tuple[Finding, ...], tree: Mapping[str, bytes], policies: int
) -> None:
    from ordain.specs.diagnostics import render_text

    colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
    # The last line counts files; here it is policies that were looked at.
    text = render_text(findings, tree, colour=colour).rpartition(" in ")[0]
    click.echo(f"{text} in {policies:,} {'policy' if policies == 1 else 'policies'}")
    click.echo(f"Next: ordain explain {findings[0].code}" if findings else "Next: ordain test")
