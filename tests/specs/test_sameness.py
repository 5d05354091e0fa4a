"""What counts as the same declaration: what has the same canonical form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.specs.canonical import canonical_json, same

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from((0.0, -0.0, 1.0, 0.5))
    | st.sampled_from(("", "0", "1"))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [(False, 0), (False, 0.0), (0, 0.0), (True, 1), (True, 1.0), (1, 1.0), (0.0, -0.0), ([], {})],
)
def test_values_that_python_takes_for_equal_are_different(left: object, right: object) -> None:
    assert not same(left, right)
    assert not same({"a": [left]}, {"a": [right]})
    assert same({"a": [left], "b": right}, {"b": right, "a": [left]})


@given(VALUES, VALUES)
def test_two_values_are_the_same_when_their_canonical_forms_are(left: Any, right: Any) -> None:  # noqa: ANN401
    assert same(left, right) == (canonical_json(left) == canonical_json(right))
