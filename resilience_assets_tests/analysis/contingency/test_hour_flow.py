"""The flow within blocks, against a linear program and, without limits, against the seating slot by slot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.hour_flow import NO_CAP, NOWHERE, Blocks, one_block, seat_within
from resilience_assets.analysis.contingency.labels import deficits, labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.seating import AWAY
from resilience_assets_tests.analysis.contingency.blocks import random_block

Demand = npt.NDArray[np.int16]


def random_window(random: np.random.Generator) -> tuple[Masks, Demand]:
    """Two to nine slots of the same two to seven people and one to four posts."""
    people, posts, slots = int(random.integers(2, 8)), int(random.integers(1, 5)), int(random.integers(2, 10))
    parts: list[tuple[Masks, Demand]] = []
    while len(parts) < slots:
        masks, demand = random_block(random, 7, 4)
        if masks.place.shape[1] >= people and demand.shape[1] >= posts:
            held = masks.place[:, :people]
            place = np.where((held >= posts) & (held < 250), AWAY, held).astype(np.uint8)
            may = masks.may[:, :people] & np.uint64((1 << posts) - 1)
            may[place == AWAY] = 0
            parts.append((Masks(place, may), demand[:, :posts]))
    place, may = (np.concatenate([getattr(one, name) for one, _ in parts]) for name in ("place", "may"))
    return Masks(place, may), np.concatenate([demand for _, demand in parts])


def random_blocks(random: np.random.Generator, slots: int, people: int) -> Blocks:
    """Blocks of one to four slots in blocks of some of these, or one level of blocks only; some without a limit."""
    small = int(random.integers(1, 5))
    lengths = [small, small * int(random.integers(1, 4))][: int(random.integers(1, 3))]
    rows = [
        (begin, min(begin + length, slots), n) for n, length in enumerate(lengths) for begin in range(0, slots, length)
    ]
    first, end, level = (np.array(column) for column in zip(*rows, strict=True))
    parent = np.full(first.size, NOWHERE)
    for b in np.flatnonzero(level == 0):
        if len(lengths) == 2:
            parent[b] = next(a for a in np.flatnonzero(level == 1) if first[a] <= first[b] < end[a])
    most = np.where(random.random((people, first.size)) < 0.2, NO_CAP, random.integers(0, 5, (people, first.size)))
    return Blocks(first, end, parent, np.arange(slots) // small, most.astype(np.int64))


def open_seats(masks: Masks, demand: Demand, blocks: Blocks, lost: tuple[int, ...] = ()) -> int:
    """The same by linear programming: a variable for each person, slot and post (the matrix is totally unimodular)."""
    able = members_of(masks.may, demand.shape[1])
    able[:, list(lost)] = False
    slot, person, post = np.nonzero(able & (demand[:, None] > 0))
    rows, columns, limits = [], [], []

    def at_most(chosen: npt.NDArray[np.intp], limit: int) -> None:
        rows.extend([len(limits)] * chosen.size)
        columns.extend(chosen.tolist())
        limits.append(limit)

    for t, q in zip(*np.nonzero(demand > 0), strict=True):
        at_most(np.flatnonzero((slot == t) & (post == q)), int(demand[t, q]))
    for p in range(able.shape[1]):
        for t in range(able.shape[0]):
            at_most(np.flatnonzero((person == p) & (slot == t)), 1)
        for b in np.flatnonzero(blocks.most[p] != NO_CAP):
            inside = (person == p) & (slot >= blocks.first[b]) & (slot < blocks.end[b])
            at_most(np.flatnonzero(inside), int(blocks.most[p, b]))
    needed = int(np.maximum(demand, 0).sum())
    if not slot.size:
        return needed
    matrix = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(limits), slot.size))
    found = linprog(-np.ones(slot.size), A_ub=matrix.tocsr(), b_ub=limits, bounds=(0, 1))
    assert found.status == 0
    return needed + round(found.fun)


@pytest.mark.parametrize("seed", range(3))
def test_everything_lost_agrees_with_a_linear_program(seed: int) -> None:
    random = np.random.default_rng([71, seed])
    for _ in range(70):
        masks, demand = random_window(random)
        people = masks.place.shape[1]
        blocks = random_blocks(random, masks.place.shape[0], people)
        found = seat_within(masks, demand, blocks)
        now = open_seats(masks, demand, blocks)
        assert found.deficit.sum() == now
        groups = np.array([[p, NOWHERE] for p in range(people)] + [[0, 1], [people - 1, 0]])
        assert found.losses(groups).tolist() == [
            open_seats(masks, demand, blocks, tuple(p for p in group if p >= 0)) - now for group in groups.tolist()
        ]


def test_the_seating_that_is_found_keeps_every_limit() -> None:
    random = np.random.default_rng(72)
    for _ in range(300):
        masks, demand = random_window(random)
        blocks = random_blocks(random, *masks.place.shape)
        found = seat_within(masks, demand, blocks)
        post, able = found.seated.post, members_of(masks.may, demand.shape[1])
        slot, person = np.nonzero(post < demand.shape[1])
        assert able[slot, person, post[slot, person]].all()
        heads = np.zeros(demand.shape, dtype=np.int64)
        np.add.at(heads, (slot, post[slot, person]), 1)
        assert (heads <= demand).all()
        assert ((demand - heads).sum(axis=1) == found.deficit).all()
        for b in range(blocks.first.size):
            worked = (post[blocks.first[b] : blocks.end[b]] < demand.shape[1]).sum(axis=0)
            assert (worked == found.seated.used[:, b]).all()
            assert (worked <= blocks.most[:, b]).all()


def test_without_limits_it_is_the_seating_slot_by_slot() -> None:
    random = np.random.default_rng(73)
    for _ in range(300):
        masks, demand = random_window(random)
        slots, people = masks.place.shape
        found = seat_within(masks, demand, one_block(slots, people))
        assert found.deficit.tolist() == deficits(masks, Moves.FULL, demand).tolist()
        by_label = labels(masks, Moves.FULL, demand)
        assert found.losses(np.arange(people)[:, None]).tolist() == by_label.slots_lost.tolist()
        assert found.losses(np.array([[0, 1]])).tolist() == [by_label.pair(0, 1)[0]]


def test_more_than_64_people_are_several_words() -> None:
    place = np.zeros((3, 130), dtype=np.uint8)
    masks = Masks(place, np.ones((3, 130, 1), dtype=np.uint64))
    demand = np.full((3, 1), 80, dtype=np.int16)
    two = Blocks(np.array([0]), np.array([3]), np.array([NOWHERE]), np.zeros(3, dtype=np.int64), np.full((130, 1), 2))
    found = seat_within(masks, demand, two)
    assert found.deficit.sum() == 0  # 240 of 260 slots that they may work
    assert found.losses(np.array([[n, 129] for n in range(3)])).tolist() == [0, 0, 0]
    ten = np.arange(130, dtype=np.int64)[None, :11]
    assert found.losses(ten).tolist() == [2]


def test_nobody_lost_and_no_groups() -> None:
    masks, demand = random_window(np.random.default_rng(74))
    found = seat_within(masks, demand, one_block(*masks.place.shape))
    assert found.losses(np.full((1, 2), NOWHERE)).tolist() == [0]
    assert found.losses(np.zeros((0, 2), dtype=np.int64)).tolist() == []
