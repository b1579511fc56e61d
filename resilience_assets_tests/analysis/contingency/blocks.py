"""Random slots for the tests of this room, and answers found by losing people one set at a time.

Belongs here: generators of masks and demand, brute force. Does not belong here: any expectation.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.masks import Masks, Moves, bits_of_places, movable
from resilience_assets.analysis.contingency.seating import AWAY, FREE, MOST_POSTS, OFF, UNSEATED

Demand = npt.NDArray[np.int16]
Bools = npt.NDArray[np.bool_]
HEADS = np.array([bin(number).count("1") for number in range(1 << 9)], dtype=np.int64)
"""People in a set of at most nine, written as a number."""


def block_of(place: npt.NDArray[np.uint8], able: Bools) -> Masks:
    """Masks of one slot from places [P] and who may hold what [P, Q]; the post held is always allowed."""
    posts = able.shape[1]
    may = bits_of(able)[None]
    may[:, place == AWAY] = 0
    return Masks(place[None], may | bits_of_places(place[None], posts))


def random_block(random: np.random.Generator, most_people: int = 8, most_posts: int = 5) -> tuple[Masks, Demand]:
    """One slot of 2 to 8 people and 1 to 5 posts, thin or rich, with everything that a person may be."""
    people, posts = int(random.integers(2, most_people + 1)), int(random.integers(1, most_posts + 1))
    able = random.random((people, posts)) < random.uniform(0.15, 0.75)
    place = np.full(people, FREE, dtype=np.uint8)
    for p in range(people):
        draw, options = random.random(), np.flatnonzero(able[p])
        if draw < 0.1:
            place[p] = AWAY
        elif draw < 0.2:
            place[p] = OFF
        elif draw < 0.25:
            place[p] = UNSEATED
        elif draw < 0.75 and options.size:
            place[p] = random.choice(options)
    return block_of(place, able), random.integers(0, 4, (1, posts)).astype(np.int16)


def chain_block(random: np.random.Generator) -> tuple[Masks, Demand]:
    """One slot in which posts hang behind each other on single people: long chains of dominators."""
    posts = int(random.integers(4, 12))
    people = int(random.integers(max(8, posts), 19))
    able = np.zeros((people, posts), dtype=np.bool_)
    place = np.full(people, FREE, dtype=np.uint8)
    place[:posts] = np.arange(posts)
    place[posts:] = np.where(random.random(people - posts) < 0.4, FREE, random.integers(0, posts, people - posts))
    for p in range(people):
        held = int(place[p])
        if held < posts:
            able[p, held] = True
            if random.random() < 0.8 and held + 1 < posts:
                able[p, held + 1] = True
            if random.random() < 0.25:
                able[p, random.integers(0, posts)] = True
        else:
            able[p, random.integers(0, max(1, posts // 3))] = True
    order = random.permutation(posts)
    demand = np.bincount(place[place < posts], minlength=posts).astype(np.int16)[None]
    spare = random.random((1, posts)) < 0.1
    shown = place.copy()
    shown[place < posts] = order[place[place < posts]]
    out = np.zeros_like(demand)
    out[0, order] = np.maximum(0, demand - spare)[0]
    mixed = np.zeros_like(able)
    mixed[:, order] = able
    shuffle = random.permutation(people)
    return block_of(shown[shuffle], mixed[shuffle]), out


def stacked(blocks: list[tuple[Masks, Demand]], posts: int) -> tuple[Masks, Demand]:
    """Blocks as the slots of one program: people and posts that a block has not are away and not asked for."""
    people = max(masks.place.shape[1] for masks, _ in blocks)
    place = np.full((len(blocks), people), AWAY, dtype=np.uint8)
    may = np.zeros((len(blocks), people, blocks[0][0].words), dtype=np.uint64)
    demand = np.zeros((len(blocks), posts), dtype=np.int16)
    for t, (masks, asked) in enumerate(blocks):
        count = masks.place.shape[1]
        place[t, :count], may[t, :count], demand[t, : asked.shape[1]] = masks.place[0], masks.may[0], asked[0]
    return Masks(place, may), demand


def allowed(masks: Masks, moves: Moves, posts: int) -> Bools:
    """Who may hold what in the first slot, [P, Q], written out from the definition."""
    may = members_of(masks.may[0], posts)
    free = movable(moves)
    for p, code in enumerate(masks.place[0]):
        if not free[code]:
            may[p] = [code < MOST_POSTS and q == code for q in range(posts)]
    return may


def seats_filled(may: Bools, demand: Demand) -> int:
    """The most seats that people [P, Q] can fill: scipy's Hopcroft-Karp on one column a seat."""
    columns = np.repeat(np.arange(demand.size), demand.ravel())
    if not columns.size or not may.size:
        return 0
    graph = csr_matrix(may[:, columns].astype(np.int8))
    return int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())


def subset_deficits(may: Bools, demand: Demand) -> npt.NDArray[np.int64]:
    """Seats open for every subset of people lost, [2 ** P], by Hall's theorem over all sets of posts: no matching in it."""
    people = may.shape[0]
    asked = np.flatnonzero(demand.ravel() > 0)
    out = np.zeros(1 << people, dtype=np.int64)
    lost = np.arange(1 << people)
    for size in range(1, asked.size + 1):
        for chosen in combinations(asked, size):
            holders = int(sum(1 << p for p in range(people) if may[p, list(chosen)].any()))
            left = HEADS[holders & ~lost]
            out = np.maximum(out, int(demand.ravel()[list(chosen)].sum()) - left)
    return out


def pair_deficits(may: Bools, demand: Demand) -> npt.NDArray[np.int64]:
    """Seats open for every pair of people lost, [P, P] (the diagonal: one lost), by Hall's theorem; up to 12 posts."""
    posts = np.flatnonzero(demand.ravel() > 0)
    sets = (np.arange(1 << posts.size)[:, None] >> np.arange(posts.size)) & 1
    meets = (may[:, posts].astype(np.int64) @ sets.T > 0).T.astype(np.int64)
    short = sets @ demand.ravel()[posts] - meets.sum(axis=1)
    both = np.array([(short[:, None] + meets + meets[:, [p]]).max(axis=0) for p in range(may.shape[0])])
    np.fill_diagonal(both, (short[:, None] + meets).max(axis=0))
    return both
