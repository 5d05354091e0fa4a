"""`ordain provenance`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.options import output_option
from ordain.cli.session import open_session
from ordain.cli.version_names import version_argument

if TYPE_CHECKING:
    from ordain.cli.session import Session
    from ordain.cli.version_names import VersionName
    from ordain.reconciler.attesting import Proven


@click.command()
@version_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write statement and bill of materials, as signed, and the members, into this directory.",
)
@output_option
@click.pass_obj
def command(directory: Path, version: VersionName, out: Path | None, output: str) -> None:
    """Verify and show where a version came from.

    For MODEL@VERSION git holds an in-toto statement with SLSA provenance and a CycloneDX bill of
    materials, signed by the reconciler (DSSE). Both are verified before they are shown.
    """
    from ordain.compilers.serving import trusted_keys
    from ordain.reconciler.attesting import prove_origin
    from ordain.reconciler.versions import version_named
    from ordain.runtime.provenance.dsse import read_keys
    from ordain.specs.canonical import canonical_json
    from ordain.specs.evidence import evidence_path

    with open_session(directory) as session:
        side = session.in_force()
        document = version_named(side.estate, *version)
        proven = prove_origin(side.tree, document.spec, read_keys(trusted_keys(side.estate)))
        envelopes = {
            "statement.dsse.json": side.tree[evidence_path(document.spec.provenance.statement)],
            "bom.dsse.json": side.tree[evidence_path(document.spec.provenance.bom)],
            "statement.json": canonical_json(proven.statement),
            "bom.json": canonical_json(proven.bom),
        }
        if out is not None:
            envelopes |= _members(session, document.spec.artifact)
    if out is not None:
        _write(out, envelopes)
    if output == "json":
        click.echo(json.dumps({"statement": proven.statement, "bom": proven.bom}, sort_keys=True))
        return
    _tell(version, proven)
    click.echo(f"Next: ordain reproduce {version.model}@{version.number}")


def _members(session: Session, digest: str) -> dict[str, bytes]:
    """The members of the artifact, proven, if this machine has it: the statement names them."""
    from ordain.runtime.artifacts import ArtifactStore, load_artifact

    store = ArtifactStore(session.source.home.artifacts)
    if not store.has(digest):
        click.echo("note: the artifact is not on this machine; its members are left out", err=True)
        return {}
    return dict(load_artifact(store, digest).members)


def _write(directory: Path, files: dict[str, bytes]) -> None:
    """The envelopes as signed, what they hold as plain JSON for other tools, and the members."""
    from ordain.specs.files import written_whole

    directory.mkdir(parents=True, exist_ok=True)
    with written_whole() as write:
        for name, data in files.items():
            write(directory / name, data)
    click.echo(f"Wrote {', '.join(files)} into {directory}.", err=True)


def _tell(version: VersionName, proven: Proven) -> None:
    definition = proven.statement["predicate"]["buildDefinition"]
    details = proven.statement["predicate"]["runDetails"]
    recipe = definition["externalParameters"]["recipe"]
    click.echo(f"{version.model}@{version.number} was signed by {proven.key.fingerprint}.")
    for subject in proven.statement["subject"]:
        click.echo(f"  made   {subject['name']:<18} sha256:{subject['digest']['sha256']}")
    for name in ("digest", "spec", "dataset", "data", "environment"):
        click.echo(f"  recipe {name:<18} {recipe[name]}")
    for one in definition["resolvedDependencies"]:
        click.echo(f"  from   {one['name']:<18} {_source(one)}")
    times = details["metadata"]
    click.echo(
        f"  by     {details['builder']['id']}, ordain {details['builder']['version']['ordain']}"
    )
    click.echo(f"  at     {times['finishedOn']}")


def _source(dependency: dict[str, Any]) -> str:
    if "uri" in dependency:
        return str(dependency["uri"])
    return ", ".join(f"{kind}:{value}" for kind, value in sorted(dependency["digest"].items()))
