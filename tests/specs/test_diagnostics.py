from __future__ import annotations

from collections.abc import Callable

from ordain.specs.diagnostics import cut_apart, render_text
from ordain.specs.documents import LoadedEstate
from ordain.specs.findings import Finding, Location, Severity

Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]

TREE = {
    "ordain.yaml": b"a: 1\n",
    "specs/model.yaml": "spec:\n\tteir: 1\n  größe: x\n  wide: 中文字 here\n".encode(),
}


def finding(place: Location | None, **more: object) -> Finding:
    values: dict[str, object] = {"code": "SPEC104", "severity": Severity.ERROR, "message": "wrong"}
    return Finding(location=place, **{**values, **more})  # type: ignore[arg-type]


def test_a_finding_shows_its_line_and_a_caret() -> None:
    text = render_text(
        [
            finding(
                Location("specs/model.yaml", 3, 3, 5),
                message="unknown field `größe`",
                evidence=("line = 3",),
                remedy="did you mean `grade`?",
                controls=("SR262-GOV", "HR-SOD"),
            )
        ],
        TREE,
        colour=False,
    )
    assert text == (
        "error[SPEC104]: unknown field `größe`\n"
        " --> specs/model.yaml:3:3\n"
        "  |\n"
        "3 |   größe: x\n"
        "  |   ^^^^^\n"
        "  = note: line = 3\n"
        "  = controls: SR262-GOV, HR-SOD\n"
        "  = help: did you mean `grade`?\n"
        "\n"
        "1 error in 2 files"
    )


def test_a_related_place_is_shown_with_its_own_line(load: Load, files: dict[str, str]) -> None:
    again = {"specs/zz.yaml": files["specs/model.yaml"]}
    tree = {path: text.encode() for path, text in {**files, **again}.items()}
    text = render_text(load(again).findings, tree, colour=False)
    assert text == (
        "error[SPEC110]: there are two documents Model/credit\n"
        " --> specs/zz.yaml:3:18\n"
        "  |\n"
        "3 | metadata: {name: credit}\n"
        "  |                  ^^^^^^\n"
        " ::: specs/model.yaml:3:18\n"
        "  |\n"
        "3 | metadata: {name: credit}\n"
        "  |                  ------ first here\n"
        "  = help: rename or remove one of the two\n"
        "\n"
        "1 error in 8 files"
    )


def test_the_caret_stands_under_tabs_and_wide_letters() -> None:
    tab = render_text([finding(Location("specs/model.yaml", 2, 2, 4))], TREE, colour=False)
    assert "2 |     teir: 1\n  |     ^^^^\n" in tab
    wide = render_text([finding(Location("specs/model.yaml", 4, 13, 4))], TREE, colour=False)
    assert "4 |   wide: 中文字 here\n  |                ^^^^\n" in wide


def test_a_file_without_lines_is_still_named() -> None:
    text = render_text([finding(Location("gone.yaml"))], TREE, colour=False)
    assert text == "error[SPEC104]: wrong\n --> gone.yaml\n\n1 error in 2 files"
    beyond = render_text([finding(Location("ordain.yaml", 99, 1))], TREE, colour=False)
    assert beyond == "error[SPEC104]: wrong\n  --> ordain.yaml:99:1\n\n1 error in 2 files"


def test_a_finding_without_a_place_has_none() -> None:
    text = render_text([finding(None, remedy="mend it")], TREE, colour=False)
    assert text == "error[SPEC104]: wrong\n  = help: mend it\n\n1 error in 2 files"


def test_the_last_line_counts_everything() -> None:
    findings = [
        finding(None),
        finding(None),
        finding(None, severity=Severity.WARNING),
        finding(None, severity=Severity.NOTE),
    ]
    last = render_text(findings, TREE, colour=False).splitlines()[-1]
    assert last == "2 errors, 1 warning, 1 note in 2 files"
    assert render_text([], TREE, colour=False) == "no findings in 2 files"


def test_what_is_waived_is_listed_and_counted() -> None:
    waived = [(finding(Location("ordain.yaml", 1, 1)), "Waiver/old until 2026-12-31, by cto: why")]
    text = render_text([finding(None)], TREE, colour=False, waived=waived)
    assert text == (
        "error[SPEC104]: wrong\n"
        "\n"
        "waived[SPEC104]: ordain.yaml:1:1: wrong\n"
        "  = note: Waiver/old until 2026-12-31, by cto: why\n"
        "\n"
        "1 error in 2 files, 1 waived"
    )


def test_half_a_character_is_shown_as_its_number() -> None:
    text = render_text([finding(None, message="a\udc80b")], TREE, colour=False)
    assert text.startswith("error[SPEC104]: a\\udc80b\n")


def test_colour_only_where_it_is_asked_for() -> None:
    findings = [finding(Location("specs/model.yaml", 3, 3, 5))]
    assert "\x1b" not in render_text(findings, TREE, colour=False)
    assert "\x1b[1;31merror[SPEC104]\x1b[0m" in render_text(findings, TREE, colour=True)


def test_a_file_cannot_move_the_cursor_of_who_reads() -> None:
    tree = {"ordain.yaml": "evil: \x1b[2J\u202etxt\u200b\n".encode()}
    hostile = finding(Location("ordain.yaml", 1, 7, 3), message="\x1b]0;title\x07\r\nok")
    text = render_text([hostile], tree, colour=False)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\u001b[2J\\u202etxt\\u200b" in text


def test_neither_a_path_nor_a_label_begins_a_line() -> None:
    odd = Location("a\nerror[X]: b.yaml")
    text = render_text([finding(odd, related=((odd, "first\x1b\nhere"),))], {}, colour=False)
    assert text == (
        "error[SPEC104]: wrong\n"
        " --> a\\u000aerror[X]: b.yaml\n"
        " ::: a\\u000aerror[X]: b.yaml first\\u001b\\u000ahere\n"
        "\n"
        "1 error in 0 files"
    )


def test_a_message_of_several_lines_stays_one_finding() -> None:
    text = render_text([finding(None, message="one\ntwo")], TREE, colour=False)
    assert text.startswith("error[SPEC104]: one\\u000atwo\n")


def test_of_a_very_long_line_only_the_place_is_shown() -> None:
    line = "x" * 5000 + "HERE" + "y" * 5000
    tree = {"ordain.yaml": line.encode()}
    text = render_text([finding(Location("ordain.yaml", 1, 5001, 4))], tree, colour=False)
    shown, caret = text.splitlines()[3:5]
    assert len(shown) < 180
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "HERE"


def test_of_two_long_texts_what_differs_is_shown() -> None:
    same = "this is what both of them say, at some length, "
    assert cut_apart(f"{same}<= 0.25", f"{same}<= 0.9", 30) == (
        "…length, <= 0.25",
        "…length, <= 0.9",
    )
    longer = f"{same}and then one says no more"
    assert cut_apart(same, longer, 20) == ("…length, ", "…length, and then o…")
    assert cut_apart("x" * 30 + "a", "x" * 30 + "b", 10) == ("…xxxxxa", "…xxxxxb")
    assert cut_apart(f"a {same}", f"b {same}", 10) == ("a this is…", "b this is…")
    assert cut_apart("a", "b", 10) == ("a", "b")


def test_a_password_is_masked_before_an_address_is_cut() -> None:
    address = "postgres://applications:hunter2@db/of-the-credit-union/"
    shown = cut_apart(f"{address}a", f"{address}b", 60), cut_apart(f"{address}a", f"{address}b", 40)
    assert "hunter2" not in str(shown)
