"""The holes that sickness left in two rosters of the MiniZinc Challenge 2022, and who could fill them.

The files hold times of day and no dates, and no plan from before: which assignments stay, which shifts nobody covers,
who has which expertise. Nobody is said to be free; who works no shift at a time may be called in. Expected is counted
from the text of the files; how many holes can be filled is an integer program of the challenge's own constraints.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from resilience_assets.analysis.contingency.covers import covers_of_window
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import Contingency, contingency
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.contingency.blocks import seats_filled
from resilience_assets_tests.analysis.contingency.dzn import FIRST_DAY, read_sickness

POLICY = load_policies().default
SLOTS = ((0, 54), (54, 72), (72, 96))
"""Morning, afternoon, evening, in quarters of an hour."""


@dataclass(frozen=True)
class Told:
    """What a file says, shifts and employees counted from 0; times in quarters of an hour."""

    start: list[int]
    stop: list[int]
    need: list[int]
    able: list[set[int]]
    own: list[list[int]]

    @property
    def holes(self) -> list[int]:
        """Shifts that nobody covers."""
        covered = {s for own in self.own for s in own}
        return [s for s in range(len(self.start)) if s not in covered]

    def overlap(self, one: int, other: int) -> bool:
        """Whether nobody can work both shifts."""
        return self.start[one] < self.stop[other] and self.start[other] < self.stop[one]

    def slots_of(self, s: int) -> list[int]:
        """The slots of a shift."""
        return [t for t, (low, high) in enumerate(SLOTS) if self.start[s] < high and low < self.stop[s]]

    def held(self, employee: int, slot: int) -> int | None:
        """The expertise that an employee works with in a slot: of the longest shift, of equals the first; None if off."""
        here = [s for s in self.own[employee] if slot in self.slots_of(s)]
        return self.need[max(here, key=lambda s: self.stop[s] - self.start[s])] if here else None

    def misplaced(self) -> Counter[tuple[int, int]]:
        """Seats (slot, expertise) held without the expertise."""
        held = ((e, t, self.held(e, t)) for e in range(len(self.able)) for t in range(len(SLOTS)))
        return Counter((t, need) for e, t, need in held if need is not None and need not in self.able[e])

    def seats(self, slot: int) -> Counter[int]:
        """Seats of a slot by expertise: those held, and the holes."""
        held = Counter(self.held(e, slot) for e in range(len(self.able)))
        del held[None]
        return Counter({need: heads for need, heads in held.items() if need}) + Counter(
            self.need[hole] for hole in self.holes if slot in self.slots_of(hole)
        )

    def seats_open(self, slot: int, moves: Moves) -> int:
        """Seats of a slot that stay open: one matching."""
        seats, able = self.seats(slot), []
        for employee, own in enumerate(self.able):
            held = self.held(employee, slot)
            moved = moves >= (Moves.CALL_IN if held is None else Moves.FULL)
            able.append([need in own and (moved or need == held) for need in seats])
        asked = np.array([list(seats.values())], dtype=np.int16)
        return seats.total() - seats_filled(np.array(able), asked)

    def may_fill(self, employee: int, hole: int) -> bool:
        """Whether an employee has the expertise and no shift at that time."""
        return self.need[hole] in self.able[employee] and not any(self.overlap(s, hole) for s in self.own[employee])

    def most_filled(self) -> int:
        """The most holes that can be filled while all else stays: the challenge's constraints, solved by HiGHS."""
        pairs = [(e, s) for e in range(len(self.able)) for s in self.holes if self.may_fill(e, s)]
        rows = [[s == hole for _, s in pairs] for hole in self.holes]
        rows += [
            [e == who and s in both for e, s in pairs]
            for both in combinations(self.holes, 2)
            if self.overlap(*both)
            for who in range(len(self.able))
        ]
        limits = LinearConstraint(np.array(rows, dtype=float), ub=1)
        found = milp(-np.ones(len(pairs)), constraints=limits, bounds=Bounds(0, 1), integrality=np.ones(len(pairs)))
        return round(float(-found.fun))


def told(path: Path) -> Told:
    """Read a file by its text."""
    text = path.read_text()

    def numbers(name: str) -> list[int]:
        return [int(one) for one in text.partition(f"{name} = [")[2].partition("]")[0].split(",")]

    expertises = text.partition("employee_expertises = [")[2].partition("]")[0]
    matrix = text.partition("is_assigned = [|")[2].partition("|]")[0]
    return Told(
        numbers("start_time"), numbers("stop_time"), numbers("req_expertise"),
        [{int(one) for one in inside.split(",")} for inside in re.findall(r"{(.*?)}", expertises)],
        [[s for s, word in enumerate(row.split(",")) if word.strip() == "true"] for row in matrix.split("|")],
    )  # fmt: skip


# Of each file: shifts, holes, holes that somebody off could fill taken each by itself, and all together; assignments
# that stay, and those of them that overlap no other of the same employee kept before.
FIGURES = {"small-4": (76, 17, 16, 11, 59, 29), "large-2": (297, 24, 24, 11, 273, 53)}
OPEN = {"small-4": (17, 17, 6, 6), "large-2": (27, 27, 15, 14)}
"""Seats open as rostered, when free people step in, with call-in, and when anyone may be moved. In large-2 three seats
are held by people who have not the expertise."""


@pytest.fixture(params=FIGURES)
def sick(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, Told, Roster, Contingency]:
    """Each file with its name, as its text says, as a roster, and the report."""
    path = shared_data / "roster-sickness" / f"{request.param}.dzn"
    roster, findings = roster_from_tables(read_sickness(path))
    assert findings == []
    return str(request.param), told(path), roster, contingency(roster, POLICY, FIRST_DAY, FIRST_DAY)


def test_two_shifts_overlap_exactly_when_they_share_a_slot(sick: tuple[str, Told, Roster, Contingency]) -> None:
    _, text, roster, _ = sick
    for one, other in combinations(range(len(text.start)), 2):
        assert text.overlap(one, other) == bool(set(text.slots_of(one)) & set(text.slots_of(other)))
    for employee in range(len(text.able)):
        held = [text.held(employee, slot) for slot in range(len(SLOTS))]
        cells = roster.state[employee].tolist()
        assert [int(roster.posts[q].id[1:]) if q >= 0 else None for q in cells] == held


def test_the_holes_and_how_many_could_be_filled(sick: tuple[str, Told, Roster, Contingency]) -> None:
    name, text, roster, found = sick
    alone = [hole for hole in text.holes if any(text.may_fill(e, hole) for e in range(len(text.able)))]
    kept = int(roster.starts.sum())
    assert (
        len(text.start), len(text.holes), len(alone), text.most_filled(), sum(map(len, text.own)), kept,
    ) == FIGURES[name]  # fmt: skip
    # each hole is one seat in one slot; a seat held without the expertise is open too
    assert all(len(text.slots_of(hole)) == 1 for hole in text.holes)
    holes = Counter((text.slots_of(hole)[0], text.need[hole]) for hole in text.holes) + text.misplaced()
    open_now = np.maximum(roster.minimum - roster.filled(), 0)
    assert {(int(t), int(roster.posts[q].id[1:])): int(open_now[q, t]) for q, t in np.argwhere(open_now)} == holes
    assert found.unqualified == text.misplaced().total() == (0 if name == "small-4" else 3)
    assert tuple(found.open_seats(moves) for moves in Moves) == OPEN[name]
    assert OPEN[name][:2] == (holes.total(), holes.total())
    if not text.misplaced():
        assert OPEN[name][2] == len(text.holes) - text.most_filled()
    assert (found.n1_pass, found.n2_pass) == (False, False)


def test_seats_that_stay_open_are_those_of_a_matching(sick: tuple[str, Told, Roster, Contingency]) -> None:
    name, text, _, found = sick
    counted = {moves: [text.seats_open(slot, moves) for slot in range(len(SLOTS))] for moves in Moves}
    assert {moves: found.minimum[moves].deficit.tolist() for moves in Moves} == counted
    assert tuple(sum(left) for left in counted.values()) == OPEN[name]
    assert sorted(OPEN[name], reverse=True) == list(OPEN[name])


def test_who_could_fill_each_hole(sick: tuple[str, Told, Roster, Contingency]) -> None:
    """The covers of a post with a hole name exactly those who are off at the time and have the expertise."""
    _, text, roster, _ = sick
    covers = covers_of_window(roster, POLICY, FIRST_DAY, FIRST_DAY, Moves.CALL_IN, most=len(text.able))
    named: dict[tuple[int, str], set[str]] = {}
    for cover in map(covers.at, range(len(covers))):
        named.setdefault((cover.slot, roster.posts[cover.post].id), set()).add(roster.people[cover.person].id)
    for hole in text.holes:
        who = {f"E{e + 1:02}" for e in range(len(text.able)) if text.may_fill(e, hole)}
        assert named.get((text.slots_of(hole)[0], f"X{text.need[hole]}"), set()) == who


def test_the_hole_of_the_rare_expertise_needs_somebody_to_move(shared_data: Path) -> None:
    """small-4: all who have expertise 3 are at work in the morning; one must leave a shift to somebody who is off."""
    path = shared_data / "roster-sickness" / "small-4.dzn"
    text, (roster, _) = told(path), roster_from_tables(read_sickness(path))
    (hole,) = (hole for hole in text.holes if text.need[hole] == 3)
    assert not any(text.may_fill(e, hole) for e in range(len(text.able)))
    covers = covers_of_window(roster, POLICY, FIRST_DAY, FIRST_DAY, Moves.FULL, most=len(text.able))
    found = [one for one in map(covers.at, range(len(covers))) if (one.slot, roster.posts[one.post].id) == (0, "X3")]
    rare = [e for e, own in enumerate(text.able) if 3 in own]
    held_two = {e for e in rare if text.held(e, 0) == 2}
    off = {e for e in range(len(text.able)) if text.held(e, 0) is None and 2 in text.able[e]}
    assert {one.people_moved for one in found} == {2}
    assert {one.steps[0].person for one in found} <= held_two
    assert {one.person for one in found} == off
    assert (rare, sorted(held_two), sorted(off)) == ([2, 4, 5, 14, 16], [2, 5, 16], [7, 15, 17, 18])
