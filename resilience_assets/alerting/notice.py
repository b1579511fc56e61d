"""The text of a notice: what, where, since when, how bad, and the one thing to do.

Belongs here: subject and body of the notice of one transition, without names of people. Does not
belong here: whether there is a transition (incidents.py), colours and HTML.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from resilience_assets.alerting.incidents import Transition

TOLD = ("opened", "raised", "closed")
"""Transitions that are told; that an open incident is less grave than before is not worth a message."""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """Plain text of one notice."""

    subject: str
    body: str


def local_time(instant: dt.datetime, time_zone: str) -> str:
    """'Tue 2026-03-10 06:45 EDT'."""
    return instant.astimezone(ZoneInfo(time_zone)).strftime("%a %Y-%m-%d %H:%M %Z")


def _figure(value: float, limit: float) -> float:
    """A value to two places, or to as many as show on which side of its limit it is."""
    rounded = (round(value, places) for places in (2, 3, 4))
    return next((short for short in rounded if short != limit or short == value), value)


def notice_text(transition: Transition, time_zone: str, opened_at: dt.datetime | None = None) -> NoticeText:
    """Subject and body of a transition's notice; `opened_at` is when an older incident began."""
    reading, rule = transition.reading, transition.rule
    what = rule.message.format(
        program=reading.program, key=reading.key, value=_figure(transition.value, rule.trigger), trigger=rule.trigger,
        clear=rule.clear, open_seats=reading.open_seats,
    )  # fmt: skip
    place = f"{reading.program}, {reading.key}" if reading.key else reading.program
    if transition.kind == "closed":
        since = f", open since {local_time(opened_at, time_zone)}" if opened_at else ""
        measured = f"{rule.measure.replace('_', ' ')} is {_figure(transition.value, rule.clear):g}"
        return NoticeText(
            f"[over] {place}: {measured}",
            f"{place}: {measured}; the alert is over as of {local_time(reading.as_of, time_zone)}{since}.\nNothing to do.",
        )
    lines = [what, f"As of {local_time(reading.as_of, time_zone)}."]
    if transition.kind == "raised" and opened_at:
        lines.append(f"Open since {local_time(opened_at, time_zone)}; now {transition.severity.text}.")
    if reading.where:
        lines.append(reading.where)
    lines.append(f"To do: resilience status --program {reading.program}, then fill what is open first.")
    return NoticeText(f"[{transition.severity.text}] {what.rstrip('.')}"[:300], "\n".join(lines))
