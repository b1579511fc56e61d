"""The report on the organisers' solutions of INRC-II, against counts of their text and one matching per loss.

Everything expected here is counted from the text files: who works what, who has which skill, which shift may not
follow which. In these rosters nobody is away or free: whoever has no line on a date is off and may be called in.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resilience_assets.analysis.contingency.covers import covers_of_window
from resilience_assets.analysis.contingency.dominators import ESSENTIAL
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import Contingency, contingency
from resilience_assets.analysis.contingency.without import without
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import Roster
from resilience_assets.exchange.read_inrc2 import read_inrc2
from resilience_assets.policy import load_policies
from resilience_assets_tests.analysis.contingency.blocks import seats_filled
from resilience_assets_tests.exchange.test_read_inrc2 import DAYS, FOLDERS, MONDAY, lines_after

POLICY = load_policies().default
Bools = npt.NDArray[np.bool_]
Post = tuple[str, str]
"""Shift and skill."""

# Of each solution: (shift, skill, day) cells with a minimum, those of them exactly at it, and the (nurse, day) whose
# loss leaves a seat open: as rostered (= with free people, for there are none), with call-in, with anyone moved.
FIGURES = {
    "n005w4/Solution_H_0-WD_1-2-3-3": (94, 94, 94, 49, 29),
    "n005w4/Solution_H_1-WD_5-3-1-0": (92, 90, 90, 53, 41),
    "n005w4/Solution_H_2-WD_6-7-8-9": (84, 82, 82, 39, 30),
    "n012w8/Solution_H_0-WD_3-5-0-2-0-4-5-2": (325, 292, 328, 18, 0),
    "n012w8/Solution_H_1-WD_7-7-0-8-9-3-2-6": (334, 307, 365, 9, 1),
    "n012w8/Solution_H_2-WD_4-5-6-7-2-1-2-1": (333, 299, 341, 12, 0),
}


@dataclass(frozen=True)
class Told:
    """What the text says. Dates count from the first Monday; `worked` holds the day before it too."""

    nurses: dict[str, set[str]]
    posts: list[Post]
    worked: dict[tuple[str, int], Post]
    minimum: dict[tuple[int, Post], int]
    required: dict[tuple[int, Post], int]
    forbidden: set[tuple[str, str]]
    days: int

    def shift(self, nurse: str, day: int) -> str:
        """The shift that a nurse works on a date; '' if none."""
        return self.worked.get((nurse, day), ("", ""))[0]

    def may(self, nurse: str, day: int, post: Post) -> bool:
        """Whether a nurse may be moved or called in: has the skill, and no forbidden succession with the days beside."""
        if post[1] not in self.nurses[nurse]:
            return False
        before, after = (self.shift(nurse, day - 1), post[0]), (post[0], self.shift(nurse, day + 1))
        return post[0] == self.shift(nurse, day) or not {before, after} & self.forbidden

    def able(self, day: int, moves: Moves) -> Bools:
        """Who may be seated where on a date, [nurses by name, posts by id]."""
        out = np.zeros((len(self.nurses), len(self.posts)), dtype=np.bool_)
        for i, nurse in enumerate(sorted(self.nurses)):
            held = self.worked.get((nurse, day))
            moved = moves >= (Moves.CALL_IN if held is None else Moves.FULL)
            out[i] = [post == held or (moved and self.may(nurse, day, post)) for post in self.posts]
        return out

    def seats_open(self, day: int, moves: Moves, lost: tuple[int, ...] = (), required: bool = False) -> int:
        """Seats below the minimum (or what is required) left open on a date without some nurses: one matching."""
        demand = self.required if required else self.minimum
        asked = np.array([[demand[day, post] for post in self.posts]], dtype=np.int16)
        return int(asked.sum()) - seats_filled(np.delete(self.able(day, moves), lost, axis=0), asked)

    def at_minimum(self) -> list[tuple[int, Post]]:
        """The cells with a minimum that have exactly so many nurses."""
        heads = Counter((day, post) for (_, day), post in self.worked.items())
        return [cell for cell, low in self.minimum.items() if low and heads[cell] == low]


def told(folder: Path) -> Told:
    """Read the text of a solution and its instance, line by line."""
    instance, weeks = folder.parent.name, folder.name.partition("-WD_")[2].split("-")
    scenario = folder.parent / f"Sc-{instance}.txt"
    skills = [words[0] for words in lines_after(scenario, "SKILLS")]
    shifts = [words[0] for words in lines_after(scenario, "SHIFT_TYPES")]
    worked: dict[tuple[str, int], Post] = {}
    history = folder.parent / f"H0-{instance}-{folder.name.partition('_H_')[2][0]}.txt"
    for words in lines_after(history, "NURSE_HISTORY"):
        if words[3] != "None":
            worked[words[0], -1] = (words[3], "")
    minimum, required = {}, {}
    for position, week in enumerate(weeks):
        for nurse, day, shift, skill in lines_after(folder / f"Sol-{instance}-{week}-{position}.txt", "ASSIGNMENTS"):
            worked[nurse, 7 * position + DAYS.index(day)] = (shift, skill)
        for shift, skill, *cells in lines_after(folder.parent / f"WD-{instance}-{week}.txt", "REQUIREMENTS"):
            for weekday, cell in enumerate(cells):
                low, high = cell.strip("()").split(",")
                minimum[7 * position + weekday, (shift, skill)] = int(low)
                required[7 * position + weekday, (shift, skill)] = int(high)
    return Told(
        nurses={words[0]: set(words[3:]) for words in lines_after(scenario, "NURSES")},
        posts=sorted(((shift, skill) for shift in shifts for skill in skills), key="/".join),
        worked=worked,
        minimum=minimum,
        required=required,
        forbidden={(words[0], after) for words in lines_after(scenario, "FORBIDDEN_SHIFT") for after in words[2:]},
        days=7 * len(weeks),
    )


@cache
def read(folder: Path) -> tuple[Told, Roster, Contingency]:
    """A solution as its text says, as our roster, and our report of all its weeks."""
    text = told(folder)
    roster, findings = roster_from_tables(read_inrc2(folder, start_day=MONDAY).tables)
    assert findings == []
    assert [person.id for person in roster.people] == sorted(text.nurses)
    assert [post.id for post in roster.posts] == ["/".join(post) for post in text.posts]
    return text, roster, contingency(roster, POLICY, MONDAY, MONDAY + text.days - 1)


@pytest.fixture(params=FOLDERS)
def solution(request: pytest.FixtureRequest, shared_data: Path) -> tuple[str, Told, Roster, Contingency]:
    """Each of the organisers' six solutions, with its name."""
    name = str(request.param)
    return name, *read(shared_data / "inrc2" / "text" / name)


def test_nine_cells_in_ten_are_at_minimum_and_one_absence_there_is_a_shortfall_as_rostered(
    solution: tuple[str, Told, Roster, Contingency],
) -> None:
    name, text, _, found = solution
    cells, tight = [cell for cell, low in text.minimum.items() if low], set(text.at_minimum())
    fatal = Counter(nurse for (nurse, day), post in text.worked.items() if (day, post) in tight)
    assert (len(cells), len(tight), sum(fatal.values())) == FIGURES[name][:3]
    assert 0.89 < len(tight) / len(cells) <= 1.0
    for moves in (Moves.STATIC, Moves.DIRECT):
        columns = found.people_columns(moves)
        assert dict(zip(columns["person"], columns["slots_lost"], strict=True)) == {
            nurse: fatal[nurse] for nurse in sorted(text.nurses)
        }
        assert found.open_seats(moves) == 0
        assert found.passes(1, moves) is False
    # who stands on a spare head opens nothing; every cell at minimum makes all its nurses fatal
    assert all((day, post) not in tight or fatal[nurse] for (nurse, day), post in text.worked.items())


def test_every_loss_on_every_date_is_what_a_matching_says(solution: tuple[str, Told, Roster, Contingency]) -> None:
    name, text, _, found = solution
    fatal = dict.fromkeys(Moves, 0)
    for day in range(text.days):
        for moves in Moves:
            now = text.seats_open(day, moves)
            assert found.minimum[moves].deficit[day] == now == 0
            for p in range(len(text.nurses)):
                lost = text.seats_open(day, moves, (p,)) - now
                assert lost == (found.minimum[moves].label[day, p] == ESSENTIAL)
                fatal[moves] += lost
    # static >= direct >= call-in >= full, for each loss by itself too
    assert tuple(fatal.values()) == (FIGURES[name][2], *FIGURES[name][2:])
    essential = np.stack([found.minimum[moves].label == ESSENTIAL for moves in Moves])
    assert (essential[:-1] >= essential[1:]).all()
    assert found.n1_pass is (FIGURES[name][4] == 0)


def test_what_is_required_and_not_there_is_covered_as_a_matching_says(shared_data: Path) -> None:
    """The second figure: seats open against what is required, many of them at posts at which nobody is planned."""
    counted, reported = {}, {}
    for name in FOLDERS:
        text, _, found = read(shared_data / "inrc2" / "text" / name)
        counted[name] = [sum(text.seats_open(day, moves, required=True) for day in range(text.days)) for moves in Moves]
        reported[name] = [int(found.required[moves].deficit.sum()) for moves in Moves]
    assert list(counted.values()) == [
        [8, 8, 2, 1], [10, 10, 5, 2], [19, 19, 9, 6], [24, 24, 3, 2], [20, 20, 1, 1], [23, 23, 1, 0],
    ]  # fmt: skip
    assert reported == counted


@pytest.mark.parametrize("name", [FOLDERS[0], FOLDERS[5]])
def test_every_pair_is_what_a_matching_says(shared_data: Path, name: str) -> None:
    text, _, found = read(shared_data / "inrc2" / "text" / name)
    for p, q in combinations(range(len(text.nurses)), 2):
        opened = [text.seats_open(day, Moves.FULL, (p, q)) for day in range(text.days)]
        assert found.minimum[Moves.FULL].pair(p, q) == (sum(opened), sum(seats > 0 for seats in opened))


def test_who_may_be_called_in_for_each_post(shared_data: Path) -> None:
    """By the text: nurses off on the date who have the skill and whose days beside the date allow the shift."""
    text, roster, _ = read(shared_data / "inrc2" / "text" / FOLDERS[3])
    found = covers_of_window(roster, POLICY, MONDAY, MONDAY + text.days - 1, Moves.CALL_IN, most=len(text.nurses))
    listed: dict[tuple[int, Post], set[str]] = {cell: set() for cell, low in text.minimum.items() if low}
    for cover in (found.at(n) for n in range(len(found))):
        assert (cover.how, cover.people_moved) == ("called in", 1)
        listed[cover.slot, text.posts[cover.post]].add(roster.people[cover.person].id)
    assert listed == {
        (day, post): {nurse for nurse in text.nurses if not text.shift(nurse, day) and text.may(nurse, day, post)}
        for day, post in listed
    }
    assert (len(listed), sum(map(len, listed.values()))) == (325, 904)
    assert sum(not names for names in listed.values()) == 18


@pytest.mark.parametrize("moves", list(Moves))
def test_the_answer_about_one_nurse_as_json(shared_data: Path, moves: Moves) -> None:
    """n005w4: without Patrick for four weeks."""
    text, roster, _ = read(shared_data / "inrc2" / "text" / FOLDERS[0])
    tight, who = set(text.at_minimum()), sorted(text.nurses).index("Patrick")
    holes = sorted(
        (day, post) for (nurse, day), post in text.worked.items() if nurse == "Patrick" and (day, post) in tight
    )
    left = sum(text.seats_open(day, moves, (who,)) for day in range(text.days))
    told_now = without(roster, POLICY, [who], MONDAY, MONDAY + text.days - 1, moves).document()
    document = json.loads(json.dumps(told_now))
    assert document == told_now
    assert (document["people"], document["days"], document["moves"]) == (["Patrick"], 28, moves.name.lower())
    assert document["totals"]["minimum"] == {"open_now": 0, "open_as_rostered": len(holes), "open_after": left}
    assert (len(holes), left) == (21, {"STATIC": 21, "DIRECT": 21, "CALL_IN": 10, "FULL": 7}[moves.name])
    opened = [row for row in document["seats"] if row["open_as_rostered"]]
    assert sorted((row["day"], row["post"]) for row in opened) == [
        (day_text(MONDAY + day), "/".join(post)) for day, post in holes
    ]
    assert all(row["leaves"] == ["Patrick"] for row in opened)
    assert sum(row["open_after"] for row in document["seats"]) == left
