"""The arrays say what the rows say: against a layout of one row after the other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.domain import assembly, states
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import OPEN_END, OPEN_START
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets_tests.domain.one_by_one import Plain, lay_out
from resilience_assets_tests.domain.strategies import FIRST, roster_tables

HALF_DAYS = Program("p", "P", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)


def tables(**parts) -> RosterTables:  # type: ignore[no-untyped-def]
    """One post `icu` on service ICU, people A and B who may hold it, and the given kinds."""
    rows = {
        "people": [{"person": p, "name": "", "role": "MD", "fte": 1.0, "team": "", "home_region": "", "starts": OPEN_START, "ends": OPEN_END} for p in "AB"],
        "services": [{"service": "ICU", "name": "ICU", "tier": 1}],
        "posts": [{"post": "icu", "service": "ICU", "role": "MD"}],
        "qualifications": [{"person": p, "post": "icu", "first": OPEN_START, "last": OPEN_END} for p in "AB"],
    } | parts  # fmt: skip
    return RosterTables(program=HALF_DAYS, **{kind: frame(kind, part) for kind, part in rows.items()})


def works(person: str, day: int, shift: str, post: str = "icu") -> dict[str, object]:
    return {"person": person, "day": FIRST + day, "shift": shift, "post": post}


def agree(roster: Roster, plain: Plain) -> None:
    """Assert that the arrays and the dicts hold the same roster, cell by cell, provenance included."""
    posts = [post.id for post in roster.posts]
    code = dict.fromkeys(("OFF",), -1) | states.RESERVED | {post: i for i, post in enumerate(posts)}
    shifts = [shift.code for shift in roster.program.shifts]
    assert roster.days == plain.last - plain.first + 1
    assert roster.days == 0 or roster.first_day == plain.first
    filled = roster.filled()
    for t in range(roster.slots):
        day, slot = roster.first_day + t // roster.per_day, t % roster.per_day
        for p, person in enumerate(roster.people):
            cell = person.id, day, slot
            planned = code[plain.planned.get(cell, "OFF")]
            assert roster.planned[p, t] == planned
            assert roster.state[p, t] == (states.ABSENT if (person.id, day) in plain.away else planned)
            assert roster.shift[p, t] == (shifts.index(plain.shift[cell]) if cell in plain.shift else -1)
            assert roster.starts[p, t] == (cell in plain.starts)
            assert roster.source[p, t] == plain.source.get(cell, 0)
        for q, post in enumerate(posts):
            wanted = plain.demand.get((post, day, slot), (0, 0, 0))
            assert (roster.required[q, t], roster.minimum[q, t], roster.demand_source[q, t]) == wanted
            assert filled[q, t] == plain.filled.get((post, day, slot), 0)


@given(roster_tables())
@settings(max_examples=100, deadline=None)
def test_every_cell_is_what_the_rows_say(given_tables):
    plain = lay_out(given_tables)
    roster, findings = roster_from_tables(given_tables)
    agree(roster, plain)
    assert sum(finding.rule == "double_booking" for finding in findings) == len(plain.twice)


@given(roster_tables(), st.randoms())
@settings(max_examples=30, deadline=None)
def test_double_bookings_name_the_row_kept_and_the_row_left_out(given_tables, random):
    seen = []
    plain = lay_out(given_tables)
    laid = assembly.assemble

    def watched(facts):  # type: ignore[no-untyped-def]
        # the order in which rows come must not matter: ids decide
        order = list(range(facts.assignments["source"].size))
        random.shuffle(order)
        facts = replace(facts, assignments={name: column[order] for name, column in facts.assignments.items()})
        roster, doubles = laid(facts)
        for person, slot, kept, out in zip(doubles.person, doubles.slot, doubles.kept, doubles.left_out, strict=True):
            cell = facts.people[person].id, roster.first_day + int(slot) // roster.per_day, int(slot) % roster.per_day
            seen.append((cell, int(kept), int(out)))
        return roster, doubles

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "assemble", watched)
        roster, _ = roster_from_tables(given_tables)
    assert sorted(seen) == sorted(plain.twice)
    agree(roster, plain)


def test_the_oracle_notices_a_wrong_comparison(monkeypatch):
    """A planted bug: absences that end a day early must not pass."""
    given_tables = tables(
        assignments=[works("A", 0, "DAY"), works("A", 1, "DAY")],
        absences=[{"person": "A", "first": FIRST, "last": FIRST + 1, "kind": "sick", "approved": True}],
    )
    agree(roster_from_tables(given_tables)[0], lay_out(given_tables))
    lay = assembly._lay_absences

    def early(facts, first_day, days, state):  # type: ignore[no-untyped-def]
        lay(replace(facts, absences=replace(facts.absences, last=facts.absences.last - 1)), first_day, days, state)

    monkeypatch.setattr(assembly, "_lay_absences", early)
    with pytest.raises(AssertionError):
        agree(roster_from_tables(given_tables)[0], lay_out(given_tables))


def test_a_call_of_24_hours_holds_the_day_and_the_night_and_starts_once():
    roster, _ = roster_from_tables(tables(assignments=[works("A", 0, "CALL24"), works("B", 1, "AM")]))
    assert roster.planned[0].tolist() == [0, 0, 0, -1, -1, -1]
    assert roster.starts[0].tolist() == [True, False, False, False, False, False]


def test_two_assignments_at_once_keep_the_first_row_and_tell_of_the_other():
    roster, findings = roster_from_tables(tables(assignments=[works("A", 0, "DAY"), works("A", 0, "PM", "FREE")]))
    assert [str(finding.rule) for finding in findings] == ["double_booking"]
    assert roster.planned[0].tolist() == [0, 0, states.OFF]
    assert roster.source[0].tolist() == [1, 1, 0]


def test_a_dated_demand_overrides_every_weekly_rule_and_only_its_cell():
    monday = FIRST + (-(FIRST + 3)) % 7
    rule = {"post": "icu", "weekday": 0, "slot": "AM", "required": 3, "minimum": 2, "first": OPEN_START, "last": OPEN_END}
    later = rule | {"required": 5, "minimum": 5, "first": monday + 7, "last": monday + 7}
    dated = {"post": "icu", "day": monday, "slot": "AM", "required": 0, "minimum": 0}
    far = {"post": "icu", "day": monday + 14, "slot": "PM", "required": 1, "minimum": 1}
    roster, _ = roster_from_tables(tables(demand_rules=[rule, later], demand=[dated, far]))
    mornings = roster.required[0, 0::3]
    assert {monday + i: int(n) for i, n in enumerate(mornings) if n} == {monday + 7: 5, monday + 14: 3}
    assert int(roster.demand_source[0, 0]) == 1  # the dated row, though it asks for nobody
    assert int(roster.demand_source[0, 7 * 3]) == -2


def test_weekly_rules_alone_make_no_dates():
    rule = {"post": "icu", "weekday": 0, "slot": "AM", "required": 3, "minimum": 2, "first": OPEN_START, "last": OPEN_END}
    assert roster_from_tables(tables(demand_rules=[rule]))[0].days == 0


def test_who_only_asked_for_leave_is_still_present():
    roster, _ = roster_from_tables(tables(
        assignments=[works("A", 0, "AM")],
        absences=[{"person": "A", "first": FIRST, "last": FIRST, "kind": "leave", "approved": False}],
    ))  # fmt: skip
    assert roster.state[0, 0] == 0
    assert roster.absences.kind == ("leave",)


def test_dates_outside_employment_are_away():
    person = {"person": "A", "name": "", "role": "MD", "fte": 1.0, "team": "", "home_region": "", "starts": FIRST + 1, "ends": FIRST + 1}
    roster, _ = roster_from_tables(tables(people=[person], qualifications=[], assignments=[works("A", day, "AM") for day in range(3)]))
    assert (roster.state[0, 0::3] == states.ABSENT).tolist() == [True, False, True]
    assert (roster.planned[0, 0::3] == 0).all()


def test_rows_that_name_somebody_unknown_are_left_out_and_told():
    roster, findings = roster_from_tables(tables(assignments=[works("Z", 0, "AM"), works("A", 0, "AM")]))
    assert [finding.rule for finding in findings] == ["unknown_person"]
    assert roster.source[0, 0] == 2


def test_a_typing_error_in_a_year_does_not_fill_the_memory():
    with pytest.raises(ValueError, match="look for a wrong year"):
        roster_from_tables(tables(assignments=[works("A", 0, "AM"), works("A", assembly.MOST_DAYS, "AM")]))


def test_nothing_at_all_is_an_empty_roster():
    roster, findings = roster_from_tables(RosterTables())
    assert (roster.days, roster.people, roster.posts, findings) == (0, (), (), [])
    assert roster.filled().shape == (0, 0)
    assert np.array_equal(roster.slot_hours(), [])
