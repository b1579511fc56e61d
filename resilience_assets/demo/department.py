"""An invented department of medicine: 300 attendings, fellows, residents and advanced practitioners.

Belongs here: its services and posts, divisions, who belongs to which, leave. Does not belong here:
the rules of seating (board.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resilience_assets.demo import records
from resilience_assets.demo.board import (
    EVERY_DAY,
    NEVER,
    WEEKDAYS,
    WEEKEND,
    Board,
    FloatArray,
    Line,
    block_score,
    protected_days,
    rest_slots,
    rotate,
)
from resilience_assets.demo.names import invented_names
from resilience_assets.demo.staff import Away, Qualified, without_overlaps, yearly_leave
from resilience_assets.domain.days import IntArray, date_of
from resilience_assets.domain.nouns import Person, Tier
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables

PROGRAM = Program(
    "department",
    "Department of Medicine",
    "America/Chicago",
    (SlotType("DAY", 7 * 60, 19 * 60), SlotType("NIGHT", 19 * 60, 31 * 60)),
    (Shift("D", 7 * 60, 17 * 60, "day"), Shift("NIGHT", 19 * 60, 31 * 60, "night")),
)


@dataclass(frozen=True, slots=True)
class Seat:
    """Heads of one role at a service: on a weekday, on a weekend day, on a night; and who may sit there."""

    service: str
    role: str
    weekday: int
    weekend: int = 0
    night: int = 0
    division: str = ""
    """Attendings and fellows of this division, practitioners of its service line; '' for all of the role."""


SERVICES = (
    ("wards-a", "General medicine, team A", Tier.PATIENT_SAFETY),
    ("wards-b", "General medicine, team B", Tier.PATIENT_SAFETY),
    ("nights", "Night medicine", Tier.PATIENT_SAFETY),
    ("admissions", "Admissions", Tier.PATIENT_SAFETY),
    ("micu", "Medical intensive care", Tier.PATIENT_SAFETY),
    ("ccu", "Cardiac care unit", Tier.PATIENT_SAFETY),
    ("step-down", "Step-down unit", Tier.PATIENT_SAFETY),
    ("cath-lab", "Catheter laboratory", Tier.PATIENT_SAFETY),
    ("supervision", "Clinic supervision", Tier.ACGME_REQUIREMENTS),
    ("cardiology", "Cardiology consults", Tier.CONTINUITY_OF_CARE),
    ("nephrology", "Nephrology consults and dialysis", Tier.CONTINUITY_OF_CARE),
    ("gastroenterology", "Gastroenterology consults", Tier.CONTINUITY_OF_CARE),
    ("endoscopy", "Endoscopy", Tier.CONTINUITY_OF_CARE),
    ("pulmonary", "Pulmonary consults", Tier.CONTINUITY_OF_CARE),
    ("infectious-diseases", "Infectious diseases consults", Tier.CONTINUITY_OF_CARE),
    ("hematology-oncology", "Hematology and oncology inpatients", Tier.CONTINUITY_OF_CARE),
    ("cancer-clinic", "Cancer clinic", Tier.CONTINUITY_OF_CARE),
    ("endocrine-clinic", "Endocrine and rheumatology clinic", Tier.CONTINUITY_OF_CARE),
    ("primary-care", "Primary care clinic", Tier.CONTINUITY_OF_CARE),
    ("palliative", "Palliative care", Tier.CONTINUITY_OF_CARE),
    ("didactics", "Didactics", Tier.CORE_EDUCATION),
    ("research", "Research and quality", Tier.RESEARCH),
    ("administration", "Administration", Tier.ADMINISTRATION),
)
SEATS = (
    Seat("nights", "attending", 0, 0, 2, "general"),
    Seat("nights", "resident", 0, 0, 8),
    Seat("micu", "attending", 2, 2, 1, "critical"),
    Seat("micu", "fellow", 2, 1, 0, "critical"),
    Seat("micu", "resident", 5, 4, 3),
    Seat("ccu", "attending", 1, 1, 0, "cardiology"),
    Seat("ccu", "fellow", 1, 1, 1, "cardiology"),
    Seat("ccu", "resident", 3, 2, 1),
    Seat("cath-lab", "attending", 3, 1, 1, "cardiology"),
    Seat("step-down", "attending", 1, 1, 0, "critical"),
    Seat("step-down", "practitioner", 4, 3, 2, "acute"),
    Seat("wards-a", "attending", 3, 2, 0, "general"),
    Seat("wards-a", "resident", 7, 5),
    Seat("wards-b", "attending", 3, 2, 0, "general"),
    Seat("wards-b", "resident", 7, 5),
    Seat("admissions", "attending", 2, 1, 0, "general"),
    Seat("admissions", "resident", 5, 3),
    Seat("supervision", "attending", 4, 0, 0, "general"),
    Seat("cardiology", "attending", 5, 1, 0, "cardiology"),
    Seat("cardiology", "fellow", 3, 1, 0, "cardiology"),
    Seat("nephrology", "attending", 4, 1, 0, "nephrology"),
    Seat("nephrology", "fellow", 3, 1, 0, "nephrology"),
    Seat("gastroenterology", "attending", 3, 1, 0, "gastroenterology"),
    Seat("gastroenterology", "fellow", 3, 1, 0, "gastroenterology"),
    Seat("endoscopy", "attending", 4, 0, 0, "gastroenterology"),
    Seat("pulmonary", "attending", 4, 1, 0, "critical"),
    Seat("pulmonary", "fellow", 2, 0, 0, "critical"),
    Seat("infectious-diseases", "attending", 4, 1, 0, "infectious"),
    Seat("infectious-diseases", "fellow", 2, 0, 0, "infectious"),
    Seat("hematology-oncology", "attending", 4, 2, 0, "oncology"),
    Seat("hematology-oncology", "fellow", 5, 1, 0, "oncology"),
    Seat("hematology-oncology", "practitioner", 4, 2, 0, "oncology"),
    Seat("cancer-clinic", "attending", 5, 0, 0, "oncology"),
    Seat("cancer-clinic", "practitioner", 5, 0, 0, "oncology"),
    Seat("endocrine-clinic", "attending", 6, 0, 0, "endocrine"),
    Seat("endocrine-clinic", "practitioner", 3, 0, 0, "clinic"),
    Seat("palliative", "attending", 3, 1, 0, "palliative"),
    Seat("palliative", "practitioner", 2, 1, 0, "clinic"),
    Seat("primary-care", "attending", 12, 0, 0, "general"),
    Seat("primary-care", "resident", 17),
    Seat("primary-care", "practitioner", 6, 0, 0, "clinic"),
    Seat("didactics", "attending", 2, 0, 0, "general"),
    Seat("research", "attending", 4),
    Seat("administration", "attending", 2),
)
"""In the order in which they are filled."""

STAFF = (
    ("ATT", "attending", (("general", 52), ("critical", 12), ("cardiology", 16), ("nephrology", 8), ("gastroenterology", 12),
                          ("infectious", 7), ("oncology", 16), ("endocrine", 10), ("palliative", 5))),
    ("FEL", "fellow", (("critical", 7), ("cardiology", 11), ("nephrology", 6), ("gastroenterology", 6), ("infectious", 3), ("oncology", 9))),
    ("RES", "resident", (("", 76),)),
    ("APP", "practitioner", (("acute", 14), ("oncology", 15), ("clinic", 15))),
)  # fmt: skip
SHARES = (1.0, 1.0, 1.0, 0.8, 1.0, 1.0, 0.5, 1.0, 1.0, 0.9)
HOURS_A_WEEK = {"attending": 60.0, "fellow": 70.0, "resident": 72.0, "practitioner": 50.0}
DAYS_IN_A_ROW = 6
REST = 10 * 60
CLOSABLE_FROM = Tier.CONTINUITY_OF_CARE
"""Sessions of services that may be paused are closed in advance when nobody is left for them."""
STAYS_OPEN_EVERY = 3
FREE_A_DAY = 4
"""People at work on a weekday without being needed, at most."""


def department(today: int, first_day: int, days: int, random: np.random.Generator) -> RosterTables:
    """The whole department on `days` epoch days from `first_day`, a Monday, as seen on `today`."""
    people = _people()
    qualified = _qualified(people)
    absences = _absences(people, today, first_day, days, random)
    hours = np.array([HOURS_A_WEEK[p.role] * p.fte for p in people])
    in_a_row = np.full(len(people), DAYS_IN_A_ROW, dtype=np.int64)
    board = Board(
        PROGRAM, first_day, days, people, [post for post, *_ in posts()], qualified, absences, hours, in_a_row, REST
    )
    blocks = _blocks(board)
    night_posts = frozenset(_post(seat) for seat in SEATS if seat.night)
    ordered = sorted(lines(), key=lambda line: line.shift != "NIGHT")
    closed: list[tuple[Line, int, int]] = []
    short = 0
    for day in range(first_day, first_day + days):
        board.start_date()
        weekday = date_of(day).weekday()
        for line in ordered:
            if weekday in line.weekdays:
                found = board.fill(
                    line.post, line.shift, day, line.required, _score(board, blocks, line, day, night_posts)
                )
                short += found < line.required
                if found < line.required and line.post in _CLOSABLE and short % STAYS_OPEN_EVERY:
                    closed.append((line, day, found))
        if weekday in WEEKDAYS:
            board.keep_at_work("D", day, FREE_A_DAY, np.where(blocks[:, day - first_day] == -1, 0.0, NEVER))
    rest = rest_slots(board, protected_days(board, _protected(board), 6 - np.arange(len(people)) % 2))
    names = invented_names(len(people), random)
    return records.roster_tables(board, names, SERVICES, posts(), lines(), qualified, absences, closed, rest)


def _post(seat: Seat) -> str:
    return f"{seat.service}-{seat.role}"


_TIER = {service: tier for service, _, tier in SERVICES}
_CLOSABLE = frozenset(_post(seat) for seat in SEATS if _TIER[seat.service] >= CLOSABLE_FROM)


def posts() -> list[tuple[str, str, str]]:
    """Id, service and role of every post."""
    return [(_post(seat), seat.service, seat.role) for seat in SEATS]


def lines() -> list[Line]:
    """What each post needs by weekday, weekend and night. The minimum is what safety cannot do without."""
    out: list[Line] = []
    for seat in SEATS:
        share = (
            0.7
            if _TIER[seat.service] <= Tier.ACGME_REQUIREMENTS
            else 0.4
            if _TIER[seat.service] == Tier.CONTINUITY_OF_CARE
            else 0.0
        )
        for shift, weekdays, heads in (
            ("D", WEEKDAYS, seat.weekday),
            ("D", WEEKEND, seat.weekend),
            ("NIGHT", EVERY_DAY, seat.night),
        ):
            if heads:
                out.append(Line(_post(seat), shift, weekdays, heads, int(np.ceil(share * heads))))
    return out


def _people() -> list[Person]:
    out: list[Person] = []
    for prefix, role, divisions in STAFF:
        members = [division for division, count in divisions for _ in range(count)]
        for n, division in enumerate(members, start=1):
            share = SHARES[n % len(SHARES)] if role in ("attending", "practitioner") else 1.0
            named = f"PGY{1 + n % 3}" if role == "resident" else role
            out.append(
                Person(
                    f"{prefix}-{n:03d}", role, share, division or named, ("lake", "river", "prairie", "hills")[n % 4]
                )
            )
    return out


def _qualified(people: list[Person]) -> list[Qualified]:
    """Everybody for the seats of the role and division."""
    return [
        Qualified(person.id, _post(seat))
        for person in people
        for seat in SEATS
        if seat.role == person.role and seat.division in ("", person.team)
    ]


def _absences(people: list[Person], today: int, first_day: int, days: int, random: np.random.Generator) -> list[Away]:
    """Long absences, a week of leave each, conferences, and people who are ill today."""
    planned = [
        Away("ATT-003", today - 28, today + 55, "parental"),
        Away("ATT-061", today - 12, today + 47, "deployment"),
        Away("RES-014", today + 10, today + 89, "parental"),
        Away("APP-007", today - 20, today + 12, "medical"),
        Away("FEL-010", today + 25, today + 31, "conference"),
    ]
    often = [p for p in people if p.role == "resident" or p.team in ("general", "clinic")]
    ill = [
        Away(often[int(index)].id, today - 1 + n % 2, today + 1 + n % 3, "sick", late=True)
        for n, index in enumerate(random.permutation(len(often))[:6])
    ]
    leave: list[Away] = []
    for _, _, divisions in STAFF:
        for division, _ in divisions:
            group = [p for p in people if p.team == division or (not division and p.role == "resident")]
            leave += yearly_leave(group, first_day, days // 7, max(1, round(len(group) * 0.07)), random)
    asked_for = [Away("ATT-020", today + 33, today + 40, "vacation", approved=False)]
    return without_overlaps(planned + ill + leave + asked_for)


def _blocks(board: Board) -> IntArray:
    """Two weeks of nights or intensive care for residents, a week on the wards for attendings; [P, D]."""
    blocks = np.full((len(board.people), board.days), -1, dtype=np.int64)
    everybody = np.ones(len(board.people), dtype=np.bool_)
    full_time = board.fte == 1.0
    rotate(board, blocks, "nights-resident", 10, 14, everybody)
    rotate(board, blocks, "nights-attending", 3, 7, full_time)
    rotate(board, blocks, "ccu-resident", 5, 28, everybody)
    rotate(board, blocks, "micu-resident", 10, 28, everybody)
    rotate(board, blocks, "wards-a-resident", 9, 21, everybody)
    rotate(board, blocks, "wards-b-resident", 9, 21, everybody)
    for post, heads in (
        ("micu-attending", 3),
        ("step-down-attending", 1),
        ("ccu-attending", 1),
        ("wards-a-attending", 3),
        ("wards-b-attending", 3),
    ):
        rotate(board, blocks, post, heads, 7, full_time)
    return blocks


def _score(board: Board, blocks: IntArray, line: Line, day: int, night_posts: frozenset[str]) -> FloatArray:
    """Whom to ask for a line on a date, [P]; nobody is taken from a block for a clinic or a consult."""
    only_nights = frozenset({"nights-resident", "nights-attending"}) & night_posts
    score = block_score(board, blocks, line.post, day, only_nights)
    block = blocks[:, day - board.first_day]
    if line.post in _CLOSABLE or line.shift == "NIGHT":
        score[(block >= 0) & (block != board.posts[line.post])] = NEVER
    return score


def _protected(board: Board) -> IntArray:
    """Dates a week kept free of call-in, [P, weeks]: two, in every third week and for part-time staff one more."""
    weeks = -(-board.days // 7)
    turns = (np.arange(len(board.people))[:, None] + np.arange(weeks)[None, :]) % 3 == 0
    return 2 + turns.astype(np.int64) + (board.fte < 1.0).astype(np.int64)[:, None]
