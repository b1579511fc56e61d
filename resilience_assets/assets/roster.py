"""Group `roster`: the rosters of all programs, validated and frozen.

Belongs here: the `roster` asset. Does not belong here: reading files (exchange), checks (checks).
"""

from typing import Any

import dagster as dg

from resilience_assets.actions.freeze import freeze_rosters, import_age_hours
from resilience_assets.actions.program_states import ProgramState
from resilience_assets.assets.metadata import FRESH, OWNERS, data_version, figures, table
from resilience_assets.resources.as_of import AsOf, as_of
from resilience_assets.resources.deployment import Deployment
from resilience_assets.resources.failures import told_apart


@dg.asset(
    group_name="roster",
    kinds={"python", "sqlalchemy"},
    owners=OWNERS,
    code_version="1",
    freshness_policy=FRESH,
    description=(
        "Who covers which service, when: the roster of every program, validated and frozen under a content hash.\n\n"
        "A program whose newest roster breaks a rule keeps its last accepted one and is shown grey with its age; the "
        "checks name program, file, row and rule. The data version is the content of all rosters: the same roster "
        "imported again leaves everything downstream fresh, one changed cell marks it stale."
    ),
)
def roster(context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """Freeze what moved and report what holds."""
    moment = as_of(context)
    with told_apart():
        states = freeze_rosters(deployment.database, deployment.policies(), moment.instant, live=moment.live)
    version = data_version(f"{state.code} {state.frozen.content_hash if state.frozen else ''}" for state in states)
    return dg.MaterializeResult(metadata=_metadata(states, moment), data_version=version)


def _metadata(states: list[ProgramState], moment: AsOf) -> dict[str, Any]:
    ages = {state.code: import_age_hours(state.imported_at, moment.instant) for state in states}
    refused = [state for state in states if state.frozen and not state.frozen.accepted]
    known = [age for age in ages.values() if age is not None]
    rows = [
        {
            "program": state.code,
            "roster": "none" if not state.frozen else "accepted" if state.frozen.accepted else "refused",
            "revision": state.revision,
            "version": state.frozen.content_hash[:12] if state.frozen else "",
            "accepted at": f"{state.frozen.accepted_at:%Y-%m-%d %H:%M} UTC" if state.frozen and state.frozen.accepted_at else "",
            "imported hours ago": ages[state.code],
        }
        for state in states
    ]
    return {"rosters": table(rows), "as_of": dg.MetadataValue.timestamp(moment.instant)} | figures(
        {
            "programs": len(states),
            "refused": len(refused),
            "without_roster": sum(state.version_id is None for state in states),
            "oldest_import_hours": max(known, default=None),
        }
    )
