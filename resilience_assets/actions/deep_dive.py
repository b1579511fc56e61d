"""The deep dive of every program, computed once for the same inputs, and the result of the nightly analysis.

Belongs here: asking it of a frozen roster, its rows as stored, reading them back. Does not belong here: the
mathematics (analysis.contingency), the report it dives into (contingency.py).

`findings` of a stored deep dive, people and posts by readable id: `new` (what differs from the one before; None where
there is none), `worst` (a row for 1, 2, .. people), `training`, `groups`, `hours`, `risk` (people and pairs by
expected loss), `centrality` (with its rank correlation to the true damage), `cascade`, `phase`, `critical`,
`recommendations`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from resilience_assets.actions import code_versions
from resilience_assets.actions.contingency import MOST_PAIRS, programs_by_days
from resilience_assets.actions.measure import Measured, Rows, measure, stored
from resilience_assets.actions.program_states import ProgramState
from resilience_assets.analysis.contingency.deep_dive import DeepDive, advice, deep_dive
from resilience_assets.analysis.contingency.groups import group_columns
from resilience_assets.analysis.contingency.hours import answer
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.probability import expected_seats, unannounced_on
from resilience_assets.analysis.contingency.report import Contingency, contingency
from resilience_assets.analysis.contingency.training import Exposure, Trained
from resilience_assets.analysis.contingency.worst import curve_columns
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import results
from resilience_assets.storage.columns import pack
from resilience_assets.storage.database import Database

MOST_ROWS = 20
"""Rows of each list that are kept; centrality is kept of everybody, in the detail."""
MOST_SHOWN = 5
"""Rows a program of a table over all programs."""
MOST_BROKEN = 10
"""Slots that are named of those that a worst set breaks."""

RESULT_KEYS = (
    "timestamp", "period", "n1_pass", "n1_vulnerabilities_count", "n2_pass", "n2_fatal_pairs_count", "phase_transition_risk",
    "most_critical_faculty", "recommendations",
)  # fmt: skip
"""The result of a contingency analysis, as programs read it."""


def measure_deep_dive(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState], days: int | None = None
) -> Measured:
    """The deep dive of every program with a roster, over `days` local dates beginning with today (the policy's when None)."""
    out = Measured()
    for asked, some in programs_by_days(policies, states, days).items():
        kind = results.over(results.DEEP_DIVE, asked)

        def rows(state: ProgramState, roster: Roster, policy: Policy, today: int, asked: int = asked, kind: str = kind) -> Rows:
            found = contingency(roster, policy, today, today + asked - 1, MOST_PAIRS)
            dive = deep_dive(roster, policy, found, today, today + asked - 1)
            findings = _findings(found, dive)
            findings["new"] = _new(_before(database, kind, state.id, today), findings)
            whole: dict[str, list[Any]] = {"days": [asked], "phase_risk": [dive.phase.level.text], "findings": [findings]}
            return {results.DEEP_DIVE: whole, results.DETAIL: {"blob": [_detail(found, dive)]}}

        out.add(measure(database, policies, as_of, some, kind, code_versions.DEEP_DIVE, rows))
    return out


def _before(database: Database, kind: str, program_id: int, today: int) -> tuple[int, dict[str, Any]] | None:
    """Local day and findings of the program's deep dive before; None where there is none."""
    with database.read() as connection:
        row = results.newest_result(connection, kind, program_id, today)
        if row is None:
            return None
        return row.local_day, results.whole_rows(connection, kind, [row.id])[row.id].findings


def _findings(found: Contingency, dive: DeepDive) -> dict[str, Any]:
    ids = [person.id for person in found.window.people]
    return {
        "worst": [row | {"broken": _broken(row["broken"])} for row in _records(curve_columns(dive.worst, found.window))],
        "training": _training(found, dive),
        "groups": [_dated(row) for row in _records(group_columns(dive.groups, found.window))[:MOST_ROWS]],
        "hours": _hours(dive, ids),
        "risk": _risk(found, dive, ids),
        "centrality": _centrality(dive, ids),
        "cascade": [
            {
                "person": ids[one.person], "slots_lost": one.slots_lost, "length": one.cascade.length, "failed": one.cascade.failed,
                "coverage": one.cascade.coverage, "catastrophic": one.cascade.catastrophic, "risk": one.risk,
            }
            for one in dive.cascade
        ],
        "phase": {"level": dive.phase.level.text, "points": dive.phase.points, "reasons": list(dive.phase.reasons), "missing": list(dive.phase.missing)},
        "critical": [ids[p] for p in dive.critical],
        "recommendations": advice(found, dive),
    }  # fmt: skip


def _records(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _broken(slots: list[tuple[int, str, int]]) -> list[dict[str, Any]]:
    return [{"date": day_text(day), "slot": slot, "seats": seats} for day, slot, seats in slots[:MOST_BROKEN]]


def _dated(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"worst_day": None if row["worst_day"] is None else day_text(row["worst_day"])}


def _training(found: Contingency, dive: DeepDive) -> dict[str, Any]:
    ids, posts = [person.id for person in found.window.people], [post.id for post in found.window.posts]

    def exposure(one: Exposure) -> dict[str, int]:
        return {"open": one.open, "seats": one.seats, "slots": one.slots}

    def row(one: Trained) -> dict[str, Any]:
        return {"person": ids[one.person], "post": posts[one.post], "before": exposure(one.before), "after": exposure(one.after)}

    return {"best": [row(one) for one in dive.training.best], "ranked": _records(dive.training.columns(ids, posts, MOST_ROWS))}


def _hours(dive: DeepDive, ids: list[str]) -> dict[str, Any]:
    check = dive.hours
    people, pairs = _records(check.people_columns(ids)), _records(check.pairs_columns(ids))
    worse = np.argsort(-check.people_worse_by, kind="stable")[:MOST_ROWS]
    return {
        "binds": check.binds, "today": answer(check.worse_by), "open": check.deficit, "open_within_hours": check.deficit_within,
        "people": [people[p] for p in worse if check.people_worse_by[p] > 0], "pairs": pairs,
    }  # fmt: skip


def _risk(found: Contingency, dive: DeepDive, ids: list[str]) -> dict[str, Any]:
    chance = unannounced_on(found.window, dive.rates.rate)
    expected = expected_seats(chance, found.minimum[Moves.FULL])
    order = [int(p) for p in np.argsort(-expected, kind="stable")[:MOST_ROWS] if expected[p] > 0]
    return {
        "people": [
            {
                "person": ids[p], "absent_share": round(float(dive.rates.rate[p]), 6), "days_on_record": int(dive.rates.days[p]),
                "days_away": int(dive.rates.away[p]), "expected_seats": round(float(expected[p]), 6),
            }
            for p in order
        ],
        "pairs": [
            {"first": ids[p], "second": ids[q], "expected_seats": round(seats, 6)}
            for (p, q), seats in zip(dive.risky_pairs.tolist(), dive.risky_seats.tolist(), strict=True)
        ],
    }  # fmt: skip


def _centrality(dive: DeepDive, ids: list[str]) -> dict[str, Any]:
    rows = _records(dive.centrality.columns(ids))
    order = sorted(range(len(rows)), key=lambda p: (-(rows[p]["composite"] or 0.0), p))
    return {
        "exact": dive.centrality.exact,
        "rank_correlation_with_true_damage": dict(dive.centrality.correlation),
        "people": [rows[p] for p in order[:MOST_ROWS]],
    }  # fmt: skip


def _new(before: tuple[int, dict[str, Any]] | None, now: dict[str, Any]) -> dict[str, Any] | None:
    """What differs from the deep dive before: the most critical people, the worst sets, the best trainings, phase risk."""
    if before is None:
        return None
    day, then = before
    seats_then = {row["losses"]: row["seats"] for row in then["worst"]}
    known = {(row["person"], row["post"]) for row in then["training"]["best"]}
    return {
        "since": day_text(day),
        "critical": [one for one in now["critical"] if one not in then["critical"]],
        "no_longer_critical": [one for one in then["critical"] if one not in now["critical"]],
        "worst": [
            {"losses": row["losses"], "seats": row["seats"], "before": seats_then.get(row["losses"], 0), "people": row["people"]}
            for row in now["worst"] if row["seats"] > seats_then.get(row["losses"], 0)
        ],
        "training": [row for row in now["training"]["best"] if (row["person"], row["post"]) not in known],
        "phase_risk": None if then["phase"]["level"] == now["phase"]["level"] else then["phase"]["level"],
    }  # fmt: skip


def _detail(found: Contingency, dive: DeepDive) -> bytes:
    """Centrality, rates of absence and gains of training of everybody."""
    central = dive.centrality
    names = ("betweenness", "degree", "eigenvector", "pagerank", "difficulty", "workload", "composite")
    header = {"people": [person.id for person in found.window.people], "posts": [post.id for post in found.window.posts]}
    gains = {f"gain_{name}": getattr(dive.training.gains, name).astype(np.int32) for name in ("open", "seats", "slots")}
    return pack(header, {name: getattr(central, name) for name in names} | {"absent_share": dive.rates.rate} | gains)


def deep_dives(database: Database, ids: Mapping[str, int]) -> dict[str, Any]:
    """Stored deep dives by program."""
    with database.read() as connection:
        whole = results.whole_rows(connection, results.DEEP_DIVE, list(ids.values()))
    return {program: whole[result_id] for program, result_id in sorted(ids.items()) if result_id in whole}


def tables(found: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Rows of deep dives for tables, by what they show; what is new first."""
    out: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("new_since_the_one_before", "to_do", "worst_people_together", "cross_training", "groups", "duty_hours", "by_risk", "cascade", "centrality_is_not_harm")
    }  # fmt: skip
    for program, row in found.items():
        one, who = row.findings, {"program": program}
        out["new_since_the_one_before"] += [who | line for line in _new_lines(one["new"])]
        out["to_do"] += [who | {"what": text} for text in one["recommendations"]]
        out["worst_people_together"] += [
            who | {"people": ", ".join(line["people"]), "lost": line["losses"], "seats": line["seats"], "at most": line["bound"], "proven": line["proven"]}
            for line in one["worst"]
        ]
        out["cross_training"] += [who | _training_line(line) for line in one["training"]["best"]]
        out["groups"] += [
            who | {"group": line["group"], "people": len(line["people"]), "seats": line["seats"], "slots": line["slots"], "worst": f"{line['worst_day'] or ''} {line['worst_slot'] or ''}".strip()}
            for line in one["groups"][:MOST_SHOWN]
        ]
        hours = one["hours"]
        out["duty_hours"].append(who | {"today": hours["today"], "open": hours["open"], "within hours": hours["open_within_hours"], "people for whom it is worse": len(hours["people"])})
        out["by_risk"] += [who | line for line in one["risk"]["people"][:MOST_SHOWN]]
        out["cascade"] += [who | line for line in one["cascade"] if line["risk"] != "low"][:MOST_SHOWN]
        out["centrality_is_not_harm"].append(who | one["centrality"]["rank_correlation_with_true_damage"])
    return out


def _training_line(line: dict[str, Any]) -> dict[str, Any]:
    before, after = line["before"], line["after"]
    return {"person": line["person"], "for": line["post"]} | {
        f"{words} {when}": side[name]
        for name, words in (("open", "open"), ("seats", "harm"), ("slots", "slots"))
        for when, side in (("before", before), ("after", after))
    }


def _new_lines(new: dict[str, Any] | None) -> list[dict[str, Any]]:
    if new is None:
        return []
    lines = [{"what": "most critical", "who": person} for person in new["critical"]]
    lines += [{"what": "no longer most critical", "who": person} for person in new["no_longer_critical"]]
    lines += [{"what": f"the worst {row['losses']} open {row['seats']} seat-slots, before {row['before']}", "who": ", ".join(row["people"])} for row in new["worst"]]
    lines += [{"what": f"train for {row['post']}", "who": row["person"]} for row in new["training"]]
    lines += [{"what": f"phase risk was {new['phase_risk']}", "who": ""}] if new["phase_risk"] else []
    return [line | {"since": new["since"]} for line in lines]


def analysis_results(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState], days: int | None = None
) -> dict[str, dict[str, Any]]:
    """What the nightly analysis found, by program, with exactly RESULT_KEYS; only programs that have both results."""
    out: dict[str, dict[str, Any]] = {}
    for asked, some in programs_by_days(policies, states, days).items():
        report_ids = stored(database, policies, as_of, some, results.over(results.CONTINGENCY, asked), code_versions.CONTINGENCY)
        dive_ids = stored(database, policies, as_of, some, results.over(results.DEEP_DIVE, asked), code_versions.DEEP_DIVE)
        dives = deep_dives(database, dive_ids)
        with database.read() as connection:
            reports = results.whole_rows(connection, results.CONTINGENCY, list(report_ids.values()), findings=False)
        for program, dive in dives.items():
            if program in report_ids:
                out[program] = _result(as_of, reports[report_ids[program]], dive)
    return dict(sorted(out.items()))


def _result(as_of: dt.datetime, report: Any, dive: Any) -> dict[str, Any]:
    values = (
        as_of.isoformat(), f"{report.days} days", report.n1_pass, report.essential_people, report.n2_pass, report.harmful_pairs,
        dive.phase_risk, dive.findings["critical"], dive.findings["recommendations"],
    )  # fmt: skip
    return dict(zip(RESULT_KEYS, values, strict=True))
