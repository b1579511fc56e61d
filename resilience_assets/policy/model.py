"""The policy of one program: every threshold, in frozen records that refuse nonsense.

Belongs here: the records, their conditions, and reading a figure off a scale. Does not belong here:
the numbers themselves (data/*.yaml), merging (load.py), computing a figure (analysis).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from resilience_assets.domain.nouns import Tier
from resilience_assets.domain.scales import DefenseLevel, LoadShedding, Redundancy, UtilizationLevel
from resilience_assets.policy.absence import AbsencePolicy
from resilience_assets.policy.alerts import AlertRule
from resilience_assets.policy.duty import DutyPolicy
from resilience_assets.policy.frozen import Frozen

FloatArray = npt.NDArray[np.float64]
StepArray = npt.NDArray[np.int8]


class UtilizationPolicy(Frozen):
    """Where each utilization level begins. `orange` is also the safe load."""

    yellow: float = Field(gt=0, le=1)
    orange: float = Field(gt=0, le=1)
    red: float = Field(gt=0, le=1)
    black: float = Field(gt=0, le=1)
    source: str

    @model_validator(mode="after")
    def _increasing(self) -> UtilizationPolicy:
        limits = (self.yellow, self.orange, self.red, self.black)
        if any(after <= before for before, after in pairwise(limits)):
            shown = " / ".join(f"{limit:g}" for limit in limits)
            raise ValueError(f"yellow / orange / red / black must increase, and are {shown}")
        return self

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """The four limits in ascending order."""
        return (self.yellow, self.orange, self.red, self.black)

    def levels(self, rates: FloatArray) -> StepArray:
        """Utilization levels of an array of rates; NaN is UNKNOWN. A rate on a limit is on its far side."""
        steps = np.searchsorted(np.array(self.limits), rates, side="right").astype(np.int8)
        steps[np.isnan(rates)] = UtilizationLevel.UNKNOWN
        return steps

    def level(self, rate: float | None) -> UtilizationLevel:
        """Utilization level of one rate; None is UNKNOWN."""
        if rate is None or np.isnan(rate):
            return UtilizationLevel.UNKNOWN
        return UtilizationLevel(int(np.searchsorted(np.array(self.limits), rate, side="right")))


class DefensePolicy(Frozen):
    """The least coverage at which each line of defence is enough; below the last it is an emergency."""

    prevention: float = Field(gt=0, le=1)
    control: float = Field(gt=0, le=1)
    safety_systems: float = Field(gt=0, le=1)
    containment: float = Field(gt=0, le=1)
    source: str

    @model_validator(mode="after")
    def _decreasing(self) -> DefensePolicy:
        limits = (self.prevention, self.control, self.safety_systems, self.containment)
        if any(after >= before for before, after in pairwise(limits)):
            shown = " / ".join(f"{limit:g}" for limit in limits)
            raise ValueError(f"prevention / control / safety_systems / containment must decrease, and are {shown}")
        return self

    def level(self, coverage: float | None) -> DefenseLevel:
        """Which line of defence must act at this coverage; None is UNKNOWN."""
        if coverage is None or np.isnan(coverage):
            return DefenseLevel.UNKNOWN
        for step in (
            DefenseLevel.PREVENTION,
            DefenseLevel.CONTROL,
            DefenseLevel.SAFETY_SYSTEMS,
            DefenseLevel.CONTAINMENT,
        ):
            if coverage >= getattr(self, step.name.lower()):
                return step
        return DefenseLevel.EMERGENCY


class RedundancyPolicy(Frozen):
    """How many heads beyond the minimum each step asks for."""

    n_plus_2: int = Field(ge=1)
    n_plus_1: int = Field(ge=1)
    source: str

    @model_validator(mode="after")
    def _decreasing(self) -> RedundancyPolicy:
        if self.n_plus_2 <= self.n_plus_1:
            raise ValueError(f"n_plus_2 ({self.n_plus_2}) must be more than n_plus_1 ({self.n_plus_1})")
        return self

    def level(self, spare: int) -> Redundancy:
        """The step of a number of heads beyond the minimum."""
        if spare >= self.n_plus_2:
            return Redundancy.N_PLUS_2
        if spare >= self.n_plus_1:
            return Redundancy.N_PLUS_1
        return Redundancy.N_PLUS_0 if spare >= 0 else Redundancy.BELOW


class HealthPolicy(Frozen):
    """How the health check looks ahead and how its status moves.

    The status rises after `readings_up` readings in a row that are worse than what is shown and
    falls after `readings_down` that are better; below `immediate_below_coverage` it rises at once.
    A buffer below `low_buffer` is worth an action. `sentences` is how many open cells are spelled out.
    Figures are late after `late_after_minutes` without a check, and not to be relied on after
    `failed_after_minutes`; the assets' freshness takes both from the shipped policy.
    """

    horizon_days: int = Field(ge=1, le=366)
    readings_up: int = Field(ge=1, le=20)
    readings_down: int = Field(ge=1, le=20)
    immediate_below_coverage: float = Field(ge=0, le=1)
    low_buffer: float = Field(ge=0, le=1)
    sentences: int = Field(ge=1, le=100)
    late_after_minutes: int = Field(ge=16)
    failed_after_minutes: int = Field(ge=16)
    source: str

    @model_validator(mode="after")
    def _late_before_failed(self) -> HealthPolicy:
        if self.failed_after_minutes <= self.late_after_minutes:
            raise ValueError(
                f"failed_after_minutes ({self.failed_after_minutes}) must be more than late_after_minutes ({self.late_after_minutes})"
            )
        return self


class LoadSheddingPolicy(Frozen):
    """Which tiers each level pauses, cumulative, and how full the rest may be: `fits_up_to` of what is available."""

    yellow: tuple[Tier, ...]
    orange: tuple[Tier, ...]
    red: tuple[Tier, ...]
    black: tuple[Tier, ...]
    critical: tuple[Tier, ...]
    fits_up_to: float = Field(gt=0, le=1)
    source: str

    @model_validator(mode="after")
    def _cumulative(self) -> LoadSheddingPolicy:
        before: set[Tier] = set()
        for step in list(LoadShedding)[1:]:
            tiers = set(self.paused(step))
            if Tier.PATIENT_SAFETY in tiers:
                raise ValueError(f"{step.name.lower()} pauses tier 1 (patient safety), which is never paused")
            if not before < tiers:
                raise ValueError(f"{step.name.lower()} must pause everything that the step before it pauses, and more")
            before = tiers
        return self

    def paused(self, step: LoadShedding) -> tuple[Tier, ...]:
        """Tiers paused at a level, the least protected first."""
        if step == LoadShedding.NORMAL:
            return ()
        tiers: tuple[Tier, ...] = getattr(self, step.name.lower())
        return tuple(sorted(tiers, reverse=True))


class RosterPolicy(Frozen):
    """What a roster must be like to be believed: how old its import may be, how far it must reach."""

    import_age_hours: float = Field(gt=0)
    history_days: int = Field(ge=0, le=366)
    days_ahead: int = Field(ge=1, le=366)
    examples: int = Field(ge=1, le=1000)
    source: str


class RetentionPolicy(Frozen):
    """How long results are kept, in days."""

    headlines_days: int = Field(ge=1)
    detail_days: int = Field(ge=1)
    dagster_runs_days: int = Field(ge=1)
    source: str

    @model_validator(mode="after")
    def _headlines_outlive_detail(self) -> RetentionPolicy:
        if self.headlines_days < self.detail_days:
            raise ValueError(f"headlines_days ({self.headlines_days}) is less than detail_days ({self.detail_days})")
        return self


class CascadePolicy(Frozen):
    """When people who take over from others fail in turn, and how little coverage is a catastrophe.

    A person fails above `overload` times what the person can sustain; below `catastrophic_below` of
    the work still done the outcome is catastrophic.
    """

    overload: float = Field(ge=1)
    catastrophic_below: float = Field(gt=0, le=1)
    source: str


class RiskLimits(Frozen):
    """Above `raised` an indicator counts one point, above `severe` two."""

    raised: float = Field(ge=0)
    severe: float = Field(ge=0)

    @model_validator(mode="after")
    def _increasing(self) -> RiskLimits:
        if self.severe <= self.raised:
            raise ValueError(f"severe ({self.severe:g}) must be more than raised ({self.raised:g})")
        return self

    def points(self, value: float) -> int:
        """0, 1 or 2 points of a value; a value on a limit is not above it."""
        return int(value > self.raised) + int(value > self.severe)


class PhaseRiskPolicy(Frozen):
    """Limits of the indicators of phase risk, and how many points make each level.

    Utilization has its limits in `utilization`: a point from orange (the safe load), two from red.
    """

    n1_share: RiskLimits
    n2_share: RiskLimits
    thin_share: RiskLimits
    open_share: RiskLimits
    changes_per_person: RiskLimits
    medium: int = Field(ge=1)
    high: int = Field(ge=1)
    critical: int = Field(ge=1)
    source: str

    @model_validator(mode="after")
    def _increasing_points(self) -> PhaseRiskPolicy:
        if not self.medium < self.high < self.critical:
            raise ValueError(
                f"medium / high / critical must increase, and are {self.medium} / {self.high} / {self.critical}"
            )
        return self


class Policy(Frozen):
    """Everything that is decided about one program."""

    utilization: UtilizationPolicy
    defense: DefensePolicy
    redundancy: RedundancyPolicy
    health: HealthPolicy
    load_shedding: LoadSheddingPolicy
    cascade: CascadePolicy
    phase_risk: PhaseRiskPolicy
    roster: RosterPolicy
    retention: RetentionPolicy
    duty: DutyPolicy
    absence: AbsencePolicy
    alert_rules: tuple[AlertRule, ...]

    @model_validator(mode="after")
    def _reports_reach_the_horizon(self) -> Policy:
        if self.roster.days_ahead < self.health.horizon_days:
            raise ValueError(
                f"roster.days_ahead ({self.roster.days_ahead}) is less than health.horizon_days ({self.health.horizon_days}): "
                "N-1 of the last dates would never be known"
            )
        return self

    @model_validator(mode="after")
    def _unique_alert_rules(self) -> Policy:
        ids = [rule.id for rule in self.alert_rules]
        for one in ids:
            if ids.count(one) > 1:
                raise ValueError(f"alert_rules: rule {one} is given twice")
        return self
