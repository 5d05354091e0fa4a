"""A finding stands at the value that decided, and says what was read on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordain.policies.engine import cel_engine
from ordain.policies.gate import check, instant
from ordain.policies.rules import compile_rules
from ordain.policies.world import World
from ordain.specs.documents import LoadedEstate

if TYPE_CHECKING:
    from sketches import Sketch

    from ordain.specs.findings import Finding
    from tests.policies.conftest import Workshop


def found(workshop: Workshop, expression: str, **spec: Any) -> tuple[Finding, str]:  # noqa: ANN401
    """The finding of one rule on the Model of the example, and the text that it points at."""
    checks = [{"expression": expression, "message": "wrong"}]
    rule = {"match": {"kinds": ["Model"]}, "validations": checks, **spec}
    sketch = workshop.serving.add("Policy", "mine", **rule)
    (finding,) = check(sketch.load(), workshop.now).findings
    return finding, pointed(sketch, finding)


def pointed(sketch: Sketch, finding: Finding) -> str:
    at = finding.location
    assert at is not None
    return sketch.tree[at.path].decode().splitlines()[at.line - 1][at.column - 1 :][: at.length]


@pytest.mark.parametrize(
    ("expression", "at", "read"),
    [
        ("object.spec.tier == 2", "1", "object.spec.tier = 1"),
        ("object.spec.tier == 1 && object.spec.owner == 'x'", "credit-risk", None),
        ("object.spec.owner == 'x' || object.spec.tier == 2", "1", None),
        ("object.spec.tier > 1 ? true : object.spec.owner == 'x'", "credit-risk", None),
        ("!(object.spec.tier in [1, 2])", "1", None),
        ("object.spec.acceptance.drift.psi.max <= 0.1", "0.2", None),
        ("object.spec.?acceptance.?drift.?psi.?max.orValue(9.0) <= 0.1", "0.2", None),
        ("object.spec.acceptance.metrics[0].min > 0.9", "0.7", None),
        ("object.spec['acceptance']['metrics'].all(m, m.min > 0.9)", "0.7", None),
        ("object.spec.acceptance.metrics.exists(m, m.name == 'ece')", "roc_auc", None),
        ("object.spec.acceptance.metrics.filter(m, m.min > 0.9).size() > 0", "0.7", None),
        ("object.spec.acceptance.metrics.map(m, m.name).exists(n, n == 'x')", "roc_auc", None),
        (
            "size(object.spec.features.exclude) > 1",
            "exclude",
            "object.spec.features.exclude has 1 item",
        ),
        ("'income' in object.spec.features.exclude", "exclude", None),
        ("object.spec.features.exclude == ['x']", "postcode", None),
        (
            "has(object.spec.acceptance.parity)",
            "acceptance",
            "object.spec.acceptance.parity is not set",
        ),
        ("has(object.spec.external)", "credit", "object.spec.external is not set"),
        ("object.metadata.?labels.?line.orValue('') == 'retail'", "credit", None),
        ("object.spec.tier > params.least", "1", None),
        ("params.least < object.spec.tier", "1", "params.least = 1"),
    ],
)
def test_the_value_that_decided(
    workshop: Workshop, expression: str, at: str, read: str | None
) -> None:
    finding, text = found(workshop, expression, params={"least": 1})
    assert finding.code == "POL-mine"
    assert text == at
    assert read is None or read in finding.evidence


def test_a_name_that_looks_something_up_is_not_the_value(workshop: Workshop) -> None:
    expression = "object.spec.acceptance.metrics.all(m, m.min > params.least[m.name])"
    finding, text = found(workshop, expression, params={"least": {"roc_auc": 0.9}})
    assert text == "0.7"
    assert finding.evidence[1:] == (
        "object.spec.acceptance.metrics[0].min = 0.7",
        "object.spec.acceptance.metrics[0].name = roc_auc",
        "params.least.roc_auc = 0.9",
    )


def test_a_variable_is_read_where_it_is_used(workshop: Workshop) -> None:
    variables = [
        {"name": "gates", "expression": "object.spec.acceptance.metrics.filter(m, has(m.min))"},
        {"name": "unused", "expression": "object.spec.owner"},
    ]
    finding, text = found(workshop, "variables.gates.all(g, g.min > 0.9)", variables=variables)
    assert text == "0.7"
    assert "object.spec.acceptance.metrics[0].min = 0.7" in finding.evidence


def test_a_variable_used_again_is_read_again(workshop: Workshop) -> None:
    variables = [{"name": "tier", "expression": "object.spec.tier"}]
    expression = "variables.tier == 1 && object.spec.owner != '' && variables.tier == 2"
    finding, text = found(workshop, expression, variables=variables)
    # The tier was known before the owner was read; what the rule came to last is the owner.
    assert text == "credit-risk"
    assert "object.spec.tier = 1" in finding.evidence


def test_a_missing_key_that_could_not_be_read_is_pointed_at(workshop: Workshop) -> None:
    finding, text = found(workshop, "object.spec.acceptance.nothing.at.all == 1")
    assert finding.code == "POL002"
    assert text == "acceptance"
    assert finding.evidence[-1] == "object.spec.acceptance.nothing is not set"


def test_another_document_that_decides_is_pointed_at_and_the_object_named(
    workshop: Workshop,
) -> None:
    expression = "linked.Dataset.all(d, d.spec.target.column == 'x')"
    finding, text = found(workshop, expression)
    assert text == "default_12m"
    assert finding.location is not None
    assert finding.location.path == "specs/dataset/applications.yaml"
    assert [words for _, words in finding.related] == ["the object", "the policy"]
    assert finding.evidence == (
        "object = Model/credit",
        "linked.Dataset[0].spec.target.column = default_12m",
    )


def test_a_rule_that_reads_nothing_stands_at_what_made_it_apply(workshop: Workshop) -> None:
    match = {"kinds": ["Model"], "when": "object.spec.tier == 1"}
    _, text = found(workshop, "false", match=match)
    assert text == "1"


def test_an_expression_without_a_function_is_found_at_the_object(workshop: Workshop) -> None:
    """Bytes are evaluated exactly only; the place is less good then, and still one."""
    finding, text = found(workshop, "bytes(object.spec.owner) == b'x'")
    assert finding.code == "POL-mine"
    assert text == "credit"


LEAVES = st.sampled_from(
    [
        "spec.tier",
        "spec.owner",
        "spec.purpose",
        "spec.decision.threshold",
        "spec.decision.above",
        "spec.acceptance.drift.psi.max",
        "spec.explanation.top",
        "spec.training.estimator",
    ]
)


@pytest.mark.property
@settings(
    max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(LEAVES, min_size=1, max_size=5, unique=True), st.sampled_from(["&&", "||"]), st.data()
)
def test_whatever_a_rule_compares_the_finding_points_at_what_decided(
    workshop: Workshop, paths: list[str], word: str, data: st.DataObject
) -> None:
    """Of `a && b && c` the first that is false decides; of `a || b || c` the last that is asked."""
    wrong = data.draw(st.integers(0, len(paths) - 1)) if word == "&&" else len(paths) - 1
    parts = [
        f"object.{path} {'!=' if word == '&&' and at != wrong else '=='} 'nothing'"
        for at, path in enumerate(paths)
    ]
    sketch = workshop.serving.add(
        "Policy",
        "mine",
        match={"kinds": ["Model"]},
        validations=[{"expression": f" {word} ".join(parts), "message": "wrong"}],
    )
    loaded = sketch.load()
    rules, _ = compile_rules(loaded.documents["Policy/mine"], cel_engine())
    model = loaded.documents["Model/credit"]
    (finding,) = rules[0].ask(model, World(loaded, instant(workshop.now)))
    assert finding.location == model.marks.value(*paths[wrong].split("."))


def test_a_password_that_a_rule_reads_is_not_among_what_it_read(workshop: Workshop) -> None:
    uri = "https://reader:swordfish@data.example.org/a.csv"
    sketch = workshop.serving.set("Dataset/applications", "spec.source.uri", uri)
    sketch.add(
        "Policy",
        "mine",
        match={"kinds": ["Dataset"]},
        validations=[{"expression": "object.spec.source.uri == ''", "message": "wrong"}],
    )
    found = check(sketch.load(), workshop.now).findings
    (finding,) = (one for one in found if one.code == "POL-mine")
    assert "swordfish" not in str(found)
    assert finding.evidence[1] == (
        "object.spec.source.uri = https://reader:*********@data.example.org/a.csv"
    )


def test_an_estate_that_was_put_together_of_documents_is_pointed_into_too(
    workshop: Workshop,
) -> None:
    loaded = workshop.serving.load()
    estate = LoadedEstate(loaded.documents, (), loaded.files)
    model = estate.documents["Model/credit"]
    world = World(estate, instant(workshop.now))
    assert world.owners[id(model.raw)] == "Model/credit"
