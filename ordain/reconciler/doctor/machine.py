"""The interpreter, the packages, and the libraries that decide whether a check takes a second or
ten.

Versions are read from what is installed and compared with what the package of ordain asks for;
nothing is imported to be asked, because one of these libraries takes two seconds to load.
"""

from __future__ import annotations

import platform
import re
from importlib import metadata
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ordain.reconciler.doctor.checks import fail, ok, skip, warn
from ordain.vcs.process import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from ordain.reconciler.doctor.checks import Answer, Surroundings

PROJECT: Final = "ordain"
_ALL: Final = "all"  # The extra that stands for all others says nothing of its own.
OLDEST_GIT: Final = (2, 38)
_SOURCES: Final = "ordain runs from its sources, which state no requirements"
_AGAIN: Final = "install ordain again into an environment of its own"
_VERSION = re.compile(r"git version (\d+)\.(\d+)(?:\.(\d+))?")


def python(_: Surroundings) -> Answer:
    """The interpreter is one that ordain is made for."""
    from packaging.specifiers import SpecifierSet

    found = platform.python_version()
    try:
        wanted = metadata.metadata(PROJECT)["Requires-Python"]
    except metadata.PackageNotFoundError:
        return skip(f"{found}; {_SOURCES}")
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return ok(f"{found} (supported: {wanted})")
    return fail(f"{found}, but ordain needs {wanted}", f"use Python {wanted}")


def packages(_: Surroundings) -> Answer:
    """What ordain cannot do without is installed, in a version that it was tested with."""
    try:
        wanted = requirements()
    except metadata.PackageNotFoundError:
        return skip(_SOURCES)
    core = [one for extra, one in wanted if not extra]
    faults = [fault for one in core if (fault := fault_of(one))]
    if faults:
        return fail("; ".join(faults), _AGAIN)
    return ok(f"{len(core)} packages in supported versions")


def extras(_: Surroundings) -> Answer:
    """Which further work this machine can do; an extra that is not there is a choice."""
    try:
        wanted = requirements()
    except metadata.PackageNotFoundError:
        return skip(_SOURCES)
    names = sorted({extra for extra, _ in wanted if extra})
    faults = {
        name: [fault for extra, one in wanted if extra == name and (fault := fault_of(one))]
        for name in names
    }
    wrong = [fault for found in faults.values() for fault in found if "not installed" not in fault]
    if wrong:
        return warn("; ".join(dict.fromkeys(wrong)), _AGAIN)
    there = [name for name in names if not faults[name]]
    absent = [name for name in names if faults[name]]
    text = f"installed: {', '.join(there) or 'none'}"
    return ok(f"{text}; not installed: {', '.join(absent)}" if absent else text)


def requirements() -> list[tuple[str, Requirement]]:
    """(extra, requirement) of everything that holds on this platform; "" is the core.

    Raises:
        PackageNotFoundError: ordain is not installed.
    """
    from packaging.requirements import Requirement

    named = set(metadata.metadata(PROJECT).get_all("Provides-Extra") or []) - {_ALL}
    found = [Requirement(text) for text in metadata.requires(PROJECT) or []]
    return [
        (extra, one)
        for extra in ("", *sorted(named))
        for one in found
        if one.name != PROJECT and _holds(one, extra)
    ]


def _holds(requirement: Requirement, extra: str) -> bool:
    """Whether an extra, and not already the core, asks for it."""
    marker = requirement.marker
    if marker is None:
        return not extra
    core = marker.evaluate({"extra": ""})
    return core if not extra else not core and marker.evaluate({"extra": extra})


def fault_of(requirement: Requirement) -> str:
    """Why a requirement is not met; empty when it is."""
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is not installed"
    if requirement.specifier.contains(found, prereleases=True):
        return ""
    return f"{requirement.name} is {found}, which is not {requirement.specifier}"


def libyaml(_: Surroundings) -> Answer:
    """The C parser of YAML is there; the other one gives the same events ten times slower."""
    import yaml

    if getattr(yaml, "__with_libyaml__", False):
        return ok(f"PyYAML {yaml.__version__} with libyaml")
    remedy = "install PyYAML from a wheel: pip install --force-reinstall --only-binary :all: PyYAML"
    return warn(f"PyYAML {yaml.__version__} without libyaml: every check is slower", remedy)


def cel(_: Surroundings) -> Answer:
    """The evaluator of policies is there and can compute."""
    from ordain.policies.engine import cel_engine

    try:
        engine = cel_engine()
        passed = engine.compile("[1, 2].exists(x, x * 2 == 4)").run(engine.bind({})).passed
    except ImportError as error:
        return fail(f"the evaluator cannot be loaded: {error}", _AGAIN)
    if not passed:
        return fail(f"{engine.name} cannot compute", _AGAIN)
    return ok(engine.name)


def bytecode(around: Surroundings) -> Answer:
    """What was compiled is kept; without it every start compiles every module again."""
    modules = list(_modules(around.package))
    missing = [one for one in modules if not Path(cache_from_source(str(one))).exists()]
    if not missing:
        return ok(f"every module is compiled ({len(modules)})")
    share = f"modules that are not compiled: {len(missing)} of {len(modules)}"
    if around.bytecode and not around.environ.get("PYTHONDONTWRITEBYTECODE"):
        return ok(f"{share}; each will be at its first use")
    remedy = f"unset PYTHONDONTWRITEBYTECODE, or run: python -m compileall -q {around.package}"
    return warn(f"{share}; this interpreter keeps nothing, so every start is slow", remedy)


def _modules(package: Path) -> Iterator[Path]:
    for path in package.rglob("*.py"):
        # Examples hold files for estates, which are never imported.
        if "examples" not in path.relative_to(package).parts:
            yield path


def git(around: Surroundings) -> Answer:
    """Git can merge without a work tree."""
    text = ask(around.directory, ("version",)).out.decode("utf-8", "replace").strip()
    found = _VERSION.match(text)
    needed = ".".join(map(str, OLDEST_GIT))
    if found is None:
        return fail(f"git calls itself {text!r}", f"install git {needed} or later")
    version = tuple(int(part or 0) for part in found.groups())
    if version[:2] < OLDEST_GIT:
        return fail(f"{text} cannot merge trees", f"install git {needed} or later")
    return ok(text)
