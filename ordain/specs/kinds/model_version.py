"""One made version of a model; written by the machine, never edited by hand."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Digest, Float, Int, Name, about


@declared
class Inputs:
    """Everything that went in; the recipe digest covers it."""

    spec: Annotated[Digest, about("material digest of the Model")]
    dataset: Annotated[Digest, about("material digest of the Dataset")]
    data: Annotated[Digest, about("logical digest of the rows")]
    environment: Annotated[Digest, about("digest of the environment lock")]
    seed: Annotated[Int, about("seed")]
    threads: Annotated[Int, about("threads")]


@declared
class Provenance:
    """Signed documents on the artifact, by the digest of their envelopes in the artifact store."""

    statement: Annotated[Digest, about("in-toto statement: what went in, who made it, when")]
    bom: Annotated[Digest, about("CycloneDX bill of materials: what it is made of")]


@declared
class ModelVersion:
    """Where an artifact came from and what was measured on it."""

    model: Annotated[Name, about("the Model")]
    version: Annotated[Int, about("counts from 1", ge=1)]
    recipe: Annotated[Digest, about("digest over the inputs; equal recipes are the same work")]
    inputs: Annotated[Inputs, about("everything that went in")]
    artifact: Annotated[Digest, about("digest of the artifact's manifest")]
    evidence: Annotated[Digest, about("digest of the evidence in `evidence/`")]
    split: Annotated[Digest, about("digest of the row numbers of each part")]
    validation: Annotated[
        Digest | None,
        about("digest of the validation of exactly this artifact in `evidence/`"),
    ] = None
    metrics: Annotated[
        dict[str, Float],
        about("headline metrics on the test part"),
    ] = field(default_factory=dict)
    provenance: Annotated[
        Provenance | None,
        about("where the artifact came from, signed by the reconciler; verified before it serves"),
    ] = None
    tool: Annotated[
        str,
        about("version of ordain that made it; recorded, never compared", change="metadata"),
    ] = ""
