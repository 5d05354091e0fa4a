"""Everything that is asked of a tree without a change, one document at a time.

What is found at a document depends on its bytes and on what was asked of the estate meanwhile. With
a cache these questions are noted, and a document at which nothing was found is not asked again as
long as the answers are the same (see `specs.reads`). Only silence is remembered: every finding is
made anew in every run. A rule that reads `now` is asked every time, rules in Python are, because
they are given all objects at once, and circles of references are looked for every time.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.owners import check_owners
from ordain.policies.promotions import run_by
from ordain.policies.rulebook import Questions
from ordain.policies.world import World
from ordain.specs.reads import UNKEPT, Answers, NotingEstate, NotingTree
from ordain.specs.reason_files import check_reasons
from ordain.specs.references import References
from ordain.specs.validating import check_edge_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ordain.policies.engine import Engine
    from ordain.policies.rulebook import Rulebook
    from ordain.specs.cache import Cache
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Finding

# What the language says, and what policies and measurements find, each with the key of its object.
Said = tuple[list["Finding"], list[tuple[str, "Finding"]]]

_PEOPLE: Final = "people"
_OWNERS: Final = "owners"
_WORTH_WRITING: Final = 100


class Checking:
    """The questions about one tree."""

    def __init__(
        self,
        book: Rulebook,
        estate: LoadedEstate,
        world: World,
        *,
        evidence: Mapping[str, bytes] | None,
        broken: bool,
    ) -> None:
        self._estate = estate
        self._evidence = None if broken else evidence
        self._references = References(estate)
        self._questions = Questions(book, world, None, broken=broken)

    def of(self, document: Document) -> Said:
        """What is found at one document."""
        spoken = list(self._references.of(document))
        if document.kind == "Model" and self._evidence is not None:
            spoken += check_edge_cases(document, self._estate, self._evidence)
            spoken += check_reasons(document, self._estate, self._evidence)
        found = list(self._questions.of(document))
        if document.kind == "Deployment" and self._evidence is not None:
            found += run_by(document, self._estate, self._evidence)
        return spoken, found

    def people(self) -> Said:
        """What is found between all people."""
        return list(self._references.people()), []

    def owners(self) -> Said:
        """What is wrong with what a forge is told of whom to ask."""
        return list(check_owners(self._estate, self._evidence)), []

    def all(self, estate: LoadedEstate, ask: Callable[[str, Callable[[], Said]], Said]) -> Said:
        """Everything, subject by subject, through `ask`, which may know that one is silent."""
        said = [
            ask(key, partial(self.of, document))
            for key, document in sorted(estate.documents.items())
        ]
        said.append(ask(_PEOPLE, self.people))
        said.append(ask(_OWNERS, self.owners))
        spoken = [finding for one, _ in said for finding in one]
        found = [outcome for _, some in said for outcome in some]
        found += self._questions.of_functions()
        return [*spoken, *References(estate).circles()], list(dict.fromkeys(found))


def ask_tree(
    book: Rulebook,
    engine: Engine,
    estate: LoadedEstate,
    now: str,
    *,
    tree: Mapping[str, bytes] | None,
    broken: bool,
    cache: Cache | None = None,
) -> Said:
    """Everything that is found in a tree; `broken` says that documents are missing in it.

    A cache knows afterwards what it can.
    """
    if cache is None or tree is None:
        world = World(estate, now, tree=tree)
        checking = Checking(book, estate, world, evidence=tree, broken=broken)
        return checking.all(estate, lambda _, question: question())
    memory = _Memory(type(engine).__name__, estate, tree, cache)
    world = memory.world(now)
    checking = Checking(book, memory.estate, world, evidence=world.tree, broken=broken)
    said = checking.all(estate, memory.ask)
    if not broken:
        # Where documents are missing some rules were not asked; what is known stays as it is.
        memory.keep()
    return said


class _Memory:
    """What a cache knows of an estate, and what it will know."""

    def __init__(
        self, engine: str, estate: LoadedEstate, tree: Mapping[str, bytes], cache: Cache
    ) -> None:
        self._cache = cache
        self._asked: set[str] = set()
        self._answers = Answers(estate, tree)
        self._tree = NotingTree(tree, self._asked, self._answers)
        self.estate = NotingEstate(estate, self._asked)
        # The packs that ship with ordain are part of the tool, which the cache knows.
        rules = ("*Policy", "*PolicySet")
        self._rules = " ".join([engine, *(self._answers[question] for question in rules)])
        self._silent = cache.silent(self._rules, self._answers)
        self._known: dict[str, Sequence[str]] = {}
        self._learnt = 0

    def world(self, now: str) -> World:
        """A world that notes what it is asked."""
        world = World(self.estate, now, tree=self._tree)
        world.constants = _Constants(world.constants, self._asked)
        return world

    def ask(self, subject: str, question: Callable[[], Said]) -> Said:
        """What is found about a subject, which is its own first question."""
        if subject in self._silent:
            self._known[subject] = self._silent[subject]
            return [], []
        self._asked.clear()
        spoken, found = question()
        if not spoken and not found and UNKEPT not in self._asked:
            self._known[subject] = (f"={subject}", *self._asked)
            self._learnt += 1
        return spoken, found

    def keep(self) -> None:
        """Leave to the cache what is known now, where that is worth the writing.

        To write all that is known takes as long as to ask one document of a hundred again.
        """
        if self._learnt and self._learnt * _WORTH_WRITING >= len(self._known):
            self._cache.keep_silent(self._rules, self._known, self._answers)
            self._cache.save()
        else:
            self._cache.touch()


class _Constants(dict[str, Any]):
    """What is the same for all objects; the time is another one in every run."""

    def __init__(self, constants: Mapping[str, Any], asked: set[str]) -> None:
        super().__init__(constants)
        self._asked = asked

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - any JSON value
        """The value of a name."""
        if name == "now":
            self._asked.add(UNKEPT)
        return super().get(name, default)
