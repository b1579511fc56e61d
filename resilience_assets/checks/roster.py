"""Checks of `roster`: a check a rule, over the newest roster of every program.

Belongs here: turning stored findings into check results with one table of program, file, row, rule.
Does not belong here: finding anything (analysis.roster_checks).
"""

from typing import Any

import dagster as dg

from resilience_assets.actions.roster_findings import RuleFindings, no_roster, roster_findings
from resilience_assets.analysis.roster_checks import RULES
from resilience_assets.assets.metadata import table
from resilience_assets.assets.roster import roster
from resilience_assets.domain.findings import Severity
from resilience_assets.resources.as_of import as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart

MEANING = {
    "double_booking": "Nobody is in two places at once.",
    "demand_range": "No demand is below zero, and no minimum above what is required.",
    "unknown_id": "Every row names people, posts, shifts and slots that exist.",
    "unqualified": "Whoever holds a post is qualified for it on that date; who is not is counted and fills no seat.",
    "assigned_while_absent": "Nobody is assigned on a date on which the source has them away.",
    "overlapping_absences": "No two absences of a person overlap.",
    "stale_import": "Every roster was imported recently enough to be believed.",
    "no_demand": "Every program has demand in the coming days: without it, nothing can be short.",
}


def _check(rule: str, severity: Severity) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=roster, name=rule, description=MEANING[rule])
    def check(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
        moment = as_of(context)
        with told_apart():
            found = roster_findings(deployment.database, deployment.policies(), moment.instant, rule)
        return _result(found, rule, severity)

    return check


def _result(found: RuleFindings, rule: str, severity: Severity) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"programs": found.programs, "programs_affected": len(found.sentences), "found": found.count}
    shown = {row["program"] for row in found.rows}
    # a program that cannot be laid out at all has no cell to point at: its reason stands in for one
    rows = [*found.rows, *({"program": code, "rule": rule, "reason": text} for code, text in found.sentences.items() if code not in shown)]
    if rows:
        metadata["where"] = table(rows)
    graver = dg.AssetCheckSeverity.ERROR if severity is Severity.ERROR else dg.AssetCheckSeverity.WARN
    text = "; ".join(f"{program}: {sentence}" for program, sentence in found.sentences.items())
    return dg.AssetCheckResult(passed=not found.sentences, severity=graver, metadata=metadata, description=text[:1000] or None)


@dg.asset_check(asset=roster, name="has_roster", description="There is at least one program, and every program has an accepted roster.")
def has_roster(context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Fails on an empty database, and for a program whose roster was never accepted."""
    moment = as_of(context)
    with told_apart():
        reasons = no_roster(deployment.database, moment.instant)
    return dg.AssetCheckResult(
        passed=not reasons, severity=dg.AssetCheckSeverity.ERROR, metadata={"programs_affected": len(reasons)},
        description="; ".join(reasons)[:1000] or None,
    )  # fmt: skip


def checks() -> list[dg.AssetChecksDefinition]:
    """All checks of the roster."""
    return [has_roster, *(_check(rule, severity) for rule, severity in RULES.items())]
