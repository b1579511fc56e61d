"""Alert rules: which side of a limit fires, which is over, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resilience_assets.policy import AlertRule, load_policies

SHIPPED = {rule.id: rule for rule in load_policies().default.alert_rules}


def changed(rule: AlertRule, **changes: object) -> AlertRule:
    return AlertRule.model_validate({**rule.model_dump(), **changes})


@pytest.mark.parametrize(
    ("rule", "trigger", "clear", "severity"),
    [
        ("utilization_level.program.warning", 0.80, 0.77, "warning"),
        ("utilization_level.program.critical", 0.90, 0.87, "critical"),
        ("utilization_level.program.emergency", 0.95, 0.92, "emergency"),
        ("coverage.program.warning", 0.95, 0.97, "warning"),
        ("coverage.program.critical", 0.80, 0.83, "critical"),
        ("coverage.program.emergency", 0.70, 0.73, "emergency"),
        ("coverage.service.warning", 0.90, 0.95, "warning"),
    ],
)
def test_shipped_rules(rule: str, trigger: float, clear: float, severity: str) -> None:
    found = SHIPPED[rule]
    assert (found.trigger, found.clear, found.severity, found.readings_up) == (trigger, clear, severity, 2 if rule.startswith("util") else 1)
    assert found.level.text == severity


def test_above_fires_on_its_trigger_and_is_over_only_under_its_clear() -> None:
    rule = SHIPPED["utilization_level.program.warning"]
    assert rule.fires(0.80)
    assert not rule.fires(0.7999)
    assert not rule.is_over(0.77)
    assert rule.is_over(0.7699)
    assert rule.fires(float("inf"))


def test_below_fires_only_under_its_trigger_and_is_over_on_its_clear() -> None:
    rule = SHIPPED["coverage.program.warning"]
    assert not rule.fires(0.95)
    assert rule.fires(0.9499)
    assert not rule.is_over(0.9699)
    assert rule.is_over(0.97)


@given(st.floats(0, 2), st.sampled_from(sorted(SHIPPED)))
def test_nothing_fires_and_is_over_at_once(value: float, rule: str) -> None:
    assert not (SHIPPED[rule].fires(value) and SHIPPED[rule].is_over(value))


def test_a_clear_beyond_the_trigger_is_refused_and_one_on_it_is_not() -> None:
    above, below = SHIPPED["utilization_level.program.warning"], SHIPPED["coverage.program.warning"]
    with pytest.raises(ValidationError, match="beyond trigger"):
        changed(above, clear=0.81)
    with pytest.raises(ValidationError, match="beyond trigger"):
        changed(below, clear=0.94)
    assert changed(above, clear=0.80).clear == changed(above, clear=0.80).trigger
    assert changed(below, clear=0.95).clear == 0.95


@pytest.mark.parametrize("message", ["{who} is out", "{value", "}{"])
def test_a_message_that_cannot_be_filled_is_refused(message: str) -> None:
    with pytest.raises(ValidationError, match="message"):
        changed(SHIPPED["coverage.program.warning"], message=message)


def test_every_shipped_message_can_be_filled() -> None:
    for rule in SHIPPED.values():
        text = rule.message.format(program="P1", key="ICU", value="0.90", trigger="0.95", clear="0.97", open_seats=3, reason="old")
        assert "{" not in text


def test_graver_rules_of_a_family_fire_later() -> None:
    for family in ("utilization_level", "coverage"):
        rules = [rule for rule in SHIPPED.values() if rule.family == family and rule.scope == "program"]
        by_level = sorted(rules, key=lambda rule: rule.level)
        triggers = [rule.trigger for rule in by_level]
        assert triggers == sorted(triggers, reverse=rules[0].direction == "below")
