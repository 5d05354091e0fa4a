"""`ordain compile`.

`admission` is a command below it and no target: what it prints belongs to a cluster and to no
environment of the estate.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ordain.cli.session import mention_dirty, now

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.compilers.admission import Admission
    from ordain.policies.rules import Rule
    from ordain.reconciler.gating import Side
    from ordain.specs.kinds.estate import Estate

_TARGETS = ("local", "kubernetes")


@click.group(invoke_without_command=True)
@click.option(
    "-t",
    "--target",
    type=click.Choice(_TARGETS),
    help="Where it would run; needed without a command.",
)
@click.option("--environment", help="Environment of the Estate; needed when there are several.")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit to compile.")
@click.option("--image", help="Container image with its digest, for Kubernetes.")
@click.pass_context
def command(
    ctx: click.Context,
    target: str | None,
    environment: str | None,
    revision: str,
    image: str | None,
) -> None:
    """Print what a target would get.

    Kubernetes manifests are YAML for `kubectl apply --server-side`; the local target prints its
    resources as JSON.
    """
    if ctx.invoked_subcommand is not None:
        given = ctx.get_parameter_source
        for name in ctx.params:
            if given(name) is not click.core.ParameterSource.DEFAULT:
                option = "rev" if name == "revision" else name
                message = f"--{option} is for targets; give options of a command behind its name"
                raise click.UsageError(message, ctx)
        return
    if target is None:
        choices = "".join(f"\n\t{one}" for one in _TARGETS)
        message = f"Missing option '-t' / '--target'. Choose from:{choices}"
        raise click.UsageError(message, ctx)
    _print_target(ctx.obj, target, environment, revision, image)


def _print_target(
    directory: Path, target: str, environment: str | None, revision: str, image: str | None
) -> None:
    side = _side(directory, revision)
    (declared,) = side.estate.all("Estate")
    name = _environment(declared.spec, environment)
    lock = side.tree.get(declared.spec.environment_lock, b"")
    if target == "local":
        from ordain.compilers.local import LocalSettings, compile_local

        for one in compile_local(side.estate, name, LocalSettings(lock)).resources:
            resource = {"kind": one.kind, "name": one.name, "digest": one.digest, "spec": one.spec}
            click.echo(json.dumps({"format": "ordain.resource/1", **resource}, sort_keys=True))
        return
    from ordain.compilers.kubernetes import compile_kubernetes, render

    if image is None:
        raise click.UsageError("--image is needed for Kubernetes: NAME@sha256:DIGEST")
    click.echo(render(compile_kubernetes(side.estate, name, image, lock=lock)), nl=False)


@command.command()
@click.option(
    "--kube-version",
    default="1.29",
    show_default=True,
    help="Version of Kubernetes of the cluster; before 1.30 the API has to be switched on there.",
)
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit to compile.")
@click.option(
    "--policy",
    "wanted",
    multiple=True,
    metavar="NAME",
    help="Compile this policy, or say why that cannot be done; repeatable. Otherwise all that can.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(("yaml", "json")),
    default="yaml",
    show_default=True,
    help="Documents for `kubectl apply`, or one JSON list of them.",
)
@click.pass_obj
def admission(
    directory: Path, kube_version: str, revision: str, wanted: tuple[str, ...], output: str
) -> None:
    """Print policies as admission control of a cluster.

    Policies that need nothing but the object become a ValidatingAdmissionPolicy and its binding.
    What stays with the gate is told on the standard error stream, with the place of every reason.
    """
    from ordain.compilers.admission import compile_admission, version_of
    from ordain.specs.findings import Severity

    version = version_of(kube_version)
    side = _side(directory, revision)
    (declared,) = side.estate.all("Estate")
    rules = _rules(side, wanted)
    severity = Severity.ERROR if wanted else Severity.NOTE
    made = compile_admission(rules, version, estate=declared.name, severity=severity)
    _tell_refused(made, strict=bool(wanted))
    _print_objects(made, output)
    policies = {(rule.name, rule.digest) for rule in rules}
    click.echo(f"{len(made.compiled)} of {len(policies)} policies compiled", err=True)
    step = (
        "kubectl apply --server-side -f FILE, with this in it" if made.compiled else "ordain check"
    )
    click.echo(f"Next: {step}", err=True)


def _rules(side: Side, wanted: tuple[str, ...]) -> list[Rule]:
    """The rules in force, or those of them that were named."""
    from ordain.policies.engine import cel_engine
    from ordain.policies.rulebook import rulebook

    book = rulebook(side.estate, cel_engine())
    rules = [*book.rules, *(function.rule for function in book.functions)]
    names = {rule.name for rule in rules}
    for name in wanted:
        if name not in names:
            from difflib import get_close_matches

            close = get_close_matches(name, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"no policy {name!r} is in force.{hint}")
    return [rule for rule in rules if not wanted or rule.name in wanted]


def _tell_refused(made: Admission, *, strict: bool) -> None:
    """Say why policies stay with the gate.

    Raises:
        FindingsError: when these policies were named.
    """
    from ordain.cli.failures import finding_line
    from ordain.specs.errors import FindingsError

    findings = tuple(finding for one in made.refused for finding in one.findings)
    if strict and findings:
        names = ", ".join(one.name for one in made.refused)
        message = f"a cluster cannot hold: {names}"
        raise FindingsError(message, findings, remedy=f"see: ordain explain {findings[0].code}")
    for one in made.refused:
        click.echo(finding_line(one.findings[0]), err=True)
        if len(one.findings) > 1:
            asked = f"ordain compile admission --policy {one.name}"
            click.echo(f"  = note: all {len(one.findings)} reasons: {asked}", err=True)


def _print_objects(made: Admission, output: str) -> None:
    if output == "json":
        objects = {"apiVersion": "v1", "kind": "List", "items": list(made.manifests)}
        click.echo(json.dumps(objects, indent=2, ensure_ascii=False))
        return
    from ordain.compilers.kubernetes import render

    click.echo(render(made.manifests), nl=False)


def _side(directory: Path, revision: str) -> Side:
    """The estate of a commit that passes the check."""
    import os

    from ordain.reconciler.gating import read_side
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    mention_dirty(source, revision)
    side = read_side(source, source.repository.resolve(revision))
    _refuse_broken(side)
    return side


def _refuse_broken(side: Side) -> None:
    from ordain.policies.gate import check
    from ordain.specs.errors import FindingsError

    judgement = check(side.estate, now(), tree=side.tree)
    if judgement.blocked:
        message = f"{side.revision[:12]} does not pass the check, so it is not compiled"
        raise FindingsError(message, judgement.findings, remedy="see: ordain check")


def _environment(settings: Estate, wanted: str | None) -> str:
    names = [one.name for one in settings.environments]
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    raise click.UsageError(f"name one environment with --environment: {', '.join(names)}")
