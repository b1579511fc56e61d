"""Whom somebody means: one person, or a sentence that says why not."""

import pytest

from resilience_assets.actions.people import UnknownPersonError, find_person
from resilience_assets_tests.actions.building import load, person, program, source
from resilience_assets_tests.storage.writing import PROGRAM

PEOPLE = [person("ATT-03", name="Ines Calder"), person("ATT-04", name="Ines Moor"), person("PGY2-05", name="ATT-0x Odd")]


@pytest.fixture
def find(sqlite_database):  # type: ignore[no-untyped-def]
    load(sqlite_database, source(program=PROGRAM, people=PEOPLE), "one")
    load(sqlite_database, program("other", people=[person(one) for one in ("A", "B", "C", "D", "E", "ATT-04")]), "two")

    def find(text: str, program: str | None = None) -> str:
        with sqlite_database.read() as connection:
            found = find_person(connection, text, program)
        return f"{found.code} in {found.program}"

    return find


@pytest.mark.parametrize("text", ["ATT-03", "att-03 ", "Ines Calder", "ines calder", "calder"])
def test_an_id_a_name_or_a_piece_of_a_name_finds_one_person(find, text):
    assert find(text) == "ATT-03 in fm"


def test_what_fits_several_is_not_guessed_and_shows_ids_not_names(find):
    with pytest.raises(UnknownPersonError, match=r"'Ines' may be any of 2: ATT-03 in fm, ATT-04 in fm") as caught:
        find("Ines")
    assert "Calder" not in str(caught.value)
    with pytest.raises(UnknownPersonError, match="--program"):
        find("ATT-04")
    assert find("ATT-04", "other") == "ATT-04 in other"


@pytest.mark.parametrize("text", ["ATT-30", "", "  ", "%"])
def test_nobody_is_said_to_be_nobody(find, text):
    with pytest.raises(UnknownPersonError, match="nobody in any program has the id or name"):
        find(text)


def test_a_near_miss_is_asked_back(find):
    with pytest.raises(UnknownPersonError, match="did you mean ATT-03"):
        find("ATT-3", "fm")


def test_somebody_who_left_is_not_found(sqlite_database):
    load(sqlite_database, source(program=PROGRAM, people=PEOPLE), "one")
    load(sqlite_database, source(program=PROGRAM, people=PEOPLE[1:]), "two", replace=True)
    with sqlite_database.read() as connection, pytest.raises(UnknownPersonError):
        find_person(connection, "ATT-03")
