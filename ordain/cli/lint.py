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

    from ordain.specs.documents import Document
    from ordain.specs.findings import Finding, Severity

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

    found = _of_packs(packs) if packs else _of_estate(directory)
    findings = (*found[2], *lint(found[1], cel_engine()))
    if output == "json":
        click.echo(_json(findings, found, least=Severity(fail_on)))
    else:
        _print(ctx, findings, found)
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


def _json(findings: tuple[Finding, ...], looked_at: Policies, *, least: Severity) -> str:
    import ordain
    from ordain.policies.engine import cel_engine
    from ordain.policies.gate import verdict_of
    from ordain.policies.rules import compile_rules
    from ordain.specs.trees import is_document_path
    from ordain.specs.writers import documents
    from ordain.specs.writers.checked import Checked

    tree, policies, _ = looked_at
    engine = cel_engine()
    rules = [rule for one in policies for rule in compile_rules(one, engine)[0]]
    checked = Checked(
        verdict_of(findings),
        findings,
        now(),
        tree,
        paths=tuple(path for path in tree if is_document_path(path) or path.startswith("packs/")),
        tool_version=ordain.__version__,
        engine=engine.name,
        policies=tuple(sorted({(rule.name, rule.digest) for rule in rules})),
        fail_on=least,
        command=("ordain", "lint"),
    )
    return documents.render(checked)


def _print(ctx: click.Context, findings: tuple[Finding, ...], looked_at: Policies) -> None:
    from ordain.specs.diagnostics import render_text

    tree, policies, unread = looked_at
    colour = ctx.color if ctx.color is not None else sys.stdout.isatty()
    # The last line counts files. Here policies were looked at, and files only where they could
    # not be read.
    text, _, files = render_text(findings, tree, colour=colour).rpartition(" in ")
    number = "1 policy" if len(policies) == 1 else f"{len(policies):,} policies"
    click.echo(f"{text} in {files} and {number}" if unread else f"{text} in {number}")
    click.echo(f"Next: {_next(findings, looked_at)}")


def _next(findings: tuple[Finding, ...], looked_at: Policies) -> str:
    """What to do next; tests that are not there cannot be run."""
    from ordain.specs.trees import is_policy_test

    if findings:
        return f"ordain explain {findings[0].code}"
    tree = looked_at[0]
    tested = any(is_policy_test(path) or path.startswith("packs/") for path in tree)
    return "ordain test" if tested else "ordain check"
