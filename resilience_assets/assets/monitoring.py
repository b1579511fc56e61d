"""Group `monitoring`: how close every program is to the edge, every 15 minutes.

Belongs here: utilization_snapshot, service_redundancy, system_health, incidents. Does not belong
here: formulas (analysis), delivery (jobs).
"""

import datetime as dt
from typing import Any

import dagster as dg
import pandas as pd

from resilience_assets.actions.check_health import check_health
from resilience_assets.actions.contingency import measure_contingency, passed
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.heartbeat import failed_programs, send_heartbeat
from resilience_assets.actions.measure import Measured, measure_redundancy, measure_utilization, rows
from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.actions.who_may_cover import covers_of
from resilience_assets.assets.contingency import contingency_report
from resilience_assets.assets.metadata import FRESH, OWNERS, data_version, figures, table
from resilience_assets.assets.roster import roster
from resilience_assets.delivery.secret import Secret
from resilience_assets.domain.days import day_text
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart
from resilience_assets.resources.scheduled_runs import scheduled_runs
from resilience_assets.storage import results

LEVELS = ("GREEN", "YELLOW", "ORANGE", "RED", "BLACK", "UNKNOWN")
MOST_ACTIONS = 20
"""Lines of the list of what to do: of the programs that stand worst, not of a whole fleet."""
STATUSES = ("healthy", "warning", "degraded", "critical", "emergency", "unknown")
"""In order of worry; unknown is told first, for nobody can say how bad it is."""


@dg.asset(
    group_name="monitoring",
    kinds={"python", "numpy"},
    owners=OWNERS,
    code_version="1",
    deps=[roster],
    freshness_policy=FRESH,
    description=(
        "How full each program is over the coming days (the policy's horizon, 8 as shipped): person-slots required, available and assigned; utilization and "
        "coverage by program, service, tier and day; level, buffer, safe load and wait factor.\n\n"
        "Available counts people who are present, qualified and within their duty hours; coverage counts seats filled by "
        "qualified, present people. The figures below are over all programs; the table has a line a program."
    ),
)
def utilization_snapshot(context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """Measure what is not measured yet for these rosters, this policy and this date."""
    moment = as_of(context)
    with told_apart():
        database, policies = deployment.database, deployment.policies()
        states = program_states(database, moment.instant)
        measured = measure_utilization(database, policies, moment.instant, states)
        found = rows(database, results.UTILIZATION, list(measured.ids.values()), "program")
    programs = _with_program(found, measured, states)
    required, available = programs["required"].sum(), programs["available"].sum()
    metadata = figures(
        {
            "coverage": _share(required - programs["open_seats"].sum(), required),
            "worst_coverage": _extreme(programs["coverage"].min()),
            "utilization": float(required / available) if available else None,
            "highest_utilization": _extreme(programs["utilization"].max()),
            "open_seats": int(programs["open_seats"].sum()),
            "open_below_minimum": int(programs["open_below_minimum"].sum()),
            "required": float(required),
            "available": float(available),
            "assigned": float(programs["assigned"].sum()),
            "programs": len(programs),
            "computed": measured.computed,
            "found": measured.found,
            "failed": len(measured.failed),
        }
        | {f"programs_{level}": int((programs["level"] == level).sum()) for level in LEVELS}
    )
    columns = ["program", "coverage", "utilization", "level", "open_seats", "required", "available", "assigned", "safe_load", "buffer", "wait_factor"]
    metadata = {"by_program": table(programs[columns].to_dict("records")), "as_of": dg.MetadataValue.timestamp(moment.instant)} | metadata
    return dg.MaterializeResult(metadata=metadata, data_version=_version(measured))


@dg.asset(
    group_name="monitoring",
    kinds={"python", "numpy"},
    owners=OWNERS,
    code_version="1",
    deps=[roster],
    freshness_policy=FRESH,
    description=(
        "How many people each service can lose at its worst slot of the coming days and still hold its safe minimum: "
        "N+2, N+1, N+0 or BELOW, from qualified people who are present, with the worst slot named. With call-in is the "
        "same with people who are off."
    ),
)
def service_redundancy(context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """Judge every service that has a minimum."""
    moment = as_of(context)
    with told_apart():
        database, policies = deployment.database, deployment.policies()
        states = program_states(database, moment.instant)
        measured = measure_redundancy(database, policies, moment.instant, states)
        found = _with_program(rows(database, results.REDUNDANCY, list(measured.ids.values())), measured, states)
    judged = found[found["spare"].notna()].sort_values(["spare", "program", "service"])
    counts = {level: int((judged["level"] == level).sum()) for level in ("N+2", "N+1", "N+0", "BELOW")}
    metadata = figures(
        {
            "services": len(judged),
            "services_n_plus_2": counts["N+2"],
            "services_n_plus_1": counts["N+1"],
            "services_n_plus_0": counts["N+0"],
            "services_below": counts["BELOW"],
            "worst_spare": _extreme(judged["spare"].min()),
            "computed": measured.computed,
            "found": measured.found,
            "failed": len(measured.failed),
        }
    )
    shown = [
        {
            "program": row.program, "service": row.service, "tier": row.tier, "redundancy": row.level, "present": int(row.present),
            "minimum": int(row.minimum), "worst date": day_text(int(row.day)), "worst slot": row.slot, "with call-in": row.call_in_level,
        }
        for row in _records(judged)
    ]  # fmt: skip
    metadata = {"services_by_spare": table(shown), "as_of": dg.MetadataValue.timestamp(moment.instant)} | metadata
    return dg.MaterializeResult(metadata=metadata, data_version=_version(measured))


@dg.asset(
    group_name="monitoring",
    kinds={"python"},
    owners=OWNERS,
    code_version="1",
    deps=[utilization_snapshot, service_redundancy, contingency_report],
    freshness_policy=FRESH,
    description=(
        "The health check's result, one headline a program: status (how worried to be), utilization, the line of defence "
        "that must act, N-1 and N-2 over the check's horizon (from contingency_report), what to do now and what to watch.\n\n"
        "The status rises after worse readings in a row and falls after more better ones, as the policy says; when coverage "
        "collapses it rises at once. A program without a roster, or with a refused or old one, is unknown."
    ),
)
def system_health(context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """Judge every program from the stored results and write its headline."""
    moment = as_of(context)
    with told_apart():
        database, policies = deployment.database, deployment.policies()
        states = program_states(database, moment.instant)
        used = measure_utilization(database, policies, moment.instant, states)
        redundant = measure_redundancy(database, policies, moment.instant, states)
        contingent = measure_contingency(database, policies, moment.instant, states)
        check = check_health(database, policies, moment.instant, states, used, redundant, contingent, mark_revisions=moment.live)
    for program, reason in check.failed.items():
        context.log.error(f"{program}: {reason}")
    heads = check.headlines
    coverages = [head["coverage"] for head in heads if head["coverage"] is not None]
    shown = [
        {
            "program": head["program"],
            "status": head["status"],
            "coverage": _word(head["coverage"]),
            "utilization": _word(head["utilization"]),
            "level": head["utilization_level"],
            "open seats": _word(head["open_seats"]),
            "defence": head["defense_level"],
            "N-1": passed(head["n1_pass"]),
            "N-2": passed(head["n2_pass"]),
        }
        for head in heads
    ]
    worst_first = sorted(heads, key=lambda head: (-STATUSES.index(head["status"]), head["program"]))
    to_do = [f"- **{head['program']}** {action}" for head in worst_first for action in head["immediate_actions"][:3]]
    metadata: dict[str, Any] = {
        "health": table(shown),
        "to_do": dg.MetadataValue.md("\n".join(to_do[:MOST_ACTIONS]) or "Nothing that cannot wait."),
        "as_of": dg.MetadataValue.timestamp(moment.instant),
    } | figures(
        {
            "worst_coverage": min(coverages, default=None),
            "open_seats": sum(head["open_seats"] or 0 for head in heads),
            "immediate_actions": sum(len(head["immediate_actions"]) for head in heads),
            "programs": len(heads),
            "judged": check.judged,
            "failed": len(check.failed),
        }
        | {f"programs_{status}": sum(head["status"] == status for head in heads) for status in STATUSES}
    )
    version = data_version(
        f"{head['program']} {head['status']} {head['utilization_id']} {head['redundancy_id']} {head['contingency_id']}" for head in heads
    )
    return dg.MaterializeResult(metadata=metadata, data_version=version)


@dg.asset(
    group_name="monitoring",
    kinds={"python"},
    owners=OWNERS,
    code_version="1",
    deps=[system_health],
    freshness_policy=FRESH,
    description=(
        "Alarm conditions, from opened to closed: each alert rule takes every reading since the last one it saw, in "
        "order, with a trigger and a clear threshold, in a row both ways. What opens, gets graver or is over is told once "
        "to each reader whom the policy names: in the inbox at once, elsewhere when threshold_sensor has it delivered."
    ),
)
def incidents(context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """Evaluate the alert rules over new readings."""
    moment = as_of(context)
    with told_apart():
        # silences, quiet hours and reminders go by the time of day, whatever instant the figures speak of
        now = max(deployment.clock.now(), moment.instant)
        database, policies = deployment.database, deployment.policies()
        covers = covers_of(database, policies, now)
        done = evaluate_alerts(database, policies, now, observed=scheduled_runs(context.instance), covers=covers)
    if moment.live:
        _beat(context, deployment, moment.instant)
    shown = [
        {
            "program": row.program, "service": row.scope_key, "rule": row.rule, "severity": row.severity,
            "value": row.value, "open since": f"{row.opened_at:%Y-%m-%d %H:%M} UTC",
        }
        for row in done.open
    ]  # fmt: skip
    metadata: dict[str, Any] = figures(
        {"open": len(done.open), "readings": done.readings, "notices": done.notices}
        | {kind: done.transitions.get(kind, 0) for kind in ("opened", "raised", "flapping", "closed")}
        | {f"open_{severity}": sum(row.severity == severity for row in done.open) for severity in ("warning", "critical", "emergency")}
    )
    metadata = {"open_incidents": table(shown), "as_of": dg.MetadataValue.timestamp(moment.instant)} | metadata
    version = data_version(f"{row.id} {row.severity}" for row in done.open)
    return dg.MaterializeResult(metadata=metadata, data_version=version)


def _beat(context: dg.AssetExecutionContext, deployment: Deployment, as_of: dt.datetime) -> None:
    """Say outside that the check went through, where somebody listens; what becomes of it fails nothing."""
    url = Secret(deployment.settings.heartbeat_url.get_secret_value())
    if not url:
        return
    with told_apart():
        failed = failed_programs(deployment.database, as_of)
    if failed is None:
        context.log.info("no heartbeat: nothing was checked in this run")
        return
    outcome = send_heartbeat(url, failed=bool(failed), now=deployment.clock.now(), allowed=deployment.settings.outbound_allow)
    told = context.log.info if outcome.kind == "sent" else context.log.warning
    told(f"heartbeat{f' of {len(failed)} programs that failed' if failed else ''}: {outcome}")


def _with_program(found: pd.DataFrame, measured: Measured, states: list[ProgramState]) -> pd.DataFrame:
    """Rows of results with the readable id of their program, in its order."""
    code_of = {state.id: state.code for state in states}
    program_of = {result_id: code_of[program_id] for program_id, result_id in measured.ids.items()}
    return found.assign(program=found["result_id"].map(program_of)).sort_values("program", kind="stable")


def _word(value: float | int | None) -> float | int | str:
    return "unknown" if value is None else value


def _records(frame: pd.DataFrame) -> list[Any]:
    return list(frame.itertuples(index=False))


def _version(measured: Measured) -> dg.DataVersion:
    return data_version(measured.ids.values())


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _extreme(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)
