from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.runtime.monitoring.errors import ProfileError
from ordain.runtime.monitoring.profiles import Profile, count_window, merge, profile_rows

INPUTS = (("income", "float"), ("age", "int"), ("owner", "bool"), ("purpose", "category"))

ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "income": st.none() | st.floats(allow_infinity=False),
            "age": st.none() | st.integers(0, 99),
            "owner": st.none() | st.booleans(),
            "purpose": st.none() | st.sampled_from(["car", "home", "boat", "moon"]),
        },
    ),
    max_size=30,
)


def reference() -> Profile:
    rows: list[dict[str, Any]] = [
        {"income": 10.0 * i, "age": i % 60, "owner": i % 3 == 0, "purpose": ["car", "home"][i % 2]}
        for i in range(200)
    ]
    return profile_rows(rows, INPUTS, [i / 200 for i in range(200)])


def window(rows: list[dict[str, Any]]) -> Profile:
    return count_window(reference(), rows, [0.5] * len(rows))


@given(ROWS, ROWS)
def test_profiles_of_two_windows_add_up_to_the_profile_of_both(
    a: list[dict[str, Any]], b: list[dict[str, Any]]
) -> None:
    together = window(a + b).to_json()
    assert merge(window(a), window(b)).to_json() == together
    assert merge(window(b), window(a)).to_json() == together


@given(ROWS)
def test_a_profile_survives_its_bytes(rows: list[dict[str, Any]]) -> None:
    profile = window(rows)
    assert Profile.read(profile.to_json()) == profile


@given(ROWS)
def test_a_profile_frozen_on_any_rows_can_be_read_again(rows: list[dict[str, Any]]) -> None:
    profile = profile_rows(rows, INPUTS, [0.5] * len(rows))
    assert Profile.read(profile.to_json()) == profile
    assert count_window(profile, rows, [0.5] * len(rows)) == profile


def test_the_bytes_are_the_format_that_other_parts_read() -> None:
    profile = profile_rows([{"x": 1.0}, {"x": 2.0}], [("x", "float")], [0.25, 0.75])
    assert json.loads(profile.to_json()) == {
        "format": "ordain.profile/1",
        "rows": 2,
        "features": {"x": {"kind": "number", "edges": [1.0], "counts": [1, 1], "missing": 0}},
        "output": {"kind": "number", "edges": [0.25], "counts": [1, 1], "missing": 0},
    }


def test_a_key_that_the_profile_does_not_know_is_ignored() -> None:
    assert window([{"income": 3.0, "colour": "red"}]) == window([{"income": 3.0}])


def test_a_wrong_value_is_reported_with_its_feature_and_not_repeated() -> None:
    with pytest.raises(ProfileError) as caught:
        window([{"income": "secret"}])
    assert caught.value.message == "income: a value of type str is no number"
    assert caught.value.remedy == "check the column's type in the Dataset"


def test_every_row_needs_its_output() -> None:
    with pytest.raises(ProfileError, match="1 rows have 2 outputs"):
        count_window(reference(), [{}], [0.1, 0.2])


def test_profiles_of_different_versions_do_not_add_up() -> None:
    other = profile_rows([{"income": 1.0}], INPUTS, [0.5])
    with pytest.raises(ProfileError, match="profiles with different bins do not add up"):
        merge(reference(), other)


def damaged(**changes: Any) -> bytes:  # noqa: ANN401 - any JSON
    return json.dumps(json.loads(reference().to_json()) | changes).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "the profile is not readable: JSONDecodeError"),
        (b"[]", "the profile is not readable: TypeError"),
        (b"{}", "the profile is not readable: KeyError: 'format'"),
        (damaged(format="ordain.profile/9"), "the format is 'ordain.profile/9', not ordain"),
        (damaged(rows=201), "age: the bins hold 200 rows, the profile 201"),
        (damaged(rows=-1), "-1 is no count"),
        (damaged(rows=True), "True is no count"),
        (
            damaged(output={"kind": "number", "edges": [2, 1], "counts": [0] * 3, "missing": 0}),
            "edges do not ascend",
        ),
        (
            damaged(output={"kind": "number", "edges": [1], "counts": [0], "missing": 0}),
            "1 counts stand for 2 bins",
        ),
        (damaged(output={"kind": "odd", "counts": []}), "bins of the kind 'odd' are unknown"),
    ],
)
def test_bytes_that_are_no_profile_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(ProfileError) as caught:
        Profile.read(data)
    assert caught.value.message.startswith(message)
    assert caught.value.remedy == "train the version again, or restore the artifact store"
