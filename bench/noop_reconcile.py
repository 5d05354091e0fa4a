"""A pass that finds nothing to do, over 1,000 models: CPU as a multiple of `python -c pass`.

Nothing to do is not nothing to look at: the pass reads every document of the commit, compares every
recipe, and observes the state store, the proposals, the artifacts that serve and the server itself.
The estate is one root commit with 1,000 Models of 90 lines, their ModelVersions and evidence; ten
of them are deployed behind ten routes and really served. A first pass starts the server; the passes
after it are measured. With `--profile` the most expensive functions of one pass are printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import SERVED, documents, promotions, write
from bench._floor import ROOT, compile_bytecode, cpu, show, times_the_floor

if TYPE_CHECKING:
    from ordain.reconciler.home import Home
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import Signer

MODELS = 1_000
LIMIT = 100
RUNS = 5
RECONCILE = (sys.executable, "-m", "ordain.cli", "reconcile", "--once")
PEOPLE = ("data-scientist", "manager", "cto", "reconciler")
PROFILE = """
import cProfile, pstats, sys
from ordain.cli import main
profile = cProfile.Profile()
try:
    profile.runcall(main, ["reconcile", "--once"])
except SystemExit:
    pass
for order in ("tottime", "cumtime"):
    pstats.Stats(profile, stream=sys.stderr).sort_stats(order).print_stats(40)
"""


def found(directory: Path) -> Home:
    """The estate as one signed root commit, its artifacts and keys in its home.

    The artifacts are made before the commit that names the home, so they are moved into it.
    """
    from ordain.reconciler.home import home_of
    from ordain.runtime.artifacts import ArtifactStore
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import generate_key, parse_signer

    keys = {name: generate_key(name) for name in PEOPLE}
    files = documents(MODELS, {name: public for name, (_, public) in keys.items()})
    store = directory.parent / "artifacts"
    machine = parse_signer(keys["reconciler"][0], "the key")
    files |= promotions(files, MODELS, ArtifactStore(store), machine)
    with Repository.init(directory, branch="main") as repository:
        commit = _commit(repository, files, parse_signer(keys["data-scientist"][0], "the key"))
        home = home_of(commit, os.environ)
        home.keys.mkdir(parents=True)
        for name, (private, _) in keys.items():
            (home.keys / name).write_bytes(private)
            (home.keys / name).chmod(0o600)
        store.rename(home.artifacts)
        write(directory, files)
        repository.ask("read-tree", "HEAD")
        # One pack, as in a clone; nobody has thousands of loose objects.
        repository.ask("repack", "-a", "-d", "-q")
    return home


def _commit(repository: Repository, files: dict[str, bytes], signer: Signer) -> str:
    from ordain.vcs.objects import Identity

    who = Identity("data-scientist", "data-scientist@example.org")
    tree = repository.write_tree(None, dict(files))
    commit = repository.write_commit(
        tree, (), "Found the estate", who, datetime.now(tz=UTC), signer
    )
    repository.update_ref("refs/heads/main", commit, None)
    return commit


def passes(estate: Path) -> str:
    """One pass, told."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        RECONCILE, cwd=estate, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the pass ended with {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def peak_memory(estate: Path) -> float:
    """The largest resident set of one pass, in MiB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(RECONCILE, cwd=estate, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1024


def measure(estate: Path) -> bool:
    """Start serving, then measure passes that must find nothing to do."""
    first = passes(estate)
    assert f"start serving of production: {', '.join(_endpoints())}" in first, first[-2000:]
    second = passes(estate)
    assert second.startswith("No changes. Production matches git ("), second[-2000:]
    seconds = cpu(RECONCILE, runs=RUNS, directory=estate)
    ratio = times_the_floor(RECONCILE, runs=RUNS, directory=estate)
    count = 2 * MODELS + 4 * SERVED + 3
    held = show(f"no-op reconcile, {MODELS:,} models and {SERVED} routes", ratio, LIMIT)
    print(f"    {seconds:.2f} s CPU, {count / seconds:,.0f} documents/s, {count:,} documents")
    print(f"    {peak_memory(estate):.0f} MiB at its peak")
    return held


def _endpoints() -> list[str]:
    return [f"/v1/model-{number}" for number in range(SERVED)]


def main() -> int:
    compile_bytecode()
    with TemporaryDirectory() as name:
        estate = Path(name) / "estate"
        os.environ["ORDAIN_HOME"] = str(Path(name) / "home")
        home = found(estate)
        try:
            held = measure(estate)
            if "--profile" in sys.argv:
                environment = {**os.environ, "PYTHONPATH": str(ROOT)}
                subprocess.run(
                    (sys.executable, "-c", PROFILE), cwd=estate, env=environment, check=True
                )
        finally:
            _stop(home)
    return 0 if held else 1


def _stop(home: Home) -> None:
    from ordain.runtime.serving import client

    for server in home.root.glob("run/*"):
        client.stop(server)


if __name__ == "__main__":
    sys.exit(main())
