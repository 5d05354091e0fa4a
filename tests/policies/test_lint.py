"""What is wrong with a policy before it has judged anything."""

from __future__ import annotations

import importlib.resources
from typing import TYPE_CHECKING

import pytest

from ordain.policies.engine import cel_engine
from ordain.policies.lint.linting import lint
from ordain.policies.packs import load_pack, pack_names, pack_versions
from ordain.specs.estates import load_estate
from ordain.specs.loader import parse
from ordain.specs.reading import read_document
from ordain.specs.trees import work_tree

if TYPE_CHECKING:
    from ordain.specs.documents import Document


def policy(text: str) -> Document:
    document, findings = read_document(parse(text.encode(), "a.yaml").nodes[0], "a.yaml")
    assert document is not None, findings
    return document


def said(text: str, *without: str) -> list[tuple[str, str, str, str]]:
    """Code, what is underlined, message and remedy of every finding."""
    found = []
    for one in lint((policy(text),), cel_engine()):
        place = one.location
        assert place is not None
        line = text.splitlines()[place.line - 1]
        underlined = line[place.column - 1 :][: place.length]
        if one.code not in without:
            found.append((one.code, underlined, one.message, one.remedy))
    return found


def rule(expression: str, *, kinds: str = "Model", more: str = "") -> str:
    quoted = expression.replace("\\", "\\\\").replace('"', '\\"')
    return f"""\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {{name: rule}}
spec:
  match: {{kinds: [{kinds}]}}
{more}  validations:
    - expression: "{quoted}"
      message: m
      remedy: r
      controls: [C]
"""


# ── fields ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "kinds", "word", "message", "remedy"),
    [
        (
            "object.spec.teir <= 2",
            "Model",
            "teir",
            "object.spec has no field `teir`",
            "did you mean `tier`?",
        ),
        (
            "has(object.spec.acceptance.metric)",
            "Model",
            "metric",
            "object.spec.acceptance has no field `metric`",
            "did you mean `metrics`?",
        ),
        (
            "object.spec.?acceptance.?metric.orValue([]).size() > 0",
            "Model",
            "metric",
            "object.spec.acceptance has no field `metric`",
            "did you mean `metrics`?",
        ),
        (
            "object.spec.acceptance.metrics.all(m, m.nam != '' && has(m.min))",
            "Model",
            "nam",
            "m has no field `nam`",
            "did you mean `name`?",
        ),
        (
            "object.spec.columns.all(c, object.spec.columns[c].?rol.orValue('') == '')",
            "Dataset",
            "rol",
            "this has no field `rol`",
            "did you mean `role`?",
        ),
        (
            "linked.Dataset.filter(d, has(d.spec.digest)).all(d, d.spec.digset != '')",
            "Model",
            "digset",
            "d.spec has no field `digset`",
            "did you mean `digest`?",
        ),
        (
            "linked.Modle.size() == 1",
            "Route",
            "Modle",
            "linked has no field `Modle`",
            "did you mean `Model`?",
        ),
        (
            "estate['Model'].all(n, estate.Model[n].spec.teir == 1)",
            "Estate",
            "teir",
            "this has no field `teir`",
            "did you mean `tier`?",
        ),
        (
            "oldObject == null || oldObject.metadata.nmae == ''",
            "Model",
            "nmae",
            "oldObject.metadata has no field `nmae`",
            "did you mean `name`?",
        ),
        (
            "compliance == null || has(compliance.spec.modelinfo)",
            "Model",
            "modelinfo",
            "compliance.spec has no field `modelinfo`",
            "did you mean `model_info`?",
        ),
        (
            "evidence != null && evidence.metrics.all(m, m.valeu > 0.0)",
            "ModelVersion",
            "valeu",
            "m has no field `valeu`",
            "did you mean `value`?",
        ),
        (
            "change.contributers.size() > 0",
            "Model",
            "contributers",
            "change has no field `contributers`",
            "did you mean `contributors`?",
        ),
        (
            "change.loosened.all(l, l.filed != '')",
            "Model",
            "filed",
            "l has no field `filed`",
            "did you mean `field`?",
        ),
        (
            "approvals.exists(a, a.persona != '')",
            "Model",
            "persona",
            "a has no field `persona`",
            "did you mean `person`?",
        ),
        (
            "facts.feature.size() > 0",
            "Model",
            "feature",
            "facts has no field `feature`",
            "did you mean `features`?",
        ),
        (
            "model.spec.tier == 1",
            "Dataset",
            "spec",
            "model is always null for the kinds that are matched, so it has no field `spec`",
            "remove it, or match the kinds that have it",
        ),
        (
            "object.spec.tier.high == 1",
            "Model",
            "high",
            "object.spec.tier is an integer and has no field `high`",
            "remove it, or match the kinds that have it",
        ),
    ],
)
def test_a_field_that_no_schema_has_is_found(
    expression: str, kinds: str, word: str, message: str, remedy: str
) -> None:
    found = said(rule(expression, kinds=kinds), "LINT013")
    assert found == [("LINT010", word, message, remedy)]


@pytest.mark.parametrize(
    ("expression", "kinds"),
    [
        ("object.metadata.labels.anything == 'x'", "Model"),
        ("object.spec.psi.fail < 1 || object.spec.tier == 1", "Model, Monitor"),
        ("object.spec.rules.all(r, r.when.any.all(w, w.not.field != ''))", "Route"),
        ("object.spec.params.anything.at == 'all'", "Policy"),
        ("oldObject == null || oldObject.spec.tier != object.spec.tier", "Model"),
        ("facts.anything == 1", "Estate"),
        ("facts.people.exists(p, 'manager' in facts.people[p].roles)", "Model, Route"),
        ("linked.Model.map(m, m.spec.tier).exists(t, t <= 2)", "Route"),
        ("[{'a': 1}, {'b': 2}].exists(m, m.?a.orValue(0) == object.spec.tier)", "Model"),
        ("object.spec.tier == 1.0 && object.spec.tier < 2.5", "Model"),
        ("object.spec.acceptance.metrics == [] || object.spec.task in ['regression']", "Model"),
        ("object.spec.acceptance.metrics.all(m, m.?min.orValue(1) > 0.5)", "Model"),
        ("evidence != null && evidence.drift.all(f, evidence.drift[f] < 0.2)", "Deployment"),
        ("timestamp(now) - timestamp(approvals[0].time) < duration('24h')", "Model"),
        ("(object.spec.?dataset.orValue('x') + 'y').startsWith('a')", "Model"),
        ("model.spec.?dataset.orValue(object.metadata.name) in change.paths", ""),
        ("object.kind == 'Model' || object.kind == 'Route'", "Model, Route"),
        ("object.spec.tier == 1 ? has(object.spec.dataset) : true", "Model"),
        ("type(object.spec.tier) == int", "Model"),
        ("object.spec.owner != null && object.spec.owner.matches('^[a-z]+$')", "Model"),
    ],
)
def test_what_can_mean_something_is_let_pass(expression: str, kinds: str) -> None:
    assert said(rule(expression, kinds=kinds), "LINT013") == []


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("object.spec.dataset == 'd'", "object.spec.dataset"),
        ("object.spec.acceptance.drift.psi.max < 1", "object.spec.acceptance"),
        ("has(object.spec.acceptance.drift)", "object.spec.acceptance"),
        (
            "!has(object.spec.acceptance) || object.spec.acceptance.drift.psi.max < 1",
            "object.spec.acceptance.drift",
        ),
        ("linked.Deployment.all(d, d.spec.version > 0)", "d.spec.version"),
        ("oldObject != null && oldObject.spec.dataset == 'd'", "oldObject.spec.dataset"),
    ],
)
def test_a_field_that_may_be_absent_is_asked_for_first(expression: str, path: str) -> None:
    name = path.rpartition(".")[2]
    message = f"{path} may be absent, and then this cannot be evaluated"
    remedy = f"ask has({path}) first, or write .?{name} and orValue(...)"
    assert said(rule(expression)) == [("LINT013", name, message, remedy)]


@pytest.mark.parametrize(
    "expression",
    [
        "has(object.spec.dataset) && object.spec.dataset == 'd'",
        "object.spec.?dataset.orValue('') == '' || object.spec.dataset == 'd'",
        "!('dataset' in object.spec) || object.spec.dataset == 'd'",
        "linked.Deployment.filter(d, has(d.spec.version)).all(d, d.spec.version > 0)",
        "object.spec.tier == 1 && object.metadata.name != ''",
        "object['spec']['dataset'] == 'd' || object.spec.owner == ''",
    ],
)
def test_a_field_that_something_asks_for_is_let_pass(expression: str) -> None:
    assert said(rule(expression)) == []


def test_a_condition_asks_for_the_validations_too() -> None:
    more = '  matchConditions: [{name: fitted, expression: "has(object.spec.dataset)"}]\n'
    assert said(rule("object.spec.dataset != ''", more=more)) == []


# ── comparisons ──────────────────────────────────────────────────────────────────────────────────

CHANGES = "`estate` or `intention` or `promotion`"
TASKS = "`classification` or `clustering` or `regression`"


@pytest.mark.parametrize(
    ("part", "code", "message", "remedy"),
    [
        (
            "object.spec.task == 'clasification'",
            "LINT011",
            f"this comparison can never hold: on the left {TASKS}, on the right `clasification`",
            "did you mean `classification`?",
        ),
        (
            "object.spec.task != 1",
            "LINT011",
            f"this comparison always holds: on the left {TASKS}, on the right an integer",
            "compare values that can be equal",
        ),
        (
            "'1' == object.spec.tier",
            "LINT011",
            "this comparison can never hold: on the left `1`, on the right an integer",
            "compare values that can be equal",
        ),
        (
            "object.spec.task in ['rgression', 'clustring']",
            "LINT011",
            f"this can never hold: on the left {TASKS}, on the right `clustring` or `rgression`",
            "compare values that can be equal",
        ),
        (
            "change.kind == 'retraining'",
            "LINT011",
            f"this comparison can never hold: on the left {CHANGES}, on the right `retraining`",
            "compare with `estate`, `intention` or `promotion`",
        ),
        (
            "object.spec.purpose > 3",
            "LINT012",
            "this cannot be evaluated: on the left a text, on the right an integer",
            "compare values of one type",
        ),
        (
            "1 in object.spec.tier",
            "LINT012",
            "`in` looks into a list or a map, and this is an integer",
            "compare with ==",
        ),
    ],
)
def test_a_comparison_that_has_one_answer_is_found(
    part: str, code: str, message: str, remedy: str
) -> None:
    found = said(rule(f"object.spec.owner == 'x' || {part}"), "LINT003")
    assert found == [(code, part, message, remedy)]


def test_a_text_function_of_a_number_is_found() -> None:
    assert said(rule("object.spec.tier.startsWith('1')")) == [
        (
            "LINT012",
            "object.spec.tier",
            "startsWith() is of texts, and this is an integer",
            "convert it with string(...)",
        )
    ]


# ── constants ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "expression",
    [
        "true",
        "object.spec.tier == 1 || true",
        "!(object.spec.tier == 1 && false)",
        "object.spec.tier == object.spec.tier",
        "has(object.spec.dataset) || !has(object.spec.dataset)",
        "size('four') == 4",
        "[1, 2].all(x, x > 0)",
        "object.spec.tier == 1 ? true : 2 > 1",
        "object.spec.task != 'anything'",
    ],
)
def test_a_validation_that_can_never_find_anything_is_found(expression: str) -> None:
    found = said(rule(expression), "LINT011")
    message = "POL-rule is always true, so it can never find anything"
    assert found == [("LINT003", expression, message, "let it depend on the object")]


@pytest.mark.parametrize(
    "expression",
    ["false", "object.spec.tier != object.spec.tier", "1 > 2 && object.spec.tier == 1"],
)
def test_a_validation_that_finds_every_object_is_found(expression: str) -> None:
    message = "POL-rule is never true, so it finds every object"
    assert said(rule(expression)) == [
        ("LINT003", expression, message, "let it depend on the object")
    ]


@pytest.mark.parametrize(
    ("expression", "part", "answer"),
    [
        ("object.spec.tier == 1 && true", "true", "true"),
        ("object.spec.tier == 1 || 1 > 2", "1 > 2", "false"),
        (
            "object.spec.tier == 1 && (2 > 1 || has(object.spec.dataset))",
            "2 > 1 || has(object.spec.dataset)",
            "true",
        ),
        ("linked.Model.all(m, m.spec.tier == 1 && 'a' in ['a'])", "'a' in ['a']", "true"),
        ("object.spec.owner == 'x' ? 1 < 2 : has(object.spec.dataset)", "1 < 2", "true"),
    ],
)
def test_a_part_that_decides_nothing_is_found(expression: str, part: str, answer: str) -> None:
    message = f"`{part}` is always {answer}, whatever the object"
    assert said(rule(expression)) == [
        ("LINT004", part, message, "remove what decides nothing, or mend it")
    ]


def test_a_policy_whose_condition_is_never_true_asks_about_nothing() -> None:
    more = "  matchConditions: [{name: routes, expression: \"object.kind == 'Route'\"}]\n"
    assert [one[:3] for one in said(rule("object.spec.tier == 1", more=more))] == [
        (
            "LINT002",
            "object.kind == 'Route'",
            "routes is never true, so this policy asks about nothing",
        ),
        (
            "LINT011",
            "object.kind == 'Route'",
            "this comparison can never hold: on the left `Model`, on the right `Route`",
        ),
    ]


def test_a_condition_that_is_always_true_decides_nothing() -> None:
    more = '  matchConditions: [{name: all, expression: "1 == 1"}]\n'
    assert [one[:3] for one in said(rule("object.spec.tier == 1", more=more))] == [
        ("LINT004", "1 == 1", "all is always true, so it decides nothing")
    ]


# ── kinds, names, words ──────────────────────────────────────────────────────────────────────────


def test_a_kind_that_the_language_does_not_have_is_found() -> None:
    found = said(rule("object.spec.tier == 1", kinds="Model, Rout, Model"))
    assert [one[:3] for one in found] == [
        ("LINT001", "Rout", "there is no kind Rout"),
        ("LINT004", "Model", "the kind Model is named twice"),
    ]
    assert found[0][3] == "did you mean `Route`?"


def test_variables_and_params_are_declared_and_used() -> None:
    text = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: rule}
spec:
  match: {kinds: [Model]}
  params: {most: 1, idle: 2}
  variables:
    - {name: early, expression: variables.gates + 1}
    - {name: gates, expression: object.spec.tier}
    - {name: idle, expression: object.spec.tier}
  validations:
    - {expression: variables.early < params.msot, message: m, remedy: r, controls: [C]}
    - {expression: "variables.?gate.orValue(1) < params['most']", message: m, remedy: r,
       controls: [C]}
"""
    assert said(text) == [
        ("LINT023", "idle", "no expression uses params.idle", "remove it, or use it"),
        (
            "LINT020",
            "gates",
            "variables.gates is not there yet: it is declared further down",
            "write it out, or move its declaration up",
        ),
        ("LINT021", "idle", "no expression uses variables.idle", "remove it, or use it"),
        ("LINT022", "msot", "the policy has no parameter msot", "did you mean `most`?"),
        ("LINT020", "gate", "the policy has no variable gate", "did you mean `gates`?"),
    ]


def test_a_condition_that_reads_variables_does_not_compile() -> None:
    more = "  variables: [{name: a, expression: object.spec.tier}]\n"
    text = rule("object.spec.tier == variables.a", more=more)
    text = text.replace("match: {", "match: {when: variables.a == 1, ")
    assert [one[0] for one in said(text)] == ["POL001"]


def test_params_that_are_read_with_a_computed_key_are_all_used() -> None:
    more = "  params: {one: 1, two: 2}\n"
    assert said(rule("params[object.metadata.name] == 1", more=more)) == []


def test_names_and_validations_that_stand_there_twice_are_found() -> None:
    one = "{name: a, expression: object.spec.tier == 1, message: m, remedy: r, controls: [C]}"
    more = "{name: a, expression: 'object.spec.tier  == 1', message: m, remedy: r, controls: [C]}"
    text = f"""\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {{name: rule}}
spec:
  validations:
    - {one}
    - {more}
"""
    assert [found[:3] for found in said(text, "LINT010")] == [
        ("LINT006", "a", "two validations of this policy are named a"),
        (
            "LINT005",
            "'object.spec.tier  == 1'",
            "this is the expression of POL-rule.a, so it never says anything new",
        ),
    ]


def test_messages_remedies_and_controls_are_missed() -> None:
    text = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: rule}
spec:
  match: {kinds: [Model]}
  validations:
    - expression: object.spec.tier == 1
      message: " "
    - expression: object.spec.tier == 2
      message: m
      messageExpression: "'tier ' + 'two'"
      remedy: r
      controls: [C]
    - expression: object.spec.tier == 3
      message: m
      messageExpression: object.spec.tier
      remedy: r
      controls: [C]
"""
    assert [(code, text, message) for code, text, message, _ in said(text)] == [
        ("LINT031", "message", "POL-rule has no remedy"),
        ("LINT032", "message", "POL-rule serves no control"),
        ("LINT030", '" "', "POL-rule has no message"),
        ("LINT030", "'tier ' + 'two'", "this message is the same for every object"),
        ("LINT030", "object.spec.tier", "this message is no text, so it is never used"),
    ]


def test_a_policy_that_does_not_compile_is_said_to_at_its_place() -> None:
    found = said(rule("object.spec.tier = 1"))
    assert [one[:2] for one in found] == [("POL001", "=")]


# ── what ships ───────────────────────────────────────────────────────────────────────────────────

PACKS = [(name, version) for name in pack_names() for version in pack_versions(name)]


@pytest.mark.parametrize(("name", "version"), PACKS)
def test_the_packs_that_ship_are_clean(name: str, version: str) -> None:
    assert lint(load_pack(name, version).policies, cel_engine()) == ()


@pytest.mark.parametrize("example", ["credit-union", "clinic"])
def test_the_policies_of_the_examples_are_clean(example: str) -> None:
    root = importlib.resources.files("ordain.examples") / example
    with importlib.resources.as_file(root) as path:
        estate = load_estate(work_tree(path))
    assert lint(estate.all("Policy"), cel_engine()) == ()


# ── what can never be evaluated ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("expression", "underlined", "message"),
    [
        ("1", "1", "POL-rule is an integer, and only true is a pass"),
        ("null", "null", "POL-rule is null, and only true is a pass"),
        ("'x'", "'x'", "POL-rule is `x`, and only true is a pass"),
        (
            "object.spec.deployment",
            "object.spec.deployment",
            "POL-rule is a text, and only true is a pass",
        ),
        ("1/0 > 1", "1/0", "`1/0` cannot be evaluated: divide by zero"),
        (
            "object.metadata.name.matches('(((')",
            "object.metadata.name.matches('(((')",
            (
                "`object.metadata.name.matches('(((')` cannot be evaluated: "
                "invalid regular expression: missing ): ((("
            ),
        ),
        (
            "duration('zz') > duration('1s')",
            "duration('zz')",
            "`duration('zz')` cannot be evaluated: String to Duration conversion failed",
        ),
        (
            "object.metadata.name + 1 == 2",
            "object.metadata.name + 1",
            "this cannot be evaluated: on the left a text, on the right an integer",
        ),
        (
            "object.metadata.name % 2 == 1",
            "object.metadata.name % 2",
            "this cannot be evaluated: on the left a text, on the right an integer",
        ),
    ],
)
def test_what_can_never_be_evaluated_is_an_error(
    expression: str, underlined: str, message: str
) -> None:
    found = said(rule(expression, kinds="Monitor"))
    assert [one[:3] for one in found] == [("LINT012", underlined, message)]


def test_a_calculation_that_depends_on_a_decimal_point_is_a_warning() -> None:
    asked = "has(object.spec.psi.fail) && object.spec.psi.fail / 2 > 1"
    assert said(rule(asked, kinds="Monitor"), "LINT013") == [
        (
            "LINT014",
            "object.spec.psi.fail / 2",
            "this fails where one side is written with a decimal point and one is not",
            "convert what is not sure with double(...)",
        )
    ]


@pytest.mark.parametrize(
    "expression",
    [
        "object.metadata.name.matches('^[a-z]+$')",
        "object.metadata.name + '-x' == 'y-x'",
        "timestamp(now) - timestamp('2026-01-01T00:00:00Z') < duration('24h')",
        "double(object.metadata.name.size()) / 2.0 > 1.0",
        "['a'] + [object.metadata.name] == ['a', 'b']",
        "object.spec.?psi.?fail.orValue(0.1) < 1.0",
        "[object.metadata.name.size()].exists(x, 4 / x > 1)",
    ],
)
def test_what_can_be_evaluated_is_let_pass(expression: str) -> None:
    assert said(rule(expression, kinds="Monitor"), "LINT013") == []
