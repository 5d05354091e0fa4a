"""What the reconciler finds in commits, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation

_COMMITS: Final = {
    "GATE001": Explanation(
        "a commit is not signed by anybody in the Organization",
        "Without a signer there is no contributor, and without contributors nobody can say that an "
        "approver is independent. The author that a commit names is a claim, not an identity.",
        "git commit --no-gpg-sign",
        "sign it: git commit --amend -S, with a key that specs/organization.yaml lists",
    ),
    "GATE002": Explanation(
        "a merge holds something else than its two parents give",
        "A merge commit can carry changes that stand in neither parent, and that nobody reviewed.",
        "git merge --no-commit topic && edit a file && git commit",
        "merge with ordain proposals merge, or make the change in a commit of its own",
    ),
    "GATE003": Explanation(
        "the branch does not go on from the last good commit",
        "The history was rewritten, or the branch was moved to a merge whose first parent is "
        "another line. Production stays where it is.",
        "git push --force",
        "put the branch back, or let it be judged anew with ordain reconcile --trust-again",
    ),
    "GATE004": Explanation(
        "there is not exactly one Organization",
        "Keys count because the Organization lists them. After a commit without one, or with two, "
        "nobody could sign the change that mends it.",
        "git rm specs/organization.yaml",
        "keep one Organization document, with the keys of people and of the reconciler",
    ),
    "GATE005": Explanation(
        "a key or an account is to change hands",
        "What was signed with a key was made by its holder, and what an account brought in, by "
        "whose it was. Listed for somebody else, they would name another contributor, and the one "
        "who did the work could approve it.",
        "list the key of one person under the name of another",
        "give every person keys and accounts of their own: ssh-keygen -t ed25519",
    ),
    "GATE006": Explanation(
        "a commit is in the name of somebody else than its signer",
        "The author is a claim. Where it means another person of the Organization, by name or "
        "address, either the claim is false or somebody applied the work of somebody else in a way "
        "that hides who signed for it.",
        "git commit --author='manager <manager@example.org>'",
        "commit it as yourself (--reset-author) and name the other one in a line Co-authored-by",
    ),
    "GATE010": Explanation(
        "the forge could not be asked about a change",
        "Reviews and merge buttons are the forge's word. While it is down or limits its answers "
        "nothing may rest on them: the change is refused and production stays where it is. What "
        "people sign in git goes on counting and needs no forge.",
        "the API answers 503, or there is no ORDAIN_GITHUB_TOKEN",
        "mend what the message says; the next pass asks again. Where it cannot wait: ordain "
        "approve BRANCH --as PERSON --signed",
    ),
    "GATE011": Explanation(
        "a commit holds something else than the proposal it is the merge of",
        "A merge button makes a commit that nobody has signed. It needs no signature only where "
        "its tree is exactly the one that merging the proposal gives, because everything in it "
        "then stands in commits that people signed.",
        "edit a file while squashing, and push the result as the merge",
        "revert it, and propose what it adds by itself",
    ),
    "GATE012": Explanation(
        "a commit with a PGP signature is the merge of no proposal",
        "A forge signs with PGP what is done in a browser. That proves the forge and not a person: "
        "files edited there and suggestions applied there are nobody's work that could be told "
        "apart from an approver's. People sign with the SSH keys that the Organization lists.",
        "commit an edited file in the forge's web editor",
        "commit it with a key that specs/organization.yaml lists, and propose that",
    ),
    "GATE013": Explanation(
        "what the forge says of a change cannot be",
        "It answered, and git or the question says otherwise: the proposal goes into another "
        "branch, is the merge of another commit, or has commits that the remote does not have. "
        "Nothing rests on such an answer, and waiting does not mend it.",
        "ordain gate --proposal 7        # and proposal 7 goes into another branch",
        "name the right proposal, or see whether spec.forge of ordain.yaml names the right forge",
    ),
    "EMG001": Explanation(
        "an emergency was not approved within 24 hours",
        "In an emergency one manager acts alone. Somebody else has to approve it afterwards; until "
        "then it stays in force and is an error. The hours are counted from when our own record "
        "first saw it, whatever time the statement claims.",
        "ordain stop ROUTE, and nobody approves its proposal",
        "ordain approve ordain/emergency/ID --as PERSON, then merge it",
    ),
    "EMG002": Explanation(
        "an emergency was approved late",
        "The change that records it passed the gate more than 24 hours after our own record first "
        "saw the emergency.",
        "the proposal of a stop is merged after three days",
        "say in the incident why nobody was asked in time",
    ),
    "EMG003": Explanation(
        "a statement of an emergency has no effect",
        "It is not signed by a manager of the last good commit with a key that is good, it is of "
        "another estate or another history, dated in the future, or was used before.",
        "a statement that is signed with the key of a data scientist",
        "find out who wrote it; a manager orders with ordain stop or ordain rollback",
    ),
    "EMG006": Explanation(
        "an emergency has no effect on what is declared now",
        "Its route, its deployment or its version is not in the last good commit any more, or what "
        "was approved since has overtaken a rollback that nobody has approved.",
        "the Route is removed while it is stopped",
        "see what is served with ordain status, and end the emergency",
    ),
    "EMG007": Explanation(
        "an order in an emergency is refused",
        "Only a manager orders, a rollback goes to an older version that ran, is approved, in the "
        "artifact store and was not moved away from; what was merged is changed by a change.",
        "ordain rollback credit --to 9        # and nobody has approved a version 9",
        "read the reason; ordain emergencies list says what there is",
    ),
    "EMG008": Explanation(
        "the statement of an emergency is gone",
        "Our own record has it, and this clone has not: it was made anew, or somebody has deleted "
        "the ref. What was ordered or ended holds all the same, and the proof is missing.",
        "git push origin :refs/ordain/emergencies/ID/COMMIT        # and then a new clone",
        "fetch the ref from another clone, or end the emergency and have that approved",
    ),
}

# What a git server refuses (`ordain hook install --server`).
_PUSHES: Final = {
    "PUSH001": Explanation(
        "nobody is named as the pusher, or two people are",
        "A push is judged by the account that the server has asked for. Without one nobody could "
        "say who merged; two different names mean that one of them was brought along.",
        "git push over a transport that asks for no account",
        "push with your account over https, or over ssh with a forced command that sets "
        "ORDAIN_PUSHER",
    ),
    "PUSH002": Explanation(
        "the account is nobody's in the Organization, or several people's",
        "People are known by the accounts that the Organization of the protected branch lists for "
        "them under the forge `git`; who lists none is known by their name.",
        "push as `temp` where no person is called or listed so",
        "list it under `accounts` of one person: {forge: git, login: ...}",
    ),
    "PUSH003": Explanation(
        "this person or the machine may not push this",
        "An auditor reads. The reconciler pushes promotions and nothing that people write.",
        "an auditor pushes a branch",
        "let a person push it who may write",
    ),
    "PUSH004": Explanation(
        "the name of a ref can be taken for another",
        "Where case or composed letters do not count, two such names are one file; and a person "
        "reads one name. Letters that show nothing make any name look like another.",
        "git push origin topic:Main",
        "give the branch another name",
    ),
    "PUSH005": Explanation(
        "this kind of ref is not kept here",
        "Production follows the protected branch and what stands under refs/ordain. Tags, notes "
        "and other refs would be a second truth that nothing judges.",
        "git push origin v1.0",
        "push it as a branch",
    ),
    "PUSH006": Explanation(
        "the ref stands for another ref",
        "A push to a symbolic ref moves the ref behind it, under a name that nobody protects.",
        "git push origin topic:alias, where alias is a symbolic ref to main",
        "push to the ref itself; whoever runs the server may remove the alias",
    ),
    "PUSH007": Explanation(
        "the protected branch is not deleted",
        "Production follows it, and its history is evidence.",
        "git push origin :main",
        "revert what is wrong by a proposal",
    ),
    "PUSH008": Explanation(
        "the push does not go on from where the protected branch is",
        "History is not rewritten, and the first parent of a merge is the branch itself. Somebody "
        "may also have been faster.",
        "git push --force origin main",
        "fetch, and merge the proposal again",
    ),
    "PUSH009": Explanation(
        "what is pushed to the protected branch is no merge of one proposal",
        "Who pushes a commit of their own there has merged their own work, and nobody has seen it.",
        "git commit && git push origin main",
        "push it as a branch, then: ordain approve BRANCH, ordain proposals merge BRANCH",
    ),
    "PUSH010": Explanation(
        "a merge is not signed by whoever pushes it",
        "The person who merges stands for the merge with their key and with their account; two "
        "people would mean that one of them can deny it.",
        "push a merge that a colleague has made",
        "merge as yourself, with your own key",
    ),
    "PUSH011": Explanation(
        "the person has no role that may merge",
        "A merge deploys. Those who may approve may merge.",
        "a data scientist merges an approved proposal",
        "ask a manager, a compliance manager or the CTO to merge it",
    ),
    "PUSH012": Explanation(
        "a merge brings nothing",
        "Such a merge would make commits part of the history that nobody judges, because nothing "
        "changes, and the proposal could never be merged again.",
        "git merge --strategy ours topic",
        "close the proposal instead",
    ),
    "PUSH013": Explanation(
        "somebody merges their own work, which nobody else has approved",
        "One person must not be able to bring a change into production alone.",
        "a manager commits a change, merges it and pushes the merge",
        "ask somebody who did not contribute: ordain approve",
    ),
    "PUSH014": Explanation(
        "the name is kept for promotions by the reconciler",
        "Under ordain/promote/ everybody expects what the machine has trained and signed.",
        "git push origin topic:ordain/promote/credit-default-2",
        "push it under another name; whoever may approve turns a promotion down",
    ),
    "PUSH015": Explanation(
        "the approval is somebody else's, or in a role that the person does not hold",
        "Each person pushes their own approvals, with their own account and key.",
        "push a statement under refs/ordain/approvals/.../manager/... as the data scientist",
        "approve as yourself, in a role that the Organization gives you",
    ),
    "PUSH016": Explanation(
        "a statement is evidence and stays as it is",
        "Approvals and emergencies are added and never replaced or deleted: what was decided on "
        "them has to be found again.",
        "git push origin :refs/ordain/approvals/...",
        "leave it; what is no longer true is said anew beside it",
    ),
    "PUSH017": Explanation(
        "the approval does not hold",
        "The statement is not what its ref says, is not signed by the person, or its key is not "
        "good.",
        "push a statement that is signed with another key",
        "approve again: ordain approve",
    ),
    "PUSH018": Explanation(
        "the anchors of the ledger only go forward, signed by the reconciler",
        "They say what the ledger held; whoever could move them could rewrite it.",
        "git push --force origin COMMIT:refs/ordain/anchors",
        "let the reconciler push them",
    ),
    "PUSH019": Explanation(
        "the emergency is no statement that counts, or somebody else's",
        "An emergency acts at once and is never deleted, so its place is only for statements of "
        "this estate that a manager has signed with a key that is good. They are pushed by whoever "
        "signed them, by another manager, or by the reconciler.",
        "a data scientist pushes the statement of a manager under refs/ordain/emergencies/",
        "order it as a manager, with your own key: ordain stop, or ordain rollback",
    ),
    "PUSH022": Explanation(
        "the history does not go on from where trust begins",
        "Whoever runs the server has named the commit from which on everything is judged. A "
        "history without it is another estate.",
        "push another repository into an empty server",
        "push the branch of the estate, or ask whoever runs the server what its root is",
    ),
    "PUSH023": Explanation(
        "a ref is not where the push has seen it",
        "Somebody was faster.",
        "two people push the same branch",
        "fetch, look at what has changed, and push again",
    ),
    "PUSH024": Explanation(
        "an approval does not count",
        "It is signed by nobody who could, damaged, or was given at another time: going back and "
        "forth makes the same change again, and an approval is for the time it was given at.",
        "change a file, change it back, and merge the first change again on its old approval",
        "look at the change as it is now, and approve it again: ordain approve",
    ),
}

_RUNS: Final = {
    "REC014": Explanation(
        "there is no such run of a training on this machine",
        "Runs are kept where they were made, by the id that `ordain runs list` shows, and for as "
        "long as nobody prunes them.",
        "ordain runs show 3fa2c91b04-2",
        "see `ordain runs list`",
    ),
    "REC015": Explanation(
        "a model cannot be trained here, or there is none of that name",
        "Only a Model with `training` and a dataset has a recipe. One that was imported, or that a "
        "vendor runs, was not made here.",
        "ordain train scorecard, which is a vendor's",
        "name a model that has `training`, or declare it",
    ),
    "REC016": Explanation(
        "there is no such version of a model",
        "Versions are ModelVersion documents of the revision that is in force; a proposal that is "
        "not merged has none yet.",
        "ordain provenance credit-default@9",
        "name one that the message lists, or merge the promotion first",
    ),
    "REC017": Explanation(
        "a version cannot be made again here, so nothing was compared",
        "To make a version again takes the commit that brought it, the snapshot of its rows, and "
        "the packages of its lock. Where one is missing, other bytes would say nothing.",
        "ordain reproduce credit-default@1, with another scikit-learn than that of the lock",
        "install the lock of the commit, or restore the snapshot, as the message says",
    ),
}
CODES: Final = {**_COMMITS, **_PUSHES, **_RUNS}
