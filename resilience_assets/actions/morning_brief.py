"""The morning brief: once a program and local date, to its list and to the inbox.

Belongs here: whose morning it is, gathering today's open seats, writing the message. Does not belong here: the
words (alerting.brief), who may cover (who_may_cover.py), when the clock asks (automation), sending (delivery).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.actions.status import Standing, standings
from resilience_assets.actions.who_may_cover import short_seats
from resilience_assets.alerting.brief import MOST_SEATS, OpenSeat, morning_brief
from resilience_assets.alerting.html import notice_html
from resilience_assets.alerting.notice import NoticeText, with_names
from resilience_assets.domain.days import date_of, day_text, local_day
from resilience_assets.domain.scales import AlertSeverity, Status
from resilience_assets.policy import Policies, Recipient
from resilience_assets.storage import incidents, outbox, programs, versions
from resilience_assets.storage.database import Database
from resilience_assets.storage.outbox import Outgoing
from resilience_assets.storage.programs import ProgramRow

KIND = "brief"
"""Kind of its notice, its message and its rows in the outbox."""

FROM, UNTIL = dt.time(6, 45), dt.time(12)
"""A program's morning, by its own clock: the brief is due from the first on, and no longer after the second."""


@dataclass(frozen=True)
class Brief:
    """One program's brief of one local date: its words, and the open seats behind them."""

    program_id: int
    program: str
    day: int
    text: NoticeText
    seats: tuple[OpenSeat, ...] | None = ()
    """None where they are not known."""

    def payload(self) -> dict[str, Any]:
        """What machines read: ids and figures, no names."""
        return {
            "program": self.program, "date": day_text(self.day),
            "open_seats": None if self.seats is None else [
                {
                    "slot": one.slot, "service": one.service, "role": one.role, "filled": one.filled, "required": one.required,
                    "minimum": one.minimum, "may_cover": list(one.covers),
                }
                for one in self.seats[:MOST_SEATS]
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """Programs that were briefed, and the messages that carry it."""

    programs: tuple[str, ...]
    messages: tuple[int, ...]


def due_briefs(database: Database, now: dt.datetime) -> list[str]:
    """Programs whose morning it is and who have no brief of today; a brief that was missed is due until noon."""
    return [row.code for row in _unbriefed(database, now) if is_morning(row.time_zone, now)]


def is_morning(time_zone: str, now: dt.datetime) -> bool:
    """Whether a brief is due by the clock of a zone."""
    return FROM <= now.astimezone(ZoneInfo(time_zone)).time() < UNTIL


def _unbriefed(database: Database, now: dt.datetime, codes: Sequence[str] | None = None) -> list[ProgramRow]:
    with database.read() as connection:
        newest = incidents.newest_of_kind(connection, KIND)
        rows = programs.all_programs(connection, codes)
    return [row for row in rows if not _briefed(newest.get(row.id), row.time_zone, now)]


def _briefed(newest: dt.datetime | None, time_zone: str, now: dt.datetime) -> bool:
    return newest is not None and local_day(newest, time_zone) >= local_day(now, time_zone)


def briefs(database: Database, policies: Policies, now: dt.datetime, codes: Sequence[str] | None = None) -> list[Brief]:
    """Today's brief of every program (or those named), in order; nothing is written or sent.

    A program whose seats cannot be found out has a brief that says so; the others are not held up.
    """
    stand = {one.program: one for one in standings(database, policies, now, codes, detail=False)}
    return [_brief(database, policies, now, state, stand[state.code]) for state in program_states(database, now, codes)]


def _brief(database: Database, policies: Policies, now: dt.datetime, state: ProgramState, stands: Standing) -> Brief:
    today = local_day(now, state.time_zone)
    unknown = _unknown(stands)
    seats: tuple[OpenSeat, ...] | None = None
    try:
        seats, missing = _seats(database, policies, state, today)
        unknown = missing or unknown
    except (ArithmeticError, LookupError, ValueError) as error:
        unknown = f"the open seats could not be found out ({type(error).__name__})"
    alerts = [f"{row.summary} ({row.severity}, alert {row.id}{', in hand' if row.acknowledged_at else ''})" for row in stands.incidents]
    return Brief(state.id, state.code, today, morning_brief(state.code, date_of(today), seats, open_alerts=alerts, unknown=unknown), seats)


def _unknown(stands: Standing) -> str:
    """Why the figures cannot be relied on; '' where they can."""
    if stands.headline is None:
        return "no health check yet"
    if stands.late and stands.age is not None:
        return f"the newest health check is {stands.age.total_seconds() / 3600:.1f} hours old"
    if stands.headline["status"] != Status.UNKNOWN.text:
        return ""
    first: str = next(iter(stands.headline["immediate_actions"]), "the status is unknown")
    return first[:1].lower() + first[1:]


def _seats(
    database: Database, policies: Policies, state: ProgramState, today: int
) -> tuple[tuple[OpenSeat, ...] | None, str]:
    """Today's open seats with who may cover each, and why they are not known ('' where they are)."""
    if state.version_id is None:
        return None, "no roster was ever accepted"
    with database.read() as connection:
        roster, _ = versions.load_rosters(connection, [state.version_id])[state.version_id]
    if not roster.first_day <= today <= roster.last_day:
        ended = today > roster.last_day
        return None, f"the roster on file ends {day_text(roster.last_day)}" if ended else f"the roster on file begins {day_text(roster.first_day)}"
    found = short_seats(roster, policies.for_program(state.code), today, today)
    seats = (OpenSeat(one.slot, one.service, one.role, one.filled, one.required, one.minimum, one.tier, one.covers) for one in found)
    return tuple(seats), ""


def send_briefs(
    database: Database, policies: Policies, now: dt.datetime, *, by: str, program: str = "", morning_only: bool = False
) -> Sent:
    """Write today's brief of every program that has none yet (or of one program), each exactly once a local date.

    `morning_only` leaves out programs whose morning it is not. A transaction a program; two at once write one brief.
    """
    waiting = _unbriefed(database, now, [program] if program else None)
    zones = {row.code: row.time_zone for row in waiting if not morning_only or is_morning(row.time_zone, now)}
    told, messages = [], []
    for brief in briefs(database, policies, now, list(zones)) if zones else ():
        message_id = _write(database, policies, brief, zones[brief.program], now, by)
        if message_id is not None:
            told.append(brief.program)
            messages.append(message_id)
    return Sent(tuple(told), tuple(messages))


def _write(database: Database, policies: Policies, brief: Brief, time_zone: str, now: dt.datetime, by: str) -> int | None:
    """Inbox, message and outbox rows in one transaction; None where another was quicker."""
    text = brief.text
    level, subject, body = text.severity.text, text.subject[:300], text.body
    with database.write(alone="briefs") as connection:
        if _briefed(incidents.newest_of_kind(connection, KIND).get(brief.program_id), time_zone, now):
            return None
        values = {"kind": KIND, "as_of": now, "severity": level, "subject": subject, "body": body, "delivered_at": now}
        notice_id, _ = incidents.add_notice(connection, None, values)
        incidents.add_to_inbox(connection, notice_id, brief.program_id, level, subject, body, now)
        message_id = outbox.add_message(connection, now, by, kind=KIND, level=level, subject=subject, text=body)
        readers = policies.telling.brief_readers(brief.program)
        names = incidents.names_by_id(connection, brief.program_id) if any(one.include_names for one in readers) else {}
        outbox.enqueue(connection, [_outgoing(brief, one, message_id, names, now) for one in readers], now)
    return message_id


def _outgoing(brief: Brief, reader: Recipient, message_id: int, names: dict[str, str], now: dt.datetime) -> Outgoing:
    """The row of one reader; in quiet hours it waits for their end, unless seats are open below the minimum."""
    text = with_names(brief.text, names) if reader.include_names else brief.text
    held = reader.quiet_until(now) if text.severity < AlertSeverity.CRITICAL else None
    return Outgoing(
        None, 0, reader.channel, reader.address or reader.id, text.severity.text, KIND, text.subject, text.body,
        html=notice_html(text) if reader.channel == "email" else None, payload=brief.payload(), not_before=held,
        message_id=message_id,
    )  # fmt: skip
