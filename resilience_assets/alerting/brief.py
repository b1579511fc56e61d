"""The morning brief: what is open today, who may cover it, text that is ready to be sent on.

Belongs here: the words. Does not belong here: finding open seats and covers (actions hand both over), when and to
whom it goes (automation, policy). People go by readable id; `notice.with_names` puts names beside them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from resilience_assets.alerting.notice import NoticeText
from resilience_assets.alerting.plain import one_line
from resilience_assets.domain.scales import AlertSeverity

MOST_SEATS = 40
"""Open cells that a brief spells out; of the others it gives the number."""


@dataclass(frozen=True, slots=True)
class OpenSeat:
    """One cell of today with seats open: `covers` are ready lines such as 'ATT-03 (free, 41 h in 28 days)', the best first."""

    slot: str
    service: str
    role: str
    filled: int
    required: int
    minimum: int
    tier: int = 7
    covers: tuple[str, ...] = ()

    @property
    def below_minimum(self) -> bool:
        """Whether fewer are seated than is safe."""
        return self.filled < self.minimum

    @property
    def line(self) -> str:
        """'AM: MD on icu - 0 of 1 seated, minimum 1: below the minimum'."""
        verdict = "below the minimum" if self.below_minimum else "open"
        return one_line(f"{self.slot}: {self.role} on {self.service} - {self.filled} of {self.required} seated, minimum {self.minimum}: {verdict}")


def morning_brief(
    program: str, date: dt.date, seats: Sequence[OpenSeat] | None, *, open_alerts: Sequence[str] = (), unknown: str = ""
) -> NoticeText:
    """Today's brief of a program; one line when all is well.

    `open_alerts` are the sentences of what else is open; `unknown` is why the figures cannot be relied on,
    which is said first and is never 'well'. `seats` of None are not known at all, and `unknown` says why. Seats
    below their minimum come first, then by tier.
    """
    day = f"{date:%a} {date.isoformat()}"
    if seats is not None and not seats and not open_alerts and not unknown:
        line = one_line(f"{program}, {day}: all is well, every seat is filled.")
        return NoticeText(f"[brief] {line.rstrip('.')}", AlertSeverity.INFO, line)
    ranked = sorted(seats or (), key=lambda one: (not one.below_minimum, one.tier, one.slot, one.service, one.role))
    below = sum(one.below_minimum for one in ranked)
    missing = sum(one.required - one.filled for one in ranked)
    counted = f"{missing} seat{'' if missing == 1 else 's'} open today"
    if below:
        counted += f", {below} of {len(ranked)} places below the minimum"
    stands = counted if seats else "every seat is filled"
    if unknown:
        stands = f"not to be relied on: {unknown}; {counted if seats else 'what is on file shows no open seat'}"
    if seats is None:
        stands = f"today's open seats are not known: {unknown or 'they were not counted'}"
    headline = one_line(f"{program}, {day}: {stands}.")
    points: list[str] = []
    for seat in ranked[:MOST_SEATS]:
        points.append(seat.line)
        points += [one_line(f"may cover: {line}", 500) for line in seat.covers]
        if not seat.covers:
            points.append("nobody who may legally cover is known")
    if len(ranked) > MOST_SEATS:
        points.append(f"{len(ranked) - MOST_SEATS} more places: resilience status --program {program}")
    points += [one_line(f"Also open: {sentence}", 500) for sentence in open_alerts]
    severity = AlertSeverity.CRITICAL if below else AlertSeverity.WARNING
    to_do = tuple(_ready(program, day, seat) for seat in ranked[:MOST_SEATS] if seat.covers)
    shown = counted if seats else f"{len(open_alerts)} alert{'' if len(open_alerts) == 1 else 's'} open"
    subject = one_line(f"[brief] {program}, {day}: {unknown or ('open seats not known' if seats is None else shown)}")
    return NoticeText(subject, severity, headline, tuple(points), (), to_do)


def _ready(program: str, day: str, seat: OpenSeat) -> str:
    """One line to be copied into a message to the first who may cover."""
    first = seat.covers[0].split(" ")[0]
    return one_line(f'Ready to send to {first}: "Can you take {seat.role} on {seat.service}, {day} {seat.slot} ({program})? Please answer as soon as you can."')
