"""Small random programs of many slots for the tests of this room, and what every set of people opens in them.

Belongs here: generators and enumeration. Does not belong here: single slots (blocks.py), any expectation.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets_tests.analysis.contingency.blocks import (
    HEADS,
    Demand,
    allowed,
    block_of,
    chain_block,
    random_block,
    stacked,
    subset_deficits,
)

Ints = npt.NDArray[np.int64]


def random_program(random: np.random.Generator, most_people: int = 8, most_posts: int = 5) -> tuple[Masks, Demand]:
    """2 to 12 slots of the same 4 to 8 people, who work, stand by or are away by turns; what they may hold hardly changes."""
    people, posts = int(random.integers(4, most_people + 1)), int(random.integers(1, most_posts + 1))
    able = random.random((people, posts)) < random.uniform(0.2, 0.7)
    rich = random.uniform(0.3, 1.2)
    places, mays, demands = [], [], []
    for _ in range(int(random.integers(2, 13))):
        block, asked = random_block(random, people, posts)
        while block.place.shape[1] != people or asked.shape[1] != posts:
            block, asked = random_block(random, people, posts)
        place = block.place[0].copy()
        for p in np.flatnonzero(place < posts):
            held = np.flatnonzero(able[p])
            place[p] = random.choice(held) if held.size else 251
        legal = able & (random.random(able.shape) < 0.95)
        one = block_of(place, legal)
        places.append(one.place[0])
        mays.append(one.may[0])
        demands.append((random.random(posts) * rich * people / posts).round().astype(np.int16))
    return Masks(np.stack(places), np.stack(mays)), np.stack(demands)


def chain_program(random: np.random.Generator, slots: int = 6) -> tuple[Masks, Demand]:
    """Chains of dominators, one a slot, of unlike people: classes are long there, and some seats are open."""
    masks, demand = stacked([chain_block(random) for _ in range(slots)], 12)
    more = (random.random(demand.shape) < 0.08) & (demand > 0)
    return masks, (demand + more).astype(np.int16)


def drops_of_all_sets(masks: Masks, moves: Moves, demand: Demand) -> npt.NDArray[np.int64]:
    """Seats more open in each slot for every set of people lost, [T, 2 ** P], from every set of posts (Hall)."""
    posts = demand.shape[1]
    found = np.stack(
        [subset_deficits(allowed(masks.between(t, t + 1), moves, posts), demand[[t]]) for t in range(len(demand))]
    )
    return found - found[:, [0]]


def sets_of(people: int, most: int) -> npt.NDArray[np.int64]:
    """Sets of at most so many people, as numbers."""
    every = np.arange(1 << people)
    return every[HEADS[every] <= most]


def spare_of_posts(may: npt.NDArray[np.bool_], demand: Demand) -> npt.NDArray[np.int64]:
    """kappa of each post of a slot, [Q], a large number without demand: the least slack of a set with it, and what is open."""
    asked = np.flatnonzero(demand.ravel() > 0)
    out = np.full(demand.size, 1 << 20, dtype=np.int64)
    least = 0
    for size in range(1, asked.size + 1):
        for chosen in combinations(asked, size):
            slack = int(may[:, list(chosen)].any(axis=1).sum()) - int(demand.ravel()[list(chosen)].sum())
            out[list(chosen)] = np.minimum(out[list(chosen)], slack)
            least = min(least, slack)
    return out - least


def among_more_posts(
    random: np.random.Generator, masks: Masks, demand: Demand, posts: int
) -> tuple[Masks, Demand, Ints]:
    """The same program among `posts` posts that nobody asks for and nobody may hold, and where its own are now."""
    spread = np.sort(random.choice(posts, demand.shape[1], replace=False))
    place = masks.place.copy()
    held = place < demand.shape[1]
    place[held] = spread[place[held]]
    members = np.zeros((*masks.place.shape, posts), dtype=np.bool_)
    members[:, :, spread] = members_of(masks.may, demand.shape[1])
    wide = np.zeros((len(demand), posts), dtype=np.int16)
    wide[:, spread] = demand
    slots, people = masks.place.shape
    return Masks(place, bits_of(members.reshape(slots * people, posts)).reshape(slots, people, -1)), wide, spread
