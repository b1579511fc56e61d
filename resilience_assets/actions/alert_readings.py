"""What alert rules read: headlines with their services, the clock, finished scheduled runs.

Belongs here: turning rows into readings, grey figures into missing ones, declared gaps out of the alarm. Does not
belong here: when a rule fires (alerting), the order in which sources are taken (evaluate_alerts).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from resilience_assets.alerting.gaps import Gap, Left, ServiceDay, without_gaps
from resilience_assets.alerting.incidents import DEPLOYMENT, Reading
from resilience_assets.domain.nouns import Tier
from resilience_assets.domain.scales import DefenseLevel, PhaseRisk, Status
from resilience_assets.policy import Policies
from resilience_assets.storage import acts, incidents, results
from resilience_assets.storage.outbox import heartbeats
from resilience_assets.storage.programs import all_programs

TIER_1 = str(int(Tier.PATIENT_SAFETY))

Keys = dict[tuple[int, str], Collection[str]]
"""What the newest reading of (program id, source) spoke of: '' and the ids of its services."""


@dataclass(frozen=True, slots=True)
class ObservedRun:
    """How a scheduled job stands: its newest finished run failed (None: it never finished), or a run is missing."""

    job: str
    failed: bool | None
    missed: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Taken:
    """Readings in order, and what each program's newest one spoke of."""

    readings: list[Reading] = field(default_factory=list)
    keys: Keys = field(default_factory=dict)


def health_readings(connection: Any, headlines: Sequence[Any], policies: Policies) -> Taken:
    """A reading for each program and each of its services, in order of the checks; grey figures are missing."""
    if not headlines:
        return Taken()
    facts_of = _Facts(connection, headlines)
    out = Taken()
    n1_before = facts_of.n1_before
    for row in headlines:
        grey = row.raw_status == Status.UNKNOWN.text
        services = facts_of.services.get(row.utilization_id, [])
        left = facts_of.left(row)
        values, reasons = _program_values(row, policies, facts_of, left, n1_before.get(row.program_id))
        if row.n1_pass is not None:
            n1_before[row.program_id] = row.n1_pass
        where = row.immediate_actions[0] if row.immediate_actions and not grey else ""
        seats = sum(one.open_seats for one in left.values()) if left else row.open_seats or 0
        known = {name: None if grey and name not in UNGREY else value for name, value in values.items()}
        out.readings.append(
            Reading(row.id, row.program_id, row.program, "program", "", row.as_of, known, seats, where, reasons=reasons)
        )
        for one in services:
            out.readings.append(_service_reading(row, one, left.get(one.key), grey))
        if not grey and services:
            out.keys[row.program_id, "health_check"] = {"", *(one.key for one in services)}
    return out


UNGREY = {"figures_unknown", "roster_refused", "import_age_hours"}
"""What is known even where the figures are not: that they are not."""


def _program_values(
    row: Any, policies: Policies, known: _Facts, left: Mapping[str, Left], n1_before: bool | None
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Values by measure of a headline, and the words for those that are steps of a scale or have a reason."""
    coverage = row.coverage
    if left and coverage is not None:
        required = sum(one.required for one in left.values())
        coverage = 1 - sum(one.open_seats for one in left.values()) / required if required else coverage
    defense = policies.for_program(row.program).defense.level(coverage)
    tier = known.tier_1.get(row.utilization_id)
    safe = [one for service, one in left.items() if service in known.tier_1_services.get(row.program_id, ())]
    imported = known.imported.get(row.program_id)
    age = None if imported is None else max((row.as_of - imported).total_seconds() / 3600, 0.0)
    risk, breaches = PhaseRisk[row.phase_risk.upper()], row.duty_breaches
    unknown = row.raw_status == Status.UNKNOWN.text
    reason = row.immediate_actions[0] if row.immediate_actions else "no figures"
    values: dict[str, float | None] = {
        "utilization": row.utilization,
        "coverage": coverage,
        "defense_level": None if defense == DefenseLevel.UNKNOWN else float(defense),
        "open_tier_1_seats": sum(one.open_seats for one in safe) if left else None if tier is None else tier.open_seats,
        "tier_1_below_minimum": sum(one.open_below_minimum for one in safe) if left else None if tier is None else tier.open_below_minimum,
        "n1_failed": None if row.n1_pass is None else float(not row.n1_pass),
        "n1_newly_failed": _newly_failed(row.n1_pass, n1_before),
        "phase_risk": None if risk == PhaseRisk.UNKNOWN else float(risk),
        "duty_breaches": None if breaches is None else float(breaches),
        "figures_unknown": float(unknown),
        "roster_refused": float(row.freeze_id in known.refused),
        "import_age_hours": age,
    }
    if row.utilization_id is not None and tier is None and not left:
        values |= {"open_tier_1_seats": 0.0, "tier_1_below_minimum": 0.0}  # no service is of tier 1
    words = {"figures_unknown": reason, "roster_refused": reason, "defense_level": defense.text, "phase_risk": risk.text}
    return values, words


def _newly_failed(now: bool | None, before: bool | None) -> float | None:
    """1 when it held before and fails now, 0 while it holds; missing while it goes on failing."""
    if now is None or (not now and before is not True):
        return None
    return float(not now)


def _service_reading(row: Any, service: Any, left: Left | None, grey: bool) -> Reading:
    coverage = service.coverage if left is None else left.coverage
    seats = service.open_seats if left is None else left.open_seats
    values = {"coverage": coverage, "coverage_minimum": service.coverage_minimum, "utilization": service.utilization}
    return Reading(
        row.id, row.program_id, row.program, "service", service.key, row.as_of, dict.fromkeys(values) if grey else values, seats
    )


class _Facts:
    """What lies behind the headlines of one evaluation, one query a table."""

    def __init__(self, connection: Any, headlines: Sequence[Any]) -> None:
        ids = sorted({row.utilization_id for row in headlines if row.utilization_id is not None})
        program_ids = sorted({row.program_id for row in headlines})
        self.services: dict[int, list[Any]] = defaultdict(list)
        for row in results.scope_rows(connection, ids, "service"):
            self.services[row.result_id].append(row)
        self.tier_1 = {row.result_id: row for row in results.scope_rows(connection, ids, "tier") if row.key == TIER_1}
        self.imported = {row.id: row.imported_at for row in all_programs(connection)}
        self.refused = incidents.refused_freezes(connection, [row.freeze_id for row in headlines])
        failing = [row.program_id for row in headlines if row.n1_pass is False]
        earlier = results.last_headlines(connection, failing, min(row.as_of for row in headlines), 1) if failing else {}
        self.n1_before: dict[int, bool | None] = {program_id: rows[-1].n1_pass for program_id, rows in earlier.items()}
        self._gaps: dict[int, list[Gap]] = defaultdict(list)
        for gap in acts.gaps(connection, program_ids):
            self._gaps[gap.program_id].append(Gap(gap.service, gap.first, gap.last, gap.seats))
        self.tier_1_services = incidents.services_of_tier(connection, list(self._gaps), int(Tier.PATIENT_SAFETY)) if self._gaps else {}
        self._days: dict[int, list[ServiceDay]] = defaultdict(list)
        gapped = sorted({row.utilization_id for row in headlines if row.program_id in self._gaps and row.utilization_id is not None})
        for row in results.service_days(connection, gapped) if gapped else []:
            self._days[row.result_id].append(ServiceDay(row.key, row.day, row.required, row.open_seats, row.open_below_minimum))

    def left(self, row: Any) -> Mapping[str, Left]:
        """What declared gaps leave of each service; empty where the program declared none."""
        found = self._gaps.get(row.program_id)
        return without_gaps(self._days[row.utilization_id], found) if found and row.utilization_id is not None else {}


def clock_readings(connection: Any, now: dt.datetime, policies: Policies, open_keys: Iterable[str]) -> list[Reading]:
    """What only the clock can tell: nobody checks, nobody sends, messages that nobody got.

    `open_keys` are endpoints of which an alert of failed deliveries is open: they are measured even when they
    have no dead letter any more.
    """
    minute = minute_of(now)

    def reading(key: str, values: dict[str, float | None], **reasons: str) -> Reading:
        return Reading(minute, DEPLOYMENT, "", "deployment", key, now, values, source="clock", reasons=reasons)

    checked = incidents.last_check(connection)
    ages: dict[str, float | None] = {"health_check_age_minutes": _minutes(now, checked)}
    beats = [at for name, at in heartbeats(connection).items() if name.startswith("dispatch")]
    ages["dispatcher_age_minutes"] = _minutes(now, max(beats, default=None))
    since = now - dt.timedelta(hours=policies.telling.dead_letter_hours)
    dead: dict[str, tuple[int, str]] = dict.fromkeys(open_keys, (0, ""))
    dead |= incidents.dead_by_endpoint(connection, since)
    letters = [reading(key, {"dead_letters": float(count)}, dead_letters=reason) for key, (count, reason) in sorted(dead.items())]
    return [reading("", ages), *letters]


def _minutes(now: dt.datetime, then: dt.datetime | None) -> float | None:
    return None if then is None else max((now - then).total_seconds() / 60, 0.0)


def minute_of(now: dt.datetime) -> int:
    """Number of a reading of the clock: minutes since the epoch, so that one minute is read once."""
    return int(now.timestamp()) // 60


def run_readings(now: dt.datetime, observed: Sequence[ObservedRun]) -> list[Reading]:
    """A reading for each scheduled job, as whoever sees the runs has observed it."""
    out = []
    for run in observed:
        values: dict[str, float | None] = {
            "run_failed": None if run.failed is None else float(run.failed),
            "run_missed": None if run.missed is None else float(run.missed),
        }
        reasons = dict.fromkeys(values, run.reason)
        scope: Literal["deployment"] = "deployment"
        out.append(Reading(minute_of(now), DEPLOYMENT, "", scope, run.job, now, values, source="run", reasons=reasons))
    return out
