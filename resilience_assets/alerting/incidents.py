"""The incident state machine: readings in, transitions out.

Belongs here: which rule fires for which scope after which reading. Does not belong here: where
readings come from (actions.evaluate_alerts), how an incident is told (notice.py).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import AlertRule

Scope = tuple[str, int, str]
"""(rule id or family, program's database id, scope key: service id or '')."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement of one scope: `values` by measure, None where it could not be measured.

    `reading_id` rises with time within a source; `open_seats` and `where` only serve the text.
    """

    reading_id: int
    program_id: int
    program: str
    scope: Literal["program", "service"]
    key: str
    as_of: dt.datetime
    values: Mapping[str, float | None]
    open_seats: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How far a rule has counted for a scope: readings beyond its trigger in a row, and whether it fires."""

    over: int = 0
    firing: bool = False


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is open: its scope is (family, program id, key)."""

    scope: Scope
    severity: AlertSeverity


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of one incident: opened, raised (graver), eased (less grave) or closed, with the rule and reading behind it."""

    kind: Literal["opened", "raised", "eased", "closed"]
    scope: Scope
    severity: AlertSeverity
    rule: AlertRule
    reading: Reading
    value: float


def count(rule: AlertRule, before: RuleCount, value: float) -> RuleCount:
    """A rule's count after one reading.

    It fires after `rule.readings` readings in a row beyond the trigger, and then goes on firing
    until a reading is on the good side of the clear limit: between the two limits nothing changes.
    """
    if rule.fires(value):
        over = min(before.over + 1, rule.readings)
        return RuleCount(over, before.firing or over >= rule.readings)
    return RuleCount(0, before.firing and not rule.is_over(value))


def evaluate(
    readings: Iterable[Reading], rules: Mapping[int, tuple[AlertRule, ...]],
    counts: Mapping[Scope, RuleCount], incidents: Iterable[OpenIncident],
) -> tuple[list[Transition], dict[Scope, RuleCount]]:  # fmt: skip
    """Take readings in order; returns the transitions, and the counts that changed.

    `rules` are by program id. Rules of one family speak of one incident a scope, as grave as the
    gravest that fires. A value that is missing changes nothing: absence of data never resolves.
    """
    now = dict(counts)
    severity_of = {incident.scope: incident.severity for incident in incidents}
    transitions: list[Transition] = []
    for reading in readings:
        for family, members in _families(rules.get(reading.program_id, ()), reading.scope).items():
            changed = _count_family(members, reading, now)
            if changed is None:
                continue
            transition = _transition(family, reading, changed, severity_of)
            if transition is not None:
                transitions.append(transition)
    return transitions, {scope: state for scope, state in now.items() if counts.get(scope, RuleCount()) != state}


def _families(rules: tuple[AlertRule, ...], scope: str) -> dict[str, list[AlertRule]]:
    out: dict[str, list[AlertRule]] = defaultdict(list)
    for rule in rules:
        if rule.active and rule.scope == scope:
            out[rule.family].append(rule)
    return out


_Member = tuple[AlertRule, float | None, bool]
"""A rule of a family after a reading: its value (None if that was not measured) and whether it fires."""


def _count_family(members: list[AlertRule], reading: Reading, now: dict[Scope, RuleCount]) -> list[_Member] | None:
    """Each member after the reading; one that was not measured goes on as it was. None when nothing was measured."""
    out: list[_Member] = []
    for rule in members:
        value = reading.values.get(rule.measure)
        scope = (rule.id, reading.program_id, reading.key)
        if value is not None:
            now[scope] = count(rule, now.get(scope, RuleCount()), value)
        out.append((rule, value, now.get(scope, RuleCount()).firing))
    return out if any(value is not None for _, value, _ in out) else None


def _transition(
    family: str, reading: Reading, members: list[_Member], severity_of: dict[Scope, AlertSeverity]
) -> Transition | None:
    scope = (family, reading.program_id, reading.key)
    before = severity_of.get(scope)
    measured = [(rule, value, fires) for rule, value, fires in members if value is not None]
    after = max((rule.level for rule, _, fires in members if fires), default=None)
    if after == before:
        return None
    if after is None:
        assert before is not None
        del severity_of[scope]
        rule, value, _ = min(measured, key=lambda member: member[0].level)
        return Transition("closed", scope, before, rule, reading, value)
    severity_of[scope] = after
    # the rule to speak of is the gravest that fires on this reading; failing that, any that was measured
    rule, value, _ = max(measured, key=lambda member: (member[2], member[0].level))
    opened = Transition("opened", scope, after, rule, reading, value)
    if before is None:
        return opened
    return replace(opened, kind="raised" if after > before else "eased")
