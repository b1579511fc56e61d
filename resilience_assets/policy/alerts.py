"""Alert rules as data: what is watched, when it fires, when it is over, how loudly, in which words.

Belongs here: one rule and its two limits. Does not belong here: incidents and their life (alerting),
measuring (analysis).
"""

from __future__ import annotations

import string
from typing import Literal

from pydantic import Field, field_validator, model_validator

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy.frozen import Frozen

PLACEHOLDERS = ("program", "key", "value", "trigger", "clear", "open_seats")
"""What the message of an alert rule may mention in braces."""


class AlertRule(Frozen):
    """A condition of one scope of a program.

    Rules of one `family` and `scope` speak of one incident: the gravest that fires gives its
    severity. `direction` above fires at `trigger` and more, and is over below `clear`; `direction`
    below fires under `trigger`, and is over at `clear` and more. `readings` is how many readings in
    a row it takes to fire.
    """

    id: str = Field(min_length=1)
    family: str = Field(min_length=1)
    measure: Literal["utilization", "coverage", "coverage_minimum"]
    scope: Literal["program", "service"]
    direction: Literal["above", "below"]
    trigger: float = Field(ge=0, le=10)
    clear: float = Field(ge=0, le=10)
    readings: int = Field(default=1, ge=1, le=20)
    severity: Literal["info", "warning", "critical", "emergency"]
    message: str = Field(min_length=1)
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

    @field_validator("message")
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
