"""The codes of `ordain test`, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation as Page

CODES: Final[dict[str, Page]] = {
    "TEST001": Page(
        "a case expects a finding that is not there, or not as it expects",
        "A bad case names the code of a finding, and may say the text that it points `at`, its "
        "`line`, a text in its `message`, and the object that it is `on`.",
        "bad: [{set: {Monitor/credit: {spec.psi.fail: 0.2}}, finds: POL-psi-limit}]",
        "mend the policy, or what the case expects",
    ),
    "TEST002": Page(
        "a case has a finding that it does not expect",
        "A case lists all findings of the policy that it asks; the reads that led to this one "
        "stand below it.",
        "good: [{set: {Monitor/credit: {spec.psi.fail: 0.5}}}]",
        "mend the policy, or what the case expects",
    ),
    "TEST003": Page(
        "a case cannot be run, or a file of tests cannot be read",
        "It edits a document that is not there, makes one that the language refuses, or expects "
        "what its place denies.",
        "good: [{set: {Monitor/credti: {spec.psi.fail: 0.2}}}]",
        "do what the message asks for",
    ),
    "TEST004": Page(
        "a case names a policy or a parameter that is not there",
        "Cases stand below the name of a policy in force; `params` replace what it declares.",
        "policies: {psi-limti: {good: [{}]}}",
        "correct the name",
    ),
    "TEST005": Page(
        "there are no tests of policies where they were looked for",
        "A run that runs nothing is not green. Tests stand in policies/**/*.test.yaml, beside the "
        "policies; docs/policy-tests.md has every field.",
        "policies:\n"
        "  psi-limit:\n"
        "    good: [{set: {Monitor/credit: {spec.psi.fail: 0.2}}}]\n"
        "    bad: [{set: {Monitor/credit: {spec.psi.fail: 0.5}}, finds: POL-psi-limit, at: 0.5}]",
        "write such a file, or name one",
    ),
    "TEST006": Page(
        "a case asks its policy about nothing",
        "No object is of a kind that the policy matches, or the policy is about a change and "
        "there is none. Such a case could not fail.",
        "good: [{set: {Monitor/credit: null}}]    # of a policy that matches [Monitor]",
        "give the case an object of that kind; `before:` makes a change of it",
    ),
}
