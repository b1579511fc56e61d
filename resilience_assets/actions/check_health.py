"""The health check: one headline a program, from stored results.

Belongs here: gathering a program's figures, keeping them grey where the roster is refused, missing or
old, storing the headline. Does not belong here: the rules of health (analysis.health).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resilience_assets.actions import code_versions
from resilience_assets.actions.contingency import measure_contingency
from resilience_assets.actions.freeze import freeze_rosters, import_age_hours
from resilience_assets.actions.measure import Measured, loaded, measure_redundancy, measure_utilization, window
from resilience_assets.actions.program_states import ProgramState
from resilience_assets.analysis.duty_hours import breaches
from resilience_assets.analysis.health import Health, assess, next_status, unknown_health
from resilience_assets.analysis.redundancy import redundancy
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.days import local_day
from resilience_assets.domain.roster import Roster
from resilience_assets.domain.scales import PhaseRisk, Status
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import results
from resilience_assets.storage.database import Database

Headline = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts that a headline keeps beside the health: seats open, breaches of duty rules, over the horizon."""

    open_seats: int
    duty_breaches: int


@dataclass
class HealthCheck:
    """What one check did: headlines in order of program, how many were judged anew, failures by program."""

    headlines: list[Headline]
    judged: int
    failed: dict[str, str]


def run_check(
    database: Database, policies: Policies, as_of: dt.datetime, *, live: bool = True, codes: Sequence[str] | None = None
) -> HealthCheck:
    """The whole check of some programs in one go: freeze, measure, judge, as of now to the minute.

    To the minute, as every run speaks: what happens within one minute then builds on what was frozen in it,
    and a run that begins after an absence was reported never speaks of an instant before it.
    """
    as_of = as_of.replace(second=0, microsecond=0)
    states = freeze_rosters(database, policies, as_of, live=live, codes=codes)
    used = measure_utilization(database, policies, as_of, states)
    redundant = measure_redundancy(database, policies, as_of, states)
    contingent = measure_contingency(database, policies, as_of, states)
    return check_health(database, policies, as_of, states, used, redundant, contingent)


def check_health(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState],
    used: Measured, redundant: Measured, contingent: Measured, *, mark_revisions: bool = False,
) -> HealthCheck:  # fmt: skip
    """Judge every program and store one headline each; the same inputs at the same instant change nothing.

    N-1 and N-2 are those of the contingency report for the check's horizon; a program whose report could not be
    computed has neither. `mark_revisions` notes that the newest revisions are checked: for runs that the UI shows.
    """
    rules = [policies.for_program(state.code).health for state in states]
    back = max((max(one.readings_up, one.readings_down) for one in rules), default=1)
    with database.read() as connection:
        earlier = results.last_headlines(connection, [state.id for state in states], as_of, back)
    out = HealthCheck([], 0, {**used.failed, **redundant.failed})
    headlines: dict[int, Headline] = {}
    to_judge: dict[int, list[ProgramState]] = {}
    for state in states:
        policy = policies.for_program(state.code)
        ids = tuple(one.ids.get(state.id) for one in (used, redundant, contingent))
        base = _base(state, policies, as_of, ids)
        same = _same_inputs(earlier.get(state.id, []), base)
        if state.version_id is None:
            reason = _grey_reason(state, policy, as_of) or "No roster"
            headlines[state.id] = base | _columns(unknown_health(reason))
        elif state.code in out.failed:
            reason = f"The figures could not be computed: {out.failed[state.code]}"
            headlines[state.id] = base | _columns(unknown_health(reason))
        elif same is not None:
            headlines[state.id] = base | _carried(same, earlier[state.id], policy) | _grey(state, policy, as_of, same)
        else:
            to_judge.setdefault(state.version_id, []).append(state)
            headlines[state.id] = base
    reports = _reports(database, contingent, to_judge)
    for state, health, counts in _judge(database, policies, as_of, to_judge, earlier, reports, out.failed):
        policy = policies.for_program(state.code)
        columns = _columns(health, counts)
        headlines[state.id] |= columns | _grey(state, policy, as_of, columns)
        out.judged += 1
    out.headlines = [headlines[state.id] | {"program": state.code, "name": state.name} for state in states]
    rows = [headlines[state.id] for state in states]
    with database.write() as connection:
        for policy_hash, code in {policies.version_for(state.code): state.code for state in states}.items():
            results.store_policy(connection, policy_hash, policies.text_for(code), as_of)
        results.store_headlines(connection, rows)
        if mark_revisions:
            results.mark_checked(connection, {state.id: state.frozen.revision for state in states if state.frozen})
    return out


def _base(state: ProgramState, policies: Policies, as_of: dt.datetime, ids: tuple[int | None, ...]) -> Headline:
    return {
        "program_id": state.id, "as_of": as_of, "local_day": local_day(as_of, state.time_zone),
        "freeze_id": state.frozen.freeze_id if state.frozen else 0, "version_id": state.version_id,
        "policy_hash": policies.version_for(state.code), "code_version": code_versions.HEALTH,
        **dict(zip(("utilization_id", "redundancy_id", "contingency_id"), ids, strict=True)),
    }  # fmt: skip


def _same_inputs(earlier: list[Any], base: Headline) -> Any | None:
    """The last headline, when it was made from the same results by the same rules."""
    if not earlier:
        return None
    last = earlier[-1]
    keys = ("utilization_id", "redundancy_id", "contingency_id", "policy_hash", "code_version", "version_id")
    return last if base["utilization_id"] is not None and all(getattr(last, key) == base[key] for key in keys) else None


def _carried(last: Any, earlier: list[Any], policy: Policy) -> Headline:
    """The figures of the last headline, with the status moved on by one more equal reading."""
    names = (
        "utilization", "utilization_level", "coverage", "open_seats", "defense_level", "load_shedding",
        "n1_pass", "n2_pass", "phase_risk", "duty_breaches", "active_fallbacks", "watch_items", "measured_status",
    )  # fmt: skip
    carried = {name: getattr(last, name) for name in names} | {"immediate_actions": list(last.measured_actions)}
    raw = _status(last.measured_status)
    readings = [_status(row.raw_status) for row in earlier] + [raw]
    status = next_status(_status(last.status), readings, last.coverage, policy)
    return carried | {"status": status.text, "raw_status": raw.text, "measured_actions": list(last.measured_actions)}


def _reports(database: Database, contingent: Measured, to_judge: dict[int, list[ProgramState]]) -> dict[int, Any]:
    """The contingency report of each program that is judged, where there is one."""
    ids = {state.id: contingent.ids[state.id] for some in to_judge.values() for state in some if state.id in contingent.ids}
    with database.read() as connection:
        found = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()))
    return {program_id: found[result_id] for program_id, result_id in ids.items()}


def _judge(
    database: Database, policies: Policies, as_of: dt.datetime, to_judge: dict[int, list[ProgramState]],
    earlier: dict[int, list[Any]], reports: dict[int, Any], failed: dict[str, str],
) -> list[tuple[ProgramState, Health, Counts | None]]:  # fmt: skip
    out: list[tuple[ProgramState, Health, Counts | None]] = []
    for rosters in loaded(database, sorted(to_judge)):
        for version_id, roster in rosters.items():
            for state in to_judge[version_id]:
                policy = policies.for_program(state.code)
                try:
                    judged = _assess(roster, policy, *window(state, policy, as_of), earlier.get(state.id, []), reports.get(state.id))
                except (ArithmeticError, LookupError, ValueError) as error:
                    failed[state.code] = f"{type(error).__name__}: {error}"
                    judged = unknown_health(f"The health could not be judged: {failed[state.code]}"), None
                out.append((state, *judged))
    return out


def _assess(
    roster: Roster, policy: Policy, first: int, last: int, earlier: list[Any], report: Any | None
) -> tuple[Health, Counts | None]:
    used = utilization(roster, policy, first, last)
    ahead = breaches(roster, policy.duty, first, last)
    health = assess(
        roster, policy, used, redundancy(roster, policy, first, last),
        breaches=ahead,
        n1_pass=None if report is None else report.n1_pass_near,
        n2_pass=None if report is None else report.n2_pass_near,
        phase=PhaseRisk.UNKNOWN if report is None else PhaseRisk[report.phase_risk.upper()],
        phase_reasons=() if report is None else report.findings["phase"]["reasons"],
        previous=_status(earlier[-1].status) if earlier else None,
        recent=[_status(row.raw_status) for row in earlier],
    )  # fmt: skip
    return health, None if health.coverage is None else Counts(int(used.covered.open_seats[0, 0]), len(ahead))


def _columns(health: Health, counts: Counts | None = None) -> Headline:
    """A health as columns of the headline."""
    actions = list(health.immediate_actions)
    return {
        "status": health.status.text, "raw_status": health.raw_status.text, "measured_status": health.raw_status.text,
        "utilization": health.utilization, "utilization_level": health.utilization_level.text,
        "coverage": health.coverage, "open_seats": counts and counts.open_seats, "defense_level": health.defense_level.text,
        "load_shedding": health.load_shedding.text if health.load_shedding is not None else "UNKNOWN",
        "n1_pass": health.n1_pass, "n2_pass": health.n2_pass, "phase_risk": health.phase_risk.text,
        "duty_breaches": counts and counts.duty_breaches, "active_fallbacks": len(health.active_fallbacks),
        "immediate_actions": actions, "measured_actions": actions, "watch_items": list(health.watch_items),
    }  # fmt: skip


def _grey_reason(state: ProgramState, policy: Policy, as_of: dt.datetime) -> str | None:
    """Why a program's figures cannot be trusted as of now; None where they can."""
    if state.frozen is None:
        return "No roster: run `resilience import` or `resilience demo`"
    if not state.frozen.accepted:
        wrong = next((one["sentence"] for one in state.frozen.findings if one["severity"] == "error"), "see the roster checks")
        since = state.frozen.accepted_at
        kept = f"; figures are of the roster accepted {since:%Y-%m-%d %H:%M} UTC" if since else ""
        return f"The newest roster was refused: {wrong}{kept}"
    age = import_age_hours(state.imported_at, as_of)
    if age is None or age > policy.roster.import_age_hours:
        said = "never" if age is None else f"{age / 24:.0f} days ago"
        return f"The roster was last imported {said}: import the newest one"
    return None


def _grey(state: ProgramState, policy: Policy, as_of: dt.datetime, columns: Any) -> Headline:
    """What a refused or old roster changes in a headline: status unknown, the reason first; figures stay, with their age."""
    reason = _grey_reason(state, policy, as_of)
    if reason is None:
        return {}
    measured = columns["measured_actions"] if isinstance(columns, dict) else columns.measured_actions
    unknown = Status.UNKNOWN.text
    return {"status": unknown, "raw_status": unknown, "immediate_actions": [reason, *measured]}


def _status(text: str) -> Status:
    return next(step for step in Status if step.text == text)

