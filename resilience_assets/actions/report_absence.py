"""Somebody is away: one audited row, a check at once, and what opens.

Belongs here: reporting an absence and taking it back. Does not belong here: searching for
who may cover (analysis.contingency), delivering alerts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from resilience_assets.actions.check_health import Headline, run_check
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.actions.people import FoundPerson, find_person
from resilience_assets.actions.who_may_cover import covers_of
from resilience_assets.analysis.contingency.covers import cover_line
from resilience_assets.analysis.contingency.stand_ins import stand_ins
from resilience_assets.domain.days import OPEN_END, OPEN_START, date_of, day_text, local_day
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import Status
from resilience_assets.domain.states import ABSENT
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import imports, overlay, results, versions
from resilience_assets.storage.database import Database

MOST_DAYS = 366


@dataclass(frozen=True, slots=True)
class OpenCell:
    """A seat that the person leaves: where, how many are seated without them, and who may cover if that is too few."""

    day: int
    slot: str
    post: str
    service: str
    role: str
    filled: int
    required: int
    minimum: int
    covers: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """'below the minimum', 'open' or 'still full'."""
        if self.filled < self.minimum:
            return "below the minimum"
        return "open" if self.filled < self.required else "still full"

    def cover_lines(self) -> list[str]:
        """Who may cover, the best first; a sentence where nobody may, nothing where nobody need."""
        if self.verdict == "still full":
            return []
        return [f"may cover: {one}" for one in self.covers] or ["nobody may cover within the rules"]


@dataclass(frozen=True)
class AbsenceReport:
    """What was recorded, the cells that the person leaves (or takes again), and the program before and after.

    `stretches` are the dates, which an undo may take from several absences; `on_file` is the roster's first and
    last date; `still_away` says that somebody who is back is away on some of the dates for another reason.
    """

    person: FoundPerson
    first: int
    last: int
    kind: str
    undone: bool
    cells: tuple[OpenCell, ...]
    before: Headline | None
    after: Headline
    stretches: tuple[tuple[int, int], ...]
    on_file: tuple[int, int] | None = None
    still_away: bool = False

    def _no_cells(self) -> str:
        """Why no seat is listed: no date of these is on file, or the person is not rostered on them."""
        if self.on_file is not None and (self.last < self.on_file[0] or self.first > self.on_file[1]):
            low, high = (day_text(day) for day in self.on_file)
            return f"The roster on file runs from {low} to {high}: which seats open cannot be said."
        return "No seat changes." if self.undone else "Not rostered on these dates: no seat opens."

    def lines(self) -> list[str]:
        """The report in plain lines, by readable id."""
        dates = ", ".join(day_text(first) + (f" to {day_text(last)}" if last != first else "") for first, last in self.stretches)
        verb = "is back" if self.undone else f"is away ({self.kind})"
        out = [f"{self.person.code} ({self.person.program}) {verb}: {dates}."]
        if not self.cells:
            out.append(self._no_cells())
        for cell in self.cells:
            weekday = date_of(cell.day).strftime("%a")
            out.append(
                f"  {weekday} {day_text(cell.day)} {cell.slot}: {cell.role} on {cell.service} - "
                f"{cell.filled} of {cell.required} seated, minimum {cell.minimum}: {cell.verdict}"
            )
            out += [f"    {line}" for line in cell.cover_lines()]
        if self.still_away:
            out.append("Still away on some of these dates, by the roster or by another report.")
        if self.after["raw_status"] == Status.UNKNOWN.text:
            out += [f"Not to be relied on: {reason}." for reason in self.after["immediate_actions"][:1]]
        out.append(f"Coverage {_move(self.before, self.after, 'coverage')}, utilization {_move(self.before, self.after, 'utilization')}, status {self.after['status']}.")
        return out

    def as_json(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "person": self.person.code, "program": self.person.program, "from": day_text(self.first), "to": day_text(self.last),
            "kind": self.kind, "undone": self.undone, "still_away": self.still_away,
            "opens": [
                {
                    "date": day_text(cell.day), "slot": cell.slot, "service": cell.service, "role": cell.role, "filled": cell.filled,
                    "required": cell.required, "minimum": cell.minimum, "verdict": cell.verdict, "covers": list(cell.covers),
                }
                for cell in self.cells
            ],
            "coverage": self.after["coverage"], "utilization": self.after["utilization"], "status": self.after["status"],
        }  # fmt: skip


def _move(before: Headline | None, after: Headline, name: str) -> str:
    new = "unknown" if after[name] is None else f"{after[name]:.3f}"
    old = None if before is None or before[name] is None else f"{before[name]:.3f}"
    return f"{old} -> {new}" if old is not None and old != new else new


def report_absence(
    database: Database, policies: Policies, person: str, *, first: int | None, last: int | None, kind: str,
    now: dt.datetime, by: str, program: str | None = None, names: bool = True,
) -> AbsenceReport:  # fmt: skip
    """Record an absence in the overlay and check the program at once.

    `first` is today in the program's zone when None, `last` is `first` when None; without `names` the
    person goes by readable id alone. Raises UnknownPersonError, and ValueError for dates that make no sense.
    """
    with database.read() as connection:
        found = find_person(connection, person, program, names=names)
    low, high = _dates(found, first, last, now)
    kind = kind.strip() or "sick"
    before = _newest(database, found)
    with database.write(alone=f"facts {found.program}") as connection:
        known = overlay.open_absences(connection, found.program_id, found.id)
        absence_id = overlay.report_absence(connection, found.program_id, found.id, low, high, kind, now, by)
        if absence_id not in [one.id for one in known]:
            imports.raise_revision(connection, found.program_id)
    return _after(database, policies, now, found, (((low, high),), kind, False), before)


def undo_absence(
    database: Database, policies: Policies, person: str, *, first: int | None, last: int | None, kind: str,
    now: dt.datetime, by: str, program: str | None = None, names: bool = True,
) -> AbsenceReport:  # fmt: skip
    """Take back what was reported of a person on these dates (all of it when no date is given).

    `first` alone is that one date; `last` alone is everything up to it. What an absence has beyond these
    dates stays reported. Somebody whom the roster has no more is found as well.

    Raises UnknownPersonError, and ValueError when none is open. `kind` is not looked at.
    """
    with database.read() as connection:
        found = find_person(connection, person, program, gone=True, names=names)
    low = OPEN_START if first is None else first
    high = last if last is not None else OPEN_END if first is None else first
    before = _newest(database, found)
    with database.write(alone=f"facts {found.program}") as connection:
        known = overlay.open_absences(connection, found.program_id, found.id)
        hit = [one for one in known if one.first <= high and one.last >= low]
        if not hit:
            raise ValueError(f"{found.code} has no absence reported here that could be taken back")
        overlay.end_absences(connection, [one.id for one in hit], "undone", now, by)
        for one in hit:
            for rest in ((one.first, low - 1), (high + 1, one.last)):
                if rest[0] <= rest[1]:
                    overlay.report_absence(connection, found.program_id, found.id, *rest, one.kind, now, by)
        imports.raise_revision(connection, found.program_id)
    stretches = _merged([(max(low, one.first), min(high, one.last)) for one in hit])
    return _after(database, policies, now, found, (stretches, hit[0].kind, True), before)


def _merged(stretches: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same dates as stretches that neither overlap nor touch, in order."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(stretches):
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(out[-1][1], last))
        else:
            out.append((first, last))
    return tuple(out)


def _dates(found: FoundPerson, first: int | None, last: int | None, now: dt.datetime) -> tuple[int, int]:
    low = first if first is not None else local_day(now, found.time_zone)
    high = last if last is not None else low
    if not low <= high < low + MOST_DAYS:
        raise ValueError(f"from {day_text(low)} to {day_text(high)} is not a stretch of 1 to {MOST_DAYS} days")
    return low, high


def _newest(database: Database, found: FoundPerson) -> Headline | None:
    """The program's newest figures before the act."""
    with database.read() as connection:
        rows = results.newest_headlines(connection, [found.program])
    return dict(rows[0]._mapping) if rows else None


def _roster(database: Database, policies: Policies, now: dt.datetime, found: FoundPerson) -> Roster | None:
    states = freeze_rosters(database, policies, now, live=False, codes=[found.program])
    if not states or states[0].version_id is None:
        return None
    with database.read() as connection:
        return versions.load_rosters(connection, [states[0].version_id])[states[0].version_id][0]


def _after(
    database: Database, policies: Policies, now: dt.datetime, found: FoundPerson,
    what: tuple[tuple[tuple[int, int], ...], str, bool], before: Headline | None,
) -> AbsenceReport:  # fmt: skip
    check = run_check(database, policies, now, codes=[found.program])
    evaluate_alerts(database, policies, now, source="health_check", covers=covers_of(database, policies, now))
    roster = _roster(database, policies, now, found)
    stretches, kind, undone = what
    dates = (stretches[0][0], stretches[-1][1])
    if roster is None:
        return AbsenceReport(found, *dates, kind, undone, (), before, check.headlines[0], stretches)
    policy = None if undone else policies.for_program(found.program)
    cells = tuple(cell for first, last in stretches for cell in seats_of(roster, found.code, first, last, policy))
    on_file = (roster.first_day, roster.last_day)
    still_away = undone and any(_away(roster, found.code, first, last) for first, last in stretches)
    return AbsenceReport(found, *dates, kind, undone, cells, before, check.headlines[0], stretches, on_file, still_away)


def _away(roster: Roster, person: str, first: int, last: int) -> bool:
    """Whether the roster has somebody away on any of these dates."""
    part = roster.window(first, last)
    return any(one.id == person and bool((part.state[i] == ABSENT).any()) for i, one in enumerate(part.people))


def seats_of(roster: Roster, person: str, first: int, last: int, policy: Policy | None = None) -> tuple[OpenCell, ...]:
    """The seats planned for a person on some dates, with how many are seated there now and, by a policy, who may cover.

    None where the roster does not have the person: the newest one may have been refused.
    """
    index = next((i for i, one in enumerate(roster.people) if one.id == person), None)
    if index is None:
        return ()
    part = roster.window(first, last)
    filled, planned = part.filled(), part.planned[index]
    seats = [(int(slot), int(planned[slot])) for slot in np.flatnonzero(planned >= 0)]
    short = [(slot, post) for slot, post in seats if filled[post, slot] < part.required[post, slot]]
    covers = stand_ins(roster, policy, first, last, short) if policy is not None else {}
    return tuple(
        OpenCell(
            day=part.first_day + slot // part.per_day, slot=part.program.slot_types[slot % part.per_day].code,
            post=part.posts[post].id, service=part.services[part.posts[post].service].id, role=part.posts[post].role,
            filled=int(filled[post, slot]), required=int(part.required[post, slot]), minimum=int(part.minimum[post, slot]),
            covers=tuple(cover_line(one) for one in covers.get((slot, post), [])),
        )
        for slot, post in seats
    )  # fmt: skip
