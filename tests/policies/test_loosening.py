"""Every limit that can be made weaker is seen when it is, and only then."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.loosening import Loosened, loosened_between
from ordain.specs.findings import Location

if TYPE_CHECKING:
    from sketches import Sketch

    from tests.policies.conftest import Workshop

GATES = [
    {"name": "roc_auc", "min": 0.7, "bound": "lower", "confidence": 0.95},
    {"name": "brier", "max": 0.2},
]
FAIRNESS = [{"metric": "adverse_impact_ratio", "attributes": ["sex"], "min": 0.8, "minCell": 30}]
LOOP = {"observed": "granted", "explored": "drawn", "minExploration": "2%"}
EXPECT = {
    "rows": [100, 10_000],
    "fresh": "30d",
    "unique": [["applicant_id", "applied_on"]],
    "relations": [{"left": "low", "op": "le", "right": "high"}],
}
METRICS = "spec.acceptance.metrics"
FAIR = "spec.acceptance.fairness"


def estate(workshop: Workshop) -> Sketch:
    sketch = workshop.serving.set("Model/credit", METRICS, GATES)
    sketch.set("Model/credit", FAIR, FAIRNESS)
    sketch.set("Monitor/credit", "spec.hysteresis", {"breaches": 1, "of": 2})
    sketch.set("Monitor/credit", "spec.onBreach", ["alert", "fallback"])
    income = {"type": "float", "range": [0, 1e6], "missing": "5%"}
    sketch.set("Dataset/applications", "spec.columns.income", income)
    purpose = {"type": "category", "levels": ["a", "b"], "unknown": "refuse"}
    sketch.set("Dataset/applications", "spec.columns.purpose", purpose)
    sketch.set("Dataset/applications", "spec.columns.sex.levels", ["male", "female"])
    sketch.set("Dataset/applications", "spec.target.matureAfter", "365d")
    sketch.set("Dataset/applications", "spec.asOf", "2026-06-30")
    sketch.set("Dataset/applications", "spec.target.feedback", LOOP)
    sketch.set("Dataset/applications", "spec.columns.income.unique", value=True)
    sketch.set("Dataset/applications", "spec.expect", copy.deepcopy(EXPECT))
    sketch.set("Dataset/applications", "spec.entity", "applicant_id")
    sketch.set("Dataset/applications", "spec.time", "applied_on")
    sketch.set("Dataset/applications", "spec.columns.applied_on", {"type": "date", "role": "time"})
    sketch.set("Model/credit", "spec.split", {"by": "time", "test": "2026-01-01..", "purge": "30d"})
    return sketch


def gate(number: int, **changes: object) -> list[dict[str, Any]]:
    return [{**one, **changes} if index == number else one for index, one in enumerate(GATES)]


@pytest.mark.parametrize(
    ("key", "path", "value", "before", "after"),
    [
        ("Model/credit", METRICS, gate(0, min=0.6), "roc_auc min 0.7", "min 0.6"),
        ("Model/credit", METRICS, gate(1, max=0.3), "brier max 0.2", "max 0.3"),
        (
            "Model/credit",
            METRICS,
            gate(0, bound="value"),
            "roc_auc min at its lower bound of 0.95",
            "at its value",
        ),
        (
            "Model/credit",
            METRICS,
            gate(0, confidence=0.8),
            "roc_auc min at its lower bound of 0.95",
            "at its lower bound of 0.8",
        ),
        ("Model/credit", METRICS, GATES[1:], "roc_auc min 0.7", "removed"),
        ("Model/credit", METRICS, [GATES[0], {"name": "brier"}], "brier max 0.2", "removed"),
        ("Model/credit", FAIR, [], "adverse_impact_ratio of sex", "removed"),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "min": 0.7}],
            "adverse_impact_ratio of sex min 0.8",
            "min 0.7",
        ),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "alpha": 0.01}],
            "adverse_impact_ratio of sex alpha 0.05",
            "alpha 0.01",
        ),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "minCell": 90}],
            "adverse_impact_ratio of sex minCell 30",
            "minCell 90",
        ),
        (
            "Model/credit",
            FAIR,
            [{**FAIRNESS[0], "attributes": ["age"]}],
            "adverse_impact_ratio of sex",
            "removed",
        ),
        ("Model/credit", "spec.tier", 2, "1", "2"),
        ("Model/credit", "spec.acceptance.drift.psi.max", 0.25, "0.2", "0.25"),
        ("Model/credit", "spec.acceptance.parity", {"plan": 1e-6}, "1e-09", "1e-06"),
        ("Model/credit", "spec.acceptance.parity", {"onnx": 1e-3}, "1e-05", "0.001"),
        ("Monitor/credit", "spec.psi.fail", 0.25, "0.2", "0.25"),
        ("Monitor/credit", "spec.predictionPsi.warn", 0.2, "0.1", "0.2"),
        ("Monitor/credit", "spec.window", {"minRows": 900}, "200", "900"),
        ("Monitor/credit", "spec.hysteresis.breaches", 2, "1", "2"),
        ("Monitor/credit", "spec.features", ["income"], "all", "income"),
        ("Monitor/credit", "spec.window", {"rows": 5000}, "1000", "5000"),
        ("Monitor/credit", "spec.window", {"rows": 300}, "1000", "300"),
        ("Monitor/credit", "spec.window", {"duration": "1m"}, "any", "1m"),
        ("Dataset/applications", "spec.columns.income.range", [0, 2e9], "0 to 1e+06", "0 to 2e+09"),
        ("Dataset/applications", "spec.columns.income.range", None, "0 to 1e+06", "any value"),
        ("Dataset/applications", "spec.columns.income.missing", "6%", "5%", "6%"),
        ("Dataset/applications", "spec.columns.income.missing", None, "5%", "any share"),
        ("Dataset/applications", "spec.columns.purpose.unknown", "bucket", "refuse", "bucket"),
        ("Dataset/applications", "spec.columns.purpose.levels", ["a", "b", "c"], "a, b", "a, b, c"),
        ("Dataset/applications", "spec.columns.purpose.levels", None, "a, b", "any level"),
        ("Compliance/credit", "spec.fairness_bias", None, "present", "removed"),
        ("Dataset/applications", "spec.leaks", [], "days_past_due_12m", "removed"),
        ("Dataset/applications", "spec.columns.sex.role", "id", "protected", "id"),
        ("Dataset/applications", "spec.columns.sex", None, "protected", "removed"),
        ("Route/credit", "spec.access.keys", "none", "required", "none"),
        ("Dataset/applications", "spec.target.favourable", 1, "0", "1"),
        ("Dataset/applications", "spec.target.favourable", None, "0", "removed"),
        ("Dataset/applications", "spec.target.positive", 0, "1", "0"),
        ("Dataset/applications", "spec.target.column", "income", "default_12m", "income"),
        ("Dataset/applications", "spec.target.matureAfter", "1d", "365d", "1d"),
        ("Dataset/applications", "spec.target.matureAfter", None, "365d", "removed"),
        ("Dataset/applications", "spec.target", None, "default_12m", "removed"),
        ("Dataset/applications", "spec.asOf", "2026-07-01", "2026-06-30", "2026-07-01"),
        ("Dataset/applications", "spec.entity", "income", "applicant_id", "income"),
        ("Dataset/applications", "spec.entity", None, "applicant_id", "removed"),
        ("Dataset/applications", "spec.time", None, "applied_on", "removed"),
        ("Dataset/applications", "spec.columns.sex.reference", "female", "male", "female"),
        ("Dataset/applications", "spec.columns.sex.reference", None, "male", "removed"),
        ("Dataset/applications", "spec.columns.sex.levels", ["male"], "male, female", "male"),
        ("Dataset/applications", "spec.columns.sex.rare", 10**5, "its default", "100000"),
        ("Dataset/applications", "spec.columns.sex.unknown", "refuse", "bucket", "refuse"),
        (
            "Model/credit",
            METRICS,
            gate(0, population="labelled"),
            "roc_auc min of all cases",
            "of labelled cases",
        ),
        ("Dataset/applications", "spec.target.feedback", None, "granted", "removed"),
        (
            "Dataset/applications",
            "spec.target.feedback",
            {**LOOP, "observed": "paid"},
            "granted",
            "paid",
        ),
        (
            "Dataset/applications",
            "spec.target.feedback",
            {"observed": "granted", "minExploration": "2%"},
            "drawn",
            "removed",
        ),
        (
            "Dataset/applications",
            "spec.target.feedback",
            {**LOOP, "minExploration": "1%"},
            "2%",
            "1%",
        ),
        ("Dataset/applications", "spec.columns.income.unique", False, "true", "false"),
        ("Dataset/applications", "spec.columns.income.separates", True, "false", "true"),
        (
            "Dataset/applications",
            "spec.columns.verdict",
            {"type": "bool", "separates": True},
            "absent",
            "true",
        ),
        ("Dataset/applications", "spec.expect.rows", [10, 10_000], "100 to 10000", "10 to 10000"),
        ("Dataset/applications", "spec.expect.rows", None, "100 to 10000", "any value"),
        ("Dataset/applications", "spec.expect.fresh", "31d", "30d", "31d"),
        ("Dataset/applications", "spec.expect.fresh", None, "30d", "removed"),
        ("Dataset/applications", "spec.expect.unique", [], "applicant_id, applied_on", "removed"),
        ("Dataset/applications", "spec.expect.relations", [], "low le high", "removed"),
        (
            "Model/credit",
            "spec.split.test",
            "2026-09-01..",
            "test 2026-01-01..",
            "test 2026-09-01..",
        ),
        ("Model/credit", "spec.split.by", "random", "by time", "by random"),
        ("Model/credit", "spec.split.purge", None, "purge 30d", "purge none"),
    ],
)
def test_a_weaker_limit_is_seen(
    workshop: Workshop, key: str, path: str, value: object, before: str, after: str
) -> None:
    old, new = estate(workshop), estate(workshop).set(key, path, value)
    (found,) = loosened_between(old.load(), new.load())
    assert (found.key, found.before, found.after) == (key, before, after)
    assert path.startswith(found.field) or found.field.startswith(path)
    assert found.location.path == f"specs/{key.lower()}.yaml"
    assert found.location.line > 0


@pytest.mark.parametrize(
    ("key", "path", "value"),
    [
        ("Model/credit", METRICS, list(reversed(GATES))),
        ("Model/credit", METRICS, gate(0, min=0.8)),
        ("Model/credit", METRICS, [*GATES, {"name": "log_loss", "max": 0.5}]),
        ("Model/credit", FAIR, [{**FAIRNESS[0], "attributes": []}]),
        ("Model/credit", "spec.acceptance.drift.psi.max", 0.1),
        ("Model/credit", "spec.owner", "somebody-else"),
        ("Monitor/credit", "spec.psi.fail", 0.15),
        ("Dataset/applications", "spec.leaks", ["days_past_due_12m", "amount"]),
        ("Dataset/applications", "spec.columns.income.range", [10, 1e5]),
        ("Dataset/applications", "spec.columns.income.missing", "4%"),
        ("Dataset/applications", "spec.columns.purpose.levels", ["a"]),
        ("Monitor/credit", "spec.onBreach", ["fallback", "alert", "rollback"]),
        ("Monitor/credit", "spec.hysteresis", {"breaches": 1, "of": 1}),
        ("Model/credit", METRICS, [GATES[0], *GATES]),
        ("Model/credit", FAIR, [*FAIRNESS, {**FAIRNESS[0], "min": 0.5}]),
        ("Model/credit", "spec.split.train", "..2025-06-30"),
        ("Dataset/applications", "spec.expect.unique", [["applicant_id"]]),
        ("Dataset/applications", "spec.expect.fresh", "720h"),
        ("Dataset/applications", "spec.expect.rows", [200, 10_000]),
        ("Dataset/applications", "spec.target.feedback", {**LOOP, "minExploration": "3%"}),
        ("Dataset/applications", "spec.columns.income.rare", 5),
        ("Dataset/applications", "spec.columns.sex.description", "as the applicant says"),
    ],
)
def test_a_tighter_or_other_change_is_none(
    workshop: Workshop, key: str, path: str, value: object
) -> None:
    old, new = estate(workshop), estate(workshop).set(key, path, value)
    assert loosened_between(old.load(), new.load()) == ()


def test_what_is_declared_for_the_first_time_takes_nothing_away(workshop: Workshop) -> None:
    new = estate(workshop)
    old = new.copy()
    for path in ("spec.target.favourable", "spec.target.matureAfter", "spec.entity", "spec.time"):
        old.set("Dataset/applications", path, None)
    assert loosened_between(old.load(), new.load()) == ()
    old.set("Dataset/applications", "spec.target", None)
    assert loosened_between(old.load(), new.load()) == ()


def test_a_parity_that_nobody_declares_is_that_of_the_estimator(workshop: Workshop) -> None:
    training, parity = "spec.training.estimator", "spec.acceptance.parity"
    old = estate(workshop)
    assert (
        loosened_between(old.load(), old.copy().set("Model/credit", training, "xgboost").load())
        == ()
    )
    strict = old.copy().set("Model/credit", parity, {"plan": 1e-9})
    assert loosened_between(old.load(), strict.load()) == ()
    assert loosened_between(strict.load(), old.load()) == ()
    single = (
        strict.copy().set("Model/credit", parity, None).set("Model/credit", training, "xgboost")
    )
    (found,) = loosened_between(strict.load(), single.load())
    assert (found.field, found.before, found.after) == (f"{parity}.plan", "1e-09", "1e-06")


def test_the_parts_of_a_split_change_together(workshop: Workshop) -> None:
    shares = {"train": "60%", "validation": "15%", "test": "25%"}
    old = workshop.serving.set("Model/credit", "spec.split", shares)
    less = {"train": "98%", "validation": "1%", "test": "1%"}
    case = workshop.intention(old, old.copy().set("Model/credit", "spec.split", less))
    (found,) = case.facts.loosened
    assert (found.field, found.before, found.after) == ("spec.split", "test 25%", "test 1%")
    assert "CHG002" not in [one.code for one in case.judge().findings]


CHANNEL = {"type": "slack", "addressFrom": "HOOK"}
INCIDENT = {
    "model": "credit",
    "severity": "critical",
    "summary": "it declines everybody",
    "startedAt": "2026-11-01T00:00:00Z",
    "detectedAt": "2026-11-02T00:00:00Z",
}


def test_what_tells_of_trouble_does_not_go_unseen(workshop: Workshop) -> None:
    old = estate(workshop).add("AlertChannel", "oncall", **CHANNEL)
    old.add("Incident", "open", **INCIDENT)
    over = {**INCIDENT, "resolvedAt": "2026-11-03T00:00:00Z"}
    old.add("Incident", "over", **over)
    new = old.copy().drop("AlertChannel/oncall").drop("Incident/open").drop("Incident/over")
    assert [one.subject for one in loosened_between(old.load(), new.load())] == [
        "AlertChannel/oncall",
        "Incident/open",
    ]


def test_a_limit_that_falls_back_to_its_default_is_loosened_when_the_default_is_weaker(
    workshop: Workshop,
) -> None:
    old = estate(workshop)
    new = old.copy().set("Monitor/credit", "spec.psi", None)
    assert [
        (one.field, one.before, one.after) for one in loosened_between(old.load(), new.load())
    ] == [("spec.psi.fail", "0.2", "0.25")]


def test_a_monitor_or_a_policy_that_goes_is_loosened(workshop: Workshop) -> None:
    rule = {"validations": [{"expression": "true", "message": "never"}]}
    old = estate(workshop).add("Policy", "mine", **rule)
    new = old.copy().drop("Monitor/credit").drop("Policy/mine")
    assert [one.key for one in loosened_between(old.load(), new.load())] == [
        "Monitor/credit",
        "Policy/mine",
    ]
    weaker = old.copy().set("Policy/mine", "spec.enforcement", "advise")
    (found,) = loosened_between(old.load(), weaker.load())
    assert found.to_plain() == {
        "object": "Policy/mine",
        "field": "spec.enforcement",
        "before": "block",
        "after": "advise",
    }


POLICY: dict[str, Any] = {
    "match": {"kinds": ["Model"], "when": "true"},
    "matchConditions": [{"name": "all", "expression": "true"}],
    "variables": [{"name": "tier", "expression": "object.spec.tier"}],
    "params": {"on": True},
    "enforcement": "review",
    "rationale": "because",
    "validations": [
        {
            "name": "first",
            "expression": "true",
            "message": "never",
            "messageExpression": "'never'",
            "remedy": "nothing",
            "controls": ["HR-SOD"],
        }
    ],
}


@pytest.mark.parametrize(
    ("path", "value", "field", "before", "after"),
    [
        ("match.when", "false", "match.when", "true", "false"),
        ("match.kinds", ["Route"], "match.kinds.0", "Model", "Route"),
        ("matchConditions", [], "matchConditions", None, "its default"),
        ("params.on", 1, "params.on", "true", "1"),
        ("enforcement", "block", "enforcement", "review", "block"),
        (
            "variables",
            [{"name": "tier", "expression": "3"}],
            "variables.0.expression",
            "object.spec.tier",
            "3",
        ),
        (
            "validations",
            [{**POLICY["validations"][0], "expression": "1 <\n 2"}],
            "validations.0.expression",
            "true",
            "1 < 2",
        ),
        (
            "validations",
            [{**POLICY["validations"][0], "severity": "note"}],
            "validations.0.severity",
            "its default",
            "note",
        ),
        (
            "validations",
            [{**POLICY["validations"][0], "name": "other"}],
            "validations.0.name",
            "first",
            "other",
        ),
    ],
)
def test_nobody_can_prove_that_a_changed_policy_asks_for_no_less(
    workshop: Workshop, path: str, value: object, field: str, before: str | None, after: str
) -> None:
    old = estate(workshop).add("Policy", "mine", **copy.deepcopy(POLICY))
    new = old.copy().set("Policy/mine", f"spec.{path}", value)
    (found,) = loosened_between(old.load(), new.load())
    assert (found.field, found.after) == (f"spec.{field}", after)
    assert before in (None, found.before)


def test_what_a_policy_only_says_to_people_is_no_limit(workshop: Workshop) -> None:
    old = estate(workshop).add("Policy", "mine", **copy.deepcopy(POLICY))
    new = old.copy().set("Policy/mine", "spec.rationale", "another reason")
    (check,) = new.documents["Policy/mine"]["spec"]["validations"]
    check.update(message="x", messageExpression="'x'", remedy="x", controls=[])
    assert loosened_between(old.load(), new.load()) == ()


def test_any_change_of_the_packs_in_force_is_loosened(workshop: Workshop) -> None:
    bare = estate(workshop)
    plain = bare.copy().add("PolicySet", "ours", packs=[{"name": "baseline"}])
    lenient = bare.copy().add(
        "PolicySet", "ours", packs=[{"name": "baseline", "params": {"psi": 0.3}}]
    )
    seen = [
        [(one.key, one.field, one.before, one.after) for one in loosened_between(old, new)]
        for old, new in (
            (bare.load(), lenient.load()),
            (plain.load(), lenient.load()),
            (lenient.load(), bare.load()),
        )
    ]
    assert seen == [
        [("PolicySet/ours", "spec.packs", "absent", "added")],
        [("PolicySet/ours", "spec.packs.0.params", "its default", '{"psi":0.3}')],
        [("PolicySet/ours", "", "present", "removed")],
    ]


def test_a_monitor_that_looks_elsewhere_is_loosened(workshop: Workshop) -> None:
    old = estate(workshop).add("Deployment", "other", model="credit", environment="production")
    new = old.copy().set("Monitor/credit", "spec.deployment", "other")
    (found,) = loosened_between(old.load(), new.load())
    assert (found.field, found.before, found.after) == ("spec.deployment", "credit", "other")


def test_a_monitor_that_replaces_the_default_of_a_tier_is_loosened(workshop: Workshop) -> None:
    watched = estate(workshop)
    bare = watched.copy().drop("Monitor/credit")
    (found,) = loosened_between(bare.load(), watched.load())
    assert (found.key, found.field) == ("Monitor/credit", "spec.deployment")
    assert (found.before, found.after) == ("the default of its tier", "this monitor")
    second = watched.copy().add("Monitor", "second", deployment="credit")
    assert loosened_between(watched.load(), second.load()) == ()


def test_a_deployment_that_comes_with_its_monitor_had_no_default_to_replace(
    workshop: Workshop,
) -> None:
    old = estate(workshop)
    new = old.copy().add("Deployment", "other", model="credit", environment="production")
    assert loosened_between(old.load(), new.add("Monitor", "o", deployment="other").load()) == ()


@pytest.mark.parametrize(
    ("column", "after"), [({"type": "category"}, "feature"), (None, "removed")]
)
def test_a_model_given_data_that_protects_less_is_seen(
    workshop: Workshop, column: dict[str, str] | None, after: str
) -> None:
    old = estate(workshop)
    new = old.copy().add("Dataset", "bare", **old.documents["Dataset/applications"]["spec"])
    new = new.copy().set("Dataset/bare", "spec.columns.sex", column)
    new.set("Model/credit", "spec.dataset", "bare").drop("Dataset/applications")
    (found,) = loosened_between(old.load(), new.load())
    assert (found.key, found.field) == ("Model/credit", "spec.dataset")
    assert (found.before, found.after) == ("columns.sex protected", after)


def test_a_model_given_data_that_protects_as_much_is_not(workshop: Workshop) -> None:
    old = estate(workshop)
    new = old.copy().add("Dataset", "same", **old.documents["Dataset/applications"]["spec"])
    new.set("Model/credit", "spec.dataset", "same")
    assert loosened_between(old.load(), new.load()) == ()


def test_a_column_that_compliance_names_no_longer_is_seen(workshop: Workshop) -> None:
    old = estate(workshop)
    new = old.copy().set("Compliance/credit", "spec.fairness_bias.prohibitedFeatures", ["sex"])
    new.set("Compliance/credit", "spec.fairness_bias.attributes", [])
    assert [
        (one.field, one.before, one.after) for one in loosened_between(old.load(), new.load())
    ] == [
        ("spec.fairness_bias.attributes", "sex", "removed"),
        ("spec.fairness_bias.prohibitedFeatures", "postcode", "removed"),
    ]


def test_a_section_that_another_document_takes_from_the_model_is_seen(workshop: Workshop) -> None:
    old = estate(workshop)
    info = old.documents["Compliance/credit"]["spec"]["model_info"]
    new = old.copy().add("Compliance", "later", model="credit", model_info=info)
    assert [(one.key, one.field) for one in loosened_between(old.load(), new.load())] == [
        ("Compliance/later", "spec.methodology_limitations"),
        ("Compliance/later", "spec.fairness_bias"),
    ]


def changed(
    workshop: Workshop, path: str, old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> list[tuple[str, str]]:
    before = estate(workshop).set("Model/credit", path, old)
    after = before.copy().set("Model/credit", path, new)
    return [(one.before, one.after) for one in loosened_between(before.load(), after.load())]


def test_a_fairness_gate_cannot_hide_behind_one_on_another_column(workshop: Workshop) -> None:
    sex, age = ({**FAIRNESS[0], "attributes": [column]} for column in ("sex", "age_band"))
    assert changed(workshop, FAIR, [sex, age], [age]) == [
        ("adverse_impact_ratio of sex", "removed")
    ]
    weak = {**sex, "min": 0.5}
    assert changed(workshop, FAIR, [sex, age], [age, weak]) == [
        ("adverse_impact_ratio of sex min 0.8", "min 0.5")
    ]


def test_a_fairness_gate_of_a_difference_is_weaker_with_a_larger_one(workshop: Workshop) -> None:
    gate = {"metric": "equalised_odds_difference", "attributes": ["sex"]}
    crossed = {**gate, "intersections": [["sex", "age_band"]]}
    inside = {"metric": "conditional_parity", "attributes": ["sex"], "within": ["purpose"]}
    name = "equalised_odds_difference of sex"
    assert changed(workshop, FAIR, [gate], [{**gate, "max": 0.05}]) == []
    assert changed(workshop, FAIR, [gate], [{**gate, "max": 0.2}]) == [
        (f"{name} max 0.1", "max 0.2")
    ]
    assert changed(workshop, FAIR, [gate], [{**gate, "minPower": 0.0}]) == [
        (f"{name} minPower 0.5", "minPower 0")
    ]
    assert changed(workshop, FAIR, [crossed], [gate]) == [(f"{name} + age_band", "removed")]
    assert changed(workshop, FAIR, [inside], [{**inside, "within": ["income"]}]) == [
        ("conditional_parity of sex within purpose", "removed")
    ]


def test_a_gate_on_all_columns_is_not_kept_by_one_on_some(workshop: Workshop) -> None:
    everyone = {**FAIRNESS[0], "attributes": []}
    assert changed(workshop, FAIR, [everyone], FAIRNESS) == [
        ("adverse_impact_ratio of all protected columns", "removed")
    ]


def test_a_fairness_gate_may_be_split_by_column(workshop: Workshop) -> None:
    sex, age = ({**FAIRNESS[0], "attributes": [column]} for column in ("sex", "age_band"))
    both = {**FAIRNESS[0], "attributes": ["sex", "age_band"]}
    assert changed(workshop, FAIR, [both], [age, sex]) == []
    assert changed(workshop, FAIR, [age, sex], [both]) == []


def test_a_bound_cannot_hide_behind_a_plain_gate_of_the_same_metric(workshop: Workshop) -> None:
    bound = {"name": "roc_auc", "min": 0.7, "bound": "lower", "confidence": 0.95}
    plain = {"name": "roc_auc", "min": 0.75}
    assert changed(workshop, METRICS, [bound, plain], [plain]) == [
        ("roc_auc min at its lower bound of 0.95", "at its value")
    ]
    assert changed(workshop, METRICS, [bound, plain], [bound]) == [("roc_auc min 0.75", "min 0.7")]
    stricter = {**bound, "min": 0.75}
    assert changed(workshop, METRICS, [bound, plain], [stricter]) == []


def test_the_strict_end_of_the_interval_depends_on_the_side_of_the_limit(
    workshop: Workshop,
) -> None:
    upper = {"name": "ece", "max": 0.1, "bound": "upper", "confidence": 0.95}
    lower = {**upper, "bound": "lower"}
    assert changed(workshop, METRICS, [upper], [lower]) == [
        ("ece max at its upper bound of 0.95", "at its lower bound of 0.95")
    ]
    assert changed(workshop, METRICS, [lower], [upper]) == []


def test_a_comparison_with_the_champion_without_a_number_asks_for_no_loss(
    workshop: Workshop,
) -> None:
    lenient = {"name": "roc_auc", "versus": "champion", "minDelta": -0.01}
    silent = {"name": "roc_auc", "versus": "champion"}
    assert changed(workshop, METRICS, [lenient], [silent]) == []
    assert changed(workshop, METRICS, [silent], [lenient]) == [
        ("roc_auc versus champion minDelta 0", "minDelta -0.01")
    ]
    assert changed(workshop, METRICS, [silent], [{"name": "roc_auc"}]) == [
        ("roc_auc versus champion minDelta 0", "removed")
    ]


def test_an_action_on_a_breach_that_goes_is_seen(workshop: Workshop) -> None:
    old = estate(workshop)
    new = old.copy().set("Monitor/credit", "spec.onBreach", ["alert"])
    (found,) = loosened_between(old.load(), new.load())
    assert (found.field, found.before, found.after) == ("spec.onBreach", "fallback", "removed")


def test_fewer_windows_are_looked_at(workshop: Workshop) -> None:
    old = estate(workshop).set("Monitor/credit", "spec.hysteresis", {"breaches": 2, "of": 5})
    new = old.copy().set("Monitor/credit", "spec.hysteresis", {"breaches": 2, "of": 2})
    (found,) = loosened_between(old.load(), new.load())
    assert (found.field, found.before, found.after) == ("spec.hysteresis.of", "5", "2")


def test_a_validation_or_a_compliance_document_that_goes_is_seen(workshop: Workshop) -> None:
    record = {
        "model": "credit",
        "artifact": "sha256:" + "a" * 64,
        "validator": "validator",
        "outcome": "approved",
        "performedOn": "2026-11-01",
    }
    old = estate(workshop).add("Validation", "credit-1", **record)
    new = old.copy().drop("Validation/credit-1").drop("Compliance/credit")
    assert [(one.key, one.after) for one in loosened_between(old.load(), new.load())] == [
        ("Compliance/credit", "removed"),
        ("Validation/credit-1", "removed"),
    ]


def test_what_is_loosened_is_named_without_a_blank_at_its_end() -> None:
    place = Location("specs/a.yaml", 1, 1)
    named = Loosened("Monitor/credit", "spec.psi.fail", "0.25", "5", place)
    whole = Loosened("Compliance/credit", "", "present", "removed", place)
    assert (named.subject, whole.subject) == ("Monitor/credit spec.psi.fail", "Compliance/credit")


@pytest.mark.parametrize(
    ("was", "now", "before", "after"),
    [
        (
            "<= 0.25",
            "<= 0.9",
            "…|| object.spec.psi.fail <= 0.25",
            "…|| object.spec.psi.fail <= 0.9",
        ),
        ("!= 'a b'", "!= 'a  b'", "…|| object.spec.psi.fail != 'a b'", None),
    ],
)
def test_what_differs_in_a_long_expression_can_be_seen(
    workshop: Workshop, was: str, now: str, before: str, after: str | None
) -> None:
    asked = "!has(object.spec.psi) || !has(object.spec.psi.fail) || object.spec.psi.fail"
    rule = copy.deepcopy(POLICY)
    rule["validations"][0]["expression"] = f"{asked} {was}"
    old = estate(workshop).add("Policy", "mine", **rule)
    changed = copy.deepcopy(rule["validations"])
    changed[0]["expression"] = f"{asked} {now}"
    new = old.copy().set("Policy/mine", "spec.validations", changed)
    (found,) = loosened_between(old.load(), new.load())
    assert found.before.rstrip('"') == before
    assert found.after.rstrip('"') == (after or before.replace("a b", "a  b"))


REVIEWS = [{"paths": ["specs/models/**", "data/"], "roles": ["validator", "manager"]}]


@pytest.mark.parametrize(
    ("reviews", "lost"),
    [
        (None, ["specs/models/** by manager and validator", "data/ by manager and validator"]),
        ([{**REVIEWS[0], "paths": ["data/"]}], ["specs/models/** by manager and validator"]),
        (
            [{**REVIEWS[0], "roles": ["manager", "cto"]}],
            ["specs/models/** by manager and validator", "data/ by manager and validator"],
        ),
        ([{**REVIEWS[0], "roles": ["manager", "validator", "cto"]}], []),
        ([{"paths": ["data/"], "roles": ["cto"]}, *REVIEWS], []),
    ],
)
def test_a_review_that_goes_is_a_limit_that_goes(
    workshop: Workshop, reviews: object, lost: list[str]
) -> None:
    base = workshop.serving.set("Organization/people", "spec.reviews", REVIEWS)
    head = base.copy().set("Organization/people", "spec.reviews", reviews)
    found = loosened_between(base.load(), head.load())
    assert [(one.subject, one.before) for one in found] == [
        ("Organization/people spec.reviews", one) for one in lost
    ]


@pytest.mark.parametrize(
    ("before", "after", "loosened"),
    [
        ({"review": "every-change"}, {}, True),
        ({"type": "github"}, {"type": "git"}, True),
        ({"type": "github"}, {"type": "git", "review": "every-change"}, False),
        ({"type": "github"}, {"type": "gitlab"}, False),
        ({}, {"type": "github"}, False),
    ],
)
def test_looking_at_some_changes_only_is_looser_than_looking_at_all(
    workshop: Workshop, before: object, after: object, *, loosened: bool
) -> None:
    base = workshop.serving.set("Estate/examples", "spec.forge", before)
    head = base.copy().set("Estate/examples", "spec.forge", after)
    found = [one.subject for one in loosened_between(base.load(), head.load())]
    assert found == (["Estate/examples spec.forge"] if loosened else [])
