"""What the reconciler finds in commits, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation

CODES: Final = {
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
        "Reviews and merge buttons are the forge's word. While it is down, limits its answers or "
        "contradicts itself nothing may rest on them: the change is refused and production stays "
        "where it is. What people have signed in git goes on counting and needs no forge.",
        "the API answers 503, or there is no ORDAIN_GITHUB_TOKEN",
        "mend what the message says; the next pass asks again. Where it cannot wait: ordain "
        "proposals approve BRANCH --as PERSON --signed",
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
    "EMG001": Explanation(
        "an emergency was not approved within 24 hours",
        "In an emergency one manager acts alone. Somebody else has to approve it afterwards; until "
        "then it stays in force and is an error. The hours are counted from when our own record "
        "first saw it, whatever time the statement claims.",
        "ordain stop ROUTE, and nobody approves its proposal",
        "ordain proposals approve ordain/emergency/ID --as PERSON, then merge it",
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
        "Its route, its deployment or its version is not in the last good commit any more.",
        "the Route is removed while it is stopped",
        "see what is served with ordain status, and end the emergency",
    ),
    "EMG007": Explanation(
        "an order in an emergency is refused",
        "Only a manager orders, a rollback goes to another version that is approved and in the "
        "artifact store, and what was merged is changed by a change.",
        "ordain rollback credit --to 9        # and nobody has approved a version 9",
        "read the reason; ordain emergencies list says what there is",
    ),
}
