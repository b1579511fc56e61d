"""Checks of the contingency assets: is everybody in the report, and is what it says possible?

Belongs here: completeness and consistency of stored reports. Does not belong here: whether N-1 holds, which is a
finding and fails no check.
"""

import dagster as dg

from resilience_assets.actions import completeness
from resilience_assets.assets.contingency import contingency_deep_dive, contingency_report
from resilience_assets.checks.verdict import every_program_has, verdict_check
from resilience_assets.storage import results


def checks() -> list[dg.AssetChecksDefinition]:
    """All checks of the contingency group."""
    return [
        every_program_has(contingency_report, results.CONTINGENCY),
        verdict_check(
            contingency_report, "every_person_is_in_the_report", "One row a person of the roster, no more and no less.",
            lambda here, instant: completeness.every_person_reported(here.database, here.policies(), instant),
        ),
        verdict_check(
            contingency_report, "moves_only_help",
            "The more people may be moved, the fewer seats stay open: anyone <= call-in <= free people <= as rostered, today and after every single loss.",
            lambda here, instant: completeness.moves_only_help(here.database, here.policies(), instant),
        ),
        verdict_check(
            contingency_report, "open_today_is_no_pass", "A program with a seat open today passes neither N-1 nor N-2.",
            lambda here, instant: completeness.open_today_is_no_pass(here.database, here.policies(), instant),
        ),
        every_program_has(contingency_deep_dive, results.DEEP_DIVE),
    ]  # fmt: skip
