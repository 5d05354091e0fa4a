"""`ordain explain`."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ordain.specs.documents import Document
    from ordain.specs.errors import OrdainError
    from ordain.specs.explanations import Explanation

# Each room lists its errors in one module; importing it makes their classes known.
_ERRORS = (
    "ordain.cli.founding",
    "ordain.cli.judging",
    "ordain.cli.outputs",
    "ordain.cli.pinning",
    "ordain.cli.pipelines",
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


_POLICY = "pol-"


@click.command()
@click.argument("subject")
@click.pass_obj
def command(directory: Path, subject: str) -> None:
    """Explain a code, a field or a pack of policies.

    SUBJECT is the code of a finding or error, such as SPEC104, a field, such as Model.spec.tier, a
    policy, such as POL-drift-limit, or a pack, such as baseline or baseline@1.0.0; the beginning of
    codes, such as SPEC, lists them. Inside an estate its own policies are known as well.
    """
    from ordain.policies.packs import pack_names
    from ordain.policies.pages import pack_topic
    from ordain.specs.explanations import explain

    register_all()
    text = pack_topic(subject)
    if text is None and subject.casefold().startswith(_POLICY):
        text = _policy(directory, subject)
    if text is not None:
        click.echo(text, nl=False)
        return
    click.echo(explain(subject, pack_names()), nl=False)
    click.echo("Next: ordain check")


def _policy(directory: Path, subject: str) -> str | None:
    """The page of a policy whose name alone is no code; the codes of the estate become known."""
    from ordain.policies.pages import policy_topic, shipped_policies
    from ordain.specs.explanations import explanations, register

    known = {code.casefold() for code in explanations()}
    if subject.casefold() in known:
        return None
    policies = _declared(directory)
    pages = pages_of(policies)
    register({code: page for code, page in pages.items() if code.casefold() not in known})
    if subject.casefold() in (code.casefold() for code in explanations()):
        return None
    return policy_topic(subject, (*policies, *shipped_policies()))


def pages_of(policies: Iterable[Document]) -> dict[str, Explanation]:
    """The pages of an estate's own policies, by code; the last one of a name counts."""
    from ordain.policies.pages import policy_pages

    return {code: page for policy in policies for code, page in policy_pages(policy)}


def _declared(directory: Path) -> tuple[Document, ...]:
    """The policies of the estate around the directory; none where there is no estate."""
    from ordain.specs.errors import SpecError
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import WorkTree, find_root

    try:
        root = find_root(directory)
    except SpecError:
        return ()
    return load_estate(WorkTree(root)).all("Policy")


def register_all() -> None:
    """Let every room register the pages of its codes."""
    from ordain.cli.codes import CODES as OURS
    from ordain.compilers.codes import CODES as COMPILERS
    from ordain.ledger.codes import CODES as LEDGER
    from ordain.policies.codes import CODES as POLICIES
    from ordain.policies.pages import pack_pages
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
        # Written as sentences there, but a page begins as the message of a finding does.
        title = f"{title[:1].lower()}{title[1:].rstrip('.')}"
        pages.setdefault(found.code, Page(title, why, "", remedy))
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
    return error.__name__
