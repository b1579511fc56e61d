"""The margin, against Hall's theorem over all sets of posts: no flow and no matching in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.margin import NO_DEMAND, margin
from resilience_assets.analysis.contingency.masks import Masks, Moves, movable
from resilience_assets.analysis.contingency.seating import MOST_POSTS
from resilience_assets_tests.analysis.contingency.blocks import Demand, chain_block, random_block, stacked

INSTANCES = 40_000
Counts = npt.NDArray[np.int64]


def allowed_words(masks: Masks, moves: Moves) -> Counts:
    """Posts that each may hold, as one number, [T, P]."""
    held = np.where(masks.place < MOST_POSTS, 1 << np.minimum(masks.place, 40).astype(np.int64), 0)
    return np.where(movable(moves)[masks.place], masks.may[:, :, 0].astype(np.int64), held)


def hall(masks: Masks, moves: Moves, demand: Demand) -> tuple[Counts, Counts]:
    """People who may hold one of a set of posts, and seats asked for at it, for every set: two [T, 2 ** Q]."""
    words = allowed_words(masks, moves)
    posts = demand.shape[1]
    members = (np.arange(1 << posts)[:, None] >> np.arange(posts)) & 1
    # posts without demand say nothing: sets that hold one count as the set without it
    asked = ((demand > 0).astype(np.int64) << np.arange(posts)).sum(axis=1)
    people = np.stack([((words & (one & asked)[:, None]) != 0).sum(axis=1) for one in range(1 << posts)], axis=1)
    return people, demand.astype(np.int64) @ members.T


@pytest.mark.parametrize("moves", [Moves.DIRECT, Moves.FULL])
def test_tens_of_thousands_of_slots(moves: Moves) -> None:
    random = np.random.default_rng(7)
    blocks = [random_block(random) for _ in range(INSTANCES)]
    masks, demand = stacked(blocks, 5)
    check(masks, demand, moves, 12)


@pytest.mark.parametrize("most", [1, 2, 3, 12])
def test_chains_and_any_number_of_losses_told_apart(most: int) -> None:
    random = np.random.default_rng(8)
    masks, demand = stacked([chain_block(random) for _ in range(400)], 11)
    check(masks, demand, Moves.FULL, most)


def check(masks: Masks, demand: Demand, moves: Moves, most: int) -> None:
    people, seats = hall(masks, moves, demand)
    slack = np.where(seats > 0, people - seats, 1 << 40).min(axis=1)
    found = margin(masks, moves, demand, most)
    some = demand.any(axis=1)
    assert (found.slack[~some] == NO_DEMAND).all()
    assert np.array_equal(found.slack[some], np.minimum(slack, most)[some])
    known = some & (slack < most)
    assert np.array_equal(found.losses[known], np.maximum(0, slack + 1)[known])
    # the witness is a set of posts that is as thin as said
    chosen = members_of(found.posts, demand.shape[1])
    which = (chosen.astype(np.int64) << np.arange(demand.shape[1])).sum(axis=1)
    rows = np.flatnonzero(known)
    assert (which[rows] > 0).all()
    assert not (chosen & (demand == 0)).any()
    assert np.array_equal(people[rows, which[rows]], found.people[rows])
    assert np.array_equal(seats[rows, which[rows]], found.demand[rows])
    assert np.array_equal(found.people[rows] - found.demand[rows], slack[rows])
    # the curve, as far as it tells
    for t in np.flatnonzero(some)[:1_500]:
        curve = found.curve(int(t))
        worst = [(seats[t] - np.maximum(0, people[t] - k)).max() for k in range(curve.size)]
        assert curve.tolist() == worst
        assert curve.size >= 1
