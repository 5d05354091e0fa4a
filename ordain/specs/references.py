"""What documents say about each other: every reference resolves, and nothing leads in a circle.

The references are one table, because they are asked for three times: to find those that lead
nowhere, to know what depends on what, and to say in which order things must exist. A reference out
of a record (a version, a validation, an incident) to something that is gone is only a warning: a
retired model must not make its own history unlawful.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.graph import REFERENCES
from ordain.specs.paths import Path, values_at
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Location

# kind -> paths of values that name a person of the Organization
PEOPLE: Final[dict[str, tuple[str, ...]]] = {
    "BreakGlass": ("spec.requestedBy", "spec.endedBy"),
    "Comment": ("spec.author",),
    "Compliance": (
        "spec.model_info.accountable",
        "spec.model_info.developers.*",
        "spec.model_info.validator",
    ),
    "Validation": ("spec.validator",),
    "Waiver": ("spec.requestedBy", "spec.approvedBy"),
}
RECORDS: Final = frozenset(
    ("BreakGlass", "Comment", "Incident", "ModelVersion", "Validation", "Waiver")
)
# To guess what was meant takes a look at every name; whoever has more mistakes has made one of them
# many times.
_MOST_GUESSES: Final = 20


@dataclass(frozen=True, slots=True)
class Reference:
    """One document names another; `path` leads to the name."""

    source: Document
    path: Path
    kind: str
    name: str

    @property
    def key(self) -> str:
        """`Kind/name` of what is referred to, whether it exists or not."""
        return f"{self.kind}/{self.name}"


def references(document: Document) -> Iterator[Reference]:
    """Every reference that a document makes."""
    for pattern, kind in REFERENCES.get(document.kind, ()):
        for path, name in values_at(document.raw, pattern):
            if isinstance(name, str):
                yield Reference(document, path, kind, name)


def check_references(estate: LoadedEstate) -> tuple[Finding, ...]:
    """Everything that is wrong between documents, each of which is right on its own.

    A document that the loader has refused is absent from the estate, and has its findings already:
    a reference to it is no finding.
    """
    checks = References(estate)
    found = [finding for document in estate.documents.values() for finding in checks.of(document)]
    return tuple(sorted((*found, *checks.circles(), *checks.people()), key=_place))


class References:
    """The checks between documents, one document at a time.

    What is found at a document depends on that document and on what the estate is asked for
    meanwhile, and on nothing else; so an estate that notes the questions knows when the answer
    still holds. What several documents need is worked out once, but asked for every time.
    """

    def __init__(self, estate: LoadedEstate) -> None:
        from ordain.specs.columns import Columns
        from ordain.specs.sources import check_source
        from ordain.specs.support import Support
        from ordain.specs.traffic import Traffic

        self._estate = estate
        self._checks = (
            Columns(estate).of,
            check_source,
            Traffic(estate).of,
            Support(estate).of,
        )
        self._people_known: frozenset[str] | None = None
        self._names: dict[str, tuple[str, ...]] = {}
        self._made: dict[str, list[int]] | None = None
        self._guesses = _MOST_GUESSES

    def of(self, document: Document) -> Iterator[Finding]:
        """What is wrong with one document among the others."""
        yield from self._dangling(document)
        if document.kind in PEOPLE:
            yield from self._strangers(document)
        if document.kind == "ModelVersion":
            yield from self._twice(document)
        elif document.kind == "Deployment":
            yield from self._no_version(document)
        for check in self._checks:
            yield from check(document)

    def people(self) -> Iterator[Finding]:
        """What is wrong between people of all Organizations."""
        from ordain.specs.people import check_people

        return check_people(self._estate)

    def circles(self) -> Iterator[Finding]:
        """One finding per circle of references."""
        return _cycles(self._estate)

    def _dangling(self, document: Document) -> Iterator[Finding]:
        """References that lead nowhere."""
        estate = self._estate
        if not all(map(estate.knows, document.ties.links)):
            for reference in references(document):
                if not estate.knows(reference.key):
                    names = self._named(reference.kind)
                    yield self._nowhere(
                        document, reference.path, reference.kind, reference.name, names
                    )
        if document.kind == "Waiver":
            yield from self._waived(document)
        if document.kind == "Policy":
            yield from _unknown_kinds(document)

    def _named(self, kind: str) -> tuple[str, ...]:
        """The names of a kind, sorted."""
        found = self._estate.all(kind)
        if kind not in self._names:
            self._names[kind] = tuple(one.name for one in found)
        return self._names[kind]

    def _nowhere(
        self, document: Document, path: Path, kind: str, name: str, known: Sequence[str]
    ) -> Finding:
        guess = ""
        if self._guesses:
            self._guesses -= 1
            guess = did_you_mean(name, known)
        return _nowhere(document, path, kind, name, known, guess)

    def _waived(self, document: Document) -> Iterator[Finding]:
        """A waiver for something that is not there."""
        subject = document.spec.object
        if self._estate.get(subject.kind, subject.name) is None:
            path, names = ("spec", "object", "name"), self._named(subject.kind)
            yield self._nowhere(document, path, subject.kind, subject.name, names)

    def _strangers(self, document: Document) -> Iterator[Finding]:
        """People whom no Organization knows; without any Organization nobody is unknown."""
        people = self._people(self._estate.all("Organization"))
        for pattern in PEOPLE[document.kind] if people else ():
            for path, name in values_at(document.raw, pattern):
                if isinstance(name, str) and name not in people:
                    yield self._nowhere(document, path, "Person", name, sorted(people))

    def _people(self, organizations: tuple[Document, ...]) -> frozenset[str]:
        if self._people_known is None:
            names = (person.name for found in organizations for person in found.spec.people)
            self._people_known = frozenset(names)
        return self._people_known

    def _twice(self, document: Document) -> Iterator[Finding]:
        """A version that exists twice."""
        version = document.spec
        first, *_ = self._estate.versions(version.model, version.version)
        if first == document.key:
            return
        found = self._estate.find(first)
        yield Finding(
            "REF013",
            Severity.ERROR,
            f"version {version.version} of the model `{version.model}` is declared twice",
            document.marks.value("spec", "version"),
            remedy="versions are written by the machine: remove the one that it did not write",
            related=((found.marks.value("spec", "version"), "first here"),) if found else (),
        )

    def _no_version(self, document: Document) -> Iterator[Finding]:
        """A Deployment of a version that does not exist."""
        model, number = document.spec.model, document.spec.version
        if number is None or self._estate.versions(model, number):
            return
        if self._estate.refuses("ModelVersion"):
            return
        made = self._versions(self._estate.all("ModelVersion")).get(model, ())
        known = ", ".join(map(str, dict.fromkeys(sorted(made))))
        yield Finding(
            "REF010",
            Severity.ERROR,
            f"the model `{model}` has no version {number}",
            document.marks.value("spec", "version"),
            (f"versions of {model}: {known or 'none'}",),
            "remove `version`: a promotion writes it when a version is approved",
        )

    def _versions(self, documents: tuple[Document, ...]) -> dict[str, list[int]]:
        """The numbers of the versions of every model."""
        if self._made is None:
            self._made = {}
            for one in documents:
                self._made.setdefault(one.spec.model, []).append(one.spec.version)
        return self._made


def _place(finding: Finding) -> tuple[str, int, int]:
    place = finding.location
    return (place.path, place.line, place.column) if place else ("", 0, 0)


def _nowhere(
    document: Document, path: Path, kind: str, name: str, known: Sequence[str], guess: str
) -> Finding:
    many = f"there is no {kind} yet; add one, or correct the name"
    remedy = guess or (f"declared: {', '.join(known[:10])}" if known else many)
    severity = Severity.WARNING if document.kind in RECORDS else Severity.ERROR
    if (document.kind, kind) == ("ModelVersion", "Model"):
        # The history of a model that was retired; it must not warn for ever.
        severity = Severity.NOTE
    return Finding(
        "REF001",
        severity,
        f"there is no {kind} `{name}`",
        document.marks.value(*path),
        (f"{document.key} refers to it",),
        remedy,
    )


def _unknown_kinds(document: Document) -> Iterator[Finding]:
    """A policy for a kind that the language does not know would never speak."""
    from ordain.specs.kinds import kind_names

    for path, kind in values_at(document.raw, "spec.match.kinds.*"):
        if kind not in kind_names():
            remedy = did_you_mean(kind, kind_names()) or f"known: {', '.join(kind_names())}"
            place = document.marks.value(*path)
            yield Finding("REF001", Severity.ERROR, f"there is no kind `{kind}`", place, (), remedy)


def dependencies(estate: LoadedEstate) -> Mapping[str, tuple[str, ...]]:
    """What each document refers to, by `Kind/name`; only what exists, sorted."""
    return estate.graph.needs


def in_order(graph: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The documents so that each comes after what it refers to, and those that stand in a circle.

    Kahn's algorithm, with the names sorted at every step, so that the order is the same everywhere.
    """
    missing = {key: len(needs) for key, needs in graph.items()}
    users: defaultdict[str, list[str]] = defaultdict(list)
    for key, needs in graph.items():
        for need in needs:
            users[need].append(key)
    ready = sorted(key for key, count in missing.items() if not count)
    order: list[str] = []
    while ready:
        order.extend(ready)
        freed: list[str] = []
        for key in ready:
            for user in users[key]:
                missing[user] -= 1
                if not missing[user]:
                    freed.append(user)
        ready = sorted(freed)
    return tuple(order), tuple(sorted(key for key, count in missing.items() if count))


def _cycles(estate: LoadedEstate) -> Iterator[Finding]:
    """One finding per circle of references."""
    graph = dependencies(estate)
    _, stuck = in_order(graph)
    # What only leads into a circle is stuck too, and is in none: nothing stuck refers to it.
    used: dict[str, list[str]] = {key: [] for key in stuck}
    for key in stuck:
        for need in graph[key]:
            if need in used:
                used[need].append(key)
    _, round_about = in_order({key: tuple(users) for key, users in used.items()})
    reported: set[str] = set()
    for start in round_about:
        circle = [] if start in reported else _circle(graph, start)
        if circle and reported.isdisjoint(circle):
            reported |= set(circle)
            yield _circular(estate, circle)


def _circle(graph: Mapping[str, tuple[str, ...]], start: str) -> list[str]:
    """The shortest way from a document back to itself; empty where there is none."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        key = waiting.popleft()
        for need in graph[key]:
            if need == start:
                return _way(came_from, start, key)
            if need not in came_from:
                came_from[need] = key
                waiting.append(need)
    return []


def _way(came_from: Mapping[str, str], start: str, end: str) -> list[str]:
    way = [end]
    while way[-1] != start:
        way.append(came_from[way[-1]])
    return way[::-1]


def _circular(estate: LoadedEstate, circle: list[str]) -> Finding:
    documents = [estate.documents[key] for key in circle]
    places = [_place_of(one, circle[(at + 1) % len(circle)]) for at, one in enumerate(documents)]
    way = " -> ".join([*circle, circle[0]])
    return Finding(
        "REF002",
        Severity.ERROR,
        f"these documents refer to each other in a circle: {way}",
        places[0],
        remedy="take one of the references away",
        related=tuple((place, "and on from here") for place in places[1:]),
    )


def _place_of(document: Document, key: str) -> Location:
    """Where a document refers to another."""
    path = next(found.path for found in references(document) if found.key == key)
    return document.marks.value(*path)
