"""Measure frozen rosters: utilization and redundancy, each computed once for the same inputs.

Belongs here: which results are missing, loading the rosters for them, storing. Does not belong
here: the formulas (analysis).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from resilience_assets.actions import code_versions
from resilience_assets.actions.freeze import BATCH
from resilience_assets.actions.program_states import ProgramState
from resilience_assets.analysis.redundancy import redundancy
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.days import local_day
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import results, versions
from resilience_assets.storage.database import Database
from resilience_assets.storage.results import ResultKey

Rows = dict[str, dict[str, list[Any]]]
Compute = Callable[[ProgramState, Roster, Policy, int], Rows]
"""Rows of a result, by their kind, of a program's roster under its policy from a local day on."""


@dataclass
class Measured:
    """Results of one kind: ids by program, how many were computed now and found, why some could not be."""

    ids: dict[int, int] = field(default_factory=dict)
    computed: int = 0
    found: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, other: Measured) -> None:
        """Take in what was measured of other programs."""
        self.ids |= other.ids
        self.failed |= other.failed
        self.computed, self.found = self.computed + other.computed, self.found + other.found


def measure_utilization(database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState]) -> Measured:
    """Utilization and coverage of every program with a roster, over the health check's horizon."""
    return measure(database, policies, as_of, states, results.UTILIZATION, code_versions.UTILIZATION, _utilization_rows)


def measure_redundancy(database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState]) -> Measured:
    """Redundancy of every service of every program with a roster, over the health check's horizon."""
    return measure(database, policies, as_of, states, results.REDUNDANCY, code_versions.REDUNDANCY, _redundancy_rows)


def rows(database: Database, kind: str, ids: Sequence[int], scope: str | None = None) -> pd.DataFrame:
    """The stored rows of results; with `scope` those of it for the whole horizon."""
    with database.read() as connection:
        return results.rows_of(connection, kind, ids, scope)


def result_key(state: ProgramState, policies: Policies, code_version: str, as_of: dt.datetime) -> ResultKey | None:
    """The key of a program's result at an instant; None where there is no roster to compute it from."""
    if state.version_id is None:
        return None
    policy_hash = policies.version_for(state.code)
    return ResultKey(state.id, state.version_id, policy_hash, code_version, local_day(as_of, state.time_zone))


def stored(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState], kind: str, code_version: str
) -> dict[str, int]:
    """Ids of results that are on record already, by readable id of the program."""
    keys = {state.code: result_key(state, policies, code_version, as_of) for state in states}
    with database.read() as connection:
        found = results.find_results(connection, kind, [key for key in keys.values() if key is not None])
    return {code: found[key] for code, key in keys.items() if key is not None and key in found}


def window(state: ProgramState, policy: Policy, as_of: dt.datetime) -> tuple[int, int]:
    """First and last epoch day of the health check's horizon: local dates beginning with today."""
    today = local_day(as_of, state.time_zone)
    return today, _last(policy, today)


def _last(policy: Policy, today: int) -> int:
    return today + policy.health.horizon_days - 1


def loaded(database: Database, version_ids: Sequence[int]) -> Iterator[dict[int, Roster]]:
    """Rosters by version id, a batch at a time, so that memory stays bounded."""
    for low in range(0, len(version_ids), BATCH):
        with database.read() as connection:
            read = versions.load_rosters(connection, version_ids[low : low + BATCH])
        yield {version_id: roster for version_id, (roster, _) in read.items()}


def measure(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState],
    kind: str, code_version: str, compute: Compute,
) -> Measured:  # fmt: skip
    """Results of one kind for every program with a roster: those on record, and the missing ones computed and stored.

    A program for which `compute` raises is in `failed`; the others go on.
    """
    by_key = {key: state for state in states if (key := result_key(state, policies, code_version, as_of)) is not None}
    with database.read() as connection:
        found = results.find_results(connection, kind, list(by_key))
    out = Measured({key.program_id: result_id for key, result_id in found.items()}, found=len(found))
    by_version = {key.version_id: key for key in by_key if key not in found}
    _keep_policies(database, policies, {key.policy_hash: by_key[key].code for key in by_version.values()}, as_of)
    for rosters in loaded(database, sorted(by_version)):
        fresh = []
        for version_id, roster in rosters.items():
            key = by_version[version_id]
            state = by_key[key]
            policy = policies.for_program(state.code)
            try:
                fresh.append((key, compute(state, roster, policy, key.local_day)))
            except (ArithmeticError, LookupError, ValueError) as error:
                out.failed[state.code] = f"{type(error).__name__}: {error}"
        with database.write() as connection:
            ids = results.store_results(connection, kind, fresh, as_of)
        out.ids |= {key.program_id: result_id for key, result_id in ids.items()}
        out.computed += len(fresh)
    return out


def _keep_policies(database: Database, policies: Policies, code_of: dict[str, str], as_of: dt.datetime) -> None:
    if not code_of:
        return
    with database.write() as connection:
        for policy_hash, code in code_of.items():
            results.store_policy(connection, policy_hash, policies.text_for(code), as_of)


def _utilization_rows(_state: ProgramState, roster: Roster, policy: Policy, today: int) -> Rows:
    return {results.UTILIZATION: utilization(roster, policy, today, _last(policy, today)).columns()}


def _redundancy_rows(_state: ProgramState, roster: Roster, policy: Policy, today: int) -> Rows:
    found = redundancy(roster, policy, today, _last(policy, today))
    columns: dict[str, list[Any]] = {
        "service": [one.service for one in found],
        "tier": [one.tier for one in found],
        "level": [one.level.text for one in found],
        "spare": [one.spare for one in found],
        "present": [one.present for one in found],
        "minimum": [one.minimum for one in found],
        "day": [one.day for one in found],
        "slot": [one.slot for one in found],
        "posts": [", ".join(one.posts) for one in found],
        "call_in_level": [one.call_in_level.text for one in found],
        "call_in_spare": [one.call_in_spare for one in found],
        "slots_judged": [one.slots_judged for one in found],
    }
    return {results.REDUNDANCY: columns}
