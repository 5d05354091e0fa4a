"""Estates that a test writes down as values, edits and loads."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from yaml import CSafeDumper

from ordain.specs.canonical import canonical_json
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from ordain.specs.documents import LoadedEstate


@dataclass
class Sketch:
    """Documents by `Kind/name` and further files by path, to be edited and loaded."""

    documents: dict[str, dict[str, Any]]
    files: dict[str, bytes] = field(default_factory=dict)

    def copy(self) -> Sketch:
        return copy.deepcopy(self)

    def add(self, kind: str, name: str, **spec: object) -> Sketch:
        self.documents[f"{kind}/{name}"] = {
            "apiVersion": "ordain.dev/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": spec,
        }
        return self

    def drop(self, key: str) -> Sketch:
        del self.documents[key]
        return self

    def set(self, key: str, path: str, value: object) -> Sketch:
        """Set a value by its path; None takes it away, and a new key is a new document."""
        if key not in self.documents:
            self.add(*key.split("/"))
        set_in(self.documents[key], path, value)
        return self

    def edit(self, edits: dict[str, Any]) -> Sketch:
        """The edits of an example of a pack: of documents by key, of files by path."""
        for key, values in edits.items():
            if key in self.files:
                self._edit_file(key, values)
            elif values is None:
                self.drop(key)
            else:
                for path, value in values.items():
                    self.set(key, path, copy.deepcopy(value))
        return self

    def _edit_file(self, path: str, values: Any) -> None:  # noqa: ANN401 - a text, or edits of JSON
        if isinstance(values, str):
            self.files[path] = values.encode()
            return
        content = json.loads(self.files[path])
        for inside, value in values.items():
            set_in(content, inside, value)
        self.files[path] = canonical_json(content) + b"\n"

    @property
    def tree(self) -> dict[str, bytes]:
        tree = dict(self.files)
        for key, raw in self.documents.items():
            path = "ordain.yaml" if raw["kind"] == "Estate" else f"specs/{key.lower()}.yaml"
            tree[path] = yaml.dump(raw, Dumper=CSafeDumper, sort_keys=False, width=1000).encode()
        return tree

    def load(self) -> LoadedEstate:
        return load_estate(self.tree)


def set_in(at: Any, path: str, value: object) -> None:  # noqa: ANN401 - JSON values
    """Set a value by its path, in which a number is a position of a list; None takes it away."""
    *above, last = path.split(".")
    for step in above:
        at = at[int(step)] if isinstance(at, list) else at.setdefault(step, {})
    if isinstance(at, list):
        at[int(last)] = value
    elif value is None:
        at.pop(last, None)
    else:
        at[last] = value


def sketch_of(examples: dict[str, Any]) -> Sketch:
    """The estate that the examples of a pack begin with."""
    documents = {f"{raw['kind']}/{raw['metadata']['name']}": raw for raw in examples["estate"]}
    files = examples.get("files", {}).items()
    # A folded text loses the newline with which every file ends.
    texts = {path: text.rstrip("\n").encode() + b"\n" for path, text in files}
    return Sketch(copy.deepcopy(documents), texts)
