"""Programs in parts: the same answers as for the whole, and more posts than the kernel takes at once."""

from __future__ import annotations

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.components import Part, components, packed, parts_of
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.holders import sole_holder_slots
from resilience_assets.analysis.contingency.labels import Labels, deficits, labels
from resilience_assets.analysis.contingency.margin import margin
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.pairs import pairs
from resilience_assets.analysis.contingency.seating import MOST_POSTS
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.building import FIRST, build
from resilience_assets_tests.analysis.contingency.blocks import Demand, block_of, chain_block, random_block, stacked
from resilience_assets_tests.analysis.contingency.departments import as_whole

DUTY = load_policies().default.duty
Block = tuple[Masks, Demand]


def side_by_side(blocks: list[Block], posts: int, shuffle: np.random.Generator) -> Block:
    """Programs of the same number of slots as one of so many posts, people and posts shuffled."""
    slots, people = len(blocks[0][1]), sum(masks.place.shape[1] for masks, _ in blocks)
    used = sum(demand.shape[1] for _, demand in blocks)
    new_post, new_person = shuffle.permutation(posts)[:used], shuffle.permutation(people)
    place = np.empty((slots, people), dtype=np.int64)
    able = np.zeros((slots, people, posts), dtype=np.bool_)
    asked = np.zeros((slots, posts), dtype=np.int16)
    low_post = low_person = 0
    for masks, demand in blocks:
        count, size = demand.shape[1], masks.place.shape[1]
        number, who = new_post[low_post : low_post + count], new_person[low_person : low_person + size]
        held = masks.place < count
        place[:, who] = np.where(held, number[np.where(held, masks.place, 0)], masks.place)
        able[:, who[:, None], number[None, :]] = members_of(masks.may, count)
        asked[:, number] = demand
        low_post, low_person = low_post + count, low_person + size
    words = bits_of(able[0]).shape[1]
    may = bits_of(able.reshape(-1, posts), words).reshape(slots, people, words)
    return Masks(place.astype(np.uint8), may), asked


def several(random: np.random.Generator, slots: int, posts: int) -> Block:
    """Three to six programs of thin and rich slots side by side, and some posts that nobody may hold."""
    blocks = []
    for _ in range(int(random.integers(3, 7))):
        make, width = ((random_block, 5), (chain_block, 11))[int(random.integers(2))]
        blocks.append(stacked([make(random) for _ in range(slots)], width))
    masks, demand = side_by_side(blocks, posts, random)
    nobody = ~members_of(masks.may, posts).any(axis=(0, 1))
    demand[:, nobody] = random.integers(0, 2, (slots, int(nobody.sum()))) * (random.random() < 0.3)
    return masks, demand


def together(found: Labels) -> list[npt.NDArray[np.bool_]]:
    """For each slot the pairs of one class."""
    known = (found.label > 0) & (found.label != ESSENTIAL)
    return [(row[:, None] == row[None, :]) & inside[:, None] for row, inside in zip(found.label, known, strict=True)]


@given(st.integers(0, 2**32 - 1), st.sampled_from([70, 130, 200]))
@settings(max_examples=60, deadline=None)
def test_the_same_answers_as_for_the_whole(seed: int, posts: int) -> None:
    random = np.random.default_rng(seed)
    masks, demand = several(random, 6, posts)
    whole = as_whole(masks)
    assert len(masks.parts) == 0 or all(inside.words == 1 for _, inside in masks.parts)
    assert posts < 130 or len(masks.parts) >= 1
    for moves in Moves:
        one, other = labels(masks, moves, demand), labels(whole, moves, demand)
        assert np.array_equal(one.deficit, other.deficit)
        assert np.array_equal(one.classes, other.classes)
        assert np.array_equal(one.slots_lost, other.slots_lost)
        assert np.array_equal(one.label == ESSENTIAL, other.label == ESSENTIAL)
        assert all(np.array_equal(a, b) for a, b in zip(together(one), together(other), strict=True))
        assert np.array_equal(one.posts_lost.any(axis=1), one.slots_lost > 0)
        assert np.array_equal(pairs(one).worst_by_seats, pairs(other).worst_by_seats)
        assert np.array_equal(pairs(one).histogram, pairs(other).histogram)
        lost = random.permutation(masks.place.shape[1])[:3].tolist()
        assert np.array_equal(deficits(masks, moves, demand, lost), deficits(whole, moves, demand, lost))
        assert np.array_equal(sole_holder_slots(masks, moves, demand), sole_holder_slots(whole, moves, demand))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 12]))
@settings(max_examples=60, deadline=None)
def test_the_margin_of_the_thinnest_part(seed: int, most: int) -> None:
    random = np.random.default_rng(seed)
    masks, demand = several(random, 6, 130)
    for moves in Moves:
        one, other = margin(masks, moves, demand, most), margin(as_whole(masks), moves, demand, most)
        assert np.array_equal(one.slack, other.slack)
        able = members_of(masks.may, 130)
        for t in np.flatnonzero(one.slack < most):
            chosen = one.witness(int(t), 130)
            assert (demand[t, chosen] > 0).all()
            assert int(demand[t, chosen].sum()) == one.demand[t]
            assert one.people[t] - one.demand[t] == one.slack[t]
            if moves == Moves.FULL:
                assert one.people[t] == able[t][:, chosen].any(axis=1).sum()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_components_beside_networkx(seed: int) -> None:
    random = np.random.default_rng(seed)
    able = random.random((int(random.integers(1, 40)), 90)) < random.uniform(0.003, 0.04)
    graph = nx.Graph([(f"p{p}", int(q)) for p, q in zip(*np.nonzero(able), strict=True)])
    expected = {sum(1 << q for q in one if isinstance(q, int)) for one in nx.connected_components(graph)}
    sets = [sum(1 << int(q) for q in np.flatnonzero(row)) for row in able]
    found = components(sets)
    assert set(found) == expected
    assert len(found) == len(expected)
    assert [one.bit_count() for one in found] == sorted((one.bit_count() for one in found), reverse=True)
    parts = parts_of(able)
    assert sorted(q for part in parts for q in part.posts) == np.flatnonzero(able.any(axis=0)).tolist()
    assert sorted(p for part in parts for p in part.people) == np.flatnonzero(able.any(axis=1)).tolist()
    for part in parts:
        inside = np.isin(np.arange(90), part.posts)
        assert not able[part.people][:, ~inside].any()


def test_components_are_put_together_while_there_is_room() -> None:
    sizes = [130, 60, 3, 30, 30, 1]
    sets, low = [], 0
    for size in sizes:
        sets.append(((1 << size) - 1) << low)
        low += size
    assert [one.bit_count() for one in packed(components(sets))] == [250, 4]
    assert [one.bit_count() for one in packed(components(sets[1:]))] == [64, 60]
    with pytest.raises(ValueError, match=r"251 posts hang together.*at most 250.*split the program"):
        packed([(1 << 251) - 1])


def test_more_classes_than_a_label_of_eight_bits_can_number() -> None:
    # each post has one seat, one who holds it and one who stands by: three hundred classes of two in one slot
    posts = 300
    split, place, may = [], np.empty((1, 2 * posts), dtype=np.uint8), np.zeros((1, 2 * posts, 1), dtype=np.uint64)
    for first in range(0, posts, 60):
        people = np.arange(2 * first, 2 * first + 120)
        split.append(Part(people, np.arange(first, first + 60)))
        able = np.repeat(np.eye(60, dtype=np.bool_), 2, axis=0)
        one = block_of(np.where(np.arange(120) % 2, 251, np.arange(120) // 2).astype(np.uint8), able)
        place[:, people], may[:, people] = one.place, one.may
    found = labels(Masks(place, may, tuple(split)), Moves.FULL, np.ones((1, posts), dtype=np.int16))
    assert not (found.label == ESSENTIAL).any()
    assert np.array_equal(found.label[0, ::2], found.label[0, 1::2])
    assert np.unique(found.label).size == posts
    counted = pairs(found, 400)
    assert counted.harmful == posts
    assert counted.worst_by_seats.tolist() == [[1, 1, 2 * q, 2 * q + 1] for q in range(posts)]
    assert found.pair(598, 599) == (1, 1)


def test_a_program_of_four_hundred_posts() -> None:
    wings, size = 8, 50
    people, posts, holds, qualified = {}, {}, {}, []
    random = np.random.default_rng(12)
    for wing in range(wings):
        for n in range(size):
            post = f"post-{wing}-{n:02d}"
            posts[post] = f"S{wing}"
        for n in range(size + 5):
            person = f"P{wing}-{n:02d}"
            first = f"post-{wing}-{n % size:02d}"
            people[person] = "D" if n < size else "-"
            qualified.append((person, first))
            for q in random.integers(0, size, 2):
                if (person, f"post-{wing}-{q:02d}") not in qualified:
                    qualified.append((person, f"post-{wing}-{q:02d}"))
            if n < size:
                holds[person] = first
    need = {(post, 0, "AM"): 1 for post in posts if not post.endswith("07")}
    roster = build(people, posts=posts, holds=holds, qualified=qualified, required=need, minimum=need)
    assert len(roster.posts) == 400
    masks = masks_of(roster, DUTY, FIRST, FIRST)
    demand = np.ascontiguousarray(roster.minimum[:, : roster.per_day].T)
    assert len(masks.split) == wings
    assert masks.words == 1
    with pytest.raises(ValueError, match="more than 250 posts: ask the `parts`"):
        _ = masks.rows
    found = labels(masks, Moves.FULL, demand)
    thin = margin(masks, Moves.FULL, demand)
    assert found.deficit.sum() == 0
    # each wing by itself, as a program of fifty posts
    for wing in range(wings):
        prefix = f"P{wing}"
        mine = [p for p in people if p.startswith(prefix)]
        small = build(
            {p: people[p] for p in mine}, posts={q: s for q, s in posts.items() if s == f"S{wing}"},
            holds={p: holds[p] for p in mine if p in holds}, qualified=[one for one in qualified if one[0] in mine],
            required={k: 1 for k in need if posts[k[0]] == f"S{wing}"}, minimum={k: 1 for k in need if posts[k[0]] == f"S{wing}"},
        )  # fmt: skip
        own = labels(masks_of(small, DUTY, FIRST, FIRST), Moves.FULL, np.ascontiguousarray(small.minimum[:, :3].T))
        index = {one.id: n for n, one in enumerate(roster.people)}
        where = [index[one.id] for one in small.people]
        assert np.array_equal(found.slots_lost[where], own.slots_lost)
        for p in range(0, len(where), 7):
            for q in range(p):
                assert found.pair(where[p], where[q]) == own.pair(p, q)
    chosen = thin.witness(0, 400)
    assert len({roster.posts[q].service for q in chosen}) == 1
    lost = int(np.flatnonzero(found.slots_lost == 0)[0])
    assert deficits(masks, Moves.FULL, demand, [lost]).sum() == 0


def test_four_hundred_posts_that_hang_together_are_refused() -> None:
    posts = {f"post-{n:03d}": "W" for n in range(MOST_POSTS + 1)}
    roster = build({"A": "D"}, posts=posts, qualified=[("A", post) for post in posts])
    with pytest.raises(ValueError, match=r"program \S+: 251 posts hang together"):
        masks_of(roster, DUTY, FIRST, FIRST)
