"""Phase risk: how near a tipping point, from indicators that each say something else.

Belongs here: the indicators, their points, the level. Does not belong here: measuring what they are read from
(utilization.py, contingency), their limits (policy).

Each indicator counts once: no point above no limit, one above the first, two above the second. Open seats are
those of today; a thin slot has none open and loses one with some one person; a pair counts only if neither of the two
is harmful alone; the first indicator of contingency is about the worst one person, the thin slots about all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from resilience_assets.analysis.contingency.labels import Labels
from resilience_assets.domain.scales import PhaseRisk
from resilience_assets.policy.model import Policy, RiskLimits


@dataclass(frozen=True, slots=True)
class RiskMeasures:
    """What the indicators are read from; None (or NaN) where it is not known.

    - `utilization`: of the program over the horizon.
    - `n1_share`: slots in which the worst one person's loss opens a seat / slots with a minimum.
    - `n2_share`: pairs whose loss opens a seat / pairs, of people of whom none alone opens one.
    - `thin_share`: slots without an open seat in which some one loss opens one / slots with a minimum.
    - `open_share`: seats open now / seats of the minimum.
    - `changes_per_person`: changes of the roster in the last seven days / people; need not be given.
    """

    utilization: float | None
    n1_share: float | None
    n2_share: float | None
    thin_share: float | None
    open_share: float | None
    changes_per_person: float | None = None


NEED_NOT_BE_GIVEN = ("changes_per_person",)
WORDS = {
    "utilization": "utilization",
    "n1_share": "slots that the loss of one person breaks",
    "n2_share": "harmful pairs",
    "thin_share": "thin slots",
    "open_share": "open seats",
    "changes_per_person": "changes a person in seven days",
}
"""Indicators as shown to people."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its value, its two limits, and its points (0, 1 or 2)."""

    name: str
    value: float
    raised: float
    severe: float
    points: int

    @property
    def text(self) -> str:
        """As shown to people."""
        limit = self.severe if self.points > 1 else self.raised
        return f"{WORDS[self.name]} {self.value:.2g} (limit {limit:g})"


@dataclass(frozen=True, slots=True)
class PhaseRiskReading:
    """The level with all indicators that are known, and the names of those that are needed and `missing`."""

    level: PhaseRisk
    indicators: tuple[Indicator, ...]
    missing: tuple[str, ...]

    @property
    def points(self) -> int:
        """Points of all known indicators."""
        return sum(one.points for one in self.indicators)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The indicators with points, the most severe first."""
        return tuple(one.text for one in sorted(self.indicators, key=lambda one: -one.points) if one.points)


def risk_measures(
    found: Labels, harmful_pairs: int, losses: npt.NDArray[np.int64], minimum: npt.NDArray[np.int16],
    utilization: float | None, changes: int | None = None,
) -> RiskMeasures:  # fmt: skip
    """Measures of a window: labels against the minimum [Q, T], pairs whose loss opens a seat, `losses` (k*) [T].

    `changes` counts what was changed in the roster in the last seven days. Without any minimum in the
    window there is nothing to measure but utilization and changes.
    """
    people = found.slots_lost.size
    per_person = None if changes is None or not people else changes / people
    slots = int((minimum > 0).any(axis=0).sum())
    if not slots:
        return RiskMeasures(utilization, None, None, None, None, per_person)
    harmless = int((found.slots_lost == 0).sum())
    candidates = math.comb(harmless, 2)
    hidden = harmful_pairs - (math.comb(people, 2) - candidates)
    return RiskMeasures(
        utilization=utilization,
        n1_share=int(found.slots_lost.max(initial=0)) / slots,
        n2_share=hidden / candidates if candidates else 0.0,
        thin_share=int((losses == 1).sum()) / slots,
        open_share=int(found.deficit.sum()) / int(minimum.sum()),
        changes_per_person=per_person,
    )


def phase_risk(measures: RiskMeasures, policy: Policy) -> PhaseRiskReading:
    """The level of these measures. A missing one leaves it unknown, unless the others are critical without it."""
    indicators: list[Indicator] = []
    missing: list[str] = []
    for field in fields(measures):
        value = getattr(measures, field.name)
        if value is None or math.isnan(value):
            missing += [] if field.name in NEED_NOT_BE_GIVEN else [field.name]
            continue
        limits, points = _judge(field.name, value, policy)
        indicators.append(Indicator(field.name, value, limits.raised, limits.severe, points))
    total = sum(one.points for one in indicators)
    level = _level(total, policy)
    if missing and level != PhaseRisk.CRITICAL:
        level = PhaseRisk.UNKNOWN
    return PhaseRiskReading(level, tuple(indicators), tuple(missing))


def _judge(name: str, value: float, policy: Policy) -> tuple[RiskLimits, int]:
    if name == "utilization":
        # a rate on a limit is on its far side, as everywhere
        limits = RiskLimits(raised=policy.utilization.orange, severe=policy.utilization.red)
        return limits, int(value >= limits.raised) + int(value >= limits.severe)
    limits = getattr(policy.phase_risk, name)
    return limits, limits.points(value)


def _level(points: int, policy: Policy) -> PhaseRisk:
    steps = (policy.phase_risk.medium, policy.phase_risk.high, policy.phase_risk.critical)
    return PhaseRisk(sum(points >= step for step in steps))
