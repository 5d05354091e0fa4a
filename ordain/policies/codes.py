"""The codes of the gate, for `ordain explain`: what each says, why, an example, and the remedy.

POL0xx: policies that cannot be asked. LINT: policies that cannot mean what they say. TEST: unit
tests of policies. CHG, PRO: changes and promotions. ACC: evidence against limits. SOD: approvals.
WVR: waivers. What policies find (POL-…) is explained in `pages`.
"""

from __future__ import annotations

from typing import Final

from ordain.policies.lint.codes import CODES as LINT
from ordain.policies.testing.codes import CODES as TEST
from ordain.specs.explanations import Explanation as Page

_POLICIES: Final = {
    "POL000": Page(
        "the gate could not do its work",
        "The message says what is missing; no verdict was given, and no verdict is never a pass.",
        "ordain check        # with a damaged installation",
        "do what the message asks for",
    ),
    "POL001": Page(
        "an expression of a policy does not compile",
        "A rule that cannot be read protects nothing, so it blocks instead of being skipped.",
        "expression: object.spec.tier = 1",
        "mend the expression at the place that is shown; CEL compares with ==",
    ),
    "POL002": Page(
        "a policy could not be evaluated on an object",
        "A missing key, a division by zero or too many loop steps leave the question open. "
        "Anything but the literal true is no pass, so this blocks whatever the enforcement.",
        "expression: object.spec.acceptance.drift.psi.max <= 0.25    # where acceptance is absent",
        "guard optional fields: object.spec.?acceptance.?drift.?psi.?max.orValue(0.25)",
    ),
    "POL003": Page(
        "a PolicySet names a pack or a version that ordain does not ship",
        "A pack that is not there would be a set of rules that nobody is held to.",
        "packs: [{name: baselin}]",
        "name one of the packs in the message, or leave the version out for the newest",
    ),
    "POL004": Page(
        "a PolicySet sets a parameter that no policy of the pack has",
        "A misspelt parameter would silently leave the pack's own value in force.",
        "packs: [{name: baseline, params: {psii: 0.2}}]",
        "correct the name of the parameter",
    ),
    "POL005": Page(
        "a policy is too large",
        "A single policy could make every check slow for everybody. What it demands is also more "
        "than anyone can review in one piece.",
        "a policy with hundreds of validations",
        "make several policies of it",
    ),
}
_FUNCTIONS: Final = {
    "POL010": Page(
        "a rule in Python is not installed as its policy names it",
        "The verdict must not depend on what happens to be installed. So package, version and "
        "content are what the policy says, or the rule is not asked, and that blocks.",
        "python: {rule: reason-codes, package: bank-rules, version: 1.4.2}    # 1.5.0 is there",
        "install the version that is named, from its wheel, where the gate runs",
    ),
}
_CHANGES: Final = {
    "CHG001": Page(
        "a change adds a symbolic link or a submodule",
        "An estate is what its own tree holds. A link leads to content that no digest covers.",
        "specs/model.yaml -> ../../elsewhere.yaml",
        "put the file itself there",
    ),
    "CHG002": Page(
        "a change loosens a limit and declares something else otherwise",
        "Beside other edits a limit is loosened unseen. What only describes may change with it, "
        "and what is taken away together is one act.",
        "psi.fail of a Monitor is raised in the change that edits a Route",
        "loosen the limit in a change of its own, and propose the rest in another",
    ),
    "DAT001": Page(
        "outcomes that were seen on a day to come",
        "An outcome is final when it is older than `matureAfter` on the day `asOf`, up to which "
        "outcomes were seen. A later day than today would make outcomes final that nobody has "
        "seen.",
        "asOf: 2099-01-01",
        "write the day on which the rows were taken, or run `ordain pin`",
    ),
    "PRO001": Page(
        "a change mixes what only the machine writes with what people write",
        "A promotion is judged by its evidence and an intention by its approvers; in one change "
        "each could hide behind the other.",
        "a pull request that sets spec.version of a Deployment and edits a Route",
        "take the version out; the reconciler proposes the promotion after the merge",
    ),
    "PRO002": Page(
        "a ModelVersion was edited or removed",
        "A version is the record of how an artifact came about; it stays when its model goes.",
        "artifact: of an existing ModelVersion, changed by hand",
        "restore the document as it was",
    ),
    "PRO003": Page(
        "evidence was edited or removed",
        "Evidence is named by its digest and is the reason why a version was approved.",
        "git rm evidence/915e71e0….json",
        "restore the file as it was",
    ),
    "PRO004": Page(
        "versions or evidence are not signed by the reconciler",
        "Whoever could write them by hand could approve numbers that nobody measured.",
        "a commit by a person that adds a ModelVersion",
        "let the reconciler propose the promotion",
    ),
    "PRO005": Page(
        "the number of a new version is not the next one of its model",
        "Versions count from 1 without a gap, so that one that is missing is noticed.",
        "version: 7        # after version 2",
        "let the reconciler propose the promotion again",
    ),
    "PRO006": Page(
        "a version was made by another recipe than the tree declares",
        "Specs, data, environment, seed and threads decide what training makes. One of them has "
        "changed since, so what would serve is not what is declared.",
        "a promotion that was made before the last edit of its Model",
        "let the reconciler train and propose again",
    ),
    "PRO007": Page(
        "evidence or provenance of a version is missing, damaged or about something else",
        "The gate judges measured values; without them there is nothing to judge. And no server "
        "loads a version without a signed statement of where it came from.",
        "a ModelVersion whose evidence digest names no file in evidence/, or without provenance",
        "restore the file from git, or let the promotion be proposed again",
    ),
    "PRO008": Page(
        "a promotion changes the digest of data that no new version was made from",
        "The machine pins data only when it has trained on it; otherwise people pin it.",
        "a rollback that also changes the digest of a Dataset",
        "pin the data in a change of its own",
    ),
    "PRO009": Page(
        "evidence comes without the version that it is about",
        "Evidence of nothing can only be there to be used later for something else.",
        "evidence/….json beside a promotion of another artifact",
        "take the file out",
    ),
}
_SWAPPED: Final = {
    "PRO010": Page(
        "a deployment is given another model while it pins a version",
        "The number would then mean a version of the other model, which nobody promoted here.",
        "spec.model: cheap, beside spec.version: 1 of another model",
        "declare another Deployment for that model, promote it, then move the Route",
    ),
}
_VALIDATED: Final = {
    "PRO011": Page(
        "a new version carries no validation that can be read",
        "Training measures a model as it made it. The validation is a second look: another process "
        "loads the artifact as a server would, and answers rows. Without it nobody has seen what "
        "would serve.",
        "a ModelVersion without `validation`, or whose digest names no file in evidence/",
        "let the reconciler validate and propose the version again",
    ),
    "PRO012": Page(
        "the validation of a version is about something else",
        "A validation speaks for one artifact, one set of rows and one version that it was "
        "compared with. Any other one may be as good as it likes: it was not asked about this.",
        "validation.dataset is `holdout`, and the document is of the test part",
        "let the reconciler validate and propose the version again",
    ),
    "PRO013": Page(
        "the validation of a version did not pass",
        "What decides in a validation has a limit, and something is beyond it or could not be "
        "measured. The gate asks every check again and believes no verdict.",
        "edge-cases: no-income is 0.02 (refused): fail",
        "mend the model or its data and train again; a limit changes in a change of its own",
    ),
    "PRO014": Page(
        "a validation does not show what would be decided otherwise than now",
        "A version runs, and the validation could not ask it: it cannot be loaded, takes other "
        "inputs or does another task. Whoever approves does so without the comparison.",
        "a promotion over a running version whose validation has no behaviour",
        "look at both versions by hand before you approve; the validation says why",
    ),
}
_CHALLENGED: Final = {
    "VAL001": Page(
        "a validator rejects the artifact",
        "A validator who says no is not outvoted, neither by approvals nor by another validator: "
        "the rejection holds until the same person has approved the artifact in a later record.",
        "kind: Validation with outcome: rejected, on the artifact of the promotion",
        "mend what the record names, or ask its validator for another look",
    ),
    "VAL002": Page(
        "a finding of a validator on the artifact is open",
        "An open finding of severity high says that the artifact must not run; one of severity "
        "medium may run until the day it is due, and not after it.",
        "findings: [{id: drift, severity: high, text: …, status: open}]",
        "mend it, and let the validator close the finding",
    ),
    "VAL003": Page(
        "a record of a validator is about an artifact of another model, or of no version",
        "A record binds to exactly one artifact. Bound to that of another model it would speak for "
        "what nobody looked at. An artifact that no version has yet is that of an open promotion, "
        "or a slip of the pen: that asks for a look.",
        "model: credit, artifact: that of churn@3",
        "write the artifact that `ordain proposals show` prints",
    ),
    "VAL004": Page(
        "a record of a validator rests on another validation document",
        "The record says which document it was written on. A version that was validated again has "
        "another one, and the validator has not seen it.",
        "evidence: sha256:…, which is not the validation of the version",
        "let the validator look at the validation that the version names",
    ),
    "VAL005": Page(
        "a record of a validator is of a day that is still to come",
        "Of the records of one validator the newest counts. One of a future day would be the "
        "newest whatever is found later. One day is tolerated, for time zones differ.",
        "performedOn: 2099-01-01",
        "write the day on which the validator looked",
    ),
    "VAL006": Page(
        "what a validator found on another artifact of the model was not looked at again",
        "A record is about one artifact. A model that is trained again has another one, of which "
        "no record speaks, and what was wrong with the last one may be wrong with it. This asks "
        "for a look, and blocks nothing.",
        "outcome: rejected on the artifact of the last promotion, and a new one without a record",
        "ask a validator whether what was found holds for this artifact",
    ),
}
_EVIDENCE: Final = {
    "ACC-VERDICT": Page(
        "the evidence itself says that it failed",
        "What evidence holds against its version is believed without a second look.",
        "evidence with verdict fail",
        "mend the model or its data and train again",
    ),
    "ACC-TASK": Page(
        "evidence of another task than the model declares",
        "A metric of one task means nothing in another, and a threshold parts two outcomes only. "
        "Numbers that look good would be held against limits that were set for something else.",
        "the evidence is of a regression, and the model is declared as a classification",
        "train the model as it is declared, or correct `task` and `decision`",
    ),
    "ACC-METRIC": Page(
        "a metric does not reach its limit, or was not measured",
        "Limits are read from the Model and compared again; the verdict in the evidence is not "
        "believed. What was not measured is insufficient, and for a required metric that blocks. "
        "So is a claim on all cases where an earlier decision has chosen whose outcome was seen, "
        "unless enough others were seen by chance.",
        "lower bound of roc_auc is 0.61; required is at least 0.7",
        "mend the model or its data and train again",
    ),
    "ACC-CHAMPION": Page(
        "a version is worse than the one it replaces, or was not compared with it",
        "A new version serves the same people; it must not serve them worse than is accepted.",
        "difference of roc_auc to the version now running is -0.01; at least -0.002 is required",
        "mend the model, or keep the version that runs",
    ),
    "ACC-FAIRNESS": Page(
        "a group gets the favourable decision too rarely, or too few cases to say",
        "Fails on size and significance together; too small a group is a warning, never a pass.",
        "adverse_impact_ratio of sex female against male: the ratio is 0.750, below 0.8",
        "look for a less discriminatory alternative; pool periods where cases are too few",
    ),
    "ACC-DRIFT": Page(
        "the test part is another population than the training part",
        "Metrics measured on one population say little about another.",
        "PSI of income between training and test is 0.310, above 0.25",
        "find out what changed between the parts; train on data that holds today",
    ),
    "ACC-PARITY": Page(
        "what serves differs from what was measured",
        "Every number of the evidence is about the fitted pipeline; the plan must give the same.",
        "the plan differs from the fitted pipeline by 0.001, more than 1e-09",
        "report it as a defect of ordain",
    ),
}
_APPROVALS: Final = {
    "SOD-QUORUM": Page(
        "an approval is missing",
        "Who may approve follows from what a change touches and from the tier of its models, by "
        "the roles of the base commit.",
        "a promotion of a tier-1 model with the approval of a manager only",
        "ask a person with the missing role who did not contribute; where everybody did, name "
        "another one in the Organization, in a change of its own",
    ),
    "SOD-SELF": Page(
        "an approval by somebody who contributed or pushed does not count",
        "Nobody approves their own work, nor work that they brought in.",
        "a manager approves a promotion of a model whose spec they edited",
        "ask somebody else with the same role",
    ),
    "SOD-ROLE": Page(
        "an approval in a role that the person does not hold does not count",
        "Roles are read from the base commit and must still be held after the change.",
        "a validator approves as manager",
        "ask a person who holds the role",
    ),
    "SOD-PERSON": Page(
        "an approval by somebody who is no person of the Organization does not count",
        "Whoever is not known cannot be held responsible.",
        "an approval by a login that no person of the Organization has",
        "add the person in a change of its own first",
    ),
    "SOD-CONTENT": Page(
        "an approval of other content does not count",
        "An approval binds to what was read. One more byte is other content.",
        "a commit that was added after the approval",
        "ask for the approval again",
    ),
    "SOD-KEY": Page(
        "an approval with a key or account that the change takes away does not count",
        "Keys and accounts are judged before and after a change. What replaces or revokes one must "
        "not be approved with it.",
        "a change revokes a key of the manager, and is approved with that key",
        "approve it with a key that stays, or let somebody else approve",
    ),
    "SOD-TEAM": Page(
        "a validator is of a team that contributed to what they look at",
        "Effective challenge comes from outside. Every contribution to a model counts that its "
        "history has, and the teams of both sides of the change.",
        "a Validation by a validator of credit-risk, whose data scientist wrote the Model",
        "let a validator of another team look at it",
    ),
    "SOD-VALIDATOR": Page(
        "a Validation is not signed by the validator whom it names, or they hold no such role",
        "A record in the name of somebody else is no challenge of theirs. The commits that touch "
        "it are signed by that validator alone, who holds the role before and after the change; a "
        "commit that removes it, too.",
        "a data scientist commits a Validation with validator: validator",
        "let the validator commit it, signed with a key of theirs",
    ),
    "SOD-UNKNOWN": Page(
        "a promotion or a Validation rests on work of somebody unknown",
        "Whoever approves or challenges is somebody else than who made it, and of somebody unknown "
        "nobody can be told apart. The root commit is trusted by its id. What the branch undid, so "
        "that a step has the very files from before it, brings nothing.",
        "the first promotion of a Model that stood in unsigned commits before trust began",
        "undo what nobody has signed, and let somebody sign it",
    ),
    "SOD-EMPTY": Page(
        "after the change nobody could approve in a role any more",
        "What would mend it takes an approval in that role. A role is filled by people with a key "
        "that is good, or with an account on the forge that the estate is on.",
        "the only compliance manager is taken off the list",
        "appoint another one in a change before",
    ),
    "SOD-BOT": Page(
        "an approval by the reconciler does not count",
        "The machine proposes, people decide.",
        "an approval signed with the reconciler's key",
        "ask a person",
    ),
}
_EMERGENCIES: Final = {
    "EMG004": Page(
        "the trace of an emergency is not of who acted",
        "One manager may act alone in an emergency. The document that says so is signed by that "
        "manager, and by the one who ended it; every commit that touches it is of one of them, so "
        "that nobody acts or writes in the name of somebody else.",
        "requestedBy: manager        # in a commit that the data scientist has signed",
        "let the manager who acted make the change: ordain stop, ordain rollback",
    ),
    "EMG005": Page(
        "the trace of an emergency does not say what is done",
        "A rollback goes to a version whose promotion was approved and that is older than the one "
        "that runs, and the Deployment names the same one; one that is ended moves no Deployment. "
        "What was done never changes; to lift a stop, the document is removed, and until then its "
        "Route stays where it is.",
        "version: 7        # and the base has no such ModelVersion",
        "let document, Deployment and ModelVersion name one version",
    ),
}
_WAIVERS: Final = {
    "WVR001": Page(
        "a waiver has expired",
        "A finding is accepted for a time, until the end of the last day that the waiver names.",
        "expires: 2026-01-31        # after that day",
        "mend what it excused, or ask for a new waiver",
    ),
    "WVR002": Page(
        "a waiver was asked for and approved by the same person",
        "A waiver needs a second person, or it is only a wish.",
        "requestedBy and approvedBy name the same person",
        "let another compliance manager approve",
    ),
    "WVR003": Page(
        "a waiver was approved by somebody who is no compliance manager",
        "Roles are read from the base commit.",
        "approvedBy: manager",
        "let a compliance manager approve",
    ),
    "WVR004": Page(
        "a waiver is for something that cannot be waived",
        "Policies and measurements can be waived; the language, signatures and approvals cannot, "
        "or a waiver would be a way round the gate. A policy with waivable: false cannot either.",
        "finding: SOD-QUORUM",
        "mend the finding",
    ),
    "WVR005": Page(
        "a waiver covers no finding",
        "What it excused is mended, the object has other content by now, or it never fitted. A "
        "waiver in stock is a hole.",
        "a waiver whose object no longer has the finding",
        "remove it, or ask for one of the present content: ordain digest KIND/NAME",
    ),
    "WVR006": Page(
        "a waiver ends soon",
        "In two weeks or less it will block again.",
        "expires: in nine days",
        "mend what it excuses, or ask for a new waiver in time",
    ),
}
_MORE_WAIVERS: Final = {
    "WVR007": Page(
        "a waiver names an approver who has not approved the change that brings it",
        "Who approved is written in the waiver by whoever asks for it. It is true when that person "
        "has approved this very change as compliance manager.",
        "approvedBy names one compliance manager, and another one approved the change",
        "let the compliance manager whom it names approve the change",
    ),
    "WVR008": Page(
        "a waiver would last for more than a year",
        "What is accepted for years is a rule that was abolished.",
        "expires: 2036-12-31",
        "set a day within 366 days, and ask again when it comes",
    ),
}
_OWNERS: Final = {
    "OWN001": Page(
        "CODEOWNERS is missing, or is not what the documents give",
        "A forge that asks others for a review than the gate needs looks like protection and is "
        "none. The file is generated from roles, accounts and reviews, byte for byte.",
        "* @everybody        # in .github/CODEOWNERS",
        "write it and commit it: ordain codeowners --write",
    ),
}
CODES: Final[dict[str, Page]] = {
    **_POLICIES,
    **_FUNCTIONS,
    **LINT,
    **TEST,
    **_CHANGES,
    **_SWAPPED,
    **_VALIDATED,
    **_CHALLENGED,
    **_EVIDENCE,
    **_APPROVALS,
    **_EMERGENCIES,
    **_WAIVERS,
    **_MORE_WAIVERS,
    **_OWNERS,
}
