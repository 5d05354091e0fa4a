"""The codes of the compilers, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

CODES: Final = {
    "CMP001": Page(
        "what is declared cannot become resources of this target",
        "A compiler refuses what a target could not hold, instead of leaving it to the target.",
        "ordain compile -t kubernetes --image registry.example/ordain:latest",
        "do what the message asks for",
    ),
    "CMP002": Page(
        "a policy asks for what only the gate knows",
        "A cluster sees the object, the object before it, and nothing else: no other document, no "
        "change, no approval, no evidence and no clock. Such a policy stays with the gate.",
        'expression: "linked.Monitor.exists(m, m.spec.deployment == object.metadata.name)"',
        "ask about object and oldObject only, or leave the policy to the gate",
    ),
    "CMP003": Page(
        "a version of Kubernetes lacks what a policy uses",
        "A cluster accepts in a new expression what the version before it understood, so that it "
        "can be rolled back. Optionals (`.?`) can be written from 1.29 on, sets from 1.30 on.",
        "ordain compile admission --kube-version 1.28",
        "name the version of your cluster with --kube-version, or write the expression without",
    ),
    "CMP004": Page(
        "a cluster does not take this expression",
        "The expression language of clusters is stricter in places: conditions see no variables, "
        "the values of a literal are of one type, a message has one line.",
        "expression: \"object.spec.tier in [1, 'one']\"",
        "do what the finding asks for; the meaning for the gate stays the same",
    ),
}
