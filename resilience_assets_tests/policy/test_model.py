"""The records of the policy: figures read off scales, and conditions that refuse nonsense."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resilience_assets.domain.nouns import Tier
from resilience_assets.domain.scales import DefenseLevel, LoadShedding, Redundancy, UtilizationLevel
from resilience_assets.policy import Policy, load_policies
from resilience_assets.policy.model import (
    DefensePolicy,
    LoadSheddingPolicy,
    RedundancyPolicy,
    RetentionPolicy,
    UtilizationPolicy,
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policies().default


@pytest.mark.parametrize(
    ("rate", "level"),
    [(0.0, "GREEN"), (0.69, "GREEN"), (0.70, "YELLOW"), (0.79, "YELLOW"), (0.80, "ORANGE"), (0.90, "RED"),
     (0.9499, "RED"), (0.95, "BLACK"), (3.0, "BLACK"), (float("inf"), "BLACK")],
)  # fmt: skip
def test_utilization_levels_begin_at_their_limit(policy: Policy, rate: float, level: str) -> None:
    assert policy.utilization.level(rate).text == level
    assert policy.utilization.levels(np.array([rate]))[0] == UtilizationLevel[level]


def test_a_ratio_of_whole_slots_on_a_limit_is_on_the_far_side(policy: Policy) -> None:
    for limit, level in zip((7, 8, 9), ("YELLOW", "ORANGE", "RED"), strict=True):
        for available in range(10, 5001, 10):
            assert policy.utilization.level(limit * available / 10 / available).text == level


def test_an_unknown_rate_has_an_unknown_level(policy: Policy) -> None:
    assert policy.utilization.level(None) == UtilizationLevel.UNKNOWN
    assert policy.utilization.levels(np.array([np.nan, 0.1])).tolist() == [
        UtilizationLevel.UNKNOWN,
        UtilizationLevel.GREEN,
    ]


@given(st.lists(st.floats(0, 2), min_size=1, max_size=20))
def test_one_rate_and_many_agree(rates: list[float]) -> None:
    limits = load_policies().default.utilization
    assert limits.levels(np.array(rates)).tolist() == [int(limits.level(rate)) for rate in rates]


@pytest.mark.parametrize(("coverage", "step"), [(0.98, 1), (0.92, 2), (0.85, 3), (0.75, 4), (0.65, 5)])
def test_defense_levels_of_the_published_examples(policy: Policy, coverage: float, step: int) -> None:
    assert policy.defense.level(coverage) == step


@pytest.mark.parametrize(("limit", "step"), [(0.95, 1), (0.90, 2), (0.80, 3), (0.70, 4)])
def test_a_coverage_on_a_limit_still_holds_its_line(policy: Policy, limit: float, step: int) -> None:
    assert policy.defense.level(limit) == step
    assert policy.defense.level(np.nextafter(limit, 0)) == step + 1


def test_defense_never_improves_when_coverage_falls(policy: Policy) -> None:
    steps = [policy.defense.level(c / 1000) for c in range(1001)]
    assert steps == sorted(steps, reverse=True)
    assert policy.defense.level(None) == DefenseLevel.UNKNOWN


@pytest.mark.parametrize(
    ("available", "text"), [(6, "N+2"), (5, "N+2"), (4, "N+1"), (3, "N+0"), (2, "BELOW"), (0, "BELOW")]
)
def test_redundancy_against_a_minimum_of_three(policy: Policy, available: int, text: str) -> None:
    assert policy.redundancy.level(available - 3).text == text
    assert Redundancy.BELOW > Redundancy.N_PLUS_2


def test_what_each_level_pauses(policy: Policy) -> None:
    shed = policy.load_shedding
    assert [[int(tier) for tier in shed.paused(level)] for level in LoadShedding] == [
        [], [7], [7, 6, 5], [7, 6, 5, 4], [7, 6, 5, 4, 3], [7, 6, 5, 4, 3, 2],
    ]  # fmt: skip
    assert all(Tier.PATIENT_SAFETY not in shed.paused(level) for level in LoadShedding)
    assert len(Tier) - len(shed.paused(LoadShedding.YELLOW)) == 6


def test_the_shipped_horizon_and_inertia(policy: Policy) -> None:
    assert (policy.health.horizon_days, policy.health.readings_up, policy.health.readings_down) == (8, 2, 3)
    assert policy.health.immediate_below_coverage == 0.70
    assert (policy.roster.history_days, policy.roster.days_ahead) == (28, 90)
    assert (policy.retention.headlines_days, policy.retention.detail_days) == (400, 90)


def test_history_reaches_as_far_back_as_the_longest_window(policy: Policy) -> None:
    assert policy.roster.history_days >= max(getattr(rule, "window_days", 0) for rule in policy.duty.rules)


@pytest.mark.parametrize("limits", [(0.8, 0.8, 0.9, 0.95), (0.7, 0.8, 0.9, 0.9), (0.9, 0.8, 0.95, 0.99)])
def test_levels_must_increase(limits: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="must increase"):
        UtilizationPolicy(yellow=limits[0], orange=limits[1], red=limits[2], black=limits[3], source="")


def test_lines_of_defence_must_decrease() -> None:
    with pytest.raises(ValidationError, match="must decrease"):
        DefensePolicy(prevention=0.9, control=0.9, safety_systems=0.8, containment=0.7, source="")
    with pytest.raises(ValidationError, match="must be more than"):
        RedundancyPolicy(n_plus_2=1, n_plus_1=1, source="")


def test_patient_safety_is_never_paused() -> None:
    steps = {"yellow": [7], "orange": [7, 6], "red": [7, 6, 5], "black": [7, 6, 5, 4], "fits_up_to": 1, "source": ""}
    with pytest.raises(ValidationError, match="never paused"):
        LoadSheddingPolicy.model_validate({**steps, "critical": [7, 6, 5, 4, 1]})
    for red in ([5, 4], [7, 6]):
        with pytest.raises(ValidationError, match="everything that the step before"):
            LoadSheddingPolicy.model_validate({**steps, "red": red, "critical": [7, 6, 5, 4, 3]})


def test_headlines_are_kept_at_least_as_long_as_detail() -> None:
    kept = {"dagster_runs_days": 30, "detail_days": 90, "source": ""}
    assert RetentionPolicy.model_validate({**kept, "headlines_days": 90}).headlines_days == 90
    with pytest.raises(ValidationError, match="less than detail_days"):
        RetentionPolicy.model_validate({**kept, "headlines_days": 89})


def test_a_policy_cannot_be_changed(policy: Policy) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        policy.utilization.yellow = 0.5
