"""The text of a notice: what, where, since when, how bad, who may cover, and the one thing to do.

Belongs here: the words for one incident or several of a group, for a reader's morning digest. Does not belong
here: whether anything is told (telling.py), the wording of a rule (policy), HTML (html.py). No names: people go
by readable id, and `with_names` puts names beside them for a reader who may see them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from resilience_assets.alerting.incidents import Reading
from resilience_assets.alerting.plain import one_line
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import AlertRule

MOST_LINES = 20
"""Incidents that a notice spells out; of the others it gives the number."""

SHARES = ("utilization", "coverage", "coverage_minimum")
"""Measures whose figure is worth saying when it is good again."""

LEADS = ("raised", "opened", "flapping", "escalated", "still open", "reminder", "calm", "superseded", "closed")
"""What happened, the most telling first."""

_OPENERS = {
    "reminder": "still open: ", "escalated": "nobody has acknowledged: ", "still open": "still open: ",
    "flapping": "comes and goes: ", "calm": "steady again, still open: ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """One incident as a notice tells it. `kind` is the newest thing that happened; `summary` one sentence;
    `measured` how it stands now that it is over; `place` where most is open; `to_do` what to do first."""

    incident_id: int
    kind: str
    program: str
    key: str
    family: str
    severity: AlertSeverity
    summary: str
    opened_at: dt.datetime
    as_of: dt.datetime
    closed_at: dt.datetime | None = None
    measured: str = ""
    place: str = ""
    to_do: str = ""
    acknowledged: bool = False

    @property
    def over(self) -> bool:
        """Whether the incident is closed."""
        return self.closed_at is not None

    @property
    def where(self) -> str:
        """'family-medicine, icu', the program alone, or the key of what belongs to the deployment."""
        return ", ".join(part for part in (self.program, self.key) if part) or "this deployment"


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A notice ready to be laid out: `headline` first, then points, who may cover, what to do."""

    subject: str
    severity: AlertSeverity
    headline: str
    points: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()
    to_do: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """Plain text."""
        lines = [self.headline, *self.points]
        if self.covers:
            lines += ["Who may cover:", *(f"  {line}" for line in self.covers)]
        return "\n".join([*lines, *self.to_do])


def local_time(instant: dt.datetime, time_zone: str) -> str:
    """'Tue 2026-03-10 06:45 EDT'."""
    return instant.astimezone(ZoneInfo(time_zone)).strftime("%a %Y-%m-%d %H:%M %Z")


def figure(value: float, limit: float) -> float:
    """A value to two places, or to as many as show on which side of its limit it is."""
    rounded = (round(value, places) for places in (2, 3, 4))
    return next((short for short in rounded if short != limit or short == value), value)


def summary_of(rule: AlertRule, reading: Reading, value: float) -> str:
    """The rule's message about a reading, in one line."""
    return one_line(_filled(rule.message, rule, reading, value).rstrip("."))


def to_do_of(rule: AlertRule, reading: Reading, value: float) -> str:
    """The one thing to do about it."""
    advice = rule.to_do or "resilience status --program {program}, then fill what is open first"
    return one_line(_filled(advice, rule, reading, value))


def measured_of(rule: AlertRule, value: float) -> str:
    """'coverage is 0.98' for a share; '' for what is merely gone."""
    return f"{rule.measure.replace('_', ' ')} is {figure(value, rule.clear):g}" if rule.measure in SHARES else ""


def _filled(text: str, rule: AlertRule, reading: Reading, value: float) -> str:
    return text.format(
        program=reading.program, key=reading.key, value=f"{figure(value, rule.trigger):g}", trigger=f"{rule.trigger:g}",
        clear=f"{rule.clear:g}", open_seats=reading.open_seats, reason=reading.reasons.get(rule.measure, ""),
    )  # fmt: skip


def notice_text(stories: Sequence[Story], time_zone: str, covers: Sequence[str] = ()) -> NoticeText:
    """The notice of one incident, or of several of one program and rule that changed together."""
    ranked = sorted(stories, key=lambda one: (one.over, LEADS.index(one.kind), -one.severity, one.key))
    lead, others = ranked[0], ranked[1:]
    severity = max(story.severity for story in stories)
    more = f" (and {len(others)} more)" if others else ""
    headline = _headline(lead)
    points = [] if lead.over else [*_since(lead, time_zone), *([lead.place] if lead.place else [])]
    points += [f"{_headline(story)}{'' if story.over else '; open since ' + local_time(story.opened_at, time_zone)}" for story in others[:MOST_LINES]]
    points += [f"{len(others) - MOST_LINES} more: resilience inbox"] if len(others) > MOST_LINES else []
    if lead.over:
        assert lead.closed_at is not None
        span = f"over as of {local_time(lead.closed_at, time_zone)}, open since {local_time(lead.opened_at, time_zone)}"
        return NoticeText(
            one_line(f"[over] {_measured(lead)}{more}"), severity, one_line(f"{_measured(lead)}; the alert is {span}."),
            _clean(points), (), ("Nothing to do.",),
        )  # fmt: skip
    open_ids = [str(story.incident_id) for story in ranked if not story.over and not story.acknowledged]
    to_do = [f"To do: {lead.to_do}."] if lead.to_do else []
    to_do += [f"In hand? resilience ack {' '.join(open_ids)}"] if open_ids and severity > AlertSeverity.INFO else []
    subject = one_line(f"[{severity.text}] {_OPENERS.get(lead.kind, '')}{lead.summary}{more}")
    return NoticeText(subject, severity, headline, _clean(points), _clean(covers), _clean(to_do))


def _clean(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(one_line(line, 1000) for line in lines)


def _headline(story: Story) -> str:
    if story.over:
        return one_line(f"{_measured(story)}: over")
    return one_line(f"{_OPENERS.get(story.kind, '')}{story.summary}")


def _measured(story: Story) -> str:
    """How it stands, for an incident that is over."""
    if story.kind == "superseded":
        return f"{story.where}: no longer watched (the rule is off, or what it spoke of is gone): {story.summary}"
    return f"{story.where}: {story.measured}" if story.measured else story.summary


def _since(story: Story, time_zone: str) -> list[str]:
    lines = [f"As of {local_time(story.as_of, time_zone)}."]
    if story.opened_at < story.as_of or story.kind not in ("opened", "raised"):
        lines.append(f"Open since {local_time(story.opened_at, time_zone)}; now {story.severity.text}.")
    if story.kind == "flapping":
        lines.append("It opened and closed several times; single changes are not told until it is steady.")
    return lines


def digest_text(stories: Sequence[Story], time_zone: str) -> NoticeText:
    """What happened while a reader was not to be disturbed, in one message; what is still open first."""
    ranked = sorted(stories, key=lambda one: (one.over, -one.severity, one.program, one.family, one.key))
    severity = max(story.severity for story in stories)
    still = [story for story in ranked if not story.over]
    counted = f"{len(stories)} alert{'s' if len(stories) != 1 else ''} while you were not to be disturbed"
    points = []
    for story in ranked[:MOST_LINES]:
        opened = local_time(story.opened_at, time_zone)
        if story.closed_at is not None:
            points.append(f"over: {_measured(story)}; {opened} to {local_time(story.closed_at, time_zone)}")
        else:
            points.append(f"open: {story.summary}; since {opened}; {story.severity.text}")
    points += [f"{len(ranked) - MOST_LINES} more: resilience inbox"] if len(ranked) > MOST_LINES else []
    ids = " ".join(str(story.incident_id) for story in still if not story.acknowledged)
    to_do = [f"To do: {still[0].to_do}.", f"In hand? resilience ack {ids}"] if still and still[0].to_do else ["Nothing to do."] if not still else []
    subject = one_line(f"[{severity.text if still else 'over'}] {counted}: {len(still)} still open")
    return NoticeText(subject, severity, f"{counted}, {len(still)} still open.", _clean(points), (), _clean(to_do))


def with_names(text: NoticeText, names: Mapping[str, str]) -> NoticeText:
    """The same with the name beside each readable id: 'ATT-03 (Dana Okafor)'. The subject stays as it is: it is a header."""
    if not names:
        return text
    ids = sorted(names, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, ids)) + r")(?![\w-])")

    def named(line: str) -> str:
        return pattern.sub(lambda match: f"{match[1]} ({one_line(names[match[1]], 120)})", line)

    return replace(
        text, headline=named(text.headline), points=tuple(map(named, text.points)), covers=tuple(map(named, text.covers)),
        to_do=tuple(text.to_do),
    )  # fmt: skip
