"""The checked tree says which type every node has, as far as the text tells."""

from __future__ import annotations

import pytest

from ordain.policies.cel.tree import DYN, Kind
from ordain.policies.engine import cel_engine

STRING, INT = Kind("string"), Kind("int")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("object.spec.x", DYN),
        ("size(object.x) == 1", Kind("bool")),
        ("size(object.x)", INT),
        ("1u", Kind("uint")),
        ("0.5", Kind("double")),
        ("'a' + object.x", STRING),
        ("b'a'", Kind("bytes")),
        ("null", Kind("null")),
        ("timestamp(now)", Kind("timestamp")),
        ("duration('1h')", Kind("duration")),
        ("[1]", Kind("list", (INT,))),
        ("[1, 'a']", Kind("list", (DYN,))),
        ("{'a': [1]}", Kind("map", (STRING, Kind("list", (INT,))))),
        ("object.?x", Kind("optional_type", (DYN,))),
    ],
)
def test_the_type_of_an_expression(text: str, kind: Kind) -> None:
    tree = cel_engine().compile(text).tree
    assert tree is not None
    assert tree.types.get(tree.root.id, DYN) == kind
