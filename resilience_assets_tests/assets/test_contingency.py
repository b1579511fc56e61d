"""The contingency assets: figures as counted by hand, what is new first, one click each, nobody named."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing

import dagster as dg
import pytest

from resilience_assets.automation.jobs import CONTINGENCY_ASSETS
from resilience_assets.domain.scales import PhaseRisk
from resilience_assets_tests.assets.deploying import (
    CANARY,
    TODAY,
    Scratch,
    figures,
    records,
    small_set,
    verdicts,
)

JOB = "run_contingency_analysis"
AWAY = TODAY + dt.timedelta(days=3)
"""Inside the health check's horizon, whatever happens at midnight."""


def thin_set(code: str = "north", *absences: str) -> dict[str, str]:
    """The small program with A-01 and A-04 alone at the ICU; nobody but A-03 works at the clinic, and all may."""
    base = small_set(code)
    return small_set(
        code,
        qualifications="person,post\nA-01,icu/att\nA-04,icu/att\n" + "".join(f"A-0{n},clinic/att\n" for n in range(1, 5)),
        assignments="\n".join(line for line in base["assignments"].splitlines() if not line.startswith("A-02")) + "\n",
        absences="\n".join(["person,from,to,kind", *absences]) + "\n",
    )


def config(days: int) -> dict[str, object]:
    return {"ops": {name: {"config": {"days_ahead": days}} for name in CONTINGENCY_ASSETS[1:]}}


def test_figures_are_those_counted_by_hand(scratch: Scratch) -> None:
    """A-04 is away on one date: that morning hangs on A-01; every other morning on A-01 and A-04 together."""
    scratch.bring(thin_set("north", f"A-04,{AWAY},{AWAY},leave"))
    result = scratch.job(JOB, run_config=config(30))
    assert result.success
    found = figures(result, "contingency_report")
    assert found == {
        "programs": 1, "people": 4, "open_seats": 0, "open_seats_as_rostered": 0, "essential_people": 1, "least_losses": 1, "new": 0,
        "harmful_pairs": 3, "n1_holds": 0, "n1_fails": 1, "n1_unknown": 0, "n2_holds": 0, "n2_fails": 1, "n2_unknown": 0,
        "computed": 1, "found": 0, "failed": 0,
    }  # fmt: skip
    (row,) = records(result, "contingency_report", "by_program")
    assert (row["program"], row["N-1"], row["N-2"], row["essential people"], row["of"], row["days"]) == ("north", "fails", "fails", 1, 4, 30)
    first = records(result, "contingency_report", "people_by_harm")[0]
    assert (first["person"], first["anyone moved"], first["as rostered"], first["sole holder"]) == ("A-01", 1, 30, 1)
    assert (first["worst"], first["posts"]) == (f"{AWAY} AM", "icu/att")
    pair = records(result, "contingency_report", "pairs_by_harm")[0]
    assert (pair["pair"], pair["seats"], pair["slots"], pair["more than singly"]) == ("A-01 + A-04", 30, 30, 29)
    deep = figures(result, "contingency_deep_dive")
    assert (deep["programs"], deep["worst_4_seats"], deep["worst_not_proven"]) == (1, 60, 0), "all four: both seats, every day"
    assert sum(deep[f"phase_risk_{risk.text}"] for risk in PhaseRisk) == 1
    worst = records(result, "contingency_deep_dive", "worst_people_together")
    assert [(line["lost"], line["people"], line["seats"], line["proven"]) for line in worst[:2]] == [
        (1, "A-01", 1, True), (2, "A-01, A-04", 30, True),
    ]  # fmt: skip
    training = records(result, "contingency_deep_dive", "cross_training")[0]
    assert (training["for"], training["harm before"], training["harm after"]) == ("icu/att", 1, 0)
    said = [line["what"] for line in records(result, "contingency_deep_dive", "to_do")]
    assert said[0] == "A single loss breaks the roster: arrange a stand-in for A-01"


def test_what_is_new_is_the_first_table(scratch: Scratch) -> None:
    scratch.bring(thin_set())
    first = scratch.job(JOB)
    for name, title in (("contingency_report", "new_since_the_report_before"), ("contingency_deep_dive", "new_since_the_one_before")):
        metadata = first.asset_materializations_for_node(name)[0].metadata
        assert next(iter(metadata)) == title
        assert metadata[title].value == "nothing to show"
    scratch.bring(thin_set("north", f"A-04,{AWAY},{AWAY},leave"))
    second = scratch.job(JOB)
    (line,) = [row for row in records(second, "contingency_report", "new_since_the_report_before") if row["person"]]
    assert (line["program"], line["what"], line["person"], line["first"]) == ("north", "the loss opens a seat", "A-01", f"{AWAY} AM")
    assert records(second, "contingency_deep_dive", "new_since_the_one_before")[0]["who"] == "A-01"
    assert figures(second, "contingency_report")["new"] >= 1


def test_figures_over_several_programs_are_sums_and_the_gravest_comes_first(scratch: Scratch) -> None:
    scratch.bring(small_set("calm"))
    scratch.bring(thin_set("north", f"A-04,{AWAY},{AWAY},leave"))
    later = AWAY + dt.timedelta(days=2)
    scratch.bring(thin_set("south", f"A-04,{AWAY},{later},leave", f"A-01,{AWAY},{AWAY},leave"))
    result = scratch.job(JOB)
    found = figures(result, "contingency_report")
    assert (found["programs"], found["people"], found["open_seats"], found["essential_people"]) == (3, 12, 1, 2)
    assert (found["n1_fails"], found["n1_unknown"], found["least_losses"]) == (2, 1, 0)
    people = records(result, "contingency_report", "people_by_harm")
    assert [(row["program"], row["person"], row["anyone moved"]) for row in people[:2]] == [("south", "A-01", 2), ("north", "A-01", 1)]
    assert {row["program"] for row in records(result, "contingency_deep_dive", "duty_hours")} == {"calm", "north", "south"}


def test_names_of_the_deep_dives_figures_are_stable(small: Scratch) -> None:
    assert sorted(figures(small.job(JOB), "contingency_deep_dive")) == [
        "computed", "duty_hours_worse", "failed", "found", "phase_risk_critical", "phase_risk_high", "phase_risk_low", "phase_risk_medium",
        "phase_risk_unknown", "programs", "recommendations", "worst_4_seats", "worst_not_proven",
    ]  # fmt: skip


def test_how_far_ahead_is_one_number_from_1_to_366(small: Scratch) -> None:
    result = small.job(JOB, run_config=config(14))
    assert [row["days"] for row in records(result, "contingency_report", "by_program")] == [14]
    shipped = small.job(JOB)
    assert [row["days"] for row in records(shipped, "contingency_report", "by_program")] == [90]
    assert figures(shipped, "contingency_report")["computed"] == 1, "another horizon is another report"
    for days in (0, 367):
        refused = small.job(JOB, run_config=config(days))
        assert not refused.success
        texts = [str(entry.to_json()) for entry in small.instance.all_logs(refused.run_id)]
        assert any(f"days_ahead is {days}: give 1 to 366 dates" in text for text in texts)
        assert not any("STEP_UP_FOR_RETRY" in text for text in texts), "it would be as wrong a minute later"


@pytest.mark.parametrize("name", CONTINGENCY_ASSETS)
def test_every_asset_materializes_alone_before_anything_else_did(scratch: Scratch, name: str) -> None:
    result = scratch.click(name)
    assert result.success
    if name != "roster":
        assert figures(result, name)["programs"] == 0


def test_what_is_unchanged_is_found_and_its_data_version_stays(small: Scratch) -> None:
    def versions(result: dg.ExecuteInProcessResult) -> dict[str, object]:
        events = {name: result.asset_materializations_for_node(name)[0] for name in CONTINGENCY_ASSETS[1:]}
        return {name: (event.tags or {})["dagster/data_version"] for name, event in events.items()}

    first = small.job(JOB)
    again = small.job(JOB)
    for name in CONTINGENCY_ASSETS[1:]:
        assert (figures(again, name)["computed"], figures(again, name)["found"]) == (0, 1), name
    assert versions(again) == versions(first)
    small.bring(small_set(absences=f"person,from,to,kind\nA-02,{AWAY},{AWAY},leave\n"))
    changed = versions(small.job(JOB))
    assert all(changed[name] != versions(first)[name] for name in changed)


def test_the_health_check_brings_the_report_up_to_date_and_not_the_deep_dive(small: Scratch) -> None:
    small.check()
    kinds = {kind for _, kind in small.rows("result", "id", "kind")}
    assert "contingency/90" in kinds
    assert not any(kind.startswith("deep_dive") for kind in kinds)


def test_a_program_that_fails_is_named_and_its_check_fails_and_not_the_run(small: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    from resilience_assets.actions import contingency as acting

    small.bring(small_set("south"))
    true = acting.contingency

    def breaks_for_north(roster, *rest):  # type: ignore[no-untyped-def]
        if roster.program.id == "north":
            raise ZeroDivisionError("planted")
        return true(roster, *rest)

    monkeypatch.setattr(acting, "contingency", breaks_for_north)
    result = small.check()
    assert figures(result, "contingency_report")["failed"] == 1
    failed = {name for name, one in verdicts(result).items() if not one.passed}
    assert failed == {"contingency_report.every_program_has_contingency"}
    health = {row["program"]: row for row in records(result, "system_health", "health")}
    assert (health["north"]["N-1"], health["north"]["N-2"]) == ("unknown", "unknown")
    assert health["south"]["N-1"] == "holds"
    texts = [str(entry.to_json()) for entry in small.instance.all_logs(result.run_id)]
    assert any("north: ZeroDivisionError: planted" in text for text in texts)


def test_nobody_is_named_in_anything_that_the_analysis_leaves_with_dagster(scratch: Scratch) -> None:
    scratch.bring(thin_set())
    results = [scratch.job(JOB)]
    scratch.bring(thin_set("north", f"A-04,{AWAY},{AWAY},leave"))
    scratch.bring(thin_set("south", f"A-04,{AWAY},{AWAY},leave", f"A-01,{AWAY},{AWAY},leave"))
    results.append(scratch.job(JOB))
    report = {"ops": {"record_absence": {"config": {"person": "A-01", "program": "north", "first": str(AWAY)}}}}
    results += [scratch.job("report_absence", run_config=report), scratch.check()]
    assert all(result.success for result in results)
    with closing(sqlite3.connect(scratch.file)) as connection:
        kept = connection.execute("SELECT count(*) FROM person_record WHERE name LIKE ?", (f"{CANARY}%",)).fetchone()
    assert kept == (8,), "the names are in the database"
    for result in results:
        texts = [str(entry.to_json()) for entry in scratch.instance.all_logs(result.run_id)]
        assert len(texts) > 10
        assert not [text for text in texts if CANARY in text]
    assert CANARY not in repr(scratch.instance.get_runs())
    for table in ("contingency_row", "contingency_person_row", "contingency_pair_row", "deep_dive_row", "health_check"):
        rows = scratch.rows(table)
        assert rows, table
        assert CANARY not in str(rows), table


def test_the_demo_is_analysed_whole_and_every_check_holds(demo: Scratch) -> None:
    result = demo.job(JOB)
    assert result.success
    found = figures(result, "contingency_report")
    assert (found["programs"], found["failed"], found["essential_people"] > 0) == (3, 0, True)
    assert (figures(result, "contingency_deep_dive")["programs"], figures(result, "contingency_deep_dive")["failed"]) == (3, 0)
    assert [name for name, one in verdicts(result).items() if not one.passed and one.severity.value == "ERROR"] == []
