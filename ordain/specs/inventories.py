"""A spreadsheet of models as documents, and the document of one model that exists already.

An inventory is where most institutions begin: a table with a row for each model. All rows become
documents or none does, and everything that is wrong with any row is said at once, with its line.
What this writes is held to the language here, so that no document is written that fails behind it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.addresses import address_problem
from ordain.specs.errors import FindingsError, SpecError
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.kinds import kind_validator
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Fields of an inventory, and what spreadsheets call them; in lower case, without white space.
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "model", "modelname", "modelid", "id"),
    "purpose": ("purpose", "use", "description", "intendeduse"),
    "owner": ("owner", "team", "modelowner", "department"),
    "tier": ("tier", "risktier", "materiality", "modeltier"),
    "task": ("task", "type", "modeltype"),
    "provider": ("provider", "vendor", "supplier"),
    "version": ("version", "modelversion"),
    "endpoint": ("endpoint", "url", "address"),
}
NEEDED: Final = ("name", "purpose", "owner", "tier")
TASKS: Final = ("classification", "regression", "clustering")
_SQUEEZED: Final = re.compile(r"[\s_\-./]+")
_NAME: Final = re.compile(r"[^a-z0-9]+")
_LONGEST: Final = 63
_TIER: Final = re.compile(r"(?:tier\s*)?([123])", re.IGNORECASE)
# What no YAML file may hold, or a reader of YAML takes for the end of a line; and half characters.
_CONTROL: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model as an inventory knows it; `imported` is the block of that name, if there is one."""

    name: str
    purpose: str
    owner: str
    tier: int
    task: str = "classification"
    provider: str = ""
    version: str = ""
    endpoint: str = ""
    imported: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where its document stands."""
        return f"specs/models/{self.name}.yaml"


def slug(text: str) -> str:
    """A name of the language from any text: lower-case letters, digits and hyphens."""
    return _NAME.sub("-", text.lower()).strip("-")[:_LONGEST].strip("-")


def model_document(entry: Entry, origin: str) -> bytes:
    """The Model as YAML. JSON scalars are YAML scalars, so json does the quoting.

    Raises:
        SpecError: the entry is no Model, such as a tier of 9.
    """
    for where, problem in _unfit(entry):
        message = f"model {entry.name}: {where}: {problem}"
        raise SpecError(message, remedy=f"correct {where}; see: ordain explain Model.spec")
    shown = _CONTROL.sub("?", " ".join(origin.split()))
    lines = [
        f"# Written by `ordain import` from {shown}.",
        "apiVersion: ordain.dev/v1",
        "kind: Model",
        # In quotes, because `2024` or `null` would be no text.
        f"metadata: {{name: {_scalar(entry.name)}}}",
        "spec:",
    ]
    for key, value in _spec(entry).items():
        if isinstance(value, dict):
            lines.append(f"  {key}:")
            lines += [f"    {name}: {_scalar(item)}" for name, item in value.items()]
        else:
            lines.append(f"  {key}: {_scalar(value)}")
    return ("\n".join(lines) + "\n").encode()


def _scalar(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _spec(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "purpose": entry.purpose,
        "tier": entry.tier,
        "owner": entry.owner,
        "task": entry.task,
    }
    if entry.imported:
        return found | {"imported": dict(entry.imported)}
    said = {"version": entry.version, "endpoint": entry.endpoint}
    provider = {"provider": entry.provider or "unknown"}
    return found | {"external": provider | {name: value for name, value in said.items() if value}}


def _unfit(entry: Entry) -> Iterator[tuple[str, str]]:
    """Where the document of an entry would be no Model, and why."""
    from pydantic_core import ValidationError

    spec = _spec(entry)
    for where, text in _texts(spec):
        if odd := _CONTROL.search(text):
            yield where, f"holds the character U+{ord(odd[0]):04X}, which no document may hold"
    try:
        kind_validator("Model").validate_python(spec)
    except ValidationError as error:
        for one in error.errors():
            yield ".".join(map(str, one["loc"])), one["msg"]


def _texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{where}.{key}".lstrip("."))
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item, where)


def read_inventory(
    text: str, path: str, renamed: Mapping[str, str] | None = None
) -> tuple[Entry, ...]:
    """The models of a table with one header line, separated by commas, semicolons or tabs.

    `renamed` maps a header of the table to one of `FIELDS`.

    Raises:
        SpecError: it has no header line with what every model needs.
        FindingsError: rows that are no models, each with its line.
    """
    rows = csv.reader(io.StringIO(text, newline=""), dialect=_dialect(text), strict=True)
    try:
        header = next(rows, [])
        columns = _columns(header, path, renamed or {})
        numbered = [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]
    except csv.Error as error:
        message = f"{path}:{rows.line_num}: this is no table: {error}"
        raise SpecError(message, remedy="save the sheet as CSV in UTF-8") from error
    found, wrong = [], []
    seen: dict[str, int] = {}
    for line, row in numbered:
        entry = _entry(row, columns)
        faults = list(_faults(entry, row, columns, seen))
        wrong += [
            Finding("CLI030", Severity.ERROR, fault, Location(path, line, 1)) for fault in faults
        ]
        if isinstance(entry, Entry) and not faults:
            seen[entry.name] = line
            found.append(entry)
    if wrong:
        message = f"{path}: {len(wrong)} faults; nothing was written"
        raise FindingsError(message, tuple(wrong), remedy="correct these rows, then import again")
    if not found:
        raise SpecError(
            f"{path} has no row below its header", remedy="write one row for each model"
        )
    return tuple(found)


def _dialect(text: str) -> type[csv.Dialect]:
    first = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(",;\t", key=first.count)

    return Found


def _columns(header: list[str], path: str, renamed: Mapping[str, str]) -> dict[str, int]:
    """The place of each field in a row."""
    unknown = sorted(set(renamed) - {cell.strip() for cell in header})
    if unknown:
        hint = did_you_mean(unknown[0], [cell.strip() for cell in header])
        message = f"{path}: the table has no column {unknown[0]!r}"
        raise SpecError(message, remedy=hint or f"it has: {', '.join(header)}")
    found: dict[str, int] = {}
    for place, cell in enumerate(header):
        name = renamed.get(cell.strip()) or _field(cell)
        if cell.strip() not in renamed and name in renamed.values():
            continue  # Somebody has said which column it is.
        if name is not None and name in found:
            message = f"{path}: two columns are the {name}: {header[found[name]]!r} and {cell!r}"
            which = shlex.quote(f"{cell.strip()}={name}")
            raise SpecError(message, remedy=f"rename one, or say which: --map {which}")
        if name is not None:
            found[name] = place
    missing = [name for name in NEEDED if name not in found]
    if missing:
        message = f"{path}: no column is the {' or the '.join(missing)} of a model"
        remedy = f"add it, or say which one it is: --map 'YOUR COLUMN={missing[0]}'"
        raise SpecError(message, remedy=remedy)
    return found


def _field(cell: str) -> str | None:
    squeezed = _SQUEEZED.sub("", cell.lower())
    return next((name for name, others in FIELDS.items() if squeezed in others), None)


def _entry(row: list[str], columns: Mapping[str, int]) -> Entry | None:
    """The model of a row; None where its tier is none."""
    said = {name: row[at].strip() for name, at in columns.items() if at < len(row)}
    tier = _TIER.fullmatch(said.get("tier", ""))
    if tier is None:
        return None
    return Entry(
        name=slug(said.get("name", "")),
        purpose=said.get("purpose", ""),
        owner=slug(said.get("owner", "")),
        tier=int(tier[1]),
        task=said.get("task", "").lower() or "classification",
        provider=said.get("provider", ""),
        version=said.get("version", ""),
        endpoint=said.get("endpoint", ""),
    )


def _faults(
    entry: Entry | None, row: list[str], columns: Mapping[str, int], seen: Mapping[str, int]
) -> Iterator[str]:
    if len(row) <= max(columns.values()):
        yield f"the row has {len(row)} cells, and its header more"
        return
    if entry is None:
        yield f"the tier is {row[columns['tier']]!r}, and not 1, 2 or 3"
        return
    told = _told(entry, row, columns)
    yield from told.values()
    for where, problem in _unfit(entry):
        if where.rpartition(".")[2] not in told:
            yield f"{where}: {problem}"
    if entry.name in seen:
        yield f"{entry.name} is listed in line {seen[entry.name]} already"


def _told(entry: Entry, row: list[str], columns: Mapping[str, int]) -> dict[str, str]:
    """What is wrong with each field, where we have better words than the language."""
    found = {
        name: f"the {name} is {row[columns[name]]!r}, which says nothing"
        for name in ("name", "purpose", "owner")
        if not getattr(entry, name)
    }
    if entry.task not in TASKS:
        found["task"] = (
            f"the task is {entry.task!r}, and not {', '.join(TASKS[:-1])} or {TASKS[-1]}"
        )
    if entry.endpoint and (problem := address_problem(entry.endpoint)):
        found["endpoint"] = problem
    return found
