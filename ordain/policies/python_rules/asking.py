"""A Policy with a rule in Python: compiled, asked of all its objects at once, and made findings.

Its conditions are CEL, as those of any policy, and are asked first; the rule is given the objects
for which they hold. What the answer says of an object becomes a finding of the code `POL-<policy>`
at the path that the rule named. What no answer could be had on is `POL002` there; where the process
gave none at all, at the policy itself. A rule that is not installed as the policy names it is
`POL010`. The last two block whatever the enforcement, as everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.errors import NoAnswerError, PackageError
from ordain.policies.rules import SEVERITY
from ordain.policies.tracing import place
from ordain.specs.canonical import digest
from ordain.specs.durations import parse_duration
from ordain.specs.findings import Finding, Severity
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ordain.policies.python_rules.answers import Answer, Said
    from ordain.policies.python_rules.packages import Package
    from ordain.policies.rules import Rule
    from ordain.policies.world import World
    from ordain.specs.documents import Document
    from ordain.specs.kinds.policy import PythonRule

MARK: Final = "not portable to the cluster"
# The same for every object of a check: sent once.
_SHARED: Final = ("approvals", "change", "estate", "now")


@dataclass(frozen=True, slots=True)
class Function:
    """A policy whose rule is a function; `rule` holds everything but the function."""

    rule: Rule
    package: Package

    @property
    def name(self) -> str:
        return self.rule.name

    @property
    def spec(self) -> PythonRule:
        found: PythonRule = self.rule.document.spec.python
        return found

    @property
    def digest(self) -> str:
        """The identity of the rule, with the content of its package."""
        return digest({"rule": self.rule.digest, "package": self.package.digest})

    def ask(self, world: World, touched: frozenset[str] | None) -> Iterator[tuple[str, Finding]]:
        """The findings on every object, each with its key; `touched` as for expressions."""
        asked: list[Document] = []
        for document in self._objects(world, touched):
            concerned = not self.rule.conditions or self.rule.concerns(document, world)
            if concerned is True:
                asked.append(document)
            elif concerned:
                yield document.key, concerned
        if asked:
            yield from self._asked(asked, world)

    def _objects(self, world: World, touched: frozenset[str] | None) -> Iterator[Document]:
        for key, document in sorted(world.estate.documents.items()):
            if self.rule.of_change and (touched is None or key not in touched):
                continue
            if self.rule.matches(document.kind):
                yield document

    def _asked(self, documents: list[Document], world: World) -> Iterator[tuple[str, Finding]]:
        try:
            answers, unloaded = self._answers(documents, world)
        except NoAnswerError as error:
            yield self.rule.document.key, self._silent(error.message)
            return
        if unloaded:
            yield self.rule.document.key, self._unloaded(unloaded)
        for document, answer in zip(documents, answers, strict=not unloaded):
            for finding in self._findings(document, answer):
                yield document.key, finding

    def _answers(self, documents: list[Document], world: World) -> tuple[list[Answer], str]:
        from ordain.policies.python_rules.answers import read_answers
        from ordain.policies.python_rules.process import ask

        lines = ask(
            self.package.files,
            self.package.rules[self.spec.rule],
            self._shared(documents[0], world),
            self._questions(documents, world),
            int(parse_duration(self.spec.timeout).total_seconds()),
        )
        return read_answers(lines, len(documents))

    def _shared(self, document: Document, world: World) -> dict[str, Any]:
        names = [name for name in _SHARED if name in self.spec.reads]
        return {**world.values(document, [*names, "now"]), "params": self.rule.params}

    def _questions(
        self, documents: Iterable[Document], world: World
    ) -> Iterator[Mapping[str, Any]]:
        names = [name for name in self.spec.reads if name not in _SHARED]
        return (world.values(document, names) for document in documents)

    def _findings(self, document: Document, answer: Answer) -> Iterator[Finding]:
        if answer.error:
            yield self._unanswered(document, answer.error)
        for said in answer.said:
            yield self._found(document, said)

    def _found(self, document: Document, said: Said) -> Finding:
        spec, enforcement = self.spec, self.rule.document.spec.enforcement
        return Finding(
            code=f"POL-{self.name}",
            severity=Severity(spec.severity) if spec.severity else SEVERITY[enforcement],
            message=said.message,
            location=place(document, said.path) or document.location,
            evidence=(f"object = {document.key}", self._origin, *said.evidence),
            remedy=spec.remedy,
            controls=spec.controls,
            related=self.rule.here,
        )

    @property
    def _origin(self) -> str:
        return f"rule = {self.spec.rule} of {self.package}, in Python: {MARK}"

    def _unanswered(self, document: Document, reason: str) -> Finding:
        return Finding(
            "POL002",
            Severity.ERROR,
            f"the policy {self.name} could not be evaluated on {document.key}: {reason}",
            document.location,
            (f"object = {document.key}", self._origin),
            f"mend the rule {self.spec.rule} in a new version of {self.package.name}",
            related=self.rule.here,
        )

    def _silent(self, reason: str) -> Finding:
        return Finding(
            "POL002",
            Severity.ERROR,
            f"the policy {self.name} could not be evaluated: {reason}",
            self.rule.document.marks.value("spec", "python", "rule"),
            (self._origin,),
            f"mend the rule {self.spec.rule} in a new version of {self.package.name}",
        )

    def _unloaded(self, reason: str) -> Finding:
        return Finding(
            "POL010",
            Severity.ERROR,
            f"the rule {self.spec.rule} of {self.package} does not load: {reason}",
            self.rule.document.marks.value("spec", "python", "rule"),
            (self._origin,),
            "a rule can import the standard library and its own package; mend it, install it",
        )


@dataclass(frozen=True, slots=True)
class Absent:
    """A policy whose rule is not installed as it is named."""

    rule: Rule
    finding: Finding


def function_of(rule: Rule) -> Function | Absent:
    """The function of a policy that has one; what is wrong where it cannot be had."""
    from ordain.policies.python_rules.packages import package_of

    document = rule.document
    try:
        return Function(rule, package_of(document.spec.python))
    except PackageError as error:
        where = document.marks.value("spec", "python", error.field)
        message = f"the policy {rule.name} cannot be asked: {error.message}"
        return Absent(
            rule, Finding(error.code, Severity.ERROR, message, where, remedy=error.remedy)
        )


def owed(
    absent: Iterable[Absent], functions: Iterable[Function], still: Iterable[Absent]
) -> Iterator[Finding]:
    """What the base of a change asks for and nobody can ask.

    One interpreter holds one version of a package. So a change that does nothing to a policy but
    name another version, and names the one that is there, is said to be that and does not block:
    otherwise no rule could ever be upgraded. `functions` and `still` are those of the head.
    """
    heads = {one.name: one for one in functions}
    said = {one.rule.name for one in still}
    for one in absent:
        new = heads.get(one.rule.name)
        if new is not None and _upgraded(one.rule) == _upgraded(new.rule):
            yield _replaced(one, new)
        elif one.rule.name not in said:
            yield one.finding


def _upgraded(rule: Rule) -> dict[str, Any]:
    """A policy without the version of its package."""
    plain: dict[str, Any] = to_plain(rule.document.spec)
    python = {
        name: value for name, value in plain["python"].items() if name not in ("version", "digest")
    }
    return {**plain, "python": python}


def _replaced(old: Absent, new: Function) -> Finding:
    before: PythonRule = old.rule.document.spec.python
    return Finding(
        "POL010",
        Severity.WARNING,
        f"the policy {new.name} is asked of {new.package} only: "
        f"{before.package} {before.version}, which is in force, is not installed",
        new.rule.document.marks.value("spec", "python", "version"),
        remedy="compare the two versions of the package before you approve",
    )
