"""The scales that people read, each with one meaning and its steps in order of worry.

Belongs here: the steps and their words. Does not belong here: the limits between steps (policy).
"""

from __future__ import annotations

from enum import IntEnum


class _Step(IntEnum):
    @property
    def text(self) -> str:
        """The word shown to people and stored in tables."""
        return self.name.lower().replace("_", " ")


class Status(_Step):
    """How worried to be; leads every page and message. UNKNOWN is grey and never good."""

    HEALTHY = 0
    WARNING = 1
    DEGRADED = 2
    CRITICAL = 3
    EMERGENCY = 4
    UNKNOWN = 9


class UtilizationLevel(_Step):
    """How full; a bare colour word is only ever this. UNKNOWN where there is nothing to measure."""

    GREEN = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3
    BLACK = 4
    UNKNOWN = 9

    @property
    def text(self) -> str:
        """The word as shown, in capitals."""
        return self.name


class DefenseLevel(_Step):
    """Which line of defence must act; shown by name."""

    PREVENTION = 1
    CONTROL = 2
    SAFETY_SYSTEMS = 3
    CONTAINMENT = 4
    EMERGENCY = 5
    UNKNOWN = 9


class LoadShedding(_Step):
    """What is paused; shown as what is paused, never as a colour."""

    NORMAL = 0
    YELLOW = 1
    ORANGE = 2
    RED = 3
    BLACK = 4
    CRITICAL = 5

    @property
    def text(self) -> str:
        """The word as shown, in capitals."""
        return self.name


class Redundancy(_Step):
    """Qualified present people beyond the minimum of a service, at its worst slot."""

    N_PLUS_2 = 0
    N_PLUS_1 = 1
    N_PLUS_0 = 2
    BELOW = 3
    UNKNOWN = 9

    @property
    def text(self) -> str:
        """'N+2', 'N+1', 'N+0', 'BELOW' or 'UNKNOWN'."""
        return {"N_PLUS_2": "N+2", "N_PLUS_1": "N+1", "N_PLUS_0": "N+0"}.get(self.name, self.name)


class AlertSeverity(_Step):
    """How loudly it is told."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2
    EMERGENCY = 3


class PhaseRisk(IntEnum):
    """How near a tipping point. UNKNOWN where an indicator is missing that could decide."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3
    UNKNOWN = 9

    @property
    def text(self) -> str:
        """The word shown to people."""
        return self.name.lower()
