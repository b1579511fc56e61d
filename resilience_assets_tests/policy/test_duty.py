"""Duty rules as data: whom they bind, when, under which number; what is refused."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from resilience_assets.domain.days import day_of
from resilience_assets.policy import DutyPolicy, ForbiddenPattern, RollingWindow, SlotRatio, load_policies
from resilience_assets.policy.duty import Rule, matches

DUTY = load_policies().default.duty
RULES = {rule.id: rule for rule in DUTY.rules}


@pytest.mark.parametrize(
    ("rule", "number_2023", "number_2025", "force"),
    [
        ("acgme.weekly_hours", "VI.F.1", "6.20", "Core"),
        ("acgme.rest_between", "VI.F.2.a", "6.21", "Detail"),
        ("acgme.rest_after_call", "VI.F.2.b", "6.21.a", "Core"),
        ("acgme.one_day_in_seven", "VI.F.2.c", "6.21.b", "Core"),
        ("acgme.continuous_hours", "VI.F.3.a", "6.22", "Core"),
        ("acgme.call_frequency", "VI.F.7", "6.27", "Core"),
    ],
)
def test_sections_follow_the_edition_in_force(rule: str, number_2023: str, number_2025: str, force: str) -> None:
    found = RULES[rule]
    assert found.section_on(day_of(dt.date(2025, 6, 30))) == number_2023
    assert found.section_on(day_of(dt.date(2025, 7, 1))) == number_2025
    assert found.section_on(day_of(dt.date(2016, 1, 1))) == ""
    assert found.force == force


def test_figures_of_the_acgme_set() -> None:
    hours, free, calls = (RULES[f"acgme.{name}"] for name in ("weekly_hours", "one_day_in_seven", "call_frequency"))
    assert isinstance(hours, RollingWindow)
    assert hours.window_limit == 320
    assert isinstance(free, RollingWindow)
    assert (free.window_limit, free.bound) == (4, "at_least")
    assert isinstance(calls, RollingWindow)
    assert calls.window_limit == pytest.approx(28 / 3)
    rest, after, most = (RULES[f"acgme.{name}"] for name in ("rest_between", "rest_after_call", "continuous_hours"))
    assert isinstance(rest, ForbiddenPattern)
    assert rest.hours == 8
    assert isinstance(after, ForbiddenPattern)
    assert (after.after_hours, after.hours) == (24, 14)
    assert isinstance(most, ForbiddenPattern)
    assert (most.hours, most.transition_hours) == (24, 4)


def test_what_the_common_requirements_do_not_say_is_local_and_supervision_is_off() -> None:
    for rule in RULES.values():
        assert (rule.force == "local rule") == (not rule.id.startswith("acgme."))
    assert isinstance(RULES["local.supervision"], SlotRatio)
    assert not RULES["local.supervision"].active
    assert not RULES["local.night_float_length"].active


@pytest.mark.parametrize("role", ["PGY1", "pgy-2", "PGY2-05", "R3", "Resident", "intern", "Chief resident"])
def test_residents_are_bound_and_counted_once(role: str) -> None:
    assert RULES["acgme.weekly_hours"].binds(role)
    assert [rule.id for rule in DUTY.rules if rule.id.startswith("capacity.") and rule.binds(role)] == [
        "capacity.residents"
    ]


@pytest.mark.parametrize(
    ("role", "cap"),
    [
        ("faculty", "capacity.others"),
        ("RN", "capacity.nurses"),
        ("HeadNurse", "capacity.nurses"),
        ("", "capacity.others"),
    ],
)
def test_others_have_one_capacity_and_no_acgme_rule(role: str, cap: str) -> None:
    assert [rule.id for rule in DUTY.rules if rule.id.startswith("capacity.") and rule.binds(role)] == [cap]
    assert not RULES["acgme.weekly_hours"].binds(role)


def test_a_rule_is_in_force_from_its_first_to_its_last_date() -> None:
    rule = RULES["acgme.weekly_hours"].model_copy(update={"last": dt.date(2026, 1, 31)})
    first, last = day_of(dt.date(2017, 7, 1)), day_of(dt.date(2026, 1, 31))
    assert [rule.in_force(day) for day in (first - 1, first, last, last + 1)] == [False, True, True, False]
    assert not rule.model_copy(update={"active": False}).in_force(first)


def test_matching_takes_no_account_of_case() -> None:
    assert matches("Faculty (adjunct)", ("faculty*",))
    assert not matches("R9", ("R[1-8]",))
    assert not matches("anything", ())


BASE = {"id": "x", "text": "t", "source": "s", "force": "local rule", "first": "2020-01-01"}
WINDOW = {**BASE, "kind": "rolling_window", "measure": "hours", "limit": 80, "per_days": 7, "window_days": 28}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window_days": 6}, "shorter than per_days"),
        ({"bound": "at_least"}, "goes with measure free_days"),
        ({"measure": "free_days"}, "goes with measure free_days"),
        ({"measure": "free_days", "bound": "at_least", "leave_excluded": True}, "not defined for free_days"),
        ({"measure": "calls", "judged": False}, "limit of capacity only"),
        ({"limit": 0}, "greater than 0"),
        ({"force": "Coarse"}, "Core"),
    ],
)
def test_a_window_that_says_nothing_clear_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        RollingWindow.model_validate({**WINDOW, **changes})


@pytest.mark.parametrize(
    ("pattern", "missing"),
    [("rest_between", "hours"), ("rest_after", "hours"), ("max_continuous", "hours"), ("consecutive_days", "days"),
     ("consecutive_nights", "days")],
)  # fmt: skip
def test_a_pattern_needs_its_numbers(pattern: str, missing: str) -> None:
    with pytest.raises(ValidationError, match=f"needs {missing}"):
        ForbiddenPattern.model_validate({**BASE, "kind": "forbidden_pattern", "pattern": pattern})


def test_rules_have_different_ids() -> None:
    rule = RollingWindow.model_validate(WINDOW)
    with pytest.raises(ValidationError, match="given twice"):
        DutyPolicy(break_hours=2, rules=(rule, rule))


def test_every_rule_says_where_it_comes_from() -> None:
    for rule in DUTY.rules:
        assert isinstance(rule, Rule)
        assert rule.text
        assert rule.source
