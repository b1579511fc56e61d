"""What is the same roster, and which date changed."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import OPEN_END
from resilience_assets.domain.fingerprint import fingerprint
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program
from resilience_assets.domain.tables import COLUMNS, RosterTables, frame
from resilience_assets_tests.domain.one_by_one import lay_out
from resilience_assets_tests.domain.strategies import FIRST, roster_tables


def print_of(tables: RosterTables):  # type: ignore[no-untyped-def]
    return fingerprint(roster_from_tables(tables)[0])


def steady() -> RosterTables:
    """Two people on five dates, a qualification that ends on the third, an absence on the fourth."""
    day = {"person": "A", "shift": "AM", "post": "q"}
    return RosterTables(
        program=Program("p", "P", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS),
        people=frame("people", [
            {"person": p, "name": f"N {p}", "role": "MD", "fte": 1.0, "team": "", "home_region": "", "starts": -OPEN_END, "ends": OPEN_END} for p in "AB"
        ]),
        services=frame("services", [{"service": "s", "name": "S", "tier": 2}]),
        posts=frame("posts", [{"post": "q", "service": "s", "role": "MD"}]),
        qualifications=frame("qualifications", [
            {"person": "A", "post": "q", "first": -OPEN_END, "last": OPEN_END}, {"person": "B", "post": "q", "first": -OPEN_END, "last": FIRST + 2},
        ]),
        demand=frame("demand", [{"post": "q", "day": FIRST + i, "slot": "AM", "required": 1, "minimum": 1} for i in range(5)]),
        demand_rules=frame("demand_rules", []),
        assignments=frame("assignments", [day | {"day": FIRST + i} for i in range(5)]),
        absences=frame("absences", [{"person": "A", "first": FIRST + 3, "last": FIRST + 3, "kind": "leave", "approved": True}]),
    )  # fmt: skip


def changed(tables: RosterTables, of: str, /, **cells: object) -> RosterTables:
    """The same tables with the last row of one kind changed."""
    part = getattr(tables, of).copy()
    for column, value in cells.items():
        part.loc[part.index[-1], column] = value
    return replace(tables, **{of: part})


def dates_changed(one: RosterTables, other: RosterTables) -> list[int]:
    """Positions of the dates whose hash differs; both must have the same dates."""
    before, after = print_of(one), print_of(other)
    assert before.content != after.content
    assert len(before.days) == len(after.days)
    return [i for i, (a, b) in enumerate(zip(before.days, after.days, strict=True)) if a != b]


@given(roster_tables(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_and_where_they_came_from_do_not_matter(tables, seed):
    plain = lay_out(tables)
    assume(not plain.twice)  # which of two rows holds is a matter of order, and such a roster is refused
    # of two rules for one cell the later holds: order is meaning there too
    shuffled = {
        kind: getattr(tables, kind).sample(frac=1, random_state=seed % 2**32).reset_index(drop=True)
        for kind in COLUMNS if kind not in ("demand_rules", "demand")
    }  # fmt: skip
    moved = replace(tables, **{kind: part.assign(file="other.csv", row=part["row"] + 7, column="X") for kind, part in shuffled.items()})
    assert print_of(moved) == print_of(tables)


def test_names_do_not_matter():
    tables = steady()
    renamed = replace(
        changed(changed(tables, "people", name="Somebody else"), "services", name="Other words"),
        program=replace(tables.program, name="Renamed", shifts=tuple(replace(one, name="x") for one in DEFAULT_SHIFTS)),
    )
    assert print_of(renamed) == print_of(tables)


def test_whether_an_absence_was_reported_here_or_came_from_a_file_does_not_matter():
    roster, _ = roster_from_tables(steady())
    reported = replace(roster, absences=replace(roster.absences, reported=~roster.absences.reported, source=roster.absences.source + 9))
    assert fingerprint(reported) == fingerprint(roster)


def test_a_changed_cell_changes_its_date_and_no_other():
    tables = steady()
    assert dates_changed(tables, changed(tables, "assignments", post="FREE")) == [4]
    assert dates_changed(tables, changed(tables, "assignments", shift="PM")) == [4]
    assert dates_changed(tables, changed(tables, "demand", required=2)) == [4]
    assert dates_changed(tables, changed(tables, "demand", minimum=0)) == [4]


@given(roster_tables(), st.data())
@settings(max_examples=30, deadline=None)
def test_any_one_cell_of_any_array_changes_its_date_and_no_other(tables, data):
    roster, _ = roster_from_tables(tables)
    assume(roster.slots)
    name = data.draw(st.sampled_from(["planned", "state", "shift", "starts", "required", "minimum"]))
    cells = getattr(roster, name).copy()
    row, slot = data.draw(st.integers(0, cells.shape[0] - 1)), data.draw(st.integers(0, roster.slots - 1))
    cells[row, slot] = not cells[row, slot] if cells.dtype == np.bool_ else cells[row, slot] + 1
    before, after = fingerprint(roster), fingerprint(replace(roster, **{name: cells}))
    assert before.content != after.content
    assert [i for i in range(roster.days) if before.days[i] != after.days[i]] == [slot // roster.per_day]


def test_a_qualification_that_ends_later_changes_the_dates_that_it_gains():
    tables = steady()
    assert dates_changed(tables, changed(tables, "qualifications", last=FIRST + 3)) == [3]
    assert dates_changed(tables, changed(tables, "qualifications", last=FIRST - 1)) == [0, 1, 2]


def test_a_qualification_that_changes_only_after_the_dates_on_file_is_another_roster_with_the_same_dates():
    tables = changed(steady(), "qualifications", last=FIRST + 40)
    assert dates_changed(tables, changed(tables, "qualifications", last=FIRST + 50)) == []


def test_an_absence_changes_the_dates_on_which_somebody_is_away():
    tables = steady()
    assert dates_changed(tables, changed(tables, "absences", last=FIRST + 4)) == [4]
    assert dates_changed(tables, changed(tables, "absences", first=FIRST + 1)) == [1, 2]
    assert dates_changed(tables, changed(tables, "absences", approved=False)) == [3]
    assert dates_changed(tables, changed(tables, "absences", kind="sick")) == []


def test_who_people_and_posts_are_is_part_of_every_date():
    tables = steady()
    everything = [0, 1, 2, 3, 4]
    for kind, cells in [("people", {"fte": 0.5}), ("people", {"role": "NP"}), ("people", {"team": "x"}), ("services", {"tier": 3}), ("posts", {"role": "NP"})]:
        assert dates_changed(tables, changed(tables, kind, **cells)) == everything
    zone = replace(tables, program=replace(tables.program, time_zone="Europe/London"))
    assert dates_changed(tables, zone) == everything
    pairs = replace(tables, program=replace(tables.program, forbidden_successions=(("NIGHT", "AM"),)))
    assert dates_changed(tables, pairs) == everything


def test_the_same_dates_a_week_later_are_another_roster_with_equal_dates():
    tables = replace(steady(), absences=frame("absences", []), qualifications=steady().qualifications.iloc[:1])
    shift = {kind: getattr(tables, kind).assign(day=lambda part: part["day"] + 7) for kind in ("demand", "assignments")}
    before, after = print_of(tables), print_of(replace(tables, **shift))
    assert before.content != after.content
    assert before.days == after.days


def test_a_roster_without_dates_has_a_content_hash():
    empty = replace(steady(), demand=frame("demand", []), assignments=frame("assignments", pd.DataFrame()))
    assert print_of(empty).days == ()
    assert len(print_of(empty).content) == 64
