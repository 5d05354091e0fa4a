"""Every case of a suite, asked of the engine that judges changes.

A case below `policies` asks that policy, and those whose codes it lists under `also`; a case below
`cases` asks all that are in force, as the gate would. A policy about a change is asked of what the
change touches and of nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ordain.policies.rules import ESTATE
from ordain.policies.testing.coverage import Coverage
from ordain.policies.testing.drafts import Documents, DraftError, written
from ordain.policies.testing.expectations import Found, unmet
from ordain.policies.testing.reports import Report, Result
from ordain.policies.testing.scenes import Tree, scene
from ordain.policies.testing.suites import read_suite
from ordain.specs.diagnostics import Sources
from ordain.specs.errors import SpecError
from ordain.specs.estates import unreadable
from ordain.specs.findings import Finding, Severity
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ordain.policies.engine import Engine
    from ordain.policies.rules import Rule
    from ordain.policies.testing.scenes import Scene
    from ordain.policies.testing.suites import Place, Read, Stated
    from ordain.specs.documents import Document


@dataclass(frozen=True)
class Bench:
    """What cases are run on: the policies under test, and the documents that they edit.

    `rules` are all that are in force; `tree` holds the files beside the documents; `added` are
    documents that stand beside those of a file of tests.
    """

    engine: Engine
    rules: tuple[Rule, ...]
    documents: Documents
    tree: Mapping[str, bytes]
    added: Documents = field(default_factory=dict)

    @cached_property
    def sources(self) -> Sources:
        """The lines of these files."""
        return Sources(self.tree)


def run(paths: Iterable[str], bench: Bench, watched: Collection[str] | None = None) -> Report:
    """The tests in some files of the bench's tree.

    `watched` are the names of the policies whose coverage is wanted; None for no coverage.
    """
    coverage = None
    if watched is not None:
        coverage = Coverage(rule for rule in bench.rules if rule.name in watched)
    results: list[tuple[str, tuple[Result, ...]]] = []
    wrong: list[Finding] = []
    for path in paths:
        read, findings = _read(bench.tree, path)
        wrong += findings
        if read is not None:
            results.append((path, tuple(run_suite(read, bench, coverage))))
    covered = coverage.covered() if coverage is not None else None
    asked = tuple(sorted({(rule.name, rule.digest) for rule in bench.rules}))
    return Report(tuple(results), tuple(wrong), bench.tree, covered, bench.engine.name, asked)


def _read(tree: Mapping[str, bytes], path: str) -> tuple[Read | None, tuple[Finding, ...]]:
    """The tests in a file of a tree, or what is wrong with it."""
    try:
        data = tree[path]
    except (SpecError, OSError) as error:
        return None, (unreadable(path, error),)
    return read_suite(data, path)


def run_suite(read: Read, bench: Bench, coverage: Coverage | None = None) -> Iterator[Result]:
    """Every case, in the order of the file; what cannot be run has failed."""
    base: Tree | DraftError
    try:
        base = _base(read, bench)
    except DraftError as error:
        base = error
    for stated in read.stated():
        try:
            if isinstance(base, DraftError):
                raise base
            yield _run(stated, base, read.suite.now, bench, coverage)
        except DraftError as error:
            yield Result(stated, _not_run(stated, error.findings))


def _base(read: Read, bench: Bench) -> Tree:
    """What the cases of a file edit.

    Raises:
        DraftError: when a document of the file is none.
    """
    suite = read.suite
    documents = bench.documents
    if suite.estate is not None:
        documents = {**bench.added, **written(suite.estate, read.place.at("estate"))}
    return Tree(documents, {path: text.encode() for path, text in suite.files.items()})


def _run(
    stated: Stated, base: Tree, now: str | None, bench: Bench, coverage: Coverage | None
) -> Result:
    rules = _asked(stated, bench)
    set_up = scene(base, stated, now, bench.tree)
    given = stated.case.params
    rules = tuple(_with(rule, _params(rule, set_up) | given) for rule in rules)
    asked = list(_pairs(rules, set_up))
    if stated.policy and not asked:
        return Result(stated, (_of_nothing(stated, rules[0]),))
    found = list(_found(asked, set_up, coverage))
    return Result(stated, tuple(unmet(stated, found, bench.sources)))


def _not_run(stated: Stated, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """What hinders a case, and which case that is."""
    here = (stated.place.key, f"the case `{stated.name}` cannot be run")
    return tuple(replace(finding, related=(here, *finding.related)) for finding in findings)


def _asked(stated: Stated, bench: Bench) -> tuple[Rule, ...]:
    """The rules that a case asks, with its parameters.

    Raises:
        DraftError: when there is no such policy or parameter.
    """
    known = {rule.name: rule for rule in bench.rules}
    name, params = stated.policy, stated.case.params
    if name and name not in known:
        raise _unknown(f"there is no policy {name} in force here", name, known, stated.place)
    rules = bench.rules
    if name:
        rules = tuple(rule for rule in rules if rule.name == name or _is_of(rule, stated.case.also))
    declared = {param for rule in rules for param in rule.params}
    for param in params:
        if param not in declared:
            message = f"no policy of this case has the parameter {param}"
            raise _unknown(message, param, declared, stated.place.at("params", param))
    return rules


def _is_of(rule: Rule, codes: Iterable[str]) -> bool:
    """Whether one of these codes is the rule's."""
    return any(check.code in codes for check in rule.checks)


def _params(rule: Rule, scene: Scene) -> dict[str, Any]:
    """What the PolicySets of the case set for a rule of a pack."""
    pack = rule.origin.partition(" ")[0]
    sets = scene.world.estate.all("PolicySet") if rule.origin != ESTATE else ()
    entries = [entry for document in sets for entry in document.spec.packs if entry.name == pack]
    return {name: value for entry in entries for name, value in entry.params.items()}


def _unknown(message: str, word: str, known: Collection[str], place: Place) -> DraftError:
    remedy = did_you_mean(word, known) or f"known: {', '.join(sorted(known)) or 'none'}"
    return DraftError((Finding("TEST004", Severity.ERROR, message, place.key, remedy=remedy),))


def _with(rule: Rule, params: Mapping[str, Any]) -> Rule:
    own = {**rule.params, **{name: params[name] for name in rule.params if name in params}}
    return replace(rule, params=own)


def _pairs(rules: Sequence[Rule], scene: Scene) -> Iterator[tuple[str, Document, Rule]]:
    """Every object with every rule that is asked about it, as the gate would."""
    for key, document in sorted(scene.world.estate.documents.items()):
        for rule in rules:
            touched = scene.touched is not None and key in scene.touched
            if rule.matches(document.kind) and (touched or not rule.of_change):
                yield key, document, rule


def _found(
    asked: Iterable[tuple[str, Document, Rule]], scene: Scene, coverage: Coverage | None
) -> Iterator[Found]:
    for key, document, rule in asked:
        if coverage is not None:
            coverage.watch(rule, document, scene.world)
        for finding in rule.ask(document, scene.world):
            yield Found(key, finding)


def _of_nothing(stated: Stated, rule: Rule) -> Finding:
    """A case that could not fail, because there is nothing that the policy is asked about."""
    kinds = ", ".join(rule.document.spec.match.kinds) or "any kind"
    what = f"{kinds} that a change touches" if rule.of_change else kinds
    remedy = f"give the case an object of {what}"
    if rule.of_change and not stated.case.of_change:
        remedy = "make a change of the case: `before:` edits the estate into what was there before"
    message = f"{stated.name}: the policy is asked about nothing here, so the case cannot fail"
    return Finding("TEST006", Severity.ERROR, message, stated.place.key, remedy=remedy)
