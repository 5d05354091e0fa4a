"""A proxy is found whatever it is called, alone or among others, and chance is not called one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from ordain.runtime.fairness.proxies import LISTED, scan
from ordain.specs.kinds.dataset import Column, Dataset, Source
from ordain.specs.kinds.model import ProxyLimits
from ordain.specs.validations import ValidationReport, read_validation

if TYPE_CHECKING:
    from ordain.specs.validations import Check

ROWS = 600
LIMITS = ProxyLimits()
COLUMNS = {
    "person": Column(type="id", role="entity"),
    "income": Column(type="float"),
    "shop": Column(type="category"),
    "moved_on": Column(type="date"),
    "note": Column(type="text"),
    "age": Column(type="int", role="protected"),
    "sex": Column(type="category", role="protected"),
}
DATA = Dataset(source=Source(type="csv", uri="data.csv"), columns=COLUMNS, entity="person")
FEATURES = ("income", "shop", "moved_on", "note")


def people(rows: int = ROWS, seed: int = 1, **other: Any) -> pa.Table:  # noqa: ANN401 - columns
    """Nothing here tells anything of sex or age, unless a column is given that does."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(8, 0.5, rows)
    income[:5] = np.nan
    columns: dict[str, Any] = {
        "person": [f"p{number}" for number in range(rows)],
        "income": pa.array(income, from_pandas=True),
        "shop": rng.choice(["north", "south", "west"], rows),
        "moved_on": pa.array(rng.integers(10_000, 20_000, rows).astype("int32"), pa.date32()),
        "note": ["text"] * rows,
        "age": rng.integers(18, 80, rows),
        "sex": rng.choice(["female", "male"], rows),
    }
    return pa.table(columns | other)


def scanned(table: pa.Table, data: Dataset = DATA, **given: Any) -> dict[tuple[str, str], Check]:  # noqa: ANN401
    rows = np.arange(table.num_rows)
    features = given.pop("features", FEATURES)
    found = scan(data, table, rows, features, **{"limits": LIMITS, **given})
    return {(one.name, one.subject): one for one in found}


def sexed(table: pa.Table) -> np.ndarray[Any, Any]:
    return np.array(table["sex"].to_pylist())


def declaring(name: str, *attributes: str) -> Dataset:
    columns = COLUMNS | {name: replace(COLUMNS[name], proxy_for=attributes)}
    return replace(DATA, columns=columns)


def test_columns_that_tell_nothing_pass() -> None:
    found = scanned(people())
    assert {key: one.verdict for key, one in found.items() if one.name != "text"} == {
        ("joint_auc", "age"): "pass",
        ("joint_auc", "sex"): "pass",
        ("cramers_v", "income for age"): "pass",
        ("cramers_v", "shop for age"): "pass",
        ("cramers_v", "moved_on for age"): "pass",
        ("cramers_v", "income for sex"): "pass",
        ("cramers_v", "shop for sex"): "pass",
        ("cramers_v", "moved_on for sex"): "pass",
    }
    assert all(one.section == "proxies" for one in found.values())
    assert found["text", "note"].reason == "free text is not scanned"
    assert found["text", "note"].limit == ""


def test_a_proxy_that_nobody_declared_fails_and_is_told_jointly_too() -> None:
    table = people()
    rng = np.random.default_rng(2)
    shop = np.where(rng.random(ROWS) < 0.8, sexed(table), "both")
    found = scanned(people(shop=shop))
    alone, joint = found["cramers_v", "shop for sex"], found["joint_auc", "sex"]
    assert (alone.verdict, alone.limit, alone.n) == ("fail", "<= 0.3", ROWS)
    assert alone.reason.startswith("an undeclared proxy; p (Holm) = ")
    assert (alone.low or 0) > 0.8
    assert (joint.verdict, joint.limit) == ("fail", "<= 0.8")
    assert joint.reason == "the group that is told best is female"


def test_a_declared_proxy_is_a_warning_for_what_it_was_declared() -> None:
    table = people()
    shop = np.where(np.random.default_rng(2).random(ROWS) < 0.8, sexed(table), "both")
    declared = scanned(people(shop=shop), declaring("shop", "sex"))
    other = scanned(people(shop=shop), declaring("shop", "age"))
    assert declared["cramers_v", "shop for sex"].verdict == "warn"
    assert declared["cramers_v", "shop for sex"].reason.startswith("a declared proxy; p (Holm)")
    assert other["cramers_v", "shop for sex"].verdict == "fail"


def test_what_is_missing_tells_as_well_as_what_is_there() -> None:
    table = people()
    income = np.where(sexed(table) == "female", np.nan, 2000.0)
    found = scanned(people(income=pa.array(income, from_pandas=True)))
    assert found["cramers_v", "income for sex"].value == pytest.approx(1.0, abs=0.01)


def test_features_that_tell_nothing_alone_may_tell_everything_together() -> None:
    table = people()
    coin = np.random.default_rng(3).integers(0, 2, ROWS)
    # Each is a fair coin; only both together say who it is.
    shop = np.where(coin == 1, "north", "south")
    income = np.where((coin == 1) == (sexed(table) == "female"), 1000.0, 3000.0)
    found = scanned(people(shop=shop, income=income), features=("income", "shop"))
    assert found["cramers_v", "shop for sex"].verdict == "pass"
    assert found["cramers_v", "income for sex"].verdict == "pass"
    assert found["joint_auc", "sex"].verdict == "fail"
    assert (found["joint_auc", "sex"].value or 0) > 0.99


def test_a_number_that_follows_a_protected_number_is_found() -> None:
    table = people()
    age = table["age"].to_numpy()
    income = age * 100.0 + np.random.default_rng(4).normal(0, 300, ROWS)
    found = scanned(people(income=income))
    assert found["spearman", "income for age"].verdict == "fail"
    assert found["joint_auc", "age"].verdict == "fail"
    assert found["joint_auc", "age"].reason == "the group that is told best is up to 31.75"


def test_a_number_that_is_high_for_the_young_and_the_old_is_found() -> None:
    """It has no rank correlation with age, and halves of age are told by a coin."""
    age = people()["age"].to_numpy()
    income = np.abs(age - 49.0) * 100 + np.random.default_rng(4).normal(0, 100, ROWS)
    found = scanned(people(income=income), features=("income",))
    assert found["cramers_v", "income for age"].verdict == "fail"
    assert found["joint_auc", "age"].verdict == "fail"


def test_a_protected_number_is_told_by_its_declared_bands() -> None:
    age = replace(COLUMNS["age"], levels=("18..39", "40.."))
    table = people()
    income = table["age"].to_numpy() * 100.0
    found = scanned(people(income=income), replace(DATA, columns={**COLUMNS, "age": age}))
    assert found["joint_auc", "age"].reason == "the group that is told best is 18..39"


@pytest.mark.parametrize("present", [0, 1, 5])
def test_a_feature_with_hardly_a_value_is_left_out(present: int) -> None:
    """A fold may be without a value even where the rows have one."""
    income = np.full(ROWS, np.nan)
    income[:present] = 3.0
    given = pa.array(income, from_pandas=True)
    found = scanned(people(income=given), features=("income",))
    assert 0.4 < (found["joint_auc", "sex"].value or 0) < 0.6
    with_others = scanned(people(income=given), features=("income", "shop"))
    assert found["joint_auc", "age"].verdict == with_others["joint_auc", "sex"].verdict == "pass"


def test_a_joint_value_over_the_limit_by_chance_is_a_warning() -> None:
    """The interval of the group that is found best holds for every group, and is not above it."""
    rng = np.random.default_rng(8)
    shop = np.where(rng.random(ROWS) < 0.55, sexed(people()), rng.choice(["north", "west"], ROWS))
    found = scanned(people(shop=shop), limits=ProxyLimits(joint=0.91))["joint_auc", "sex"]
    assert (found.low or 1) < 0.91 < (found.value or 0)
    said = "the group that is told best is female; above the limit within what chance explains"
    assert (found.verdict, found.reason) == ("warn", said)


def test_the_best_of_many_groups_has_a_wider_interval() -> None:
    rng = np.random.default_rng(5)
    many = rng.choice(["a", "b", "c", "d"], ROWS)
    told = np.where(rng.random(ROWS) < 0.5, many, "e")
    data = replace(DATA, columns={name: COLUMNS[name] for name in ("sex", "shop")}, entity=None)
    wide = scanned(people(sex=many, shop=told), data, features=("shop",))["joint_auc", "sex"]
    two = np.where(many == "a", "a", "b")
    narrow = scanned(people(sex=two, shop=told), data, features=("shop",))["joint_auc", "sex"]
    assert (wide.high or 0) - (wide.low or 0) > 1.1 * ((narrow.high or 0) - (narrow.low or 0))


def test_the_rows_of_one_person_are_not_recognised() -> None:
    """Everybody comes ten times with an income of their own: sex is known by heart, not told."""
    rng = np.random.default_rng(5)
    person = np.repeat(np.arange(60), 10)
    table = people(
        person=[f"p{one}" for one in person],
        income=rng.permutation(60)[person] * 10.0,
        sex=np.array(["female", "male"])[rng.integers(0, 2, 60)[person]],
    )
    joint = scanned(table, features=("income",))["joint_auc", "sex"]
    alone = scanned(table, replace(DATA, entity=None), features=("income",))["joint_auc", "sex"]
    assert (joint.value or 1) < 0.75
    assert (alone.value or 0) > 0.85


def test_few_rows_are_insufficient_whatever_they_say() -> None:
    table = people(60)
    found = scanned(people(60, shop=sexed(table)))
    assert found["cramers_v", "shop for sex"].verdict == "insufficient"
    assert found["cramers_v", "shop for sex"].reason == "60 rows, 100 are needed"
    assert found["joint_auc", "sex"].reason == "60 rows, 100 are needed"


def test_an_attribute_of_one_level_can_be_told_by_nothing() -> None:
    found = scanned(people(sex=["female"] * ROWS))
    assert found["cramers_v", "shop for sex"].reason == "all rows have one level"
    assert found["cramers_v", "shop for sex"].verdict == "insufficient"
    assert found["joint_auc", "sex"].reason == "no two groups of 30 rows"


def test_a_group_of_three_is_not_looked_for_and_breaks_nothing() -> None:
    sex = ["other"] * 3 + ["female", "male"] * 298 + ["female"]
    found = scanned(people(sex=sex))["joint_auc", "sex"]
    assert found.n == ROWS - 3
    assert found.reason in (
        "the group that is told best is female",
        "the group that is told best is male",
    )


def test_without_limits_everything_informs() -> None:
    table = people()
    found = scanned(people(shop=sexed(table)), limits=None)
    assert {one.limit for one in found.values()} == {""}
    assert (found["cramers_v", "shop for sex"].value or 0) > 0.99


def test_without_protected_columns_there_is_nothing_to_tell() -> None:
    columns = {name: one for name, one in COLUMNS.items() if one.role != "protected"}
    assert scanned(people(), replace(DATA, columns=columns)) == {}


def test_without_features_the_joint_model_says_so() -> None:
    found = scanned(people(), features=())
    assert {one.reason for one in found.values()} == {"there are no features"}


def test_the_same_rows_and_seed_give_the_same_checks() -> None:
    table = people(200)
    assert scanned(table, seed=3) == scanned(table, seed=3)


def test_of_many_features_the_weak_ones_are_counted_and_chance_finds_none() -> None:
    rng = np.random.default_rng(6)
    names = [f"f{number:03}" for number in range(LISTED + 20)]
    columns = {"sex": COLUMNS["sex"], **{name: Column(type="float") for name in names}}
    data = Dataset(source=Source(type="csv", uri="data.csv"), columns=columns)
    table = pa.table(
        {"sex": rng.choice(["a", "b"], 120), **{name: rng.normal(size=120) for name in names}}
    )
    # Nothing is learnt jointly here: what is asked is how single ones are listed.
    found = scan(data, table, np.arange(120), names, limits=ProxyLimits(max=0.9, joint=1.0))
    assert {one.verdict for one in found if one.limit} == {"pass"}
    assert len(found) == LISTED + 2
    assert found[-1].reason.startswith("20 weaker associations are not listed, none above ")


def test_checks_stand_in_a_validation_and_are_read_again() -> None:
    checks = tuple(scanned(people(200)).values())
    report = ValidationReport("m", "sha256:a", "d", "sha256:b", "", 200, "classification", checks)
    assert read_validation(report.to_json(), report.path) == report
