"""Reports are computed once for the same inputs, speak as their analysis does, and say first what became worse."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from resilience_assets.actions import contingency as acting
from resilience_assets.actions.contingency import MOST_LINES, measure_contingency, reports
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.actions.measure import Measured
from resilience_assets.actions.program_states import program_states
from resilience_assets.analysis.contingency.covers import covers_of_window
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import contingency, phase_of
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets.storage import results, tables, versions
from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.building import (
    DAYS,
    FIRST,
    NOW,
    POLICIES,
    away,
    check,
    load,
    person,
    program,
    shown,
    works,
)
from resilience_assets_tests.storage.dumping import differences, dump
from resilience_assets_tests.storage.writing import may, needs

POLICY = POLICIES.default
DAY = dt.timedelta(days=1)


def report(database: Database, at: dt.datetime = NOW, days: int | None = None, policies: Any = POLICIES) -> Measured:
    """Freeze what moved and report on every program."""
    states = freeze_rosters(database, policies, at)
    return measure_contingency(database, policies, at, states, days)


def stored(database: Database, result_id: int) -> Any:
    """The one row of a stored report."""
    with database.read() as connection:
        return results.whole_rows(connection, results.CONTINGENCY, [result_id])[result_id]


def frozen(database: Database, code: str = "fm", at: dt.datetime = NOW) -> Roster:
    """The roster that a report as of an instant speaks of."""
    (state,) = program_states(database, at, [code])
    assert state.version_id is not None
    with database.read() as connection:
        return versions.load_rosters(connection, [state.version_id])[state.version_id][0]


def thin(code: str = "fm", **kinds: list[dict[str, Any]]) -> Any:
    """The program in which only A and E may hold the ICU, so that both together are one loss too many."""
    rights = [may(one, "clinic/MD") for one in "ABCDE"] + [may("A"), may("E")]
    return program(code, **({"qualifications": rights} | kinds))


def test_the_stored_figures_are_those_of_the_analysis(database):
    load(database, thin(), "one")
    measured = report(database)
    (result_id,) = measured.ids.values()
    roster = frozen(database)
    found = contingency(roster, POLICY, FIRST, FIRST + 89)
    row, full = stored(database, result_id), found.minimum[Moves.FULL]
    assert (row.days, row.missing_days, row.people, row.unqualified) == (90, 90 - DAYS, 5, 0)
    assert [row.open_static, row.open_direct, row.open_call_in, row.open_full] == [found.open_seats(moves) for moves in Moves]
    assert (row.n1_pass, row.n2_pass) == (None, False), "50 dates are not on file, and A and E together fail already"
    assert (row.n1_pass_near, row.n2_pass_near) == (True, False)
    assert (row.essential_people, row.harmful_pairs, row.least_losses) == (0, 1, 2)
    near = phase_of(found, utilization(roster, POLICY, FIRST, FIRST + 7).of_program(), POLICY, 8)
    assert (row.phase_risk, row.findings["phase"]["reasons"]) == (near.level.text, list(near.reasons))
    with database.read() as connection:
        people = results.rows_of(connection, results.CONTINGENCY_PERSON, [result_id])
        pairs = results.rows_of(connection, results.CONTINGENCY_PAIR, [result_id])
    assert people["person"].tolist() == list("ABCDE")
    for moves in Moves:
        assert people[f"slots_lost_{moves.name.lower()}"].tolist() == found.minimum[moves].slots_lost.tolist()
    assert people["slots_lost_static"].tolist() == [DAYS, 0, 0, 0, 0]
    assert pairs[["first", "second", "seats", "slots", "more"]].values.tolist() == [["A", "E", DAYS, DAYS, DAYS]]
    assert full.pair(0, 4) == (DAYS, DAYS)


def test_the_detail_holds_the_loss_of_everybody_in_every_slot_and_the_covers(database):
    load(database, thin(), "one")
    (result_id,) = report(database).ids.values()
    roster = frozen(database)
    found = contingency(roster, POLICY, FIRST, FIRST + 89)
    with database.read() as connection:
        header, columns = results.detail_of(connection, result_id)
    full = found.minimum[Moves.FULL]
    for name in ("label", "deficit", "survives"):
        assert np.array_equal(columns[name], getattr(full, name)), name
    assert header["people"] == list("ABCDE")
    assert (header["first_day"], header["slots"]) == (FIRST, [slot.code for slot in roster.program.slot_types])
    for moves in Moves:
        assert np.array_equal(columns[f"open_{moves.name.lower()}"], found.minimum[moves].deficit)
    covers = covers_of_window(roster, POLICY, FIRST, FIRST + 7).columns()
    assert header["covers"] == json.loads(json.dumps(covers))
    assert set(covers["day"]) == set(range(FIRST, FIRST + 8)), "of the health check's horizon"


def test_the_same_as_of_twice_leaves_the_same_rows_byte_for_byte(database):
    for code in ("a", "b"):
        load(database, thin(code), code)
    first = report(database)
    before = dump(database)
    again = report(database)
    assert differences(before, dump(database)) == []
    assert (first.computed, first.found, again.computed, again.found) == (2, 0, 0, 2)
    assert again.ids == first.ids


def test_two_databases_hold_the_same_bytes(database, twin):
    """Nothing but the inputs decides a report: not the database, nor what else is in it."""
    load(twin, thin("other"), "other")
    kept = []
    for one in (database, twin):
        load(one, thin(), "one")
        ids = report(one).ids
        (state,) = program_states(one, NOW, ["fm"])
        with one.read() as connection:
            blob = connection.execute(select(tables.ResultDetail.blob).where(tables.ResultDetail.result_id == ids[state.id])).scalar_one()
        kept.append((bytes(blob), stored(one, ids[state.id])._asdict() | {"result_id": 0}))
    assert kept[0] == kept[1]


@pytest.mark.parametrize("change", ["date", "roster", "policy", "days"])
def test_whatever_makes_a_report_makes_another(database, change):
    load(database, thin(), "one")
    (first,) = report(database).ids.values()
    if change == "roster":
        load(database, thin(assignments=[works("A", 0)]), "two")
    policies = load_policies("health: {low_buffer: 0.2}") if change == "policy" else POLICIES
    again = report(database, NOW + DAY if change == "date" else NOW, 30 if change == "days" else None, policies)
    assert (again.computed, again.found) == (1, 0)
    assert list(again.ids.values()) != [first]


def test_the_first_report_has_nothing_to_compare_with_and_an_equal_one_nothing_new(database):
    load(database, thin(), "one")
    (first,) = report(database).ids.values()
    assert stored(database, first).findings["new"] is None
    (second,) = report(database, NOW + DAY).ids.values()
    nothing = {"people": [], "people_count": 0, "open": [], "open_count": 0, "n1_slots": 0, "n2_slots": 0, "relieved": []}
    assert stored(database, second).findings["new"] == {"since": day_text(FIRST)} | nothing


def test_what_became_worse_is_said_first_with_who_where_and_since_when(database):
    load(database, thin(), "one")
    report(database)
    load(database, thin(absences=[away("E", 3, 4)]), "two")
    one = report(database)
    (result_id,) = one.ids.values()
    found = stored(database, result_id).findings["new"]
    date = day_text(FIRST + 3)
    assert found["people"] == [{"person": "A", "slots": 2, "date": date, "slot": "AM"}]
    assert (found["since"], found["n1_slots"], found["n2_slots"], found["open"]) == (day_text(FIRST), 2, 0, [])
    assert reports(database, {"fm": result_id}).new[0] == {
        "program": "fm", "what": "the loss opens a seat", "person": "A", "first": f"{date} AM", "slots": 2, "since": day_text(FIRST),
    }  # fmt: skip
    load(database, thin(absences=[away("E", 3, 4), away("A", 3, 3)]), "three")
    (result_id,) = report(database).ids.values()
    found = stored(database, result_id).findings["new"]
    assert (found["open"], found["open_count"], found["people"]) == ([{"date": date, "slot": "AM"}], 1, [])
    lines = reports(database, {"fm": result_id}).new
    assert (lines[0]["what"], lines[0]["first"]) == ("a seat is open", f"{date} AM")
    assert stored(database, result_id).findings["open"] == [{"date": date, "slot": "AM", "seats": 1}]


def test_a_program_that_cannot_be_reported_on_stops_no_other(database, monkeypatch):
    for code in ("a", "b"):
        load(database, thin(code), code)
    true = acting.contingency

    def breaks_for_a(roster: Roster, *rest: Any) -> Any:
        if roster.program.id == "a":
            raise ValueError("planted")
        return true(roster, *rest)

    monkeypatch.setattr(acting, "contingency", breaks_for_a)
    measured = report(database)
    assert measured.failed == {"a": "ValueError: planted"}
    assert len(measured.ids) == 1
    headlines = {one["program"]: one for one in check(database).headlines}
    assert (headlines["a"]["n1_pass"], headlines["a"]["n2_pass"], headlines["a"]["phase_risk"]) == (None, None, "unknown")
    assert (headlines["b"]["n1_pass"], headlines["b"]["n2_pass"]) == (True, False)


def test_the_health_check_takes_n_1_and_n_2_of_its_horizon(database):
    load(database, thin(absences=[away("E", 20, 20)]), "one")
    check(database)
    row = shown(database)
    assert (row.n1_pass, row.n2_pass) == (True, False)
    assert stored(database, row.contingency_id).n1_pass is False, "on the 21st date A stands alone"


def test_dates_of_the_horizon_that_are_not_on_file_leave_n_1_unknown(database):
    """A roster that begins the day after tomorrow says nothing of today."""
    later = range(2, DAYS)
    load(database, thin(demand=[needs(day) for day in later], assignments=[works("A", day) for day in later]), "one")
    (result_id,) = report(database).ids.values()
    row = stored(database, result_id)
    assert row.missing_days == 90 - DAYS + 2
    assert (row.n1_pass_near, row.n2_pass_near) == (None, False)


@pytest.mark.parametrize(
    "kinds",
    [
        {"demand": []},
        {"demand": [needs(-20)], "assignments": [works("A", -20)]},
        {"demand": [needs(60)], "assignments": [works("A", 60)]},
        {"people": [person("A")], "qualifications": [], "assignments": []},
    ],
    ids=["nothing asked for", "all of it past", "all of it later", "nobody qualified"],
)
def test_programs_of_which_little_is_known_are_reported_on_and_never_pass(database, kinds):
    load(database, program(**kinds), "one")
    measured = report(database)
    assert measured.failed == {}
    (result_id,) = measured.ids.values()
    row = stored(database, result_id)
    assert row.n1_pass is not True
    assert row.n2_pass is not True
    assert report(database, NOW + DAY).failed == {}, "nor does comparing fail"


def test_tables_over_programs_show_the_gravest_first_and_no_name(database):
    load(database, thin("a", absences=[away("E", 1, 3)]), "a")
    load(database, thin("b", absences=[away("E", 1, 9)]), "b")
    load(database, program("calm"), "calm")
    measured = report(database)
    ids = {state.code: measured.ids[state.id] for state in program_states(database, NOW)}
    found = reports(database, ids)
    assert list(found.rows) == ["a", "b", "calm"]
    assert [(row["program"], row["person"], row["anyone moved"]) for row in found.people[:2]] == [("b", "A", 9), ("a", "A", 3)]
    assert {row["program"] for row in found.people} == {"a", "b", "calm"}, "as rostered A is needed there too"
    assert [(row["program"], row["pair"]) for row in found.pairs[:2]] == [("a", "A + E"), ("b", "A + E")]
    assert {row["program"]: row["N-1"] for row in found.by_program} == {"a": "fails", "b": "fails", "calm": "unknown"}
    assert len(found.people) <= MOST_LINES
    assert "Name of" not in str(found)
