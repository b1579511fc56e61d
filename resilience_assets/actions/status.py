"""How every program stands: its newest headline, what lies behind it, and what has happened since.

Belongs here: gathering stored figures for one screen. Does not belong here: computing any (a health check does
that), laying them out (cli, web).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.domain.days import day_text
from resilience_assets.domain.nouns import Tier
from resilience_assets.domain.scales import LoadShedding
from resilience_assets.policy import Policies
from resilience_assets.storage import incidents, overlay, programs, results
from resilience_assets.storage.database import Database

HEALTH_KEYS = ("timestamp", "status", "utilization", "defense_level", "n1_pass", "n2_pass", "immediate_actions")
"""The result of a health check, as programs read it."""


@dataclass(frozen=True, slots=True)
class ServiceStanding:
    """One service over the health check's horizon: its coverage, and redundancy at its worst slot."""

    id: str
    tier: str
    coverage: float | None
    open_seats: int
    below_minimum: int
    redundancy: str
    call_in: str
    worst: str


@dataclass(frozen=True)
class Standing:
    """One program. `headline` is None before its first check; `changed` when its roster moved since then; `late`
    when the headline is too old to speak of now (the policy's `failed_after_minutes`)."""

    program: str
    name: str
    time_zone: str
    imported_at: dt.datetime | None
    changed: bool
    headline: dict[str, Any] | None
    age: dt.timedelta | None
    late: bool
    paused: tuple[str, ...] = ()
    services: tuple[ServiceStanding, ...] = ()
    incidents: tuple[Any, ...] = ()
    absences: tuple[overlay.Reported, ...] = ()

    def health(self) -> dict[str, Any]:
        """The newest health check, with exactly HEALTH_KEYS."""
        if self.headline is None:
            return dict.fromkeys(HEALTH_KEYS) | {"status": "unknown", "immediate_actions": []}
        values = {name: self.headline[name] for name in HEALTH_KEYS if name != "timestamp"}
        return {"timestamp": self.headline["as_of"].isoformat()} | values

    def as_json(self) -> dict[str, Any]:
        """The standing for programs; keys are stable."""
        line = self.headline or {}
        figures = (
            "utilization", "utilization_level", "coverage", "open_seats", "defense_level", "load_shedding", "n1_pass",
            "n2_pass", "active_fallbacks",
        )  # fmt: skip
        return {
            "name": self.name,
            "status": line.get("status", "unknown"),
            "as_of": _iso(line.get("as_of")),
            "age_seconds": None if self.age is None else int(self.age.total_seconds()),
            "late": self.late,
            "changed_since": self.changed,
            "imported_at": _iso(self.imported_at),
            **{name: line.get(name) for name in figures},
            "would_pause": list(self.paused),
            "immediate_actions": line.get("immediate_actions", []),
            "watch_items": line.get("watch_items", []),
            "services": [
                {
                    "service": one.id, "tier": one.tier, "coverage": one.coverage, "open_seats": one.open_seats,
                    "open_below_minimum": one.below_minimum, "redundancy": one.redundancy,
                    "redundancy_with_call_in": one.call_in, "worst_slot": one.worst,
                }
                for one in self.services
            ],
            "open_incidents": [
                {
                    "rule": one.rule, "service": one.scope_key or None, "severity": one.severity,
                    "opened_at": _iso(one.opened_at), "value": one.value,
                }
                for one in self.incidents
            ],
            "not_yet_in_the_source": [
                {
                    "person": one.person, "from": day_text(one.first), "to": day_text(one.last), "kind": one.kind,
                    "reported_at": _iso(one.reported_at), "reported_by": one.reported_by,
                }
                for one in self.absences
            ],
        }  # fmt: skip


def _iso(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


class UnknownProgramError(ValueError):
    """No program has this id; the message names those that there are."""


def program_codes(database: Database) -> list[str]:
    """Readable ids of all programs."""
    with database.read() as connection:
        return [row.code for row in programs.all_programs(connection)]


def known_program(database: Database, code: str) -> str:
    """`code` itself when there is such a program; raises UnknownProgramError otherwise."""
    known = program_codes(database)
    if code not in known:
        raise UnknownProgramError(f"there is no program {code!r}; known: {', '.join(known) or 'none yet'}")
    return code


def standings(
    database: Database, policies: Policies, now: dt.datetime, codes: Sequence[str] | None = None, *, detail: bool = True
) -> list[Standing]:
    """Every program (or those named), by readable id; without `detail` only the headlines."""
    states = program_states(database, now, codes)
    with database.read() as connection:
        found = {row.program: dict(row._mapping) for row in results.newest_headlines(connection, codes)}
        services = _services(connection, list(found.values())) if detail else {}
        incident_rows, absence_rows = defaultdict(list), defaultdict(list)
        for row in incidents.open_incidents(connection):
            incident_rows[row.program].append(row)
        for one in overlay.open_absences(connection):
            absence_rows[one.program].append(one)
    ages = {code: max(now - line["as_of"], dt.timedelta(0)) for code, line in found.items()}
    return [
        Standing(
            program=state.code, name=state.name, time_zone=state.time_zone, imported_at=state.imported_at,
            changed=_changed(state), headline=(line := found.get(state.code)),
            age=ages.get(state.code), late=_late(policies, state.code, ages.get(state.code)),
            paused=_paused(policies, state.code, line), services=tuple(services.get(state.code, ())),
            incidents=tuple(incident_rows[state.code]), absences=tuple(absence_rows[state.code]),
        )
        for state in states
    ]  # fmt: skip


def _late(policies: Policies, code: str, age: dt.timedelta | None) -> bool:
    return age is not None and age > dt.timedelta(minutes=policies.for_program(code).health.failed_after_minutes)


def _changed(state: ProgramState) -> bool:
    return state.frozen is None or state.revision > state.frozen.revision


def _paused(policies: Policies, code: str, line: dict[str, Any] | None) -> tuple[str, ...]:
    """Tiers that the advised load-shedding level would pause, the least protected first."""
    level = "" if line is None else line["load_shedding"]
    if level not in LoadShedding.__members__:
        return ()
    return tuple(Tier(tier).text for tier in policies.for_program(code).load_shedding.paused(LoadShedding[level]))


def _services(connection: Any, lines: list[dict[str, Any]]) -> dict[str, list[ServiceStanding]]:
    """Services by program, the worst first."""
    used = {line["utilization_id"]: line["program"] for line in lines if line["utilization_id"] is not None}
    redundant = {line["redundancy_id"]: line["program"] for line in lines if line["redundancy_id"] is not None}
    if not used:
        return {}
    spare: dict[tuple[str, str], Any] = {}
    if redundant:
        for row in results.rows_of(connection, results.REDUNDANCY, list(redundant)).to_dict("records"):
            spare[redundant[row["result_id"]], row["service"]] = row
    out: dict[str, list[ServiceStanding]] = defaultdict(list)
    for row in results.scope_rows(connection, list(used), "service"):
        program = used[row.result_id]
        out[program].append(_service(row, spare.get((program, row.key))))
    order = {"BELOW": 0, "N+0": 1, "N+1": 2, "N+2": 3}
    for found in out.values():
        found.sort(key=lambda one: (-one.below_minimum, order.get(one.redundancy, 4), -one.open_seats, one.id))
    return out


def _service(row: Any, spare: Any) -> ServiceStanding:
    if spare is None:
        return ServiceStanding(
            row.key, "", row.coverage, row.open_seats, row.open_below_minimum, "UNKNOWN", "UNKNOWN", ""
        )
    day = spare["day"]
    worst = "" if day is None or day != day else f"{day_text(int(day))} {spare['slot']}"
    return ServiceStanding(
        row.key, Tier(int(spare["tier"])).text, row.coverage, row.open_seats, row.open_below_minimum, spare["level"],
        spare["call_in_level"], worst,
    )  # fmt: skip
