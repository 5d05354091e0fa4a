from __future__ import annotations

import pytest
import yaml

from ordain.specs.errors import FindingsError, SpecError
from ordain.specs.inventories import Entry, model_document, read_inventory, slug

TABLE = """\
Model ID;Intended use;Team;Risk tier;Vendor;Version
PD Retail;Probability of default;Credit Risk;Tier 1;;
;;;;;
Fraud, cards;Find fraud;Operations;2;Acme;4.2
"""


def test_columns_are_found_by_the_names_that_spreadsheets_give_them() -> None:
    first, second = read_inventory(TABLE, "models.csv")
    assert (first.name, first.owner, first.tier, first.provider) == (
        "pd-retail",
        "credit-risk",
        1,
        "",
    )
    assert (second.name, second.provider, second.version) == ("fraud-cards", "Acme", "4.2")


@pytest.mark.parametrize("separator", [",", "\t"])
def test_commas_and_tabs_separate_as_well(separator: str) -> None:
    table = "name;purpose;owner;tier\na;b;c;3\n".replace(";", separator)
    (entry,) = read_inventory(table, "models.csv")
    assert entry == Entry("a", "b", "c", 3)


def test_a_column_may_be_named_by_the_caller() -> None:
    table = "Modell,Zweck,owner,tier\na,b,c,3\n"
    renamed = {"Modell": "name", "Zweck": "purpose"}
    assert read_inventory(table, "m.csv", renamed) == (Entry("a", "b", "c", 3),)
    with pytest.raises(SpecError) as caught:
        read_inventory(table, "m.csv", {"Model": "name"})
    assert caught.value.message == "m.csv: the table has no column 'Model'"
    assert caught.value.remedy == "did you mean `Modell`?"


def test_every_fault_of_every_row_is_said_at_once() -> None:
    table = (
        "name,purpose,owner,tier,task\n"
        "a,b,c,1,classification\n"
        "A,b,c,2,regression\n"
        "---,b,,high,\n"
        "d,b,c,3,ranking\n"
        "e,b\n"
    )
    with pytest.raises(FindingsError) as caught:
        read_inventory(table, "m.csv")
    found = [(one.location.line, one.message) for one in caught.value.findings if one.location]
    assert found == [
        (3, "a is listed in line 2 already"),
        (4, "the tier is 'high', and not 1, 2 or 3"),
        (5, "the task is 'ranking', and not classification, regression or clustering"),
        (6, "the row has 2 cells, and its header more"),
    ]
    assert caught.value.message == "m.csv: 4 faults; nothing was written"


def faults(table: str) -> list[str]:
    with pytest.raises(FindingsError) as caught:
        read_inventory(table, "m.csv")
    return [one.message for one in caught.value.findings]


@pytest.mark.parametrize(
    "tier", ["0", "9", "1.5", "-1", "1 (was 3)", "high", "11", "", "\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_a_tier_is_one_of_three_and_nothing_around_it(tier: str) -> None:
    found = faults(f"name,purpose,owner,tier\na,b,c,{tier}\n")
    assert found == [f"the tier is {tier!r}, and not 1, 2 or 3"]


@pytest.mark.parametrize("tier", ["2", "Tier 2", "TIER2", " tier  2 "])
def test_a_tier_may_be_called_one(tier: str) -> None:
    (entry,) = read_inventory(f"name,purpose,owner,tier\na,b,c,{tier}\n", "m.csv")
    assert entry.tier == 2


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("https://u:secret@h.example.org/", "the address holds credentials or a query; leave them"),
        ("https://secret@h.example.org/", "the address holds credentials or a query; leave them"),
        ("https://h.example.org/?key=secret", "the address holds credentials or a query; leave"),
        ("https://h.example.org/#secret", "the address holds credentials or a query; leave"),
        ("http://h.example.org/", "the address has no TLS; write https"),
        ("not a url", "the address holds white space or control characters"),
        ("secret", "the address is none of the form https://HOST/PATH"),
        ("https://h.example.org:x/", "this is no address: its host or its port cannot be read"),
    ],
)
def test_an_address_of_a_table_is_held_to_what_a_document_may_hold(
    address: str, fault: str
) -> None:
    (found,) = faults(f"name,purpose,owner,tier,endpoint\na,b,c,1,{address}\n")
    assert found.startswith(fault)
    assert "secret" not in found


def test_control_characters_are_faults_of_their_row() -> None:
    table = "name,purpose,owner,tier,vendor\na,b\x7f,c,1,x\nd,e,f,2,y\x85z\ng,h\u2028i,j,3,\n"
    assert faults(table) == [
        "purpose: holds the character U+007F, which no document may hold",
        "external.provider: holds the character U+0085, which no document may hold",
        "purpose: holds the character U+2028, which no document may hold",
    ]
    block = {"file": "sha256:" + "a" * 64, "format": "skops", "inputs": ("x", "\ud800")}
    with pytest.raises(SpecError) as caught:
        model_document(Entry("a", "b", "c", 2, imported=block), "m.pkl")
    assert caught.value.message == (
        "model a: imported.inputs: holds the character U+D800, which no document may hold"
    )
    assert b"from m?.csv." in model_document(Entry("a", "b", "c", 2), "m\x1b.csv")


@pytest.mark.parametrize("name", ["2024", "null", "1e5", "true"])
def test_a_name_that_looks_like_another_value_is_a_text(name: str) -> None:
    (entry,) = read_inventory(f"name,purpose,owner,tier\n{name},b,c,1\n", "m.csv")
    assert yaml.safe_load(model_document(entry, "m.csv"))["metadata"] == {"name": name}


def test_a_column_that_the_caller_names_wins_over_those_that_are_found() -> None:
    table = "name,Model Name,purpose,owner,tier\nid-7,PD Retail,b,c,1\n"
    with pytest.raises(SpecError) as caught:
        read_inventory(table, "m.csv")
    assert caught.value.remedy == "rename one, or say which: --map 'Model Name=name'"
    for theirs, ours in (("Model Name", "pd-retail"), ("name", "id-7")):
        (entry,) = read_inventory(table, "m.csv", {theirs: "name"})
        assert entry.name == ours


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "m.csv: no column is the name or the purpose or the owner or the tier of a model"),
        ("name,purpose,owner\n", "m.csv: no column is the tier of a model"),
        (
            "name,model,purpose,owner,tier\n",
            "m.csv: two columns are the name: 'name' and 'model'",
        ),
        ("name,purpose,owner,tier\n", "m.csv has no row below its header"),
        ('name,purpose,owner,tier\n"a', "m.csv:2: this is no table: unexpected end of data"),
    ],
)
def test_a_table_that_is_no_inventory(table: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_inventory(table, "m.csv")
    assert caught.value.message == message


def test_a_document_is_yaml_whatever_a_cell_holds() -> None:
    entry = Entry("a", 'Find: "fraud" # now\n- yes', "c", 2, provider="Açme: [x]", version="no")
    document = yaml.safe_load(model_document(entry, "models\n.csv"))
    assert document["spec"] == {
        "purpose": 'Find: "fraud" # now\n- yes',
        "tier": 2,
        "owner": "c",
        "task": "classification",
        "external": {"provider": "Açme: [x]", "version": "no"},
    }


def test_an_imported_file_is_named_by_its_digest() -> None:
    block = {"file": "sha256:" + "a" * 64, "format": "skops", "inputs": ("x", "y")}
    document = yaml.safe_load(model_document(Entry("a", "b", "c", 2, imported=block), "m.pkl"))
    assert document["spec"]["imported"] == {**block, "inputs": ["x", "y"]}
    assert "external" not in document["spec"]


def test_an_entry_that_is_no_model_is_refused() -> None:
    with pytest.raises(SpecError, match="model a: tier"):
        model_document(Entry("a", "b", "c", 9), "m.csv")


def test_names_are_those_of_the_language() -> None:
    assert slug("PD / Retail (2024) é") == "pd-retail-2024"
    assert slug("---") == ""
    assert len(slug("a" * 80)) == 63
