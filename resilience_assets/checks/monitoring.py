"""Checks of the monitoring assets: did every program get a figure, and is it a possible one?

Belongs here: completeness and consistency of stored results. Does not belong here: thresholds of
alarm (policy), which open incidents and fail no check.
"""

import datetime as dt
from typing import Any

import dagster as dg

from resilience_assets.actions import completeness
from resilience_assets.actions.completeness import Verdict
from resilience_assets.assets.metadata import table
from resilience_assets.assets.monitoring import incidents, service_redundancy, system_health, utilization_snapshot
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart
from resilience_assets.storage import results


def _result(verdict: Verdict) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"looked_at": verdict.looked_at, "wrong": len(verdict.wrong)}
    if verdict.wrong:
        metadata["where"] = table(verdict.wrong)
    return dg.AssetCheckResult(
        passed=not verdict.wrong, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata, description=verdict.sentence or None
    )


def _every_program_measured(asset: dg.AssetsDefinition, kind: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=asset, name=f"every_program_has_{kind}", description=f"Every program with an accepted roster has its {kind} for today."
    )
    def check(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
        moment = as_of(context)
        with told_apart():
            return _result(completeness.every_program_measured(deployment.database, deployment.policies(), moment.instant, kind))

    return check


@dg.asset_check(
    asset=utilization_snapshot, name="figures_add_up",
    description="No coverage outside 0 to 1, no more seats open than required, services add up to their program.",
)  # fmt: skip
def figures_add_up(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails when stored figures contradict each other."""
    moment = as_of(context)
    with told_apart():
        return _result(completeness.figures_add_up(deployment.database, deployment.policies(), moment.instant))


@dg.asset_check(asset=system_health, name="every_program_has_a_headline", description="Every program was judged in this check; none is left out.")
def every_program_has_a_headline(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails for a program without a headline as of the newest materialization: this run's, or when run alone the last one's."""
    event = context.instance.get_latest_materialization_event(system_health.key)
    told = event.asset_materialization.metadata.get("as_of") if event and event.asset_materialization else None
    instant = dt.datetime.fromtimestamp(told.value, dt.UTC) if isinstance(told, dg.TimestampMetadataValue) else as_of(context).instant
    with told_apart():
        return _result(completeness.every_program_judged(deployment.database, instant))


@dg.asset_check(asset=incidents, name="every_reading_was_taken", description="No reading of the health check is still waiting for the alert rules.")
def every_reading_was_taken(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails when headlines exist that no alert rule has seen."""
    with told_apart():
        return _result(completeness.every_reading_taken(deployment.database))


def checks() -> list[dg.AssetChecksDefinition]:
    """All checks of the monitoring group."""
    return [
        _every_program_measured(utilization_snapshot, results.UTILIZATION),
        _every_program_measured(service_redundancy, results.REDUNDANCY),
        figures_add_up,
        every_program_has_a_headline,
        every_reading_was_taken,
    ]
