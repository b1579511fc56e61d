"""Programs made of departments that share nobody, whole and one by one, and small ones forced into parts.

Belongs here: generators, and the same masks split where nothing calls for it. Does not belong here: any expectation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.bits import blank_of, members_of
from resilience_assets.analysis.contingency.components import Part, components, renumbered
from resilience_assets.analysis.contingency.masks import Masks
from resilience_assets.domain.roster import Roster
from resilience_assets_tests.analysis.building import build

WORDS = np.array(["D", "N", "H", "P", "-", ".", "a", "r"])
SHARES = [0.34, 0.06, 0.1, 0.05, 0.15, 0.2, 0.06, 0.04]


@dataclass(frozen=True, eq=False)
class Hospital:
    """A program and its departments as programs of their own.

    `people[n]`, `posts[n]`: where those of department n are in the whole.
    """

    whole: Roster
    departments: list[Roster]
    people: list[npt.NDArray[np.int64]]
    posts: list[npt.NDArray[np.int64]]


def hospital(
    random: np.random.Generator, departments: int, size: int, days: int, spare: int = 6, more: float = 0.5
) -> Hospital:
    """Departments of `size` posts and `spare` people beyond; their people and posts are mixed in the order of ids.

    Person n of a department may hold post n and the one behind it, so that a department hangs together, and `more`
    others on average.
    """
    each = size + spare
    person = [f"P{n:04d}" for n in random.permutation(departments * each)]
    post = [f"q{n:04d}" for n in random.permutation(departments * size)]
    made = []
    for d in range(departments):
        people, posts = person[d * each : (d + 1) * each], post[d * size : (d + 1) * size]
        qualified = {(one, posts[(n + step) % size]) for n, one in enumerate(people) for step in (0, 1)}
        qualified |= {(one, str(random.choice(posts))) for one in people if random.random() < more}
        cells = {(q, day, slot): 1 for q in posts for day in range(days) for slot in ("AM", "PM") if random.random() < 0.8}
        made.append({
            "picture": {one: " ".join(random.choice(WORDS, days, p=SHARES)) for one in people},
            "posts": {q: f"S{d}{'ab'[n % 2]}" for n, q in enumerate(posts)},
            "tiers": {f"S{d}a": 1 + d % 3, f"S{d}b": 3},
            "roles": {one: "attending" if n % 4 == 0 else "PGY2" for n, one in enumerate(people)},
            "qualified": sorted(qualified),
            "holds": {one: posts[n % size] for n, one in enumerate(people)},
            "minimum": {cell: 1 for cell in cells if random.random() < 0.8},
            "required": {cell: int(random.integers(1, 3)) for cell in cells},
        })  # fmt: skip
    every: dict[str, object] = {"qualified": sorted(one for part in made for one in part["qualified"])}
    for name in ("picture", "posts", "tiers", "roles", "holds", "minimum", "required"):
        every[name] = {key: value for part in made for key, value in part[name].items()}
    whole, one_by_one = build(**every), [build(**part) for part in made]  # type: ignore[arg-type]
    return Hospital(
        whole,
        one_by_one,
        [_where([one.id for one in whole.people], [one.id for one in part.people]) for part in one_by_one],
        [_where([one.id for one in whole.posts], [one.id for one in part.posts]) for part in one_by_one],
    )


def _where(every: list[str], some: list[str]) -> npt.NDArray[np.int64]:
    index = {one: n for n, one in enumerate(every)}
    return np.array([index[one] for one in some], dtype=np.int64)


def as_whole(masks: Masks) -> Masks:
    """The same masks, never split."""
    return Masks(masks.place, masks.may, whole=True)


def in_components(masks: Masks, posts: int) -> Masks:
    """The same masks with every connected component as a part, whatever room there is."""
    able = members_of(np.bitwise_or.reduce(masks.may, axis=0), posts)
    sets = [sum(1 << int(q) for q in np.flatnonzero(row)) for row in able]
    parts = []
    for inside in components(sets):
        people = np.array([p for p, one in enumerate(sets) if one & inside], dtype=np.int64)
        part = Part(people, np.array([q for q in range(posts) if inside >> q & 1], dtype=np.int64))
        parts.append((part, Masks(*renumbered(masks.place, as_whole(masks).rows, part, blank_of(masks.words)))))
    return masks.divided_into(parts) if parts else masks
