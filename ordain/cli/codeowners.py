"""`ordain codeowners`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.trees import WorkTree


@click.command()
@click.option("--write", is_flag=True, help="Write the file to where the forge looks for it.")
@click.option("--check", is_flag=True, help="Compare the file; exit code 1 if it differs.")
@click.pass_obj
@click.pass_context
def command(ctx: click.Context, directory: Path, write: bool, check: bool) -> None:
    """Print the CODEOWNERS that the documents give.

    It says whom GitHub or GitLab asks for a review: who holds the roles that a path needs, by their
    accounts. `ordain check` refuses an estate on such a forge whose file says something else.
    """
    if write and check:
        raise click.UsageError("choose --write or --check")
    from ordain.policies.files import OWNERS_FILE
    from ordain.policies.owners import check_owners, owners
    from ordain.specs.files import write_whole

    estate, tree, root = _estate(directory)
    forge = estate.all("Estate")[0].spec.forge.type
    if forge not in OWNERS_FILE:
        click.echo("The forge of this estate is plain git, which knows no code owners.")
        click.echo("Next: ordain check")
        return
    path = OWNERS_FILE[forge]
    if not write and not check:
        click.echo(owners(estate, forge), nl=False)
        click.echo("Next: ordain codeowners --write", err=True)
        return
    found = list(check_owners(estate, tree))
    if found and check:
        finding = found[0]
        evidence = "".join(f"\n  {line}" for line in finding.evidence)
        click.echo(f"{finding.message}{evidence}\nNext: ordain codeowners --write")
        ctx.exit(1)
    if found:
        file = root / path
        file.parent.mkdir(exist_ok=True)
        write_whole(file, owners(estate, forge))
    click.echo(f"{'~' if found else '='} {path}")
    click.echo("Next: commit the change, then ordain check" if found else "Next: ordain check")


def _estate(directory: Path) -> tuple[LoadedEstate, WorkTree, Path]:
    """The documents of the work tree, all of them.

    Raises:
        SpecError: some cannot be read, so that their owners would be left out.
    """
    from ordain.specs.errors import SpecError
    from ordain.specs.estates import load_estate
    from ordain.specs.findings import blocking
    from ordain.specs.trees import WorkTree, find_root

    root = find_root(directory)
    tree = WorkTree(root)
    estate = load_estate(tree)
    if blocking(estate.findings) or not estate.all("Estate"):
        message = "some documents cannot be read, and their owners would be left out"
        raise SpecError(message, remedy="see: ordain check")
    return estate, tree, root
