"""A care ward's plan of March 2021 with five invented absences, against a count of its cells by hand.

The ward has one post for everybody: five heads by day, four by night. So the best re-deployment of a slot is a
count: who is left at work, and how many of those who are off could come without breaking a rule of rest.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest

from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.analysis.contingency.without import without
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import day_of
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.exchange.workbook import read_workbook
from resilience_assets.policy import load_policies
from resilience_assets_tests.exchange.test_workbook import WARD

MARCH = day_of(dt.date(2021, 3, 1))
NEEDED = (5, 4)
"""Heads by day and by night."""
RULE = "text: a rule, source: this test, force: local rule, first: 2000-01-01"
POLICY = load_policies(
    f"""duty: {{rules: [
      {{id: ward.rest, kind: forbidden_pattern, {RULE}, pattern: rest_between, hours: 11}},
      {{id: ward.longest, kind: forbidden_pattern, {RULE}, pattern: max_continuous, hours: 24}},
      {{id: ward.week, kind: rolling_window, {RULE}, measure: hours, limit: 48, per_days: 7, window_days: 7}},
    ]}}"""
).default
"""The shipped policy binds carers and nurses to no rule; here eleven hours of rest between periods of work of at most
a day, and 48 hours in any seven dates. The plan itself does not keep the last everywhere."""
REST, LONGEST, BREAK, WEEK = 11, 24, 2, 48
WARSAW = ZoneInfo("Europe/Warsaw")

# (worker, first and last date of March, both away): seats open as rostered, fewest who may come to one of them
ABSENCES = {
    ("W-13", 22, 28): (3, 5),
    ("W-16", 15, 21): (3, 3),
    ("W-17", 1, 7): (2, 2),
    ("W-02", 1, 14): (3, 3),
    ("W-23", 8, 24): (1, 4),
}
TOGETHER = {
    ("W-13 W-16 W-17 W-19 W-22", 15, 21): (17, 0),
    ("W-14 W-19 W-20 W-21 W-22", 8, 9): (6, 4),
}
"""Five lost together, first and last date: seats open as rostered, and after the best re-deployment. The first are of
one rhythm of work; of the second, four hold the night of the 9th and the fifth is one of two who could come to it."""
Cell = tuple[str, int]
Stretch = tuple[float, float]


def hour_of(day: int, hour: int) -> float:
    """Hours from the epoch to an hour of the clock on a date of March, beyond 24 on the next: the 28th has 23 hours."""
    date = dt.datetime(2021, 3, 1) + dt.timedelta(days=day - 1 + hour // 24)
    return date.replace(hour=hour % 24, tzinfo=WARSAW).timestamp() / 3600


@dataclass(frozen=True)
class Plan:
    """The grid cell by cell: the code of each (worker, date of March), and from when to when each code is, in hours."""

    workers: list[str]
    code: dict[Cell, str]
    hours: dict[str, tuple[int, int]]
    order: list[str]

    def works(self, worker: str, day: int, night: int) -> bool:
        """Whether the worker is there in the slot: by code, as the ward reads its plan."""
        there = ("N", "DN", "PN") if night else ("D", "DN", "R", "RP", "P1")
        return self.code.get((worker, day)) in there

    def usual(self, day: int, night: int) -> tuple[int, int]:
        """The hours of the code that most workers of the slot have, of equals the first of the ward's list."""
        heads = Counter(self.code[worker, day] for worker in self.workers if self.works(worker, day, night))
        return self.hours[max(self.order, key=lambda code: heads[code])]

    def may_come(self, worker: str, day: int, night: int) -> bool:
        """Whether a worker who is off in the slot could come and keep the rules of rest with the plan as it is."""
        if (worker, day) in self.code and (self.works(worker, day, night) or self.code[worker, day] == "U"):
            return False
        start, end = (hour_of(day, hour) for hour in self.usual(day, night))
        shifts = [
            (hour_of(d, self.hours[code][0]), hour_of(d, self.hours[code][1]))
            for (who, d), code in self.code.items()
            if who == worker and code != "U"
        ]
        return self.rests(start, end, shifts) and self.has_hours(start, end, shifts)

    def rests(self, start: float, end: float, shifts: list[Stretch]) -> bool:
        """Whether one more stretch of work leaves enough rest before and behind it, and is not too long a period."""
        grown = True
        while grown:  # what is nearer than a break becomes one period of work with it
            near = [(a, b) for a, b in shifts if a - end <= BREAK and start - b <= BREAK]
            low, high = min([start, *(a for a, _ in near)]), max([end, *(b for _, b in near)])
            grown = (low, high) != (start, end)
            start, end = low, high
        apart = [max(a - end, start - b) for a, b in shifts if a - end > BREAK or start - b > BREAK]
        return end - start <= LONGEST and min(apart, default=REST) >= REST

    def has_hours(self, start: float, end: float, shifts: list[Stretch]) -> bool:
        """Whether seven dates in a row with one more stretch of work nowhere pass the hours of a week."""
        for first in range(-5, 32):
            low, high = hour_of(max(first, 1), 0), hour_of(min(first + 7, 32), 0)
            added = max(0, min(end, high) - max(start, low))
            worked = sum(max(0, min(b, high) - max(a, low)) for a, b in shifts)
            if added and worked + added > WEEK:
                return False
        return True

    def seats_open(self, lost: Iterable[Cell], call_in: bool) -> dict[tuple[int, int], int]:
        """Seats below the minimum in each (date, night) without these workers on these dates; slots without any left out."""
        away, out = set(lost), {}
        for day in range(1, 32):
            for night in (0, 1):
                left = [worker for worker in self.workers if (worker, day) not in away]
                heads = sum(self.works(worker, day, night) for worker in left)
                if call_in and heads < NEEDED[night]:
                    heads += sum(self.may_come(worker, day, night) for worker in left)
                if heads < NEEDED[night]:
                    out[day, night] = NEEDED[night] - heads
        return out


@cache
def plan_of(path: Path) -> Plan:
    """Read the cells with openpyxl: rows of workers on sheet grafik, codes with their hours on sheet zmiany."""
    book = openpyxl.load_workbook(path)
    grid, workers, code = book["grafik"], [], {}
    for row in range(6, 30):
        number = "".join(one for one in str(grid.cell(row, 1).value) if one.isdigit())
        workers.append(f"W-{int(number):02}")
        for day in range(1, 32):
            text = str(grid.cell(row, 1 + day).value or "").strip()
            if text:
                code[workers[-1], day] = text
    hours = {
        str(name): (int(low), int(high) + (24 if high <= low else 0))
        for _, name, low, high, working, *_ in book["zmiany"].iter_rows(min_row=2, max_col=6, values_only=True)
        if working == "TAK"
    }
    return Plan(
        sorted(workers), code, hours, ["D", "N", "DN", "R", "R1", "D1", "D2", "P", "P1", "P2", "PN", "RP", "RPN", "N8"]
    )


@pytest.fixture
def workbook(shared_data: Path) -> Path:
    """The ward's plan."""
    return shared_data / "ward-march-2021" / "marzec_2021_wersja_bazowa.xlsx"


@cache
def tables_of(path: Path) -> RosterTables:
    """The plan as our importer reads it."""
    read = read_workbook(path, mapping=WARD)
    assert read.findings == []
    return read.tables


def roster_of(tables: RosterTables) -> Roster:
    """The arrays of frames in which nothing is wrong."""
    roster, findings = roster_from_tables(tables)
    assert findings == []
    return roster


def dates(worker: str, first: int, last: int) -> list[Cell]:
    """An absence as cells."""
    return [(worker, day) for day in range(first, last + 1)]


def test_who_may_come_to_which_slot_is_as_counted(workbook: Path) -> None:
    """All 24 workers in all 62 slots, over the clock change of the 28th: at work, or off and within the rules."""
    plan = plan_of(workbook)
    found = contingency(roster_of(tables_of(workbook)), POLICY, MARCH, MARCH + 30)
    counted = [
        [plan.works(one, day, night) or plan.may_come(one, day, night) for one in plan.workers]
        for day in range(1, 32)
        for night in (0, 1)
    ]
    assert (found.masks.may[:, :, 0] > 0).tolist() == counted
    assert sum(map(sum, counted)) == 608


def test_the_plan_stands_and_the_loss_of_one_opens_106_seats_as_rostered(workbook: Path) -> None:
    plan = plan_of(workbook)
    found = contingency(roster_of(tables_of(workbook)), POLICY, MARCH, MARCH + 30)
    assert plan.seats_open([], call_in=False) == {}
    for moves in Moves:
        counted = {
            one: sum(plan.seats_open(dates(one, 1, 31), call_in=moves >= Moves.CALL_IN).values())
            for one in plan.workers
        }
        columns = found.people_columns(moves)
        assert dict(zip(columns["person"], columns["slots_lost"], strict=True)) == counted
        assert sum(counted.values()) == (106 if moves < Moves.CALL_IN else 0)
        assert found.open_seats(moves) == 0
    assert (found.passes(1, Moves.STATIC), found.n1_pass, found.n2_pass) == (False, True, True)


@pytest.mark.parametrize(("worker", "first", "last"), ABSENCES)
def test_an_invented_absence(workbook: Path, worker: str, first: int, last: int) -> None:
    plan, roster = plan_of(workbook), roster_of(tables_of(workbook))
    lost = dates(worker, first, last)
    holes = plan.seats_open(lost, call_in=False)
    comers = {slot: sum(plan.may_come(one, *slot) for one in plan.workers if one != worker) for slot in holes}
    assert (sum(holes.values()), min(comers.values())) == ABSENCES[worker, first, last]
    assert plan.seats_open(lost, call_in=True) == {}
    who = plan.workers.index(worker)
    for moves in Moves:
        found = without(roster, POLICY, [who], MARCH + first - 1, MARCH + last - 1, moves)
        after = 0 if moves >= Moves.CALL_IN else sum(holes.values())
        assert found.totals()["minimum"] == {
            "open_now": 0, "open_as_rostered": sum(holes.values()), "open_after": after,
        }  # fmt: skip
        rows = found.seats_columns()
        told = [(day - MARCH + 1, int(slot == "NIGHT")) for day, slot in zip(rows["day"], rows["slot"], strict=True)]
        assert dict(zip(told, rows["open_as_rostered"], strict=True)) == holes
    everybody = without(roster, POLICY, [who], MARCH + first - 1, MARCH + last - 1, most_covers=24).covers.columns()
    named: dict[tuple[int, int], set[str]] = {slot: set() for slot in holes}
    for day, slot, person, how in zip(*(everybody[one] for one in ("day", "slot", "person", "how")), strict=True):
        assert how == "called in"
        named[day - MARCH + 1, int(slot == "NIGHT")].add(person)
    assert {slot: len(people) for slot, people in named.items()} == comers


@pytest.mark.parametrize(("team", "first", "last"), TOGETHER)
def test_five_lost_together_as_json(workbook: Path, team: str, first: int, last: int) -> None:
    plan, roster = plan_of(workbook), roster_of(tables_of(workbook))
    absent = team.split()
    lost = [cell for one in absent for cell in dates(one, first, last)]
    holes, left = plan.seats_open(lost, call_in=False), plan.seats_open(lost, call_in=True)
    assert (sum(holes.values()), sum(left.values())) == TOGETHER[team, first, last]
    people = [plan.workers.index(one) for one in absent]
    told = without(roster, POLICY, people, MARCH + first - 1, MARCH + last - 1).document()
    assert json.loads(json.dumps(told)) == told
    assert (told["people"], told["first"], told["last"]) == (absent, f"2021-03-{first:02}", f"2021-03-{last:02}")
    assert told["totals"]["minimum"] == {
        "open_now": 0, "open_as_rostered": sum(holes.values()), "open_after": sum(left.values()),
    }  # fmt: skip
    rows = {(int(row["day"][-2:]), int(row["slot"] == "NIGHT")): row for row in told["seats"]}
    assert {slot: row["open_as_rostered"] for slot, row in rows.items()} == holes
    assert {slot: row["open_after"] for slot, row in rows.items() if row["open_after"]} == left
    for (day, night), row in rows.items():
        leaving = [one for one in absent if plan.works(one, day, night)]
        may_come = [one for one in plan.workers if one not in absent and plan.may_come(one, day, night)]
        assert row["leaves"] == leaving
        assert len(row["covers"]) == min(3, len(may_come))
        assert {cover["person"] for cover in row["covers"]} <= set(may_come)


def test_the_five_invented_absences_in_the_plan_at_once(workbook: Path) -> None:
    """Each on its own dates, as records of absence: open seats of the report by slot."""
    plan, tables = plan_of(workbook), tables_of(workbook)
    assert tables.absences is not None
    invented = [
        {"person": one, "first": MARCH + first - 1, "last": MARCH + last - 1, "kind": "sick", "approved": True}
        for one, first, last in ABSENCES
    ]
    more = pd.concat([tables.absences, frame("absences", invented)], ignore_index=True)
    found = contingency(roster_of(replace(tables, absences=more)), POLICY, MARCH, MARCH + 30)
    lost = [cell for absence in ABSENCES for cell in dates(*absence)]
    for moves in Moves:
        counted = plan.seats_open(lost, call_in=moves >= Moves.CALL_IN)
        deficit = found.minimum[moves].deficit
        assert {(1 + t // 2, t % 2): int(deficit[t]) for t in deficit.nonzero()[0].tolist()} == counted
        assert sum(counted.values()) == (12 if moves < Moves.CALL_IN else 0)
