"""The `roster` asset: accepted and refused programs side by side, what it reports, what makes others stale."""

from __future__ import annotations

import copy
import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from resilience_assets.automation.jobs import HEALTH_ASSETS
from resilience_assets.resources.as_of import TAG
from resilience_assets_tests.assets.deploying import NOW, TODAY, Scratch, figures, records, small_set, to_do, verdicts

TWICE = f"person,date,shift,post\nA-01,{TODAY},AM,icu/att\nA-01,{TODAY},AM,clinic/att\n"
"""The same person in two places in one slot: an error, which refuses the roster."""
MOVED = small_set(assignments=small_set()["assignments"].replace(f"A-04,{TODAY},AM,FREE", f"A-04,{TODAY},PM,FREE"))
"""One changed cell."""


def stale(scratch: Scratch) -> dict[str, StaleStatus]:
    """What the UI says of each asset."""
    graph = scratch.definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(scratch.instance, graph, LoadingContextForTest(scratch.instance))
    return {name: resolver.get_status(dg.AssetKey(name)) for name in HEALTH_ASSETS}


def test_names_of_its_figures_are_stable_and_numeric(small: Scratch) -> None:
    found = figures(small.measure(), "roster")
    assert found == {"programs": 1, "refused": 0, "without_roster": 0, "oldest_import_hours": pytest.approx(0, abs=0.2)}


def test_an_empty_database_gives_zeros_and_no_age(scratch: Scratch) -> None:
    assert figures(scratch.click("roster"), "roster") == {"programs": 0, "refused": 0, "without_roster": 0}


def test_a_refused_program_keeps_its_last_roster_while_the_others_go_on(small: Scratch) -> None:
    small.bring(small_set("south"))
    small.check()
    before = {row["program"]: row["version"] for row in records(small.click("roster"), "roster", "rosters")}

    small.bring(small_set("north", assignments=TWICE))
    small.bring(small_set("south", assignments=MOVED["assignments"]))
    result = small.check()

    assert figures(result, "roster")["refused"] == 1
    rows = {row["program"]: row for row in records(result, "roster", "rosters")}
    assert rows["north"]["roster"] == "refused"
    assert rows["north"]["version"] == before["north"]
    assert rows["south"]["roster"] == "accepted"
    assert rows["south"]["version"] != before["south"]
    health = {row["program"]: row for row in records(result, "system_health", "health")}
    assert health["north"]["status"] == "unknown"
    assert any(line.startswith("- **north** The newest roster was refused") for line in to_do(result))
    assert health["south"]["status"] == "healthy"

    failed = [name for name, one in verdicts(result).items() if not one.passed]
    assert failed == ["roster.double_booking"]
    verdict = verdicts(result)["roster.double_booking"]
    assert verdict.severity is dg.AssetCheckSeverity.ERROR
    where = [dict(one.data) for one in verdict.metadata["where"].records]  # type: ignore[union-attr]
    assert where
    assert {(row["program"], row["file"], row["rule"]) for row in where} == {("north", "assignments.csv", "double_booking")}
    assert {row["row"] for row in where} <= {2, 3}


def test_the_same_roster_imported_again_leaves_everything_fresh(small: Scratch) -> None:
    small.measure()
    assert set(stale(small).values()) == {StaleStatus.FRESH}
    small.bring(small_set(people=small_set()["people"].replace("Tester", "Tester ")))  # a name is no cell of the roster
    small.click("roster")
    assert set(stale(small).values()) == {StaleStatus.FRESH}


def test_one_changed_cell_marks_everything_downstream_stale(small: Scratch) -> None:
    small.measure()
    assert small.bring(MOVED).kinds["assignments"].touched
    small.click("roster")
    found = stale(small)
    assert found["roster"] is StaleStatus.FRESH
    assert found["utilization_snapshot"] is found["service_redundancy"] is StaleStatus.STALE
    small.measure()
    assert set(stale(small).values()) == {StaleStatus.FRESH}


def test_a_run_for_the_past_uses_the_version_of_then_and_freezes_nothing(small: Scratch) -> None:
    then, old = NOW - dt.timedelta(hours=2), NOW - dt.timedelta(hours=1)
    small.click("roster")
    # as if all of that had been an hour ago
    with closing(sqlite3.connect(small.file)) as connection, connection:
        connection.execute("UPDATE freeze SET frozen_at = ?", (f"{old:%Y-%m-%d %H:%M:%S}.000000",))
    (first,) = records(small.click("roster", tags={TAG: old.isoformat()}), "roster", "rosters")
    small.bring(MOVED)
    (second,) = records(small.click("roster"), "roster", "rosters")
    assert second["version"] != first["version"]

    before = small.everything()
    (late,) = records(small.click("roster", tags={TAG: (old + dt.timedelta(minutes=20)).isoformat()}), "roster", "rosters")
    (early,) = records(small.click("roster", tags={TAG: then.isoformat()}), "roster", "rosters")
    assert late["version"] == first["version"]
    assert early["roster"] == "none", "nothing was frozen two hours ago"
    assert small.everything() == before


def test_a_run_for_long_ago_changes_nothing_but_its_own_results(small: Scratch) -> None:
    yesterday = NOW - dt.timedelta(days=1)
    small.measure()
    before = small.everything()
    small.bring(small_set(demand_rules="post,weekday,slot,required,minimum\nicu/att,daily,AM,4,4\nclinic/att,daily,PM,1,1\n"))
    result = small.job("periodic_health_check", tags={TAG: yesterday.isoformat()})
    assert result.success
    after = small.everything()
    for name in ("freeze", "roster_version", "incident", "notice", "result"):
        assert after[name] == before[name], name
    (line,) = records(result, "system_health", "health")
    assert line["status"] == "unknown", "nothing had been frozen yesterday"


@pytest.mark.parametrize("ago", [dt.timedelta(minutes=5), dt.timedelta(days=1)], ids=["live", "past"])
def test_a_rerun_for_the_same_instant_changes_no_row(small: Scratch, ago: dt.timedelta) -> None:
    tag = {TAG: (NOW - ago).isoformat()}
    small.measure(**tag)
    before = small.everything()
    small.measure(**tag)
    assert small.everything() == before


def test_a_click_beside_a_scheduled_run_leaves_one_consistent_set_of_rows(small: Scratch, at_once: Callable[..., None]) -> None:
    tag = {TAG: NOW.isoformat()}
    results: list[bool] = []
    # two runs are two processes: one in-memory instance for both would lock itself, which no instance on disk does
    clicking = copy.copy(small)
    with dg.DagsterInstance.ephemeral() as clicking.instance:
        at_once(lambda: results.append(small.check(**tag).success), lambda: results.append(clicking.click(tags=tag).success))
    assert results == [True, True]
    assert len(small.rows("freeze")) == len(small.rows("roster_version", "id")) == 1
    assert len(small.rows("health_check", "id")) == 1
    assert len(small.rows("result", "id")) == 3
    before = small.everything()
    small.check(**tag)
    assert small.everything() == before
