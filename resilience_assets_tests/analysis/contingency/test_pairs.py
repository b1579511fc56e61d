"""All pairs over many slots, against the plain matrix of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import Labels, labels
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.pairs import classmates, pairs
from resilience_assets_tests.analysis.contingency.blocks import chain_block, random_block, stacked


def matrices(found: Labels) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Seats and slots of each pair, two [P, P]."""
    label = found.label
    essential = label == ESSENTIAL
    seats = np.add.outer(found.slots_lost, found.slots_lost)
    for row in label:
        known = (row > 0) & (row != ESSENTIAL)
        seats += (row[:, None] == row[None, :]) & known
    return seats, seats - essential.T.astype(np.int64) @ essential.astype(np.int64)


@pytest.mark.parametrize("most", [1, 5, 20, 500])
@pytest.mark.parametrize("slots", [1, 9, 130])
def test_beside_the_matrix(most: int, slots: int) -> None:
    random = np.random.default_rng([most, slots])
    for make, posts in ((random_block, 5), (chain_block, 11)):
        for _ in range(20):
            masks, demand = stacked([make(random) for _ in range(slots)], posts)
            found = labels(masks, Moves.FULL, demand)
            seats, broken = matrices(found)
            rows = [
                (int(seats[p, q]), int(broken[p, q]), p, q)
                for p in range(seats.shape[0])
                for q in range(p + 1, seats.shape[0])
            ]
            counted = pairs(found, most)
            expected = np.bincount([row[0] for row in rows])
            assert counted.histogram.tolist() == expected[: len(counted.histogram)].tolist()
            assert counted.histogram.sum() == len(rows)
            assert counted.harmful == sum(row[0] > 0 for row in rows)
            harmful = [row for row in rows if row[0]]
            by_seats = sorted(harmful, key=lambda row: (-row[0], -row[1], row[2], row[3]))[:most]
            by_slots = sorted(harmful, key=lambda row: (-row[1], -row[0], row[2], row[3]))[:most]
            assert [tuple(row) for row in counted.worst_by_seats.tolist()] == by_seats
            assert [tuple(row) for row in counted.worst_by_slots.tolist()] == by_slots


def test_classmates_are_every_pair_of_a_class_once() -> None:
    random = np.random.default_rng(6)
    masks, demand = stacked([chain_block(random) for _ in range(50)], 11)
    found = labels(masks, Moves.FULL, demand)
    mates = classmates(found)
    listed = [
        (p, int(q))
        for p in range(found.label.shape[1])
        for e in range(mates.begin[p], mates.begin[p + 1])
        for q in mates.member[mates.first[e] : mates.end[e]]
    ]
    expected = [
        (p, q)
        for row in found.label.tolist()
        for p in range(len(row))
        for q in range(p + 1, len(row))
        if row[p] == row[q] and row[p] not in (0, ESSENTIAL)
    ]
    assert sorted(listed) == sorted(expected)


def test_nobody_harmful() -> None:
    masks, demand = stacked([random_block(np.random.default_rng(0))], 5)
    counted = pairs(labels(masks, Moves.FULL, np.zeros_like(demand)))
    assert counted.worst_by_seats.shape == (0, 4)
    assert counted.harmful == 0
