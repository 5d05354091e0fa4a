"""The example estate of the baseline pack, edited and loaded."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.policies.packs import pack_file
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from ordain.specs.documents import LoadedEstate


class Desk:
    """Loads the example estate with edits: `{"Kind/name": {"spec.path": value or None}}`."""

    image = "registry.example/ordain@sha256:" + "c" * 64

    def __init__(self) -> None:
        self._documents = yaml.safe_load(pack_file("baseline/1.0.0.examples.yaml"))["estate"]

    def estate(self, **edits: dict[str, Any]) -> LoadedEstate:
        """Keys are written `Kind__name`, because they are arguments."""
        documents = copy.deepcopy(self._documents)
        named = {f"{one['kind']}__{one['metadata']['name']}": one for one in documents}
        for key, values in edits.items():
            if key not in named:
                kind, _, name = key.partition("__")
                named[key] = {"kind": kind, "metadata": {"name": name}, "spec": {}}
                named[key]["apiVersion"] = "ordain.dev/v1"
            for path, value in values.items():
                *above, last = path.split(".")
                at = named[key]
                for step in above:
                    at = at.setdefault(step, {})
                if value is None:
                    at.pop(last, None)
                else:
                    at[last] = value
        tree = {
            "ordain.yaml" if one["kind"] == "Estate" else f"specs/{key}.yaml": yaml.safe_dump(
                one, sort_keys=False
            ).encode()
            for key, one in named.items()
        }
        found = load_estate(tree)
        assert found.findings == ()
        return found


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()
