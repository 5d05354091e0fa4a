"""The estate itself: where it runs, where it keeps things, who hosts its git."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Date, EstatePath, Int, Name, about

CATALOGUE_DATE: Final = "2026-11-20"


@declared
class Environment:
    """A place where deployments run."""

    name: Annotated[Name, about("name that a Deployment refers to")]
    target: Annotated[Literal["local", "kubernetes", "aws"], about("what runs the work")] = "local"
    host: Annotated[str, about("address that a local environment listens on")] = "127.0.0.1"
    port: Annotated[
        Int,
        about("port of a local environment; 0 takes any free one", ge=0, le=65535),
    ] = 0
    namespace: Annotated[Name, about("namespace of a Kubernetes environment")] = "default"


@declared
class ForgeSettings:
    """Where pull requests live."""

    type: Annotated[
        Literal["git", "github", "gitlab"],
        about("plain git, or the forge whose pull requests and reviews count"),
    ] = "git"
    remote: Annotated[
        str,
        about("the git remote that is the truth; without such a remote the local branch is"),
    ] = "origin"
    url: Annotated[str, about("address of the forge's API, where it is not the public one")] = ""
    repository: Annotated[
        str,
        about("owner and name of the repository there; empty takes them from the remote's address"),
    ] = ""
    review: Annotated[
        Literal["by-kind", "every-change"],
        about("whether a change that no kind asks an approval for needs one of any approver, too"),
    ] = "by-kind"


@declared
class Estate:
    """One estate; the document stands in `ordain.yaml`."""

    environments: Annotated[
        tuple[Environment, ...],
        about("places where deployments run", min_length=1),
    ]
    protected_branch: Annotated[str, about("the branch that production follows")] = "main"
    forge: Annotated[ForgeSettings, about("where pull requests live")] = ForgeSettings()
    state_store: Annotated[
        str,
        about("where the reconciler keeps its state; empty means SQLite outside the work tree"),
    ] = ""
    artifact_store: Annotated[
        str,
        about("where artifacts are kept by digest; empty means files outside the work tree"),
    ] = ""
    environment_lock: Annotated[
        EstatePath,
        about("the pinned versions that training runs with"),
    ] = "environment.lock"
    catalogue_date: Annotated[
        Date,
        about("the control catalogue is evaluated as of this day", change="metadata"),
    ] = CATALOGUE_DATE
