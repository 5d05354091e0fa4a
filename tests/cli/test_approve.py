"""Approving as a person would: with a locked key, an agent, or a key on another machine."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ordain.vcs.keys import load_signer
from ordain.vcs.signatures import sign

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

BRANCH = "two-replicas"
DEPLOYMENT = "specs/deployments/credit-default.yaml"
NEEDS_KEYGEN = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None, reason="there is no ssh-keygen here"
)


@pytest.fixture
def proposed(place: Place) -> Place:
    """An estate with a branch that waits for a manager."""
    place.git("checkout", "-q", "-b", BRANCH)
    place.edit(DEPLOYMENT, "environment: production", "environment: production\n  replicas: 2")
    place.commit("Serve with two replicas")
    place.git("checkout", "-q", "main")
    return place


def approvals(place: Place) -> list[str]:
    """(person, role) of what stands under refs/ordain/approvals."""
    refs = place.git("for-each-ref", "--format=%(refname)", "refs/ordain/approvals/")
    return ["/".join(ref.split("/")[4:6]) for ref in refs.split()]


@pytest.mark.parametrize("words", [("approve",), ("proposals", "approve")])
def test_both_names_of_the_command_do_the_same(proposed: Place, words: tuple[str, ...]) -> None:
    told = proposed.ordain(*words, BRANCH, "--as", "manager").stdout.splitlines()
    fingerprint = load_signer(proposed.home / "keys" / "manager").public.fingerprint
    assert told == [
        f"manager approves {BRANCH} as manager (key {fingerprint}).",
        f"Next: ordain proposals merge {BRANCH} --as PERSON",
    ]
    assert approvals(proposed) == ["manager/manager"]


def test_a_statement_goes_out_and_its_signature_comes_back(proposed: Place) -> None:
    file = proposed.root / "approval 1.json"
    told = proposed.ordain("approve", BRANCH, "--as", "manager", "--statement", str(file)).stdout
    assert told.splitlines() == [
        f"Wrote '{file}': manager approves {BRANCH} as manager.",
        "Carry it to your key as it is, sign it there, and bring the signature back:",
        f"  ssh-keygen -Y sign -n ordain-approval -f KEY '{file}'",
        f"Next: ordain approve {BRANCH} --as manager --signature '{file}.sig'",
    ]
    assert approvals(proposed) == []
    assert json.loads(file.read_bytes())["paths"] == [DEPLOYMENT]
    signer = load_signer(proposed.home / "keys" / "manager")
    armor = file.with_name(f"{file.name}.sig")
    armor.write_text(sign(signer, "ordain-approval", file.read_bytes()))
    proposed.ordain("approve", BRANCH, "--as", "manager", "--signature", str(armor))
    assert approvals(proposed) == ["manager/manager"]
    proposed.ordain("proposals", "merge", BRANCH, "--as", "manager")


def test_a_statement_of_other_content_is_refused_with_the_way_on(proposed: Place) -> None:
    file = proposed.root / "approval.json"
    proposed.ordain("approve", BRANCH, "--as", "manager", "--statement", str(file))
    proposed.git("checkout", "-q", BRANCH)
    proposed.edit(DEPLOYMENT, "replicas: 2", "replicas: 3")
    proposed.commit("Three")
    proposed.git("checkout", "-q", "main")
    armor = proposed.root / "signature"
    signer = load_signer(proposed.home / "keys" / "manager")
    armor.write_text(sign(signer, "ordain-approval", file.read_bytes()))
    words = ("--statement", str(file), "--signature", str(armor))
    told = proposed.ordain("approve", BRANCH, "--as", "manager", *words, expect=1).stderr
    assert f"the statement does not approve what {BRANCH} is now: its change is sha256:" in told
    assert f"write a new one: ordain approve {BRANCH} --as manager --statement FILE" in told
    assert approvals(proposed) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--key", "k", "--statement", "s"),
            "--key signs here; --statement and --signature are for elsewhere",
        ),
        (("--signature", "s"), "s does not end with .sig; name the file of --statement"),
        (("--statement", "ordain.yaml"), "ordain.yaml belongs to the estate; name another file"),
    ],
)
def test_words_that_do_not_fit_are_said_to(
    proposed: Place, words: tuple[str, ...], said: str
) -> None:
    told = proposed.ordain("approve", BRANCH, "--as", "manager", *words, expect=2)
    assert said in told.stderr


def _with_key(place: Place, public: str) -> None:
    """List one more key of the manager, on the protected branch."""
    place.edit(
        "specs/organization.yaml",
        "    - name: manager\n",
        f"    - name: manager-elect\n      roles: [manager]\n      team: desk\n"
        f"      keys: [{{public: {json.dumps(public)}}}]\n    - name: manager\n",
    )
    place.commit("A key that is locked")


@pytest.mark.contract
@NEEDS_KEYGEN
def test_a_locked_key_says_how_it_could_sign_and_signs_by_what_asks(
    proposed: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SSH_AUTH_SOCK", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    key = tmp_path / "locked"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "five words", "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    _with_key(proposed, key.with_name("locked.pub").read_text().strip())
    words = ("approve", BRANCH, "--as", "manager-elect", "--key", str(key))
    told = proposed.ordain(*words, expect=2).stderr
    assert "it is locked with a passphrase, and nobody unlocked it" in told
    assert f"ssh-add {key}" in told
    assert "five words" not in told
    teller = tmp_path / "teller"
    teller.write_text("#!/bin/sh\necho 'five words'\n")
    teller.chmod(0o700)
    monkeypatch.setenv("SSH_ASKPASS", str(teller))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    proposed.ordain(*words)
    assert approvals(proposed) == ["manager-elect/manager"]
    # Whoever merges may sign with such a key as well, and what it signs is a commit.
    proposed.ordain("proposals", "merge", BRANCH, "--as", "manager-elect", "--key", str(key))
    assert "-----BEGIN SSH SIGNATURE-----" in proposed.git("cat-file", "commit", "main")


@pytest.mark.contract
@NEEDS_KEYGEN
def test_the_key_that_git_signs_with_is_the_usual_one(proposed: Place, tmp_path: Path) -> None:
    key = tmp_path / "mine"
    command = ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    _with_key(proposed, key.with_name("mine.pub").read_text().strip())
    proposed.git("config", "user.signingKey", str(key))
    proposed.ordain("approve", BRANCH, "--as", "manager-elect")
    assert approvals(proposed) == ["manager-elect/manager"]
    proposed.git("config", "--unset", "user.signingKey")
    told = proposed.ordain("approve", BRANCH, "--as", "manager-elect", expect=2).stderr
    assert "there is no private key for manager-elect at " in told


def test_the_keys_of_a_commit_are_printed_alone_on_standard_output(place: Place) -> None:
    before = place.git("rev-parse", "HEAD").strip()
    line = " ".join(load_signer(place.home / "keys" / "manager").public.line.split()[:2])
    place.edit("specs/organization.yaml", "    - name: manager\n", "    - name: boss\n")
    place.commit("Another name")
    found = place.ordain("keys", "allowed-signers")
    assert f'boss namespaces="git,ordain-approval,ordain-emergency" {line}\n' in found.stdout
    assert found.stderr.splitlines()[-1].startswith("Next: save it, then git config ")
    old = place.ordain("keys", "allowed-signers", "--rev", before).stdout
    assert (place.home / "keys" / "allowed_signers").read_text() == old
    assert f'manager namespaces="git,ordain-approval,ordain-emergency" {line}\n' in old
    revoked = place.ordain("keys", "revoked")
    assert revoked.stdout == ""
    assert revoked.stderr.startswith("Next: save it, then git config gpg.ssh.revocationFile")
