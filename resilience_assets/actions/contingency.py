"""The contingency report of every program, computed once for the same inputs.

Belongs here: asking the report of a frozen roster, its rows as stored, and reading them back. Does not belong here:
the mathematics (analysis.contingency), the deep dive (deep_dive.py).

`findings` of a stored report: `new` (what became worse since the report before; None where there is none), `thinnest`
(the slots that the fewest losses break, with their witness), `classes` (who backs whom up), `pairs` (how many pairs
open so many seats), `open` (seats open now), `phase` (the indicators of phase risk over the health check's horizon).
The detail of a report holds the labels of every slot and, for that horizon, the covers of every post with a minimum.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from resilience_assets.actions import code_versions
from resilience_assets.actions.measure import Measured, Rows, measure
from resilience_assets.actions.program_states import ProgramState
from resilience_assets.analysis.contingency.backing import backings
from resilience_assets.analysis.contingency.changes import Changes, Known, changes
from resilience_assets.analysis.contingency.covers import covers_of_window
from resilience_assets.analysis.contingency.margin import NO_DEMAND
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.probability import (
    AbsenceRates,
    absence_rates,
    expected_seats,
    expected_seats_of_pair,
    unannounced_on,
)
from resilience_assets.analysis.contingency.report import Contingency, contingency, phase_of
from resilience_assets.analysis.phase_risk import PhaseRiskReading
from resilience_assets.analysis.utilization import utilization
from resilience_assets.domain.days import day_text
from resilience_assets.domain.roster import Roster
from resilience_assets.policy import Policies, Policy
from resilience_assets.storage import results
from resilience_assets.storage.columns import pack
from resilience_assets.storage.database import Database

MOST_PAIRS = 20
MOST_OPEN = 50
"""Open seats and changes that are listed; their number is stored whole."""
MOST_DAYS = 366
"""That a report may look ahead."""
DIGITS = 6
"""Of shares and expectations as stored."""
MOST_LINES = 50
"""Lines of a table over all programs."""


@dataclass(frozen=True)
class Reports:
    """Stored reports of several programs, and rows of them for tables: what is new and people and pairs, the gravest first."""

    rows: dict[str, Any]
    new: list[dict[str, Any]]
    by_program: list[dict[str, Any]]
    people: list[dict[str, Any]]
    pairs: list[dict[str, Any]]


def days_ahead(policy: Policy, asked: int | None) -> int:
    """Local dates that a report speaks of: as asked, else as the policy says. ValueError for none, and for more than a year."""
    if asked is not None and not 1 <= asked <= MOST_DAYS:
        raise ValueError(f"days_ahead is {asked}: give 1 to {MOST_DAYS} dates")
    return policy.roster.days_ahead if asked is None else asked


def measure_contingency(
    database: Database, policies: Policies, as_of: dt.datetime, states: Sequence[ProgramState], days: int | None = None
) -> Measured:
    """The report of every program with a roster, over `days` local dates beginning with today (the policy's when None)."""
    out = Measured()
    for asked, some in programs_by_days(policies, states, days).items():
        kind = results.over(results.CONTINGENCY, asked)

        def rows(state: ProgramState, roster: Roster, policy: Policy, today: int, asked: int = asked, kind: str = kind) -> Rows:
            found = contingency(roster, policy, today, today + asked - 1, MOST_PAIRS)
            return _rows(roster, found, policy, today, asked, _before(database, kind, state.id, found.window))

        out.add(measure(database, policies, as_of, some, kind, code_versions.CONTINGENCY, rows))
    return out


def programs_by_days(policies: Policies, states: Sequence[ProgramState], asked: int | None) -> dict[int, list[ProgramState]]:
    """Programs by how far ahead is looked."""
    out: dict[int, list[ProgramState]] = {}
    for state in states:
        out.setdefault(days_ahead(policies.for_program(state.code), asked), []).append(state)
    return out


def _before(database: Database, kind: str, program_id: int, window: Roster) -> Known | None:
    """What the program's report before said; None where there is none that divides the day as this one."""
    with database.read() as connection:
        row = results.newest_result(connection, kind, program_id, window.first_day)
        read = None if row is None else results.detail_of(connection, row.id)
    if read is None or len(read[0]["slots"]) != window.per_day:
        return None
    header, columns = read
    people = tuple(header["people"])
    return Known(header["first_day"], window.per_day, people, columns["label"], columns["deficit"], columns["survives"])


def _rows(roster: Roster, found: Contingency, policy: Policy, today: int, days: int, before: Known | None) -> Rows:
    near = policy.health.horizon_days
    full = found.minimum[Moves.FULL]
    used = utilization(roster, policy, today, today + near - 1).of_program()
    phase = phase_of(found, used, policy, near)
    columns = {
        "days": days, "missing_days": found.missing_days, "people": len(found.window.people), "unqualified": found.unqualified,
        **{f"open_{moves.name.lower()}": found.open_seats(moves) for moves in Moves},
        "open_required_full": int(found.required[Moves.FULL].deficit.sum()),
        "n1_pass": found.n1_pass, "n2_pass": found.n2_pass,
        "n1_pass_near": found.passes(1, days=near), "n2_pass_near": found.passes(2, days=near),
        "essential_people": int((full.slots_lost > 0).sum()), "harmful_pairs": found.pairs.harmful,
        "least_losses": _least_losses(found), "phase_risk": phase.level.text, "findings": _findings(found, phase, before),
    }  # fmt: skip
    rates = absence_rates(roster, policy.absence, today)
    covers = covers_of_window(roster, policy, today, today + min(near, days) - 1).columns()
    return {
        results.CONTINGENCY: {name: [value] for name, value in columns.items()},
        results.CONTINGENCY_PERSON: _people(found, rates),
        results.CONTINGENCY_PAIR: _pairs(found, rates),
        results.DETAIL: {"blob": [_detail(found, covers)]},
    }


def _people(found: Contingency, rates: AbsenceRates) -> dict[str, list[Any]]:
    columns = found.people_columns()
    columns["slots_lost_full"] = columns.pop("slots_lost")
    columns["posts_lost"] = [", ".join(posts) for posts in columns["posts_lost"]]
    for moves in (Moves.STATIC, Moves.DIRECT, Moves.CALL_IN):
        columns[f"slots_lost_{moves.name.lower()}"] = found.minimum[moves].slots_lost.tolist()
    chance = unannounced_on(found.window, rates.rate)
    columns["absent_share"] = rates.rate.round(DIGITS).tolist()
    columns["expected_slots"] = expected_seats(chance, found.minimum[Moves.FULL]).round(DIGITS).tolist()
    return columns


def _pairs(found: Contingency, rates: AbsenceRates) -> dict[str, list[Any]]:
    chance, full = unannounced_on(found.window, rates.rate), found.minimum[Moves.FULL]
    pairs = found.pairs.worst_by_seats[:, 2:].tolist()
    return found.pairs_columns() | {"expected_seats": [round(expected_seats_of_pair(chance, full, p, q), DIGITS) for p, q in pairs]}


def _least_losses(found: Contingency) -> int | None:
    losses = found.margin.losses
    asked = losses[losses != NO_DEMAND]
    return int(asked.min()) if asked.size else None


def _known(found: Contingency) -> Known:
    full = found.minimum[Moves.FULL]
    people = tuple(person.id for person in found.window.people)
    return Known(found.window.first_day, found.window.per_day, people, full.label, full.deficit, full.survives)


def _detail(found: Contingency, covers: dict[str, list[Any]]) -> bytes:
    """Labels, deficits and margins of every slot (a lossless form of the loss of every person and every pair), covers."""
    window, margin = found.window, found.margin
    header = {
        "first_day": window.first_day, "slots": [slot.code for slot in window.program.slot_types],
        "people": [person.id for person in window.people], "posts": [post.id for post in window.posts],
        "covers": covers,
    }  # fmt: skip
    full = found.minimum[Moves.FULL]
    columns: dict[str, Any] = {
        "label": full.label, "deficit": full.deficit.astype(np.int16), "survives": full.survives.astype(np.int8),
        "slack": np.minimum(margin.slack, np.iinfo(np.int16).max).astype(np.int16), "thin_posts": margin.posts,
        "thin_people": margin.people.astype(np.int16), "thin_demand": margin.demand.astype(np.int16),
    }  # fmt: skip
    for moves in Moves:
        columns[f"open_{moves.name.lower()}"] = found.minimum[moves].deficit.astype(np.int16)
        columns[f"open_required_{moves.name.lower()}"] = found.required[moves].deficit.astype(np.int16)
    return pack(header, columns)


def _findings(found: Contingency, phase: PhaseRiskReading, before: Known | None) -> dict[str, Any]:
    slots = found.slots_columns()
    people = [person.id for person in found.window.people]

    def place(t: int) -> dict[str, Any]:
        return {"date": day_text(slots["day"][t]), "slot": slots["slot"][t]}

    thinnest = [
        place(t) | {"losses": slots["losses"][t], "posts": slots["thin_posts"][t], "people": slots["thin_people"][t], "spare": slots["spare"][t]}
        for t in found.thinnest()
    ]  # fmt: skip
    classes = [
        {"people": [people[p] for p in one.people], "slots": len(one.slots), "first": place(one.slots[0])}
        for one in backings(found.minimum[Moves.FULL])
    ]  # fmt: skip
    opened = np.flatnonzero(found.minimum[Moves.FULL].deficit)
    return {
        "new": None if before is None else _new(changes(before, _known(found)), before, place, found),
        "open": [place(int(t)) | {"seats": int(found.minimum[Moves.FULL].deficit[t])} for t in opened[:MOST_OPEN]],
        "thinnest": thinnest,
        "classes": classes,
        "pairs": found.pairs.histogram.tolist(),
        "phase": {"points": phase.points, "reasons": list(phase.reasons), "missing": list(phase.missing)},
    }


def _new(worse: Changes, before: Known, place: Any, found: Contingency) -> dict[str, Any]:
    codes = [slot.code for slot in found.window.program.slot_types]
    return {
        "since": day_text(before.first_day),
        "people": [
            {"person": one.person, "slots": one.slots, "date": day_text(one.day), "slot": codes[one.slot]}
            for one in worse.people[:MOST_OPEN]
        ],
        "people_count": len(worse.people),
        "open": [place(t) for t in worse.open_slots[:MOST_OPEN]],
        "open_count": len(worse.open_slots),
        "n1_slots": len(worse.n1_slots),
        "n2_slots": len(worse.n2_slots),
        "relieved": list(worse.relieved[:MOST_OPEN]),
    }  # fmt: skip


def reports(database: Database, ids: Mapping[str, int]) -> Reports:
    """Read stored reports by program."""
    with database.read() as connection:
        whole = results.whole_rows(connection, results.CONTINGENCY, list(ids.values()))
        people = results.rows_of(connection, results.CONTINGENCY_PERSON, list(ids.values()))
        pairs = results.rows_of(connection, results.CONTINGENCY_PAIR, list(ids.values()))
    rows = {program: whole[result_id] for program, result_id in sorted(ids.items()) if result_id in whole}
    program_of = {result_id: program for program, result_id in ids.items()}
    return Reports(
        rows,
        [line for program, row in rows.items() for line in _new_lines(program, row.findings["new"])],
        [_program_line(program, row) for program, row in rows.items()],
        [_person_line(program_of[row["result_id"]], row) for row in _gravest(people)],
        [_pair_line(program_of[row["result_id"]], row) for row in pairs.sort_values(["seats", "slots"], ascending=False, kind="stable").head(MOST_LINES).to_dict("records")],
    )


def _gravest(people: pd.DataFrame) -> list[dict[Any, Any]]:
    """People whose loss opens anything, the gravest first, however the others may be moved."""
    harm = ["slots_lost_full", "slots_lost_call_in", "slots_lost_direct", "slots_lost_static"]
    harmful = people[people[harm].any(axis=1)]
    return harmful.sort_values([*harm, "result_id", "person"], ascending=[False] * 4 + [True] * 2).head(MOST_LINES).to_dict("records")


def _new_lines(program: str, new: dict[str, Any] | None) -> list[dict[str, Any]]:
    if new is None:
        return []
    lines = [
        {"what": "a seat is open", "person": "", "first": f"{new['open'][0]['date']} {new['open'][0]['slot']}", "slots": new["open_count"]}
    ] if new["open"] else []  # fmt: skip
    lines += [
        {"what": "the loss opens a seat", "person": one["person"], "first": f"{one['date']} {one['slot']}", "slots": one["slots"]}
        for one in new["people"]
    ]
    if new["n2_slots"]:
        lines.append({"what": "a loss of two opens a seat", "person": "", "first": "", "slots": new["n2_slots"]})
    return [{"program": program, **line, "since": new["since"]} for line in lines]


def passed(value: bool | None) -> str:
    """'holds', 'fails' or 'unknown'."""
    return "unknown" if value is None else "holds" if value else "fails"


def _program_line(program: str, row: Any) -> dict[str, Any]:
    return {
        "program": program, "N-1": passed(row.n1_pass), "N-2": passed(row.n2_pass), "open seats": row.open_full,
        "as rostered": row.open_static, "essential people": row.essential_people, "of": row.people,
        "harmful pairs": row.harmful_pairs, "fewest losses": row.least_losses, "days": row.days, "dates not on file": row.missing_days,
    }  # fmt: skip


def _person_line(program: str, row: dict[Any, Any]) -> dict[str, Any]:
    worst = "" if pd.isna(row["worst_day"]) else f"{day_text(int(row['worst_day']))} {row['worst_slot']}"
    return {
        "program": program, "person": row["person"], "anyone moved": row["slots_lost_full"], "with call-in": row["slots_lost_call_in"],
        "free step in": row["slots_lost_direct"], "as rostered": row["slots_lost_static"], "sole holder": row["sole_slots"],
        "worst": worst, "posts": row["posts_lost"],
    }  # fmt: skip


def _pair_line(program: str, row: dict[Any, Any]) -> dict[str, Any]:
    return {"program": program, "pair": f"{row['first']} + {row['second']}", "seats": row["seats"], "slots": row["slots"], "more than singly": row["more"]}
