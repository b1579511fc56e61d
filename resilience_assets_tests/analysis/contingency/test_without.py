"""What opens without some people, against matchings and coverage counted on a roster in which they are away."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from resilience_assets.analysis.contingency.masks import Moves, masks_of
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.analysis.contingency.without import SEATS_COLUMNS, without
from resilience_assets.domain import states
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import allowed, seats_filled
from resilience_assets_tests.analysis.contingency.test_covers import TODAY, demo  # noqa: F401
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default


def away(roster: Roster, people: tuple[int, ...]) -> Roster:
    """The roster with these people away on all dates."""
    state = roster.state.copy()
    state[list(people)] = states.ABSENT
    return replace(roster, state=state)


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_open_seats_are_those_of_a_roster_in_which_they_are_away(roster: Roster) -> None:
    first, last = roster.first_day, roster.last_day
    tiers = [roster.services[post.service].tier for post in roster.posts]
    masks = masks_of(roster, POLICY.duty, first, last)
    for people in [(0,), *combinations(range(len(roster.people)), 2)][:4]:
        left = masks.without(people)
        for moves in Moves:
            found = without(roster, POLICY, people, first, last, moves)
            for figures, demand in ((found.minimum, roster.minimum), (found.required, roster.required)):
                assert (figures.now == np.maximum(demand - roster.filled(), 0).T).all()
                assert (figures.rostered == np.maximum(demand - away(roster, people).filled(), 0).T).all()
                assert (figures.after <= demand.T).all()
                assert (figures.after.sum(axis=1) <= figures.rostered.sum(axis=1)).all()
                for t in range(roster.slots):
                    may = allowed(left.between(t, t + 1), moves, len(roster.posts))
                    # all tiers up to each are filled as far as they can be with the others paused
                    for tier in sorted(set(tiers)):
                        kept = np.array([one <= tier for one in tiers])
                        asked = np.where(kept, demand[:, t], 0)[None]
                        assert figures.after[t, kept].sum() == asked.sum() - seats_filled(may, asked)


@given(rosters())
@settings(max_examples=30, deadline=None)
def test_it_agrees_with_the_report(roster: Roster) -> None:
    report = contingency(roster, POLICY, roster.first_day, roster.last_day)
    for moves in Moves:
        found = without(roster, POLICY, [0], roster.first_day, roster.last_day, moves)
        assert found.totals()["minimum"]["open_after"] == int(
            (report.minimum[moves].deficit + report.loss([0], moves)).sum()
        )


def example() -> Roster:
    """A holds the icu on two dates; B may be moved there from the clinic, C is free for the clinic on the first."""
    need = {(post, day, "AM"): 1 for post in ("icu", "clinic") for day in range(2)}
    return build(
        {"A": "D D", "B": "D D", "C": "- r"}, posts={"icu": "ICU", "clinic": "CLINIC"}, tiers={"ICU": 1, "CLINIC": 3},
        holds={"A": "icu", "B": "clinic"}, required=need, minimum=need,
        qualified=[("A", "icu"), ("B", "clinic"), ("B", "icu"), ("C", "clinic")],
    )  # fmt: skip


def test_the_hole_ends_up_where_it_hurts_least_and_the_rows_say_so() -> None:
    found = without(example(), POLICY, [0], FIRST, FIRST + 1)
    rows = found.seats_columns()
    assert tuple(rows) == SEATS_COLUMNS
    told = list(
        zip(rows["day"], rows["post"], rows["open_now"], rows["open_as_rostered"], rows["open_after"], strict=True)
    )
    assert told == [(FIRST, "icu", 0, 1, 0), (FIRST + 1, "clinic", 0, 0, 1), (FIRST + 1, "icu", 0, 1, 0)]
    assert rows["leaves"] == [["A"], [], ["A"]]
    assert rows["covers"] == [["B from clinic to icu, C (free) to clinic; 0 h in 28 days"], [], []]
    assert found.totals()["minimum"] == {"open_now": 0, "open_as_rostered": 2, "open_after": 1}


@pytest.mark.parametrize(
    ("moves", "after", "covers"), [(Moves.STATIC, 2, 0), (Moves.CALL_IN, 2, 0), (Moves.FULL, 1, 1)]
)
def test_who_may_move_decides(moves: Moves, after: int, covers: int) -> None:
    found = without(example(), POLICY, [0], FIRST, FIRST + 1, moves)
    assert (found.totals()["minimum"]["open_after"], len(found.covers)) == (after, covers)


def test_who_is_away_already_opens_nothing_more() -> None:
    roster = build(
        {"A": "D D", "B": "- -"}, holds={"A": "ward"}, absences=[("A", 0, 0, True, True)],
        minimum={("ward", 0, "AM"): 1, ("ward", 1, "AM"): 1}, required={("ward", 0, "AM"): 1, ("ward", 1, "AM"): 1},
    )  # fmt: skip
    found = without(roster, POLICY, [0], FIRST, FIRST + 1)
    assert found.totals()["minimum"] == {"open_now": 1, "open_as_rostered": 2, "open_after": 0}
    assert found.seats_columns()["day"] == [FIRST + 1]


def test_a_seat_that_is_required_only_is_covered_without_opening_another() -> None:
    # at the clinic two are needed and one is the minimum: for the minimum of the icu B may be spared, for its second seat not
    roster = build(
        {"A": "D", "B": "D", "C": "D"}, posts={"icu": "ICU", "clinic": "CLINIC"},
        holds={"A": "icu", "B": "clinic", "C": "clinic"}, minimum={("clinic", 0, "AM"): 1},
        required={("icu", 0, "AM"): 1, ("clinic", 0, "AM"): 2},
    )  # fmt: skip
    only_required = without(roster, POLICY, [0], FIRST, FIRST)
    assert only_required.seats_columns()["required_as_rostered"] == [0, 1] or only_required.told
    assert len(only_required.covers) == 0
    needed = replace(roster, minimum=np.where(roster.required > 0, 1, 0).astype(np.int16))
    assert without(needed, POLICY, [0], FIRST, FIRST).covers.columns()["person"] == ["B", "C"]


def test_the_document_is_json_with_dates_and_ids() -> None:
    document = without(example(), POLICY, [0], FIRST, FIRST + 1).document()
    assert json.loads(json.dumps(document)) == document
    assert (document["people"], document["moves"], document["first"], document["days"]) == (
        ["A"],
        "full",
        "2025-09-01",
        2,
    )
    assert document["seats"][0]["day"] == "2025-09-01"
    assert document["seats"][0]["covers"] == [
        {
            "rank": 1, "person": "C", "how": "free", "people_moved": 2, "hours_28": 0.0, "stretches": [],
            "moves": "B from clinic to icu, C (free) to clinic",
        }
    ]  # fmt: skip


def test_dates_that_are_not_on_file_and_people_that_are_not_there() -> None:
    late = without(example(), POLICY, [0], FIRST + 50, FIRST + 51)
    assert (late.window.days, late.document()["seats"]) == (0, [])
    assert without(example(), POLICY, [], FIRST, FIRST + 1).told == []
    with pytest.raises(ValueError, match="person 3 is not one of 0 to 2"):
        without(example(), POLICY, [3], FIRST, FIRST)


def test_the_demo_has_somebody_whose_loss_opens_seats_that_others_cover(demo: list[Roster]) -> None:  # noqa: F811
    for roster in demo[:2]:
        found = [without(roster, POLICY, [p], TODAY, TODAY + 7) for p in range(len(roster.people))]
        opened = [one for one in found if one.minimum.opened.any()]
        assert opened
        for one in opened:
            totals = one.totals()["minimum"]
            assert totals["open_after"] <= totals["open_as_rostered"] > totals["open_now"]
            assert json.dumps(one.document())
        assert any(len(one.covers) for one in opened)
