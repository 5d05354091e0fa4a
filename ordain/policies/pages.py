"""The pages of policies: what a rule demands, why, for which controls, and by which examples.

A finding names a code, and whoever gets it wants to know all about it in one place: the rule as it
is asked, the values that a PolicySet may replace, an estate that fails and one that passes, and how
the finding can be accepted for a time. All of it stands in the pack already, so nothing is written
twice. A page is about the newest version that has the rule, and says which others have it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.packs import Pack, load_pack, pack_file, pack_names, pack_versions
from ordain.policies.rules import code_of
from ordain.specs.canonical import canonical_json
from ordain.specs.explanations import Explanation as Page
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ordain.specs.documents import Document
    from ordain.specs.kinds.policy import Policy, PolicyValidation

_DOES: Final = {
    "block": "it blocks",
    "review": "a warning asks for a look",
    "advise": "a note is given",
}
_WEIGHS: Final = {"error": "it blocks", "warning": _DOES["review"], "note": _DOES["advise"]}
_PARAMETER: Final = re.compile(r"\bparams\.([A-Za-z_]\w*)")
_VARIABLE: Final = re.compile(r"\bvariables\.([A-Za-z_]\w*)")
_WAIVER: Final = """\
apiVersion: ordain.dev/v1
kind: Waiver
metadata: {{name: {waiver}}}
spec:
  finding: {code}
  object: {{kind: {kind}, name: {name}, digest: DIGEST}}    # ordain digest {kind}/{name}
  reason: why it is accepted, what makes up for it, and what happens until then
  requestedBy: PERSON
  approvedBy: COMPLIANCE-MANAGER
  expires: YYYY-MM-DD
"""
_POLICY_SET: Final = """\
apiVersion: ordain.dev/v1
kind: PolicySet
metadata: {{name: packs}}
spec:
  packs:
    - {{name: {name}, version: {version}}}
"""


def by_code(policy: Document) -> dict[str, PolicyValidation]:
    """What a policy demands, validations and transitions, by code."""
    return {
        code_of(policy.name, field, index, one.name): one
        for field in ("validations", "transitions")
        for index, one in enumerate(getattr(policy.spec, field))
    }


def pack_pages() -> dict[str, Page]:
    """A page for every validation of every pack, from the newest version that has it."""
    pages: dict[str, Page] = {}
    for name in pack_names():
        packs = [load_pack(name, version) for version in reversed(pack_versions(name))]
        versions = _versions(packs)
        for pack in packs:
            examples = _examples(pack)
            for policy in pack.policies:
                shown = examples[policy.name]
                pages.update(policy_pages(policy, shown, versions))
    return pages


def _versions(packs: Iterable[Pack]) -> dict[str, str]:
    """The versions of a pack that have a code, newest first: `baseline 1.1.0, 1.0.0`."""
    found: dict[str, list[str]] = {}
    name = ""
    for pack in packs:
        name = pack.name
        for policy in pack.policies:
            for code in by_code(policy):
                found.setdefault(code, []).insert(0, pack.version)
    return {code: f"{name} {', '.join(versions)}" for code, versions in found.items()}


def policy_pages(
    policy: Document,
    examples: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, Page]]:
    """(code, page) of every validation of a policy.

    `examples` are those of a pack; `versions` says by code which packs have the rule. Without them
    it is a policy of an estate.
    """
    bad: Sequence[Mapping[str, Any]] = (examples or {}).get("bad", ())
    good = [_example_text(one) for one in (examples or {}).get("good", ())]
    for code, one in by_code(policy).items():
        found = [example for example in bad if example["finds"] == code]
        shown = [_example_text(example) for example in found]
        sections = (
            ("Controls", ", ".join(one.controls) or "none is named"),
            ("Asked of", _asked_of(policy.spec)),
            ("Where it does not hold", _WEIGHS[one.severity] if one.severity else _does(policy)),
            ("Pack", versions[code]) if versions else ("Policy", str(policy.location)),
            *_texts(policy.spec, one),
            ("Found as well", "\n".join(shown[1:])),
            ("Left alone", "\n".join(good)),
            ("Accepted for a time by", _waiver(policy, code, found)),
        )
        why = policy.spec.rationale or "The policy gives no rationale."
        remedy = one.remedy or "ask whoever owns the policy"
        said = tuple((name, text) for name, text in sections if text)
        yield code, Page(one.message, why, shown[0] if shown else "", remedy, said)


def _does(policy: Document) -> str:
    return _DOES[policy.spec.enforcement]


def _asked_of(spec: Policy) -> str:
    kinds = ", ".join(spec.match.kinds) or "every kind"
    held = " and ".join(" ".join(text.split()) for text in _conditions(spec))
    return f"{kinds}, where {held}" if held else kinds


def _conditions(spec: Policy) -> list[str]:
    found = [spec.match.when, *(one.expression for one in spec.match_conditions)]
    return [text for text in found if text]


def _texts(spec: Policy, validation: PolicyValidation) -> Iterator[tuple[str, str]]:
    """The expression, and the variables and parameters that it uses."""
    yield "Expression", _block(validation.expression)
    texts = _variables(spec, validation.expression)
    lines = (f"{name} = {' '.join(text.split())}\n" for name, text in texts.items())
    yield "Variables", "".join(lines)
    whole = " ".join([validation.expression, *texts.values(), *_conditions(spec)])
    mentioned = set(_PARAMETER.findall(whole))
    shown = {name: value for name, value in spec.params.items() if name in mentioned}
    yield "Parameters, with their defaults", parameter_lines(shown)


def _variables(spec: Policy, expression: str) -> dict[str, str]:
    """The variables that an expression uses, directly or through others, in their order."""
    known = {one.name: one.expression for one in spec.variables}
    used, waiting = set[str](), [expression]
    while waiting:
        new = {name for name in _VARIABLE.findall(waiting.pop()) if name in known} - used
        used |= new
        waiting += [known[name] for name in new]
    return {name: text for name, text in known.items() if name in used}


def parameter_lines(params: Mapping[str, Any]) -> str:
    """One `name: value` line for each parameter, as it would stand in a PolicySet."""
    return "".join(f"{name}: {_inline(value)}\n" for name, value in params.items())


def _inline(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """A value as YAML on one line, which JSON is."""
    return canonical_json(value).decode()


def _block(text: str) -> str:
    return text.strip() + "\n"


def _waiver(policy: Document, code: str, found: Iterable[Mapping[str, Any]]) -> str:
    """The Waiver of a finding: on the object of an example, or of the only kind that is asked."""
    if not policy.spec.waivable:
        return "nothing: this rule cannot be waived"
    kinds = policy.spec.match.kinds
    keys = (key for example in found for key in example["set"] if key.split("/")[0] in kinds)
    kind, name = next(keys, f"{kinds[0] if len(kinds) == 1 else 'KIND'}/NAME").split("/")
    return _WAIVER.format(waiver=f"{policy.name}-for-now", code=code, kind=kind, name=name)


def _examples(pack: Pack) -> dict[str, Any]:
    value: Any = parse(pack_file(pack.examples), pack.examples).nodes[0].value
    found: dict[str, Any] = value["policies"]
    return found


def _example_text(example: Mapping[str, Any]) -> str:
    """An example as the edits of an estate that passes, and who made and approved them."""
    return "".join(f"{line}\n" for line in _example_lines(example))


def _example_lines(example: Mapping[str, Any]) -> Iterator[str]:
    before = list(_edit_lines(example.get("before", {})))
    if before:
        yield from ("before:", *(f"  {line}" for line in before), "then:")
    indent = "  " if before else ""
    yield from (f"{indent}{line}" for line in _edit_lines(example["set"]))
    for role, people in example.get("by", {}).items():
        names = people if isinstance(people, list) else [people]
        yield f"{role}: {', '.join(name or 'nobody' for name in names)}"
    for person, role in example.get("approvals", {}).items():
        yield f"approved by {person} as {role}"


def _edit_lines(edits: Mapping[str, Any]) -> Iterator[str]:
    for key, values in edits.items():
        if values is None:
            yield f"{key} is removed"
        elif isinstance(values, str):
            yield from (f"{key} holds", *(f"  {line}" for line in values.splitlines()))
        else:
            yield from (line for path, value in values.items() for line in _edit(key, path, value))


def _edit(key: str, path: str, value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON value
    if value is None:
        yield f"{key} {path} is not set"
    elif path == "spec":
        yield f"{key} is added:"
        yield from (f"  {name}: {_inline(inner)}" for name, inner in value.items())
    else:
        yield f"{key} {path} = {_inline(value)}"


def pack_topic(topic: str) -> str | None:
    """The page of a pack (`baseline`), of one version of it (`baseline@1.0.0`), or None.

    Raises:
        PackError: for a version that does not ship.
    """
    name, _, version = topic.partition("@")
    if name not in pack_names():
        return None
    pack = load_pack(name, version or None)
    others = ", ".join(one for one in pack_versions(name) if one != pack.version)
    lines = [
        f"{pack.origin}: {len(pack.policies)} policies",
        "",
        _heading(pack),
        "",
        *(line for policy in pack.policies for line in _summary(policy)),
    ]
    params = {name: value for one in pack.policies for name, value in one.spec.params.items()}
    lines += ["Parameters, with their defaults:", "", *_indented(parameter_lines(params)), ""]
    lines += [f"Other versions: {others}", ""] if others else []
    whole = _POLICY_SET.format(name=pack.name, version=pack.version)
    lines += ["Put in force by:", "", *_indented(whole), ""]
    return "\n".join([*lines, "Next: ordain explain CODE"]) + "\n"


def _heading(pack: Pack) -> str:
    """What the head of the file says about the pack."""
    text = pack_file(f"{pack.name}/{pack.version}.yaml").decode()
    lines = text.partition("\napiVersion")[0].splitlines()
    return "\n".join(line.removeprefix("#").strip() for line in lines)


def _summary(policy: Document) -> Iterator[str]:
    yield f"{policy.name} ({', '.join(policy.spec.match.kinds) or 'every kind'}; {_does(policy)})"
    yield from (f"    {code}: {one.message}" for code, one in by_code(policy).items())
    yield ""


def _indented(text: str) -> Iterator[str]:
    return (f"    {line}" if line else "" for line in text.splitlines())


def policy_topic(topic: str, policies: Iterable[Document]) -> str | None:
    """What the codes of a policy are, where its name alone (`POL-NAME`) is no code; or None."""
    for policy in policies:
        if f"POL-{policy.name}".casefold() == topic.casefold():
            lines = [*_summary(policy), policy.spec.rationale, "", "Next: ordain explain CODE"]
            return "\n".join(lines) + "\n"
    return None


def shipped_policies() -> tuple[Document, ...]:
    """The policies of the newest version of every pack."""
    return tuple(policy for name in pack_names() for policy in load_pack(name).policies)
