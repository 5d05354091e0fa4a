"""Policies written in a test, compiled for a cluster."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from ordain.compilers.admission import compile_admission, version_of
from ordain.policies.engine import cel_engine
from ordain.policies.packs import load_pack
from ordain.policies.rulebook import rulebook
from ordain.policies.rules import compile_rules
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from ordain.compilers.admission import Admission
    from ordain.policies.rules import Rule
    from ordain.specs.findings import Finding

ESTATE = (
    b"apiVersion: ordain.dev/v1\nkind: Estate\nmetadata: {name: examples}\n"
    b"spec: {environments: [{name: production}]}\n"
)
HEAD = "apiVersion: ordain.dev/v1\nkind: Policy\nmetadata: {name: rule}\nspec:\n"


def rules_of(pack: str, version: str) -> list[Rule]:
    """The policies of one version of a pack."""
    found = load_pack(pack, version)
    made = [compile_rules(one, cel_engine(), origin=found.origin) for one in found.policies]
    return [rule for rules, _ in made for rule in rules]


def rules(*specs: str) -> list[Rule]:
    """Policies `rule`, `rule-2`, … of an estate; without any, those of the first baseline."""
    if not specs:
        return rules_of("baseline", "1.0.0")
    tree = {"ordain.yaml": ESTATE}
    for number, spec in enumerate(specs, 1):
        text = HEAD + "".join(f"  {line}\n" for line in dedent(spec).strip().splitlines())
        name = "rule" if number == 1 else f"rule-{number}"
        tree[f"policies/{name}.yaml"] = text.replace("name: rule}", f"name: {name}}}").encode()
    loaded = load_estate(tree)
    assert loaded.findings == ()
    book = rulebook(loaded, cel_engine())
    assert book.findings == ()
    functions = [one.rule for one in book.functions]
    return [one for one in (*book.rules, *functions) if one.origin == "estate"]


def compiled(*specs: str, version: str = "1.29", names: tuple[str, ...] = ()) -> Admission:
    """Those policies for a cluster, or the named ones of them."""
    chosen = [one for one in rules(*specs) if not names or one.name in names]
    return compile_admission(chosen, version_of(version), estate="examples")


def policies(made: Admission) -> list[dict[str, Any]]:
    assert made.refused == ()
    return [one for one in made.manifests if one["kind"] == "ValidatingAdmissionPolicy"]


def policy(spec: str, version: str = "1.29") -> dict[str, Any]:
    (found,) = policies(compiled(spec, version=version))
    spec_of: dict[str, Any] = found["spec"]
    return spec_of


def expression(text: str, version: str = "1.29", more: str = "") -> str:
    """The only validation of a policy with this expression."""
    lines = f"validations: [{{expression: {json.dumps(text, ensure_ascii=False)}, message: no}}]"
    (found,) = policy(f"{more}\n{lines}", version)["validations"]
    assert isinstance(found["expression"], str)
    return found["expression"]


def reasons(spec: str, version: str = "1.29") -> list[Finding]:
    (refused,) = compiled(spec, version=version).refused
    return list(refused.findings)


def said(spec: str, version: str = "1.29") -> list[tuple[str, str, str]]:
    """(code, place, reason) of everything that a cluster would not take."""
    prefix = "the policy rule cannot go to a cluster: "
    return [
        (one.code, str(one.location), one.message.removeprefix(prefix))
        for one in reasons(spec, version)
    ]
