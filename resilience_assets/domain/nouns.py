"""People, services, posts: the small nouns of a program, one frozen record each.

Belongs here: records that a reader can hold in one hand. Does not belong here: arrays over people
and slots (roster.py), how a program divides its day (program.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from resilience_assets.domain.days import OPEN_END, OPEN_START


class Tier(IntEnum):
    """The sacrifice hierarchy: 7 is paused first, 1 never."""

    PATIENT_SAFETY = 1
    ACGME_REQUIREMENTS = 2
    CONTINUITY_OF_CARE = 3
    CORE_EDUCATION = 4
    RESEARCH = 5
    ADMINISTRATION = 6
    OPTIONAL_EDUCATION = 7

    @property
    def text(self) -> str:
        """'continuity of care', for people."""
        return self.name.replace("_", " ").lower().replace("acgme", "ACGME")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can work. `id` is readable and names nobody (`ATT-03`); names stay in storage.

    `fte` is the full-time share, above 0 and at most 1; `team` and `home_region` are optional
    groupings for losses with a common cause; `starts` and `ends` are the first and last epoch day
    on which the person belongs to the program.
    """

    id: str
    role: str
    fte: float = 1.0
    team: str = ""
    home_region: str = ""
    starts: int = OPEN_START
    ends: int = OPEN_END

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a person needs an id")
        if not 0 < self.fte <= 1:
            raise ValueError(f"person {self.id}: full-time share {self.fte} is not above 0 and at most 1")
        if self.ends < self.starts:
            raise ValueError(f"person {self.id}: ends before starting")


@dataclass(frozen=True, slots=True)
class Service:
    """What must be covered (ICU, clinic, didactics); `tier` says what is paused first."""

    id: str
    name: str
    tier: Tier


@dataclass(frozen=True, slots=True)
class Post:
    """A line of demand: one service for one role; what a person is seated at.

    `service` is the index of the service in `Roster.services`.
    """

    id: str
    service: int
    role: str
