"""Is there a result for every program, and do the figures agree with each other?

Belongs here: questions over stored results that the asset checks ask. Does not belong here:
computing results (measure.py, check_health.py).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from resilience_assets.actions import code_versions
from resilience_assets.actions.evaluate_alerts import SOURCE
from resilience_assets.actions.freeze import program_states
from resilience_assets.actions.measure import result_key
from resilience_assets.policy import Policies
from resilience_assets.storage import incidents, results
from resilience_assets.storage.database import Database

CODE = {results.UTILIZATION: code_versions.UTILIZATION, results.REDUNDANCY: code_versions.REDUNDANCY}


@dataclass(frozen=True)
class Verdict:
    """How much was looked at, and what is wrong (one row each, with the program and the reason)."""

    looked_at: int
    wrong: list[dict[str, Any]]

    @property
    def sentence(self) -> str:
        """The first few wrong things; '' when nothing is."""
        return "; ".join(f"{row['program']}: {row['reason']}" for row in self.wrong[:5])


def every_program_measured(database: Database, policies: Policies, as_of: dt.datetime, kind: str) -> Verdict:
    """Whether every program with an accepted roster has a result of this kind for this instant."""
    states = [state for state in program_states(database, as_of) if state.version_id is not None]
    keys = {state.code: result_key(state, policies, CODE[kind], as_of) for state in states}
    with database.read() as connection:
        found = results.find_results(connection, kind, [key for key in keys.values() if key is not None])
    wrong = [{"program": code, "reason": f"no {kind} for today"} for code, key in keys.items() if key not in found]
    return Verdict(len(states), wrong)


def figures_add_up(database: Database, policies: Policies, as_of: dt.datetime) -> Verdict:
    """Whether the utilization rows of the newest results contradict themselves."""
    states = {state.code: state for state in program_states(database, as_of)}
    keys = {code: result_key(state, policies, code_versions.UTILIZATION, as_of) for code, state in states.items()}
    with database.read() as connection:
        found = results.find_results(connection, results.UTILIZATION, [key for key in keys.values() if key is not None])
        rows = results.rows_of(connection, results.UTILIZATION, list(found.values()))
    code_of = {found[key]: code for code, key in keys.items() if key in found}
    rows = rows.assign(program=rows["result_id"].map(code_of))
    wrong = []
    impossible = rows[(rows["coverage"] < 0) | (rows["coverage"] > 1) | (rows["open_seats"] > rows["required"]) | (rows["open_seats"] < 0)]
    for row in impossible.head(20).itertuples(index=False):
        wrong.append({"program": row.program, "reason": f"{row.scope} {row.key}: coverage {row.coverage}, {row.open_seats} open of {row.required}"})
    whole = rows[rows["day"].isna()]
    sums = whole.pivot_table(index="program", columns="scope", values="required", aggfunc="sum") if len(whole) else None
    if sums is not None and {"program", "service"} <= set(sums.columns):
        for code in sums.index[(sums["program"] - sums["service"]).abs() > 1e-9]:
            wrong.append({"program": code, "reason": "the services do not add up to the program"})
    return Verdict(len(rows), wrong)


def every_program_judged(database: Database, as_of: dt.datetime) -> Verdict:
    """Whether every program that existed has a headline as of this instant."""
    states = program_states(database, as_of)
    with database.read() as connection:
        judged = {row.program for row in results.newest_headlines(connection, as_of=as_of) if row.as_of == as_of}
    return Verdict(len(states), [{"program": state.code, "reason": "not judged"} for state in states if state.code not in judged])


def every_reading_taken(database: Database) -> Verdict:
    """Whether the alert rules have seen every headline."""
    with database.read() as connection:
        waiting = results.headlines_after(connection, incidents.last_reading(connection, SOURCE))
    return Verdict(len(waiting), [{"program": row.program, "reason": f"reading {row.id} waits"} for row in waiting])
