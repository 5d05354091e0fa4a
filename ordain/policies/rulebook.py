"""The policies in force: those that the estate declares and those of packs.

Without a PolicySet the baseline holds; with one, exactly the packs that it names. Of a change the
rules of the base and those of the head are asked, and both must be content, so that nobody weakens
a rule in the change that breaks it. A rule that both share is asked once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.policies.errors import PackError
from ordain.policies.packs import DEFAULT, load_pack
from ordain.policies.rules import Rule, compile_rule
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.policies.engine import Engine
    from ordain.policies.packs import Pack
    from ordain.policies.world import World
    from ordain.specs.documents import Document, LoadedEstate


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules, and what is wrong with those that could not be compiled."""

    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def digests(self) -> tuple[tuple[str, str], ...]:
        """(name, digest) of every rule, for the record of a verdict."""
        return tuple(sorted((rule.name, rule.digest) for rule in self.rules))

    def joined(self, other: Rulebook) -> Rulebook:
        """Both sets of rules; a rule that is the same in both stays once."""
        known = {(rule.name, rule.digest) for rule in self.rules}
        more = tuple(rule for rule in other.rules if (rule.name, rule.digest) not in known)
        findings = dict.fromkeys((*self.findings, *other.findings))
        return Rulebook(self.rules + more, tuple(findings))


def rulebook(estate: LoadedEstate, engine: Engine) -> Rulebook:
    """Every rule in force in an estate."""
    rules: list[Rule] = []
    findings: list[Finding] = []
    for document in estate.all("Policy"):
        rule, wrong = compile_rule(document, engine)
        rules += [rule] if rule else []
        findings += wrong
    for pack, params, where in _packs(estate, findings):
        for document in pack.policies:
            own = {name: params[name] for name in document.spec.params if name in params}
            rule, wrong = compile_rule(document, engine, params=own, origin=pack.origin)
            rules += [rule] if rule else []
            findings += wrong
        findings += _unknown_params(pack, params, where)
    return Rulebook(tuple(rules), tuple(findings))


_Entry = tuple["Pack", dict[str, Any], "Document | None"]


def _packs(estate: LoadedEstate, findings: list[Finding]) -> Iterator[_Entry]:
    """The packs with their parameters; what cannot be had becomes a finding."""
    sets = estate.all("PolicySet")
    if not sets:
        yield load_pack(DEFAULT), {}, None
    for document in sets:
        for index, entry in enumerate(document.spec.packs):
            try:
                yield load_pack(entry.name, entry.version), entry.params, document
            except PackError as error:
                place = document.marks.value("spec", "packs", index, error.field)
                findings.append(
                    Finding(error.code, Severity.ERROR, error.message, place, remedy=error.remedy)
                )


def _unknown_params(
    pack: Pack, params: Iterable[str], document: Document | None
) -> Iterator[Finding]:
    known = sorted({name for policy in pack.policies for name in policy.spec.params})
    for name in params:
        if name not in known:
            yield Finding(
                "POL004",
                Severity.ERROR,
                f"no policy of the pack {pack.name} has the parameter {name}",
                document.location if document else None,
                remedy=f"name one of: {', '.join(known) or 'none, the pack has no parameters'}",
            )


def ask_all(
    book: Rulebook, world: World, touched: frozenset[str] | None, *, broken: bool
) -> Iterator[tuple[str, Finding]]:
    """The findings of every rule, each with the key of its object, without repetition."""
    questions = Questions(book, world, touched, broken=broken)
    for _, document in sorted(world.estate.documents.items()):
        yield from questions.of(document)


class Questions:
    """Every rule, asked one object at a time.

    `touched` are the documents of a change, None without a change: then questions about a change
    are not asked. `broken` says that documents are missing because they have errors: then only
    rules are asked that look at nothing but the object.
    """

    def __init__(
        self, book: Rulebook, world: World, touched: frozenset[str] | None, *, broken: bool
    ) -> None:
        self._world = world
        self._touched = touched
        self._rules = [rule for rule in book.rules if not (broken and rule.of_others)]
        self._by_kind: dict[str, list[Rule]] = {}

    def of(self, document: Document) -> Iterator[tuple[str, Finding]]:
        """The findings on one object, each with its key, without repetition."""
        key, seen = document.key, set[tuple[str, str]]()
        asked = self._touched is not None and key in self._touched
        for rule in self._matching(document.kind):
            if rule.of_change and not asked:
                continue
            for finding in rule.ask(document, self._world):
                identity = (finding.code, finding.message)
                if identity not in seen:
                    seen.add(identity)
                    yield key, finding

    def _matching(self, kind: str) -> list[Rule]:
        if kind not in self._by_kind:
            self._by_kind[kind] = [rule for rule in self._rules if rule.matches(kind)]
        return self._by_kind[kind]
