"""Deep dives are computed once, the same again, and the nightly result has exactly its keys."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from sqlalchemy import select

from resilience_assets.actions import deep_dive as acting
from resilience_assets.actions.contingency import measure_contingency
from resilience_assets.actions.deep_dive import RESULT_KEYS, analysis_results, deep_dives, measure_deep_dive, tables
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.actions.measure import Measured
from resilience_assets.actions.program_states import program_states
from resilience_assets.domain.days import day_text
from resilience_assets.storage import results
from resilience_assets.storage import tables as schema
from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.building import DAYS, FIRST, NOW, POLICIES, away, load, person, program, works
from resilience_assets_tests.actions.test_contingency import thin
from resilience_assets_tests.storage.dumping import differences, dump
from resilience_assets_tests.storage.writing import needs

DAY = dt.timedelta(days=1)


def dive(database: Database, at: dt.datetime = NOW, days: int | None = None) -> Measured:
    """The nightly analysis: report and deep dive of every program."""
    states = freeze_rosters(database, POLICIES, at)
    measure_contingency(database, POLICIES, at, states, days)
    return measure_deep_dive(database, POLICIES, at, states, days)


def findings(database: Database, measured: Measured, code: str = "fm") -> dict[str, Any]:
    """What the deep dive of a program found."""
    (state,) = program_states(database, NOW, [code])
    found: dict[str, Any] = deep_dives(database, {code: measured.ids[state.id]})[code].findings
    return found


def test_what_it_finds_is_what_was_built_in(database):
    """Only A and E may hold the ICU; E is away on four dates."""
    load(database, thin(absences=[away("E", 1, 4)]), "one")
    found = findings(database, dive(database))
    assert [(row["losses"], row["people"], row["seats"], row["proven"]) for row in found["worst"][:2]] == [
        (1, ["A"], 4, True), (2, ["A", "E"], DAYS, True),
    ]  # fmt: skip
    assert found["worst"][0]["broken"][0] == {"date": day_text(FIRST + 1), "slot": "AM", "seats": 1}
    assert found["critical"] == ["A"]
    best = found["training"]["best"][0]
    assert (best["post"], best["before"]["seats"], best["after"]["seats"]) == ("icu/MD", 4, 0)
    assert best["person"] in "BCD"
    assert found["recommendations"][0] == "A single loss breaks the roster: arrange a stand-in for A"
    everybody = next(row for row in found["groups"] if row["group"] == "role MD")
    assert (everybody["people"], everybody["seats"]) == (list("ABCDE"), DAYS)
    assert found["hours"]["today"] == "duty hours: holds"
    assert [row["person"] for row in found["risk"]["people"]] == ["A"]
    assert {row["person"] for row in found["centrality"]["people"]} == set("ABCDE")
    assert found["phase"]["level"] == "medium", "one slot in ten hangs on one person"


def test_the_same_as_of_twice_leaves_the_same_rows_byte_for_byte(database):
    for code in ("a", "b"):
        load(database, thin(code), code)
    first = dive(database)
    before = dump(database)
    again = dive(database)
    assert differences(before, dump(database)) == []
    assert (first.computed, again.computed, again.found) == (2, 0, 2)


def test_computed_anew_elsewhere_it_is_the_same_to_the_byte(database, twin):
    kept = []
    for one in (database, twin):
        load(one, thin(absences=[away("E", 1, 4)]), "one")
        (id,) = dive(one).ids.values()
        with one.read() as connection:
            blob = connection.execute(select(schema.ResultDetail.blob).where(schema.ResultDetail.result_id == id)).scalar_one()
            kept.append((bytes(blob), results.whole_rows(connection, results.DEEP_DIVE, [id])[id].findings))
    assert kept[0] == kept[1]


def test_the_detail_has_everybody(database):
    load(database, thin(), "one")
    (id,) = dive(database).ids.values()
    with database.read() as connection:
        header, columns = results.detail_of(connection, id)
    assert header == {"people": list("ABCDE"), "posts": ["clinic/MD", "icu/MD"]}
    assert {columns[name].shape for name in ("betweenness", "composite", "absent_share")} == {(5,)}
    assert {columns[f"gain_{name}"].shape for name in ("open", "seats", "slots")} == {(5, 2)}


def test_what_is_new_since_the_one_before(database):
    load(database, thin(), "one")
    assert findings(database, dive(database))["new"] is None
    load(database, thin(absences=[away("E", 3, 20)]), "two")
    new = findings(database, dive(database, NOW + DAY))["new"]
    assert (new["since"], new["critical"], new["no_longer_critical"]) == (day_text(FIRST), ["A"], [])
    assert [(row["losses"], row["people"], row["seats"], row["before"]) for row in new["worst"][:1]] == [(1, ["A"], 18, 0)]
    assert new["training"][0]["post"] == "icu/MD"
    assert new["phase_risk"] == "medium", "as it was; it is critical now"
    load(database, thin(absences=[away("D", 3, 20)]), "three")
    again = findings(database, dive(database, NOW + 2 * DAY))
    assert (again["critical"], again["new"]["since"]) == ([], day_text(FIRST + 1))
    assert (again["new"]["critical"], again["new"]["no_longer_critical"], again["new"]["worst"]) == ([], ["A"], [])
    assert again["new"]["phase_risk"] == "critical"


def test_the_result_of_the_analysis_has_exactly_its_keys(database):
    load(database, thin("bad", absences=[away("E", 1, 4)]), "bad")
    load(database, program("calm"), "calm")
    dive(database, days=30)
    found = analysis_results(database, POLICIES, NOW, program_states(database, NOW), 30)
    assert list(found) == ["bad", "calm"]
    assert RESULT_KEYS == (
        "timestamp", "period", "n1_pass", "n1_vulnerabilities_count", "n2_pass", "n2_fatal_pairs_count", "phase_transition_risk",
        "most_critical_faculty", "recommendations",
    )  # fmt: skip
    assert all(tuple(one) == RESULT_KEYS for one in found.values())
    bad, calm = found["bad"], found["calm"]
    assert (bad["timestamp"], bad["period"]) == (NOW.isoformat(), "30 days")
    assert (bad["n1_pass"], bad["n1_vulnerabilities_count"], bad["n2_pass"], bad["n2_fatal_pairs_count"]) == (False, 1, False, 4)
    assert (bad["phase_transition_risk"], bad["most_critical_faculty"]) == ("medium", ["A"])
    assert (calm["n1_pass"], calm["n2_pass"], calm["recommendations"]) == (True, True, [])
    assert json.loads(json.dumps(found)) == found


def test_before_the_analysis_ran_so_far_ahead_there_is_no_result(database):
    load(database, thin(), "one")
    dive(database, days=30)
    states = program_states(database, NOW)
    assert analysis_results(database, POLICIES, NOW, states) == {}
    assert analysis_results(database, POLICIES, NOW + DAY, states, 30) == {}, "nor of another date"
    assert analysis_results(database, POLICIES, NOW, [], 30) == {}


def test_a_program_that_fails_stops_no_other(database, monkeypatch):
    for code in ("a", "b"):
        load(database, thin(code), code)
    true = acting.deep_dive

    def breaks_for_a(roster: Any, *rest: Any) -> Any:
        if roster.program.id == "a":
            raise ZeroDivisionError("planted")
        return true(roster, *rest)

    monkeypatch.setattr(acting, "deep_dive", breaks_for_a)
    assert dive(database).failed == {"a": "ZeroDivisionError: planted"}
    assert list(analysis_results(database, POLICIES, NOW, program_states(database, NOW))) == ["b"]


@pytest.mark.parametrize(
    "kinds",
    [
        {"demand": []},
        {"demand": [needs(-20)], "assignments": [works("A", -20)]},
        {"people": [person("A")], "qualifications": [], "assignments": []},
    ],
    ids=["nothing asked for", "all of it past", "nobody qualified"],
)
def test_programs_of_which_little_is_known_have_one_and_its_text_is_json(database, kinds):
    """PostgreSQL refuses what is no number."""
    load(database, program(**kinds), "one")
    measured = dive(database)
    assert measured.failed == {}
    found = deep_dives(database, {"fm": next(iter(measured.ids.values()))})
    json.dumps(found["fm"].findings, allow_nan=False)
    assert set(tables(found)) == set(tables({}))


def test_tables_name_nobody_and_begin_with_what_is_new(database):
    load(database, thin(), "one")
    dive(database)
    load(database, thin(absences=[away("E", 3, 4)]), "two")
    (id,) = dive(database, NOW + DAY).ids.values()
    found = tables(deep_dives(database, {"fm": id}))
    assert next(iter(found)) == "new_since_the_one_before"
    assert found["new_since_the_one_before"][0] == {"program": "fm", "what": "most critical", "who": "A", "since": day_text(FIRST)}
    assert {row["program"] for rows in found.values() for row in rows} == {"fm"}
    assert "Name of" not in str(found)
    assert all(list(row) == list(rows[0]) for rows in found.values() for row in rows), "one table, one set of columns"
    assert found["to_do"][0]["what"].startswith("A single loss breaks the roster")
