"""A table: where it is, what it must look like, what may be done with it."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import (
    Bool,
    Date,
    Digest,
    Duration,
    EstatePath,
    Float,
    Int,
    Percent,
    Scalar,
    about,
)


@declared
class Source:
    """Where the rows come from."""

    type: Annotated[
        Literal["csv", "parquet", "postgres", "mysql", "s3", "azure", "gcs", "delta", "dvc"],
        about("kind of source"),
    ]
    uri: Annotated[str, about("path inside the estate, or address of the source")] = ""
    query: Annotated[EstatePath | None, about("file with the SQL that selects the rows")] = None
    order_by: Annotated[tuple[str, ...], about("columns that give the rows a fixed order")] = ()
    dsn_from: Annotated[
        str,
        about("name of the environment variable that holds the connection string"),
    ] = ""
    format: Annotated[
        Literal["csv", "parquet"] | None,
        about("format of an object; by default what the end of its name says"),
    ] = None
    version: Annotated[
        str,
        about("version of the object or of the Delta table; empty means the newest"),
    ] = ""

    @property
    def place(self) -> str:
        """What an error about the rows names: the file with the query, or the address."""
        return self.query or self.uri or self.type


@declared
class Feedback:
    """How an earlier decision decides whether an outcome is ever seen.

    A loan that was refused has no repayment. Performance on the rest says nothing of it.
    """

    observed: Annotated[str, about("truth column: whether the outcome could be seen")]
    explored: Annotated[
        str | None,
        about("truth column: whether the case was let through by chance, whatever the decision"),
    ] = None
    min_exploration: Annotated[
        Percent,
        about("share of explored cases from which a claim on all cases is believed"),
    ] = "1%"


@declared
class Target:
    """The outcome that a model learns."""

    column: Annotated[str, about("column of the outcome")]
    positive: Annotated[Scalar, about("the outcome whose probability a classifier gives")] = 1
    favourable: Annotated[
        Scalar | None,
        about("the outcome that is good for the person; fairness counts it"),
    ] = None
    mature_after: Annotated[
        Duration | None,
        about("time until an outcome is final; younger rows are left out"),
    ] = None
    feedback: Annotated[
        Feedback | None,
        about("declared where outcomes exist only after a certain decision"),
    ] = None


@declared
class Column:
    """One column."""

    type: Annotated[
        Literal["float", "int", "bool", "category", "text", "date", "id"],
        about("type of the values"),
    ]
    role: Annotated[
        Literal["feature", "protected", "entity", "time", "id"],
        about("protected columns are for fairness only and never a feature"),
    ] = "feature"
    description: Annotated[str, about("what the column means", change="metadata")] = ""
    unit: Annotated[str, about("unit of the values", change="metadata")] = ""
    range: Annotated[
        tuple[Float, Float] | None,
        about("lowest and highest value that is believed"),
    ] = None
    levels: Annotated[tuple[str, ...] | None, about("the categories that are known")] = None
    missing: Annotated[
        Percent | None,
        about("largest share of missing values that is accepted"),
    ] = None
    rare: Annotated[
        Int | None,
        about("levels seen fewer times than this are put together", ge=1),
    ] = None
    unknown: Annotated[
        Literal["bucket", "refuse"],
        about("what to do with a level that training has not seen"),
    ] = "bucket"
    reference: Annotated[
        str | None,
        about("group that a protected attribute is compared with"),
    ] = None
    unique: Annotated[Bool, about("whether no value may occur twice")] = False
    monotone: Annotated[
        Literal["increasing", "decreasing"] | None,
        about("direction in which every model that learns from the column may move its output"),
    ] = None
    separates: Annotated[
        Bool,
        about("whether somebody looked, and the column may give the outcome away on its own"),
    ] = False
    proxy_for: Annotated[
        tuple[str, ...],
        about(
            "protected columns, or attributes that no column holds, that the column may tell",
            change="metadata",
        ),
    ] = ()


@declared
class Relation:
    """Two columns that must stand in an order, in every row in which both have a value."""

    left: Annotated[str, about("column on the left")]
    op: Annotated[Literal["lt", "le", "eq", "ne", "ge", "gt"], about("comparison")]
    right: Annotated[str, about("column on the right")]


@declared
class Expectations:
    """What the table as a whole must be; a table that is not is neither pinned nor learnt from."""

    rows: Annotated[
        tuple[Int, Int] | None,
        about("smallest and largest number of rows"),
    ] = None
    unique: Annotated[
        tuple[tuple[str, ...], ...],
        about("groups of columns whose values together occur once"),
    ] = ()
    fresh: Annotated[
        Duration | None,
        about("how old the newest row may be when the data are pinned"),
    ] = None
    relations: Annotated[tuple[Relation, ...], about("columns that must stand in an order")] = ()


@declared
class Consent:
    """Why the data may be used."""

    basis: Annotated[str, about("lawful basis", change="metadata")]
    source: Annotated[
        str,
        about("where consent or permission was recorded", change="metadata"),
    ] = ""
    purposes: Annotated[tuple[str, ...], about("uses that it covers", change="metadata")] = ()


@declared
class Dataset:
    """A table that models learn from or are judged on."""

    source: Annotated[Source, about("where the rows come from")]
    columns: Annotated[dict[str, Column], about("every column that may be used", min_length=1)]
    digest: Annotated[
        Digest | None,
        about("logical digest over the content; written by `ordain pin`, checked ever after"),
    ] = None
    as_of: Annotated[
        Date | None,
        about("day up to which outcomes were seen; written by `ordain pin`"),
    ] = None
    expect: Annotated[Expectations, about("what the table as a whole must be")] = Expectations()
    entity: Annotated[
        str | None,
        about("column that names the person or thing; never on both sides of a split"),
    ] = None
    time: Annotated[str | None, about("column that orders splits and windows")] = None
    target: Annotated[Target | None, about("the outcome")] = None
    leaks: Annotated[
        tuple[str, ...],
        about("columns that are known only after the outcome; never a feature"),
    ] = ()
    consent: Annotated[Consent | None, about("why the data may be used", change="metadata")] = None
    provenance: Annotated[str, about("how the data came about", change="metadata")] = ""
    licence: Annotated[str, about("licence of the data", change="metadata")] = ""
