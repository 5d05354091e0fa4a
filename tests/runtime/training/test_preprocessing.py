"""Every declared preprocessing: what it makes of rows, in trainer and plan, and what it refuses.

Columns are compared one by one and not by what a model makes of them, because a weight near zero
would hide a difference.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.model_selection import StratifiedKFold

from ordain.runtime.datasets.reading import read_table
from ordain.runtime.encoding import Columns, Input, read_columns
from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.training import features, refusals
from ordain.runtime.training.columns import fit_columns, monotone, takes_missing
from ordain.runtime.training.export_columns import export_columns
from ordain.specs.canonical import canonical_json
from ordain.specs.kinds.dataset import Column, Dataset
from ordain.specs.kinds.model import Model

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.training

Row = dict[str, object]
MakeDataset = Callable[..., Dataset]
MakeModel = Callable[..., Model]

BOOSTING = "hist_gradient_boosting"
LINEAR = "logistic_regression"
ALL_PARTS = ["year", "quarter", "month", "day", "weekday", "hour", "day_of_year", "days"]
SENTENCES = [
    "repay another loan, the old loan",
    "a used car",
    "new car; my first!",
    "STRASSE und Straße",
    "house of my own",
    None,
]


class Fitted:
    """The fitted columns of a Model over the lending table, and the plan's reading of them."""

    def __init__(
        self, declared: Model, dataset: Dataset, root: Path, outcomes: NDArray[Any] | None
    ) -> None:
        table = read_table(dataset, root)
        self.model = declared
        self.train = np.arange(table.num_rows * 2 // 3)
        self.rest = np.arange(table.num_rows * 2 // 3, table.num_rows)
        defaulted = np.asarray(table["defaulted"].to_numpy())
        known = defaulted if outcomes is None else outcomes
        self.outcomes: NDArray[Any] | None = None if declared.task == "clustering" else known
        names = features.learnt_columns(declared.features, dataset)
        ranked = declared.preprocessing.categorical.encode == "ordinal_by_target"
        ranking = (self.train, known) if ranked else None
        self.frame = features.make_frame(names, dataset, table, ranking)
        estimator = declared.training.estimator if declared.training else None
        self.trees = estimator == BOOSTING
        learnt = None if self.outcomes is None else self.outcomes[self.train]
        self.columns, self.encoded = fit_columns(
            declared, self.frame, self.frame.matrix[self.train], learnt, trees=self.trees
        )
        self.exported = export_columns(self.columns, self.frame)
        self.names = self.exported.names

    @property
    def plan(self) -> Columns:
        columns = list(zip(self.frame.names, self.frame.columns, strict=True))
        inputs = {
            name: Input(name, column.type, missing=True, range=None, levels=None, unknown="bucket")
            for name, column in columns
        }
        raw = json.loads(canonical_json({"columns": self.exported.columns}))["columns"]
        read = read_columns(raw, self.exported.keep, inputs)
        assert [list(found) for found in read.sources] == self.exported.sources
        assert len(self.names) == len(read.sources)
        return read

    def op(self, op: str, name: str) -> Row:
        found: Row = next(
            column
            for column in self.exported.columns
            if column["op"] == op and column["input"] == name
        )
        return found

    def rows(self) -> list[Row]:
        """Rows that were held out, with odd values in some of them."""
        rows = self.frame.rows(self.rest)
        for place, name in enumerate(self.frame.names):
            if takes_missing(self.columns, place, trees=self.trees):
                rows[place + 1][name] = None
        for place, change in enumerate(self._odd()):
            rows[20 + place] |= change
        return rows

    def _odd(self) -> list[Row]:
        found: list[Row] = [{"income": 1e9}, {"income": -5.5}, {"purpose": "a moon"}]
        found += [{"asked_on": "1969-12-31T23:59:59"}, {"asked_on": "9999-12-31"}]
        found += [{"reason": "unheard words"}, {"reason": "Loan\u00a0LOAN, straße x"}]
        return [change for change in found if change.keys() <= set(self.frame.names)]

    def assert_agreement(self, tolerance: float = 0.0) -> None:
        """Plan and pipeline make the same columns of the same rows."""
        rows = self.rows()
        expected = self.columns.transform(self.frame.encode(rows))
        plan = self.plan
        found = np.array([plan.kept(plan.every(row)) for row in rows])
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.fixture
def wide(lending: Callable[..., pa.Table]) -> pa.Table:
    """The lending table with a moment and a text, some of both missing."""
    table, rng = lending(), np.random.default_rng(3)
    rows = table.num_rows
    moments = np.datetime64("2019-06-30T05:00:07") + rng.integers(0, 10**8, rows)
    asked = pa.array(moments.astype("datetime64[us]"), mask=rng.random(rows) < 0.05)
    reason = pa.array([SENTENCES[place] for place in rng.integers(0, len(SENTENCES), rows)])
    return table.append_column("asked_on", asked).append_column("reason", reason)


@pytest.fixture
def fitted(
    tmp_path: Path, wide: pa.Table, dataset: MakeDataset, model: MakeModel
) -> Callable[..., Fitted]:
    """`fitted(preprocessing, estimator, only=(...), **changed)`: the columns of these features."""

    def make(
        preprocessing: dict[str, Any] | None = None,
        estimator: str = LINEAR,
        only: tuple[str, ...] = (),
        table: pa.Table | None = None,
        data: dict[str, Any] | None = None,
        outcomes: NDArray[Any] | None = None,
        **changed: Any,  # noqa: ANN401
    ) -> Fitted:
        table = wide if table is None else table
        plain = dataset(table, **data or {})
        more: dict[str, Any] = {"asked_on": "date", "reason": "text"}
        columns = plain.columns | {
            name: Column(type=kind) for name, kind in more.items() if name in table.column_names
        }
        declared = replace(plain, columns=columns)
        chosen = changed.pop("features", {}) | {"include": list(only)}
        one = model(estimator, preprocessing=preprocessing or {}, features=chosen, **changed)
        return Fitted(one, declared, tmp_path, outcomes)

    return make


NUMERIC: list[dict[str, Any]] = [
    {"impute": "constant", "fill": 7.5, "scale": "minmax"},
    {"impute": "mean", "scale": "robust", "indicator": True},
    {"impute": "median", "scale": "none", "outliers": {"limits": {"income": [500, 4000]}}},
    {
        "scale": "minmax",
        "outliers": {"clip": ["p05", "p95"], "limits": {"income": [500, 4000]}},
    },
]


@pytest.mark.parametrize("estimator", [LINEAR, BOOSTING])
@pytest.mark.parametrize("numeric", NUMERIC)
def test_numbers_are_filled_clipped_and_scaled_as_declared(
    fitted: Callable[..., Fitted], numeric: dict[str, Any], estimator: str
) -> None:
    one = fitted({"numeric": numeric}, estimator, ("income", "debts", "employed", "purpose"))
    one.assert_agreement()


def test_trees_get_scaled_numbers_that_may_be_missing(fitted: Callable[..., Fitted]) -> None:
    numeric = {"impute": "none", "scale": "robust"}
    one = fitted({"numeric": numeric}, BOOSTING, ("income", "debts"))
    one.assert_agreement()
    assert np.isnan(one.encoded).any()


def test_limits_of_a_feature_take_the_place_of_quantiles(fitted: Callable[..., Fitted]) -> None:
    outliers = {"clip": ["p05", "p95"], "limits": {"income": [500, 4000]}}
    one = fitted({"numeric": {"outliers": outliers}}, only=("income", "debts"))
    assert (one.op("number", "income")["low"], one.op("number", "income")["high"]) == (500, 4000)
    assert one.op("number", "debts")["low"] == 0.0


def test_a_scale_that_would_be_zero_is_one(fitted: Callable[..., Fitted], wide: pa.Table) -> None:
    """Half of the values and more are the same, so the quartiles are."""
    debts = pa.array([5, 4, 3, 2, 1] + [0] * 595)
    table = wide.set_column(wide.column_names.index("debts"), "debts", debts)
    one = fitted({"numeric": {"scale": "robust"}}, only=("debts",), table=table)
    assert one.op("number", "debts")["scale"] == 1.0
    one.assert_agreement()


@pytest.mark.parametrize("estimator", [LINEAR, BOOSTING])
@pytest.mark.parametrize("encode", ["one_hot", "ordinal", "ordinal_by_target", "target"])
@pytest.mark.parametrize("rare", [None, 15, 40])
def test_categories_are_encoded_as_declared(
    fitted: Callable[..., Fitted], encode: str, estimator: str, rare: int | None
) -> None:
    one = fitted(
        {"categorical": {"encode": encode}},
        estimator,
        ("income", "purpose"),
        data={"purpose": {"rare": rare}},
    )
    one.assert_agreement()


def test_no_row_is_encoded_by_its_own_outcome(fitted: Callable[..., Fitted]) -> None:
    """Folds of a regression do not depend on outcomes, so one outcome can be changed alone."""
    outcomes = np.random.default_rng(5).normal(100.0, 5.0, 600)
    changed = outcomes.copy()
    changed[17] += 1e6
    before, after = (
        fitted(
            {"categorical": {"encode": "target"}},
            only=("purpose",),
            outcomes=found,
            task="regression",
        )
        for found in (outcomes, changed)
    )
    assert after.encoded[17] == before.encoded[17]
    assert np.count_nonzero(after.encoded != before.encoded) > 100


def test_a_row_is_encoded_by_the_folds_that_it_is_not_in(fitted: Callable[..., Fitted]) -> None:
    """Shrunk from the mean of the level towards the mean of all, and never beyond."""
    one = fitted(
        {"categorical": {"encode": "target", "folds": 4}},
        only=("purpose",),
        data={"purpose": {"rare": None}},
    )
    assert one.outcomes is not None
    learnt, codes = one.outcomes[one.train], one.frame.matrix[one.train][:, 0]
    folds = StratifiedKFold(4, shuffle=True, random_state=7)
    for rest, own in folds.split(codes, learnt):
        for level in set(codes[own].tolist()) & set(codes[rest].tolist()):
            (given,) = np.unique(one.encoded[own][codes[own] == level])
            low, high = sorted([learnt[rest][codes[rest] == level].mean(), learnt[rest].mean()])
            assert low - 1e-12 <= given <= high + 1e-12
    assert not np.array_equal(one.columns.transform(one.frame.matrix[one.train]), one.encoded)


def test_folds_are_the_same_in_every_run(fitted: Callable[..., Fitted]) -> None:
    encoded = [
        fitted({"categorical": {"encode": "target"}}, only=("purpose",)).encoded for _ in range(2)
    ]
    assert np.array_equal(encoded[0], encoded[1])


def test_more_than_two_classes_have_a_share_each(fitted: Callable[..., Fitted]) -> None:
    outcomes = np.random.default_rng(5).integers(0, 3, 600)
    one = fitted(
        {"categorical": {"encode": "target"}}, only=("income", "purpose"), outcomes=outcomes
    )
    assert one.names[1:] == [f"purpose by outcome {place}" for place in range(3)]
    shares = one.columns.transform(one.frame.matrix)[:, 1:]
    assert shares.sum(axis=1) == pytest.approx(1.0, abs=0.2)
    one.assert_agreement()


def test_a_regression_encodes_levels_by_their_mean(fitted: Callable[..., Fitted]) -> None:
    outcomes = np.random.default_rng(5).normal(100.0, 5.0, 600)
    one = fitted(
        {"categorical": {"encode": "target"}},
        only=("purpose",),
        outcomes=outcomes,
        task="regression",
    )
    assert 95 < one.encoded.min() < one.encoded.max() < 105
    one.assert_agreement()


def test_a_regression_ranks_levels_by_their_mean(
    fitted: Callable[..., Fitted], wide: pa.Table
) -> None:
    means = {"boat": 3.0, "car": 5.0, "home": 1.0, "plane": 2.0, "study": 4.0, None: 0.0}
    purposes = wide["purpose"].to_pylist()
    ranked = fitted(
        {"categorical": {"encode": "ordinal_by_target"}},
        only=("purpose",),
        outcomes=np.array([means[purpose] for purpose in purposes]),
        data={"purpose": {"rare": None}},
        task="regression",
    )
    levels = ranked.op("ordinal", "purpose")["levels"]
    assert levels == ["(missing)", "home", "plane", "boat", "study", "car"]


@pytest.mark.parametrize("estimator", [LINEAR, BOOSTING])
def test_a_date_becomes_its_parts(fitted: Callable[..., Fitted], estimator: str) -> None:
    preprocessing = {"dates": {"parts": ALL_PARTS}, "numeric": {"indicator": True}}
    one = fitted(preprocessing, estimator, ("asked_on",))
    assert one.names == [*(f"asked_on {part}" for part in ALL_PARTS), "asked_on is missing"]
    one.assert_agreement()


def test_a_text_becomes_the_weights_of_its_most_frequent_terms(
    fitted: Callable[..., Fitted],
) -> None:
    one = fitted({"texts": {"terms": 4, "ngrams": [1, 2]}}, only=("reason",))
    op = one.op("text", "reason")
    assert op["terms"] == ["car", "loan", "my", "strasse"]
    assert one.names == ["reason: car", "reason: loan", "reason: my", "reason: strasse"]
    one.assert_agreement()


def test_terms_in_too_few_rows_are_left_out(fitted: Callable[..., Fitted]) -> None:
    counts = [len(fitted({"texts": {"minRows": rows}}, only=("reason",)).names) for rows in (5, 80)]
    assert counts[0] > counts[1] > 0


def test_of_equally_frequent_terms_the_first_by_name_are_kept(
    fitted: Callable[..., Fitted], wide: pa.Table
) -> None:
    place = wide.column_names.index("reason")
    words = " ".join(f"w{number:02}" for number in range(40))
    table = wide.set_column(place, "reason", pa.array([words, None] * 300))
    one = fitted({"texts": {"terms": 3}}, only=("reason",), table=table)
    assert one.op("text", "reason")["terms"] == ["w00", "w01", "w02"]


def test_texts_are_not_kept_in_copies_for_a_file(fitted: Callable[..., Fitted]) -> None:
    texts = fitted(only=("reason",)).frame.texts["reason"]
    assert copy.deepcopy(texts) is texts
    made, arguments = texts.__reduce__()
    assert (made, arguments) == (features.Texts, ())


def test_two_features_are_multiplied_after_their_own_preprocessing(
    fitted: Callable[..., Fitted],
) -> None:
    pairs = [["income", "debts"], ["employed", "income"]]
    one = fitted({"interactions": pairs}, only=("debts", "employed", "income", "purpose"))
    assert one.names[-2:] == ["income × debts", "employed × income"]  # noqa: RUF001
    assert one.exported.sources[-2:] == [["income", "debts"], ["employed", "income"]]
    debts, employed, income = (one.encoded[:, place] for place in range(3))
    assert np.array_equal(one.encoded[:, -2], income * debts)
    assert np.array_equal(one.encoded[:, -1], employed * income)
    one.assert_agreement()


@pytest.mark.parametrize("method", ["mutual_info", "anova", "variance"])
def test_selection_keeps_the_columns_that_matter(
    fitted: Callable[..., Fitted], method: str
) -> None:
    one = fitted(
        {"interactions": [["income", "debts"]]},
        only=("debts", "employed", "income", "purpose"),
        features={"select": {"method": method, "keep": 4}},
    )
    assert one.exported.keep == sorted(one.exported.keep or [])
    assert len(one.names) == one.encoded.shape[1] == 4
    if method != "variance":
        assert "debts" in one.names
    one.assert_agreement()


def test_selection_looks_at_training_rows_only(fitted: Callable[..., Fitted]) -> None:
    """Outcomes of other rows may be anything."""
    chosen = {"select": {"method": "mutual_info", "keep": 3}}
    first = fitted(only=("debts", "employed", "income", "purpose"), features=chosen)
    assert first.outcomes is not None
    other = first.outcomes.copy()
    other[first.rest] = 1 - other[first.rest]
    names = ("debts", "employed", "income", "purpose")
    second = fitted(only=names, features=chosen, outcomes=other)
    assert first.exported.keep == second.exported.keep


def test_of_equal_columns_the_first_is_kept(fitted: Callable[..., Fitted], wide: pa.Table) -> None:
    table = wide.set_column(wide.column_names.index("income"), "income", wide["debts"])
    chosen = {"select": {"method": "anova", "keep": 1}}
    one = fitted(only=("debts", "income"), table=table, features=chosen)
    assert one.names == ["debts"]


def test_directions_follow_what_selection_keeps(fitted: Callable[..., Fitted]) -> None:
    one = fitted(
        {"numeric": {"monotone": {"income": "decreasing"}}, "dates": {"parts": ["month"]}},
        BOOSTING,
        ("asked_on", "debts", "income", "purpose"),
        features={"select": {"method": "mutual_info", "keep": 3}},
    )
    found = monotone(one.model, one.frame, one.columns, classes=0)
    assert found == [-1 if name == "income" else 0 for name in one.names]
    assert -1 in found


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"only": ("asked_on",)},
        "preprocessing.dates.parts: asked_on is a date, and no part of a date is declared",
    ),
    (
        {"only": ("asked_on",), "preprocessing": {"dates": {"parts": ["day", "day"]}}},
        "preprocessing.dates.parts: ['day', 'day'] names a part twice",
    ),
    (
        {"only": ("reason",), "preprocessing": {"texts": {"minRows": 500}}},
        "feature reason: no term is in 500 rows of the training part",
    ),
    (
        {"only": ("reason",), "preprocessing": {"texts": {"ngrams": [2, 1]}}},
        "preprocessing.texts.ngrams: [2, 1] is no range of 1 to 5 words",
    ),
    (
        {
            "estimator": BOOSTING,
            "only": ("income", "debts"),
            "preprocessing": {"interactions": [["income", "debts"]]},
        },
        (
            "preprocessing.interactions: products of features are for linear models, and this is "
            "hist_gradient_boosting"
        ),
    ),
    (
        {"only": ("income", "purpose"), "preprocessing": {"interactions": [["income", "purpose"]]}},
        "preprocessing.interactions: purpose is no numeric feature",
    ),
    (
        {"only": ("income",), "preprocessing": {"interactions": [["income", "income"]]}},
        "preprocessing.interactions: a pair names one feature twice",
    ),
    (
        {
            "only": ("income", "debts"),
            "preprocessing": {"interactions": [["income", "debts"], ["debts", "income"]]},
        },
        "preprocessing.interactions: a pair is declared twice",
    ),
    (
        {
            "only": ("income",),
            "preprocessing": {"numeric": {"outliers": {"limits": {"debts": [0, 1]}}}},
        },
        "preprocessing.numeric.outliers.limits: debts is no numeric feature",
    ),
    (
        {
            "only": ("income",),
            "preprocessing": {"numeric": {"outliers": {"limits": {"income": [5, 5]}}}},
        },
        "preprocessing.numeric.outliers.limits: income from 5 to 5 keeps nothing",
    ),
    (
        {"only": ("income", "debts"), "features": {"select": {"method": "anova", "keep": 3}}},
        "features.select.keep: 3 columns are to be kept of 2",
    ),
    (
        {
            "estimator": BOOSTING,
            "only": ("income", "debts"),
            "preprocessing": {"numeric": {"impute": "none"}},
            "features": {"select": {"method": "anova", "keep": 1}},
        },
        "features.select: anova cannot rank columns with missing values",
    ),
    (
        {
            "only": ("income", "debts"),
            "task": "clustering",
            "features": {"select": {"method": "anova", "keep": 1}},
        },
        "features.select.method: anova needs outcomes, which a clustering has not",
    ),
    (
        {
            "only": ("purpose",),
            "task": "clustering",
            "preprocessing": {"categorical": {"encode": "target"}},
        },
        "preprocessing.categorical.encode: target needs outcomes, which a clustering has not",
    ),
    (
        {
            "only": ("purpose",),
            "preprocessing": {"categorical": {"encode": "target", "folds": 300}},
        },
        (
            "preprocessing.categorical.encode: target makes 300 folds, and one outcome has "
            "123 training rows"
        ),
    ),
    (
        {
            "only": ("purpose",),
            "outcomes": np.arange(600) % 3,
            "preprocessing": {"categorical": {"encode": "ordinal_by_target"}},
        },
        (
            "preprocessing.categorical.encode: ordinal_by_target ranks levels by one outcome, and "
            "there are 3 classes"
        ),
    ),
]


@pytest.mark.parametrize(("asked", "message"), REFUSED)
def test_what_cannot_be_done_is_refused(
    fitted: Callable[..., Fitted], asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(TrainingError) as caught:
        fitted(**asked)
    assert caught.value.message == message
    assert caught.value.remedy


def test_a_constant_feature_is_refused(fitted: Callable[..., Fitted], wide: pa.Table) -> None:
    place = wide.column_names.index("debts")
    table = wide.set_column(place, "debts", pa.array([3] * 600))
    with pytest.raises(TrainingError) as caught:
        fitted(only=("debts", "income"), table=table)
    assert caught.value.message == "feature debts: all values of the training part are the same"
    assert caught.value.remedy == "add debts to features.exclude, or mend the data"


def test_one_value_and_gaps_is_refused_where_the_gaps_are_filled(
    fitted: Callable[..., Fitted], wide: pa.Table
) -> None:
    place = wide.column_names.index("income")
    table = wide.set_column(place, "income", pa.array([3.0, None, 3.0] * 200))
    filled: list[dict[str, Any]] = [{}, {"impute": "constant", "fill": 3.0}]
    for numeric in filled:
        with pytest.raises(TrainingError) as caught:
            fitted({"numeric": numeric}, only=("debts", "income"), table=table)
        assert (
            caught.value.message == "feature income: all values of the training part are the same"
        )
        assert caught.value.remedy == (
            "add income to features.exclude, or mend the data; numeric.indicator: true tells rows "
            "with and without it apart"
        )
    told: list[dict[str, Any]] = [{"indicator": True}, {"impute": "constant", "fill": 7.0}]
    for numeric in told:
        assert fitted({"numeric": numeric}, only=("debts", "income"), table=table).names
    assert fitted({"numeric": {"impute": "none"}}, BOOSTING, ("income",), table=table).names


def test_too_many_levels_are_refused_although_the_rarest_are_put_together(
    fitted: Callable[..., Fitted], lending: Callable[..., pa.Table]
) -> None:
    table = lending(1800)
    place = table.column_names.index("purpose")
    levels = pa.array([f"p{number % 520}" for number in range(1800)])
    table = table.set_column(place, "purpose", levels)
    with pytest.raises(TrainingError) as caught:
        fitted(only=("purpose",), table=table, data={"purpose": {"rare": 2}})
    assert caught.value.message == "feature purpose has 520 levels, one_hot takes 500"
    assert caught.value.remedy == "raise spec.columns.purpose.rare, or encode: target"
    encoded = fitted(
        {"categorical": {"encode": "target"}},
        only=("purpose",),
        table=table,
        data={"purpose": {"rare": 2}},
    )
    encoded.assert_agreement()


def test_a_date_beyond_the_calendar_is_refused(
    fitted: Callable[..., Fitted], wide: pa.Table
) -> None:
    place = wide.column_names.index("asked_on")
    late = pa.array([253_402_300_800_000_000] * 600, pa.timestamp("us"))
    with pytest.raises(DataError) as caught:
        fitted(only=("asked_on",), table=wide.set_column(place, "asked_on", late))
    assert caught.value.message.endswith(
        "column asked_on, row 1: the date is outside of the years 1 to 9999"
    )


def test_columns_by_term_that_fill_the_memory_are_refused(
    fitted: Callable[..., Fitted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "MAXIMUM_NUMBERS", 2_000)
    with pytest.raises(TrainingError) as caught:
        fitted({"texts": {"terms": 4}}, only=("reason",))
    message = "600 rows of 4 columns by level or term are more than 2000 numbers"
    assert caught.value.message == message


def test_a_feature_may_have_any_name(fitted: Callable[..., Fitted], wide: pa.Table) -> None:
    """scikit-learn refuses two underscores, and the names of its own parameters."""
    names = [{"debts": "n_jobs", "income": "a__b"}.get(name, name) for name in wide.column_names]
    data: dict[str, Any] = {
        "columns": {
            "n_jobs": {"type": "int"},
            "a__b": {"type": "float"},
            "defaulted": {"type": "int"},
        },
        "entity": None,
        "time": None,
        "leaks": [],
    }
    one = fitted(table=wide.rename_columns(names), data=data, only=("n_jobs", "a__b"))
    assert one.names == ["a__b", "n_jobs"]
