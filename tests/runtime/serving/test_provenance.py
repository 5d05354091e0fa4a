"""No version is loaded of which the reconciler has not said where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.runtime.errors import ArtifactError, ProvenanceError
from ordain.runtime.serving.config import read_config
from ordain.runtime.serving.errors import ServerConfigError
from ordain.runtime.serving.slots import load_slots
from ordain.specs.canonical import canonical_json
from ordain.vcs.keys import generate_key

if TYPE_CHECKING:
    from tests.runtime.serving.conftest import Config, Place


def load(config: Config) -> None:
    load_slots(read_config(canonical_json(config)))


def only(place: Place, **changes: object) -> Config:
    """A configuration with one deployment, changed."""
    config = place.config()
    slot = config["deployments"]["champion"] | changes
    return config | {"deployments": {"champion": slot}}


def test_a_version_that_the_reconciler_signed_is_loaded(place: Place) -> None:
    load(place.config())


def test_a_version_without_a_statement_is_refused(place: Place) -> None:
    with pytest.raises(ProvenanceError) as caught:
        load(only(place, statement=None))
    assert caught.value.message == "deployment champion: credit@1 names no provenance"
    assert caught.value.code == "RUN115"


def test_a_statement_by_a_key_that_is_not_trusted_is_refused(place: Place) -> None:
    for trusted in ([], [generate_key("somebody else")[1]]):
        with pytest.raises(ProvenanceError) as caught:
            load(only(place) | {"trusted": trusted})
        assert caught.value.message == (
            f"deployment champion: none of the {len(trusted)} keys that are trusted has signed "
            "the envelope"
        )


def test_the_statement_of_another_artifact_is_refused(place: Place) -> None:
    other = place.config()["deployments"]["challenger"]["statement"]
    with pytest.raises(ProvenanceError) as caught:
        load(only(place, statement=other))
    assert caught.value.message == (
        f"deployment champion: the statement is about another artifact than {place.champion}"
    )


def test_a_changed_statement_is_refused_by_its_bytes(place: Place) -> None:
    config = only(place)
    digest = config["deployments"]["champion"]["statement"]
    path = place.store / "sha256" / digest[7:9] / digest[9:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"sig", b"gis"))
    with pytest.raises(ArtifactError) as caught:
        load(config)
    assert "deployment champion: " in caught.value.message
    assert f"the bytes under {digest} are" in caught.value.message


def test_nothing_of_the_artifact_is_read_before(place: Place) -> None:
    config = only(place, statement=None)
    for path in place.store.rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(ProvenanceError):
        load(config)


def test_a_preview_needs_no_statement(place: Place) -> None:
    load(only(place, statement=None) | {"preview": True})
    with pytest.raises(ServerConfigError, match="is not true or false"):
        load(only(place, statement=None) | {"preview": "yes"})
