"""`ordain lock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.pass_obj
def command(directory: Path) -> None:
    """Write the versions that training runs with.

    The lock is part of every recipe: models are made again when it changes, and training refuses to
    run with other versions. A library that only some estimators need (lightgbm, xgboost) is in it
    where a Model names such an estimator.
    """
    from ordain.runtime.environment import installed, render_lock
    from ordain.specs.estates import load_estate
    from ordain.specs.files import write_whole
    from ordain.specs.tasks import estimators_named
    from ordain.specs.trees import WorkTree
    from ordain.vcs.git import Repository

    with Repository.open(directory) as repository:
        root = repository.path
    estate = load_estate(WorkTree(root))
    found = estate.all("Estate")
    name = found[0].spec.environment_lock if found else "environment.lock"
    file = root / name
    models = (one.spec for one in estate.all("Model"))
    wanted = render_lock(installed(estimators_named(models)))
    if file.is_file() and file.read_bytes() == wanted:
        click.echo(f"= {name}\nNext: ordain check")
        return
    write_whole(file, wanted)
    click.echo(f"~ {name}")
    click.echo("Next: commit the change; every model will be made again")
