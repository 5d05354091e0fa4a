"""Every case of a suite, asked of the engine that judges changes.

A case below `policies` asks one policy; a case below `cases` asks all that are in force, as the
gate would. A policy about a change is asked of what the change touches and of nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ordain.policies.rules import compile_rule
from ordain.policies.testing.coverage import Coverage
from ordain.policies.testing.drafts import DraftError, Documents, written
from ordain.policies.testing.expectations import Found, unmet
from ordain.policies.testing.reports import Report, Result
from ordain.policies.testing.scenes import scene
from ordain.policies.testing.suites import read_suite
from ordain.specs.diagnostics import Sources
from ordain.specs.findings import Finding, Severity
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from ordain.policies.engine import Engine
    from ordain.policies.rules import Rule
    from ordain.policies.testing.scenes import Scene
    from ordain.policies.testing.suites import Read, Stated


@dataclass(frozen=True)
class Bench:
    """What cases are run on: the policies under test, and the documents that they edit.

    `rules` are all that are in force; `tree` holds the files beside the documents.
    """

    engine: Engine
    rules: tuple[Rule, ...]
    documents: Documents
    tree: Mapping[str, bytes]

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
        read, findings = read_suite(bench.tree[path], path)
        wrong += findings
        if read is not None:
            results.append((path, tuple(run_suite(read, bench, coverage))))
    covered = coverage.covered() if coverage is not None else None
    return Report(tuple(results), tuple(wrong), bench.tree, covered)


def run_suite(read: Read, bench: Bench, coverage: Coverage | None = None) -> Iterator[Result]:
    """Every case, in the order of the file; what cannot be run has failed."""
    base: Documents | DraftError
    try:
        given = read.suite.estate
        base = bench.documents if given is None else written(given, read.place.at("estate"))
    except DraftError as error:
        base = error
    for stated in read.stated():
        try:
            if isinstance(base, DraftError):
                raise base
            rules = _asked(stated, bench)
            set_up = scene(base, stated, read.suite.now, bench.tree)
        except DraftError as error:
            yield Result(stated, _not_run(stated, error.findings))
            continue
        found = list(_found(rules, set_up, coverage))
        yield Result(stated, tuple(unmet(stated, found, bench.sources)))


def _not_run(stated: Stated, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    message = f"{stated.name}: the case cannot be run"
    place = stated.place.key
    remedy = "mend what the findings below this one say"
    return (Finding("TEST003", Severity.ERROR, message, place, remedy=remedy), *findings)


def _asked(stated: Stated, bench: Bench) -> tuple[Rule, ...]:
    """The rules that a case asks, with its parameters.

    Raises:
        DraftError: when there is no such policy or parameter.
    """
    known = {rule.name: rule for rule in bench.rules}
    if stated.policy and stated.policy not in known:
        message = f"there is no policy {stated.policy} in force here"
        remedy = did_you_mean(stated.policy, known) or f"known: {', '.join(sorted(known))}"
        place = stated.place
        raise DraftError((Finding("TEST004", Severity.ERROR, message, place.key, remedy=remedy),))
    rules = (known[stated.policy],) if stated.policy else bench.rules
    params = stated.case.params
    declared = {name for rule in rules for name in rule.params}
    for name in params:
        if name not in declared:
            message = f"no policy of this case has the parameter {name}"
            remedy = did_you_mean(name, declared) or f"known: {', '.join(sorted(declared))}"
            place = stated.place.at("params", name)
            raise DraftError(
                (Finding("TEST004", Severity.ERROR, message, place.key, remedy=remedy),)
            )
    return tuple(_with(rule, params, bench.engine) for rule in rules) if params else rules


def _with(rule: Rule, params: Mapping[str, object], engine: Engine) -> Rule:
    own = {**rule.params, **{name: params[name] for name in rule.params if name in params}}
    made, _ = compile_rule(rule.document, engine, params=own, origin=rule.origin)
    return made or rule


def _found(rules: Sequence[Rule], scene: Scene, coverage: Coverage | None) -> Iterator[Found]:
    """What the rules find, as the gate would ask them."""
    for key, document in sorted(scene.world.estate.documents.items()):
        for rule in rules:
            if not rule.matches(document.kind):
                continue
            if rule.of_change and (scene.touched is None or key not in scene.touched):
                continue
            if coverage is not None:
                coverage.watch(rule, document, scene.world)
            for finding in rule.ask(document, scene.world):
                yield Found(key, finding)
