"""Group `contingency`: whose loss, or which two people's loss, opens a seat, and when.

Belongs here: contingency_report, contingency_deep_dive. Does not belong here: formulas (analysis.contingency).
"""

import datetime as dt
from typing import Any

import dagster as dg
from pydantic import Field

from resilience_assets.actions.contingency import Reports, measure_contingency, reports
from resilience_assets.actions.deep_dive import deep_dives, measure_deep_dive, tables
from resilience_assets.actions.program_states import program_states
from resilience_assets.assets.metadata import FRESH, OWNERS, data_version, figures, table
from resilience_assets.assets.roster import roster
from resilience_assets.domain.scales import PhaseRisk
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart

RISKS = tuple(risk.text for risk in PhaseRisk)
DAILY = dg.FreshnessPolicy.time_window(fail_window=dt.timedelta(hours=50), warn_window=dt.timedelta(hours=26))
"""What runs every night: late after one missed, failed after two."""


class ContingencyConfig(dg.Config):
    """How far to look ahead. What is out of range is refused by the action, for Dagster would try it again and again."""

    days_ahead: int | None = Field(None, description="Local dates, beginning with today, 1 to 366; as the policy says (90 as shipped) when left out.")


@dg.asset(
    group_name="contingency",
    kinds={"python", "numba"},
    owners=OWNERS,
    code_version="1",
    deps=[roster],
    freshness_policy=FRESH,
    description=(
        "If X is out, does a seat of the safe minimum stay open after the best re-deployment? Answered exactly for every person "
        "and every pair, in every slot of the coming days (90 as shipped), four ways: as rostered, free people step in, with "
        "call-in, anyone may be moved. Seats open today come first; what became worse since the report before is the first table.\n\n"
        "N-1 holds where no single loss opens a seat, N-2 where no two losses do; a program with a seat open today holds "
        "neither. The margin of a slot is the fewest losses that break it, with the posts and people who are so thin."
    ),
)
def contingency_report(
    context: dg.AssetExecutionContext, config: ContingencyConfig, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Report on every roster that has no report yet."""
    moment = as_of(context)
    with told_apart():
        database, policies = deployment.database, deployment.policies()
        states = program_states(database, moment.instant)
        measured = measure_contingency(database, policies, moment.instant, states, config.days_ahead)
        found = reports(database, {state.code: measured.ids[state.id] for state in states if state.id in measured.ids})
    for program, reason in measured.failed.items():
        context.log.error(f"{program}: {reason}")
    metadata: dict[str, Any] = {
        "new_since_the_report_before": table(found.new),
        "by_program": table(found.by_program),
        "people_by_harm": table(found.people),
        "pairs_by_harm": table(found.pairs),
        "as_of": dg.MetadataValue.timestamp(moment.instant),
    } | figures(_figures(found) | {"computed": measured.computed, "found": measured.found, "failed": len(measured.failed)})
    return dg.MaterializeResult(metadata=metadata, data_version=data_version(measured.ids.values()))


@dg.asset(
    group_name="contingency",
    kinds={"python", "numba", "networkx"},
    owners=OWNERS,
    code_version="1",
    deps=[contingency_report],
    freshness_policy=DAILY,
    description=(
        "What the contingency report has no time for, once a night: the worst 2, 3, 4 people to lose together (with a proven bound), "
        "which qualification would help most (before and after), whole groups lost at once, whether duty hours hold, expected loss "
        "by absence rates, overload that spreads, phase risk. What is new since the deep dive before is the first table.\n\n"
        "Centrality describes who works where with whom; its rank correlation with the true harm stands beside it, so that nobody "
        "takes one for the other."
    ),
)
def contingency_deep_dive(
    context: dg.AssetExecutionContext, config: ContingencyConfig, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Dive into every report that has no deep dive yet."""
    moment = as_of(context)
    with told_apart():
        database, policies = deployment.database, deployment.policies()
        states = program_states(database, moment.instant)
        measured = measure_deep_dive(database, policies, moment.instant, states, config.days_ahead)
        found = deep_dives(database, {state.code: measured.ids[state.id] for state in states if state.id in measured.ids})
    for program, reason in measured.failed.items():
        context.log.error(f"{program}: {reason}")
    metadata: dict[str, Any] = {
        **{name: table(rows) for name, rows in tables(found).items()},
        "as_of": dg.MetadataValue.timestamp(moment.instant),
    } | figures(
        {
            "programs": len(found),
            "worst_4_seats": max((row["seats"] for one in found.values() for row in one.findings["worst"]), default=None),
            "worst_not_proven": sum(not row["proven"] for one in found.values() for row in one.findings["worst"]),
            "recommendations": sum(len(one.findings["recommendations"]) for one in found.values()),
            "duty_hours_worse": sum(one.findings["hours"]["open_within_hours"] > one.findings["hours"]["open"] for one in found.values()),
            "computed": measured.computed,
            "found": measured.found,
            "failed": len(measured.failed),
        }
        | {f"phase_risk_{level}": sum(one.phase_risk == level for one in found.values()) for level in RISKS}
    )
    return dg.MaterializeResult(metadata=metadata, data_version=data_version(measured.ids.values()))


def _figures(found: Reports) -> dict[str, float | int | None]:
    """Figures over all programs."""
    rows = list(found.rows.values())
    out: dict[str, float | int | None] = {
        "programs": len(rows),
        "open_seats": sum(row.open_full for row in rows),
        "open_seats_as_rostered": sum(row.open_static for row in rows),
        "essential_people": sum(row.essential_people for row in rows),
        "people": sum(row.people for row in rows),
        "harmful_pairs": sum(row.harmful_pairs for row in rows),
        "least_losses": min((row.least_losses for row in rows if row.least_losses is not None), default=None),
        "new": len(found.new),
    }
    for name in ("n1_pass", "n2_pass"):
        passed = [getattr(row, name) for row in rows]
        out |= {f"{name[:2]}_holds": passed.count(True), f"{name[:2]}_fails": passed.count(False), f"{name[:2]}_unknown": passed.count(None)}
    return out
