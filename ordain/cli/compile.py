"""`ordain compile`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ordain.cli.session import now

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.gating import Side
    from ordain.specs.kinds.estate import Estate


@click.command()
@click.option(
    "-t",
    "--target",
    type=click.Choice(("local", "kubernetes")),
    required=True,
    help="Where it would run.",
)
@click.option("--environment", help="Environment of the Estate; needed when there are several.")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit to compile.")
@click.option("--image", help="Container image with its digest, for Kubernetes.")
@click.pass_obj
def command(
    directory: Path, target: str, environment: str | None, revision: str, image: str | None
) -> None:
    """Print what a target would get.

    Kubernetes manifests are YAML for `kubectl apply --server-side`; the local target prints its
    resources as JSON.
    """
    import os

    from ordain.reconciler.gating import read_side
    from ordain.reconciler.source import open_source

    source = open_source(directory, os.environ)
    side = read_side(source, source.repository.resolve(revision))
    _refuse_broken(side)
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
