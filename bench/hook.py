"""What judging a push costs a git server: one approved merge into an estate of 1,000 models.

The hook that `ordain hook install --server` writes is run as git runs it: it starts a process for
each push, opens the bare repository, judges the commit that was pushed against what was there
before, and says yes or no. All of it counts here: the start of Python, every import, and the
processes of git, in CPU time. The first push after an installation
reads everything; those after it know what was found out about the files that have not changed
since.

Beside it 1,000 signed commits are verified twice, and the second time is compared with the first.
`--profile` prints the most expensive functions of one push.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import LOCK, documents, evidence, promotions
from bench._floor import ROOT, compile_bytecode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MODELS = 1_000
COMMITS = 1_000
PYTHON = (sys.executable,)
RUNS = 5
MILLISECONDS = 500
OF_THE_FIRST = 0.05
PEOPLE = ("data-scientist", "manager", "cto", "reconciler")
CHANGED = "specs/models/model-7.yaml"
JUDGE = """
import gc, os, sys
gc.disable()  # The process ends before there is garbage worth looking for.
from datetime import UTC, datetime
from pathlib import Path
from ordain.reconciler.attesting import Attested
from ordain.reconciler.gating import judge_commit, read_side
from ordain.reconciler.source import open_source

def judge():
    source = open_source(Path(sys.argv[1]), os.environ)
    try:
        # git hands both over by their ids.
        base, head = sys.argv[2:4]
        before = read_side(source, base)
        judged = judge_commit(source, before, read_side(source, head, before), datetime.now(UTC))
        source.remember()
        return judged
    finally:
        source.repository.close()
"""
PROFILE = f"""{JUDGE}
import cProfile, pstats
profile = cProfile.Profile()
profile.runcall(judge)
for order in ("tottime", "cumtime"):
    pstats.Stats(profile).sort_stats(order).print_stats(45)
"""
VERIFY = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from ordain.reconciler.history import commits_between, signers
from ordain.reconciler.gating import read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.source import open_source

def spent():
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system

source = open_source(Path(sys.argv[1]), os.environ)
head = source.repository.resolve("history")
allowed = allowed_keys(organization_of(read_side(source, head).estate))
commits = commits_between(source.repository, "main", head)
source.repository.close()
begun, before = time.process_time(), spent()
found = signers(source.repository, commits, allowed, datetime.now(UTC))
source.remember()
source.repository.close()
assert len(found) == int(sys.argv[2]) and set(found) == {"data-scientist"}, set(found)
print(time.process_time() - begun, spent() - before)
"""


@dataclass(frozen=True, slots=True)
class Push:
    """Merges that are offered: the repository of the server, what was there, what comes.

    `head` is one of an intention, `promotion` one of what the machine proposes.
    """

    repository: Path
    base: str
    head: str
    promotion: str

    def receive(self, head: str) -> float:
        """CPU seconds of the hook and its children for a push of the protected branch.

        Raises:
            RuntimeError: it refuses, and must not.
        """
        line = f"{self.base} {head} refs/heads/main\n"
        hook, pusher = str(self.repository / "hooks" / "pre-receive"), {"REMOTE_USER": "cto"}
        return run((hook,), cwd=self.repository, stdin=line, extra={"GIT_DIR": ".", **pusher})[0]


def pushed(directory: Path) -> Push:
    """A bare repository with 1,000 models, and an approved merge of a change of one of them."""
    from ordain.vcs.approvals import write_approval
    from ordain.vcs.changes import change_between
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Actor, generate_key, parse_signer
    from ordain.vcs.objects import Identity

    now = datetime.now(tz=UTC)
    keys = {name: generate_key(name) for name in PEOPLE}
    actors = {
        name: Actor(name, Identity(name, f"{name}@example.org"), parse_signer(pem, name))
        for name, (pem, _) in keys.items()
    }
    files = documents(MODELS, {name: public for name, (_, public) in keys.items()})
    files |= promotions(files, MODELS, None)
    with Repository.init(directory, branch="main", bare=True) as repository:

        def commit(tree: str, parents: tuple[str, ...], message: str, person: str) -> str:
            actor = actors[person]
            return repository.write_commit(tree, parents, message, actor.who, now, actor.signer)

        found = repository.write_tree(None, dict(files))
        base = commit(found, (), "Found", "data-scientist")
        repository.update_ref("refs/heads/main", base, None)

        def offered(changed: dict[str, bytes], person: str) -> str:
            tree = repository.write_tree(base, changed)
            topic = commit(tree, (base,), "A change", person)
            change = change_between(repository, base, tree)
            for role in ("manager", "cto"):
                ref, statement = write_approval(
                    repository, change, actor=actors[role], role=role, time=now, estate=base
                )
                repository.update_ref(ref, statement, None)
            merged = commit(tree, (base, topic), "Merge a change", "cto")
            repository.update_ref(f"refs/heads/by-{person}", merged, None)
            return merged

        text = files[CHANGED].replace(b"learning_rate: 0.06", b"learning_rate: 0.05")
        head = offered({CHANGED: text}, "data-scientist")
        promotion = offered(promoted(files), "reconciler")
        above = base
        for number in range(COMMITS):
            above = commit(found, (above,), f"Nothing {number}", "data-scientist")
        repository.update_ref("refs/heads/history", above, None)
        # One pack, as on a server.
        repository.ask("repack", "-a", "-d", "-q")
    run((*PYTHON, "-m", "ordain.cli", "-C", str(directory), "hook", "install", "--server"))
    return Push(directory, base, head, promotion)


def promoted(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a second version of a model that is served."""
    from ordain.reconciler.attesting import Attested
    from ordain.reconciler.promotions import Version, promotion_files
    from ordain.specs.canonical import sha256
    from ordain.specs.estates import load_estate
    from ordain.specs.evidence import FairnessRow
    from ordain.specs.recipes import recipe_of

    estate = load_estate(files)
    model, data = estate.get("Model", "model-7"), estate.get("Dataset", "applications")
    assert model is not None
    assert data is not None
    recipe = recipe_of(model.name, model.spec, data.spec, sha256(LOCK))
    assert recipe is not None
    artifact = sha256(b"another artifact")
    fair = FairnessRow(
        attribute="sex",
        group="female",
        reference="male",
        metric="adverse_impact_ratio",
        n=1_000,
        n_reference=1_000,
        favourable=900,
        favourable_reference=900,
        value=1.0,
        low=0.95,
        high=1.05,
        p_value=1.0,
        p_holm=1.0,
        minimum=0.8,
        alpha=0.05,
        verdict="pass",
    )
    found = replace(evidence(recipe, artifact), fairness=(fair,))
    papers = Attested(b'{"a statement":1}', b'{"a bill of materials":1}')
    version = Version(2, recipe, artifact, found, "0.1.0", papers)
    return promotion_files(files, estate, version)


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    stdin: str = "",
    extra: Mapping[str, str] | None = None,
) -> tuple[float, str]:
    """CPU seconds of a process with its children, and what it printed.

    Raises:
        RuntimeError: when it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=cwd,
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        done.stdout,
    )


def judge(push: Push) -> bool:
    """The first push, and the median of those after it."""
    first = 1_000 * push.receive(push.head)
    kept = []
    for what, head in (("an intention", push.head), ("a promotion", push.promotion)):
        spent = 1_000 * statistics.median(push.receive(head) for _ in range(RUNS))
        held = spent <= MILLISECONDS
        limit = f"(limit <= {MILLISECONDS})   {'ok' if held else 'MISSED'}"
        print(f"{f'push of {what}, {MODELS:,} models: CPU':<58} {spent:5.0f} ms   {limit}")
        kept.append(held)
    print(f"    the first push after an installation {first:.0f} ms")
    return all(kept)


def verify(push: Push) -> bool:
    """1,000 signed commits, for the first time and again, each in a process of its own."""
    command = (*PYTHON, "-c", VERIFY, str(push.repository), str(COMMITS))
    first = [float(one) for one in run(command)[1].split()]
    turns = [[float(one) for one in run(command)[1].split()] for _ in range(RUNS)]
    again = statistics.median(own for own, _ in turns)
    ratio = again / first[0]
    held = ratio <= OF_THE_FIRST
    name = f"{COMMITS:,} signed commits, verified again: of the first time"
    print(f"{name:<58} {ratio:7.3f} x   (limit <= {OF_THE_FIRST})   {'ok' if held else 'MISSED'}")
    print(f"    {1_000 * first[0]:.0f} ms CPU, then {1_000 * again:.1f} ms")
    return held


def main() -> int:
    compile_bytecode()
    with TemporaryDirectory() as name:
        os.environ["ORDAIN_HOME"] = str(Path(name) / "home")
        push = pushed(Path(name) / "estate.git")
        held = [judge(push), verify(push)]
        if "--profile" in sys.argv:
            where = (str(push.repository), push.base, push.head)
            print(run((*PYTHON, "-c", PROFILE, *where))[1])
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
