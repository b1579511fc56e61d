"""The text files of the Second International Nurse Rostering Competition (INRC-II), with a solution.

Format: Ceschia, Dang, De Causmaecker, Haspeslagh, Schaerf, "Second International Nurse Rostering
Competition (INRC-II): problem description and rules", 2015. Belongs here: the scenario (Sc-), history
(H0-), week data (WD-) and solution (Sol-) files as the frames of one roster. Does not belong here:
the competition's costs and soft constraints.

What becomes of what: a nurse is a person, a skill on a shift type a post, (minimum, optimum) the
minimum and the heads required, a line of a solution an assignment. The history says how many days in
a row a nurse has worked before the first Monday; those become days elsewhere, so that rest and runs
are counted across the border. Requests for a shift off are wishes and are only counted.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from resilience_assets.domain.days import OPEN_END, OPEN_START, day_text
from resilience_assets.domain.findings import Severity
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.tables import RosterTables, frame
from resilience_assets.exchange.finding_log import FindingLog
from resilience_assets.exchange.inrc2_text import Scenario, lines_of, read_scenario
from resilience_assets.exchange.open_files import names_in, read_plain
from resilience_assets.exchange.source import (
    Progress,
    SourceError,
    SourceFile,
    SourceRead,
    content_hash,
    source_error,
)

FOLDER = re.compile(r"Solution_H_(\d+)-WD_(\d+(?:-\d+)*)\Z")
_PAIR = re.compile(r"\((\d{1,4}),(\d{1,4})\)\Z", re.ASCII)
SLOT = SlotType("DAY", 6 * 60, 30 * 60)
"""The one slot of a date: a nurse works one shift a day, and the night ends at 06:00."""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHIFT_TIMES = {
    "Early": (6 * 60, 14 * 60),
    "Day": (8 * 60, 16 * 60),
    "Late": (14 * 60, 22 * 60),
    "Night": (22 * 60, 30 * 60),
}
"""The format gives no times; these are the usual ones of the names that the instances use, in minutes."""
FULL_TIME_SHARES = {"fulltime": 1.0, "parttime": 0.5, "halftime": 0.5, "20percent": 0.2}
"""The format gives no full-time share; by the name of the contract, OTHER_SHARE for any other."""
OTHER_SHARE = 0.5
LONGEST_RUN = 366
"""Days in a row that a history may claim; more is a damaged file."""

Row = dict[str, Any]


def read_inrc2(
    folder: Path,
    *,
    start_day: int | None,
    program: str | None = None,
    time_zone: str = "UTC",
    progress: Progress | None = None,
) -> SourceRead:
    """Read a solution folder `Solution_H_<h>-WD_<w>-<w>-...` and the instance files in the folder above it.

    `start_day` is the epoch day of the Monday on which the first week begins; `program` the id of
    the program, else one made of the instance, history and weeks. Raises SourceError, naming file
    and line, for the first thing that does not follow the format: such a file was not typed by
    hand, so that there is nothing to list.
    """
    monday = _checked_monday(folder, start_day)
    history, weeks = _folder_says(folder)
    instance = _instance_of(folder)
    names = [f"Sc-{instance}.txt", f"H0-{instance}-{history}.txt"]
    names += [f"WD-{instance}-{week}.txt" for week in dict.fromkeys(weeks)]
    solved = [f"Sol-{instance}-{week}-{position}.txt" for position, week in enumerate(weeks)]
    if progress:
        progress(folder.name, 0, len(names) + len(solved))
    files = [_read(folder.parent / name) for name in names] + [_read(folder / name) for name in solved]
    by_name = {file.name: file for file in files}
    log = FindingLog()
    scenario = _checked_scenario(by_name[names[0]], instance, weeks, log)
    rows = _history_rows(by_name[names[1]], scenario, monday, log)
    demand: list[Row] = []
    for position, week in enumerate(weeks):
        demand += _demand_rows(by_name[f"WD-{instance}-{week}.txt"], scenario, monday + 7 * position, log)
        rows += _assignment_rows(by_name[solved[position]], scenario, position, monday + 7 * position)
    title = f"INRC-II {instance}, history {history}, weeks {'-'.join(map(str, weeks))}"
    tables = RosterTables(
        program=_program(scenario, program or _program_id(instance, history, weeks), title, time_zone),
        assignments=frame("assignments", rows),
        demand=frame("demand", demand),
        dates=(min([monday, *(row["day"] for row in rows)]), monday + 7 * len(weeks) - 1),
        **_standing_frames(scenario, names[0]),
    )
    counts = {kind: len(part) for kind, part in tables.kinds().items()}
    # the same files with another start are another roster
    digest = content_hash(files, salt=f"start {monday}")
    return SourceRead(tables, log.findings(), digest, tuple(sorted(by_name)), "inrc2", counts)


def _checked_monday(folder: Path, start_day: int | None) -> int:
    if start_day is None:
        reason = "the files hold no dates; give the Monday on which week one begins with --start"
        raise source_error("bad_start", reason, file=folder.name)
    if (start_day + 3) % 7 != 0:  # epoch day 0 was a Thursday
        raise source_error("bad_start", "the start is not a Monday", file=folder.name, value=day_text(start_day))
    return start_day


def _checked_scenario(file: SourceFile, instance: str, weeks: list[int], log: FindingLog) -> Scenario:
    scenario = read_scenario(file)
    if scenario.instance != instance:
        raise source_error("other_instance", f"the file is of instance {scenario.instance}", file=file.name, row=1)
    if scenario.weeks != len(weeks):
        reason = f"the scenario has {scenario.weeks} weeks, the solution {len(weeks)}"
        log.add(Severity.WARNING, "other_length", reason, file.name)
    return scenario


def _folder_says(folder: Path) -> tuple[int, list[int]]:
    match = FOLDER.match(folder.name)
    if not match or not folder.is_dir():
        reason = (
            "not a solution folder, named like Solution_H_0-WD_1-2-3-3, with the instance's files in the folder above"
        )
        raise source_error("not_a_solution", reason, file=folder.name)
    return int(match[1]), [int(week) for week in match[2].split("-")]


def _instance_of(folder: Path) -> str:
    found = [name[3:-4] for name in names_in(folder.parent) if name.startswith("Sc-") and name.endswith(".txt")]
    if len(found) != 1:
        reason = f"{len(found)} scenario files (Sc-*.txt) in the folder above; there must be exactly one"
        raise source_error("missing_file", reason, file=folder.parent.name)
    return found[0]


def _read(path: Path) -> SourceFile:
    try:
        return read_plain(path)
    except SourceError as error:
        if error.findings[0].rule == "not_found":
            reason = f"the solution needs this file in {path.parent.name}/"
            raise source_error("missing_file", reason, file=path.name) from error
        raise


def _program_id(instance: str, history: int, weeks: list[int]) -> str:
    joined = "".join(map(str, weeks)) if max(weeks) < 10 else "-".join(map(str, weeks))
    return f"{instance}-h{history}-{joined}"


def _program(scenario: Scenario, id: str, name: str, time_zone: str) -> Program:
    """One slot a day from 06:00 to 06:00, a shift for each shift type within it."""
    count = len(scenario.shifts)
    shifts = []
    for i, code in enumerate(scenario.shifts):
        start = 6 * 60 + i * 16 * 60 // max(1, count - 1)  # names we do not know are spread from 06:00 to 22:00
        low, high = SHIFT_TIMES.get(code, (start, start + 8 * 60))
        shifts.append(Shift(code, low, high, code.lower()))
    try:
        return Program(id, name, time_zone, (SLOT,), tuple(shifts), scenario.forbidden)
    except ValueError as error:
        raise source_error("bad_program", str(error), file=f"Sc-{scenario.instance}.txt") from error


def _standing_frames(scenario: Scenario, file: str) -> dict[str, Any]:
    """People, services, posts and qualifications: a nurse may hold each of their skills on every shift."""
    always = {"first": OPEN_START, "last": OPEN_END}
    people: list[Row] = []
    held: list[Row] = []
    for name, contract, skills, row in scenario.nurses:
        where: Row = {"person": name, "file": file, "row": row}
        share = FULL_TIME_SHARES.get(contract.lower(), OTHER_SHARE)
        groups = {"team": "", "home_region": "", "starts": OPEN_START, "ends": OPEN_END}
        people.append(where | {"name": name, "role": skills[0], "fte": share} | groups)
        posts_held = [_post(shift, skill) for shift in scenario.shifts for skill in dict.fromkeys(skills)]
        held += [where | {"post": post} | always for post in posts_held]
    services = [{"service": shift, "name": f"{shift} shift", "tier": 1, "file": file} for shift in scenario.shifts]
    posts = [
        {"post": _post(shift, skill), "service": shift, "role": skill, "file": file}
        for shift in scenario.shifts
        for skill in scenario.skills
    ]
    rows = {"people": people, "services": services, "posts": posts, "qualifications": held}
    return {kind: frame(kind, part) for kind, part in rows.items()}


def _post(shift: str, skill: str) -> str:
    return f"{shift}/{skill}"


def _demand_rows(file: SourceFile, scenario: Scenario, monday: int, log: FindingLog) -> list[Row]:
    """One row a shift type, skill and day: minimum and required of '(minimum,optimum)'."""
    lines = lines_of(file)
    lines.seek("REQUIREMENTS")
    rows: dict[str, list[Row]] = {}
    for _ in range(len(scenario.shifts) * len(scenario.skills)):
        words = lines.take("a requirement")
        pairs = [match for word in words[2:] if (match := _PAIR.match(word))]
        if len(words) != 9 or len(pairs) != 7:
            reason = "not a requirement: shift type, skill and seven times (minimum,optimum)"
            raise lines.wrong(reason, " ".join(words), "bad_demand")
        post = _post(lines.one_of(words[0], scenario.shifts, "shift"), lines.one_of(words[1], scenario.skills, "skill"))
        if post in rows:
            raise lines.wrong("this shift type and skill is there twice", post, "duplicate_cell")
        rows[post] = []
        for weekday, pair in enumerate(pairs):
            low, high = int(pair[1]), int(pair[2])
            if low > high:
                raise lines.wrong("the minimum is above the optimum", pair[0], "minimum_above_required")
            where = {"file": file.name, "row": lines.row, "column": WEEKDAYS[weekday]}
            heads = {"required": high, "minimum": low}
            rows[post].append({"post": post, "day": monday + weekday, "slot": SLOT.code} | heads | where)
    requests = sum(1 for _ in lines.counted("SHIFT_OFF_REQUESTS"))
    if requests:
        reason = f"{requests} requests for a shift off are wishes, not absences, and were not imported"
        log.add(Severity.NOTE, "wishes_not_read", reason, file.name)
    return [row for part in rows.values() for row in part]


def _assignment_rows(file: SourceFile, scenario: Scenario, position: int, monday: int) -> list[Row]:
    """One row a line 'nurse day shift skill' of the week at a position."""
    lines = lines_of(file)
    lines.seek("SOLUTION")
    said = " ".join(lines.take("week and instance"))
    if said != f"{position} {scenario.instance}":
        raise lines.wrong(f"the file should say '{position} {scenario.instance}'", said, "other_week")
    allowed = {"person": scenario.names, "weekday": WEEKDAYS, "shift": scenario.shifts, "skill": scenario.skills}
    rows: dict[tuple[str, str], Row] = {}
    for words in lines.counted("ASSIGNMENTS"):
        if len(words) != 4:
            raise lines.wrong("not an assignment: nurse, day, shift, skill", " ".join(words))
        nurse, day, shift, skill = (
            lines.one_of(word, allowed[noun], noun) for word, noun in zip(words, allowed, strict=True)
        )
        if (nurse, day) in rows:
            raise lines.wrong("this nurse has an assignment on this day already", f"{nurse} {day}", "duplicate_cell")
        cell: Row = {"person": nurse, "day": monday + WEEKDAYS.index(day), "shift": shift, "post": _post(shift, skill)}
        rows[nurse, day] = cell | {"file": file.name, "row": lines.row}
    left = lines.left()
    if left and left[0] in scenario.names:
        raise lines.wrong(f"more assignments than the {len(rows)} announced", " ".join(left), "other_count")
    return list(rows.values())


def _history_rows(file: SourceFile, scenario: Scenario, monday: int, log: FindingLog) -> list[Row]:
    """Days elsewhere before the first Monday, from the last three figures of each nurse.

    A line is: nurse, assignments so far, weekends worked so far, last shift type (or None), how
    often in a row that type, days worked in a row, days off in a row. Earlier days of a run that
    began with another type have a type nobody knows; they get the last one.
    """
    lines = lines_of(file)
    lines.seek("NURSE_HISTORY")
    rows: dict[str, list[Row]] = {}
    guessed = 0
    for _ in scenario.names:
        words = lines.take("a nurse's history")
        if len(words) != 7:
            raise lines.wrong("not a nurse's history: nurse and six figures", " ".join(words))
        nurse, last = lines.one_of(words[0], scenario.names, "person"), words[3]
        if nurse in rows:
            raise lines.wrong("this nurse is there twice", nurse, "duplicate_id")
        same, worked, off = (lines.number(text, LONGEST_RUN) for text in words[4:])
        working = last != "None"
        if working != (worked > 0) or working != (same > 0) or same > worked or (working and off > 0):
            raise lines.wrong("the figures contradict each other", " ".join(words[3:]), "bad_history")
        if working:
            lines.one_of(last, scenario.shifts, "shift")
        guessed += worked - same
        where = {"file": file.name, "row": lines.row}
        cell = {"person": nurse, "shift": last, "post": "ELSEWHERE"}
        rows[nurse] = [cell | where | {"day": day} for day in range(monday - worked, monday)]
    days = sum(len(part) for part in rows.values())
    if days:
        reason = f"{days} days worked before week one became days elsewhere"
        reason += f"; of {guessed} of them the shift type is not on file, and the nurse's last one is taken"
        log.add(Severity.NOTE, "history_elsewhere", reason, file.name)
    return [row for part in rows.values() for row in part]
