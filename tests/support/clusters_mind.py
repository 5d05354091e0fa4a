"""What an API server does with a ValidatingAdmissionPolicy, as far as its documentation says.

Its expressions are compiled in an environment of exactly the names that a cluster gives to them,
and of the libraries of its version; C++ evaluates them. Conditions are asked first and see no
variables; a variable is evaluated for those after it and has no value where it fails; anything but
true is a violation; a message that is no single line of text gives way to the plain one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from ordain.policies.cel.exact import run

# No `params`: a policy without a paramKind has none.
NAMES = ("object", "oldObject", "request", "namespaceObject")
LIBRARIES = {29: ("optional", "strings"), 30: ("optional", "strings", "sets")}
ERROR = "could not be evaluated"


@dataclass(frozen=True)
class Answer:
    """Whether the policy looked at the object, and the message of every violation."""

    asked: bool
    violations: tuple[str, ...] = ()


class ClusterPolicy:
    """A compiled policy. What a cluster would not compile is an error here as well."""

    def __init__(self, manifest: dict[str, Any], minor: int) -> None:
        spec = manifest["spec"]
        self.resources = spec["matchConstraints"]["resourceRules"][0]["resources"]
        extensions = "".join(f"  - name: {name}\n" for name in LIBRARIES[minor])
        self._config = cel.NewEnvConfigFromYaml(f"name: cluster\nextensions:\n{extensions}")
        self._names = dict.fromkeys(NAMES, cel.Type.DYN)
        self._plain = cel.NewEnv(config=self._config, variables=self._names)
        variables = {"variables": cel.Type.Map(cel.Type.STRING, cel.Type.DYN)}
        self._whole = cel.NewEnv(config=self._config, variables=self._names | variables)
        self._conditions = [
            self._compiled(self._plain, one["expression"], "BOOL")
            for one in spec.get("matchConditions", ())
        ]
        self._variables = [
            (one["name"], self._compiled(self._whole, one["expression"], "DYN"))
            for one in spec.get("variables", ())
        ]
        self._validations = [
            (
                self._compiled(self._whole, one["expression"], "BOOL"),
                one["message"],
                self._compiled(self._whole, one["messageExpression"], "STRING")
                if "messageExpression" in one
                else None,
            )
            for one in spec["validations"]
        ]

    def _compiled(self, environment: Any, text: str, kind: str) -> Any:  # noqa: ANN401
        found = environment.compile(text)
        assert found.return_type().name() == kind, text
        return found

    def ask(self, new: dict[str, Any], old: dict[str, Any] | None = None) -> Answer:
        values: dict[str, Any] = dict.fromkeys(NAMES) | {"object": new, "oldObject": old}
        plain = self._plain.Activation(values)
        outcomes = [run(one, plain) for one in self._conditions]
        if any(one.value is False and not one.error for one in outcomes):
            return Answer(asked=False)
        if any(not one.passed for one in outcomes):
            return Answer(asked=True, violations=(ERROR,))
        found: dict[str, Any] = {}
        for name, expression in self._variables:
            outcome = run(expression, self._whole.Activation({**values, "variables": found}))
            if not outcome.error:
                found[name] = outcome.value
        whole = self._whole.Activation({**values, "variables": found})
        said = (self._message(whole, *one) for one in self._validations)
        return Answer(asked=True, violations=tuple(one for one in said if one is not None))

    @staticmethod
    def _message(whole: Any, expression: Any, message: str, better: Any) -> str | None:  # noqa: ANN401
        outcome = run(expression, whole)
        if outcome.passed:
            return None
        if outcome.error:
            return ERROR
        told = run(better, whole).value if better else None
        usable = isinstance(told, str) and told.strip() and "\n" not in told
        return str(told) if usable else message
