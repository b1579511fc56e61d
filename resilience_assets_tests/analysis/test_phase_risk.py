"""Phase risk: every indicator and every level can occur, nothing counts twice, missing is unknown."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import combinations
from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.analysis.phase_risk import RiskMeasures, phase_risk, risk_measures
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import PhaseRisk
from resilience_assets.policy import PolicyError, load_policies
from resilience_assets.policy.model import RiskLimits
from resilience_assets_tests.analysis.building import FIRST, build

POLICY = load_policies().default
CALM = RiskMeasures(0.5, 0.0, 0.0, 0.0, 0.0, 0.0)
RAISED = {"utilization": 0.80, "n1_share": 0.06, "n2_share": 0.02, "thin_share": 0.34, "open_share": 0.001,
          "changes_per_person": 0.6}  # fmt: skip
SEVERE = {"utilization": 0.90, "n1_share": 0.34, "n2_share": 0.11, "thin_share": 0.68, "open_share": 0.06,
          "changes_per_person": 1.1}  # fmt: skip


@pytest.mark.parametrize("name", RAISED)
def test_every_indicator_counts_once_and_twice_by_itself(name: str) -> None:
    one = phase_risk(replace(CALM, **{name: RAISED[name]}), POLICY)
    two = phase_risk(replace(CALM, **{name: SEVERE[name]}), POLICY)
    assert [(found.level.text, found.points) for found in (one, two)] == [("medium", 1), ("high", 2)]
    assert [sum(indicator.points > 0 for indicator in found.indicators) for found in (one, two)] == [1, 1]
    assert len(one.reasons) == 1


def test_every_level_occurs() -> None:
    names = list(RAISED)
    levels = [
        phase_risk(replace(CALM, **{name: RAISED[name] for name in names[:count]}), POLICY).level.text
        for count in range(5)
    ]
    assert levels == ["low", "medium", "high", "critical", "critical"]


def test_every_two_severe_indicators_and_every_three_raised_ones_are_critical() -> None:
    for some in combinations(RAISED, 3):
        assert phase_risk(replace(CALM, **{name: RAISED[name] for name in some}), POLICY).level == PhaseRisk.CRITICAL
    for some in combinations(SEVERE, 2):
        assert phase_risk(replace(CALM, **{name: SEVERE[name] for name in some}), POLICY).level == PhaseRisk.CRITICAL


def test_an_indicator_says_its_value_and_its_limit() -> None:
    found = phase_risk(replace(CALM, utilization=0.97, open_share=0.01), POLICY)
    assert found.reasons == ("utilization 0.97 (limit 0.9)", "open seats 0.01 (limit 0)")
    assert [(one.name, one.raised, one.severe) for one in found.indicators[:2]] == [
        ("utilization", POLICY.utilization.orange, POLICY.utilization.red), ("n1_share", 0.05, 0.33),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [field.name for field in fields(RiskMeasures)])
@pytest.mark.parametrize("value", [None, nan])
def test_what_is_missing_is_unknown_and_never_low(name: str, value: float | None) -> None:
    found = phase_risk(replace(CALM, **{name: value}), POLICY)
    if name == "changes_per_person":  # need not be given
        assert (found.level.text, found.missing) == ("low", ())
    else:
        assert (found.level.text, found.missing) == ("unknown", (name,))


def test_what_is_critical_without_a_missing_indicator_is_critical() -> None:
    found = phase_risk(replace(CALM, utilization=None, thin_share=0.7, open_share=0.2), POLICY)
    assert (found.level, found.missing) == (PhaseRisk.CRITICAL, ("utilization",))


def test_demand_that_meets_nobody_is_severe() -> None:
    assert phase_risk(replace(CALM, utilization=float("inf")), POLICY).points == 2


@given(st.data())
def test_a_worse_measure_never_lowers_the_level(data: st.DataObject) -> None:
    share = st.floats(0, 1)
    measures = RiskMeasures(*(data.draw(share) for _ in fields(RiskMeasures)))
    name = data.draw(st.sampled_from([field.name for field in fields(RiskMeasures)]))
    worse = replace(measures, **{name: getattr(measures, name) + data.draw(share)})
    assert phase_risk(worse, POLICY).level >= phase_risk(measures, POLICY).level


def measures_of(roster: Roster, utilization: float | None = 0.5, changes: int | None = None) -> RiskMeasures:
    """Measures of all dates of a roster."""
    found = contingency(roster, POLICY, FIRST, roster.last_day)
    return risk_measures(
        found.minimum[Moves.FULL], found.pairs.harmful, found.margin.losses, roster.minimum, utilization, changes
    )


def test_measures_of_a_roster_by_hand() -> None:
    # morning of each date: A alone may hold the ICU; B and C back each other up in the clinic; E fills no seat
    need = {(post, day, "AM"): 1 for post in ("icu", "clinic") for day in range(4)}
    need |= {("icu", 3, "AM"): 2}
    roster = build(
        {"A": "D D D D", "B": "D D D D", "C": "- - r r", "E": "- - - -"},
        posts={"icu": "ICU", "clinic": "CLINIC"}, minimum=need, required=need,
        qualified=[("A", "icu"), ("B", "clinic"), ("C", "clinic")],
    )  # fmt: skip
    found = measures_of(roster, changes=2)
    assert found.n1_share == 1.0  # A, in all four slots
    assert found.open_share == 1 / 9  # the second head of the ICU on the last date
    assert found.thin_share == 3 / 4  # the slot with an open seat is not counted again
    # B is harmful alone on the two dates on which C rests; of C and E no pair is
    assert found.n2_share == 0.0
    assert found.changes_per_person == 0.5


def test_a_pair_counts_only_if_neither_is_harmful_alone() -> None:
    need = {("ward", 0, "AM"): 1, ("icu", 0, "AM"): 1}
    roster = build(
        {"A": "D", "B": "-", "C": "D", "E": "-"}, posts={"icu": "ICU", "ward": "WARD"}, minimum=need, required=need,
        holds={"A": "ward", "C": "icu"}, qualified=[("A", "ward"), ("B", "ward"), ("C", "icu")],
    )  # fmt: skip
    found = measures_of(roster)
    # harmful pairs: A and B, and all three of C; the three without C: A B, A E, B E
    assert found.n2_share == 1 / 3
    assert found.n1_share == 1.0


def test_without_a_minimum_nothing_of_contingency_is_known() -> None:
    found = measures_of(build({"A": "D"}))
    assert (found.n1_share, found.n2_share, found.thin_share, found.open_share) == (None,) * 4
    assert phase_risk(found, POLICY).level == PhaseRisk.UNKNOWN


def test_an_empty_schedule_is_not_calm() -> None:
    need = {("ward", day, "AM"): 1 for day in range(5)}
    found = phase_risk(
        measures_of(build({"A": "a a a a a"}, minimum=need, required=need), utilization=float("inf")), POLICY
    )
    assert found.level == PhaseRisk.CRITICAL


def test_limits_that_do_not_increase_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"severe \(0\.1\) must be more than raised \(0\.2\)"):
        RiskLimits(raised=0.2, severe=0.1)
    with pytest.raises(PolicyError, match="medium / high / critical must increase, and are 1 / 2 / 2"):
        load_policies("phase_risk: {critical: 2}")


def test_limits_are_the_policys() -> None:
    policy = load_policies(
        "{phase_risk: {open_share: {raised: 0.5, severe: 0.6}}, utilization: {yellow: 0.3, orange: 0.4}}"
    )
    found = phase_risk(replace(CALM, open_share=0.4), policy.default)
    assert [(one.name, one.points) for one in found.indicators if one.points] == [("utilization", 1)]
    assert np.isclose(found.indicators[0].raised, 0.4)
