"""The findings of the newest rosters, by rule, over all programs.

Belongs here: gathering what was found when rosters were frozen, and what age alone makes wrong. Does
not belong here: finding it (analysis.roster_checks).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from resilience_assets.actions.freeze import import_age_hours
from resilience_assets.actions.measure import loaded, window
from resilience_assets.actions.program_states import ProgramState, program_states
from resilience_assets.analysis.roster_checks import RosterCheck, no_demand, stale_import
from resilience_assets.policy import Policies
from resilience_assets.storage.database import Database

LIKE = {"cannot_lay_out": "demand_range"}
"""Findings that have no check of their own, and the check that tells them."""

WITH_TIME = ("stale_import", "no_demand")
"""Rules whose verdict changes with the date alone: asked anew at each check."""


@dataclass(frozen=True)
class RuleFindings:
    """What one rule found: programs looked at, a sentence for each affected one, and where (program, file, row ...)."""

    programs: int
    count: int
    sentences: dict[str, str]
    rows: list[dict[str, Any]]


def roster_findings(database: Database, policies: Policies, as_of: dt.datetime, rule: str) -> RuleFindings:
    """What a rule found in the newest roster of every program, accepted or refused."""
    states = program_states(database, as_of)
    if rule in WITH_TIME:
        return _with_time(database, policies, as_of, rule, states)
    sentences: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    count = 0
    for state in states:
        for finding in state.frozen.findings if state.frozen else []:
            if LIKE.get(finding["rule"], finding["rule"]) != rule:
                continue
            sentences[state.code] = finding["sentence"]
            count += finding["count"]
            rows += [{"program": state.code, "rule": rule, **example} for example in finding["examples"]]
    return RuleFindings(len(states), count, sentences, rows)


def _with_time(
    database: Database, policies: Policies, as_of: dt.datetime, rule: str, states: list[ProgramState]
) -> RuleFindings:
    found = _ages(policies, as_of, states) if rule == "stale_import" else _demand(database, policies, as_of, states)
    failed = {code: check for code, check in sorted(found) if not check.passed}
    sentences = {code: check.sentence for code, check in failed.items()}
    rows = [{"program": code, "rule": rule, "reason": sentence} for code, sentence in sentences.items()]
    return RuleFindings(len(states), sum(check.count for check in failed.values()), sentences, rows)


def _ages(policies: Policies, as_of: dt.datetime, states: list[ProgramState]) -> list[tuple[str, RosterCheck]]:
    """How old each program's import is; no roster is loaded for that."""
    return [
        (state.code, stale_import(import_age_hours(state.imported_at, as_of), policies.for_program(state.code)))
        for state in states
        if state.version_id is not None
    ]


def _demand(
    database: Database, policies: Policies, as_of: dt.datetime, states: list[ProgramState]
) -> list[tuple[str, RosterCheck]]:
    """Whether each program has demand in the coming days."""
    by_version = {state.version_id: state for state in states if state.version_id is not None}
    out = []
    for rosters in loaded(database, sorted(by_version)):
        for version_id, roster in rosters.items():
            state = by_version[version_id]
            first, last = window(state, policies.for_program(state.code), as_of)
            out.append((state.code, no_demand(roster.window(first, last), first, last)))
    return out


def no_roster(database: Database, as_of: dt.datetime) -> list[str]:
    """Why there is nothing to work on: one sentence, or one a program that never had an accepted roster."""
    states = program_states(database, as_of)
    if not states:
        return ["no roster: run `resilience import` or `resilience demo`"]
    return [f"{state.code}: no roster was accepted yet" for state in states if state.version_id is None]
