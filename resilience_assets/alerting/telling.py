"""Who is told of what happened, and who is not and why.

Belongs here: silences, muting, quiet hours, the one decision for an event and a reader, the steps of
reminding and escalating, what a morning digest still has to say. Does not belong here: the text
(notice.py), the state machine (incidents.py), storing and sending. Pure: instants come in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy.routes import Recipient, Telling

INBOX = "inbox"
"""The reader that everything is told to: the in-app inbox."""

TELL, HOLD = "tell", "hold"

HELD = "held until morning"
"""Why a reader has not been told yet: quiet hours; the digest that ends them tells it or says why not."""

REASONS = ("silence", "inhibition", "flapping", "quiet hours", "acknowledged", "not told", "over", HELD)
"""Every reason for which a reader is not told."""

EventKind = Literal[
    "opened", "raised", "flapping", "off", "on", "calm", "closed", "superseded", "reminder", "escalated", "still open", "acknowledged"
]
ENDS = ("closed", "superseded")
NOT_TOLD = ("on", "off")
NOT_FOR_THE_INBOX = ("reminder", "escalated")


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is told between two instants of what fits; '' fits everything. `scope` is a service id."""

    program: str
    rule: str
    scope: str
    starts: dt.datetime
    ends: dt.datetime

    def covers(self, program: str, family: str, key: str, now: dt.datetime) -> bool:
        """Whether an alert is silenced now."""
        fits = all(not want or want == have for want, have in ((self.program, program), (self.rule, family), (self.scope, key)))
        return fits and self.starts <= now < self.ends


@dataclass(frozen=True, slots=True)
class Heard:
    """What one reader has heard of one incident so far: told of it at least once; something held for the morning."""

    told: bool = False
    held: bool = False


def decide(
    kind: str, severity: AlertSeverity, reader: Recipient | None, now: dt.datetime, heard: Heard, *, silenced: bool, muted: bool
) -> str:
    """TELL, HOLD or the reason why not, for one event and one reader (None: the inbox, which never sleeps).

    Who was told of an incident is told that it is over, silence or not; who was not told is spared the end
    as well. In quiet hours what is not critical is held until morning; a mere reminder is dropped.
    """
    if kind in NOT_TOLD:
        return "flapping"
    quiet = reader is not None and severity < AlertSeverity.CRITICAL and reader.is_quiet(now)
    if kind in ENDS:
        if heard.held:
            return HOLD  # one line of the digest says both
        if not heard.told:
            return "not told"
        return HOLD if quiet else TELL
    if silenced:
        return "silence"
    if muted:
        return "inhibition"
    if quiet:
        return "quiet hours" if kind == "reminder" else HOLD
    return TELL


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the chain: `number` rises, `level` 1 reminds, 2 and 3 escalate."""

    number: int
    level: int
    at: dt.datetime


def due_steps(base: dt.datetime, severity: AlertSeverity, last: int, now: dt.datetime, telling: Telling) -> list[Step]:
    """Steps that are due by `now` and come after step `last`, for an alert that nobody has acknowledged.

    `base` is when it opened or was raised: that telling is step 0. In each round level 2 follows after
    `level_2_after_minutes`, level 3 after `level_3_after_minutes`; rounds follow each other as often as
    the severity is repeated, and are at most `escalation.rounds`. Of several due steps of one level only
    the newest is returned: after an outage one reminder is enough.
    """
    escalation, repeat = telling.escalation, telling.repetition.minutes(severity)
    after = {1: 0, 2: escalation.level_2_after_minutes, 3: escalation.level_3_after_minutes}
    newest: dict[int, Step] = {}
    for turn in range(escalation.rounds if repeat else 1):
        for level, minutes in after.items():
            step = Step(turn * 3 + level - 1, level, base + dt.timedelta(minutes=turn * repeat + minutes))
            if last < step.number and step.at <= now:
                newest[level] = step
    return sorted(newest.values(), key=lambda step: step.number)


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One event that a reader was not told of at night, with how its incident stands in the morning."""

    telling_id: int
    incident_id: int
    kind: str
    open: bool
    acknowledged: bool
    told_before: bool


def digest(items: Iterable[HeldItem]) -> tuple[list[int], dict[int, str]]:
    """Split what was held for one reader: ids of the tellings that the digest tells, and a reason for each other.

    An incident that somebody acknowledged in the meantime is not told any more. One that is over is told
    when the reader knew of it or would have been told of its opening; one that had only been escalated to
    them at night and is over is none of their business any more.
    """
    by_incident: dict[int, list[HeldItem]] = {}
    for item in items:
        by_incident.setdefault(item.incident_id, []).append(item)
    tell: list[int] = []
    drop: dict[int, str] = {}
    for held in by_incident.values():
        ids = [item.telling_id for item in held]
        first = held[0]
        if first.open and first.acknowledged:
            drop |= dict.fromkeys(ids, "acknowledged")
        elif not first.open and not first.told_before and all(item.kind in ("escalated", *ENDS) for item in held):
            drop |= dict.fromkeys(ids, "over")
        else:
            tell += ids
    return tell, drop


