"""Duty rules as data: rolling-window caps, forbidden patterns, per-slot ratios.

Belongs here: what a rule says, whom it binds, since when, where it is written and with what force.
Does not belong here: judging a roster by them (analysis.duty_hours).
"""

from __future__ import annotations

import datetime as dt
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import Field, model_validator

from resilience_assets.domain.days import day_of
from resilience_assets.policy.frozen import Frozen

Measure = Literal["hours", "worked_days", "nights", "calls", "free_days"]
Pattern = Literal[
    "rest_between", "rest_after", "max_continuous", "consecutive_days", "consecutive_nights", "succession"
]


class Section(Frozen):
    """Where a rule is written in one edition of its source, and when that edition was in force."""

    number: str
    first: dt.date
    last: dt.date | None = None


class Rule(Frozen):
    """What every duty rule says of itself.

    `roles` and `except_roles` are shell patterns matched against a person's role without regard to
    case; the rule binds who matches one of the first and none of the second. `first` and `last` are
    the dates between which the rule is in force. An inactive rule is shown and not applied.
    """

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    source: str = Field(min_length=1)
    sections: tuple[Section, ...] = ()
    force: Literal["Core", "Detail", "local rule"]
    roles: tuple[str, ...] = ("*",)
    except_roles: tuple[str, ...] = ()
    first: dt.date
    last: dt.date | None = None
    active: bool = True

    def binds(self, role: str) -> bool:
        """True when the rule is for people of this role."""
        return matches(role, self.roles) and not matches(role, self.except_roles)

    def in_force(self, day: int) -> bool:
        """True when the rule is active and in force on an epoch day."""
        return self.active and day_of(self.first) <= day and (self.last is None or day <= day_of(self.last))

    def section_on(self, day: int) -> str:
        """The section number of the edition in force on an epoch day; '' when none is known."""
        for section in self.sections:
            if day_of(section.first) <= day and (section.last is None or day <= day_of(section.last)):
                return section.number
        return ""


class RollingWindow(Rule):
    """A cap (or a floor) on what falls into every window of `window_days` consecutive local dates.

    `limit` is per `per_days` dates: 80 hours per 7 days over a window of 28 means 320 hours in the
    window. Measures: `hours` worked; `worked_days`, dates with any work; `nights`, shifts under way
    at 03:00; `calls`, shifts of at least `call_hours`; `free_days`, continuous 24-hour periods
    without work. With `leave_excluded`, dates of absence shorten the window (to `per_days` at the
    least) before the limit is applied. `judged` false makes a limit of capacity only: it bounds how
    much can be asked for, and passing it is no breach.
    """

    kind: Literal["rolling_window"]
    measure: Measure
    bound: Literal["at_most", "at_least"] = "at_most"
    limit: float = Field(gt=0)
    per_days: int = Field(gt=0, le=366)
    window_days: int = Field(gt=0, le=366)
    call_hours: float = Field(default=24, gt=0, le=72)
    leave_excluded: bool = False
    judged: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> RollingWindow:
        if self.window_days < self.per_days:
            raise ValueError(f"window_days {self.window_days} is shorter than per_days {self.per_days}")
        if (self.measure == "free_days") != (self.bound == "at_least"):
            raise ValueError("bound at_least goes with measure free_days, and at_most with every other")
        if self.leave_excluded and self.measure == "free_days":
            raise ValueError("leave_excluded is not defined for free_days; leave it out")
        if not self.judged and self.measure != "hours":
            raise ValueError("judged: false (a limit of capacity only) is possible for measure hours")
        return self

    @property
    def window_limit(self) -> float:
        """The limit for a whole window, in the unit of the measure."""
        return self.limit * self.window_days / self.per_days


class ForbiddenPattern(Rule):
    """A sequence of work that must not occur.

    - `rest_between`: fewer than `hours` between two work periods.
    - `rest_after`: fewer than `hours` after a work period of at least `after_hours`.
    - `max_continuous`: a work period of more than `hours` + `transition_hours`.
    - `consecutive_days`, `consecutive_nights`: more than `days` dates or nights in a row.
    - `succession`: a pair of shifts that the program forbids on two dates in a row.
    """

    kind: Literal["forbidden_pattern"]
    pattern: Pattern
    hours: float | None = Field(default=None, gt=0, le=24 * 14)
    after_hours: float | None = Field(default=None, gt=0, le=24 * 14)
    transition_hours: float = Field(default=0, ge=0, le=24)
    days: int | None = Field(default=None, gt=0, le=366)

    @model_validator(mode="after")
    def _complete(self) -> ForbiddenPattern:
        needs = {
            "rest_between": ("hours",),
            "rest_after": ("hours", "after_hours"),
            "max_continuous": ("hours",),
            "consecutive_days": ("days",),
            "consecutive_nights": ("days",),
        }.get(self.pattern, ())
        for name in needs:
            if getattr(self, name) is None:
                raise ValueError(f"pattern {self.pattern} needs {name}")
        return self


class Supervised(Frozen):
    """How much of a supervisor one person of these roles takes: `share` 0.5 means one for two."""

    roles: tuple[str, ...] = Field(min_length=1)
    share: float = Field(gt=0, le=10)


class SlotRatio(Rule):
    """In every slot of every service with supervised people at work, enough supervisors are at work there.

    Needed are the shares of all supervised people at work, added up and rounded up to whole people.
    """

    kind: Literal["slot_ratio"]
    supervisors: tuple[str, ...] = Field(min_length=1)
    supervised: tuple[Supervised, ...] = Field(min_length=1)


DutyRule = Annotated[RollingWindow | ForbiddenPattern | SlotRatio, Field(discriminator="kind")]


class DutyPolicy(Frozen):
    """All duty rules of a program. A break of at most `break_hours` does not end a work period."""

    break_hours: float = Field(ge=0, le=6)
    rules: tuple[DutyRule, ...]

    @model_validator(mode="after")
    def _unique(self) -> DutyPolicy:
        ids = [rule.id for rule in self.rules]
        for one in ids:
            if ids.count(one) > 1:
                raise ValueError(f"rule {one} is given twice")
        return self


def matches(role: str, patterns: tuple[str, ...]) -> bool:
    """True when a role matches one of the shell patterns, without regard to case."""
    return any(fnmatchcase(role.casefold(), pattern.casefold()) for pattern in patterns)
