"""`ordain schema`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("target", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--modelines", is_flag=True, help="Also add the schema line to every document.")
@click.pass_obj
def command(directory: Path, target: Path | None, modelines: bool) -> None:
    """Write JSON Schemas for editors.

    TARGET is a directory, `schemas` inside the estate by default. With --modelines each YAML file
    gets a line that tells the editor where its schema is. The schema of what `ordain check -o json`
    prints is written beside those of the kinds, as findings.schema.json, and that of the record of
    a verdict as verdict.schema.json.
    """
    from ordain.policies.records_schema import FILE, record_schema
    from ordain.specs.files import write_whole
    from ordain.specs.schema import add_modelines, render, write_schemas
    from ordain.specs.trees import find_root

    root = find_root(directory)
    place = target or root / "schemas"
    written = (*write_schemas(place), place / FILE)
    write_whole(place / FILE, render(record_schema()).encode())
    click.echo(f"Wrote {len(written)} schemas to {place}.")
    if modelines:
        changed = add_modelines(root, place)
        click.echo(f"Added the schema line to {len(changed)} files.")
    click.echo(f"Next: {'ordain check' if modelines else 'ordain schema --modelines'}")
