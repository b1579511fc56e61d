"""The checks of a roster: what each finds, what it lets pass, what refuses."""

from __future__ import annotations

import numpy as np
import pytest

from resilience_assets.analysis.roster_checks import RULES, RosterCheck, check_roster, refused
from resilience_assets.domain.assembly import DoubleBookings
from resilience_assets.domain.days import OPEN_END
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build

POLICY = load_policies().default
NEED = {("ward", 0, "AM"): 1}


def checks(
    roster: Roster, age: float | None = 1.0, first: int = 0, last: int = 7, **more: object
) -> dict[str, RosterCheck]:
    found = check_roster(roster, POLICY, FIRST + first, FIRST + last, import_age_hours=age, **more)  # type: ignore[arg-type]
    assert [one.rule for one in found] == list(RULES)
    assert all(one.sentence and one.severity == RULES[one.rule] for one in found)
    return {one.rule: one for one in found}


def failing(roster: Roster, **more: object) -> dict[str, int]:
    return {rule: one.count for rule, one in checks(roster, **more).items() if not one.passed}  # type: ignore[arg-type]


def test_a_good_roster_passes_everything() -> None:
    assert failing(build({"P": "D N .", "Q": ". D D"}, required=NEED)) == {}


def test_work_without_qualification_is_counted_by_assignment() -> None:
    roster = build(
        {"P": "D D .", "Q": "D . ."}, qualified=[("Q", "ward"), ("P", "ward", FIRST + 1, OPEN_END)], required=NEED
    )
    found = checks(roster)["unqualified"]
    assert (found.count, found.examples) == (1, (("P", FIRST, "AM", 1),))
    assert found.sources.tolist() == [1]
    assert found.of == "assignments"
    assert "P on 2025-09-01 AM" in found.sentence


def test_work_while_away_counts_unless_the_absence_was_reported_here() -> None:
    def one(approved: bool, reported: bool) -> dict[str, int]:
        return failing(build({"P": "D D ."}, required=NEED, absences=[("P", 1, 1, approved, reported)]))

    assert one(approved=True, reported=False) == {"assigned_while_absent": 1}
    assert one(approved=True, reported=True) == {}
    assert one(approved=False, reported=False) == {}


def test_cells_without_a_row_behind_them_are_counted_one_by_one() -> None:
    roster = build({"P": "D H", "Q": "D ."}, qualified=[("Q", "ward")], required=NEED)
    roster.source[roster.people.index(next(one for one in roster.people if one.id == "P")), :2] = 0
    found = checks(roster)["unqualified"]
    assert found.count == 3
    assert found.sources.tolist() == [2]


def test_the_past_is_not_held_against_a_roster() -> None:
    roster = build({"P": "D D D"}, required=NEED | {("ward", 2, "AM"): 1}, absences=[("P", 0, 1, True, False)])
    assert failing(roster) == {"assigned_while_absent": 2}
    assert failing(roster, first=1) == {"assigned_while_absent": 1}
    assert failing(roster, first=2) == {}


def test_demand_out_of_range_refuses() -> None:
    for required, minimum, wrong in ((2, 2, 0), (2, 3, 1), (-1, -1, 1), (0, -1, 1), (0, 0, 0)):
        roster = build({"P": "D"}, required=NEED)
        roster.required[0, 1], roster.minimum[0, 1], roster.demand_source[0, 1] = required, minimum, -7
        found = checks(roster)["demand_range"]
        assert found.count == wrong
        assert refused([found]) is bool(wrong)
        if wrong:
            assert found.examples == (("ward", FIRST, "PM", -7),)
            assert found.sources.tolist() == [-7]


def doubles(*cells: tuple[int, int, int, int]) -> DoubleBookings:
    columns = np.array(cells, dtype=np.int64).reshape(-1, 4).T
    return DoubleBookings(*columns)


def test_double_bookings_refuse_and_name_both_rows() -> None:
    roster = build({"P": "D", "Q": "D"}, required=NEED)
    found = checks(roster, doubles=doubles((1, 2, 11, 12)))["double_booking"]
    assert (found.count, found.severity) == (1, Severity.ERROR)
    assert found.examples == (("Q", FIRST, "NIGHT", 12),)
    assert found.sources.tolist() == [11, 12]
    assert refused([found])
    assert checks(roster, doubles=doubles())["double_booking"].passed
    told = Finding(Severity.ERROR, "double_booking", "P is in two places at once")
    assert checks(roster, findings=[told])["double_booking"].count == 1


def test_unknown_ids_refuse() -> None:
    told = [
        Finding(Severity.ERROR, "unknown_person", "assignments name person 'X'"),
        Finding(Severity.NOTE, "other", ""),
    ]
    found = checks(build({"P": "D"}, required=NEED), findings=told)["unknown_id"]
    assert (found.count, found.sentence) == (1, "assignments name person 'X'")
    assert refused([found])


@pytest.mark.parametrize(
    ("absences", "count"),
    [
        ([("P", 0, 1, True, False), ("P", 2, 3, True, False)], 0),  # one ends the day before the other
        ([("P", 0, 2, True, False), ("P", 2, 3, True, False)], 1),
        ([("P", 0, 9, True, False), ("P", 1, 1, True, False), ("P", 5, 5, True, False)], 2),  # both lie in the first
        ([("P", 0, 2, True, False), ("Q", 1, 3, True, False)], 0),
        ([("P", 0, 2, True, False), ("P", 2, 3, False, False)], 0),  # one is only asked for
        ([("P", 0, 2, True, False), ("P", 2, 3, True, True)], 0),  # reported here, lies over the source's
        ([("P", -9, -5, True, False), ("P", -6, 0, True, False)], 0),  # only the second reaches today
        ([("P", -9, 0, True, False), ("P", -6, 0, True, False)], 1),  # both end today
        ([("P", -9, -5, True, False), ("P", -6, -3, True, False)], 0),  # over
    ],
)
def test_overlapping_absences(absences: list[tuple[str, int, int, bool, bool]], count: int) -> None:
    roster = build({"P": ". . . . . . . . . .", "Q": "."}, required=NEED, absences=absences)
    found = checks(roster)["overlapping_absences"]
    assert found.count == count
    assert found.severity == Severity.WARNING
    if count:
        assert found.examples[0][3] == 502
        assert found.of == "absences"


def test_an_import_may_be_as_old_as_the_policy_says_and_no_older() -> None:
    roster = build({"P": "D"}, required=NEED)
    limit = POLICY.roster.import_age_hours
    assert failing(roster, age=limit) == {}
    assert failing(roster, age=limit + 0.1) == {"stale_import": 1}
    assert failing(roster, age=None) == {"stale_import": 1}


def test_a_horizon_without_demand_is_a_finding() -> None:
    assert failing(build({"P": "D D"})) == {"no_demand": 1}
    assert failing(build({"P": "D D"}, required=NEED), first=1) == {"no_demand": 1}
    assert failing(build({"P": "D D"}, required=NEED), first=30, last=31) == {"no_demand": 1}


def test_warnings_do_not_refuse() -> None:
    found = check_roster(build({"P": "D"}, qualified=[]), POLICY, FIRST, FIRST + 7, import_age_hours=None)
    assert sum(not one.passed for one in found) == 3
    assert not refused(found)


def test_examples_are_limited_and_sources_are_not() -> None:
    roster = build({f"P{i:02d}": "D D" for i in range(30)}, qualified=[("P00", "ward")], required=NEED)
    found = checks(roster)["unqualified"]
    assert found.count == 58
    assert len(found.examples) == POLICY.roster.examples
    assert found.sources.size == 58
