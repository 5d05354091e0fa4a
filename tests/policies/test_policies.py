"""What one policy does: where it is silent, what it finds, and that it never passes by accident."""

from __future__ import annotations

from datetime import UTC, datetime
from errno import EACCES
from typing import TYPE_CHECKING, Any

import pytest

from ordain.policies.gate import Judgement, check
from ordain.policies.packs import load_pack
from ordain.policies.world import World
from ordain.specs.estates import load_estate
from ordain.specs.evidence import evidence_path
from ordain.specs.findings import Finding, Severity, Verdict

if TYPE_CHECKING:
    from tests.policies.conftest import Workshop


TEN = "[1,2,3,4,5,6,7,8,9,10]"
BUDGET = "".join(f"{TEN}.all({name}, " for name in "abcdef") + "true" + ")" * 6


def judged(workshop: Workshop, *validations: dict[str, Any], **spec: object) -> Judgement:
    """The example estate with one more policy, on Models."""
    checks = [{"message": "wrong", **one} for one in validations]
    rule = {"match": {"kinds": ["Model"]}, "validations": checks, **spec}
    return check(workshop.serving.add("Policy", "mine", **rule).load(), workshop.now)


def beside(workshop: Workshop, first: dict[str, Any], mine: dict[str, Any]) -> Judgement:
    """The example estate with two more policies on Models, asked in this order."""
    estate = workshop.serving
    for name, rule in (("first", first), ("mine", mine)):
        estate = estate.add("Policy", name, **{"match": {"kinds": ["Model"]}, **rule})
    return check(estate.load(), workshop.now)


def only(judgement: Judgement) -> Finding:
    (finding,) = judgement.findings
    return finding


def test_true_is_silence(workshop: Workshop) -> None:
    assert judged(workshop, {"expression": "object.spec.tier == 1"}).findings == ()


def test_false_is_a_finding_with_the_values_that_were_read(workshop: Workshop) -> None:
    found = only(
        judged(
            workshop,
            {
                "expression": "object.spec.tier == 2 && !has(object.spec.external)",
                "message": "the tier must be 2",
                "remedy": "set tier: 2",
                "controls": ["SR262-MATERIALITY"],
            },
        )
    )
    assert found.code == "POL-mine"
    assert found.severity is Severity.ERROR
    assert found.message == "the tier must be 2"
    assert found.remedy == "set tier: 2"
    assert found.controls == ("SR262-MATERIALITY",)
    assert found.evidence == ("object = Model/credit", "object.spec.tier = 1")
    assert str(found.location) == "specs/model/credit.yaml:7:9"
    assert [text for _, text in found.related] == ["the policy"]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("object.spec.nothing == 1", 'Key not found in map : "nothing"'),
        ("1 / (object.spec.tier - 1) == 1", "divide by zero"),
        ("object.spec.tier", "the answer is 1, which is neither true nor false"),
        ("'true'", "the answer is 'true', which is neither true nor false"),
        ("null", "the answer is None, which is neither true nor false"),
        ("9223372036854775807 + object.spec.tier > 0", "integer overflow"),
        (BUDGET, "the expression takes more than 1,000,000 steps"),
    ],
)
def test_anything_but_a_truth_value_blocks(
    workshop: Workshop, expression: str, reason: str
) -> None:
    judgement = judged(workshop, {"expression": expression}, enforcement="advise")
    found = only(judgement)
    assert found.code == "POL002"
    assert found.severity is Severity.ERROR
    assert found.message == (
        f"the policy mine could not be evaluated on Model/credit: POL-mine: {reason}"
    )
    assert judgement.verdict is Verdict.FAIL


def test_one_side_that_is_decided_absorbs_an_error_on_the_other(workshop: Workshop) -> None:
    assert judged(workshop, {"expression": "object.spec.nothing == 1 || true"}).findings == ()


@pytest.mark.parametrize(
    ("enforcement", "severity", "verdict"),
    [
        ("block", Severity.ERROR, Verdict.FAIL),
        ("review", Severity.WARNING, Verdict.WARN),
        ("advise", Severity.NOTE, Verdict.PASS),
    ],
)
def test_enforcement_decides_the_weight(
    workshop: Workshop, enforcement: str, severity: Severity, verdict: Verdict
) -> None:
    judgement = judged(workshop, {"expression": "false"}, enforcement=enforcement)
    assert only(judgement).severity is severity
    assert judgement.verdict is verdict


def test_a_validation_may_weigh_less_than_its_policy(workshop: Workshop) -> None:
    judgement = judged(
        workshop,
        {"expression": "false", "name": "first", "severity": "note"},
        {"expression": "false"},
        {"expression": "false"},
    )
    assert [(one.code, one.severity) for one in judgement.findings] == [
        ("POL-mine.2", Severity.ERROR),
        ("POL-mine.3", Severity.ERROR),
        ("POL-mine.first", Severity.NOTE),
    ]


def test_a_condition_that_is_false_silences(workshop: Workshop) -> None:
    judgement = judged(
        workshop,
        {"expression": "false"},
        match={"kinds": ["Model"], "when": "object.spec.tier == 3"},
    )
    assert judgement.findings == ()


def test_a_condition_that_cannot_be_evaluated_blocks(workshop: Workshop) -> None:
    match = {"kinds": ["Model"], "when": "object.spec.nothing == 3"}
    found = only(judged(workshop, {"expression": "true"}, match=match))
    assert found.code == "POL002"
    assert found.message.endswith('match.when: Key not found in map : "nothing"')


def test_a_false_condition_wins_over_one_that_cannot_be_evaluated(workshop: Workshop) -> None:
    judgement = judged(
        workshop,
        {"expression": "false"},
        matchConditions=[
            {"name": "broken", "expression": "object.spec.nothing == 1"},
            {"name": "never", "expression": "false"},
        ],
    )
    assert judgement.findings == ()


def test_the_message_can_be_computed_and_falls_back_to_the_plain_one(workshop: Workshop) -> None:
    computed = judged(
        workshop,
        {"expression": "false", "messageExpression": "'tier is ' + string(object.spec.tier)"},
    )
    assert only(computed).message == "tier is 1"
    broken = judged(workshop, {"expression": "false", "messageExpression": "object.nothing"})
    assert only(broken).message == "wrong"


def test_variables_see_params_and_each_other(workshop: Workshop) -> None:
    judgement = judged(
        workshop,
        {"expression": "variables.double == 2 * params.tier"},
        params={"tier": 1},
        variables=[
            {"name": "tier", "expression": "object.spec.tier"},
            {"name": "double", "expression": "variables.tier * 2"},
        ],
    )
    assert judgement.findings == ()


def test_a_variable_that_fails_matters_only_where_it_is_used(workshop: Workshop) -> None:
    variables = [{"name": "broken", "expression": "object.spec.nothing"}]
    assert judged(workshop, {"expression": "true"}, variables=variables).findings == ()
    used = only(judged(workshop, {"expression": "variables.broken == 1"}, variables=variables))
    assert used.code == "POL002"
    assert 'variables.broken: Key not found in map : "nothing"' in used.message


def test_a_variable_can_hold_a_time(workshop: Workshop) -> None:
    found = only(
        judged(
            workshop,
            {"expression": "variables.at < timestamp('2020-01-01T00:00:00Z')"},
            variables=[{"name": "at", "expression": "timestamp(now)"}],
        )
    )
    assert found.code == "POL-mine"
    assert "now = 2026-11-20T09:30:00Z" in found.evidence


def test_a_variable_that_cannot_be_kept_says_so(workshop: Workshop) -> None:
    variables = [{"name": "x", "expression": "b'x'"}]
    found = only(judged(workshop, {"expression": "size(variables.x) == 1"}, variables=variables))
    assert found.code == "POL002"
    assert "variables.x: the value is none that JSON can say, and no time" in found.message


@pytest.mark.parametrize(
    "expression",
    [
        "[1].all(local__x, variables.x != local__x)",
        "[1].all(local__x, variables.x > local__x)",
        "'variables.x' == 'local__x'",
        "variables.x > 1 // or so",
        "[5].exists(x, x < variables.x)",
    ],
)
def test_a_name_that_looks_like_a_variable_is_none(workshop: Workshop, expression: str) -> None:
    """A screen must not say that all is well where the policy does not."""
    variables = [{"name": "x", "expression": "1"}]
    assert judged(workshop, {"expression": expression}, variables=variables).blocked


def test_a_variable_may_use_another_and_comments_end_with_their_line(workshop: Workshop) -> None:
    variables = [
        {"name": "x", "expression": "1 // one"},
        {"name": "y", "expression": "variables.x + 1"},
    ]
    checks = [{"expression": "variables.y == 2 // two"}, {"expression": "variables.x < 2"}]
    assert judged(workshop, *checks, variables=variables).findings == ()


@pytest.mark.parametrize(
    ("variable", "expression"),
    [
        ("true", "[{'x': false}].all(variables, variables.x)"),
        ("1", 'size("""a "variables.x" """) == size("""a "local" """) + 3'),
        ("false", "[true].exists(local, variables\n.x)"),
        ("timestamp(now)", "variables.x < timestamp('2020-01-01T00:00:00Z')"),
        ("duration('1h')", "variables.x == duration('2h')"),
        ("type(1)", "variables.x == string"),
        ("object.?spec", "variables.x.hasValue()"),
        ("true", "variables == null"),
        ("true", "variables == {}"),
        ("b'x'", "size(variables.x) == 2"),
    ],
)
def test_a_hostile_policy_does_not_pass(workshop: Workshop, variable: str, expression: str) -> None:
    variables = [{"name": "x", "expression": variable}]
    assert judged(workshop, {"expression": expression}, variables=variables).blocked


def test_now_is_the_time_of_the_judgement(workshop: Workshop) -> None:
    at = "timestamp(now) == timestamp('2026-11-20T09:30:00Z')"
    assert judged(workshop, {"expression": at}).findings == ()


def test_an_expression_that_does_not_compile_is_found_at_its_column(workshop: Workshop) -> None:
    found = only(judged(workshop, {"expression": "object.spec.tier == unknown"}))
    assert found.code == "POL001"
    assert found.severity is Severity.ERROR
    assert found.message == "the policy mine does not compile: undeclared reference to 'unknown'"
    assert str(found.location) == "specs/policy/mine.yaml:11:37"


def test_every_broken_expression_of_a_policy_is_reported(workshop: Workshop) -> None:
    judgement = judged(
        workshop,
        {"expression": "1 +", "messageExpression": "'a"},
        match={"kinds": ["Model"], "when": "("},
    )
    assert [one.code for one in judgement.findings] == ["POL001"] * 3


def test_a_policy_about_a_change_is_not_asked_of_a_tree(workshop: Workshop) -> None:
    judgement = judged(workshop, {"expression": "size(approvals) >= 2"})
    assert judgement.findings == ()


def test_rules_about_other_documents_wait_until_the_language_is_right(workshop: Workshop) -> None:
    sketch = workshop.serving
    sketch.set("Route/credit", "spec.fallback", None).set(
        "Route/credit", "spec.access.keys", "none"
    )
    sketch.set("Monitor/credit", "spec.tresholds", 1)
    codes = [one.code for one in check(sketch.load(), workshop.now).findings]
    assert len(codes) == 1
    assert codes[0].startswith("SPEC")


def test_evidence_is_what_was_measured_on_the_version_that_runs(workshop: Workshop) -> None:
    sketch = workshop.promotion().after
    sketch.add(
        "Policy",
        "separates",
        match={"kinds": ["Deployment"]},
        validations=[
            {
                "expression": "evidence.metrics.exists(m, m.name == 'roc_auc' && m.low >= 0.76)",
                "message": "separates too little",
            }
        ],
    )
    findings = check(sketch.load(), workshop.now, tree=sketch.tree).findings
    told = [one.message for one in findings if one.code == "POL-separates"]
    assert told == ["separates too little"]


def test_a_pack_takes_parameters_from_the_policy_set(workshop: Workshop) -> None:
    sketch = workshop.serving.set("Monitor/credit", "spec.psi.fail", 0.3)
    packs = [{"name": "baseline", "params": {"psi": 0.3}}]
    assert check(sketch.add("PolicySet", "ours", packs=packs).load(), workshop.now).findings == ()


def test_a_pack_that_does_not_ship_is_found_where_it_is_named(workshop: Workshop) -> None:
    packs = [{"name": "baselin"}, {"name": "baseline", "version": "9.0.0"}]
    sketch = workshop.serving.add("PolicySet", "ours", packs=packs)
    found = check(sketch.load(), workshop.now).findings
    assert [(one.code, one.message, one.remedy) for one in found] == [
        (
            "POL003",
            "there is no pack baselin",
            "name one of: baseline, fair-lending, model-risk, separation-of-duties, supply-chain",
        ),
        ("POL003", "there is no version 9.0.0 of baseline", "name one of: 1.1.0, 1.0.0"),
    ]
    assert [str(one.location) for one in found] == [
        "specs/policyset/ours.yaml:7:11",
        "specs/policyset/ours.yaml:9:14",
    ]


def test_a_pack_is_found_by_its_name_whatever_the_name_says(workshop: Workshop) -> None:
    packs = [{"version": "1.0.0", "name": "versions"}]
    sketch = workshop.serving.add("PolicySet", "ours", packs=packs)
    (found,) = check(sketch.load(), workshop.now).findings
    assert found.message == "there is no pack versions"
    assert str(found.location) == "specs/policyset/ours.yaml:8:11"


def test_a_parameter_that_no_policy_has_is_found(workshop: Workshop) -> None:
    packs = [{"name": "baseline", "params": {"psii": 0.3}}]
    sketch = workshop.serving.add("PolicySet", "ours", packs=packs)
    (found,) = check(sketch.load(), workshop.now).findings
    assert found.code == "POL004"
    assert found.message == "no policy of the pack baseline has the parameter psii"


def test_a_loop_that_calls_its_item_change_makes_no_rule_of_a_change(workshop: Workshop) -> None:
    expression = "object.spec.features.exclude.all(change, change == 'x')"
    assert only(judged(workshop, {"expression": expression})).code == "POL-mine"


def test_evidence_too_deep_to_be_read_is_none(workshop: Workshop) -> None:
    sketch = workshop.serving
    digest = sketch.documents["ModelVersion/credit-1"]["spec"]["evidence"]
    loaded = sketch.load()
    tree = {evidence_path(digest): b"[" * 100_000}
    world = World(loaded, "2026-11-20T00:00:00Z", tree=tree)
    assert world.value("evidence", loaded.documents["ModelVersion/credit-1"]) is None


def test_a_policy_that_says_the_same_more_softly_does_not_speak_for_another(
    workshop: Workshop,
) -> None:
    """Names, codes and messages may be equal; the heaviest of them is what stands."""
    shipped = {one.name: one.spec for one in load_pack("baseline").policies}["acceptance-metrics"]
    declared = shipped.validations[0]
    rule = {"expression": "false", "name": declared.name, "message": declared.message}
    sketch = workshop.serving.set("Model/credit", "spec.acceptance.metrics", None)
    sketch.add(
        "Policy",
        "acceptance-metrics",
        match={"kinds": ["Model"]},
        enforcement="advise",
        validations=[rule],
    )
    judgement = check(sketch.load(), workshop.now)
    code = "POL-acceptance-metrics.declared"
    assert [one.severity for one in judgement.findings if one.code == code] == [Severity.ERROR]
    assert judgement.blocked


@pytest.mark.parametrize("first", ["variables.q", "variables.p"])
def test_a_variable_is_never_that_of_another_policy(workshop: Workshop, first: str) -> None:
    sketch = workshop.serving
    checks = [{"expression": "variables.x", "message": "no"}]
    values = [{"name": "y", "expression": "true"}, {"name": "x", "expression": "true"}]
    sketch.add("Policy", "a", match={"kinds": ["Model"]}, validations=checks, variables=values)
    checks = [{"expression": "variables.p", "message": "no"}]
    values = [{"name": "p", "expression": first}, {"name": "q", "expression": "true"}]
    sketch.add("Policy", "b", match={"kinds": ["Model"]}, validations=checks, variables=values)
    found = only(check(sketch.load(), workshop.now))
    assert found.code == "POL002"
    assert "the policy b could not be evaluated" in found.message


@pytest.mark.parametrize(
    "validations",
    [
        [{"expression": "true", "message": "no"}] * 129,
        [{"expression": f"'{'a' * 30_000}' == ''", "message": "no"}] * 3,
    ],
)
def test_a_policy_has_an_end(workshop: Workshop, validations: list[dict[str, Any]]) -> None:
    sketch = workshop.serving.add("Policy", "mine", validations=validations)
    found = only(check(sketch.load(), workshop.now))
    assert found.code == "POL005"
    assert found.message.endswith("at most are 128 of 65,536 together")


@pytest.mark.parametrize(("old", "new"), [("advise", "block"), ("block", "advise")])
def test_the_stricter_of_base_and_head_decides(workshop: Workshop, old: str, new: str) -> None:
    rule: dict[str, Any] = {
        "match": {"kinds": ["Model"]},
        "validations": [{"expression": "object.spec.tier == 2", "message": "the tier must be 2"}],
    }
    before = workshop.serving.copy().add("Policy", "mine", **rule, enforcement=old)
    after = workshop.serving.copy().add("Policy", "mine", **rule, enforcement=new)
    findings = workshop.intention(before, after).judge(enforce=False).findings
    (found,) = [one for one in findings if one.code == "POL-mine"]
    assert found.severity is Severity.ERROR


def test_a_variable_does_not_see_those_below_it(workshop: Workshop) -> None:
    both = [{"name": "a", "expression": "true"}, {"name": "b", "expression": "true"}]
    first = {
        "variables": both,
        "validations": [{"expression": "variables.a && variables.b", "message": "wrong"}],
    }
    mine = {
        "variables": [
            {"name": "early", "expression": "variables.late"},
            {"name": "late", "expression": "true"},
        ],
        "validations": [{"expression": "variables.early", "message": "wrong"}],
    }
    found = only(beside(workshop, first, mine))
    assert found.code == "POL002"
    assert 'variables.early: Key not found in map : "late"' in found.message


@pytest.mark.parametrize(
    "expression",
    [
        "!has(variables.gone) || variables.gone == 1",
        "variables.?gone.orValue(1) == 1",
        "!('gone' in variables)",
        "size(variables) == 0",
    ],
)
def test_a_variable_that_fails_is_not_absent(workshop: Workshop, expression: str) -> None:
    variables = [{"name": "gone", "expression": "object.spec.nothing"}]
    found = only(judged(workshop, {"expression": expression}, variables=variables))
    assert found.code == "POL002"
    assert found.message == (
        "the policy mine could not be evaluated on Model/credit: POL-mine: it asks whether "
        'variables are there; variables.gone: Key not found in map : "nothing"'
    )


class Unreadable(dict[str, bytes]):
    """A tree in which something stands in the place of a file that is none."""

    def __getitem__(self, path: str) -> bytes:
        raise IsADirectoryError(path)


def test_evidence_that_is_no_file_is_none(workshop: Workshop) -> None:
    loaded = workshop.serving.load()
    world = World(loaded, "2026-11-20T00:00:00Z", tree=Unreadable())
    assert world.value("evidence", loaded.documents["ModelVersion/credit-1"]) is None


def test_a_message_stays_readable_whatever_the_values_are(workshop: Workshop) -> None:
    long = "object.spec.purpose.replace('', object.spec.purpose)"
    found = only(judged(workshop, {"expression": "false", "messageExpression": long}))
    assert len(found.message) == 1_000
    unread = only(judged(workshop, {"expression": f"object.spec.owner.matches('(' + {long})"}))
    assert unread.code == "POL002"
    assert len(unread.message) < 1_000


@pytest.mark.parametrize("when", ["has(variables.x)", "variables.?x.hasValue()", "variables != {}"])
def test_a_condition_cannot_read_variables(workshop: Workshop, when: str) -> None:
    """It would never hold, and the policy would ask nothing."""
    variables = [{"name": "x", "expression": "1"}]
    match = {"kinds": ["Model"], "when": when}
    found = only(judged(workshop, {"expression": "false"}, variables=variables, match=match))
    assert found.code == "POL001"
    assert "its conditions are asked before there are variables" in found.message


NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Sealed(dict[str, bytes]):
    """A tree in which one file cannot be read."""

    def __getitem__(self, path: str) -> bytes:
        if path == "specs/models/credit.yaml":
            raise PermissionError(EACCES, "Permission denied")
        return super().__getitem__(path)


HEAD = "apiVersion: ordain.dev/v1\n"
UNREAD: dict[str, bytes] = {
    "ordain.yaml": f"{HEAD}kind: Estate\nmetadata: {{name: e}}\n"
    "spec: {environments: [{name: production}]}\n".encode(),
    "specs/comments/a.yaml": f"{HEAD}kind: Deployment\nmetadata: {{name: credit}}\n"
    "spec: {model: credit, environment: production, teir: 1}\n".encode(),
    "specs/deployments/b.yaml": f"{HEAD}kind: Deployment\nmetadata: {{name: b}}\n"
    "spec: {model: credit, environment: production}\n".encode(),
    "specs/models/credit.yaml": f"{HEAD}kind: Model\nmetadata: {{name: credit}}\n"
    "spec: {purpose: [\n".encode(),
}


@pytest.mark.parametrize(
    ("tree", "code"), [(UNREAD, "SPEC012"), (Sealed(UNREAD), "SPEC020")], ids=["broken", "sealed"]
)
def test_what_cannot_be_read_is_told_first_and_what_it_declares_is_not_called_missing(
    tree: dict[str, bytes], code: str
) -> None:
    found = check(load_estate(tree), NOW, tree=tree).findings
    assert [one.code for one in found] == [code, "SPEC104"]


def test_what_is_not_in_a_broken_file_is_missing_all_the_same() -> None:
    other = UNREAD["specs/deployments/b.yaml"].replace(b"model: credit", b"model: other")
    tree = {**UNREAD, "specs/deployments/b.yaml": other}
    found = check(load_estate(tree), NOW, tree=tree).findings
    assert [one.code for one in found] == ["SPEC012", "SPEC104", "REF001"]
