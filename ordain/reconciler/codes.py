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
        "a key is to change hands",
        "What was signed with a key was made by its holder. Listed for somebody else, it would "
        "name another contributor, and the one who did the work could approve it.",
        "list the key of one person under the name of another",
        "give every person keys of their own: ssh-keygen -t ed25519",
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
}
