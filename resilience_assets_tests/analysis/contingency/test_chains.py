"""Lengths of chains, against trying all seatings and counting whose place differs."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from resilience_assets.analysis.contingency.chains import chains
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.seating import FREE, MOST_POSTS, OFF
from resilience_assets_tests.analysis.contingency.blocks import allowed, block_of, random_block, seats_filled

Demand = npt.NDArray[np.int16]


def published_seats(masks: Masks, demand: Demand) -> int:
    """Seats filled as rostered."""
    heads = np.bincount(masks.place[0][masks.place[0] < MOST_POSTS], minlength=demand.size)[: demand.size]
    return int(np.minimum(heads, demand.ravel()).sum())


def fewest_moved(masks: Masks, moves: Moves, demand: Demand, lost: int) -> int | None:
    """Fewest people (without the lost one) whose place differs while as many seats are filled; None if impossible."""
    may, goal = allowed(masks, moves, demand.size), published_seats(masks, demand)
    options = [
        [-1] if p == lost else sorted({int(masks.place[0, p]), *np.flatnonzero(may[p]).tolist()})
        for p in range(may.shape[0])
    ]
    best: int | None = None
    for places in product(*options):
        heads = [sum(one == q for one in places) for q in range(demand.size)]
        if sum(min(h, int(d)) for h, d in zip(heads, demand.ravel(), strict=True)) < goal:
            continue
        moved = sum(p != lost and one != masks.place[0, p] for p, one in enumerate(places))
        best = moved if best is None else min(best, moved)
    return best


def thin_block(random: np.random.Generator) -> tuple[Masks, Demand]:
    """One slot in which few people may do anything but what they do."""
    posts, spare = int(random.integers(2, 5)), int(random.integers(1, 3))
    able = random.random((posts + spare, posts)) < 0.3
    able[np.arange(posts), np.arange(posts)] = True
    place = np.append(np.arange(posts), random.choice([FREE, OFF, 0], spare)).astype(np.uint8)
    able[place == 0, 0] = True
    return block_of(place, able), np.ones((1, posts), dtype=np.int16)


@pytest.mark.parametrize("seed", range(4))
def test_beside_all_seatings_where_the_roster_is_as_good_as_can_be(seed: int) -> None:
    random = np.random.default_rng(seed)
    lengths: list[int] = []
    while len(lengths) < 400:
        masks, demand = random_block(random, 6, 4) if random.random() < 0.5 else thin_block(random)
        for moves in Moves:
            if seats_filled(allowed(masks, moves, demand.size), demand) > published_seats(masks, demand):
                continue  # the best seating is not the published one
            found = chains(masks, moves, demand)
            label = labels(masks, moves, demand).label[0]
            for p in range(masks.place.shape[1]):
                expected = fewest_moved(masks, moves, demand, p)
                assert (expected is None) == (label[p] == ESSENTIAL)
                assert found.by_slot[0, p] == (expected or 0), (masks, moves, demand, p)
                lengths.append(expected or 0)
    assert {1, 2} <= {int(one) for one in lengths}


def test_a_long_chain_is_as_long_as_it_has_people() -> None:
    # person p holds post p and may hold the one before it; the last is free
    posts = 9
    able = np.eye(posts + 1, posts, dtype=np.bool_) | np.eye(posts + 1, posts, k=-1, dtype=np.bool_)
    place = np.append(np.arange(posts), FREE).astype(np.uint8)
    found = chains(block_of(place, able), Moves.FULL, np.ones((1, posts), dtype=np.int16))
    assert found.length.tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert chains(block_of(place, able), Moves.DIRECT, np.ones((1, posts), dtype=np.int16)).length.tolist() == [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
    ]  # fmt: skip


def test_somebody_beyond_the_seats_of_a_post_takes_one_without_a_move_and_frees_one_to_go() -> None:
    able = np.array([[True, False], [True, False], [False, True], [True, True]])
    place = np.array([0, 0, 1, 0], dtype=np.uint8)
    found = chains(block_of(place, able), Moves.FULL, np.array([[2, 1]], dtype=np.int16))
    # whoever of the three at the first post is lost, nobody moves; the second post takes the last of them
    assert found.by_slot.tolist() == [[0, 0, 1, 0]]


def test_the_most_of_all_slots_is_the_length() -> None:
    able = np.array([[True, False], [True, True], [False, True]])
    one = block_of(np.array([0, 1, FREE], dtype=np.uint8), able)
    two = block_of(np.array([0, FREE, 1], dtype=np.uint8), able)
    both = Masks(np.concatenate([one.place, two.place]), np.concatenate([one.may, two.may]))
    found = chains(both, Moves.FULL, np.ones((2, 2), dtype=np.int16))
    assert found.by_slot.tolist() == [[2, 1, 0], [1, 0, 1]]
    assert found.length.tolist() == [2, 1, 1]
