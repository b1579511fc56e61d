"""An invented family medicine residency: 12 faculty and 17 residents.

Belongs here: its services, people, rotation blocks, leave, and what is planted in it: a thin
service (procedures), people who join and leave inside the horizon, one resident above 80 hours a
week, one gap that is known in advance. Does not belong here: the rules of seating (board.py).
"""

from __future__ import annotations

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
from resilience_assets.domain.days import OPEN_END, OPEN_START, IntArray, date_of, day_of
from resilience_assets.domain.nouns import Person, Tier
from resilience_assets.domain.program import DEFAULT_SLOT_TYPES, Program, Shift
from resilience_assets.domain.roster import BoolArray
from resilience_assets.domain.tables import RosterTables

PROGRAM = Program(
    "family-medicine",
    "Family Medicine Residency",
    "America/New_York",
    DEFAULT_SLOT_TYPES,
    (
        Shift("AM", 7 * 60, 13 * 60, "morning"),
        Shift("PM", 13 * 60, 19 * 60, "afternoon"),
        Shift("DAY", 7 * 60, 19 * 60, "day"),
        Shift("LONG", 6 * 60, 20 * 60, "long day"),
        Shift("NIGHT", 19 * 60, 31 * 60, "night"),
    ),
)

SERVICES = (
    ("inpatient", "Inpatient team", Tier.PATIENT_SAFETY),
    ("icu", "Intensive care", Tier.PATIENT_SAFETY),
    ("labor-delivery", "Labor and delivery nights", Tier.PATIENT_SAFETY),
    ("night-float", "Night float", Tier.PATIENT_SAFETY),
    ("precepting", "Clinic precepting", Tier.ACGME_REQUIREMENTS),
    ("clinic", "Continuity clinic", Tier.CONTINUITY_OF_CARE),
    ("procedures", "Procedure clinic", Tier.CONTINUITY_OF_CARE),
    ("didactics", "Didactics", Tier.CORE_EDUCATION),
    ("research", "Scholarly work", Tier.RESEARCH),
    ("administration", "Program administration", Tier.ADMINISTRATION),
)
POSTS = (
    ("inpatient-attending", "inpatient", "faculty"),
    ("inpatient-senior", "inpatient", "senior resident"),
    ("inpatient-intern", "inpatient", "intern"),
    ("icu-resident", "icu", "senior resident"),
    ("ld-attending", "labor-delivery", "faculty"),
    ("night-senior", "night-float", "senior resident"),
    ("night-intern", "night-float", "intern"),
    ("preceptor", "precepting", "faculty"),
    ("clinic-faculty", "clinic", "faculty"),
    ("clinic-senior", "clinic", "senior resident"),
    ("clinic-intern", "clinic", "intern"),
    ("procedure-attending", "procedures", "faculty"),
    ("didactics-lead", "didactics", "faculty"),
    ("didactics-learner", "didactics", "resident"),
    ("research-resident", "research", "senior resident"),
    ("admin-faculty", "administration", "faculty"),
)
NIGHT_POSTS = frozenset({"night-senior", "night-intern"})

TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = 1, 2, 3, 4
BUT_WEDNESDAY = (0, 1, 3, 4)
NIGHT_LINES = (
    Line("night-senior", "NIGHT", EVERY_DAY, 1, 1),
    Line("night-intern", "NIGHT", EVERY_DAY, 1, 0),
    Line("ld-attending", "NIGHT", EVERY_DAY, 1, 1),
)
DAY_LINES = (
    Line("procedure-attending", "AM", (TUESDAY,), 1, 1),
    Line("procedure-attending", "PM", (TUESDAY, THURSDAY), 1, 1),
    Line("inpatient-attending", "DAY", EVERY_DAY, 1, 1),
    Line("inpatient-senior", "DAY", EVERY_DAY, 1, 1),
    Line("inpatient-intern", "DAY", WEEKDAYS, 2, 1),
    Line("inpatient-intern", "DAY", WEEKEND, 1, 1),
    Line("icu-resident", "DAY", (*WEEKDAYS, 5), 1, 1),
    Line("preceptor", "AM", WEEKDAYS, 2, 1),
    Line("preceptor", "PM", BUT_WEDNESDAY, 2, 1),
    Line("preceptor", "PM", (WEDNESDAY,), 1, 1),
    Line("didactics-lead", "PM", (WEDNESDAY,), 1, 1),
    Line("didactics-learner", "PM", (WEDNESDAY,), 6, 0),
    Line("clinic-senior", "AM", WEEKDAYS, 4, 2),
    Line("clinic-senior", "PM", BUT_WEDNESDAY, 4, 2),
    Line("clinic-senior", "PM", (WEDNESDAY,), 1, 1),
    Line("clinic-intern", "AM", WEEKDAYS, 2, 0),
    Line("clinic-intern", "PM", BUT_WEDNESDAY, 1, 0),
    Line("clinic-faculty", "AM", WEEKDAYS, 2, 1),
    Line("clinic-faculty", "PM", BUT_WEDNESDAY, 2, 1),
    Line("clinic-faculty", "PM", (WEDNESDAY,), 1, 1),
    Line("research-resident", "PM", (TUESDAY, THURSDAY), 1, 0),
    Line("admin-faculty", "AM", (FRIDAY,), 1, 0),
    Line("admin-faculty", "PM", (0, FRIDAY), 1, 0),
)
"""In the order in which they are filled: what few can do first."""

CLOSABLE = frozenset(
    {"clinic-faculty", "clinic-senior", "clinic-intern", "didactics-learner", "research-resident", "admin-faculty"}
)
"""Posts whose sessions are closed in advance when nobody is left for them."""
CLINIC = frozenset({"clinic-faculty", "clinic-senior", "clinic-intern"})
STAYS_OPEN_EVERY = 6
"""Of the clinic sessions that nobody is left for, every so many-th is not closed: an ordinary open seat."""

FACULTY = 12
PROCEDURALISTS = ("ATT-04", "ATT-07", "ATT-10")
DEPLOYED = "ATT-10"
PART_TIME = {"ATT-03": 0.6, "ATT-08": 0.8, "ATT-11": 0.8}
DUTY_HOUR_PROBLEM = "PGY2-03"
"""The resident who works 84 hours a week for five weeks around the day that the demo is made for."""
BLOCK_ENDS = 7
"""Days ahead on which that block is over; a week of leave follows."""
HOURS_A_WEEK = 66.0
LONG_HOURS_A_WEEK = 84.0
REST = 10 * 60


def family_medicine(today: int, first_day: int, days: int, random: np.random.Generator) -> RosterTables:
    """The whole program on `days` epoch days from `first_day`, a Monday, as seen on `today`."""
    change = _change_of_residents(today, first_day, days)
    people = _people(change)
    qualified = _qualified(people, change)
    absences = _absences(people, today, first_day, days, random)
    board = Board(
        PROGRAM,
        first_day,
        days,
        people,
        [post for post, *_ in POSTS],
        qualified,
        absences,
        np.array([LONG_HOURS_A_WEEK if p.id == DUTY_HOUR_PROBLEM else HOURS_A_WEEK * p.fte for p in people]),
        np.full(len(people), 6, dtype=np.int64),
        REST,
    )
    blocks = _blocks(board, today)
    gap = known_gap(today)
    closed: list[tuple[Line, int, int]] = []
    short = 0
    for day in range(first_day, first_day + days):
        if day == today + BLOCK_ENDS:
            board.hours_a_week[board.row[DUTY_HOUR_PROBLEM]] = HOURS_A_WEEK
        for line, found in _seat_date(board, blocks, day, gap):
            if found < line.required and line.post in CLOSABLE:
                short += line.post in CLINIC
                if line.post not in CLINIC or short % STAYS_OPEN_EVERY:
                    closed.append((line, day, found))
    ill = _ill_now(board, today)
    absences.append(ill)
    closed += _empty_chairs(board, ill)
    rest = rest_slots(board, protected_days(board, _protected(board), 6 - np.arange(len(people)) % 2))
    names = invented_names(len(people), random)
    return records.roster_tables(
        board, names, SERVICES, POSTS, (*NIGHT_LINES, *DAY_LINES), qualified, absences, closed, rest
    )


def known_gap(today: int) -> tuple[str, int, int]:
    """The seat that everybody knows will be open: (post, first epoch day, last epoch day), a week."""
    monday = _monday_from(today + 28)
    return "night-intern", monday, monday + 6


def _monday_from(day: int) -> int:
    """The first Monday on or after an epoch day (epoch day 4 was one)."""
    return day + (4 - day) % 7


def _change_of_residents(today: int, first_day: int, days: int) -> tuple[int, bool]:
    """First day of the new residents, and whether it is the yearly turnover of 1 July.

    The turnover where 1 July is on file after today's week; else one resident graduates off-cycle,
    one is promoted and one joins, 45 days ahead.
    """
    for year in (date_of(first_day).year, date_of(first_day + days).year):
        july = day_of(date_of(first_day).replace(year=year, month=7, day=1))
        if first_day < july < first_day + days:
            return july, True
    return today + 45, False


def _people(change: tuple[int, bool]) -> list[Person]:
    """12 faculty and 17 residents at any time: those who leave on the change and those who join count once."""
    day, yearly = change
    leaving = 6 if yearly else 1
    regions = ("north", "south", "river")
    faculty = [
        Person(
            f"ATT-{n:02d}",
            "faculty",
            PART_TIME.get(f"ATT-{n:02d}", 1.0),
            "team A" if n % 2 else "team B",
            regions[n % 3],
        )
        for n in range(1, FACULTY + 1)
    ]
    residents = [
        Person(
            f"PGY{year}-{n:02d}",
            f"PGY{year}",
            1.0,
            "team A" if n % 2 else "team B",
            regions[n % 3],
            ends=_last_day(year, n, leaving, day),
        )
        for year, count in ((1, 5), (2, 6), (3, 6))
        for n in range(1, count + 1)
    ]
    joining = [
        Person(f"PGY1-{5 + n:02d}", "PGY1", 1.0, "team A" if n % 2 else "team B", regions[n % 3], starts=day)
        for n in range(1, leaving + 1)
    ]
    return faculty + residents + joining


def _last_day(year: int, number: int, leaving: int, change: int) -> int:
    """The day before the change for the last `leaving` third-years, else open."""
    return change - 1 if year == 3 and number > 6 - leaving else OPEN_END


def _qualified(people: list[Person], change: tuple[int, bool]) -> list[Qualified]:
    """Who may hold what; promoted interns become seniors on the day of the change."""
    day, yearly = change
    promoted = {f"PGY1-{n:02d}" for n in (range(1, 6) if yearly else (5,))}
    intern = ("inpatient-intern", "night-intern", "clinic-intern")
    senior = ("inpatient-senior", "icu-resident", "night-senior", "clinic-senior", "research-resident")
    out: list[Qualified] = []
    for person in people:
        if person.role == "faculty":
            posts = ["ld-attending", "inpatient-attending", "preceptor", "clinic-faculty", "didactics-lead"]
            posts += ["procedure-attending"] * (person.id in PROCEDURALISTS)
            posts += ["admin-faculty"] * (person.id in ("ATT-01", "ATT-02", "ATT-05", "ATT-12"))
            out += [Qualified(person.id, post) for post in posts]
            continue
        out.append(Qualified(person.id, "didactics-learner", person.starts, person.ends))
        if person.id in promoted:
            out += [Qualified(person.id, post, OPEN_START, day - 1) for post in intern]
            out += [Qualified(person.id, post, day) for post in senior]
        elif person.role == "PGY1":
            out += [Qualified(person.id, post, person.starts) for post in intern]
        else:
            also = ("night-intern", "inpatient-intern") if person.role == "PGY2" else ()
            out += [Qualified(person.id, post, person.starts, person.ends) for post in (*senior, *also)]
    return out


def _absences(people: list[Person], today: int, first_day: int, days: int, random: np.random.Generator) -> list[Away]:
    """Leave known when the roster was made: a deployment, a course, a parental leave, yearly leave."""
    planned = [
        Away(DEPLOYED, today - 20, today + 40, "deployment"),
        Away(DUTY_HOUR_PROBLEM, today + BLOCK_ENDS, today + BLOCK_ENDS + 6, "vacation"),
        Away("ATT-06", today + 15, today + 19, "tdy"),
        Away("PGY2-05", _monday_from(today + 16), _monday_from(today + 16) + 41, "parental"),
        Away("PGY3-02", today + 4, today + 8, "conference"),
    ]
    weeks = days // 7
    leave: list[Away] = []
    for roles in (("faculty",), ("PGY1",), ("PGY2", "PGY3")):
        group = [
            p
            for p in people
            if p.role in roles and p.starts == OPEN_START and p.id not in (DEPLOYED, DUTY_HOUR_PROBLEM)
        ]
        leave += yearly_leave(group, first_day, weeks, 1, random)
    # the people left who can do the procedures are never away together, nor in the first two weeks
    leave = [a for a in leave if a.person not in PROCEDURALISTS]
    leave += [Away("ATT-04", today + 50, today + 56, "vacation"), Away("ATT-07", today + 66, today + 72, "vacation")]
    asked_for = [Away("ATT-02", today + 30, today + 33, "vacation", approved=False)]
    return without_overlaps(planned + leave + asked_for)


def _blocks(board: Board, today: int) -> IntArray:
    """The rotation block of each person on each date, [P, D]: post index, -1 if in none, -2 away on an elective."""
    blocks = np.full((len(board.people), board.days), -1, dtype=np.int64)
    planted = slice(0, today + BLOCK_ENDS - board.first_day)
    blocks[board.row[DUTY_HOUR_PROBLEM], planted] = board.posts["icu-resident"]
    everybody = np.ones(len(board.people), dtype=np.bool_)
    pgy1 = np.array([p.role == "PGY1" for p in board.people])
    third_year = np.array([p.role == "PGY3" for p in board.people])
    rotate(board, blocks, "night-senior", 1, 14, everybody)
    rotate(board, blocks, "night-intern", 1, 14, pgy1)
    rotate(board, blocks, "inpatient-senior", 1, 21, everybody)
    rotate(board, blocks, "inpatient-intern", 2, 21, pgy1)
    rotate(
        board,
        blocks,
        "inpatient-attending",
        1,
        7,
        np.array([p.id not in PROCEDURALISTS and p.fte == 1.0 for p in board.people]),
    )
    rotate(board, blocks, "icu-resident", 1, 28, everybody)
    blocks[:, planted] = np.where(_others_on(board, blocks, "icu-resident", planted), -1, blocks[:, planted])
    _electives(board, blocks, third_year)
    return blocks


def _others_on(board: Board, blocks: IntArray, post: str, cut: slice) -> BoolArray:
    """Where somebody else than the overworked resident has a block at a post, [P, dates of cut]."""
    others = np.arange(len(board.people)) != board.row[DUTY_HOUR_PROBLEM]
    return (blocks[:, cut] == board.posts[post]) & others[:, None]


def _electives(board: Board, blocks: IntArray, pool: BoolArray) -> None:
    """Four weeks at another hospital for one third-year resident at a time (-2 in `blocks`)."""
    turns = np.zeros(len(board.people))
    for start in range(0, board.days, 28):
        cut = slice(start, min(start + 28, board.days))
        can = pool & (blocks[:, cut] == -1).all(axis=1) & (board.away[:, cut].mean(axis=1) < 0.4)
        who = np.flatnonzero(can)
        chosen = who[np.argsort(turns[who], kind="stable")[:1]]
        turns[chosen] += 1
        blocks[chosen, cut] = -2


def _seat_date(board: Board, blocks: IntArray, day: int, gap: tuple[str, int, int]) -> list[tuple[Line, int]]:
    """Seat one date, nights first; returns each line of that weekday with the heads found."""
    board.start_date()
    weekday = date_of(day).weekday()
    post, first, last = gap
    found: list[tuple[Line, int]] = []
    for line in (*NIGHT_LINES, *DAY_LINES):
        if weekday not in line.weekdays or (line.post == post and first <= day <= last):
            continue
        score = _score(board, blocks, line, day)
        shift = line.shift
        if (
            line.post == "icu-resident"
            and blocks[board.row[DUTY_HOUR_PROBLEM], day - board.first_day] == board.posts[line.post]
        ):
            shift = "LONG"
        found.append((line, board.fill(line.post, shift, day, line.required, score)))
    if weekday in WEEKDAYS:
        _seat_the_rest(board, blocks, day)
    return found


def _score(board: Board, blocks: IntArray, line: Line, day: int) -> FloatArray:
    """Whom to ask for a line on a date, [P]."""
    block = blocks[:, day - board.first_day]
    score = block_score(board, blocks, line.post, day, NIGHT_POSTS)
    score[block == -2] = NEVER
    score[board.row[DUTY_HOUR_PROBLEM]] = (
        0.0 if block[board.row[DUTY_HOUR_PROBLEM]] == board.posts[line.post] else NEVER
    )
    if block[board.row[DUTY_HOUR_PROBLEM]] == -1:
        score[board.row[DUTY_HOUR_PROBLEM]] = 2.0
    weekday = date_of(day).weekday()
    if line.post == "ld-attending":
        # a night before would keep the few who can do procedures from doing them
        if weekday in (0, TUESDAY, WEDNESDAY, THURSDAY):
            score[[board.row[person] for person in PROCEDURALISTS]] = NEVER
        score[block >= 0] = NEVER
    if line.post in ("clinic-senior", "clinic-faculty", "clinic-intern", "preceptor") and weekday in WEEKDAYS:
        score[(block >= 0) & (block != board.posts[line.post])] = NEVER
    return score


def _seat_the_rest(board: Board, blocks: IntArray, day: int) -> None:
    """Electives elsewhere, and people at work who are not needed."""
    elective = np.where(blocks[:, day - board.first_day] == -2)[0]
    legal = board.legal(day, board.shifts["DAY"])
    board.seat(elective[legal[elective]].astype(np.int64), day, "DAY", "ELSEWHERE")
    score = np.where(blocks[:, day - board.first_day] == -1, 0.0, NEVER)
    for shift in ("AM", "PM"):
        board.keep_at_work(shift, day, 2, score)


def _protected(board: Board) -> IntArray:
    """Dates a week kept free of call-in, [P, weeks]: one."""
    return np.ones((len(board.people), -(-board.days // 7)), dtype=np.int64)


def _ill_now(board: Board, today: int) -> Away:
    """One senior resident who fell ill yesterday and is away until tomorrow, at a weekend until the Monday.

    The clinic seats stay open. It is the one who works most in the clinic on those dates and nowhere
    that patient safety needs.
    """
    first, last = today - 1, today + 1 if date_of(today).weekday() in WEEKDAYS else _monday_from(today)
    tiers = {service: tier for service, _, tier in SERVICES}
    tier = {post: tiers[service] for post, service, _ in POSTS}
    clinic, needed = np.zeros(len(board.people)), np.zeros(len(board.people))
    for who, day, _, post in board.held:
        if first <= day <= last and post in tier:
            clinic[who] += post == "clinic-senior"
            needed[who] += tier[post] <= Tier.ACGME_REQUIREMENTS
    seniors = np.array([p.role in ("PGY2", "PGY3") and p.id != DUTY_HOUR_PROBLEM for p in board.people])
    cut = slice(first - board.first_day, last + 1 - board.first_day)
    seniors &= ~board.away[:, cut].any(axis=1)
    person = int(np.argmax(np.where(seniors, clinic - 10 * needed, -np.inf)))
    board.late[person, cut] = True
    return Away(board.people[person].id, first, last, "sick", late=True)


def _empty_chairs(board: Board, ill: Away) -> list[tuple[Line, int, int]]:
    """Didactics that somebody missed who is ill: a learner's chair needs nobody else in it."""
    line = next(line for line in DAY_LINES if line.post == "didactics-learner")
    return [
        (line, day, len(who) - 1)
        for who, day, _, post in board.held
        if post == line.post and ill.first <= day <= ill.last and board.row[ill.person] in who
    ]
