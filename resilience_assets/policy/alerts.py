"""Alert rules as data: what is watched, when it fires, when it is over, how loudly, in which words.

Belongs here: one rule, its two limits, what it counts and what mutes it. Does not belong here: incidents
and their life (alerting), who is told (routes.py), measuring (analysis).
"""

from __future__ import annotations

import string
from typing import Literal

from pydantic import Field, field_validator, model_validator

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy.frozen import Frozen

PLACEHOLDERS = ("program", "key", "value", "trigger", "clear", "open_seats", "reason")
"""What the message of an alert rule may mention in braces."""

Source = Literal["health_check", "clock", "run"]
"""Whose readings a rule counts: rows of health_check, one reading an evaluation, or finished scheduled runs."""

MEASURES: dict[Source, frozenset[str]] = {
    "health_check": frozenset({
        "utilization", "coverage", "coverage_minimum", "defense_level", "open_tier_1_seats", "tier_1_below_minimum",
        "n1_failed", "n1_newly_failed", "phase_risk", "duty_breaches", "figures_unknown", "roster_refused", "import_age_hours",
    }),
    "clock": frozenset({"health_check_age_minutes", "dispatcher_age_minutes", "dead_letters"}),
    "run": frozenset({"run_failed", "run_missed"}),
}  # fmt: skip
"""What each source measures. A rule whose measure is missing from a reading neither fires nor clears by it."""


class AlertRule(Frozen):
    """A condition of one scope of a program, or of the deployment as a whole.

    Rules of one `family` and `scope` speak of one incident: the gravest that has fired gives its
    severity. `direction` above fires at `trigger` and more, and is over below `clear`; `direction`
    below fires under `trigger`, and is over at `clear` and more. It fires after `readings_up`
    readings in a row beyond the trigger and is over after `readings_down` in a row beyond the clear
    limit, of its `reads`. While an incident of a family in `muted_by` is open for the same program,
    what this rule opens is kept on record and not told. `to_do` overrides the advice of the notice.
    """

    id: str = Field(min_length=1)
    family: str = Field(min_length=1)
    reads: Source = "health_check"
    measure: str
    scope: Literal["program", "service", "deployment"]
    direction: Literal["above", "below"]
    trigger: float = Field(ge=0, le=1_000_000)
    clear: float = Field(ge=0, le=1_000_000)
    readings_up: int = Field(default=1, ge=1, le=20)
    readings_down: int = Field(default=1, ge=1, le=20)
    severity: Literal["info", "warning", "critical", "emergency"]
    message: str = Field(min_length=1)
    to_do: str = ""
    muted_by: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    active: bool = True

    @model_validator(mode="after")
    def _clear_on_the_good_side(self) -> AlertRule:
        beyond = self.clear > self.trigger if self.direction == "above" else self.clear < self.trigger
        if beyond:
            word = "at most" if self.direction == "above" else "at least"
            raise ValueError(
                f"clear {self.clear:g} is beyond trigger {self.trigger:g}; clear must be {word} the trigger"
            )
        return self

    @model_validator(mode="after")
    def _measured_by_its_source(self) -> AlertRule:
        if self.measure not in MEASURES[self.reads]:
            known = ", ".join(sorted(MEASURES[self.reads]))
            raise ValueError(f"measure {self.measure!r} is not one of {self.reads}: {known}")
        if (self.scope == "deployment") != (self.reads != "health_check"):
            raise ValueError(f"scope {self.scope} does not fit reads {self.reads}: health_check speaks of programs and services")
        if self.family in self.muted_by:
            raise ValueError(f"muted_by names its own family {self.family}")
        return self

    @field_validator("message", "to_do")
    @classmethod
    def _known_placeholders(cls, message: str) -> str:
        try:
            fields = [name for _, name, _, _ in string.Formatter().parse(message) if name is not None]
        except ValueError as error:
            raise ValueError(f"the message is not a format text: {error}") from error
        for name in fields:
            if name not in PLACEHOLDERS:
                raise ValueError(f"the message mentions {{{name}}}; known are {', '.join(PLACEHOLDERS)}")
        return message

    @property
    def level(self) -> AlertSeverity:
        """The severity as a step of its scale."""
        return AlertSeverity[self.severity.upper()]

    def fires(self, value: float) -> bool:
        """True when a reading is on the bad side of the trigger (above: the trigger itself fires)."""
        return value >= self.trigger if self.direction == "above" else value < self.trigger

    def is_over(self, value: float) -> bool:
        """True when a reading is on the good side of the clear limit (below: the limit itself is good)."""
        return value < self.clear if self.direction == "above" else value >= self.clear
