"""Artifacts are what their digest says, or they are refused."""

from __future__ import annotations

import json
import lzma
import os
import pickle
import resource
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from ordain.runtime.artifacts import (
    ArtifactStore,
    load_artifact,
    save_artifact,
    write_atomically,
)
from ordain.runtime.errors import ArtifactError, OnnxError, SkopsError
from ordain.runtime.formats.archives import write_archive
from ordain.specs.canonical import canonical_json, sha256

MEMBERS = {"plan.json": b'{"a":1}', "profile.json": b'{"b":2}'}
RECIPE = sha256(b"recipe")


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "store")


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_blob_is_found_under_the_digest_of_its_bytes(store: ArtifactStore) -> None:
    digest = store.put(b"{}")
    assert digest == sha256(b"{}")
    assert store.get(digest) == b"{}"
    assert store.path(digest) == store.root / "sha256" / digest[7:9] / digest[9:]


def test_a_blob_is_read_only_and_leaves_no_temporary_file(store: ArtifactStore) -> None:
    path = store.path(store.put(b"{}"))
    assert path.stat().st_mode & 0o777 == 0o444
    assert list(path.parent.iterdir()) == [path]


def test_bytes_are_on_the_disk_before_their_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, move = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append("sync")
        sync(descriptor)

    def moved(path: Path, target: Path) -> Path:
        done.append("name")
        return move(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved)
    write_atomically(tmp_path / "config.json", b"{}", mode=0o600)
    assert done == ["sync", "name", "sync"]
    assert (tmp_path / "config.json").stat().st_mode & 0o777 == 0o600


def test_putting_twice_keeps_the_first_file(store: ArtifactStore) -> None:
    path = store.path(store.put(b"{}"))
    before = path.stat().st_ino
    store.put(b"{}")
    assert path.stat().st_ino == before


def test_putting_mends_a_damaged_blob(store: ArtifactStore) -> None:
    digest = store.put(b"{}")
    overwrite(store.path(digest), b"{]")
    store.put(b"{}")
    assert store.get(digest) == b"{}"


def test_a_missing_blob_names_store_and_digest(store: ArtifactStore) -> None:
    digest = sha256(b"nothing")
    assert not store.has(digest)
    with pytest.raises(ArtifactError) as caught:
        store.get(digest)
    assert caught.value.message == f"artifact store {store.root}: no blob {digest}"
    assert caught.value.remedy.startswith("name the store that the version was made in")


def test_a_changed_blob_is_refused(store: ArtifactStore) -> None:
    digest = store.put(b"{}")
    overwrite(store.path(digest), b"{ }")
    with pytest.raises(ArtifactError) as caught:
        store.get(digest)
    expected = f"artifact store {store.root}: the bytes under {digest} are {sha256(b'{ }')}"
    assert caught.value.message == expected


@pytest.mark.parametrize("digest", ["", "sha256:../../etc/passwd", "md5:00", "sha256:" + "A" * 64])
def test_what_is_no_digest_never_becomes_a_path(store: ArtifactStore, digest: str) -> None:
    with pytest.raises(ArtifactError, match="is no digest"):
        store.get(digest)


def test_an_artifact_comes_back_whole(store: ArtifactStore) -> None:
    saved = save_artifact(store, "credit-default", RECIPE, MEMBERS)
    assert load_artifact(store, saved.digest) == saved
    assert saved.member("plan.json") == b'{"a":1}'


def test_the_order_of_members_does_not_change_the_artifact(store: ArtifactStore) -> None:
    turned = dict(reversed(MEMBERS.items()))
    first = save_artifact(store, "m", RECIPE, MEMBERS)
    assert save_artifact(store, "m", RECIPE, turned).digest == first.digest


def test_the_manifest_is_the_documented_one(store: ArtifactStore) -> None:
    saved = save_artifact(store, "m", RECIPE, {"plan.json": b"{}"})
    entry = {"digest": sha256(b"{}"), "size": 2, "mediaType": "application/json"}
    assert json.loads(store.get(saved.digest)) == {
        "format": "ordain.artifact/1",
        "model": "m",
        "recipe": RECIPE,
        "members": {"plan.json": entry},
    }


def test_a_tampered_member_is_refused(store: ArtifactStore) -> None:
    saved = save_artifact(store, "m", RECIPE, MEMBERS)
    overwrite(store.path(sha256(MEMBERS["plan.json"])), b'{"a":2}')
    with pytest.raises(ArtifactError, match="the bytes under"):
        load_artifact(store, saved.digest)


def test_a_missing_member_is_named(store: ArtifactStore) -> None:
    saved = save_artifact(store, "m", RECIPE, MEMBERS)
    with pytest.raises(ArtifactError) as caught:
        saved.member("parity.json")
    assert caught.value.message == f"artifact {saved.digest} has no member parity.json"


@pytest.mark.parametrize("protocol", range(6))
def test_no_pickle_of_any_protocol_becomes_a_member(store: ArtifactStore, protocol: int) -> None:
    data = pickle.dumps({"a": 1}, protocol=protocol)
    with pytest.raises(ArtifactError) as caught:
        save_artifact(store, "m", RECIPE, {"plan.json": data})
    kinds = (
        ": this is a pickle; artifacts hold nothing that can carry code",
        ": these bytes are no JSON object",
    )
    assert caught.value.message == "member plan.json" + kinds[protocol < 2]


def test_a_zip_is_not_kept_at_all(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactError) as caught:
        store.put(b"PK\x03\x04rest")
    assert (
        "this is a zip archive; artifacts hold nothing that can carry code" in caught.value.message
    )


def test_a_crafted_manifest_cannot_bring_a_pickle(store: ArtifactStore) -> None:
    data = pickle.dumps({"a": 1}, protocol=0)
    entry = {"digest": store.put(data), "size": len(data), "mediaType": "application/json"}
    manifest = {"format": "ordain.artifact/1", "model": "m", "recipe": RECIPE}
    digest = store.put(canonical_json(manifest | {"members": {"plan.json": entry}}))
    with pytest.raises(ArtifactError) as caught:
        load_artifact(store, digest)
    expected = f"member plan.json of artifact {digest}: these bytes are no JSON object"
    assert caught.value.message == expected


def empty_pipeline() -> bytes:
    """The smallest archive that passes as a stored pipeline."""
    schema = {
        "__class__": "list",
        "__loader__": "ListNode",
        "__module__": "builtins",
        "content": [],
        "protocol": 2,
    }
    return write_archive({"schema.json": json.dumps(schema).encode()})


def test_a_stored_pipeline_is_kept_under_its_media_type(store: ArtifactStore) -> None:
    members = MEMBERS | {"pipeline.skops": empty_pipeline()}
    saved = save_artifact(store, "m", RECIPE, members)
    listed = json.loads(store.get(saved.digest))["members"]
    assert listed["pipeline.skops"]["mediaType"] == "application/vnd.skops"
    assert load_artifact(store, saved.digest) == saved


def test_a_pipeline_is_looked_through_before_it_is_kept(store: ArtifactStore) -> None:
    schema = {"__class__": "system", "__loader__": "FunctionNode", "__module__": "posix"}
    crafted = write_archive({"schema.json": json.dumps(schema | {"protocol": 2}).encode()})
    with pytest.raises(SkopsError, match=r"names posix\.system as a FunctionNode"):
        save_artifact(store, "m", RECIPE, {"pipeline.skops": crafted})
    assert not store.root.exists()


@pytest.mark.training
def test_a_graph_is_looked_through_before_it_is_kept(store: ArtifactStore) -> None:
    with pytest.raises(OnnxError, match=r"model\.onnx takes \[\] and gives \[\]"):
        save_artifact(store, "m", RECIPE, {"model.onnx": b"\x08\x0a"})
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("name", "kind"), [("pipeline.skops", "stored pipeline"), ("model.onnx", "ONNX model")]
)
def test_a_pickle_is_no_form_whatever_it_is_called(
    store: ArtifactStore, name: str, kind: str
) -> None:
    for protocol, said in ((0, f"these bytes are no {kind}"), (5, "this is a pickle")):
        data = pickle.dumps({"a": 1}, protocol=protocol)
        with pytest.raises(ArtifactError, match=f"member {name}: {said}"):
            save_artifact(store, "m", RECIPE, {name: data})


def test_a_manifest_cannot_call_an_archive_by_another_kind(store: ArtifactStore) -> None:
    data = empty_pipeline()
    entry = {"digest": store.put(data, pipeline=True), "size": len(data)}
    manifest = {"format": "ordain.artifact/1", "model": "m", "recipe": RECIPE}
    for name, media in (("plan.json", "json"), ("model.onnx", "vnd.onnx")):
        listed = {name: entry | {"mediaType": f"application/{media}"}}
        digest = store.put(canonical_json(manifest | {"members": listed}))
        with pytest.raises(ArtifactError, match=f"member {name} of .*: this is a zip archive"):
            load_artifact(store, digest)


def test_a_tampered_pipeline_is_refused(store: ArtifactStore) -> None:
    saved = save_artifact(store, "m", RECIPE, {"pipeline.skops": empty_pipeline()})
    overwrite(store.path(sha256(empty_pipeline())), empty_pipeline() + b"\0")
    with pytest.raises(ArtifactError, match="the bytes under"):
        load_artifact(store, saved.digest)


def test_what_serves_reads_only_what_it_serves_from(store: ArtifactStore) -> None:
    saved = save_artifact(store, "m", RECIPE, MEMBERS)
    overwrite(store.path(sha256(MEMBERS["profile.json"])), b"changed")
    loaded = load_artifact(store, saved.digest, ("plan.json",))
    assert loaded.members == {"plan.json": MEMBERS["plan.json"]}


@pytest.mark.parametrize(
    "manifest",
    [
        b"[]",
        b"{}",
        b"not json",
        b'{"format":"ordain.artifact/2","members":{},"model":"m","recipe":"r"}',
        b'{"format":"ordain.artifact/1","members":{"../plan.json":{}},"model":"m","recipe":"r"}',
    ],
)
def test_what_is_no_manifest_is_refused(store: ArtifactStore, manifest: bytes) -> None:
    digest = store.put(manifest)
    with pytest.raises(ArtifactError) as caught:
        load_artifact(store, digest)
    expected = f"blob {digest} is no manifest of the format ordain.artifact/1"
    assert caught.value.message == expected


@pytest.mark.parametrize("name", ["../plan.json", "Plan.json", "plan.pkl", "plan", ".json"])
def test_a_member_has_a_plain_name(store: ArtifactStore, name: str) -> None:
    with pytest.raises(ArtifactError, match="is no name of a member"):
        save_artifact(store, "m", RECIPE, {name: b"{}"})


FULL = """
import resource, sys
from pathlib import Path
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.errors import ArtifactError, OnnxError, SkopsError
from ordain.runtime.formats.archives import write_archive
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    ArtifactStore(Path(sys.argv[1])).put(b"{" + b" " * 5000 + b"}")
except ArtifactError as error:
    print(error.message.rsplit(": ", 1)[1])
"""


def test_a_full_disk_leaves_nothing_half_written(store: ArtifactStore) -> None:
    """The size limit of a process stands in for the disk: the same `write` fails half-way."""
    assert resource.RLIMIT_FSIZE is not None
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(store.root)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ran.stdout == "File too large\n"
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("level", [0, 4, 6, 9])
def test_a_zlib_stream_of_any_level_is_refused(store: ArtifactStore, level: int) -> None:
    with pytest.raises(ArtifactError, match="this is a zlib stream, as joblib writes it"):
        store.put(zlib.compress(b"data", level))


@pytest.mark.parametrize("form", [lzma.FORMAT_XZ, lzma.FORMAT_ALONE])
def test_xz_and_lzma_are_refused(store: ArtifactStore, form: int) -> None:
    with pytest.raises(ArtifactError, match=r"this is an (xz archive|lzma stream)"):
        store.put(lzma.compress(b"data", format=form))


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest | {"more": 1},
        lambda manifest: (
            manifest | {"members": {"plan.json": manifest["members"]["plan.json"] | {"more": 1}}}
        ),
    ],
)
def test_a_manifest_with_further_keys_is_none(store: ArtifactStore, change: Any) -> None:  # noqa: ANN401
    saved = save_artifact(store, "m", RECIPE, {"plan.json": b"{}"})
    digest = store.put(canonical_json(change(json.loads(store.get(saved.digest)))))
    with pytest.raises(ArtifactError) as caught:
        load_artifact(store, digest)
    assert caught.value.message == f"blob {digest} is no manifest of the format ordain.artifact/1"


def test_a_manifest_that_is_nested_without_end_is_none(store: ArtifactStore) -> None:
    digest = store.put(b"[" * 100_000)
    with pytest.raises(ArtifactError, match="is no manifest of the format"):
        load_artifact(store, digest)
    with pytest.raises(ArtifactError, match="these bytes are no JSON object"):
        save_artifact(store, "m", RECIPE, {"plan.json": b'{"a":' + b"[" * 100_000})
