"""Who is told of what, on which channel, when not, and who is told next when nobody answers.

Belongs here: recipients, routes, quiet hours, escalation, repetition, the marks of flapping. Does not
belong here: the rules themselves (alerts.py), sending (delivery), secrets: a recipient names the
environment variable that holds one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy.frozen import Frozen

Severity = Literal["info", "warning", "critical", "emergency"]
Channel = Literal["email", "webhook", "slack", "teams", "pagerduty", "apprise"]

MORNING_BRIEF = "morning_brief"
"""What a route names among its rules when it is to carry the morning brief."""

_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone such as America/New_York") from error
    return name


def _time_text(value: object) -> object:
    # YAML 1.1 reads a bare 22:00 as the number 1320 (sixty to the base)
    return f"{value // 60:02d}:{value % 60:02d}" if isinstance(value, int) and 0 <= value < 24 * 60 else value


TimeOfDay = Annotated[str, BeforeValidator(_time_text), Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""'22:00'."""


class QuietHours(Frozen):
    """From one time of day to another, which may lie past midnight; equal times are refused."""

    begin: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _not_empty(self) -> QuietHours:
        if self.begin == self.end:
            raise ValueError(f"begin and end are both {self.begin}: leave quiet_hours out, or give a stretch")
        return self

    def quiet(self, instant: dt.datetime, time_zone: str) -> bool:
        """Whether an instant falls into these hours in a time zone (begin is quiet, end is not)."""
        now = instant.astimezone(ZoneInfo(time_zone)).strftime("%H:%M")
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


class Recipient(Frozen):
    """One reader on one channel. `address` is a mail address; `url_variable` names the environment variable of
    the URL of a webhook, Slack, Teams or Apprise, `secret_variable` that of the webhook's signing secret(s) or of
    PagerDuty's routing key."""

    id: str = Field(min_length=1, max_length=64, pattern=r"^[^\s,]+$")
    channel: Channel
    address: str = ""
    url_variable: str = ""
    secret_variable: str = ""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    quiet_hours: QuietHours | None = None
    include_names: bool = False
    active: bool = True

    @model_validator(mode="after")
    def _reachable(self) -> Recipient:
        if self.channel == "email":
            if not _ADDRESS.fullmatch(self.address):
                raise ValueError(f"recipient {self.id}: address {self.address!r} is not a mail address")
            if self.url_variable or self.secret_variable:
                raise ValueError(f"recipient {self.id}: email has no url_variable and no secret_variable")
            return self
        if self.address:
            source = "its routing key from secret_variable" if self.channel == "pagerduty" else "its URL from url_variable"
            raise ValueError(f"recipient {self.id}: {self.channel} takes {source}, not from address")
        if self.channel == "pagerduty":
            if self.url_variable:
                raise ValueError(f"recipient {self.id}: pagerduty has no url_variable: it goes to events.pagerduty.com")
            if self.quiet_hours is not None:
                raise ValueError(f"recipient {self.id}: pagerduty has no quiet_hours: its own schedules say who is woken")
        elif self.channel in ("teams", "apprise") and self.secret_variable:
            raise ValueError(f"recipient {self.id}: {self.channel} has no secret_variable: the URL is its secret")
        needed, other = (self.secret_variable, "") if self.channel == "pagerduty" else (self.url_variable, self.secret_variable)
        for name in (needed, other or "NONE"):
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"recipient {self.id}: {name!r} is not the name of an environment variable such as OPS_WEBHOOK_URL")
        if self.quiet_hours is not None and "time_zone" not in self.model_fields_set:
            raise ValueError(f"recipient {self.id}: quiet_hours need a time_zone")
        return self

    def is_quiet(self, instant: dt.datetime) -> bool:
        """Whether this reader is not to be disturbed by what is not critical."""
        return self.quiet_hours is not None and self.quiet_hours.quiet(instant, self.time_zone)

    def quiet_until(self, instant: dt.datetime) -> dt.datetime | None:
        """The minute in which the quiet hours that hold now are over; None where none hold."""
        if not self.is_quiet(instant):
            return None
        minute = instant.replace(second=0, microsecond=0)
        ahead = (minute + dt.timedelta(minutes=n) for n in range(1, 26 * 60))
        return next((at for at in ahead if not self.is_quiet(at)), None)


class Route(Frozen):
    """Who is told of which alerts: at least this severe, of these programs and rules (all where empty).

    `rules` name families or rule ids. `level` 1 is told at once, 2 and 3 when nobody has acknowledged.
    """

    id: str = Field(min_length=1)
    to: tuple[str, ...]
    severity: Severity = "warning"
    programs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    level: Literal[1, 2, 3] = 1
    active: bool = True

    def takes(self, program: str, family: str, rule: str, severity: AlertSeverity) -> bool:
        """Whether an alert goes this way; `program` is '' for one of the whole deployment."""
        return (
            self.active and severity >= AlertSeverity[self.severity.upper()]
            and (not self.programs or program in self.programs)
            and (not self.rules or family in self.rules or rule in self.rules)
        )  # fmt: skip


class Escalation(Frozen):
    """Minutes without acknowledgement until level 2 and 3 are told; `rounds` counts the first telling too."""

    level_2_after_minutes: int = Field(ge=1)
    level_3_after_minutes: int = Field(ge=1)
    rounds: int = Field(ge=1, le=100)
    source: str

    @model_validator(mode="after")
    def _rising(self) -> Escalation:
        if self.level_3_after_minutes <= self.level_2_after_minutes:
            raise ValueError(f"level 3 ({self.level_3_after_minutes} minutes) must come after level 2 ({self.level_2_after_minutes} minutes)")
        return self


class Repetition(Frozen):
    """Minutes between reminders of an open alert that nobody acknowledged; 0 for none."""

    info_minutes: int = Field(ge=0)
    warning_minutes: int = Field(ge=0)
    critical_minutes: int = Field(ge=0)
    emergency_minutes: int = Field(ge=0)
    source: str

    def minutes(self, severity: AlertSeverity) -> int:
        """Minutes between reminders at a severity."""
        return int(getattr(self, f"{severity.text}_minutes"))


class Flapping(Frozen):
    """An alert flaps when the share of changes within the last `readings` reaches `high`, until it is at most `low`."""

    readings: int = Field(ge=3, le=60)
    high: float = Field(gt=0, le=1)
    low: float = Field(ge=0, le=1)
    source: str

    @model_validator(mode="after")
    def _apart(self) -> Flapping:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        return self

    def score(self, recent: str) -> float:
        """Changes in '0110...' (one sign a reading, newest last), as a share of those possible in `readings`."""
        return sum(a != b for a, b in pairwise(recent)) / (self.readings - 1)


class Telling(Frozen):
    """Everything about who is told: one for the whole deployment (routes name their programs)."""

    recipients: tuple[Recipient, ...]
    routes: tuple[Route, ...]
    default_to: tuple[str, ...]
    brief_to: tuple[str, ...] = ()
    escalation: Escalation
    repetition: Repetition
    flapping: Flapping
    dead_letter_hours: int = Field(ge=1)

    @model_validator(mode="after")
    def _known_recipients(self) -> Telling:
        for what, ids in (("recipients", [one.id for one in self.recipients]), ("routes", [one.id for one in self.routes])):
            for one in ids:
                if ids.count(one) > 1:
                    raise ValueError(f"{what}: {one} is given twice")
        places = [(one.channel, one.address or one.url_variable or one.secret_variable) for one in self.recipients if one.active]
        for place in places:
            if places.count(place) > 1:
                raise ValueError(f"recipients: {' '.join(place)} is given twice; one reader is told once")
        known = {one.id for one in self.recipients}
        for name, readers in (("default_to", self.default_to), ("brief_to", self.brief_to), *((f"route {route.id}", route.to) for route in self.routes)):
            for one in readers:
                if one not in known:
                    raise ValueError(f"{name} goes to {one!r}, who is not among the recipients: {', '.join(sorted(known)) or 'none'}")
        spacing = [self.repetition.minutes(step) for step in AlertSeverity if self.repetition.minutes(step)]
        if any(minutes <= self.escalation.level_3_after_minutes for minutes in spacing):
            raise ValueError(f"repetition: {min(spacing)} minutes is not longer than until level 3 ({self.escalation.level_3_after_minutes})")
        return self

    def recipient(self, id: str) -> Recipient | None:
        """The recipient of this id, if there is an active one."""
        return next((one for one in self.recipients if one.id == id and one.active), None)

    def readers(self, program: str, family: str, rule: str, severity: AlertSeverity, level: int) -> list[Recipient]:
        """Who is told of an alert at a level, each once, in order of the routes.

        Where no route of any level speaks of the program and rule, `default_to` is level 1, from warning on.
        """
        chosen = [route for route in self.routes if route.takes(program, family, rule, AlertSeverity.EMERGENCY)]
        ids = [id for route in chosen if route.level == level and route.takes(program, family, rule, severity) for id in route.to]
        if not chosen and level == 1 and severity >= AlertSeverity.WARNING:
            ids = list(self.default_to)
        return self._active(ids)

    def brief_readers(self, program: str) -> list[Recipient]:
        """Who gets a program's morning brief, each once: whom routes name with the rule `morning_brief`, else
        `brief_to`, else whoever is told of the program's warnings. A pager is for alerts: it gets none."""
        return [one for one in self._brief_readers(program) if one.channel != "pagerduty"]

    def _brief_readers(self, program: str) -> list[Recipient]:
        named = [
            route for route in self.routes
            if MORNING_BRIEF in route.rules and route.takes(program, MORNING_BRIEF, MORNING_BRIEF, AlertSeverity.EMERGENCY)
        ]  # fmt: skip
        if named:
            return self._active([id for route in named for id in route.to])
        if self.brief_to:
            return self._active(self.brief_to)
        return self.readers(program, MORNING_BRIEF, MORNING_BRIEF, AlertSeverity.WARNING, 1)

    def _active(self, ids: Iterable[str]) -> list[Recipient]:
        found = [self.recipient(id) for id in dict.fromkeys(ids)]
        return [one for one in found if one is not None]
