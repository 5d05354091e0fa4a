"""What an answer rests on: an estate and its files that note every question they are asked.

Whatever is found at a document follows from its own bytes and from what the estate and the files
are asked on the way. Whoever keeps the questions with the answers to them can tell later, from the
answers alone, whether asking again would find the same. Nobody has to declare what a check reads:
a check that is written tomorrow is noted like those of today, and one that goes through all
documents depends on all of them.

A question is one letter and its subject, an answer is text:

| question | answer |
|---|---|
| `=Kind/name` | the identity of the document's bytes |
| `?Kind/name` | whether the estate knows it |
| `*Kind` | the identities of all documents of a kind |
| `!Kind` | whether any of a kind was refused |
| `>Kind/name`, `<Kind/name` | the keys that it refers to, that refer to it |
| `@model/3` | the keys of the versions that say they are this one |
| `%path` | the digest of a file |
| `.` | all documents and all that was refused |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from ordain.specs.documents import LoadedEstate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.documents import Document

EVERYTHING: Final = "."
_CHANGING: Final = "changing"
# What no answer is kept for: whatever asks it has to be asked again every time.
UNKEPT: Final = ":"


def blob_id(data: bytes) -> str:
    """The name that git gives to these bytes."""
    return sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


class Answers:
    """The answers of one estate and one tree, as text."""

    def __init__(self, estate: LoadedEstate, tree: Mapping[str, bytes]) -> None:
        self._estate = estate
        self._tree = tree
        self._known: dict[str, str] = {}

    def __getitem__(self, question: str) -> str:
        """The answer to a question; a question of another time may be no question at all."""
        found = self._known.get(question)
        if found is None:
            found = self._known[question] = self._answer(question[0], question[1:])
        return found

    def note_file(self, path: str, data: bytes | None) -> None:
        """Keep the answer about a file that has just been read, so that nobody reads it again.

        Of a file that changes meanwhile, nothing that is known later can be the same.
        """
        question, answer = f"%{path}", "" if data is None else blob_id(data)
        if self._known.setdefault(question, answer) != answer:
            self._known[question] = _CHANGING

    def _answer(self, letter: str, subject: str) -> str:  # noqa: PLR0911 - one for each question
        estate = self._estate
        match letter:
            case "=":
                return estate.identities.get(subject, "")
            case "?":
                return "known" if estate.knows(subject) else ""
            case "*":
                return self._together(one.key for one in estate.all(subject))
            case "!":
                return "refused" if estate.refuses(subject) else ""
            case ">":
                return " ".join(estate.needs(subject))
            case "<":
                return " ".join(estate.users(subject))
            case "@":
                model, _, number = subject.rpartition("/")
                return " ".join(estate.versions(model, int(number)) if number.isdigit() else ())
            case "%":
                data = self._tree.get(subject)
                return "" if data is None else blob_id(data)
            case _:
                return self._together((*estate.documents, *sorted(estate.refused)))

    def _together(self, keys: Iterable[str]) -> str:
        identities = self._estate.identities
        text = "\n".join(f"{key} {identities.get(key, '')}" for key in keys)
        return blob_id(text.encode())


class NotingEstate(LoadedEstate):
    """An estate that notes what it is asked, in `asked`."""

    __slots__ = ("_asked", "_estate")
    _asked: set[str]
    _estate: LoadedEstate

    def __init__(self, estate: LoadedEstate, asked: set[str]) -> None:
        object.__setattr__(self, "_estate", estate)
        object.__setattr__(self, "_asked", asked)

    def get(self, kind: str, name: str) -> Document | None:
        """One document."""
        return self.find(f"{kind}/{name}")

    def find(self, key: str) -> Document | None:
        """One document by `Kind/name`."""
        self._asked.add(f"={key}")
        return self._estate.find(key)

    def all(self, kind: str) -> tuple[Document, ...]:
        """The documents of one kind, by name."""
        self._asked.add(f"*{kind}")
        return self._estate.all(kind)

    def knows(self, key: str) -> bool:
        """Whether a document is there, or was and has been refused."""
        self._asked.add(f"?{key}")
        return self._estate.knows(key)

    def refuses(self, kind: str) -> bool:
        """Whether any document of a kind has been refused."""
        self._asked.add(f"!{kind}")
        return self._estate.refuses(kind)

    def needs(self, key: str) -> tuple[str, ...]:
        """The keys of what a document refers to."""
        self._asked.add(f">{key}")
        return self._estate.needs(key)

    def users(self, key: str) -> tuple[str, ...]:
        """The keys of what refers to a document."""
        self._asked.add(f"<{key}")
        return self._estate.users(key)

    def versions(self, model: str, number: int) -> tuple[str, ...]:
        """The keys of the ModelVersions that say they are this one."""
        self._asked.add(f"@{model}/{number}")
        return self._estate.versions(model, number)

    def _whole(self) -> LoadedEstate:
        self._asked.add(EVERYTHING)
        return self._estate

    # What has been read is no question about the estate.
    met = property(lambda self: self._estate.met)
    # Whoever reads a field as it is depends on everything.
    documents = property(lambda self: self._whole().documents)
    findings = property(lambda self: self._whole().findings)
    files = property(lambda self: self._whole().files)
    refused = property(lambda self: self._whole().refused)
    identities = property(lambda self: self._whole().identities)
    graph = property(lambda self: self._whole().graph)


class NotingTree(Mapping[str, bytes]):
    """Files that note which of them are read."""

    def __init__(self, tree: Mapping[str, bytes], asked: set[str], answers: Answers) -> None:
        self._tree = tree
        self._asked = asked
        self._answers = answers

    def __getitem__(self, path: str) -> bytes:
        self._asked.add(f"%{path}")
        try:
            data = self._tree[path]
        except KeyError:
            self._answers.note_file(path, None)
            raise
        self._answers.note_file(path, data)
        return data

    def __iter__(self) -> Iterator[str]:
        self._asked.add(UNKEPT)
        return iter(self._tree)

    def __len__(self) -> int:
        self._asked.add(UNKEPT)
        return len(self._tree)
