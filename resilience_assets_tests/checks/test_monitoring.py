"""Checks of the monitoring assets: a missing result and an impossible figure are noticed."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from typing import Any

import dagster as dg
import pytest

from resilience_assets.actions import measure
from resilience_assets.resources.as_of import TAG
from resilience_assets_tests.assets.deploying import NOW, Scratch, records, small_set, to_do, verdicts

ALL = {
    "utilization_snapshot.every_program_has_utilization",
    "utilization_snapshot.figures_add_up",
    "service_redundancy.every_program_has_redundancy",
    "system_health.every_program_has_a_headline",
    "incidents.every_reading_was_taken",
}


@pytest.fixture
def measured(small: Scratch) -> Scratch:
    """Two programs, measured: whatever a test then plants in the tables, nothing computes over."""
    small.bring(small_set("south"))
    found = {name: one.passed for name, one in verdicts(small.check()).items() if name in ALL}
    assert found == dict.fromkeys(ALL, True)
    return small


def plant(scratch: Scratch, *statements: str) -> None:
    with closing(sqlite3.connect(scratch.file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def verdict(scratch: Scratch, name: str) -> dg.AssetCheckEvaluation:
    """A check run by itself, without its asset."""
    asset, check = name.split(".")
    checks = [one for one in scratch.definitions.asset_checks or [] if isinstance(one, dg.AssetChecksDefinition)]
    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
    result = dg.materialize(
        [*(one for one in scratch.definitions.assets or [] if isinstance(one, dg.AssetsDefinition)), *checks],  # type: ignore[list-item]
        selection=dg.AssetSelection.checks(key), instance=scratch.instance, resources=scratch.resources,
    )  # fmt: skip
    (found,) = result.get_asset_check_evaluations()
    return found


def where(found: dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    assert found.severity is dg.AssetCheckSeverity.ERROR
    assert found.metadata["wrong"].value == len(found.metadata["where"].records)  # type: ignore[union-attr]
    return [dict(one.data) for one in found.metadata["where"].records]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("asset", "kind"), [("utilization_snapshot", "utilization"), ("service_redundancy", "redundancy")]
)
def test_a_program_without_a_result_is_noticed(measured: Scratch, asset: str, kind: str) -> None:
    name = f"{asset}.every_program_has_{kind}"
    assert verdict(measured, name).passed
    plant(measured, f"UPDATE result SET code_version = 'old' WHERE kind = '{kind}' AND program_id = 2")
    found = verdict(measured, name)
    assert not found.passed
    assert where(found) == [{"program": "south", "reason": f"no {kind} for today"}]
    assert found.description == f"south: no {kind} for today"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("coverage = 1.5", "coverage 1.5"),
        ("coverage = -0.1", "coverage -0.1"),
        ("open_seats = 1000", "1000 open of"),
        ("open_seats = -1", "-1 open of"),
    ],
)
def test_an_impossible_figure_is_noticed(measured: Scratch, change: str, reason: str) -> None:
    plant(
        measured,
        f"UPDATE utilization_row SET {change} WHERE scope = 'service' AND day IS NULL AND key = 'icu' "
        "AND result_id IN (SELECT id FROM result WHERE program_id = 2)",
    )
    (row,) = where(verdict(measured, "utilization_snapshot.figures_add_up"))
    assert row["program"] == "south"
    assert str(row["reason"]).startswith("service icu: ")
    assert reason in str(row["reason"])


def test_services_that_do_not_add_up_to_their_program_are_noticed(measured: Scratch) -> None:
    plant(
        measured,
        "UPDATE utilization_row SET required = required + 1 WHERE scope = 'service' AND day IS NULL AND key = 'icu' "
        "AND result_id IN (SELECT id FROM result WHERE program_id = 1)",
    )
    assert where(verdict(measured, "utilization_snapshot.figures_add_up")) == [
        {"program": "north", "reason": "the services do not add up to the program"}
    ]


def test_a_program_that_was_left_out_of_a_check_is_noticed(measured: Scratch) -> None:
    name = "system_health.every_program_has_a_headline"
    plant(measured, "UPDATE health_check SET as_of = '2020-01-01 00:00:00.000000' WHERE program_id = 2")
    assert where(verdict(measured, name)) == [{"program": "south", "reason": "not judged"}]


def test_run_alone_a_check_speaks_of_the_last_health_check(small: Scratch) -> None:
    ago = (NOW - dt.timedelta(minutes=7)).isoformat()
    small.check(**{TAG: ago})
    assert verdict(small, "system_health.every_program_has_a_headline").passed


def test_run_alone_before_any_health_check_it_fails(small: Scratch) -> None:
    assert not verdict(small, "system_health.every_program_has_a_headline").passed


def test_a_reading_that_no_rule_has_seen_is_noticed(measured: Scratch) -> None:
    plant(measured, "UPDATE rule_cursor SET last_id = last_id - 1")
    (row,) = where(verdict(measured, "incidents.every_reading_was_taken"))
    assert row["program"] == "south"


def test_a_figure_that_could_not_be_computed_fails_its_check_and_not_the_run(
    small: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.bring(small_set("south"))
    true = measure.utilization

    def breaks_for_north(roster: Any, *rest: Any) -> Any:
        if roster.program.id == "north":
            raise ZeroDivisionError("planted")
        return true(roster, *rest)

    monkeypatch.setattr(measure, "utilization", breaks_for_north)
    result = small.check()
    failed = {name for name, one in verdicts(result).items() if not one.passed}
    assert failed == {"utilization_snapshot.every_program_has_utilization"}
    health = {row["program"]: row for row in records(result, "system_health", "health")}
    assert health["north"]["status"] == "unknown"
    assert any(line.startswith("- **north** ") and "planted" in line for line in to_do(result))
    assert health["south"]["status"] == "healthy"

