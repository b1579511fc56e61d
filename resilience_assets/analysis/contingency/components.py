"""Parts of a program that have nothing to do with each other: nobody may hold posts of two of them.

Belongs here: finding the parts, renumbering their posts. Does not belong here: what is asked of a part, and
adding up the answers (labels.py, margin.py, holders.py).

Let a person and a post be joined when the person may hold the post in some slot. A best seating seats each connected
component by itself, so deficits add up, a loss opens seats in the component of the person only, and two people of two
components never share a class. A part is one component or a few: as many as fit into the words of a set that the
largest of them needs, so that sets of four words become several of one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import (
    WORD,
    PostSet,
    Words,
    after_lowest,
    load,
    lowest,
    some,
    words_for,
)
from resilience_assets.analysis.contingency.compiled import compiled
from resilience_assets.analysis.contingency.seating import MOST_POSTS, Ints, Octets


@dataclass(frozen=True, eq=False)
class Part:
    """Some people of a program, and posts that one of them may hold, as their indices there, in order."""

    people: Ints
    posts: Ints


def parts_of(able: npt.NDArray[np.bool_]) -> tuple[Part, ...]:
    """The parts of a program in which people [P] may hold posts [Q] in some slot, able [P, Q].

    Posts that nobody may hold are in no part, nor are people who may hold none. ValueError when a component has
    more posts than the kernel takes.
    """
    posts = able.shape[1]
    sets = [int.from_bytes(row.tobytes(), "little") for row in np.packbits(able, axis=1, bitorder="little")]
    return tuple(
        Part(
            np.array([p for p, one in enumerate(sets) if one & inside], dtype=np.int64),
            np.array([q for q in range(posts) if inside >> q & 1], dtype=np.int64),
        )
        for inside in packed(components(sets))
    )


def components(sets: Iterable[int]) -> list[int]:
    """The connected components of sets of posts (bits of a whole number), the largest first."""
    found: list[int] = []
    for one in dict.fromkeys(sets):
        joined, apart = one, []
        for other in found:
            if other & one:
                joined |= other
            else:
                apart.append(other)
        found = [*apart, joined] if joined else apart
    return sorted(found, key=lambda one: (-one.bit_count(), one & -one))


def packed(found: list[int]) -> list[int]:
    """Components, the largest first, put together: each into the first part with room for it."""
    out: list[int] = []
    room: list[int] = []
    for one in found:
        size = one.bit_count()
        if size > MOST_POSTS:
            raise ValueError(
                f"{size} posts hang together by people who may hold several of them; at most {MOST_POSTS} can be"
                " analysed together: split the program, or end qualifications that are not used"
            )
        at = next((n for n, left in enumerate(room) if size <= left), len(out))
        if at == len(out):
            out.append(0)
            room.append(min(words_for(size) * WORD, MOST_POSTS))
        out[at] |= one
        room[at] -= size
    return out


def renumbered(place: Octets, rows: Words, part: Part, blank: PostSet) -> tuple[Octets, Words]:
    """Places [T, N] and sets [T, N, 1 word or more] of the N people of a part, in the numbers of its posts.

    `place` [T, P] and `rows` [T, P * W] are in the numbers of the program; `blank` is its empty set.
    """
    number = np.arange(256)
    number[part.posts] = np.arange(part.posts.size)
    slots, people, words = len(place), part.people.size, words_for(part.posts.size)
    out = np.zeros((slots, people, words), dtype=np.uint64)
    own = number.astype(np.uint8)[place[:, part.people]]
    renumber(rows, part.people, number, blank, out.reshape(slots, people * words), words)
    return own, out


@compiled
def renumber(rows: Words, people: Ints, number: Ints, blank: PostSet, out: Words, words: int) -> None:
    """The body of `renumbered`: post q becomes number[q]; `out` [T, N * words] comes in as zeros."""
    for t in range(rows.shape[0]):
        for n in range(people.size):
            left = load(rows[t], people[n], blank)
            while some(left):
                b = number[lowest(left)]
                left = after_lowest(left)
                out[t, n * words + b // WORD] |= np.uint64(1) << np.uint64(b % WORD)
