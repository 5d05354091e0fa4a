"""The policies in force: those that the estate declares and those of packs.

Without a PolicySet the baseline holds; with one, exactly the packs that it names. Of a change the
rules of the base and those of the head are asked, and both must be content, so that nobody weakens
a rule in the change that breaks it. A rule that both share is asked once.

Rules in Python stand beside those in CEL: they are asked in processes of their own, and only an
estate that has one loads what they need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from ordain.policies.cel.compiling import NEVER
from ordain.policies.errors import PackError
from ordain.policies.packs import DEFAULT, load_pack
from ordain.policies.rules import ESTATE, Rule, compile_rules
from ordain.policies.world import Scope
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ordain.policies.engine import Engine
    from ordain.policies.packs import Pack
    from ordain.policies.python_rules.asking import Absent, Function
    from ordain.policies.world import World
    from ordain.specs.documents import Document, LoadedEstate


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Rules, and what is wrong with those that could not be compiled.

    `functions` are the rules in Python, `absent` those that are not installed as they are named;
    what is wrong with these is among the findings as well.
    """

    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...] = ()
    functions: tuple[Function, ...] = ()
    absent: tuple[Absent, ...] = ()

    @property
    def digests(self) -> tuple[tuple[str, str], ...]:
        """(name, digest) of every rule, and of every package of rules, for the record."""
        rules = {(rule.name, rule.digest) for rule in self.rules}
        functions = {(one.name, one.digest) for one in self.functions}
        packages = {(f"package {one.package}", one.package.digest) for one in self.functions}
        return tuple(sorted(rules | functions | packages))

    @property
    def closed(self) -> frozenset[str]:
        """The names of the policies of which nothing can be waived."""
        rules = (*self.rules, *(one.rule for one in self.functions))
        return frozenset(one.name for one in rules if not one.document.spec.waivable)

    def joined(self, other: Rulebook) -> Rulebook:
        """Both sets of rules; a rule that is the same in both stays once."""
        findings = dict.fromkeys((*self.findings, *other.findings))
        return Rulebook(
            tuple(_joined(self.rules, other.rules)),
            tuple(findings),
            tuple(_joined(self.functions, other.functions)),
            (*self.absent, *other.absent),
        )

    def before(self, head: Rulebook) -> Rulebook:
        """These rules as those of the base of a change.

        What is wrong with an old rule is no fault of the change, unless nobody can ask it.
        """
        findings: tuple[Finding, ...] = ()
        if self.absent:
            from ordain.policies.python_rules.asking import owed

            findings = tuple(owed(self.absent, head.functions, head.absent))
        return Rulebook(self.rules, findings, self.functions)


_AnyRule = TypeVar("_AnyRule", "Rule", "Function")


def _joined(rules: Iterable[_AnyRule], others: Iterable[_AnyRule]) -> Iterator[_AnyRule]:
    known = set()
    for rule in rules:
        known.add((rule.name, rule.digest))
        yield rule
    yield from (rule for rule in others if (rule.name, rule.digest) not in known)


def rulebook(estate: LoadedEstate, engine: Engine) -> Rulebook:
    """Every rule in force in an estate."""
    found = _Found(engine)
    for document in estate.all("Policy"):
        found.add(document)
    for pack, params, where in _packs(estate, found.findings):
        for document in pack.policies:
            own = {name: params[name] for name in document.spec.params if name in params}
            found.add(document, params=own, origin=pack.origin)
        found.findings += _unknown_params(pack, params, where)
    return Rulebook(
        tuple(found.rules), tuple(found.findings), tuple(found.functions), tuple(found.absent)
    )


@dataclass(slots=True)
class _Found:
    """The rules that have been compiled so far."""

    engine: Engine
    rules: list[Rule] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)

    def add(
        self, document: Document, *, params: Mapping[str, Any] | None = None, origin: str = ESTATE
    ) -> None:
        rules, wrong = compile_rules(document, self.engine, params=params, origin=origin)
        self.findings += wrong
        if document.spec.python is None:
            self.rules += rules
        else:
            for rule in rules:
                self._add_function(rule)

    def _add_function(self, rule: Rule) -> None:
        from ordain.policies.python_rules.asking import Function, function_of

        found = function_of(rule)
        if isinstance(found, Function):
            self.functions.append(found)
        else:
            self.absent.append(found)
            self.findings.append(found.finding)


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
    yield from questions.of_functions()


class Questions:
    """Every rule, asked one object at a time; rules in Python, asked once of all.

    `touched` are the documents of a change, None without a change: then questions about a change
    are not asked. `broken` says that documents are missing because they have errors: then only
    rules are asked that look at nothing but the object.
    """

    def __init__(
        self, book: Rulebook, world: World, touched: frozenset[str] | None, *, broken: bool
    ) -> None:
        self._world = world
        self._touched = touched
        asked = [rule for rule in book.rules if not (broken and rule.of_others)]
        self._of_trees = Screens([rule for rule in asked if not rule.of_change])
        self._of_changes = Screens([rule for rule in asked if rule.of_change])
        # A change that leaves no document behind, such as one that only removes some, is asked
        # about at the Estate by the policies that match whatever there is.
        anything = [rule for rule in asked if rule.of_change and rule.matches_all]
        self._of_no_document = Screens(anything if touched is not None and not touched else [])
        self._functions = [one for one in book.functions if not (broken and one.rule.of_others)]

    def of(self, document: Document) -> Iterator[tuple[str, Finding]]:
        """The findings on one object, each with its key.

        Where base and head say the same, that which weighs more is said: whoever makes a rule
        stricter is held to it in the change that does so.
        """
        findings = (
            finding
            for rule in self._discontent(document)
            for finding in rule.ask(document, self._world)
        )
        for finding in _weightiest(findings, lambda one: (one.code, one.message)):
            yield document.key, finding

    def _discontent(self, document: Document) -> list[Rule]:
        scope = Scope(self._world, document)
        rules = self._of_trees.discontent(document.kind, scope)
        if self._touched is not None and document.key in self._touched:
            rules += self._of_changes.discontent(document.kind, scope)
        if document.kind == "Estate":
            rules += self._of_no_document.discontent(document.kind, scope)
        return rules

    def of_functions(self) -> Iterator[tuple[str, Finding]]:
        """What the rules in Python find; one may say the same of many places of an object."""
        found: dict[str, list[Finding]] = {}
        for function in self._functions:
            for key, finding in function.ask(self._world, self._touched):
                found.setdefault(key, []).append(finding)
        for key, some in found.items():
            for finding in _weightiest(some, lambda one: (one.code, one.message, one.location)):
                yield key, finding


def _weightiest(
    findings: Iterable[Finding], identity: Callable[[Finding], object]
) -> Iterable[Finding]:
    """Of the findings that say the same the one that weighs most, the first of these."""
    found: dict[object, Finding] = {}
    for finding in findings:
        known = found.setdefault(identity(finding), finding)
        if finding.severity.rank < known.severity.rank:
            found[identity(finding)] = finding
    return found.values()


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
