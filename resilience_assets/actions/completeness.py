"""Is there a result for every program, and do the figures agree with each other?

Belongs here: questions over stored results that the asset checks ask. Does not belong here:
computing results (measure.py, check_health.py).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from resilience_assets.actions import code_versions
from resilience_assets.actions.evaluate_alerts import SOURCE
from resilience_assets.actions.measure import result_key, stored
from resilience_assets.actions.program_states import program_states
from resilience_assets.policy import Policies
from resilience_assets.storage import incidents, results
from resilience_assets.storage.database import Database

CODE = {
    results.UTILIZATION: code_versions.UTILIZATION, results.REDUNDANCY: code_versions.REDUNDANCY,
    results.CONTINGENCY: code_versions.CONTINGENCY, results.DEEP_DIVE: code_versions.DEEP_DIVE,
}  # fmt: skip
AHEAD = (results.CONTINGENCY, results.DEEP_DIVE)
"""Kinds that look as far ahead as they were asked to."""


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
        found = results.find_results(connection, _any_days(kind), [key for key in keys.values() if key is not None])
    wrong = [{"program": code, "reason": f"no {kind.replace('_', ' ')} for today"} for code, key in keys.items() if key not in found]
    return Verdict(len(states), wrong)


def _any_days(kind: str) -> str:
    return f"{kind}/" if kind in AHEAD else kind


def _newest_reports(database: Database, policies: Policies, as_of: dt.datetime) -> dict[str, int]:
    """Ids of today's contingency reports by program."""
    states = program_states(database, as_of)
    return stored(database, policies, as_of, states, _any_days(results.CONTINGENCY), code_versions.CONTINGENCY)


def every_person_reported(database: Database, policies: Policies, as_of: dt.datetime) -> Verdict:
    """Whether today's contingency reports have exactly one row for each person of their roster."""
    ids = _newest_reports(database, policies, as_of)
    with database.read() as connection:
        whole = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()), findings=False)
        rows = results.rows_of(connection, results.CONTINGENCY_PERSON, list(ids.values()))
    told: dict[int, list[str]] = {result_id: [] for result_id in ids.values()}
    for result_id, person in zip(rows["result_id"].tolist(), rows["person"].tolist(), strict=True):
        told[result_id].append(person)
    wrong = []
    for program, result_id in ids.items():
        people, count, distinct = whole[result_id].people, len(told[result_id]), len(set(told[result_id]))
        if not count == distinct == people:
            wrong.append({"program": program, "reason": f"{people} people, {count} rows, {distinct} different"})
    return Verdict(len(rows), wrong)


def moves_only_help(database: Database, policies: Policies, as_of: dt.datetime) -> Verdict:
    """Whether fewer seats stay open the more people may be moved: today, and after the loss of each person."""
    ids = _newest_reports(database, policies, as_of)
    with database.read() as connection:
        whole = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()), findings=False)
        rows = results.rows_of(connection, results.CONTINGENCY_PERSON, list(ids.values()))
    order = ("static", "direct", "call_in", "full")
    program_of = {result_id: program for program, result_id in ids.items()}
    wrong = []
    for less, more in pairwise(order):
        for result_id, row in whole.items():
            if getattr(row, f"open_{more}") > getattr(row, f"open_{less}"):
                wrong.append({"program": program_of[result_id], "reason": f"more seats open by {more} than by {less}"})
        now = {name: rows["result_id"].map({id: getattr(row, f"open_{name}") for id, row in whole.items()}) for name in (less, more)}
        after = {name: now[name] + rows[f"slots_lost_{name}"] for name in (less, more)}
        for one in rows[after[more] > after[less]].head(5).to_dict("records"):
            wrong.append({"program": program_of[one["result_id"]], "reason": f"{one['person']}: more seats open by {more} than by {less}"})
    return Verdict(len(whole) + len(rows), wrong)


def open_today_is_no_pass(database: Database, policies: Policies, as_of: dt.datetime) -> Verdict:
    """Whether N-1 and N-2 hold nowhere with a seat open today, and N-2 nowhere without N-1."""
    ids = _newest_reports(database, policies, as_of)
    with database.read() as connection:
        whole = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()), findings=False)
    wrong = []
    for program, result_id in ids.items():
        row = whole[result_id]
        if row.open_full and (row.n1_pass is not False or row.n2_pass is not False):
            wrong.append({"program": program, "reason": f"{row.open_full} seats open, and N-1 or N-2 does not fail"})
        if row.n2_pass and not row.n1_pass:
            wrong.append({"program": program, "reason": "N-2 holds and N-1 does not"})
    return Verdict(len(whole), wrong)


def unreported_is_unknown(database: Database, as_of: dt.datetime) -> Verdict:
    """Whether every newest headline without a contingency report has unknown N-1 and N-2."""
    with database.read() as connection:
        heads = results.newest_headlines(connection, as_of=as_of)
    bare = [row for row in heads if row.contingency_id is None]
    wrong = [row for row in bare if row.n1_pass is not None or row.n2_pass is not None]
    return Verdict(len(heads), [{"program": row.program, "reason": "N-1 or N-2 known without a report"} for row in wrong])


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
