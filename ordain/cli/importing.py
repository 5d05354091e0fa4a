"""`ordain import`: models that exist already become documents, and their files are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ordain.cli.options import output_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ordain.runtime.importing.conversion import Converted
    from ordain.specs.inventories import Entry

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
# What is told of a model, as people read it; the rest is called as in JSON.
_LABELS = {
    "confined": "the process that read it was confined in",
    "missing": "not available here",
    "madeBy": "made by",
}
_LONGEST_LINE = 500


@click.group()
def command() -> None:
    """Take over models that exist already."""


def _writing(function: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that writes documents."""
    for add in (
        click.option("--force", is_flag=True, help="Replace documents that are there."),
        click.option(
            "--dry-run", is_flag=True, help="Say what would be written, and write nothing."
        ),
        output_option,
    ):
        function = add(function)
    return function


def _described(function: Callable[..., None]) -> Callable[..., None]:
    """What a person has to say of a model, because no file does."""
    for add in (
        click.option("--name", help="Name of the model; by default that of the file."),
        click.option("--purpose", required=True, help="What its output is used for."),
        click.option("--owner", required=True, help="Team that answers for it."),
        click.option(
            "--tier", type=click.IntRange(1, 3), required=True, help="1 is the most material."
        ),
    ):
        function = add(function)
    return _writing(function)


@command.command()
@click.argument("file", type=_FILE)
@_described
@click.pass_obj
def sklearn(directory: Path, /, file: Path, **said: Any) -> None:  # noqa: ANN401 - click's
    """Take over a fitted scikit-learn pipeline from a pickle or joblib FILE.

    The file is read in a confined process that can look up listed names only, and kept as skops.
    """
    from ordain.runtime.importing.conversion import convert

    converted = convert(file)
    block = {"format": "skops", "inputs": converted.inputs, "origin": file.name}
    entry = _entry(file.stem, converted.task, said)
    _keep(directory, entry, block, converted.data, _found(converted), said)


def _found(converted: Converted) -> dict[str, Any]:
    """What a pickle turned out to hold, and how it was read."""
    return {
        "steps": converted.steps,
        "columns": converted.width,
        "classes": converted.classes,
        "confined": converted.held,
        "missing": converted.missing,
    }


@command.command()
@click.argument("file", type=_FILE)
@click.option(
    "--task",
    type=click.Choice(("classification", "regression", "clustering")),
    required=True,
    help="What kind of output it gives.",
)
@_described
@click.pass_obj
def onnx(directory: Path, /, file: Path, task: str, **said: Any) -> None:  # noqa: ANN401 - click's
    """Take over an ONNX FILE that stands on its own."""
    from ordain.runtime.importing.files import bounded_read
    from ordain.runtime.importing.onnx_models import describe_onnx

    data = bounded_read(file)
    found = describe_onnx(data, str(file))
    block = {"format": "onnx", "inputs": found.names, "origin": file.name}
    told = {
        "takes": found.inputs,
        "gives": found.outputs,
        "operators": found.operators,
        "madeBy": found.producer or "it does not say",
    }
    _keep(directory, _entry(file.stem, task, said), block, data, told, said)


@command.command()
@click.argument("model", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--task",
    type=click.Choice(("classification", "regression", "clustering")),
    help="What kind of output it gives; needed where its file does not say.",
)
@_described
@click.pass_obj
def mlflow(directory: Path, /, model: Path, task: str | None, **said: Any) -> None:  # noqa: ANN401
    """Take over the model in a directory that MLflow has written.

    What loads by running code of the directory is refused.
    """
    from ordain.runtime.importing.mlflow_models import find_model

    found = find_model(model)
    told: dict[str, Any] = {"flavour": f"{found.flavour} {found.library}".rstrip()}
    if found.flavour == "sklearn":
        from ordain.runtime.importing.conversion import convert

        converted = convert(found.file)
        data, task = converted.data, task or converted.task
        told |= _found(converted)
        inputs, form = found.inputs or converted.inputs, "skops"
    else:
        data, inputs, form = _native(found.flavour, found.file), found.inputs, found.flavour
    if task is None:
        raise click.UsageError(f"the flavour {found.flavour} does not say its task; add --task")
    block = {"format": form, "inputs": inputs, "origin": f"{model.name}/{found.file.name}"}
    _keep(directory, _entry(model.name, task, said), block, data, told, said)


def _native(flavour: str, file: Path) -> bytes:
    """A file in a format that holds no code, once it is one."""
    from ordain.runtime.importing.files import bounded_read
    from ordain.runtime.importing.native_models import MAXIMUM_BYTES, check_native
    from ordain.runtime.importing.onnx_models import describe_onnx

    if flavour == "onnx":
        data = bounded_read(file)
        describe_onnx(data, str(file))
    else:
        data = bounded_read(file, MAXIMUM_BYTES)
        check_native(flavour, data, str(file))
    return data


@command.command()
@click.argument("url")
@click.option("--provider", required=True, help="Who runs it.")
@click.option("--version", "its_version", default="", help="Version that the provider names.")
@click.option("--task", default="classification", show_default=True, help="What kind of output.")
@click.option("--allow-http", is_flag=True, help="Accept an address without TLS.")
@_described
@click.pass_obj
def endpoint(
    directory: Path,
    /,
    url: str,
    provider: str,
    its_version: str,
    task: str,
    allow_http: bool,
    **said: Any,  # noqa: ANN401 - click's
) -> None:
    """Take a vendor's model behind URL into the inventory; it is only observed.

    The address is written down and not asked.
    """
    from ordain.specs.addresses import address_problem, host_of
    from ordain.specs.inventories import model_document

    if problem := address_problem(url, allow_http=allow_http):
        without_tls = not address_problem(url, allow_http=True)
        raise click.UsageError(problem + (", or add --allow-http" if without_tls else ""))
    entry = replace(
        _entry(said["name"] or host_of(url), task, said),
        provider=provider,
        version=its_version,
        endpoint=url,
    )
    _write(directory, [(entry, model_document(entry, url))], {}, said)


@command.command()
@click.argument("file", type=_FILE)
@click.option(
    "--map",
    "renamed",
    multiple=True,
    metavar="THEIRS=OURS",
    help="A column of the table that is one of name, purpose, owner, tier, task, provider, "
    "version, endpoint. Repeat for more.",
)
@_writing
@click.pass_obj
def inventory(directory: Path, /, file: Path, renamed: tuple[str, ...], **said: Any) -> None:  # noqa: ANN401
    """Turn a table of models into documents: all of its rows, or none.

    FILE is CSV in UTF-8, one row for each model.
    """
    from ordain.runtime.importing.files import MAXIMUM_TABLE, bounded_read
    from ordain.specs.errors import SpecError
    from ordain.specs.inventories import model_document, read_inventory

    data = bounded_read(file, MAXIMUM_TABLE)
    if data.startswith(b"PK\x03\x04"):
        raise SpecError(f"{file} is a workbook", remedy="save the sheet as CSV in UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{file} is not UTF-8 text: byte {error.start}"
        raise SpecError(message, remedy="save the sheet as CSV in UTF-8") from error
    entries = read_inventory(text, str(file), _mapping(renamed))
    documents = [(entry, model_document(entry, file.name)) for entry in entries]
    _write(directory, documents, {}, said)


def _mapping(renamed: Sequence[str]) -> dict[str, str]:
    from ordain.specs.inventories import FIELDS

    found = {}
    for one in renamed:
        theirs, equals, ours = one.rpartition("=")
        if not equals or ours not in FIELDS:
            raise click.UsageError(
                f"--map {one!r}: write THEIRS=OURS, OURS one of {', '.join(FIELDS)}"
            )
        found[theirs] = ours
    return found


def _entry(stem: str, task: str, said: dict[str, Any]) -> Entry:
    from ordain.specs.inventories import Entry, slug

    name = slug(said["name"] or stem)
    if not name:
        raise click.UsageError(f"{stem!r} gives no name of a model; add --name")
    return Entry(name, said["purpose"], slug(said["owner"]), said["tier"], task)


def _keep(
    directory: Path,
    entry: Entry,
    block: dict[str, Any],
    data: bytes,
    told: dict[str, Any],
    said: dict[str, Any],
) -> None:
    """Put the file into the artifact store and write the document that names it."""
    import os

    from ordain.reconciler.source import open_source
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.specs.canonical import sha256
    from ordain.specs.inventories import model_document

    digest = sha256(data)
    entry = replace(entry, imported={"file": digest, **block})
    document = model_document(entry, block["origin"])
    kept = {"digest": digest, "bytes": len(data), "format": block["format"]}
    _refuse_taken(directory, [entry], said)
    if not said["dry_run"]:
        source = open_source(directory, os.environ)
        try:
            ArtifactStore(source.home.artifacts).put(data, pipeline=block["format"] == "skops")
        finally:
            source.repository.close()
    _write(directory, [(entry, document)], {"found": told, "file": kept}, said)


def _refuse_taken(directory: Path, entries: Sequence[Entry], said: dict[str, Any]) -> None:
    from ordain.specs.trees import find_root

    root = find_root(directory)
    taken = [entry.path for entry in entries if (root / entry.path).exists()]
    if taken and not said["force"]:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise click.UsageError(f"{taken[0]}{more} is there already; add --force to replace it")


def _write(
    directory: Path,
    documents: Sequence[tuple[Entry, bytes]],
    told: dict[str, Any],
    said: dict[str, Any],
) -> None:
    """Write all documents or none, and say what comes next."""
    from ordain.specs.diagnostics import cut, shown
    from ordain.specs.files import written_whole
    from ordain.specs.trees import find_root

    root = find_root(directory)
    _refuse_taken(directory, [entry for entry, _ in documents], said)
    if not said["dry_run"]:
        with written_whole() as write:
            for entry, data in documents:
                (root / entry.path).parent.mkdir(parents=True, exist_ok=True)
                write(root / entry.path, data)
    if said["output"] == "json":
        names = [{"model": entry.name, "path": entry.path} for entry, _ in documents]
        head = {"format": "ordain.import/1", "written": not said["dry_run"]}
        click.echo(json.dumps({**head, "models": names, **told}, sort_keys=True))
        return
    for line in _lines(told):
        click.echo(f"  {cut(shown(line), _LONGEST_LINE)}")
    for entry, _ in documents:
        click.echo(f"+ {entry.path}")
    if said["dry_run"]:
        click.echo("Nothing was written.")
    click.echo("Next: add a Compliance document for each, then ordain check")


def _lines(told: dict[str, Any]) -> Iterator[str]:
    """What is told of a model and its file, without what is empty."""
    for key, value in told.get("found", {}).items():
        between = "; " if key in ("confined", "missing") else ", "
        text = between.join(value) if isinstance(value, tuple) else str(value)
        if text:
            yield f"{_LABELS.get(key, key)}: {text}"
    if file := told.get("file"):
        yield f"file: {file['digest']} ({file['bytes']} bytes, {file['format']})"
