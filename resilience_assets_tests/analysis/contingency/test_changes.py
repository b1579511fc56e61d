"""What is new in a report, against a comparison date by date and id by id."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.changes import Changes, Known, changes
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default


def known(roster: Roster) -> Known:
    """What the report of all dates of a roster says."""
    full = contingency(roster, POLICY, roster.first_day, roster.last_day).minimum[Moves.FULL]
    ids = tuple(person.id for person in roster.people)
    return Known(roster.first_day, roster.per_day, ids, full.label, full.deficit, full.survives)


def away(roster: Roster, person: int) -> Roster:
    """The roster with somebody away on all dates."""
    state = roster.state.copy()
    state[person] = states.ABSENT
    return replace(roster, state=state)


@st.composite
def reports(draw: st.DrawFn, per_day: int = 2) -> Known:
    """Anything that a report may say, of 0 to 3 dates and some of four people."""
    people = tuple(draw(st.lists(st.sampled_from("ABCD"), unique=True, max_size=4)))
    slots = draw(st.integers(0, 3)) * per_day
    cell = st.sampled_from([0, 1, 2, ESSENTIAL])
    label = [[draw(cell) for _ in people] for _ in range(slots)]
    deficit = [draw(st.integers(0, 2)) for _ in range(slots)]
    survives = [draw(st.integers(0, 2)) for _ in range(slots)]
    return Known(
        100 + draw(st.integers(0, 3)), per_day, people,
        np.array(label, dtype=np.uint8).reshape(slots, len(people)), np.array(deficit, dtype=np.int64), np.array(survives, dtype=np.int64),
    )  # fmt: skip


def one_by_one(before: Known, now: Known) -> Changes:
    """The same, by looking up every date, slot and id."""

    def cells(known: Known) -> dict[tuple[int, int], int]:
        return {(known.first_day + t // known.per_day, t % known.per_day): t for t in range(len(known.deficit))}

    def needed(known: Known, person: str, t: int) -> bool:
        return person in known.people and int(known.label[t, known.people.index(person)]) == ESSENTIAL

    then, this = cells(before), cells(now)
    both = [(cell, then[cell], this[cell]) for cell in sorted(this) if cell in then]
    lost: dict[str, list[tuple[int, int]]] = {}
    for person in now.people:
        for cell, old, new in both:
            if needed(now, person, new) and not needed(before, person, old):
                lost.setdefault(person, []).append(cell)
    rows = [(-len(where), *where[0], person) for person, where in lost.items()]
    return Changes(
        people=tuple(sorted(rows)),  # type: ignore[arg-type]
        open_slots=tuple(new for _, old, new in both if now.deficit[new] > before.deficit[old]),
        n1_slots=tuple(new for _, old, new in both if now.survives[new] == 0 and before.survives[old] > 0),
        n2_slots=tuple(new for _, old, new in both if now.survives[new] < 2 and before.survives[old] == 2),
        relieved=tuple(
            person for person in now.people
            if any(needed(before, person, old) for _, old, _ in both) and not any(needed(now, person, new) for _, _, new in both)
        ),
    )  # fmt: skip


@given(reports(), reports())
@settings(max_examples=200, deadline=None)
def test_only_what_became_worse_on_the_dates_of_both(before: Known, now: Known) -> None:
    found = changes(before, now)
    rows = tuple((-one.slots, one.day, one.slot, one.person) for one in found.people)
    assert replace(found, people=rows) == one_by_one(before, now)  # type: ignore[arg-type]
    assert found.any == bool(found.people or found.open_slots or found.n1_slots or found.n2_slots)


@given(rosters())
@settings(max_examples=40, deadline=None)
def test_compared_with_itself_nothing_is_new(roster: Roster) -> None:
    this = known(roster)
    assert changes(this, this) == Changes((), (), (), (), ())
    assert not changes(this, this).any


@given(rosters(), st.data())
@settings(max_examples=80, deadline=None)
def test_one_more_absence_makes_nothing_better(roster: Roster, data: st.DataObject) -> None:
    """Seated people form the independent sets of a matroid: with one person fewer nobody else is needed less."""
    person = data.draw(st.integers(0, len(roster.people) - 1))
    ids = {roster.people[person].id}
    before, now = known(roster), known(away(roster, person))
    back = changes(now, before)
    assert back.open_slots == ()
    assert {one.person for one in back.people} <= ids
    assert set(changes(before, now).relieved) <= ids
    opened = changes(before, now).open_slots
    assert opened == tuple(np.flatnonzero(before.label[:, person] == ESSENTIAL).tolist()), "where the loss was said to open a seat"


def test_a_person_who_was_not_there_is_new_and_a_slot_is_numbered_as_in_the_newer() -> None:
    need = {("ward", day, "AM"): 1 for day in range(3)}
    before = known(build({"A": "D D D", "B": "- - -"}, required=need, minimum=need, holds={"A": "ward"}))
    alone = build({"C": "D D D"}, required=need, minimum=need, first_day=FIRST + 1, holds={"C": "ward"})
    found = changes(before, known(alone))
    assert [(one.person, one.slots, one.day, one.slot) for one in found.people] == [("C", 2, FIRST + 1, 0)]
    assert (found.open_slots, found.n1_slots, found.relieved) == ((), (0, 3), ())
    later = changes(known(alone), before)
    assert (later.people, later.relieved, later.any) == ((), (), False), "C is not there any more"


def test_reports_that_have_no_date_in_common_say_nothing_of_each_other() -> None:
    need = {("ward", 0, "AM"): 1}
    one, other = (known(build({"A": "D"}, required=need, minimum=need, first_day=FIRST + day)) for day in (0, 9))
    assert not changes(one, other).any
    assert not changes(other, one).any


def test_a_day_that_is_divided_differently_cannot_be_compared() -> None:
    this = known(build({"A": "D"}))
    with pytest.raises(ValueError, match="3 and 1 slots a day: they cannot be compared"):
        changes(this, replace(this, per_day=1))
