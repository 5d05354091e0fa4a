"""Making a new estate: an example's documents, fresh keys, pinned data, one signed commit.

The private halves of the keys are written to the estate's home, outside the repository; what is in
git are the public lines in `specs/organization.yaml`. A real organization replaces them by the keys
that its people have; the example makes them so that the loop can be walked on one machine.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from ordain.specs.errors import OrdainError
from ordain.specs.people import RECONCILER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from ordain.reconciler.home import Home
    from ordain.vcs.objects import Identity

EXAMPLES = ("credit-union", "clinic")
PEOPLE = ("data-scientist", "manager", "cto")
ALLOWED = "allowed_signers"
# What commands write beside the documents, and nobody wants in a plan or a commit.
IGNORED = "/schemas/\n*.html\nplan.json\n"
TEMPLATE = "specs/organization.yaml.in"


class FoundingError(OrdainError):
    """The estate cannot be made here."""

    code = "CLI001"


@dataclass(frozen=True, slots=True)
class Founded:
    """A new estate: where it is, its first commit, and where its keys are."""

    directory: Path
    commit: str
    home: Home


def found_estate(
    directory: Path,
    example: str,
    *,
    port: int | None,
    now: datetime,
    environ: Mapping[str, str],
    ci: str | None = None,
) -> Founded:
    """Make an estate in a directory that is absent or empty.

    `port` replaces the example's; 0 takes any free one. `ci` names the forge whose pipelines are
    written too. Nothing is left behind when it fails.

    Raises:
        FoundingError: the directory is in use.
    """
    _refuse_used(directory)
    existed = directory.exists()
    try:
        return _found(directory, example, port, now, environ, ci)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        if existed:
            directory.mkdir()
        raise


def _found(
    directory: Path,
    example: str,
    port: int | None,
    now: datetime,
    environ: Mapping[str, str],
    ci: str | None,
) -> Founded:
    from ordain.reconciler.home import home_of
    from ordain.vcs.git import Repository
    from ordain.vcs.keys import generate_key, parse_signer
    from ordain.vcs.objects import Identity

    with Repository.init(directory, branch="main") as repository:
        keys = {name: generate_key(f"{name}@{example}") for name in (*PEOPLE, RECONCILER)}
        if ci is not None:
            add_pipelines(directory, ci, branch="main")
        files = _files(directory, example, port, {name: key[1] for name, key in keys.items()})
        tree = repository.write_tree(None, files)
        signer = parse_signer(keys[PEOPLE[0]][0], PEOPLE[0])
        who = Identity(PEOPLE[0], f"{PEOPLE[0]}@{example}.example")
        title = f"Found the estate from the example {example}"
        commit = repository.write_commit(tree, (), title, who, now, signer)
        home = home_of(commit, environ)
        try:
            _write_keys(home, keys)
            repository.update_ref("refs/heads/main", commit, None)
            _settle(directory, who, home)
        except BaseException:
            shutil.rmtree(home.root, ignore_errors=True)
            raise
        return Founded(directory, commit, home)


@dataclass(frozen=True, slots=True)
class Added:
    """Files of pipelines by path: those that were written, and those that were there already."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def add_pipelines(directory: Path, ci: str, *, branch: str) -> Added:
    """Write the pipelines for a forge into an estate; what is there is never replaced.

    Raises:
        OSError: a file cannot be written; then none is.
    """
    import ordain
    from ordain.reconciler.workflows import pipeline_files
    from ordain.specs.files import written_whole

    files = pipeline_files(ci, version=ordain.__version__, branch=branch)
    # A link that leads nowhere is somebody's too.
    kept = tuple(path for path in files if os.path.lexists(directory / path))
    written = tuple(path for path in files if path not in kept)
    with written_whole() as write:
        for path in written:
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            write(directory / path, files[path].encode())
    return Added(written, kept)


def _refuse_used(directory: Path) -> None:
    if directory.is_file() or (directory.is_dir() and any(directory.iterdir())):
        message = f"{directory} exists and is not empty"
        raise FoundingError(message, remedy="name a directory that does not exist yet")


def _files(
    directory: Path, example: str, port: int | None, public: dict[str, str]
) -> dict[str, bytes]:
    """Write the example's files into the work tree and return them by path."""
    root = resources.files("ordain.examples") / example
    with resources.as_file(root) as source:
        for file in sorted(source.rglob("*")):
            if file.is_file():
                place = directory / file.relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(file.read_bytes())
    _write_organization(directory, public)
    if port is not None:
        _write_port(directory, port)
    if example == "clinic":
        _write_biopsies(directory)
    _write_lock_and_pins(directory)
    (directory / "README.md").write_text(_readme(example), encoding="utf-8")
    (directory / ".gitignore").write_text(IGNORED, encoding="utf-8")
    return {
        file.relative_to(directory).as_posix(): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file() and ".git" not in file.relative_to(directory).parts
    }


def _write_organization(directory: Path, public: dict[str, str]) -> None:
    template = directory / TEMPLATE
    text = template.read_text(encoding="utf-8")
    for name, line in public.items():
        text = text.replace(f"@key:{name}@", line)
    template.with_suffix("").write_text(text, encoding="utf-8")
    template.unlink()


def _write_port(directory: Path, port: int) -> None:
    from ordain.specs.edits import set_value

    file = directory / "ordain.yaml"
    path = ("spec", "environments", 0, "port")
    text = set_value(file.read_text(encoding="utf-8"), 0, path, port)
    file.write_text(text, encoding="utf-8")


def _write_biopsies(directory: Path) -> None:
    """The data that ships with scikit-learn, as a CSV with a named outcome."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [name.replace(" ", "_") for name in found.feature_names]
    lines = [",".join([*names, "malignant"])]
    for row, benign in zip(found.data.tolist(), found.target.tolist(), strict=True):
        lines.append(",".join([*(repr(value) for value in row), str(1 - benign)]))
    place = directory / "data" / "biopsies.csv"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_lock_and_pins(directory: Path) -> None:
    from ordain.cli.pinning import estate_to_pin, pin_digests
    from ordain.runtime.environment import installed, render_lock

    (directory / "environment.lock").write_bytes(render_lock(installed()))
    pin_digests(directory, estate_to_pin(directory).all("Dataset"), os.environ)


def _write_keys(home: Home, keys: dict[str, tuple[bytes, str]]) -> None:
    """Private keys for their owners only, and the public ones as git wants them for `git log`."""
    from ordain.vcs.allowed_signers import allowed_signers
    from ordain.vcs.keys import AllowedKey

    home.root.parent.mkdir(parents=True, exist_ok=True)
    for directory in (home.root, home.keys):
        directory.mkdir(mode=0o700, exist_ok=True)
    for name, (private, _) in keys.items():
        path = home.keys / name
        path.touch(mode=0o600)
        path.write_bytes(private)
    listed = (AllowedKey(name, public) for name, (_, public) in keys.items())
    (home.keys / ALLOWED).write_text(allowed_signers(listed), encoding="utf-8")


def _settle(directory: Path, who: Identity, home: Home) -> None:
    """Bring the index to the commit and let plain `git commit` sign as the data scientist."""
    from git import Repo

    settings = {
        "user": {"name": who.name, "email": who.email, "signingkey": str(home.keys / PEOPLE[0])},
        "gpg": {"format": "ssh"},
        'gpg "ssh"': {"allowedSignersFile": str(home.keys / ALLOWED)},
        "commit": {"gpgsign": "true"},
    }
    with Repo(directory) as repository:
        repository.git.reset()
        with repository.config_writer() as config:
            for section, values in settings.items():
                for name, value in values.items():
                    config.set_value(section, name, value)


def _readme(example: str) -> str:
    return (
        f"# {example}\n\n"
        "An estate of ordain: models, data, routes and limits are declared here, and production\n"
        "follows the branch `main`.\n\n"
        "    ordain check\n    ordain plan\n    ordain reconcile --once\n    ordain status\n"
    )
