"""The codes of `ordain lint`, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

CODES: Final[dict[str, Page]] = {
    "LINT001": Page(
        "a policy matches a kind that the language does not have",
        "A rule about a kind that does not exist asks about nothing, and is green for ever.",
        "match: {kinds: [Modle]}",
        "correct the kind",
    ),
    "LINT002": Page(
        "a condition of a policy is never true",
        "Then the policy asks about no object at all, whatever its validations say.",
        "match: {kinds: [Model], when: \"object.kind == 'Route'\"}",
        "mend the condition, or match the kinds that it is about",
    ),
    "LINT003": Page(
        "a validation has the same answer for every object",
        "One that is always true finds nothing and only looks like a control; one that is never "
        "true is an answer and no question.",
        "expression: object.spec.tier <= 2 || true",
        "let it depend on the object, or remove it",
    ),
    "LINT004": Page(
        "a part of an expression decides nothing",
        "It is always true or always false, or it is said twice. What was meant is probably "
        "something else.",
        "expression: has(object.spec.owner) && 2 > 1",
        "remove the part, or mend it",
    ),
    "LINT005": Page(
        "a validation repeats another one of its policy",
        "It finds what the first one finds, under a second code.",
        "two validations with the expression size(object.spec.purpose) > 20",
        "remove it, or say what was meant",
    ),
    "LINT006": Page(
        "two conditions, variables or validations of a policy have one name",
        "A finding, a waiver or an expression could mean either of them.",
        "variables: [{name: gates, expression: ...}, {name: gates, expression: ...}]",
        "rename one of the two",
    ),
    "LINT010": Page(
        "an expression reads a field that no schema has",
        "Without a guard it can never be evaluated; behind has() or .? it is always absent, and "
        "the rule is green although it asks about nothing.",
        "expression: object.spec.?teir.orValue(1) <= 2",
        "correct the field; `ordain explain KIND` lists those that there are",
    ),
    "LINT011": Page(
        "a comparison has the same answer for every object",
        "The two sides are of types, or of enumerated values, that have nothing in common.",
        "expression: object.spec.task == 'clasification'",
        "compare with a value that the field can have",
    ),
    "LINT012": Page(
        "an expression does with a value what cannot be done with it",
        "The order of a text and a number, a search in an integer, a constant that is no duration "
        "or no pattern: each is an error on every object, and an error is no pass. Neither is a "
        "validation that is no question at all, such as a number or a text.",
        "expression: object.spec.purpose > 3",
        "compare values of one type, or convert one of them",
    ),
    "LINT013": Page(
        "an expression reads a field that may be absent, and nothing asks whether it is there",
        "Expressions see a document as it is written, without defaults. On one that leaves the "
        "field out the policy cannot be evaluated, and that blocks.",
        "expression: object.spec.acceptance.drift.psi.max <= 0.25",
        "ask has(...) first, or write object.spec.?acceptance.?drift.?psi.?max.orValue(0.25)",
    ),
    "LINT014": Page(
        "a calculation fails on some values that a field can have",
        "CEL does not mix integers with numbers that have a decimal point, and a document may be "
        "written with either: `fail: 2` is an integer, `fail: 0.25` is not. What cannot be "
        "evaluated blocks.",
        "expression: object.spec.psi.fail / 2 > 0.1",
        "convert with double(...): double(object.spec.psi.fail) / 2.0 > 0.1",
    ),
    "LINT020": Page(
        "an expression uses a variable that is not there",
        "A variable sees those above it and no others.",
        "expression: variables.gate.exists(g, has(g.min))    # declared: gates",
        "correct the name, or declare the variable above",
    ),
    "LINT021": Page(
        "a variable is declared and never used",
        "It costs a reader time, and often stands for a validation that was forgotten.",
        "variables: [{name: gates, expression: ...}]    # and no variables.gates",
        "remove it, or use it",
    ),
    "LINT022": Page(
        "an expression uses a parameter that the policy does not have",
        "A PolicySet can only replace a parameter that the policy declares with a value.",
        "expression: object.spec.tier <= params.tiers    # declared: tier",
        "correct the name, or declare the parameter under `params`",
    ),
    "LINT023": Page(
        "a parameter is declared and never used",
        "Whoever sets it believes to have changed the rule.",
        "params: {psi: 0.25}    # and no params.psi",
        "remove it, or use it",
    ),
    "LINT030": Page(
        "a message says nothing",
        "It is empty, or a messageExpression that is no text or the same for every object.",
        'messageExpression: "1 + 2"',
        "say what is wrong with this object",
    ),
    "LINT031": Page(
        "a validation has no remedy",
        "Whoever meets the finding wants to know what to do next.",
        "validations: [{expression: ..., message: the limit is too high}]",
        "add `remedy:`, one sentence that says what to do",
    ),
    "LINT032": Page(
        "a validation serves no control",
        "Without the id of a control nobody can show what the rule is for.",
        "validations: [{expression: ..., message: ..., remedy: ...}]",
        "add `controls: [ID]`",
    ),
}
