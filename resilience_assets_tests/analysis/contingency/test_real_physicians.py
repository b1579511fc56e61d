"""A real week of physicians in a pandemic, without assignments: supply against demand of each date.

Expected is counted from the text of the files. A roster in which nobody is assigned is a failure, however many people
could be called in.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import networkx as nx
import pytest

from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import Contingency, contingency
from resilience_assets.analysis.contingency.without import without
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.contingency.dzn import FIRST_DAY, read_physicians

POLICY = load_policies().default
Seat = tuple[int, int, int]
"""Station, shift and skill, counted from 0 as in the file; 0 means a day off."""

# seats required by date
SEATS = {"instance17_oneweek_real": [15, 15, 15, 15, 15, 7, 7], "instance03_0.34": [15, 7, 15, 15]}


@dataclass(frozen=True)
class Told:
    """What a file says: heads by (date from 0, seat), and the (station, skill) of each physician."""

    heads: Counter[tuple[int, Seat]]
    able: list[set[tuple[int, int]]]
    days: int

    def seats(self, day: int) -> list[tuple[Seat, int]]:
        """The seats of a date one by one, numbered."""
        return [(seat, n) for (d, seat), heads in sorted(self.heads.items()) if d == day for n in range(heads)]

    def filled(self, day: int, lost: tuple[int, ...] = ()) -> int:
        """The most seats of a date that can be filled: Hopcroft-Karp of networkx."""
        graph = nx.Graph()
        people = [p for p in range(len(self.able)) if p not in lost]
        graph.add_nodes_from(people)
        for seat in self.seats(day):
            (station, _, skill), _ = seat
            graph.add_edges_from((p, seat) for p in people if (station, skill) in self.able[p])
        return len(nx.bipartite.hopcroft_karp_matching(graph, top_nodes=people)) // 2


def told(path: Path) -> Told:
    """Read a file by its text, number by number."""
    text = path.read_text()

    def numbers(name: str) -> list[int]:
        inside = text.partition(f"\n{name}")[2].partition(";")[0].rpartition("[")[2]
        return [int(one) for one in inside.strip(" )]").split(",")]

    def number(name: str) -> int:
        return int(text.partition(f"{name}")[2].partition("=")[2].partition(";")[0])

    stations, shifts, skills = (range(number(name) + 1) for name in ("numStations", "numShifts", "numSkills"))
    days, people = number("numDays"), number("numPers")
    demand = dict(zip(product(stations, shifts, range(days), skills), numbers("demand"), strict=True))
    liking = dict(zip(product(range(people), stations, skills), numbers("stationPrefs"), strict=True))
    return Told(
        Counter({(day, (s, k, x)): heads for (s, k, day, x), heads in demand.items() if heads}),
        [{(s, x) for s in stations for x in skills if s and x and liking[p, s, x] < 4} for p in range(people)],
        days,
    )


@pytest.fixture(params=SEATS)
def week(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, Told, Roster, Contingency]:
    """Each file with its name, as its text says, as a roster, and the report of all its dates."""
    path = shared_data / "physician-pandemic" / f"{request.param}.dzn"
    roster, findings = roster_from_tables(read_physicians(path))
    assert findings == []
    return str(request.param), told(path), roster, contingency(roster, POLICY, roster.first_day, roster.last_day)


def test_without_assignments_every_seat_is_open_as_rostered(week: tuple[str, Told, Roster, Contingency]) -> None:
    name, text, roster, found = week
    seats = [len(text.seats(day)) for day in range(text.days)]
    assert seats == SEATS[name]
    assert (len(roster.people), len(text.able)) == (26, 26)
    for moves in (Moves.STATIC, Moves.DIRECT):
        assert found.minimum[moves].deficit.tolist() == found.required[moves].deficit.tolist() == seats
        assert found.open_seats(moves) == sum(seats)
        assert (found.passes(1, moves), found.passes(2, moves)) == (False, False)
        assert set(found.minimum[moves].slots_lost.tolist()) == {0}, "nobody is seated: nobody's loss opens a seat"
    columns = found.slots_columns()
    assert columns["open_static"] == seats


def test_supply_against_demand_of_each_date(week: tuple[str, Told, Roster, Contingency]) -> None:
    """If everybody were called in the week could be staffed; how many of a post's physicians there are, by hand."""
    _, text, roster, found = week
    for day in range(text.days):
        open_after = len(text.seats(day)) - text.filled(day)
        assert found.minimum[Moves.CALL_IN].deficit[day] == found.minimum[Moves.FULL].deficit[day] == open_after == 0
    able = roster.qualified_on(FIRST_DAY).sum(axis=0).tolist()
    supply = {post.id: heads for post, heads in zip(roster.posts, able, strict=True)}
    assert supply == {
        f"St{s + 1}/Sh{k + 1}/Sk{x + 1}": sum((s, x) in own for own in text.able)
        for s, k, x in {seat for _, seat in text.heads}
    }
    assert (min(supply.values()), max(supply.values())) == (5, 26)


def test_the_loss_of_each_pair_of_physicians(week: tuple[str, Told, Roster, Contingency]) -> None:
    _, text, _, found = week
    full, fatal = found.minimum[Moves.FULL], 0
    busiest = max(range(text.days), key=lambda day: len(text.seats(day)))
    for p in range(len(text.able)):
        for q in range(p + 1, len(text.able)):
            opened = len(text.seats(busiest)) - text.filled(busiest, (p, q))
            assert full.between(busiest, busiest + 1).pair(p, q)[0] == opened
            fatal += opened
    assert fatal == 0


def test_a_roster_without_assignments_is_not_a_pass(week: tuple[str, Told, Roster, Contingency]) -> None:
    _, _, _, found = week
    assert found.n1_pass is not True
    assert found.n2_pass is not True


def test_the_answer_without_one_physician_as_json(week: tuple[str, Told, Roster, Contingency]) -> None:
    """Nobody is assigned, so that nobody leaves a seat: no rows, and all seats open now and as rostered."""
    _, text, roster, _ = week
    seats = sum(text.heads.values())
    for moves in (Moves.STATIC, Moves.FULL):
        answer = without(roster, POLICY, [0], roster.first_day, roster.last_day, moves).document()
        assert json.loads(json.dumps(answer)) == answer
        left = seats if moves == Moves.STATIC else seats - sum(text.filled(day, (0,)) for day in range(text.days))
        assert answer["totals"]["minimum"] == {"open_now": seats, "open_as_rostered": seats, "open_after": left}
        assert answer["seats"] == []
