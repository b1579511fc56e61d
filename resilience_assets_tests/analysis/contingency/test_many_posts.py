"""More posts than a set holds: a program of departments answers every question as its departments do one by one,
and a small program in parts as the same program whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency import report as report_module
from resilience_assets.analysis.contingency import without as without_module
from resilience_assets.analysis.contingency.added_shift import added_shifts
from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.chains import chains
from resilience_assets.analysis.contingency.covers import covers_of_seats, covers_of_window
from resilience_assets.analysis.contingency.deep_dive import deep_dive, trainable
from resilience_assets.analysis.contingency.hour_blocks import blocks_of
from resilience_assets.analysis.contingency.hour_flow import NO_CAP, seat_within
from resilience_assets.analysis.contingency.hours import hours_check
from resilience_assets.analysis.contingency.kappa import weights
from resilience_assets.analysis.contingency.labels import Demand, deficits, labels
from resilience_assets.analysis.contingency.margin import NO_DEMAND
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.report import Contingency, contingency
from resilience_assets.analysis.contingency.seating import MOST_POSTS
from resilience_assets.analysis.contingency.stand_ins import stand_ins
from resilience_assets.analysis.contingency.training import (
    exposure,
    legal_if_qualified,
    trained,
    training,
    training_gains,
)
from resilience_assets.analysis.contingency.without import heads, open_by_post, without
from resilience_assets.analysis.contingency.worst import curve, worst
from resilience_assets.domain import states
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.departments import Hospital, as_whole, hospital, in_components
from resilience_assets_tests.analysis.contingency.test_components import several
from resilience_assets_tests.analysis.contingency.test_hour_flow import random_blocks

POLICY = load_policies("duty: {rules: [{id: capacity.residents, judged: true, limit: 30}]}").default
DUTY = POLICY.duty
DAYS = 7
LAST = FIRST + DAYS - 1
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module", params=[(5, 56), (3, 115)], ids=["280 posts", "345 posts"])
def large(request: pytest.FixtureRequest) -> Hospital:
    """280 posts in sets of one word, 345 in sets of two."""
    made = hospital(np.random.default_rng(request.param), *request.param, days=DAYS)
    assert len(made.whole.posts) > MOST_POSTS
    return made


@pytest.fixture(scope="module")
def reports(large: Hospital) -> tuple[Contingency, list[Contingency]]:
    """The report of the whole, and of each department."""
    return contingency(large.whole, POLICY, FIRST, LAST), [
        contingency(one, POLICY, FIRST, LAST) for one in large.departments
    ]


def rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Columns as rows."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def in_order(found: list[dict[str, list[Any]]], *names: str) -> list[dict[str, Any]]:
    """The rows of several answers together, in the order of some columns."""
    order = {"AM": 0, "PM": 1, "NIGHT": 2}
    every = [row for columns in found for row in rows(columns)]
    return sorted(every, key=lambda row: tuple(order.get(row[name], row[name]) for name in names))


# the departments one by one


def test_everybody_in_the_report(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    assert whole.masks.split
    tiers = [f"tier_{n}" for n in range(1, 8)]
    for moves in Moves:
        assert in_order([whole.people_columns(moves)], "person") != []
        expected = in_order([one.people_columns(moves) for one in parts], "person")
        for row, own in zip(in_order([whole.people_columns(moves)], "person"), expected, strict=True):
            known = [name for name in tiers if own[name] is not None]
            assert {name: row[name] for name in known} == {name: own[name] for name in known}
            # seats that are open in another department stay open whoever is lost
            assert (row["worst_deficit"] is None) == (own["worst_deficit"] is None)
            for name in ("slots_lost", "slots_lost_required", "posts_lost", "sole_slots", "people_moved"):
                assert row[name] == own[name], name
        assert whole.open_seats(moves) == sum(one.open_seats(moves) for one in parts)
    assert sum(row["slots_lost"] for row in rows(whole.people_columns())) > 50
    assert sum(row["people_moved"] > 1 for row in rows(whole.people_columns())) > 10
    assert (whole.n1_pass, whole.n2_pass) == (False, False)


def test_every_slot_in_the_report(reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    found, own = whole.slots_columns(), [one.slots_columns() for one in parts]
    for name in (name for name in found if name.startswith("open_")):
        assert found[name] == np.sum([one[name] for one in own], axis=0).tolist()
    slack = np.array([one.margin.slack for one in parts])
    short = np.where(slack < 0, slack, 0).sum(axis=0)
    assert np.array_equal(whole.margin.slack, np.where(short < 0, short, slack.min(axis=0)))
    assert (whole.margin.slack == NO_DEMAND).sum() == DAYS, "nobody is asked for at night"
    for t in np.flatnonzero(whole.margin.slack < whole.margin.most).tolist():
        spare = found["thin_people"][t] - int(whole.window.minimum[whole.margin.witness(t, len(whole.window.posts)), t].sum())
        assert spare == found["spare"][t]


def test_pairs_of_one_department_and_of_two(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    full = whole.minimum[Moves.FULL]
    for one, people in zip(parts, large.people, strict=True):
        for p in range(0, people.size, 9):
            for q in range(p):
                assert full.pair(people[p], people[q]) == one.minimum[Moves.FULL].pair(p, q)
    p, q = large.people[0][0], large.people[1][0]
    assert full.pair(p, q)[0] == full.slots_lost[p] + full.slots_lost[q]
    inside = sum(int((one.pairs.histogram * np.arange(one.pairs.histogram.size)).sum()) for one in parts)
    lost = [int(one.minimum[Moves.FULL].slots_lost.sum()) for one in parts]
    across = sum(lost[n] * (full.slots_lost.size - large.people[n].size) for n in range(len(parts)))
    assert int((whole.pairs.histogram * np.arange(whole.pairs.histogram.size)).sum()) == inside + across
    some = [int(one) for one in (large.people[0][3], large.people[0][4], large.people[1][5], large.people[2][1])]
    by_part = [
        one.loss(np.flatnonzero(np.isin(people, some)).tolist()) for one, people in zip(parts, large.people, strict=True)
    ]
    assert np.array_equal(whole.loss(some), np.sum(by_part, axis=0))


def test_masks_within_rules(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    before = masks_of(large.whole, DUTY, FIRST, LAST)
    barred = 0
    for (part, inside), (_, rested) in zip(whole.masks.parts, before.parts, strict=True):
        n = next(n for n, posts in enumerate(large.posts) if part.posts[0] in posts)
        assert np.array_equal(np.sort(part.posts), np.sort(large.posts[n]))
        assert np.array_equal(part.people, np.sort(large.people[n]))
        assert np.array_equal(inside.may, parts[n].masks.may)
        assert np.array_equal(inside.place, parts[n].masks.place)
        barred += int((inside.may != rested.may).sum())
    assert barred, "caps over weeks bar somebody here"


def test_covers(large: Hospital) -> None:
    for seats in ("minimum", "required"):
        found = covers_of_window(large.whole, POLICY, FIRST, LAST, seats=seats)  # type: ignore[arg-type]
        own = [covers_of_window(one, POLICY, FIRST, LAST, seats=seats) for one in large.departments]  # type: ignore[arg-type]
        order = "day", "slot", "post", "rank"
        assert rows(found.columns()) == in_order([one.columns() for one in own], *order)
        assert max(found.columns()["people_moved"]) > 2
    assert len(found) > 1_000
    free = [found.at(n) for n in range(0, len(found), 50)]
    for one in free:
        for step in one.steps:
            assert step.leaves == large.whole.state[step.person, one.slot]
        last = one.steps[-1].leaves
        assert one.how == {states.FREE: "free", states.OFF: "called in"}.get(last, "moved")


def test_who_may_take_seats_that_are_open(large: Hospital) -> None:
    open_now = np.maximum(large.whole.minimum - large.whole.filled(), 0)
    seats = [(int(t), int(q)) for q, t in np.argwhere(open_now)][::7]
    found = stand_ins(large.whole, POLICY, FIRST, LAST, seats)
    expected: dict[tuple[int, int], Any] = {}
    for one, posts in zip(large.departments, large.posts, strict=True):
        mine = [(t, int(np.flatnonzero(posts == q)[0])) for t, q in seats if q in posts]
        expected |= {(t, int(posts[q])): told for (t, q), told in stand_ins(one, POLICY, FIRST, LAST, mine).items()}
    assert found == expected
    assert len(found) > 20


@pytest.mark.parametrize("moves", [Moves.STATIC, Moves.DIRECT, Moves.FULL])
def test_without_some_people(large: Hospital, moves: Moves) -> None:
    lost = [int(p) for people in large.people[:2] for p in people[:12]]
    found = without(large.whole, POLICY, lost, FIRST, LAST, moves)
    own = [
        without(one, POLICY, np.flatnonzero(np.isin(people, lost)).tolist(), FIRST, LAST, moves)
        for one, people in zip(large.departments, large.people, strict=True)
    ]
    for seats in ("minimum", "required"):
        for figure in ("now", "rostered", "after"):
            answer = getattr(getattr(found, seats), figure)
            for one, posts in zip(own, large.posts, strict=True):
                assert np.array_equal(answer[:, posts], getattr(getattr(one, seats), figure)), (seats, figure)
    assert rows(found.covers.columns()) == in_order([one.covers.columns() for one in own], "day", "slot", "post", "rank")
    told = {(row["day"], row["slot"], row["post"]): row for row in rows(found.seats_columns())}
    for one in own:
        for row in rows(one.seats_columns()):
            assert told[row["day"], row["slot"], row["post"]] == row
    assert len(found.covers) > 20 or moves != Moves.FULL


def test_the_worst_few(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    found = curve(whole.masks, Moves.FULL, whole.demand, 3, nodes=60)
    own = [[0, *(one.seats for one in curve(part.masks, Moves.FULL, part.demand, 3))] for part in parts]
    for losses, one in enumerate(found, 1):
        shares = [row for row in product(range(losses + 1), repeat=len(parts)) if sum(row) == losses]
        expected = max(sum(own[n][k] for n, k in enumerate(row)) for row in shares)
        assert one.seats <= expected <= one.bound
        assert one.seats == expected or not one.proven
        assert np.array_equal(one.by_slot, whole.loss(list(one.people)))
    assert [one.proven for one in found[:2]] == [True, True]


def test_trainings(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    legal = legal_if_qualified(large.whole, DUTY, FIRST, LAST)
    posts = len(large.whole.posts)
    allowed = members_of(legal, posts)
    tiers = np.array([large.whole.services[one.service].tier for one in large.whole.posts], dtype=np.int64)
    found = training(whole.masks, Moves.FULL, whole.demand, legal, tiers)
    for one, people, own in zip(parts, large.people, large.posts, strict=True):
        alone = legal_if_qualified(one.window, DUTY, FIRST, LAST)
        assert np.array_equal(members_of(alone, own.size), allowed[:, people[:, None], own[None, :]])
        gains = training_gains(one.masks, Moves.FULL, one.demand, alone)
        assert np.array_equal(found.gains.open[people[:, None], own], gains.open)
        assert np.array_equal(found.gains.seats[people[:, None], own], gains.seats)
    # of one department and of two: what labels say of the trained program
    random, before = np.random.default_rng(7), exposure(whole.masks, Moves.FULL, whole.demand)
    useful = found.gains.order()
    assert useful.size > 500
    filled = 0
    for row in [*random.choice(useful, 10), *random.integers(0, found.gains.open.size, 4)]:
        person, post = divmod(int(row), posts)
        after = exposure(trained(whole.masks, legal, person, post), Moves.FULL, whole.demand)
        fall = (before.open - after.open, before.seats - after.seats, before.slots - after.slots)
        assert fall == tuple(int(getattr(found.gains, name)[person, post]) for name in ("open", "seats", "slots"))
        filled += fall[0] > 0
    assert filled
    assert len(found.best) == 5
    for best in found.best:
        assert best.before == before
        assert best.before.open - best.after.open == found.gains.open[best.person, best.post]
        assert best.before.seats - best.after.seats == found.gains.seats[best.person, best.post]


def test_duty_hours(large: Hospital, reports: tuple[Contingency, list[Contingency]]) -> None:
    whole, parts = reports
    pairs = np.array([[large.people[0][1], large.people[0][2]], [large.people[0][1], large.people[1][2]]])

    def check(one: Contingency, some: Any) -> Any:
        return hours_check(one.window, POLICY, FIRST, LAST, one.masks, one.demand, one.minimum[Moves.FULL], some)

    found = check(whole, pairs)
    own = [check(one, np.array([[1, 2]])) for one in parts]
    assert found.binds
    assert found.deficit_within == sum(one.deficit_within for one in own)
    for one, people in zip(own, large.people, strict=True):
        assert np.array_equal(found.lost_within[people], one.lost_within)
    assert found.pair_lost_within[0] == own[0].pair_lost_within[0]
    assert found.pair_lost_within[1] == own[0].lost_within[1] + own[1].lost_within[2]
    assert found.worse_by > 0
    for one, part, people in zip(parts, own, large.people, strict=True):
        blocks = blocks_of(one.window, one.masks, one.demand, DUTY, FIRST, LAST)
        every = blocks_of(whole.window, whole.masks, whole.demand, DUTY, FIRST, LAST)
        assert np.array_equal(every.most[people], blocks.most)
        assert part.binds == (blocks.most != NO_CAP).any()


def test_the_deep_dive(large: Hospital, reports: tuple[Contingency, list[Contingency]], monkeypatch: pytest.MonkeyPatch) -> None:
    # few nodes: how far the search comes is asked elsewhere
    monkeypatch.setattr("resilience_assets.analysis.contingency.deep_dive.MOST_LOSSES", 2)
    whole, _ = reports
    found = deep_dive(large.whole, POLICY, whole, FIRST, LAST)
    assert [one.losses for one in found.worst] == [1, 2]
    held = members_of(trainable(large.whole, POLICY, FIRST, LAST), len(large.whole.posts))
    for one, people, posts in zip(large.departments, large.people, large.posts, strict=True):
        assert np.array_equal(held[:, people[:, None], posts], members_of(trainable(one, POLICY, FIRST, LAST), posts.size))
    assert all(held[:, one.person, one.post].any() for one in found.training.best)
    assert found.training.best


# the same program whole


def published_is_best(masks: Masks, moves: Moves, demand: Demand) -> np.ndarray:
    """Slots in which the published seating is as good as can be."""
    short = np.maximum(demand - heads(as_whole(masks), demand.shape[1]), 0).sum(axis=1)
    return np.asarray(short == deficits(as_whole(masks), moves, demand))


@given(SEEDS, st.sampled_from([130, 200]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_chains_weights_and_the_worst_few_of_masks(seed: int, posts: int, split: bool) -> None:
    masks, demand = several(np.random.default_rng(seed), 5, posts)
    one, whole = in_components(masks, posts) if split else masks, as_whole(masks)
    assert (one.split != ()) == split
    random = np.random.default_rng(seed)
    among = random.random(masks.place.shape[1]) < 0.5
    for moves in Moves:
        best = published_is_best(masks, moves, demand)
        assert np.array_equal(chains(one, moves, demand).by_slot[best], chains(whole, moves, demand).by_slot[best])
        for losses, asked in ((1, None), (3, None), (3, among)):
            ours, theirs = (weights(each, moves, demand, losses, asked) for each in (one, whole))
            assert np.array_equal(ours.weight, theirs.weight)
            assert np.array_equal(ours.most, theirs.most)
            assert np.array_equal(ours.deficit, theirs.deficit)
    for losses in (1, 2, 3):
        ours, theirs = (worst(each, Moves.FULL, demand, losses, nodes=40) for each in (one, whole))
        assert (ours.people, ours.seats, ours.bound, ours.nodes) == (theirs.people, theirs.seats, theirs.bound, theirs.nodes)


@given(SEEDS, st.sampled_from([130, 200]), st.sampled_from(list(Moves)))
@settings(max_examples=25, deadline=None)
def test_trainings_of_masks(seed: int, posts: int, moves: Moves) -> None:
    random = np.random.default_rng(seed)
    masks, demand = several(random, 4, posts)
    able = random.random((masks.place.size, posts)) < 0.7
    able[masks.place.ravel() == 255] = False
    legal = bits_of(able).reshape(masks.may.shape)
    one, whole = in_components(masks, posts), as_whole(masks)
    gains = [training_gains(each, moves, demand, legal) for each in (masks, one, whole)]
    for name in ("open", "seats", "slots"):
        assert np.array_equal(getattr(gains[0], name), getattr(gains[2], name))
        assert np.array_equal(getattr(gains[1], name), getattr(gains[2], name))
    for row in random.integers(0, gains[0].open.size, 3).tolist() + gains[2].order()[:3].tolist():
        person, post = divmod(row, posts)
        after = [exposure(trained(each, legal, person, post), moves, demand) for each in (one, whole)]
        assert after[0] == after[1]
    ours, theirs = (training(each, moves, demand, legal) for each in (one, whole))
    assert ours.best == theirs.best


@given(SEEDS, st.sampled_from([130, 200]))
@settings(max_examples=25, deadline=None)
def test_hours_and_open_posts_of_masks(seed: int, posts: int) -> None:
    random = np.random.default_rng(seed)
    masks, demand = several(random, 5, posts)
    one, whole = in_components(masks, posts), as_whole(masks)
    people = masks.place.shape[1]
    blocks = random_blocks(random, 5, people)
    groups = np.array([[p, -1] for p in range(people)] + [random.permutation(people)[:2].tolist() for _ in range(20)])
    ours, theirs = (seat_within(each, demand, blocks) for each in (one, whole))
    assert ours.deficit.sum() == theirs.deficit.sum()
    assert np.array_equal(ours.losses(groups), theirs.losses(groups))
    assert ours.losses(np.zeros((0, 2), dtype=np.int64)).size == 0
    assert np.array_equal(heads(one, posts), heads(whole, posts))
    tiers = random.integers(1, 4, posts)
    window: Any = SimpleNamespace(
        posts=[SimpleNamespace(service=n) for n in range(posts)], services=[SimpleNamespace(tier=tier) for tier in tiers]
    )
    for moves in (Moves.DIRECT, Moves.FULL):
        assert np.array_equal(open_by_post(window, one, moves, demand), open_by_post(window, whole, moves, demand))


def asked_in_parts(module: ModuleType) -> Iterator[None]:
    """Inside, a module gets its masks in one part for each component."""

    def forced(roster: Any, *rest: Any) -> Masks:
        return in_components(masks_of(roster, *rest), len(roster.posts))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "masks_of", forced)
        yield


def in_parts(module: ModuleType, question: Callable[[], Any]) -> Any:
    """The answer when a module gets its masks in one part for each component."""
    for _ in asked_in_parts(module):
        return question()
    raise AssertionError


@given(SEEDS, st.integers(2, 4), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_a_small_roster(seed: int, departments: int, size: int) -> None:
    random = np.random.default_rng(seed)
    roster = hospital(random, departments, size, 5, spare=int(random.integers(0, 3))).whole
    last = roster.last_day
    one, whole = (in_parts(report_module, lambda: contingency(roster, POLICY, FIRST, last)), contingency(roster, POLICY, FIRST, last))
    assert len(one.masks.split) >= departments
    for moves in Moves:
        ours, theirs = one.people_columns(moves), whole.people_columns(moves)
        # of several best seatings another one may have been found
        for name in (name for name in ours if name not in ("posts_lost", "people_moved")):
            assert ours[name] == theirs[name], name
    assert {name: values for name, values in one.slots_columns().items() if not name.startswith("thin")} == {
        name: values for name, values in whole.slots_columns().items() if not name.startswith("thin")
    }
    assert one.pairs_columns() == whole.pairs_columns()
    added = added_shifts(roster, DUTY, FIRST, last)
    for moves, demand in ((Moves.FULL, roster.minimum), (Moves.DIRECT, roster.required)):
        asked = np.ascontiguousarray(demand.T)
        slot, post = np.nonzero(asked)
        mixed = random.permutation(slot.size)
        found = [
            covers_of_seats(added, each.masks, moves, asked, slot[mixed], post[mixed]).columns() for each in (one, whole)
        ]
        assert found[0] == found[1]
    lost = random.permutation(len(roster.people))[:2].tolist()
    documents = [
        in_parts(without_module, lambda: without(roster, POLICY, lost, FIRST, last).document()),
        without(roster, POLICY, lost, FIRST, last).document(),
    ]
    assert documents[0] == documents[1]


# the edges


def test_nobody_may_hold_anything() -> None:
    posts = {f"q{n:03d}": "W" for n in range(MOST_POSTS + 30)}
    need = {(post, 0, "AM"): 1 for post in posts}
    roster = build({"A": "D", "B": "-"}, posts=posts, qualified=[], holds={"A": "q000"}, minimum=need, required=need)
    found = contingency(roster, POLICY, FIRST, FIRST)
    assert [found.open_seats(moves) for moves in Moves] == [280] * 4
    assert found.margin.slack.tolist() == [-280, NO_DEMAND, NO_DEMAND]
    assert found.people_columns()["slots_lost"] == [0, 0]
    assert found.unqualified == 2
    legal = legal_if_qualified(roster, DUTY, FIRST, FIRST)
    gains = training_gains(found.masks, Moves.FULL, found.demand, legal)
    assert gains.open[1].tolist() == [1] * 280
    after = exposure(trained(found.masks, legal, 1, 271), Moves.FULL, found.demand)
    assert (after.open, after.seats) == (279, 1)
    assert without(roster, POLICY, [0], FIRST, FIRST).totals()["minimum"]["open_after"] == 280
    assert worst(found.masks, Moves.FULL, found.demand, 3).seats == 0


def test_a_training_that_ties_too_many_posts_together_is_told_from_its_gain() -> None:
    random = np.random.default_rng(3)
    made = hospital(random, 2, 130, 2, spare=20)
    found = contingency(made.whole, POLICY, FIRST, FIRST + 1)
    legal = legal_if_qualified(made.whole, DUTY, FIRST, FIRST + 1)
    best = training(found.masks, Moves.FULL, found.demand, legal, best=40).best
    department = {int(p): n for n, people in enumerate(made.people) for p in people}
    of_post = {int(q): n for n, posts in enumerate(made.posts) for q in posts}
    across = [one for one in best if department[one.person] != of_post[one.post]]
    assert across
    gains = training_gains(found.masks, Moves.FULL, found.demand, legal)
    for one in best:
        assert one.before.seats - one.after.seats == gains.seats[one.person, one.post]
    with pytest.raises(ValueError, match="260 posts"):
        trained(found.masks, legal, across[0].person, across[0].post)


def test_masks_of_some_slots_and_without_people_stay_in_their_parts() -> None:
    masks, demand = several(np.random.default_rng(11), 6, 130)
    one, whole = masks.divided(), as_whole(masks)
    assert one.split
    assert one.divided() is one
    assert whole.divided() is whole
    assert as_whole(masks).parts == ()
    for ours, theirs in ((one.at(np.array([4, 1])), whole.at(np.array([4, 1]))), (one.between(2, 5), whole.between(2, 5))):
        asked = np.ascontiguousarray(demand[[4, 1]] if len(ours.place) == 2 else demand[2:5])
        lost = [0, 3, 5]
        assert np.array_equal(labels(ours, Moves.FULL, asked).slots_lost, labels(theirs, Moves.FULL, asked).slots_lost)
        assert np.array_equal(
            deficits(ours.without(lost), Moves.FULL, asked), deficits(theirs.without(lost), Moves.FULL, asked)
        )
