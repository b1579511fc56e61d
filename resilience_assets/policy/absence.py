"""How often people are away unannounced: rates by role as data, until a program's own record says otherwise.

Belongs here: what a rate says, whom it is for, where it is from; which kinds of absence are unplanned. Does
not belong here: counting absences of a roster and blending (analysis.contingency.probability).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from pydantic import Field, model_validator

from resilience_assets.policy.documents import read_document
from resilience_assets.policy.duty import matches
from resilience_assets.policy.frozen import Frozen

DATA = "absence_rates.yaml"


class AbsenceRate(Frozen):
    """The share of dates on which a person of these roles is away unannounced.

    `roles` and `except_roles` are shell patterns matched against a person's role without regard to case.
    """

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    source: str = Field(min_length=1)
    roles: tuple[str, ...] = Field(min_length=1)
    except_roles: tuple[str, ...] = ()
    rate: float = Field(gt=0, lt=1)

    def binds(self, role: str) -> bool:
        """True when the rate is for people of this role."""
        return matches(role, self.roles) and not matches(role, self.except_roles)


class AbsencePolicy(Frozen):
    """Rates before any record is looked at, and how much a record counts beside them.

    Of several rates for a role the last counts; the first is for everybody. A rate is worth as much as `prior_days`
    dates of a person's own record (`prior_source` says why so many). Absences of the `unplanned` kinds (shell
    patterns) are counted; all others were known beforehand.
    """

    prior_days: float = Field(gt=0, le=3660)
    prior_source: str = Field(min_length=1)
    unplanned: tuple[str, ...] = Field(min_length=1)
    rates: tuple[AbsenceRate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _everybody_has_a_rate(self) -> AbsencePolicy:
        if "*" not in self.rates[0].roles or self.rates[0].except_roles:
            raise ValueError(f"rate {self.rates[0].id} is the first and must be for everybody: roles ['*']")
        ids = [rate.id for rate in self.rates]
        for one in ids:
            if ids.count(one) > 1:
                raise ValueError(f"rate {one} is given twice")
        return self

    def rate_for(self, role: str) -> AbsenceRate:
        """The rate of people of a role."""
        return next(rate for rate in reversed(self.rates) if rate.binds(role))

    def is_unplanned(self, kind: str) -> bool:
        """True when an absence of this kind comes unannounced."""
        return matches(kind, self.unplanned)


@lru_cache(maxsize=1)
def shipped_absence() -> AbsencePolicy:
    """The absence policy that is shipped in this package."""
    text = resources.files("resilience_assets.policy").joinpath("data").joinpath(DATA).read_text(encoding="utf-8")
    return AbsencePolicy.model_validate(read_document(text, DATA)["absence"])
