from __future__ import annotations

from collections.abc import Callable

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.explanations import abouts
from ordain.specs.kinds import kind_names, kind_type
from ordain.specs.loader import parse
from ordain.specs.problems import PATTERNS, pattern_words
from ordain.specs.reading import read_document
from ordain.specs.reference import parts
from ordain.specs.shapes import shapes

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        (
            "model",
            "tier: 2",
            "teir: 2\n  tier: 1",
            "SPEC104 model.yaml:6:3 error: unknown field `teir` | did you mean `tier`?",
        ),
        (
            "model",
            "  tier: 2\n",
            "",
            (
                "SPEC101 model.yaml:4:1 error: the field `tier` is missing "
                "| add `tier:` (1 is the most material; the tier sets the quorum)"
            ),
        ),
        (
            "model",
            "tier: 2",
            "tier: 4",
            (
                "SPEC105 model.yaml:6:9 error: `tier` is 4; it must be at most 3 "
                "| `tier`: 1 is the most material; the tier sets the quorum"
            ),
        ),
        (
            "model",
            "tier: 2",
            'tier: "2"',
            (
                "SPEC102 model.yaml:6:9 error: `tier` must be an integer, not the text `2` "
                "| write it without quotes; true and false are the only truth values"
            ),
        ),
        (
            "model",
            "tier: 2",
            "tier: true",
            "SPEC102 model.yaml:6:9 error: `tier` must be an integer, not true | write an integer",
        ),
        (
            "model",
            "tier: 2",
            "tier:",
            (
                "SPEC102 model.yaml:6:3 error: `tier` must be an integer, not empty "
                "| give it a value; a field that is left out has its default, if there is one"
            ),
        ),
        (
            "model",
            "classification",
            "clasification",
            (
                "SPEC103 model.yaml:8:9 error: `task` cannot be `clasification` "
                "| did you mean `classification`?"
            ),
        ),
        (
            "model",
            "hist_gradient_boosting",
            "xyz",
            (
                "SPEC103 model.yaml:10:25 error: `estimator` cannot be `xyz` "
                "| write `logistic_regression`, `linear_regression`, `ridge`, `lasso`, "
                "`elastic_net`, `poisson`, `gamma`, `decision_tree`, `random_forest`, "
                "`extra_trees`, `hist_gradient_boosting`, `kmeans`, `gaussian_mixture`, "
                "`lightgbm` or `xgboost`"
            ),
        ),
        (
            "model",
            "credit-risk",
            "Credit Risk",
            (
                "SPEC106 model.yaml:7:10 error: `owner` cannot be `Credit Risk` "
                "| write lower-case letters, digits and hyphens"
            ),
        ),
        (
            "model",
            "purpose: Probability of default",
            'purpose: ""',
            (
                "SPEC105 model.yaml:5:12 error: `purpose` has 0 characters; it needs at least 1 "
                "| `purpose`: what the output is used for"
            ),
        ),
        (
            "model",
            "estimator: hist_gradient_boosting",
            "estimator: hist_gradient_boosting, parameters: {depth: [1, 2]}",
            (
                "SPEC102 model.yaml:10:69 error: `depth` must be true or false, a number or text, "
                "not a list | write true or false or a number or text"
            ),
        ),
        (
            "dataset",
            "leaks: [arrears]",
            "leaks: arrears",
            (
                "SPEC102 dataset.yaml:9:10 error: `leaks` must be a list, not the text `arrears` "
                "| write it as a list: [arrears]"
            ),
        ),
        (
            "dataset",
            "income: {type: float}",
            "income: {type: float, range: [1]}",
            (
                "SPEC105 dataset.yaml:13:34 error: `range` has 1 items; more are needed "
                "| `range`: lowest and highest value that is believed"
            ),
        ),
        (
            "dataset",
            "income: {type: float}",
            "income: {type: float, range: [1, x]}",
            (
                "SPEC102 dataset.yaml:13:38 error: `range`, item 2 must be a number, not the "
                "text `x` "
                "| write it without quotes; true and false are the only truth values"
            ),
        ),
        (
            "dataset",
            "[car, home]",
            "[car, 1]",
            (
                "SPEC102 dataset.yaml:14:45 error: `levels`, item 2 must be text, not the number 1 "
                "| put it into quotes"
            ),
        ),
        (
            "model",
            "decision: {threshold: 0.3}",
            "split: {validation: 0.15}",
            (
                "SPEC102 model.yaml:11:23 error: `validation` must be text, not the number 0.15 "
                "| write a share: 15%"
            ),
        ),
        (
            "route",
            "op: gt, value: 40000",
            "op: in, value: 3",
            "SPEC107 route.yaml:7:13 error: op in takes a list | `when`: condition on the request",
        ),
        (
            "route",
            "op: gt, value: 40000",
            "op: in, value: [3, {}]",
            (
                "SPEC102 route.yaml:7:48 error: `value`, item 2 must be true or false, a number or "
                "text, not a mapping | write true or false or a number or text"
            ),
        ),
        (
            "route",
            "[{deployment: credit, weight: 100}]",
            "[]",
            (
                "SPEC105 route.yaml:8:11 error: `to` has 0 items; it needs at least 1 "
                "| `to`: deployments; weights sum to 100"
            ),
        ),
        (
            "route",
            "/v1/credit",
            "credit",
            (
                "SPEC106 route.yaml:5:13 error: `endpoint` cannot be `credit` "
                "| write a path below /v1/ such as /v1/credit"
            ),
        ),
    ],
)
def test_each_mistake_is_said_in_plain_words_at_its_place(
    check: Check, edit: Edit, name: str, old: str, new: str, expected: str
) -> None:
    assert [line for line in check(edit(name, old, new)) if line.startswith("SPEC")] == [expected]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "kind: Model",
            "kind: Modle",
            "SPEC108 model.yaml:2:7 error: unknown kind `Modle` | did you mean `Model`?",
        ),
        (
            "ordain.dev/v1",
            "ordain.dev/v2",
            (
                "SPEC109 model.yaml:1:13 error: `apiVersion` is `ordain.dev/v2`; this version of "
                "ordain "
                "reads ordain.dev/v1 | write `apiVersion: ordain.dev/v1`"
            ),
        ),
        (
            "{name: credit}",
            "{nam: credit}",
            "SPEC101 model.yaml:3:1 error: the field `name` is missing in `metadata` | add `name:`",
        ),
        (
            "{name: credit}",
            "{name: credit, labels: {line: 1}}",
            "SPEC102 model.yaml:3:41 error: `line` must be text | put it into quotes",
        ),
        (
            "{name: credit}",
            "{name: Credit}",
            (
                "SPEC106 model.yaml:3:18 error: `Credit` cannot be a name "
                "| write lower-case letters, digits and hyphens, at most 63"
            ),
        ),
        (
            "spec:\n",
            "specs:\n",
            "SPEC104 model.yaml:4:1 error: unknown field `specs` | did you mean `spec`?",
        ),
    ],
)
def test_the_envelope_is_checked_as_well(
    check: Check, edit: Edit, old: str, new: str, expected: str
) -> None:
    assert expected in check(edit("model", old, new))


def test_all_mistakes_of_a_document_are_reported_at_once(check: Check, edit: Edit) -> None:
    text = "tier: 9\n  colour: red\n  owner: 3"
    lines = check(edit("model", "tier: 2\n  owner: credit-risk", text))
    assert [line.split(" ")[0] for line in lines] == ["SPEC105", "SPEC104", "SPEC102"]


def test_a_document_with_a_mistake_is_absent_and_what_refers_to_it_is_quiet(
    load: Load, check: Check, edit: Edit
) -> None:
    changed = edit("model", "tier: 2", "tier: 9")
    assert load(changed).get("Model", "credit") is None
    assert load(changed).refused == {"Model/credit"}
    assert len(check(changed)) == 1


def test_a_finding_of_the_text_is_not_repeated_by_the_schema(check: Check, edit: Edit) -> None:
    lines = check(edit("model", "threshold: 0.3", "threshold: .nan"))
    assert [line.split(" ")[0] for line in lines] == ["SPEC019"]


def test_a_field_of_a_part_is_recognised_one_level_too_high(load: Load, edit: Edit) -> None:
    estate = load(edit("model", "tier: 2", "tier: 2\n  estimator: x"))
    assert estate.findings[0].evidence == (
        (
            "`estimator` is a field of `training`: a named estimator of scikit-learn, or of an "
            "extra (lightgbm, xgboost)"
        ),
    )


def test_something_that_is_no_mapping_is_no_document() -> None:
    (node,) = parse(b"- a\n", "f.yaml").nodes
    document, (finding,) = read_document(node, "f.yaml")
    assert document is None
    assert finding.code == "SPEC100"


def test_no_message_speaks_of_the_validator(check: Check, edit: Edit) -> None:
    changed = edit("model", "spec:\n", "spec:\n  split: 3\n  features: []\n  external: {a: 1}\n")
    text = "\n".join(check(changed))
    for word in ("pydantic", "dataclass", "dictionary", "tuple", "keyword", "argument", "Input"):
        assert word not in text


def test_every_pattern_of_the_language_has_words() -> None:
    seen: list[type] = []

    def patterns(cls: type) -> set[str]:
        if cls in seen:
            return set()
        seen.append(cls)
        found: set[str] = set()
        for shape in shapes(cls).values():
            found |= {
                about.constraints["pattern"]
                for about in abouts(shape.type)
                if "pattern" in about.constraints
            }
            for inner in parts(shape.type):
                found |= patterns(inner)
        return found

    everything = {pattern for kind in kind_names() for pattern in patterns(kind_type(kind))}
    assert len(everything) > 8
    assert all("matches" not in pattern_words(pattern) for pattern in everything)
    assert set(PATTERNS) <= everything


def test_of_very_many_mistakes_of_one_document_some_are_told_and_the_rest_is_counted() -> None:
    text = "apiVersion: ordain.dev/v1\nkind: Model\nmetadata: {name: m}\nspec:\n"
    text += "".join(f"  k{number}: 1\n" for number in range(3_000))
    node = parse(text.encode(), "specs/a.yaml").nodes[0]
    document, findings = read_document(node, "specs/a.yaml")
    assert document is None
    assert len(findings) == 101
    assert findings[-1].code == "SPEC024"
    assert findings[-1].message.endswith("more places of this document are wrong")
    assert str(findings[-1].location) == "specs/a.yaml:4:1"
