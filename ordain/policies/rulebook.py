"""The policies in force: those that the estate declares and those of packs.

Without a PolicySet the baseline holds; with one, exactly the packs that it names. Of a change the
rules of the base and those of the head are asked, and both must be content, so that nobody weakens
a rule in the change that breaks it. A rule that both share is asked once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.policies.cel.compiling import NEVER
from ordain.policies.errors import PackError
from ordain.policies.packs import DEFAULT, load_pack
from ordain.policies.rules import Rule, compile_rule
from ordain.policies.world import Scope
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
    """The findings of every rule, each with the key of its object, without repetition.

    `touched` are the documents of a change, None without a change: then questions about a change
    are not asked. `broken` says that documents are missing because they have errors: then only
    rules are asked that look at nothing but the object.
    """
    seen: set[tuple[str, str, str]] = set()
    asked = [rule for rule in book.rules if not (broken and rule.of_others)]
    of_trees = Screens([rule for rule in asked if not rule.of_change])
    of_changes = Screens([rule for rule in asked if rule.of_change])
    for key, document in sorted(world.estate.documents.items()):
        scope = Scope(world, document)
        rules = of_trees.discontent(document.kind, scope)
        if touched is not None and key in touched:
            rules += of_changes.discontent(document.kind, scope)
        for rule in rules:
            for finding in rule.ask(document, world):
                identity = (finding.code, key, finding.message)
                if identity not in seen:
                    seen.add(identity)
                    yield key, finding


class Screens:
    """For each kind one function that knows which rules are not sure to be content.

    Nearly every object passes nearly every rule; only the others are asked one by one.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._of_kind: dict[str, _Screen] = {}

    def discontent(self, kind: str, scope: Scope) -> list[Rule]:
        """The rules that have to be asked about an object of this kind, in order."""
        screen = self._of_kind.get(kind)
        if screen is None:
            screen = _screen([rule for rule in self._rules if rule.matches(kind)])
            self._of_kind[kind] = screen
        rules, function = screen
        return [rules[number] for number in function(scope)] if function else []


_Screen = tuple[list[Rule], "Callable[[Mapping[str, Any]], list[int]] | None"]


def _screen(rules: list[Rule]) -> _Screen:
    """The screen of some rules; one that cannot be screened is always asked."""
    if not rules:
        return rules, None
    screened = [rule.screened or NEVER for rule in rules]
    return rules, rules[0].engine.screen(screened)
