"""The monitoring assets: figures as counted by hand, one click each, nobody named."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import pytest

from resilience_assets.automation.jobs import HEALTH_ASSETS
from resilience_assets.demo.load import demo_day
from resilience_assets.demo.programs import demo_programs
from resilience_assets.resources.as_of import TAG
from resilience_assets_tests.assets.deploying import (
    CANARY,
    HORIZON,
    NOW,
    TODAY,
    Scratch,
    figures,
    records,
    small_set,
    verdicts,
)

SHORT = "\n".join(line for line in small_set()["assignments"].splitlines() if not line.startswith("A-02")) + "\n"
"""Assignments without A-02: one of two ICU seats is open every morning."""


def test_utilization_snapshot_counts_what_is_counted_by_hand(scratch: Scratch) -> None:
    scratch.bring(small_set(assignments=SHORT))
    found = figures(scratch.measure(), "utilization_snapshot")
    required, filled = 3 * HORIZON, 2 * HORIZON
    assert found["programs"] == 1
    assert found["required"] == required
    assert found["assigned"] == filled
    assert found["open_seats"] == required - filled
    assert found["open_below_minimum"] == 0, "one in the ICU is the minimum"
    assert found["coverage"] == found["worst_coverage"] == pytest.approx(filled / required, abs=1e-4)
    assert found["utilization"] == pytest.approx(required / found["available"], abs=1e-4)
    assert 0 < found["available"] <= 4 * HORIZON * 3, "four people, eight days, three slots"
    assert (found["computed"], found["found"], found["failed"]) == (1, 0, 0)


def test_figures_over_several_programs_are_sums_and_extremes(scratch: Scratch) -> None:
    scratch.bring(small_set())
    scratch.bring(small_set("south", assignments=SHORT))
    result = scratch.measure()
    found = figures(result, "utilization_snapshot")
    assert (found["programs"], found["required"], found["open_seats"]) == (2, 6 * HORIZON, HORIZON)
    assert found["coverage"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["worst_coverage"] == pytest.approx(2 / 3, abs=1e-4)
    rows = records(result, "utilization_snapshot", "by_program")
    assert [(row["program"], row["coverage"]) for row in rows] == [("north", 1.0), ("south", 0.6667)]


def test_service_redundancy_counts_who_could_be_lost(scratch: Scratch) -> None:
    scratch.bring(small_set(assignments=SHORT))
    result = scratch.measure()
    found = figures(result, "service_redundancy")
    assert {name: found[name] for name in found if name.startswith("services")} == {
        "services": 2, "services_n_plus_2": 0, "services_n_plus_1": 1, "services_n_plus_0": 1, "services_below": 0,
    }  # fmt: skip
    assert found["worst_spare"] == 0
    rows = {row["service"]: row for row in records(result, "service_redundancy", "services_by_spare")}
    assert (rows["clinic"]["present"], rows["clinic"]["minimum"], rows["clinic"]["worst slot"]) == (1, 1, "PM")
    assert (rows["icu"]["present"], rows["icu"]["minimum"], rows["icu"]["worst slot"]) == (2, 1, "AM"), "A-01, and A-04 who is free"


def test_system_health_and_incidents_tell_of_a_shortage(scratch: Scratch) -> None:
    scratch.bring(small_set(assignments=SHORT))
    result = scratch.measure()
    health = figures(result, "system_health")
    assert (health["programs"], health["judged"], health["failed"]) == (1, 1, 0)
    assert health["worst_coverage"] == pytest.approx(2 / 3, abs=1e-4)
    assert health["open_seats"] == HORIZON
    assert sum(value for name, value in health.items() if name.startswith("programs_")) == 1
    (row,) = records(result, "system_health", "health")
    assert (row["N-1"], row["N-2"]) == ("holds", "holds"), "the minimum is one, and A-04 is free"
    opened = figures(result, "incidents")
    assert opened["open"] == opened["opened"] >= 2, "the program and the ICU"
    assert opened["open"] == opened["open_warning"] + opened["open_critical"] + opened["open_emergency"]
    assert {row["service"] for row in records(result, "incidents", "open_incidents")} == {"", "icu"}
    again = figures(scratch.click("incidents"), "incidents")
    assert (again["readings"], again["opened"], again["open"]) == (0, 0, opened["open"])


def test_names_of_figures_are_stable(small: Scratch) -> None:
    result = small.measure()
    assert {name: sorted(figures(result, name)) for name in HEALTH_ASSETS if name != "roster"} == {
        "utilization_snapshot": [
            "assigned", "available", "computed", "coverage", "failed", "found", "highest_utilization", "open_below_minimum",
            "open_seats", "programs", "programs_BLACK", "programs_GREEN", "programs_ORANGE", "programs_RED", "programs_UNKNOWN",
            "programs_YELLOW", "required", "utilization", "worst_coverage",
        ],
        "service_redundancy": [
            "computed", "failed", "found", "services", "services_below", "services_n_plus_0", "services_n_plus_1",
            "services_n_plus_2", "worst_spare",
        ],
        "contingency_report": [
            "computed", "essential_people", "failed", "found", "harmful_pairs", "least_losses", "n1_fails", "n1_holds", "n1_unknown",
            "n2_fails", "n2_holds", "n2_unknown", "new", "open_seats", "open_seats_as_rostered", "people", "programs",
        ],
        "system_health": [
            "failed", "immediate_actions", "judged", "open_seats", "programs", "programs_critical", "programs_degraded",
            "programs_emergency", "programs_healthy", "programs_unknown", "programs_warning", "worst_coverage",
        ],
        "incidents": [
            "closed", "flapping", "notices", "open", "open_critical", "open_emergency", "open_warning", "opened", "raised", "readings",
        ],
    }  # fmt: skip


def test_an_empty_database_materializes_and_is_grey_not_green(scratch: Scratch) -> None:
    result = scratch.measure()
    found = figures(result, "utilization_snapshot")
    assert found["programs"] == found["required"] == 0
    assert not {"coverage", "utilization", "worst_coverage"} & set(found)
    assert figures(result, "system_health")["programs_healthy"] == 0


@pytest.mark.parametrize("name", HEALTH_ASSETS)
def test_every_asset_materializes_alone_by_one_click(small: Scratch, name: str) -> None:
    small.measure()
    assert small.click(name).success


@pytest.mark.parametrize("name", HEALTH_ASSETS)
def test_every_asset_materializes_alone_before_anything_else_did(scratch: Scratch, name: str) -> None:
    assert scratch.click(name).success


def test_what_is_unchanged_is_found_and_not_computed_again(small: Scratch) -> None:
    small.measure(**{TAG: (NOW - dt.timedelta(minutes=5)).isoformat()})
    result = small.measure()
    for name in ("utilization_snapshot", "service_redundancy"):
        assert (figures(result, name)["computed"], figures(result, name)["found"]) == (0, 1), name
    assert figures(result, "system_health")["judged"] == 0


def test_demo_is_measured_whole(demo: Scratch) -> None:
    result = demo.check()
    made = demo_programs(demo_day(NOW))
    assert figures(result, "roster")["programs"] == figures(result, "utilization_snapshot")["programs"] == len(made) == 3
    services = sum(len(one.services) for one in made if one.services is not None)
    assert 0 < figures(result, "service_redundancy")["services"] <= services
    assert all(one.passed for one in verdicts(result).values() if one.severity.value == "ERROR")
    assert figures(result, "system_health")["programs_unknown"] == 0


def test_required_of_the_demo_is_what_its_rows_ask_for(demo: Scratch) -> None:
    found = {row["program"]: row for row in records(demo.measure(), "utilization_snapshot", "by_program")}
    for one in demo_programs(demo_day(NOW)):
        assert one.program is not None
        first = demo.deployment_day(one.program.time_zone)
        days = range(first, first + HORIZON)
        dated = {} if one.demand is None else {(r.post, r.day, r.slot): int(r.required) for r in one.demand.itertuples()}
        weekly: dict[tuple[str, int, str], int] = {}
        for rule in () if one.demand_rules is None else one.demand_rules.itertuples():
            for day in days:
                if (day + 3) % 7 == rule.weekday and rule.first <= day <= rule.last:  # epoch day 0 was a Thursday
                    weekly[rule.post, day, rule.slot] = int(rule.required)
        total = sum((weekly | {cell: n for cell, n in dated.items() if cell[1] in days}).values())
        assert found[one.program.id]["required"] == total, one.program.id


def test_nobody_is_named_in_anything_that_dagster_keeps(scratch: Scratch) -> None:
    """Every text that a run leaves behind: events, metadata, tags, run config, check descriptions, log lines."""
    twice = f"person,date,shift,post\nA-01,{TODAY},AM,icu/att\nA-01,{TODAY},AM,clinic/att\n"
    qualified = "person,post\nA-03,clinic/att\n"
    away = f"person,from,to,kind\nA-01,{TODAY},{TODAY},leave\nA-01,{TODAY},{TODAY},sick\n"
    scratch.bring(small_set())
    scratch.bring(small_set("south", assignments=twice))
    scratch.bring(small_set("west", qualifications=qualified, absences=away))
    with closing(sqlite3.connect(scratch.file)) as connection:
        kept = connection.execute("SELECT count(*) FROM person_record WHERE name LIKE ?", (f"{CANARY}%",)).fetchone()
    assert kept == (12,), "the names are in the database"
    results = [
        scratch.check(),
        scratch.job("report_absence", run_config={"ops": {"record_absence": {"config": {"person": "A-03", "program": "north"}}}}),
        scratch.check(),
        scratch.job("deliver_alerts"),
    ]
    assert all(result.success for result in results)
    failed = {name for name, one in verdicts(results[0]).items() if not one.passed}
    assert {"roster.double_booking", "roster.unqualified", "roster.overlapping_absences"} <= failed
    for result in results:
        texts = [str(entry.to_json()) for entry in scratch.instance.all_logs(result.run_id)]
        texts += [repr(record) for record in scratch.instance.get_runs()]
        assert len(texts) > 10
        assert not [text for text in texts if CANARY in text]
    assert not [row for row in scratch.rows("inbox_message") if CANARY in str(row)], "notices name services, not people"


def test_what_to_do_begins_with_the_program_that_stands_worst(small: Scratch) -> None:
    lines = small_set()["assignments"].splitlines()
    tomorrow = (NOW.date() + dt.timedelta(days=1)).isoformat()
    small.bring(small_set("a-little", assignments="\n".join(x for x in lines if not x.startswith(f"A-03,{tomorrow}"))))
    small.bring(small_set("z-much", assignments="\n".join(x for x in lines if not x.startswith("A-03"))))
    result = small.check()
    status = {row["program"]: row["status"] for row in records(result, "system_health", "health")}
    assert status["z-much"] == "emergency"
    assert status["a-little"] != "emergency"
    said = str(result.asset_materializations_for_node("system_health")[0].metadata["to_do"].value).splitlines()
    assert said[0].startswith("- **z-much**")
    assert said[-1].startswith("- **a-little**")
