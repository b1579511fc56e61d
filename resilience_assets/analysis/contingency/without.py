"""What opens when these people are lost on these days, and who may cover.

Belongs here: the answer to one question about a few people and dates, as columns and as JSON. Does not belong here:
everybody and all pairs (report.py), recording an absence (actions).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from resilience_assets.analysis.contingency.added_shift import added_shifts
from resilience_assets.analysis.contingency.covers import BEST_THREE, Covers, cover_line, covers_of_seats, merged
from resilience_assets.analysis.contingency.labels import Counts, Demand, deficits, demand_of_part
from resilience_assets.analysis.contingency.masks import Masks, Moves, masks_of
from resilience_assets.analysis.contingency.seating import MOST_POSTS
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.model import Policy


@dataclass(frozen=True, eq=False)
class OpenSeats:
    """Seats open at each post in each slot, three arrays [T, Q].

    `now`: as rostered, nobody lost. `rostered`: as rostered, without the people. `after`: without them, after the
    best re-deployment: as few as can be, and of these none that could be had at a post of a lower tier instead (the
    sacrifice hierarchy; of one tier the posts whose id comes first are filled first).
    """

    now: Counts
    rostered: Counts
    after: Counts

    @property
    def opened(self) -> BoolArray:
        """Where the loss opens a seat as rostered, [T, Q]."""
        return np.asarray(self.rostered > self.now, dtype=np.bool_)

    def totals(self) -> dict[str, int]:
        """Seat-slots over the window: open_now, open_as_rostered, open_after."""
        return {
            "open_now": int(self.now.sum()),
            "open_as_rostered": int(self.rostered.sum()),
            "open_after": int(self.after.sum()),
        }


@dataclass(frozen=True, eq=False)
class Without:
    """A window of a roster without some people; see `without`.

    `minimum` and `required` are the seats open against the safe minimum and against the heads required. `covers` are
    those of each seat that the loss opens as rostered, each for itself.
    """

    window: Roster
    masks: Masks
    people: tuple[int, ...]
    moves: Moves
    minimum: OpenSeats
    required: OpenSeats
    covers: Covers

    @cached_property
    def told(self) -> list[tuple[int, int]]:
        """The (slot, post) told in rows: where the loss opens a seat, and where in such a slot one is open after."""
        opened = self.minimum.opened | self.required.opened
        after = (self.minimum.after > 0) | (self.required.after > 0)
        slots = np.asarray(opened.any(axis=1))
        rows = opened | (after & slots[:, None])
        return [(int(t), int(q)) for t, q in np.argwhere(rows)]

    def totals(self) -> dict[str, dict[str, int]]:
        """Seat-slots open over the whole window, against the minimum and against what is required."""
        return {"minimum": self.minimum.totals(), "required": self.required.totals()}

    def seats_columns(self) -> dict[str, list[Any]]:
        """A row for each (day, slot, post) told: seats open now, as rostered, after; `covers` as one line a cover.

        `day` is an epoch day. `leaves`: who of the lost people holds the post. `required_...` are the same figures
        against the heads required.
        """
        window, lines = self.window, defaultdict(list)
        found = self.covers.columns()
        for n, (t, q) in enumerate(zip(self.covers.slot.tolist(), self.covers.post.tolist(), strict=True)):
            lines[t, q].append(cover_line({name: values[n] for name, values in found.items()}))
        rows = []
        for t, q in self.told:
            post = window.posts[q]
            service = window.services[post.service]
            rows.append(
                {
                    "day": window.first_day + t // window.per_day,
                    "slot": window.program.slot_types[t % window.per_day].code,
                    "post": post.id,
                    "service": service.id,
                    "tier": int(service.tier),
                    "leaves": [window.people[p].id for p in self.people if window.state[p, t] == q],
                    "open_now": int(self.minimum.now[t, q]),
                    "open_as_rostered": int(self.minimum.rostered[t, q]),
                    "open_after": int(self.minimum.after[t, q]),
                    "required_now": int(self.required.now[t, q]),
                    "required_as_rostered": int(self.required.rostered[t, q]),
                    "required_after": int(self.required.after[t, q]),
                    "covers": lines[t, q],
                }
            )
        return {name: [row[name] for row in rows] for name in SEATS_COLUMNS}

    def document(self) -> dict[str, Any]:
        """The whole answer for JSON, with ISO dates: people, moves, first, last, totals, seats each with its covers."""
        seats, found = self.seats_columns(), self.covers.columns()
        covers: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
        for n, key in enumerate(zip(self.covers.slot.tolist(), self.covers.post.tolist(), strict=True)):
            covers[key].append({name: found[name][n] for name in found if name not in ("day", "slot", "post")})
        rows = []
        for n, key in enumerate(self.told):
            row = {name: values[n] for name, values in seats.items()}
            rows.append({**row, "day": day_text(row["day"]), "covers": covers[key]})
        return {
            "program": self.window.program.id,
            "people": [self.window.people[p].id for p in self.people],
            "moves": self.moves.name.lower(),
            "first": day_text(self.window.first_day),
            "last": day_text(self.window.last_day),
            "days": self.window.days,
            "totals": self.totals(),
            "seats": rows,
        }


SEATS_COLUMNS = (
    "day", "slot", "post", "service", "tier", "leaves", "open_now", "open_as_rostered", "open_after",
    "required_now", "required_as_rostered", "required_after", "covers",
)  # fmt: skip
"""What a row of `Without.seats_columns` holds."""


def without(
    roster: Roster, policy: Policy, people: Sequence[int], first_day: int, last_day: int, moves: Moves = Moves.FULL,
    most_covers: int = BEST_THREE,
) -> Without:  # fmt: skip
    """What opens on epoch days first_day..last_day when these people are lost, and who may cover.

    `people` are indices in `roster.people`; who is away already changes nothing. The roster holds its history too;
    dates that are not on file are left out (`window.days` says how many are told). Static moves nobody: there are no
    covers. ValueError for a person that the roster has not.
    """
    for p in people:
        if not 0 <= p < len(roster.people):
            raise ValueError(f"program {roster.program.id}: person {p} is not one of 0 to {len(roster.people) - 1}")
    window = roster.window(first_day, last_day)
    added = added_shifts(roster, policy.duty, first_day, last_day)
    whole = added.within_rules(masks_of(roster, policy.duty, first_day, last_day))
    left = whole.without(people)
    minimum = _open_seats(window, whole, left, moves, np.ascontiguousarray(window.minimum.T))
    required = _open_seats(window, whole, left, moves, np.ascontiguousarray(window.required.T))

    def covers(demand: Demand, chosen: BoolArray) -> Covers:
        slot, post = np.nonzero(chosen)
        return covers_of_seats(added, left, moves, np.ascontiguousarray(demand.T), slot, post, most_covers)

    found = merged(covers(window.minimum, minimum.opened), covers(window.required, required.opened & ~minimum.opened))
    return Without(window, left, tuple(sorted(set(people))), moves, minimum, required, found)


def _open_seats(window: Roster, whole: Masks, left: Masks, moves: Moves, demand: Demand) -> OpenSeats:
    """Seats open against a demand [T, Q]."""
    now, rostered = (np.maximum(demand - heads(masks, demand.shape[1]), 0).astype(np.int64) for masks in (whole, left))
    if moves == Moves.STATIC:
        return OpenSeats(now, rostered, rostered)
    after = np.zeros_like(rostered)
    slots = np.flatnonzero(rostered.any(axis=1))
    slots = slots[deficits(left.at(slots), moves, demand[slots]) > 0]
    after[slots] = open_by_post(window, left.at(slots), moves, demand[slots])
    return OpenSeats(now, rostered, after)


def heads(masks: Masks, posts: int) -> Counts:
    """People seated at each post as rostered, [T, Q]."""
    slots = masks.place.shape[0]
    if masks.split:
        out = np.zeros((slots, posts), dtype=np.int64)
        for part, inside in masks.parts:
            out[:, part.posts] = heads(inside, part.posts.size)
        return out
    slot, person = np.nonzero(masks.place < MOST_POSTS)
    cells = slot * posts + masks.place[slot, person]
    return np.bincount(cells, minlength=slots * posts).reshape(slots, posts).astype(np.int64)


def open_by_post(window: Roster, masks: Masks, moves: Moves, demand: Demand) -> Counts:
    """Seats that stay open at each post after the best re-deployment, [T, Q], the lowest tiers left open first.

    The sets of seats that can be filled together are the independent sets of a matroid, so filling them greedily
    (the most protected tier first, then by id) fills as many as can be, and of the tiers up to each as many as can
    be (J. Edmonds, "Matroids and the greedy algorithm", Math. Programming 1 (1971) 127-136): what a post adds to
    the deficit of all posts before it stays open there. What a part fills takes nothing from another one.
    """
    tiers = np.array([window.services[post.service].tier for post in window.posts], dtype=np.int64)
    out = np.maximum(demand, 0).astype(np.int64)  # of posts that are in no part, for nobody may hold them
    for part, inside in masks.pieces(len(tiers)):
        out[:, part.posts] = _filled_by_tier(tiers[part.posts], inside, moves, demand_of_part(demand, part))
    return out


def _filled_by_tier(tiers: Counts, masks: Masks, moves: Moves, demand: Demand) -> Counts:
    """Seats that stay open at each post when the most protected tiers [Q] are filled first, [T, Q]."""
    out, before = np.zeros(demand.shape, dtype=np.int64), np.zeros(demand.shape[0], dtype=np.int64)
    asked = np.zeros_like(demand)
    for q in np.argsort(tiers, kind="stable").tolist():
        if demand[:, q].any():
            asked[:, q] = demand[:, q]
            total = deficits(masks, moves, asked)
            out[:, q], before = total - before, total
    return out
