"""The gain of every training by one search, against labelling everything anew for each of thousands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.training import (
    Gains,
    exposure,
    legal_if_qualified,
    trained,
    training,
    training_gains,
)
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import Demand
from resilience_assets_tests.analysis.contingency.programs import (
    among_more_posts,
    chain_program,
    drops_of_all_sets,
    random_program,
)

DUTY = load_policies().default.duty
POSTS = {"icu": "ICU", "clinic": "CLINIC"}


def some_legal(random: np.random.Generator, masks: Masks, posts: int) -> np.ndarray:
    """Rest rules that forbid a fifth of everything, [T, P, 1]."""
    slots, people = masks.place.shape
    return bits_of(random.random((slots * people, posts)) < 0.8).reshape(slots, people, -1)


def check(masks: Masks, moves: Moves, demand: Demand, legal: np.ndarray) -> tuple[int, int, int]:
    """Compare every training with what labels say of the trained program; trainings, with an effect, that fill a seat."""
    gains, before = training_gains(masks, moves, demand, legal), exposure(masks, moves, demand)
    effects = fills = 0
    for p in range(masks.place.shape[1]):
        for q in range(demand.shape[1]):
            after = exposure(trained(masks, legal, p, q), moves, demand)
            expected = (before.open - after.open, before.seats - after.seats, before.slots - after.slots)
            assert (gains.open[p, q], gains.seats[p, q], gains.slots[p, q]) == expected, (moves, p, q)
            effects += any(expected)
            fills += expected[0] > 0
    return gains.open.size, effects, fills


@pytest.mark.parametrize("moves", list(Moves))
def test_every_training_of_random_programs(moves: Moves) -> None:
    random = np.random.default_rng(61)
    counts = np.zeros(3, dtype=np.int64)
    for _ in range(120):
        masks, demand = random_program(random)
        counts += check(masks, moves, demand, some_legal(random, masks, demand.shape[1]))
    assert counts[0] > 1_500
    assert (counts[1] == 0) == (moves == Moves.STATIC)
    assert counts[2] > 100 or moves == Moves.STATIC


def test_every_training_in_long_chains_with_open_seats() -> None:
    random = np.random.default_rng(62)
    counts = np.zeros(3, dtype=np.int64)
    for _ in range(25):
        masks, demand = chain_program(random)
        counts += check(masks, Moves.FULL, demand, some_legal(random, masks, demand.shape[1]))
    assert counts[0] > 2_000
    assert counts[2] > 200


@pytest.mark.parametrize("posts", [75, 180])
def test_two_and_four_words_say_the_same(posts: int) -> None:
    random = np.random.default_rng(posts)
    for _ in range(30):
        masks, demand = random_program(random)
        wide, asked, spread = among_more_posts(random, masks, demand, posts)
        full = np.ones((masks.place.size, posts), dtype=np.bool_)
        legal = [bits_of(full[:, :count]).reshape(*masks.place.shape, -1) for count in (demand.shape[1], posts)]
        one, other = (
            training_gains(masks, Moves.FULL, demand, legal[0]),
            training_gains(wide, Moves.FULL, asked, legal[1]),
        )
        for name in ("open", "seats", "slots"):
            assert np.array_equal(getattr(one, name), getattr(other, name)[:, spread])
            assert not np.delete(getattr(other, name), spread, axis=1).any()
        person, post = np.unravel_index(one.seats.argmax(), one.seats.shape)
        after = (
            trained(masks, legal[0], int(person), int(post)),
            trained(wide, legal[1], int(person), int(spread[post])),
        )
        assert exposure(after[0], Moves.FULL, demand) == exposure(after[1], Moves.FULL, asked)


def test_exposure_is_what_every_single_loss_opens() -> None:
    random = np.random.default_rng(63)
    for _ in range(60):
        masks, demand = random_program(random)
        singles = drops_of_all_sets(masks, Moves.FULL, demand)[:, 1 << np.arange(masks.place.shape[1])]
        found = exposure(masks, Moves.FULL, demand)
        assert (found.seats, found.slots) == (singles.sum(), (singles > 0).any(axis=1).sum())


def test_the_best_are_recomputed_and_in_order() -> None:
    random = np.random.default_rng(64)
    several = 0
    for _ in range(60):
        masks, demand = random_program(random)
        legal = some_legal(random, masks, demand.shape[1])
        found = training(masks, Moves.FULL, demand, legal)
        fall = [
            (one.before.open - one.after.open, one.before.seats - one.after.seats, one.before.slots - one.after.slots)
            for one in found.best
        ]
        assert fall == sorted(fall, reverse=True)
        gains = found.gains
        assert fall == [
            (gains.open[one.person, one.post], gains.seats[one.person, one.post], gains.slots[one.person, one.post])
            for one in found.best
        ]
        every = list(zip(gains.open.ravel(), gains.seats.ravel(), gains.slots.ravel(), strict=True))
        assert fall == sorted((one for one in every if max(one) > 0), reverse=True)[: len(fall)]
        several += len(fall) == 5
    assert several > 20


def test_tiers_count_what_is_asked_for_up_to_each() -> None:
    random = np.random.default_rng(65)
    masks, demand = random_program(random, most_posts=5)
    legal = some_legal(random, masks, demand.shape[1])
    tiers = np.arange(demand.shape[1]) % 3 + 1
    found = training(masks, Moves.FULL, demand, legal, tiers)
    asked = {int(tier) for tier, some in zip(tiers, demand.any(axis=0), strict=True) if some}
    assert set(found.by_tier) == asked
    for tier, gains in found.by_tier.items():
        kept = np.where(tiers <= tier, demand, 0).astype(np.int16)
        assert np.array_equal(gains.seats, training_gains(masks, Moves.FULL, kept, legal).seats)
    last = found.by_tier[max(asked)]
    assert np.array_equal(last.seats, found.gains.seats)
    people, posts = [f"P{n}" for n in range(len(last.seats))], [f"Q{n}" for n in range(demand.shape[1])]
    columns = found.columns(people, posts, most=3)
    assert {len(values) for values in columns.values()} == {len(found.gains.order()[:3])}
    assert columns[f"tier_{max(asked)}"] == columns["seats"]


def test_a_free_person_learns_what_only_one_may_do() -> None:
    need = {("icu", 0, "AM"): 1, ("icu", 0, "PM"): 1, ("icu", 1, "AM"): 1}
    roster = build(
        {"A": "D D", "B": "- .", "C": "- a"}, posts=POSTS, qualified=[("A", "icu"), ("B", "clinic"), ("C", "clinic")],
        required=need, minimum=need,
    )  # fmt: skip
    masks = masks_of(roster, DUTY, FIRST, FIRST + 1)
    legal = legal_if_qualified(roster, DUTY, FIRST, FIRST + 1)
    found = training(masks, Moves.FULL, np.ascontiguousarray(roster.minimum.T), legal)
    columns = found.columns([one.id for one in roster.people], [one.id for one in roster.posts])
    # B may be called in on the second date, C is away
    assert columns["person"] == ["B", "C"]
    assert columns["post"] == ["icu", "icu"]
    assert (columns["seats"], columns["slots"], columns["open"]) == ([3, 2], [3, 2], [0, 0])
    assert (found.best[0].before.seats, found.best[0].after.seats) == (3, 0)


def test_what_rest_rules_forbid_gives_nothing() -> None:
    need = {("icu", 1, "AM"): 1}
    picture = {"A": ". D", "B": "C .", "C": "- ."}
    roster = build(picture, posts=POSTS, qualified=[("A", "icu"), ("B", "clinic"), ("C", "clinic")], minimum=need, required=need)  # fmt: skip
    legal = legal_if_qualified(roster, DUTY, FIRST, FIRST + 1)
    icu = [one.id for one in roster.posts].index("icu")
    may = members_of(legal, 2)[3, :, icu]
    assert may.tolist() == [True, False, True]  # B has been on call for 24 hours
    masks = masks_of(roster, DUTY, FIRST, FIRST + 1)
    gains = training_gains(masks, Moves.FULL, np.ascontiguousarray(roster.minimum.T), legal)
    assert gains.seats[:, icu].tolist() == [0, 0, 1]


def test_legal_posts_contain_the_allowed_ones_of_who_is_qualified() -> None:
    roster = build({"A": "D N . D", "B": "N . D -", "C": "a a - D"}, posts=POSTS)
    masks = masks_of(roster, DUTY, FIRST, FIRST + 3)
    legal = legal_if_qualified(roster, DUTY, FIRST, FIRST + 3)
    # all are qualified for all: what the masks allow is what is legal
    assert np.array_equal(masks.may, legal)
    none = legal_if_qualified(replace(roster), DUTY, FIRST + 50, FIRST + 60)
    assert none.shape == (0, 3, 1)


def test_order_of_equals_is_by_person_and_post() -> None:
    same = np.array([[1, 0], [0, 1]], dtype=np.int32)
    assert Gains(same * 0, same, same).order().tolist() == [0, 3]
