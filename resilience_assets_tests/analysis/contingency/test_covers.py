"""Covers, against trying every chain of people and judging the changed roster."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from resilience_assets.analysis.contingency.added_shift import AddedShifts, added_shifts
from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.covers import (
    Cover,
    Covers,
    covers,
    covers_of_seats,
    covers_of_window,
    merged,
)
from resilience_assets.analysis.contingency.judging import BROKEN
from resilience_assets.analysis.contingency.labels import Demand
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of, movable
from resilience_assets.analysis.contingency.seating import FREE, MOST_POSTS, OFF
from resilience_assets.analysis.duty_hours import Breach, breaches
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import day_of
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets.policy.duty import DutyPolicy, ForbiddenPattern, RollingWindow, SlotRatio, Supervised
from resilience_assets.policy.model import Policy
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.changed import with_moves
from resilience_assets_tests.analysis.contingency.test_added_shift import DUTY, RULE
from resilience_assets_tests.analysis.test_coverage import rosters

POLICY = load_policies().default
REST = ForbiddenPattern(id="rest", kind="forbidden_pattern", pattern="rest_between", hours=8, **RULE)
LIGHT = DutyPolicy(
    break_hours=1,
    rules=(
        RollingWindow(id="cap", kind="rolling_window", measure="hours", limit=40, per_days=7, window_days=7, **RULE),
        REST,
    ),
)
Chain = tuple[tuple[int, int], ...]
"""(person, post taken) from who takes the seat to who comes in."""


def policy_of(duty: DutyPolicy) -> Policy:
    return POLICY.model_copy(update={"duty": duty})


def steps_of(cover: Cover) -> Chain:
    return tuple((step.person, step.takes) for step in cover.steps)


def applied(added: AddedShifts, slot: int, chain: Chain) -> Roster:
    """The roster with everybody of a chain at the post taken, in a slot of the window."""
    roster = added.roster
    low = (added.window.first_day - roster.first_day) * roster.per_day
    table = added.duty.added[[added.span[slot, q] for _, q in chain]]
    return with_moves(
        roster, low + slot, [(p, q, int(row[2]), int(row[3])) for (p, q), row in zip(chain, table, strict=True)]
    )


def judged(roster: Roster, duty: DutyPolicy) -> list[Breach]:
    return breaches(roster, duty, roster.first_day, roster.last_day)


def chains_of(masks: Masks, moves: Moves, demand: Demand, slot: int, seat: int) -> Iterator[Chain]:
    """Every chain that ends at the seat and opens no other, rules on hours aside."""
    posts = demand.shape[1]
    may, place, free = members_of(masks.may[slot], posts), masks.place[slot], movable(moves)
    count = [int((place == q).sum()) for q in range(posts)]

    def onward(target: int, taken: Chain) -> Iterator[Chain]:
        for p in range(place.size):
            if not free[place[p]] or not may[p, target] or any(p == q for q, _ in taken) or place[p] == target:
                continue
            held = int(place[p]) if place[p] < MOST_POSTS else None
            chain = (*taken, (p, target))
            if held is None or demand[slot, held] == 0 or count[held] > demand[slot, held]:
                if held != seat:
                    yield chain
            elif held != seat and all(held != q for _, q in chain):
                yield from onward(held, chain)

    yield from onward(seat, ())


def best_by_hand(
    added: AddedShifts, duty: DutyPolicy, masks: Masks, moves: Moves, demand: Demand, slot: int, seat: int, most: int
) -> list[tuple[int, int, bool, float, int]]:  # fmt: skip
    """(people moved, how, stretched, hours, who) of the best covers, one a person who comes in."""
    known = set(judged(added.roster, duty))
    best: dict[int, tuple[int, int, bool, float, int]] = {}
    for chain in chains_of(masks, moves, demand, slot, seat):
        if any(one.person in {added.roster.people[p].id for p, _ in chain} for one in known):
            # worse than it is already cannot be seen in the list of breaches (test_added_shift.py goes into it)
            if any(added.duty.judged.verdict[added.span[slot, q], p] == BROKEN for p, q in chain):
                continue
        elif not set(judged(applied(added, slot, chain), duty)) <= known:
            continue
        who = chain[-1][0]
        how = {FREE: 0, OFF: 1}.get(int(masks.place[slot, who]), 2)
        stretched = any(added.stretches(p, slot, q) for p, q in chain)
        hours = float(added.hours_28[who, slot // added.roster.per_day])
        key = (len(chain), how, stretched, hours, who)
        best[who] = min(best.get(who, key), key)
    return sorted(best.values())[:most]


def random_roster(random: np.random.Generator, tight: bool = False) -> Roster:
    """Seven people on three posts and eight dates; tight: nobody can be spared, few can do more than they do."""
    posts = {"icu": "W", "night": "W", "ward": "W"}
    words = [*"HHHHHHH-."] if tight else [".", ".", "D", "D", "D", "N", "H", "-"]
    picture = {f"A{i}": " ".join(random.choice(words, 8)) for i in range(7)}
    qualified = [(p, q) for p in picture for q in posts if random.random() < (0.3 if tight else 0.5)]
    holds = {p: str(random.choice([q for one, q in qualified if one == p] or ["ward"])) for p in picture}
    qualified += [(p, q) for p, q in holds.items() if (p, q) not in qualified]
    slots = ("AM",) if tight else ("AM", "PM", "NIGHT")
    cells = {(q, d, s): int(random.integers(0, 4)) for q in posts for d in range(8) for s in slots}
    if tight:
        cells = {
            (q, d, s): sum(holds[p] == q and row.split()[d] == "H" for p, row in picture.items()) for q, d, s in cells
        }
    return build(picture, posts=posts, qualified=qualified, holds=holds, minimum=cells, required=cells)


@pytest.mark.parametrize("seed", range(8))
def test_beside_every_chain_judged_on_the_changed_roster(seed: int) -> None:
    random = np.random.default_rng(seed)
    moved: list[int] = []
    stretched = 0
    for n in range(6):
        roster, duty = random_roster(random, tight=n % 2 == 1), LIGHT if n % 2 else DUTY
        first = FIRST + int(random.integers(0, 7))
        window = roster.window(first, first + 1)
        masks, added = masks_of(roster, duty, first, first + 1), added_shifts(roster, duty, first, first + 1)
        demand = np.ascontiguousarray(window.minimum.T)
        for moves in (Moves.DIRECT, Moves.CALL_IN, Moves.FULL):
            slot, post = np.nonzero(demand if n % 2 else np.ones_like(demand))
            found = covers_of_seats(added, masks, moves, demand, slot, post, 4)
            assert found.rank.size == len(found)
            for t, q in zip(slot.tolist(), post.tolist(), strict=True):
                listed = [found.at(n) for n in np.flatnonzero((found.slot == t) & (found.post == q))]
                assert listed == covers(added, masks, moves, demand, t, q, 4)
                keys = [
                    (one.people_moved, ("free", "called in", "moved").index(one.how), bool(one.stretches), one.hours_28, one.person)
                    for one in listed
                ]  # fmt: skip
                assert keys == best_by_hand(added, duty, masks, moves, demand, t, q, 4)
                assert [one.rank for one in listed] == list(range(1, len(listed) + 1))
                legal = set(chains_of(masks, moves, demand, t, q))
                assert all(steps_of(one) in legal for one in listed)
                moved += [one.people_moved for one in listed]
                stretched += sum(bool(one.stretches) for one in listed)
    assert moved
    assert stretched
    assert max(moved) > 1


def check_every_cover(found: Covers, demand: Demand, duty: DutyPolicy, some: list[int]) -> None:
    """Each cover really fills the seat, opens no other and breaks no rule that was not broken."""
    added = found.added
    low = (added.window.first_day - added.roster.first_day) * added.roster.per_day
    before, known = added.roster.filled(), set(judged(added.roster, duty))
    for n in some:
        cover = found.at(n)
        changed = applied(added, cover.slot, steps_of(cover))
        t = low + cover.slot
        after = changed.filled()
        assert after[cover.post, t] == before[cover.post, t] + 1
        others = np.arange(len(changed.posts)) != cover.post
        need = np.minimum(demand[cover.slot], before[:, t])
        assert (after[others, t] >= need[others]).all()
        assert set(judged(changed, duty)) <= known, (cover, added.roster.people[cover.person])


@given(rosters())
@settings(max_examples=60, deadline=None)
def test_a_cover_fills_the_seat_and_breaks_nothing(roster: Roster) -> None:
    found = covers_of_window(roster, POLICY, roster.first_day, roster.last_day)
    check_every_cover(found, np.ascontiguousarray(roster.minimum.T), POLICY.duty, list(range(len(found))))
    asked = covers_of_window(roster, POLICY, roster.first_day, roster.last_day, seats="required")
    check_every_cover(asked, np.ascontiguousarray(roster.required.T), POLICY.duty, list(range(0, len(asked), 3)))


@pytest.fixture(scope="module")
def demo() -> list[Roster]:
    from resilience_assets.demo.programs import demo_programs

    return [roster_from_tables(tables)[0] for tables in demo_programs(TODAY)]


TODAY = day_of(dt.date(2026, 3, 2))


@pytest.mark.parametrize("program", [0, 1])
def test_the_demo(demo: list[Roster], program: int) -> None:
    roster = demo[program]
    found = covers_of_window(roster, POLICY, TODAY, TODAY + 7)
    assert len(found) > 100
    demand = np.ascontiguousarray(roster.window(TODAY, TODAY + 7).minimum.T)
    check_every_cover(found, demand, POLICY.duty, list(range(0, len(found), 11)))
    columns = found.columns()
    assert {len(values) for values in columns.values()} == {len(found)}
    assert set(columns["how"]) <= {"free", "called in", "moved"}
    assert max(columns["rank"]) == 3


def test_a_chain_told_to_people() -> None:
    need = {("icu", 0, "AM"): 1, ("clinic", 0, "AM"): 1}
    roster = build(
        {"A": "D", "B": "D", "C": "-"}, posts={"icu": "ICU", "clinic": "CLINIC"}, holds={"A": "icu", "B": "clinic"},
        qualified=[("A", "icu"), ("B", "clinic"), ("B", "icu"), ("C", "clinic")], required=need, minimum=need,
    )  # fmt: skip
    columns = covers_of_window(roster, POLICY, FIRST, FIRST).columns()
    rows = [{name: values[n] for name, values in columns.items()} for n in range(len(columns["day"]))]
    assert rows == [
        {
            "day": FIRST, "slot": "AM", "post": "clinic", "rank": 1, "person": "C", "how": "free", "people_moved": 1,
            "hours_28": 0.0, "stretches": [], "moves": "C (free) to clinic",
        },
        {
            "day": FIRST, "slot": "AM", "post": "icu", "rank": 1, "person": "C", "how": "free", "people_moved": 2,
            "hours_28": 0.0, "stretches": [], "moves": "B from clinic to icu, C (free) to clinic",
        },
    ]  # fmt: skip
    direct = covers_of_window(roster, POLICY, FIRST, FIRST, Moves.DIRECT)
    assert direct.columns()["post"] == ["clinic"]
    assert not len(covers_of_window(roster, POLICY, FIRST, FIRST, Moves.STATIC))


def test_a_chain_of_three_and_the_one_to_go_on_is_who_stretches_nothing() -> None:
    # only D is to be had, for the third post; from there E or F go on to the second, and C to the first
    posts = {"first": "W", "second": "W", "third": "W"}
    rows = {"A": ". . . D", "C": ". . . D", "D": ". . . -", "E": "D D D D", "F": ". D D D"}
    need = {("first", 3, "AM"): 2, ("second", 3, "AM"): 1, ("third", 3, "AM"): 2}
    roster = build(
        rows, posts=posts, holds={"A": "first", "C": "second", "E": "third", "F": "third"}, minimum=need, required=need,
        qualified=[
            *[("A", "first"), ("C", "first"), ("C", "second"), ("D", "third")],
            *[(p, q) for p in "EF" for q in ("second", "third")],
        ],
    )  # fmt: skip
    found = covers_of_window(roster, POLICY, FIRST + 3, FIRST + 3)
    told = {
        (post, rank): text
        for post, rank, text in zip(*(found.columns()[c] for c in ("post", "rank", "moves")), strict=True)
    }
    assert told == {
        ("first", 1): "C from second to first, F from third to second, D (free) to third",
        ("second", 1): "F from third to second, D (free) to third",
        ("third", 1): "D (free) to third",
    }


def test_the_rank_is_free_then_called_in_then_moved_then_hours() -> None:
    # the fifth date; C and D worked before, D more; E can be spared at the clinic; F would pass the cap
    rows = {"A": ". . . . D", "B": ". . . . -", "C": "D . . . .", "D": "D D . . .", "E": ". . . . D", "F": "D D D . ."}
    cap = RollingWindow(id="cap", measure="hours", limit=36, per_days=7, window_days=7, kind="rolling_window", **RULE)
    roster = build(
        rows, posts={"icu": "ICU", "clinic": "CLINIC"}, holds={**dict.fromkeys("AC", "icu"), "E": "clinic"},
        minimum={("icu", 4, "AM"): 1}, required={("icu", 4, "AM"): 1, ("clinic", 4, "AM"): 1},
        qualified=[(p, q) for p in rows for q in ("icu", "clinic")],
    )  # fmt: skip
    policy = policy_of(DutyPolicy(break_hours=1, rules=(cap, REST)))
    found = covers_of_window(roster, policy, FIRST + 4, FIRST + 4, most=9)
    told = [(found.at(n).how, found.added.roster.people[int(found.person[n])].id) for n in range(len(found))]
    assert told == [("free", "B"), ("called in", "C"), ("called in", "D"), ("moved", "E")]
    stretched = found.at(2).stretches
    assert stretched == (("cap", "36 h a week, limit 36"),)
    # where the clinic is asked for too, E cannot be spared
    masks = masks_of(roster, policy.duty, FIRST + 4, FIRST + 4)
    both = np.ascontiguousarray(found.added.window.required.T)
    icu = [post.id for post in roster.posts].index("icu")
    assert [one.how for one in covers(found.added, masks, Moves.FULL, both, 0, icu, 9)] == [
        "free",
        "called in",
        "called in",
    ]


def test_a_rule_on_supervision_is_kept() -> None:
    ratio = SlotRatio(
        id="ratio", kind="slot_ratio", supervisors=("attending",), supervised=(Supervised(roles=("PGY*",), share=0.5),),
        text="a rule", source="here", force="local rule", first=dt.date(2000, 1, 1),
    )  # fmt: skip
    need = {("icu", 0, "AM"): 1, ("ward", 0, "AM"): 1}
    roster = build(
        {"S": "D", "R": "D", "X": "-", "Y": "-"}, posts={"icu": "ICU", "ward": "WARD"}, holds={"S": "ward", "R": "ward"},
        roles={"S": "attending", "X": "attending"}, minimum=need, required=need,
        qualified=[(p, q) for p in "SRXY" for q in ("icu", "ward")],
    )  # fmt: skip
    policy = policy_of(DutyPolicy(break_hours=1, rules=(ratio, REST)))
    found = covers_of_window(roster, policy, FIRST, FIRST, most=9)
    at_icu = [roster.people[found.person[n]].id for n in range(len(found)) if roster.posts[found.post[n]].id == "icu"]
    # a resident alone at the icu lacks a supervisor, and the ward keeps its own for its resident
    assert at_icu == ["X"]
    check_every_cover(found, np.ascontiguousarray(roster.minimum.T), policy.duty, list(range(len(found))))


def test_covers_of_two_demands_are_told_together() -> None:
    roster = random_roster(np.random.default_rng(5))
    masks, added = masks_of(roster, DUTY, FIRST, FIRST + 7), added_shifts(roster, DUTY, FIRST, FIRST + 7)
    demand = np.ascontiguousarray(roster.minimum.T)
    slot, post = np.nonzero(demand)
    whole = covers_of_seats(added, masks, Moves.FULL, demand, slot, post)
    odd = covers_of_seats(added, masks, Moves.FULL, demand, slot[1::2], post[1::2])
    even = covers_of_seats(added, masks, Moves.FULL, demand, slot[::2], post[::2])
    assert merged(odd, even).columns() == whole.columns()


def test_nothing_on_file_and_nothing_asked() -> None:
    roster = build({"A": "D"})
    assert covers_of_window(roster, POLICY, FIRST + 50, FIRST + 60).columns()["day"] == []
    assert len(covers_of_window(roster, POLICY, FIRST, FIRST)) == 0
    empty = DutyPolicy(break_hours=0, rules=(REST,))
    need = {("ward", 0, "AM"): 2}
    alone = build({"A": "D", "B": "-"}, minimum=need, required=need)
    assert covers_of_window(alone, policy_of(empty), FIRST, FIRST).columns()["person"] == ["B"]
