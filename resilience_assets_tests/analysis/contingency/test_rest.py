"""Rest and succession rules in the masks, against the duty rules judged on the changed roster."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.masks import masks_of
from resilience_assets.analysis.contingency.rest import PATTERNS, posts_by_shift
from resilience_assets.analysis.duty_hours import Breach, breaches
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern
from resilience_assets_tests.analysis.building import FIRST, SHIFT_INDEX, build

RULE = {
    "kind": "forbidden_pattern",
    "text": "a rule",
    "source": "here",
    "force": "local rule",
    "first": dt.date(2000, 1, 1),
}
DUTY = DutyPolicy(
    break_hours=1,
    rules=(
        ForbiddenPattern(id="between", pattern="rest_between", hours=10, **RULE),
        ForbiddenPattern(id="after", pattern="rest_after", hours=14, after_hours=24, **RULE),
        ForbiddenPattern(id="long", pattern="max_continuous", hours=24, transition_hours=4, **RULE),
        ForbiddenPattern(id="order", pattern="succession", **RULE),
    ),
)
FORBIDDEN = (("N", "D"), ("N", "H"), ("C", "P"))
SLOTS = ("AM", "PM", "NIGHT")


def may_hold(roster: Roster, duty: DutyPolicy, person: str, day: int, slot: str) -> set[str]:
    """Posts that the masks allow a person in one slot."""
    masks = masks_of(roster, duty, FIRST + day, FIRST + day)
    p = [one.id for one in roster.people].index(person)
    row = members_of(masks.may[SLOTS.index(slot), p], len(roster.posts))
    return {roster.posts[q].id for q in np.flatnonzero(row)}


def test_what_may_follow_a_night() -> None:
    # B works the ward as D and C the nights as N: these are the shifts of the posts; else it is the shortest, H or P
    people = {"A": ". N .", "B": "D D D", "C": "N N N"}
    holds, posts = {"B": "ward", "C": "nights"}, {"ward": "W", "nights": "W"}
    free = build(people, holds=holds, posts=posts)
    assert may_hold(free, DUTY, "A", 2, "AM") == {"ward", "nights"}, "19 to 19 is one work period of 24 h"
    assert may_hold(free, DUTY, "A", 2, "PM") == {"ward"}, "six hours between 07 and 13 are too few"
    assert may_hold(free, DUTY, "A", 2, "NIGHT") == {"ward", "nights"}, "twelve hours are enough"
    barred = build(people, holds=holds, posts=posts, forbidden=(("N", "D"),))
    assert may_hold(barred, DUTY, "A", 2, "AM") == {"nights"}
    assert may_hold(barred, DUTY, "A", 0, "AM") == {"ward", "nights"}


def test_resting_absent_elsewhere_and_unreadable_people_may_hold_nothing() -> None:
    roster = build({"A": "r", "B": "a", "C": "e:D", "D": "?", "E": ".", "F": "-"}, absences=[("B", 0, 0, True, False)])
    for person, expected in {"A": set(), "B": set(), "C": set(), "D": set(), "E": {"ward"}, "F": {"ward"}}.items():
        assert may_hold(roster, DUTY, person, 0, "AM") == expected, person


def test_the_own_post_is_always_allowed_and_the_same_hours_too() -> None:
    posts = {"ward": "W", "clinic": "W"}
    roster = build({"A": "N D", "B": ". D"}, posts=posts, holds={"A": "ward", "B": "clinic"}, forbidden=FORBIDDEN)
    assert may_hold(roster, DUTY, "A", 1, "AM") == {"ward", "clinic"}
    # off, the same person could not be called in to it
    assert (
        may_hold(
            build({"A": "N .", "B": ". D"}, posts=posts, holds={"B": "clinic"}, forbidden=FORBIDDEN), DUTY, "A", 1, "PM"
        )
        == set()
    )


def test_qualification_bounds_and_rules_out_of_force() -> None:
    qualified = [("A", "ward", FIRST + 1, FIRST + 1), ("B", "ward")]
    roster = build({"A": "N . .", "B": "P P P"}, qualified=qualified)
    assert [may_hold(roster, DUTY, "A", day, "PM") for day in range(3)] == [set(), set(), set()]
    late = DutyPolicy(
        break_hours=1, rules=tuple(rule.model_copy(update={"first": dt.date(2030, 1, 1)}) for rule in DUTY.rules)
    )
    assert [may_hold(roster, late, "A", day, "PM") for day in range(3)] == [set(), {"ward"}, set()]
    nobody = DutyPolicy(break_hours=1, rules=tuple(rule.model_copy(update={"roles": ("PGY9",)}) for rule in DUTY.rules))
    assert [may_hold(roster, nobody, "A", day, "PM") for day in range(3)] == [set(), {"ward"}, set()]


def test_the_shift_of_a_post() -> None:
    roster = build(
        {"A": "D N", "B": "D .", "C": "H .", "D": "T ."}, posts={"ward": "W", "other": "W"},
        holds=dict.fromkeys("ABCD", "ward"), absences=[("A", 0, 0, True, False)],
    )  # fmt: skip
    shifts = posts_by_shift(roster, 0, roster.slots)
    ward, other = [post.id for post in roster.posts].index("ward"), [post.id for post in roster.posts].index("other")

    def shift_of(slot: int, post: int) -> tuple[str, int]:
        c = shifts.which[slot, post]
        return roster.program.shifts[shifts.shift[c]].code, int(shifts.back[c])

    assert shift_of(0, ward) == ("D", 0), "the one most are planned for, away or not"
    assert shift_of(0, other) == ("H", 0), "the shortest that covers the slot"
    assert shift_of(1, other) == ("P", 0)
    assert shift_of(2, ward) == ("T", 0)
    assert shift_of(3, ward) == ("T", 1), "it began the date before"
    assert shift_of(5, ward) == ("N", 0)


def in_their_place(roster: Roster, person: int, first: int, shift: str) -> Roster | None:
    """The roster with a shift put in, from its first slot on, for the one worked there; None where it meets another."""
    planned, shifts, starts = roster.planned.copy(), roster.shift.copy(), roster.starts.copy()
    cells = [first + n for n in range(len(roster.program.slots_of(roster.program.shifts[SHIFT_INDEX[shift]])))]
    if cells[-1] >= roster.slots:
        return None
    old = np.flatnonzero(roster.source[person] == roster.source[person, first]) if roster.source[person, first] else []
    planned[person, old], shifts[person, old], starts[person, old] = states.OFF, -1, False
    if (shifts[person, cells] >= 0).any():
        return None
    planned[person, cells], shifts[person, cells], starts[person, cells[0]] = 0, SHIFT_INDEX[shift], True
    return replace(roster, planned=planned, state=planned.copy(), shift=shifts, starts=starts)


def rest_breaches(roster: Roster) -> list[Breach]:
    ids = {rule.id for rule in DUTY.rules if isinstance(rule, ForbiddenPattern) and rule.pattern in PATTERNS}
    return [
        one
        for one in breaches(roster, DUTY, roster.first_day, roster.last_day)
        if one.rule in ids and one.person == "A"
    ]


@pytest.mark.parametrize("seed", range(12))
def test_beside_the_duty_rules_judged_on_the_changed_roster(seed: int) -> None:
    random = np.random.default_rng(seed)
    allowed = barred = 0
    for _ in range(40):
        code = str(random.choice(["D", "N", "H", "P", "C"]))
        days = 6
        words = random.choice([".", ".", ".", "D", "N", "H", "P", "C"], days).tolist()
        for d in range(1, days):  # a shift of 24 h is not followed at once
            if words[d - 1] == "T":
                words[d] = "."
        # B holds the post in the shift that is tried, every day
        roster = build(
            {"A": " ".join(words), "B": " ".join([code] * days)},
            holds={"A": "own", "B": "post"},
            posts={"own": "W", "post": "W"},
            forbidden=FORBIDDEN,
        )
        if rest_breaches(roster):
            continue
        first = roster.program.slots_of(roster.program.shifts[SHIFT_INDEX[code]])[0]
        for day in range(1, days - 1):
            changed = in_their_place(roster, 0, day * 3 + first, code)
            if changed is None:
                continue
            legal = "post" in may_hold(roster, DUTY, "A", day, SLOTS[first])
            assert legal == (not rest_breaches(changed)), (words, day, code)
            allowed, barred = allowed + legal, barred + (not legal)
    assert allowed > 5
    assert barred > 5
