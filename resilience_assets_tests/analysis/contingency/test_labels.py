"""Every person and every pair, against losing every subset, and against plain matchings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import Labels, deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.seating import AWAY
from resilience_assets_tests.analysis.contingency.blocks import (
    allowed,
    block_of,
    chain_block,
    pair_deficits,
    random_block,
    seats_filled,
    stacked,
    subset_deficits,
)

BLOCKS = 3_800
CHAINS = 2_000


def every_subset_lost(masks: Masks) -> Masks:
    """A slot for each subset of people, without them."""
    people = masks.place.shape[1]
    lost = (np.arange(1 << people)[:, None] >> np.arange(people)) & 1 == 1
    place = np.where(lost, AWAY, masks.place).astype(np.uint8)
    return Masks(place, np.where(lost[:, :, None], np.uint64(0), masks.may))


def pair_drops(found: Labels, slot: int, people: int) -> np.ndarray:
    """Seats that the labels say open for each pair, [P, P] (the diagonal: one lost)."""
    label = found.label[slot, :people].astype(np.int64)
    alone = (label == ESSENTIAL).astype(np.int64)
    same = (label[:, None] == label[None, :]) & (label > 0) & (label != ESSENTIAL)
    out = alone[:, None] + alone[None, :] + same
    np.fill_diagonal(out, alone)
    return out


@pytest.mark.parametrize("moves", list(Moves))
def test_every_subset_of_thousands_of_random_slots(moves: Moves) -> None:
    random = np.random.default_rng(1)
    blocks = [random_block(random) for _ in range(BLOCKS)]
    masks, demand = stacked(blocks, 5)
    found = labels(masks, moves, demand)
    singles = pairs = 0
    for t, (block, asked) in enumerate(blocks):
        people = block.place.shape[1]
        expected = subset_deficits(allowed(block, moves, asked.shape[1]), asked)
        seated_anew = deficits(every_subset_lost(block), moves, np.repeat(asked, 1 << people, axis=0))
        assert np.array_equal(seated_anew, expected), t
        assert found.deficit[t] == expected[0]
        drops = pair_drops(found, t, people)
        for p in range(people):
            assert drops[p, p] == expected[1 << p] - expected[0], (t, p)
            singles += 1
        for p, q in combinations(range(people), 2):
            assert drops[p, q] == expected[1 << p | 1 << q] - expected[0], (t, p, q)
            pairs += 1
    assert singles > 15_000
    assert pairs > 35_000


def test_chains_of_dominators() -> None:
    random = np.random.default_rng(2)
    blocks = [chain_block(random) for _ in range(CHAINS)]
    masks, demand = stacked(blocks, 11)
    for moves in (Moves.DIRECT, Moves.FULL):
        found = labels(masks, moves, demand)
        for t, (block, asked) in enumerate(blocks):
            people = block.place.shape[1]
            may = allowed(block, moves, asked.shape[1])
            expected = pair_deficits(may, asked)
            filled = int(asked.sum()) - seats_filled(may, asked)
            assert found.deficit[t] == filled
            assert np.array_equal(pair_drops(found, t, people), expected - filled), t
        if moves == Moves.FULL:
            assert int(found.classes.sum()) > 2_000
            sizes = [np.bincount(row[(row > 0) & (row != ESSENTIAL)]).max(initial=0) for row in found.label]
            assert sum(size > 2 for size in sizes) > 500


def test_beside_scipy_with_each_person_and_pair_removed() -> None:
    random = np.random.default_rng(3)
    for _ in range(150):
        block, asked = chain_block(random)
        may = allowed(block, Moves.FULL, asked.shape[1])
        found = labels(block, Moves.FULL, asked)
        drops = pair_drops(found, 0, may.shape[0])
        whole = seats_filled(may, asked)
        for p, q in combinations(range(may.shape[0]), 2):
            left = np.delete(may, [p, q], axis=0)
            assert whole - seats_filled(left, asked) == drops[p, q]


@pytest.mark.parametrize(("posts", "words"), [(5, 1), (64, 1), (65, 2), (128, 2), (129, 4), (250, 4)])
def test_one_two_and_four_words_say_the_same(posts: int, words: int) -> None:
    random = np.random.default_rng(posts)
    blocks = []
    for _ in range(60):
        masks, asked = chain_block(random) if posts > 11 else random_block(random)
        small = asked.shape[1]
        able = allowed(masks, Moves.FULL, small)
        spread = np.sort(random.choice(posts, small, replace=False))
        wide = np.zeros((able.shape[0], posts), dtype=np.bool_)
        wide[:, spread] = able
        place = masks.place[0].copy()
        held = place < small
        place[held] = spread[place[held]]
        demand = np.zeros((1, posts), dtype=np.int16)
        demand[:, spread] = asked
        blocks.append((masks, asked, block_of(place, wide), demand))
    for moves in Moves:
        for masks, asked, wide_masks, demand in blocks:
            assert wide_masks.words == words
            one, other = labels(masks, moves, asked), labels(wide_masks, moves, demand)
            assert one.deficit == other.deficit
            assert np.array_equal(pair_drops(one, 0, one.label.shape[1]), pair_drops(other, 0, one.label.shape[1]))


def test_the_answer_does_not_depend_on_who_sits_where() -> None:
    random = np.random.default_rng(4)
    for _ in range(300):
        masks, asked = chain_block(random)
        may = allowed(masks, Moves.FULL, asked.shape[1])
        other = block_of(np.full(may.shape[0], 251, dtype=np.uint8), may)
        one, two = labels(masks, Moves.FULL, asked), labels(other, Moves.FULL, asked)
        assert one.deficit == two.deficit
        assert np.array_equal(pair_drops(one, 0, may.shape[0]), pair_drops(two, 0, may.shape[0]))


seeds = st.integers(0, 2**32 - 1)


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_who_may_move_can_only_help(seed: int) -> None:
    random = np.random.default_rng(seed)
    block, asked = random_block(random)
    for lost in ((), (0,), (0, 1)):
        now = [int(deficits(block, moves, asked, lost)[0]) for moves in Moves]
        assert now == sorted(now, reverse=True)


@given(seeds)
@settings(max_examples=200, deadline=None)
def test_one_loss_more_opens_one_seat_at_most_and_never_closes_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    block, asked = chain_block(random)
    people = random.permutation(block.place.shape[1])[:4].tolist()
    for moves in Moves:
        steps = np.diff([int(deficits(block, moves, asked, people[:n])[0]) for n in range(5)])
        assert ((steps >= 0) & (steps <= 1)).all()


def test_a_part_of_the_slots_and_one_pair_of_many() -> None:
    random = np.random.default_rng(5)
    masks, demand = stacked([random_block(random) for _ in range(200)], 5)
    found = labels(masks, Moves.FULL, demand)
    part = labels(masks.between(50, 120), Moves.FULL, demand[50:120])
    cut = found.between(50, 120)
    assert np.array_equal(cut.label, part.label)
    assert np.array_equal(cut.slots_lost, part.slots_lost)
    assert np.array_equal(cut.survives, part.survives)
    base = deficits(masks, Moves.FULL, demand)
    for p, q in combinations(range(8), 2):
        drop = deficits(masks, Moves.FULL, demand, (p, q)) - base
        assert found.pair(p, q) == (int(drop.sum()), int((drop > 0).sum()))


def test_an_empty_program() -> None:
    nobody = Masks(np.empty((2, 0), dtype=np.uint8), np.empty((2, 0, 1), dtype=np.uint64))
    found = labels(nobody, Moves.FULL, np.array([[1, 2], [0, 0]], dtype=np.int16))
    assert found.deficit.tolist() == [3, 0]
    no_slots = Masks(np.empty((0, 3), dtype=np.uint8), np.empty((0, 3, 1), dtype=np.uint64))
    assert labels(no_slots, Moves.FULL, np.empty((0, 2), dtype=np.int16)).slots_lost.tolist() == [0, 0, 0]
