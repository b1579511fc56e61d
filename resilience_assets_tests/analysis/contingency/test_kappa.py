"""Bounds on what any k people can open, against every set of people and every set of posts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.kappa import weights
from resilience_assets.analysis.contingency.labels import deficits
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets_tests.analysis.contingency.blocks import HEADS, Demand, allowed
from resilience_assets_tests.analysis.contingency.programs import (
    drops_of_all_sets,
    random_program,
    sets_of,
    spare_of_posts,
)

PROGRAMS = 200


def weights_by_hall(masks: Masks, moves: Moves, demand: Demand, losses: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [P] and the first bound [T], from every set of posts."""
    people = masks.place.shape[1]
    short = np.zeros((len(demand), people), dtype=np.int64)
    for t in range(len(demand)):
        may = allowed(masks.between(t, t + 1), moves, demand.shape[1])
        spare = np.where(may, spare_of_posts(may, demand[[t]])[None, :], 1 << 20).min(axis=1)
        short[t] = np.maximum(0, losses - spare)
    return short.sum(axis=0), short.max(axis=1)


@pytest.mark.parametrize("moves", list(Moves))
def test_spare_people_are_those_of_hall(moves: Moves) -> None:
    random = np.random.default_rng(41)
    heavy = 0
    for _ in range(PROGRAMS):
        masks, demand = random_program(random)
        for losses in (1, 2, 3, 5):
            found = weights(masks, moves, demand, losses)
            weight, most = weights_by_hall(masks, moves, demand, losses)
            assert np.array_equal(found.weight, weight)
            assert np.array_equal(found.most, most)
            heavy += int((weight > 0).sum())
        assert np.array_equal(found.deficit, deficits(masks, moves, demand))
    assert heavy > 2_000


@pytest.mark.parametrize("moves", [Moves.STATIC, Moves.FULL])
def test_no_set_of_people_passes_the_bounds(moves: Moves) -> None:
    random = np.random.default_rng(42)
    checked = reached = 0
    for _ in range(PROGRAMS):
        masks, demand = random_program(random)
        people = masks.place.shape[1]
        drops = drops_of_all_sets(masks, moves, demand)
        for losses in (1, 2, 3, 4):
            found = weights(masks, moves, demand, losses)
            chosen = sets_of(people, losses)
            inside = (chosen[:, None] >> np.arange(people)) & 1
            opened = drops[:, chosen]
            assert (opened <= found.most[:, None]).all()
            assert (losses * opened.sum(axis=0) <= inside @ found.weight).all()
            checked += chosen.size
            reached += int((losses * opened.sum(axis=0) == inside @ found.weight).sum())
    assert checked > 30_000
    assert reached > 1_000


def test_who_has_no_weight_adds_nothing() -> None:
    random = np.random.default_rng(43)
    idle = 0
    for _ in range(PROGRAMS):
        masks, demand = random_program(random)
        drops = drops_of_all_sets(masks, Moves.FULL, demand).sum(axis=0)
        for p in np.flatnonzero(weights(masks, Moves.FULL, demand, 3).weight == 0):
            every = np.arange(drops.size)
            with_p = every[(HEADS[every] <= 3) & (every >> p & 1 == 1)]
            assert np.array_equal(drops[with_p], drops[with_p & ~(1 << int(p))])
            idle += with_p.size
    assert idle > 500


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_only_people_asked_about_are_weighed(seed: int, losses: int) -> None:
    random = np.random.default_rng(seed)
    masks, demand = random_program(random)
    among = random.random(masks.place.shape[1]) < 0.5
    every, some = weights(masks, Moves.FULL, demand, losses), weights(masks, Moves.FULL, demand, losses, among)
    assert np.array_equal(some.weight, np.where(among, every.weight, 0))
    assert (some.most <= every.most).all()
