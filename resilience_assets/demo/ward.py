"""An invented ward of 60 nurses and carers on 12-hour shifts, day and night.

Belongs here: its posts, people, the pattern of two days, two nights and four days off, leave and
sickness. Does not belong here: the rules of seating (board.py).
"""

from __future__ import annotations

import numpy as np

from resilience_assets.demo import records
from resilience_assets.demo.board import EVERY_DAY, NEVER, Board, FloatArray, Line, protected_days, rest_slots
from resilience_assets.demo.names import invented_names
from resilience_assets.demo.staff import Away, Qualified, without_overlaps, yearly_leave
from resilience_assets.domain.days import IntArray
from resilience_assets.domain.nouns import Person, Tier
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables

PROGRAM = Program(
    "ward-7",
    "Ward 7",
    "Europe/London",
    (SlotType("DAY", 7 * 60, 19 * 60), SlotType("NIGHT", 19 * 60, 31 * 60)),
    (Shift("D", 7 * 60, 19 * 60, "day"), Shift("N", 19 * 60, 31 * 60, "night")),
    forbidden_successions=(("N", "D"),),
)
SERVICES = (
    ("day-shift", "Ward 7 by day", Tier.PATIENT_SAFETY),
    ("night-shift", "Ward 7 by night", Tier.PATIENT_SAFETY),
)
POSTS = (
    ("D-charge", "day-shift", "charge nurse"),
    ("D-nurse", "day-shift", "nurse"),
    ("D-carer", "day-shift", "carer"),
    ("N-charge", "night-shift", "charge nurse"),
    ("N-nurse", "night-shift", "nurse"),
    ("N-carer", "night-shift", "carer"),
)
LINES = (
    Line("N-charge", "N", EVERY_DAY, 1, 1),
    Line("D-charge", "D", EVERY_DAY, 1, 1),
    Line("N-nurse", "N", EVERY_DAY, 5, 4),
    Line("D-nurse", "D", EVERY_DAY, 6, 5),
    Line("N-carer", "N", EVERY_DAY, 2, 1),
    Line("D-carer", "D", EVERY_DAY, 3, 2),
)
STAFF = (("CHG", "charge nurse", 6), ("RN", "nurse", 36), ("HCA", "carer", 18))
DEPUTIES = ("RN-01", "RN-02", "RN-03", "RN-04")
"""Nurses who may stand in for a charge nurse."""
PATTERN = "DDNNOOOO"
SHARES = (1.0, 1.0, 1.0, 0.8, 1.0, 0.6)
"""Full-time shares of nurses and carers, by turns."""
HOURS_A_WEEK = 48.0
DAYS_IN_A_ROW = 4
REST = 11 * 60


def ward(today: int, first_day: int, days: int, random: np.random.Generator) -> RosterTables:
    """The whole ward on `days` epoch days from `first_day`, a Monday, as seen on `today`."""
    people = _people()
    qualified = _qualified(people)
    absences = _absences(people, today, first_day, days, random)
    hours = np.array([HOURS_A_WEEK * p.fte for p in people])
    in_a_row = np.full(len(people), DAYS_IN_A_ROW, dtype=np.int64)
    board = Board(
        PROGRAM, first_day, days, people, [post for post, *_ in POSTS], qualified, absences, hours, in_a_row, REST
    )
    for day in range(first_day, first_day + days):
        board.start_date()
        for line in LINES:
            board.fill(line.post, line.shift, day, line.required, _score(board, line, day))
    rest = rest_slots(board, protected_days(board, _protected(board), np.arange(len(people)) % 7))
    names = invented_names(len(people), random)
    return records.roster_tables(board, names, SERVICES, POSTS, LINES, qualified, absences, [], rest)


def _people() -> list[Person]:
    out: list[Person] = []
    for prefix, role, count in STAFF:
        for n in range(1, count + 1):
            share = 1.0 if role == "charge nurse" else SHARES[n % len(SHARES)]
            out.append(Person(f"{prefix}-{n:02d}", role, share, f"line {'ABCD'[n % 4]}", ("east", "west")[n % 2]))
    return out


def _qualified(people: list[Person]) -> list[Qualified]:
    """Charge nurses also nurse; deputies also lead; carers care."""
    skills = {"charge nurse": ("charge", "nurse"), "nurse": ("nurse",), "carer": ("carer",)}
    return [
        Qualified(person.id, f"{shift}-{skill}")
        for person in people
        for skill in (*skills[person.role], *(("charge",) if person.id in DEPUTIES else ()))
        for shift in ("D", "N")
    ]


def _absences(people: list[Person], today: int, first_day: int, days: int, random: np.random.Generator) -> list[Away]:
    """A parental leave, a long illness, a week of leave each, and short illnesses, some of them now."""
    planned = [Away("RN-17", today - 25, today + 70, "parental"), Away("HCA-09", today - 10, today + 20, "sick")]
    now = [Away("RN-22", today - 1, today + 1, "sick", late=True), Away("HCA-04", today, today + 2, "sick", late=True)]
    leave: list[Away] = []
    for _, role, count in STAFF:
        group = [p for p in people if p.role == role]
        leave += yearly_leave(group, first_day, days // 7, max(1, round(count * 0.07)), random)
    ids = [p.id for p in people]
    short = [
        Away(ids[int(random.integers(len(ids)))], day, day + int(random.integers(0, 3)), "sick", late=True)
        for day in range(first_day, today - 3, 3)
    ]
    asked_for = [Away("RN-30", today + 40, today + 46, "vacation", approved=False)]
    return without_overlaps(planned + now + leave + asked_for + short)


def _score(board: Board, line: Line, day: int) -> FloatArray:
    """Whom to ask, [P]: people whose pattern has the shift on the date, then people on a day off."""
    index = np.arange(len(board.people))
    turn = np.array(list(PATTERN))[(day - board.first_day + 3 * index) % len(PATTERN)]
    score = np.where(turn == line.shift, 0.0, np.where(turn == "O", 3.0, NEVER))
    # the day before a day shift is no night: the night would end when the day begins
    tomorrow = np.array(list(PATTERN))[(day + 1 - board.first_day + 3 * index) % len(PATTERN)]
    score[(tomorrow == "D") & (turn == "O") & (line.shift == "N")] = NEVER
    return score


def _protected(board: Board) -> IntArray:
    """Dates a week kept free of call-in, [P, weeks]: one and two by turns, for part-time staff one more."""
    weeks = -(-board.days // 7)
    turns = (np.arange(len(board.people))[:, None] + np.arange(weeks)[None, :]) % 2
    return 1 + turns + (board.fte < 1.0).astype(np.int64)[:, None]
