"""What moved is frozen; what is wrong is refused; everything else goes on."""

import datetime as dt

import pytest
from sqlalchemy import func, select

from resilience_assets.actions import freeze
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.actions.program_states import program_states
from resilience_assets.storage import facts, tables
from resilience_assets_tests.actions.building import FIRST, NOW, POLICIES, QUARTER, load, person, program, source, works
from resilience_assets_tests.storage.dumping import differences, dump

DOUBLE = [works("A", 3), works("A", 3, "DAY", row=77)]


def frozen(database, quarters=0, **options):  # type: ignore[no-untyped-def]
    return {state.code: state for state in freeze_rosters(database, POLICIES, NOW + quarters * QUARTER, **options)}


def count(database, model):  # type: ignore[no-untyped-def]
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(model)).scalar_one()


def test_a_roster_is_frozen_once_a_revision(database):
    load(database, program(), "one")
    first = frozen(database)["fm"]
    before = dump(database)
    assert frozen(database, 1)["fm"].version_id == first.version_id
    assert dump(database) == before
    assert first.frozen.accepted
    assert (first.revision, first.frozen.revision, first.frozen.frozen_at) == (1, 1, NOW)


def test_a_revision_that_changes_no_cell_keeps_its_version(database):
    load(database, program(), "one")
    first = frozen(database)["fm"]
    load(database, source(people=[person(one, name="Somebody else") for one in "ABCDE"]), "two")
    second = frozen(database, 1)["fm"]
    assert (second.frozen.revision, second.version_id) == (2, first.version_id)
    assert count(database, tables.RosterVersion) == 1


def test_a_refused_program_keeps_its_last_version_and_the_others_go_on(database):
    for code in ("a", "b", "c"):
        load(database, program(code), code)
    before = frozen(database)
    load(database, program("b", assignments=DOUBLE), "b2")
    load(database, program("c", assignments=[works("A", 3)]), "c2")
    after = frozen(database, 1)
    assert after["a"].version_id == before["a"].version_id
    assert after["c"].version_id != before["c"].version_id
    assert (after["b"].frozen.accepted, after["b"].version_id, after["b"].frozen.accepted_at) == (False, before["b"].version_id, NOW)


def test_a_refusal_names_rule_file_and_row(database):
    load(database, program(assignments=DOUBLE), "one")
    state = frozen(database)["fm"]
    assert state.version_id is None
    (finding,) = [one for one in state.frozen.findings if one["severity"] == "error"]
    assert (finding["rule"], finding["count"]) == ("double_booking", 1)
    assert finding["examples"] == [{"id": "A", "date": "2026-09-07", "slot": "AM", "file": "assignments.csv", "row": 77, "column": "", "batch": 1}]
    assert "Name of" not in str(state.frozen.findings)


def test_a_mended_roster_is_accepted_again(database):
    load(database, program(assignments=DOUBLE), "one")
    frozen(database)
    load(database, program(), "two")
    assert frozen(database, 1)["fm"].frozen.accepted


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": [person(one, fte=2.0 if one == "C" else 1.0) for one in "ABCDE"]},
        {"assignments": [works("A", 0), works("A", 9000)]},
        {"services": [{"service": "icu", "name": "ICU", "tier": 9}, {"service": "clinic", "name": "Clinic", "tier": 3}]},
    ],
)
def test_facts_that_make_no_roster_stop_only_their_own_program(database, wrong):
    load(database, program("bad", **wrong), "bad")
    load(database, program("good"), "good")
    states = frozen(database)
    assert states["good"].frozen.accepted
    assert not states["bad"].frozen.accepted
    assert states["bad"].frozen.findings[0]["rule"] == "cannot_lay_out"


def test_a_look_at_the_past_freezes_nothing(database):
    load(database, program(), "one")
    before = dump(database)
    assert frozen(database, live=False)["fm"].frozen is None
    assert dump(database) == before


def test_an_earlier_instant_sees_the_version_that_held_then(database):
    load(database, program(), "one")
    first = frozen(database)["fm"]
    load(database, source(assignments=[works("C", 3, "PM")]), "two")
    second = frozen(database, 4)["fm"]
    assert frozen(database, -1, live=False)["fm"].frozen is None
    assert frozen(database, 3, live=False)["fm"].version_id == first.version_id != second.version_id
    assert frozen(database, 4, live=False)["fm"].version_id == second.version_id


def test_a_run_whose_minute_began_before_the_last_freeze_is_not_upset(database):
    """Somebody is reported ill at 06:00:37; a check clicked right after speaks of 06:00."""
    load(database, program(), "one")
    first = frozen(database)["fm"]
    load(database, source(assignments=[works("C", 3, "PM")]), "two")
    freeze_rosters(database, POLICIES, NOW + dt.timedelta(seconds=37))
    before = dump(database)
    assert frozen(database)["fm"].version_id == first.version_id
    assert differences(before, dump(database)) == []


def test_only_the_programs_asked_for_are_frozen(database):
    for code in ("a", "b"):
        load(database, program(code), code)
    assert list(frozen(database, codes=["b"])) == ["b"]
    assert program_states(database, NOW, ["a"])[0].frozen is None


def test_batches_do_not_change_the_outcome(sqlite_database, monkeypatch):
    for code in "abcde":
        load(sqlite_database, program(code), code)
    monkeypatch.setattr(freeze, "BATCH", 2)
    told: list[tuple[str, int, int]] = []
    states = freeze_rosters(sqlite_database, POLICIES, NOW, progress=lambda *args: told.append(args))
    assert all(state.frozen.accepted for state in states)
    assert [done for _, done, _ in told] == [2, 4, 5]


def test_unchanged_programs_are_not_read(sqlite_database, monkeypatch):
    for code in "ab":
        load(sqlite_database, program(code), code)
    frozen(sqlite_database)
    load(sqlite_database, source(program=None, assignments=[works("C", 3, "PM")]), "a2", program="a")
    read: list[list[int]] = []
    whole = facts.read_facts
    monkeypatch.setattr(facts, "read_facts", lambda connection, ids: read.append(list(ids)) or whole(connection, ids))
    frozen(sqlite_database, 1)
    assert read == [[1]]
    assert FIRST == 20_700
