"""Evaluate alert rules over the readings that they have not seen, in order.

Belongs here: turning headlines and their rows into readings, storing transitions and notices in one
transaction. Does not belong here: when a rule fires (alerting), its limits (policy), delivery.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from resilience_assets.alerting.incidents import OpenIncident, Reading, RuleCount, Transition, evaluate
from resilience_assets.alerting.notice import TOLD, notice_text
from resilience_assets.domain.scales import AlertSeverity, Status
from resilience_assets.policy import Policies
from resilience_assets.storage import incidents, results
from resilience_assets.storage.database import Database

SOURCE = "health_check"
"""The table whose rows are the readings of these rules."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation did: readings taken, transitions by kind, and what is open now."""

    readings: int
    transitions: dict[str, int]
    open: list[Any]


def evaluate_alerts(database: Database, policies: Policies) -> Evaluation:
    """Take every headline since the last evaluation, open, raise and close incidents, queue their notices."""
    with database.write(alone="alerts") as connection:
        before = incidents.last_reading(connection, SOURCE)
        headlines = results.headlines_after(connection, before)
        readings = _readings(connection, headlines)
        still_open = incidents.open_incidents(connection)
        counts = {scope: RuleCount(over, firing) for scope, (over, firing) in incidents.rule_states(connection).items()}
        rules = {row.program_id: policies.for_program(row.program).alert_rules for row in headlines}
        known = [OpenIncident((row.rule, row.program_id, row.scope_key), _severity(row.severity)) for row in still_open]
        transitions, changed = evaluate(readings, rules, counts, known)
        zones = {row.program_id: row.time_zone for row in headlines}
        _store(connection, transitions, still_open, zones)
        if headlines:
            states = {scope: (count.over, count.firing) for scope, count in changed.items()}
            incidents.save_rule_states(connection, states, SOURCE, headlines[-1].id)
        told: dict[str, int] = defaultdict(int)
        for transition in transitions:
            told[transition.kind] += 1
        return Evaluation(len(readings), dict(told), incidents.open_incidents(connection))


def _severity(text: str) -> AlertSeverity:
    return next(step for step in AlertSeverity if step.text == text)


def _readings(connection: Any, headlines: list[Any]) -> list[Reading]:
    """A reading for each program and each of its services, in order of the checks; grey figures are missing."""
    ids = sorted({row.utilization_id for row in headlines if row.utilization_id is not None})
    services: dict[int, list[Any]] = defaultdict(list)
    for row in results.scope_rows(connection, ids, "service"):
        services[row.result_id].append(row)
    out = []
    for row in headlines:
        grey = row.raw_status == Status.UNKNOWN.text
        where = row.immediate_actions[0] if row.immediate_actions else ""
        values = {"utilization": row.utilization, "coverage": row.coverage}
        out.append(_reading(row, "program", "", values, row.open_seats or 0, where, grey))
        for service in services.get(row.utilization_id, []):
            values = {"coverage": service.coverage, "coverage_minimum": service.coverage_minimum, "utilization": service.utilization}
            out.append(_reading(row, "service", service.key, values, service.open_seats, "", grey))
    return out


def _reading(row: Any, scope: Any, key: str, values: dict[str, float | None], open_seats: int, where: str, grey: bool) -> Reading:
    known = dict.fromkeys(values) if grey else values
    return Reading(row.id, row.program_id, row.program, scope, key, row.as_of, known, open_seats, where)


def _store(connection: Any, transitions: list[Transition], still_open: list[Any], zones: dict[int, str]) -> None:
    ids = {(row.rule, row.program_id, row.scope_key): (row.id, row.opened_at) for row in still_open}
    for transition in transitions:
        at, value = transition.reading.as_of, transition.value
        opened_at: dt.datetime | None = None
        if transition.kind == "opened":
            incident_id = incidents.open_incident(connection, transition.scope, transition.severity.text, at, value)
            ids[transition.scope] = (incident_id, at)
        else:
            incident_id, opened_at = ids[transition.scope]
            closed = {"closed_at": at} if transition.kind == "closed" else {}
            incidents.update_incident(connection, incident_id, severity=transition.severity.text, value=value, **closed)
        if transition.kind in TOLD:
            text = notice_text(transition, zones[transition.reading.program_id], opened_at)
            notice = {
                "kind": transition.kind, "check_id": transition.reading.reading_id, "as_of": at,
                "severity": transition.severity.text, "subject": text.subject, "body": text.body,
            }  # fmt: skip
            incidents.add_notice(connection, incident_id, notice)
