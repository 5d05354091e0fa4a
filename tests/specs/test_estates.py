from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ordain.specs.documents import LoadedEstate
from ordain.specs.estates import load_estate

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]


def test_an_estate_that_is_right_has_no_findings(check: Check, load: Load) -> None:
    assert check() == []
    assert sorted(load().documents) == [
        "Dataset/applications",
        "Deployment/credit",
        "Estate/test",
        "Model/credit",
        "ModelVersion/credit-1",
        "Monitor/credit",
        "Route/credit",
    ]


def test_a_document_knows_its_place_and_its_plain_values(load: Load) -> None:
    model = load().get("Model", "credit")
    assert model is not None
    assert model.key == "Model/credit"
    assert f"{model.location}" == "specs/model.yaml:3:18"
    assert model.raw["spec"]["tier"] == 2
    assert model.spec.tier == 2
    assert f"{model.marks.value('spec', 'tier')}" == "specs/model.yaml:6:9"
    assert [document.name for document in load().all("Model")] == ["credit"]


def test_only_the_places_of_the_language_are_read(load: Load) -> None:
    estate = load(
        {
            "README.yaml": "not: ours",
            "specs/note.md": "[",
            "data/x.yaml": "[",
            "specs/deep/er/extra.yml": "# nothing",
            "compliance/x.yaml": "",
            "policies/y.yml": "",
        }
    )
    assert estate.findings == ()
    assert estate.files == (
        "ordain.yaml",
        "compliance/x.yaml",
        "policies/y.yml",
        "specs/dataset.yaml",
        "specs/deep/er/extra.yml",
        "specs/deployment.yaml",
        "specs/model.yaml",
        "specs/monitor.yaml",
        "specs/route.yaml",
        "specs/version.yaml",
    )


def test_a_document_that_is_declared_twice_is_shown_at_both_places(
    load: Load, files: dict[str, str]
) -> None:
    (finding,) = load({"specs/zz.yaml": files["specs/model.yaml"]}).findings
    assert finding.message == "there are two documents Model/credit"
    assert f"{finding.location}" == "specs/zz.yaml:3:18"
    assert [f"{place}" for place, _ in finding.related] == ["specs/model.yaml:3:18"]


def test_without_an_estate_document_there_is_no_estate(check: Check) -> None:
    line = check({"ordain.yaml": None})[0]
    assert line == (
        "SPEC111 ordain.yaml error: there is no `ordain.yaml` that declares the Estate "
        "| go to the root of an estate, or make one with: ordain init DIRECTORY"
    )


def test_a_broken_estate_document_is_not_called_missing(check: Check) -> None:
    codes = [line.split()[0] for line in check({"ordain.yaml": "spec: ["})]
    assert codes == ["SPEC012"]


def test_the_estate_stands_in_its_file_and_nowhere_else(
    check: Check, files: dict[str, str]
) -> None:
    assert check({"specs/other.yaml": files["ordain.yaml"]}) == [
        (
            "SPEC111 other.yaml:3:18 error: the Estate stands in `ordain.yaml` at the root and "
            "nowhere "
            "else | move it there, or remove it"
        )
    ]


def test_a_second_estate_is_refused(check: Check, files: dict[str, str]) -> None:
    second = files["ordain.yaml"] + "---\n" + files["ordain.yaml"].replace("test", "second")
    assert check({"ordain.yaml": second}) == [
        (
            "SPEC111 ordain.yaml:10:18 error: there is a second Estate; an estate is declared once "
            "| remove one of the two"
        )
    ]


def test_a_file_that_cannot_be_read_is_a_finding() -> None:
    class Broken(Mapping[str, bytes]):
        def __getitem__(self, path: str) -> bytes:
            raise PermissionError(13, "Permission denied")

        def __iter__(self) -> Iterator[str]:
            return iter(("ordain.yaml",))

        def __len__(self) -> int:
            return 1

    (finding,) = load_estate(Broken()).findings
    assert finding.code == "SPEC020"
    assert finding.message == "the file cannot be read: Permission denied"
