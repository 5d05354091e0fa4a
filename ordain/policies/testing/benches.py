"""What is tested: the policies of an estate, or those of a pack that ships."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from ordain.policies.errors import NoTestsError
from ordain.policies.packs import load_pack, pack_file
from ordain.policies.rulebook import rulebook
from ordain.policies.rules import ESTATE, compile_rules
from ordain.policies.testing.drafts import DraftError
from ordain.policies.testing.running import Bench, run
from ordain.specs.errors import FindingsError
from ordain.specs.estates import load_estate
from ordain.specs.findings import blocking
from ordain.specs.loader import parse
from ordain.specs.reading import read_document
from ordain.specs.trees import is_policy_test

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ordain.policies.engine import Engine
    from ordain.policies.packs import Pack
    from ordain.policies.rules import Rule
    from ordain.policies.testing.drafts import Documents
    from ordain.policies.testing.reports import Report


def run_estate(
    tree: Mapping[str, bytes], paths: Sequence[str], engine: Engine, *, watch: bool
) -> Report:
    """The tests of an estate, below some paths in it or all of them.

    Coverage is that of the policies which the estate itself declares.

    Raises:
        NoTestsError: when there are no tests, or none below one of the paths.
        FindingsError: when the estate has errors, or policies that do not compile.
    """
    chosen = _chosen(tree, paths)
    estate = load_estate(tree)
    book = rulebook(estate, engine)
    findings = (*estate.findings, *book.findings)
    if blocking(findings):
        message = "the estate has errors, so its policies cannot be tested"
        raise FindingsError(message, findings, remedy="run: ordain check")
    bench = Bench(engine, book.rules, estate.documents, tree)
    own = [rule.name for rule in book.rules if rule.origin == ESTATE]
    return run(chosen, bench, own if watch else None)


def _chosen(tree: Mapping[str, bytes], paths: Sequence[str]) -> tuple[str, ...]:
    """The files of tests that are meant."""
    tests = tuple(path for path in tree if is_policy_test(path))
    if not tests:
        remedy = "write policies/NAME.test.yaml; `ordain explain TEST005` shows how"
        raise NoTestsError("this estate has no tests of policies", remedy=remedy)
    for path in paths:
        if not any(PurePosixPath(test).is_relative_to(path) for test in tests):
            message = f"there are no tests of policies in {path}"
            raise NoTestsError(message, remedy=f"name one of: {', '.join(tests)}")
    if not paths:
        return tests
    return tuple(
        test for test in tests if any(PurePosixPath(test).is_relative_to(path) for path in paths)
    )


def run_pack(name: str, version: str | None, engine: Engine, *, watch: bool) -> Report:
    """The examples of a pack, which are its tests.

    Raises:
        PackError: for a pack or a version that does not ship with ordain.
    """
    pack = load_pack(name, version)
    rules: list[Rule] = []
    for document in pack.policies:
        made, findings = compile_rules(document, engine, origin=pack.origin)
        if findings:
            raise FindingsError(f"the pack {pack.origin} does not compile", findings)
        rules += made
    names = (f"{pack.name}/{pack.version}.yaml", f"{pack.name}/{pack.version}.examples.yaml")
    tree = {f"packs/{one}": pack_file(one) for one in names}
    bench = Bench(engine, tuple(rules), {}, tree, _policy_set(pack))
    return run(
        [f"packs/{names[1]}"],
        bench,
        list(dict.fromkeys(rule.name for rule in rules)) if watch else None,
    )


def _policy_set(pack: Pack) -> Documents:
    """The document that puts exactly this version of a pack in force; examples edit its params."""
    text = f"""
apiVersion: ordain.dev/v1
kind: PolicySet
metadata: {{name: pack}}
spec: {{packs: [{{name: {pack.name}, version: {pack.version}, params: {{}}}}]}}
"""
    path = "specs/pack.yaml"
    document, findings = read_document(parse(text.encode(), path).nodes[0], path)
    if document is None:
        raise DraftError(findings)
    return {document.key: document}
