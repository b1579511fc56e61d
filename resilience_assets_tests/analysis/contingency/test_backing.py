"""Who backs whom up, against the loss of every pair found by removing it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from resilience_assets.analysis.contingency.backing import Backing, backings
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.labels import Demand, Labels, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets_tests.analysis.contingency.blocks import allowed, pair_deficits
from resilience_assets_tests.analysis.contingency.programs import chain_program, random_program


def by_losing_pairs(masks: Masks, demand: Demand) -> dict[tuple[int, ...], tuple[int, ...]]:
    """Slots of every class: people whose single loss opens nothing and who open a seat with each other."""
    out: dict[tuple[int, ...], list[int]] = {}
    for t in range(len(demand)):
        lost = pair_deficits(allowed(masks.between(t, t + 1), Moves.FULL, demand.shape[1]), demand[[t]])
        now = int(labels(masks.between(t, t + 1), Moves.FULL, demand[[t]]).deficit[0])
        spared = [p for p in range(len(lost)) if lost[p, p] == now]
        classes: list[list[int]] = []
        for p in spared:
            with_p = [q for q in spared if q != p and lost[p, q] > now]
            if with_p and not any(p in one for one in classes):
                classes.append([p, *with_p])
        for one in classes:
            assert all(lost[p, q] > now for p, q in combinations(one, 2)), "a class is a class"
            out.setdefault(tuple(sorted(one)), []).append(t)
    return {people: tuple(slots) for people, slots in out.items()}


@pytest.mark.parametrize("make", [random_program, chain_program])
def test_they_are_those_found_by_losing_every_pair(make) -> None:  # type: ignore[no-untyped-def]
    random = np.random.default_rng(3)
    total = 0
    for _ in range(25 if make is random_program else 6):
        masks, demand = make(random)
        expected = by_losing_pairs(masks, demand)
        found = backings(labels(masks, Moves.FULL, demand), most=1000)
        assert {one.people: one.slots for one in found} == expected
        assert len(found) == len(expected), "each once"
        total += len(expected)
    assert total > 20


def of(rows: list[list[int]]) -> Labels:
    """Labels as given, a row a slot."""
    label = np.array(rows, dtype=np.uint16 if np.max(rows) > ESSENTIAL else np.uint8)
    classes = np.where(label == ESSENTIAL, 0, label).max(axis=1).astype(np.int64)
    nothing = np.zeros(len(rows), dtype=np.int64)
    return Labels(label, nothing, classes, nothing, np.zeros((label.shape[1], 1), dtype=np.uint64))


def test_those_who_are_one_in_most_slots_come_first_then_smaller_ones_then_by_people() -> None:
    found = of([[1, 1, 2, 2, 0], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 0, 1]])
    expected = [Backing((0, 1), (0, 1)), Backing((2, 3), (0,)), Backing((2, 4), (3,)), Backing((1, 2, 3), (2,))]
    assert backings(found) == expected
    assert backings(found, most=2) == expected[:2]
    assert backings(of([[0, ESSENTIAL, 0]])) == []


def test_people_who_are_essential_are_no_class_however_many_classes_a_slot_has() -> None:
    """More than 254 classes are numbered past the mark of who is essential."""
    row = [ESSENTIAL, ESSENTIAL, *(number for n in range(1, 301) if (number := n) != ESSENTIAL for _ in range(2))]
    found = backings(of([row]), most=1000)
    assert len(found) == 299
    assert all(len(one.people) == 2 and 0 not in one.people for one in found)
