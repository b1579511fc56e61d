"""Checks of the roster: each rule with an input that passes and one that fails, brought in as real imports."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import dagster as dg
import pytest

from resilience_assets.analysis.roster_checks import RULES
from resilience_assets.checks.roster import MEANING
from resilience_assets_tests.assets.deploying import NOW, TODAY, Scratch, small_set, verdicts

ERROR, WARN = dg.AssetCheckSeverity.ERROR, dg.AssetCheckSeverity.WARN
TOMORROW = TODAY + dt.timedelta(days=1)
BASE = small_set()


def checked(scratch: Scratch) -> dict[str, dg.AssetCheckEvaluation]:
    """Verdicts of the roster's checks, by name, after a run of the roster alone."""
    result = scratch.job("periodic_health_check", asset_selection=[dg.AssetKey("roster")])
    assert result.success, "a check that finds something does not fail the run"
    return {name.removeprefix("roster."): one for name, one in verdicts(result).items() if name.startswith("roster.")}


def where(verdict: dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    """Rows of the table of a failed check."""
    return [dict(one.data) for one in verdict.metadata["where"].records]  # type: ignore[union-attr]


def twice(scratch: Scratch) -> None:
    scratch.bring(small_set(assignments=BASE["assignments"] + f"A-01,{TOMORROW},AM,clinic/att\n"))


def minimum_above_required(scratch: Scratch) -> None:
    """No importer lets that in; somebody wrote it into the table."""
    scratch.bring(BASE)
    with closing(sqlite3.connect(scratch.file)) as connection, connection:
        connection.execute("UPDATE demand_rule SET minimum = 9 WHERE required = 2 AND weekday = ?", (TOMORROW.weekday(),))


def removed_person(scratch: Scratch) -> None:
    """No importer leaves that behind; somebody closed A-04's record by hand."""
    scratch.bring(BASE)
    with closing(sqlite3.connect(scratch.file)) as connection, connection:
        connection.execute(
            "UPDATE person_record SET closed_batch_id = 1 WHERE person_id = (SELECT id FROM person WHERE code = 'A-04')"
        )


def unqualified(scratch: Scratch) -> None:
    scratch.bring(small_set(qualifications=BASE["qualifications"].replace("A-03,clinic/att\n", "")))


def away(scratch: Scratch) -> None:
    scratch.bring(small_set(absences=f"person,from,to,kind\nA-01,{TOMORROW},{TOMORROW},leave\n"))


def away_twice(scratch: Scratch) -> None:
    rows = f"A-04,{TODAY},{TOMORROW},leave\nA-04,{TOMORROW},{TOMORROW},conference\n"
    scratch.bring(small_set(absences="person,from,to,kind\n" + rows))


def old(scratch: Scratch) -> None:
    scratch.bring(BASE, at=NOW - dt.timedelta(days=30))


def nothing_wanted(scratch: Scratch) -> None:
    last = TODAY - dt.timedelta(days=1)
    rules = f"post,weekday,slot,required,minimum,from,to\nicu/att,daily,AM,2,1,,{last}\n"
    scratch.bring(small_set(demand_rules=rules))


FAILING: dict[str, tuple[Callable[[Scratch], None], dg.AssetCheckSeverity, int | None, str]] = {
    "double_booking": (twice, ERROR, 1, f"A-01 on {TOMORROW} AM"),
    "demand_range": (minimum_above_required, ERROR, None, "required 2, minimum 9"),
    "unknown_id": (removed_person, ERROR, None, "no longer has"),
    "unqualified": (unqualified, WARN, 31, f"A-03 on {TODAY} PM"),
    "assigned_while_absent": (away, WARN, 1, f"A-01 on {TOMORROW} AM"),
    "overlapping_absences": (away_twice, WARN, 1, f"A-04 on {TOMORROW}"),
    "stale_import": (old, WARN, 1, "720 h old"),
    "no_demand": (nothing_wanted, WARN, 1, f"from {TODAY} to {TODAY + dt.timedelta(days=7)}"),
}
"""By rule: what brings it about, how grave it is, how often it is found, what the sentence says."""


def test_every_rule_has_a_check_a_meaning_and_an_input_that_fails_it() -> None:
    assert set(RULES) == set(MEANING) == set(FAILING)


def test_every_check_passes_on_a_roster_that_is_right(small: Scratch) -> None:
    found = checked(small)
    assert set(found) == {*RULES, "has_roster"}
    for name, verdict in found.items():
        assert verdict.passed, name
        assert verdict.description is None, name
        assert "where" not in verdict.metadata, name
        if name != "has_roster":
            assert (verdict.metadata["programs"].value, verdict.metadata["found"].value) == (1, 0), name


@pytest.mark.parametrize("rule", FAILING)
def test_each_check_fails_on_a_roster_that_is_not(scratch: Scratch, rule: str) -> None:
    bring, severity, count, sentence = FAILING[rule]
    bring(scratch)
    found = checked(scratch)
    assert [name for name, one in found.items() if not one.passed and name != "has_roster"] == [rule], "this rule and no other"
    verdict = found[rule]
    assert verdict.severity is severity
    assert verdict.description is not None
    assert verdict.description.startswith("north: ")
    assert sentence in verdict.description
    assert verdict.metadata["programs_affected"].value == 1
    assert count is None or verdict.metadata["found"].value == count
    assert {(row["program"], row["rule"]) for row in where(verdict)} == {("north", rule)}
    assert found["has_roster"].passed is (severity is WARN), "an error refuses the only roster there is"


def test_a_place_is_followed_back_to_the_row_of_the_file(scratch: Scratch) -> None:
    away(scratch)
    (row,) = where(checked(scratch)["assigned_while_absent"])
    line = BASE["assignments"].splitlines().index(f"A-01,{TOMORROW},AM,icu/att") + 1
    assert row == {
        "program": "north", "rule": "assigned_while_absent", "id": "A-01", "date": str(TOMORROW), "slot": "AM",
        "file": "assignments.csv", "row": line, "column": "", "batch": 1,
    }  # fmt: skip


def test_has_roster_on_an_empty_database_says_what_to_do(scratch: Scratch) -> None:
    found = checked(scratch)
    assert [name for name, one in found.items() if not one.passed] == ["has_roster"]
    assert found["has_roster"].severity is ERROR
    assert found["has_roster"].description == "no roster: run `resilience import` or `resilience demo`"


def test_has_roster_names_a_program_whose_roster_was_never_accepted(small: Scratch) -> None:
    small.bring(small_set("south", assignments=f"person,date,shift,post\nA-01,{TODAY},AM,icu/att\nA-01,{TODAY},AM,clinic/att\n"))
    assert checked(small)["has_roster"].description == "south: no roster was accepted yet"


def test_a_refused_roster_is_told_until_a_right_one_comes(scratch: Scratch) -> None:
    scratch.bring(BASE)
    checked(scratch)
    twice(scratch)
    for _ in range(2):
        assert not checked(scratch)["double_booking"].passed, "also by a run that froze nothing anew"
    scratch.bring(small_set(assignments=BASE["assignments"].replace(f"A-04,{TODAY},AM,FREE", f"A-04,{TODAY},PM,FREE")))
    assert checked(scratch)["double_booking"].passed


def test_what_cannot_be_laid_out_at_all_is_told_with_its_reason(small: Scratch) -> None:
    with closing(sqlite3.connect(small.file)) as connection, connection:
        connection.execute("UPDATE slot_type SET start = 0, \"end\" = 1440")
    found = checked(small)
    assert not found["demand_range"].passed
    (row,) = where(found["demand_range"])
    assert row["program"] == "north"
    assert row["reason"]
