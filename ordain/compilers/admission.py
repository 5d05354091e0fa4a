"""Policies as a cluster's own admission control.

A policy that asks about nothing but the object becomes a ValidatingAdmissionPolicy and a binding,
so that a document which reaches the cluster by another way than git is judged by the same rule.
The objects that are matched are the custom resources of the group `ordain.dev`, version `v1`, by
the plural of their kind. That presumes that the documents are in the cluster as such, under
definitions that set no defaults: the gate sees a document as it is written.

What a cluster enforces, it enforces for a whole policy, but the validations of one of ours may
weigh differently. Each weight becomes an object of its own: errors deny, warnings warn and are
audited, notes are audited. An expression that cannot be evaluated denies where an error would;
under a warning or a note it is said and not enforced, while the gate always blocks for it.

Whole policies or nothing: one that a cluster could hold in part only would look enforced and not
be. Every reason is a finding at its place inside the expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ordain.compilers.clusters import FLOOR, Version
from ordain.compilers.errors import CompileError
from ordain.compilers.portability import ACTIONS, VARIABLES, Portability
from ordain.compilers.rewriting import as_bool, as_dyn, as_text, literal, with_params
from ordain.policies.rules import SEVERITY
from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ordain.policies.cel.tree import Tree
    from ordain.policies.engine import Program
    from ordain.policies.rules import Check, Rule

Manifest = dict[str, Any]

GROUP: Final = "ordain.dev"
_API: Final = "admissionregistration.k8s.io"
_VERSION: Final = re.compile(r"v?1\.([0-9]{1,3})(\.[0-9]+)?([-+][0-9A-Za-z.+-]*)?")
_ACTIONS: Final = {
    Severity.ERROR: ["Deny"],
    Severity.WARNING: ["Warn", "Audit"],
    Severity.NOTE: ["Audit"],
}


def version_of(text: str) -> Version:
    """The version of a cluster, such as `1.29`, `v1.31.4`, `v1.30.2-eks-1552ad0`.

    Raises:
        CompileError: for what is no version, or one without this kind of policy.
    """
    found = _VERSION.fullmatch(text)
    if found is None:
        raise CompileError(f"`{text}` is no version of Kubernetes", remedy="write it as 1.29")
    version = Version(int(found[1]))
    if version.minor < FLOOR:
        message = f"Kubernetes {version} has no ValidatingAdmissionPolicy"
        raise CompileError(message, remedy=f"it begins with 1.{FLOOR}; 1.30 has it for good")
    return version


def api_version(version: Version) -> str:
    """The API that a version serves; before 1.30 it has to be switched on."""
    if version.minor < VARIABLES:
        return f"{_API}/v1alpha1"
    return f"{_API}/v1beta1" if version.minor < 30 else f"{_API}/v1"  # noqa: PLR2004 - 1.30


def plural(kind: str) -> str:
    """The name of a kind's resources: `policies`, `modelversions`, `compliances`."""
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


@dataclass(frozen=True, slots=True)
class Refused:
    """A policy that a cluster cannot hold, and every reason."""

    name: str
    origin: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Admission:
    """The objects, in the order in which they can be applied, and what is left to the gate."""

    manifests: tuple[Manifest, ...] = field(hash=False)
    compiled: tuple[str, ...]
    refused: tuple[Refused, ...]


def compile_admission(
    rules: Iterable[Rule],
    version: Version,
    *,
    estate: str,
    severity: Severity = Severity.NOTE,
) -> Admission:
    """The admission policies of rules; `severity` is that of the findings on those refused."""
    refused: dict[tuple[str, str], Refused] = {}
    kept: list[_Policy] = []
    taken: dict[str, str] = {}
    for rule in rules:
        one = _Policy(rule, version, estate)
        if taken.get(one.name) == rule.digest:
            continue
        findings = Portability(rule, version, severity).findings(taken=one.name in taken)
        if findings:
            # The transitions of a policy stay where its validations stay.
            before = refused.get(one.identity, Refused(rule.name, rule.origin, ()))
            refused[one.identity] = replace(before, findings=(*before.findings, *findings))
            continue
        taken[one.name] = rule.digest
        kept.append(one)
    whole = [one for one in kept if one.identity not in refused]
    return Admission(
        tuple(manifest for one in whole for manifest in one.manifests()),
        tuple(dict.fromkeys(one.rule.name for one in whole)),
        tuple(refused.values()),
    )


class _Policy:
    """One rule on its way to a cluster."""

    def __init__(self, rule: Rule, version: Version, estate: str) -> None:
        self.rule, self.version, self.estate = rule, version, estate
        self.spec = rule.document.spec

    @property
    def identity(self) -> tuple[str, str]:
        """What the rules of one policy have in common, and those of another version have not."""
        return self.rule.name, self.rule.digest

    @property
    def name(self) -> str:
        """No name of ours has a dot, so no two policies can be called alike."""
        prefix = "transition." if self.rule.transition else ""
        return f"{prefix}{self.rule.name}.{self.rule.origin.partition(' ')[0]}.{GROUP}"

    @cached_property
    def params_name(self) -> str:
        """What the variable with the parameters is called."""
        name = "params"
        while name in {one for one, _ in self.rule.variables}:
            name += "_"
        return name

    def manifests(self) -> Iterator[Manifest]:
        """A policy and its binding for every weight that a validation has."""
        usual = SEVERITY[self.spec.enforcement]
        for severity in Severity:
            checks = [one for one in self.rule.checks if one.severity is severity]
            if checks:
                name = self.name if severity is usual else f"{severity.value}.{self.name}"
                metadata = self._metadata(name, severity)
                whole = {**metadata, "annotations": metadata["annotations"] | self._told(checks)}
                yield self._object("ValidatingAdmissionPolicy", whole, self._policy(checks))
                binding: Manifest = {"policyName": name}
                if self.version.minor >= ACTIONS:
                    binding["validationActions"] = list(_ACTIONS[severity])
                yield self._object("ValidatingAdmissionPolicyBinding", metadata, binding)

    def _object(self, kind: str, metadata: Manifest, spec: Manifest) -> Manifest:
        api = api_version(self.version)
        return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}

    def _metadata(self, name: str, severity: Severity) -> Manifest:
        labels = {
            "app.kubernetes.io/name": "ordain",
            "app.kubernetes.io/component": "admission",
            "app.kubernetes.io/part-of": self.estate,
            "app.kubernetes.io/managed-by": "ordain",
        }
        annotations = {
            f"{GROUP}/policy": self.rule.name,
            f"{GROUP}/origin": self.rule.origin,
            f"{GROUP}/digest": self.rule.digest,
            f"{GROUP}/kube-version": str(self.version),
            f"{GROUP}/severity": severity.value,
        }
        return {"name": name, "labels": labels, "annotations": annotations}

    def _told(self, checks: Sequence[Check]) -> dict[str, str]:
        """What the API has no field for: controls and remedy of every validation."""
        found: dict[str, str] = {}
        for check in checks:
            name = check.spec.name or str(self.rule.checks.index(check) + 1)
            if check.spec.controls:
                found[f"controls.{GROUP}/{name}"] = ", ".join(check.spec.controls)
            if check.spec.remedy:
                found[f"remedy.{GROUP}/{name}"] = check.spec.remedy
        return found

    def _policy(self, checks: Sequence[Check]) -> Manifest:
        spec: Manifest = {"failurePolicy": "Fail", "matchConstraints": self._constraints()}
        conditions = [
            {"name": name, "expression": as_bool(self._inlined(program), _tree(program))}
            for name, program in self.rule.conditions
        ]
        variables = list(self._variables(checks))
        spec |= {"matchConditions": conditions} if conditions else {}
        spec |= {"variables": variables} if variables else {}
        spec["validations"] = [self._validation(one) for one in checks]
        return spec

    def _constraints(self) -> Manifest:
        kinds = sorted(plural(kind) for kind in set(self.spec.match.kinds)) or ["*"]
        rule = {
            "apiGroups": [GROUP],
            "apiVersions": ["v1"],
            "operations": ["CREATE", "UPDATE"],
            "resources": kinds,
        }
        return {"resourceRules": [rule]}

    def _variables(self, checks: Sequence[Check]) -> Iterator[Manifest]:
        """The variables, and before them the parameters where an expression reads these."""
        programs = [program for _, program in self.rule.variables]
        programs += [check.program for check in checks]
        programs += [check.message for check in checks if check.message]
        if self._has_variables and any("params" in one.names for one in programs):
            yield {"name": self.params_name, "expression": literal(self.rule.params)}
        for name, program in self.rule.variables:
            expression = as_dyn(self._put(program), _tree(program))
            yield {"name": name, "expression": expression}

    def _validation(self, check: Check) -> Manifest:
        expression = as_bool(self._put(check.program), _tree(check.program))
        # A cluster wants a message wherever an expression has more than one line.
        message = check.spec.message.strip() or f"{check.code} does not hold"
        found = {"expression": expression, "message": message}
        if check.message:
            found["messageExpression"] = as_text(self._put(check.message), _tree(check.message))
        return {**found, "reason": "Invalid"}

    @property
    def _has_variables(self) -> bool:
        return self.version.minor >= VARIABLES

    def _put(self, program: Program) -> str:
        if not self._has_variables:
            return self._inlined(program)
        return with_params(program.text, _tree(program), f"variables.{self.params_name}")

    def _inlined(self, program: Program) -> str:
        return with_params(program.text, _tree(program), literal(self.rule.params))


def _tree(program: Program) -> Tree:
    """The tree of an expression; one that has none has been refused before."""
    if program.tree is None:
        raise LookupError("an expression whose tree cannot be read goes to no cluster")
    return program.tree
