"""Checks of the contingency assets: each passes on true rows, and notices a planted one that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from resilience_assets_tests.assets.deploying import Scratch, small_set, verdicts
from resilience_assets_tests.checks.test_monitoring import plant, verdict, where

ALL = {
    "contingency_report.every_program_has_contingency",
    "contingency_report.every_person_is_in_the_report",
    "contingency_report.moves_only_help",
    "contingency_report.open_today_is_no_pass",
    "contingency_deep_dive.every_program_has_deep_dive",
}
SOUTH = "result_id IN (SELECT id FROM result WHERE program_id = 2)"


@pytest.fixture(scope="module")
def analysed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two programs, analysed and judged once; every check passes on it."""
    with dg.DagsterInstance.ephemeral() as instance:
        here = Scratch(tmp_path_factory.mktemp("analysed"), instance)
        for code in ("north", "south"):
            here.bring(small_set(code))
        found = verdicts(here.job("run_contingency_analysis"))
        assert {name: one.passed for name, one in found.items() if name in ALL} == dict.fromkeys(ALL, True)
        assert verdicts(here.check())["system_health.unreported_is_unknown"].passed
        here.deployment.database.dispose()
        return here.file


@pytest.fixture
def analysed(scratch: Scratch, analysed_file: Path) -> Scratch:
    """A copy of it: whatever a test then plants in the tables, nothing computes over."""
    shutil.copy(analysed_file, scratch.file)
    return scratch


@pytest.mark.parametrize("name", sorted(ALL))
def test_on_true_rows_each_passes_also_when_run_alone(analysed: Scratch, name: str) -> None:
    found = verdict(analysed, name)
    assert found.passed
    assert found.metadata["looked_at"].value > 0  # type: ignore[operator]
    assert found.metadata["wrong"].value == 0


@pytest.mark.parametrize(("asset", "kind", "words"), [("contingency_report", "contingency", "contingency"), ("contingency_deep_dive", "deep_dive", "deep dive")])
def test_a_program_without_one_is_noticed(analysed: Scratch, asset: str, kind: str, words: str) -> None:
    plant(analysed, f"UPDATE result SET code_version = 'old' WHERE kind LIKE '{kind}/%' AND program_id = 2")
    assert where(verdict(analysed, f"{asset}.every_program_has_{kind}")) == [{"program": "south", "reason": f"no {words} for today"}]


def test_any_number_of_days_ahead_is_one(analysed: Scratch) -> None:
    plant(analysed, "UPDATE result SET kind = 'contingency/14' WHERE kind = 'contingency/90' AND program_id = 2")
    for name in ALL:
        assert verdict(analysed, name).passed, name


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (f"DELETE FROM contingency_person_row WHERE person = 'A-02' AND {SOUTH}", "4 people, 3 rows, 3 different"),
        (f"UPDATE contingency_person_row SET person = 'A-01' WHERE person = 'A-02' AND {SOUTH}", "4 people, 4 rows, 3 different"),
        (f"UPDATE contingency_row SET people = 5 WHERE {SOUTH}", "5 people, 4 rows, 4 different"),
        (f"DELETE FROM contingency_person_row WHERE {SOUTH}", "4 people, 0 rows, 0 different"),
    ],
)
def test_a_person_who_is_left_out_or_told_twice_is_noticed(analysed: Scratch, change: str, reason: str) -> None:
    plant(analysed, change)
    assert where(verdict(analysed, "contingency_report.every_person_is_in_the_report")) == [{"program": "south", "reason": reason}]


@pytest.mark.parametrize(("less", "more"), [("static", "direct"), ("direct", "call_in"), ("call_in", "full")])
def test_a_seat_that_opens_because_more_people_may_be_moved_is_noticed(analysed: Scratch, less: str, more: str) -> None:
    name = "contingency_report.moves_only_help"
    plant(analysed, f"UPDATE contingency_row SET open_{more} = open_{less} + 1 WHERE {SOUTH}")
    reasons = [row["reason"] for row in where(verdict(analysed, name)) if row["program"] == "south"]
    assert f"more seats open by {more} than by {less}" in reasons


@pytest.mark.parametrize(("less", "more"), [("static", "direct"), ("direct", "call_in"), ("call_in", "full")])
def test_a_loss_that_costs_more_because_more_people_may_be_moved_is_noticed(analysed: Scratch, less: str, more: str) -> None:
    plant(analysed, f"UPDATE contingency_person_row SET slots_lost_{more} = slots_lost_{less} + 1 WHERE person = 'A-03' AND {SOUTH}")
    found = where(verdict(analysed, "contingency_report.moves_only_help"))
    assert {"program": "south", "reason": f"A-03: more seats open by {more} than by {less}"} in found
    assert {row["program"] for row in found} == {"south"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("open_full = 2, open_call_in = 2, open_direct = 2, open_static = 2, n1_pass = NULL, n2_pass = 0", "2 seats open, and N-1 or N-2 does not fail"),
        ("open_full = 2, n1_pass = 1, n2_pass = 0", "2 seats open, and N-1 or N-2 does not fail"),
        ("n1_pass = NULL, n2_pass = 1", "N-2 holds and N-1 does not"),
        ("n1_pass = 0, n2_pass = 1", "N-2 holds and N-1 does not"),
    ],
)
def test_a_pass_that_cannot_be_is_noticed(analysed: Scratch, change: str, reason: str) -> None:
    plant(analysed, f"UPDATE contingency_row SET {change} WHERE {SOUTH}")
    assert where(verdict(analysed, "contingency_report.open_today_is_no_pass")) == [{"program": "south", "reason": reason}]


def test_an_open_seat_and_two_failures_are_consistent(analysed: Scratch) -> None:
    plant(analysed, f"UPDATE contingency_row SET open_full = 2, n1_pass = 0, n2_pass = 0 WHERE {SOUTH}")
    assert verdict(analysed, "contingency_report.open_today_is_no_pass").passed


@pytest.mark.parametrize("name", ["n1_pass", "n2_pass"])
def test_a_headline_that_knows_without_a_report_is_noticed(analysed: Scratch, name: str) -> None:
    check = "system_health.unreported_is_unknown"
    assert verdict(analysed, check).passed
    plant(analysed, f"UPDATE health_check SET contingency_id = NULL, n1_pass = NULL, n2_pass = NULL, {name} = 0 WHERE program_id = 2")
    assert where(verdict(analysed, check)) == [{"program": "south", "reason": "N-1 or N-2 known without a report"}]
    plant(analysed, "UPDATE health_check SET n1_pass = NULL, n2_pass = NULL WHERE program_id = 2")
    assert verdict(analysed, check).passed
