"""Classes of the language behave as the standard library's frozen dataclasses do."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from ordain.specs.kinds.model import Model, Numeric, Split
from ordain.specs.kinds.route import Condition


def test_defaults_are_filled_in_and_missing_values_refused() -> None:
    split = Split(by="time")
    assert (split.by, split.train, split.purge) == ("time", "60%", None)
    with pytest.raises(TypeError, match=r"^Model needs purpose$"):
        Model()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Split has no whole$"):
        Split(whole="x")  # type: ignore[call-arg]


def test_a_declaration_is_frozen() -> None:
    split: Any = Split()
    with pytest.raises(FrozenInstanceError, match="cannot change by of a Split"):
        split.by = "entity"
    with pytest.raises(FrozenInstanceError):
        del split.by
    with pytest.raises(AttributeError):
        object.__setattr__(split, "other", 1)


def test_equality_and_hash_are_by_value_and_type() -> None:
    assert Split() == Split(by="random")
    assert Split() != Split(by="time")
    assert Split() != object()
    assert hash(Split()) == hash(Split(by="random"))
    assert repr(Split(by="time")).startswith("Split(by='time', train='60%'")


def test_the_standard_library_knows_them() -> None:
    assert replace(Split(), by="entity").by == "entity"
    assert [field.name for field in fields(Split)][:2] == ["by", "train"]


def test_a_copy_shares_nothing_that_can_change() -> None:
    declared = Numeric(monotone={"income": "increasing"})
    copied = deepcopy(declared)
    assert copied == declared
    assert copied.monotone is not declared.monotone


def test_what_a_class_checks_after_the_fact_is_checked() -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        Condition()
