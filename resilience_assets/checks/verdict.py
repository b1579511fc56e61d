"""One factory for checks whose verdict is an action's: what was looked at, what is wrong.

Belongs here: turning a verdict into a check. Does not belong here: judging (actions.completeness).
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import dagster as dg

from resilience_assets.actions import completeness
from resilience_assets.actions.completeness import Verdict
from resilience_assets.assets.metadata import table
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart

Judge = Callable[[Deployment, dt.datetime], Verdict]


def shown(verdict: Verdict) -> dg.AssetCheckResult:
    """Passed when nothing is wrong, else an error with a table of what is."""
    metadata: dict[str, Any] = {"looked_at": verdict.looked_at, "wrong": len(verdict.wrong)}
    if verdict.wrong:
        metadata["where"] = table(verdict.wrong)
    return dg.AssetCheckResult(
        passed=not verdict.wrong, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata, description=verdict.sentence or None
    )


def verdict_check(asset: dg.AssetsDefinition, name: str, description: str, judge: Judge) -> dg.AssetChecksDefinition:
    """A check that asks `judge` about the instant that the run speaks of."""

    @dg.asset_check(asset=asset, name=name, description=description)
    def check(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
        moment = as_of(context)
        with told_apart():
            return shown(judge(deployment, moment.instant))

    return check


def every_program_has(asset: dg.AssetsDefinition, kind: str) -> dg.AssetChecksDefinition:
    """Whether every program with an accepted roster has today's result of a kind."""
    words = kind.replace("_", " ")
    return verdict_check(
        asset, f"every_program_has_{kind}", f"Every program with an accepted roster has its {words} for today.",
        lambda here, instant: completeness.every_program_measured(here.database, here.policies(), instant, kind),
    )  # fmt: skip
