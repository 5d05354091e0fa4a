"""`ordain explain`."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ordain.specs.errors import OrdainError
    from ordain.specs.explanations import Explanation

# Each room lists its errors in one module; importing it makes their classes known.
_ERRORS = (
    "ordain.cli.founding",
    "ordain.cli.outputs",
    "ordain.cli.pinning",
    "ordain.cli.reporting",
    "ordain.compilers.errors",
    "ordain.ledger.errors",
    "ordain.policies.errors",
    "ordain.reconciler.errors",
    "ordain.reports.decisions",
    "ordain.reports.errors",
    "ordain.runtime.errors",
    "ordain.runtime.monitoring.errors",
    "ordain.runtime.reasons.errors",
    "ordain.runtime.serving.errors",
    "ordain.vcs.errors",
)


@click.command()
@click.argument("subject")
def command(subject: str) -> None:
    """Explain a code or a field.

    SUBJECT is the code of a finding or error, such as SPEC104, or a field, such as Model.spec.tier.
    """
    from ordain.specs.explanations import explain

    register_all()
    click.echo(explain(subject), nl=False)
    click.echo("Next: ordain check")


def register_all() -> None:
    """Let every room register the pages of its codes."""
    from ordain.cli.codes import CODES as OURS
    from ordain.compilers.codes import CODES as COMPILERS
    from ordain.ledger.codes import CODES as LEDGER
    from ordain.policies.codes import CODES as POLICIES
    from ordain.policies.codes import pack_pages
    from ordain.reconciler.codes import CODES as RECONCILER
    from ordain.runtime.codes import CODES as RUNTIME
    from ordain.specs.explanations import explanations, register

    for pages in (OURS, COMPILERS, LEDGER, POLICIES, pack_pages(), RECONCILER, RUNTIME):
        register(pages)
    for name in _ERRORS:
        importlib.import_module(name)
    known = explanations()
    register({code: page for code, page in _error_pages().items() if code not in known})


def _error_pages() -> dict[str, Explanation]:
    """A page for every error class: its own words, since the message says the rest."""
    from ordain.specs.errors import OrdainError as Root
    from ordain.specs.explanations import Explanation as Page

    pages: dict[str, Explanation] = {}
    classes: list[type[OrdainError]] = [Root]
    while classes:
        found = classes.pop()
        classes.extend(found.__subclasses__())
        title, _, rest = (found.__doc__ or _drawn(found)).strip().partition("\n")
        why = " ".join(rest.split()) or f"The command ends with exit code {found.exit_code}."
        remedy = "do what the message asks for"
        pages.setdefault(found.code, Page(title.rstrip("."), why, "", remedy))
    return pages


def _drawn(error: type[OrdainError]) -> str:
    """What the tree at the head of its module says of an error class."""
    tree = importlib.import_module(error.__module__).__doc__ or ""
    for line in tree.splitlines():
        _, found, text = line.partition(f" {error.__name__} ")
        if found:
            said = re.sub(r"^\s*([A-Z]{3,4}[0-9]{3})?\s*", "", text)
            if said:
                return said
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", error.__name__).capitalize()
