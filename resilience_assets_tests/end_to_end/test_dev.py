"""`resilience dev` as its users meet it: the UI is populated, an absence moves figures and reaches the inbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resilience_assets_tests.end_to_end.running import Running, resilience_dev, until

pytestmark = pytest.mark.slow

ASSETS = ["roster", "utilization_snapshot", "service_redundancy", "contingency_report", "system_health", "incidents"]
QUEUED = ["contingency_deep_dive"]
"""What takes longer than a start may: an ordinary run once Dagster is up."""
STATE = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  assetNodes { assetKey { path } assetMaterializations(limit: 1) { runId } staleStatus }
  schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } }"""
RUNS = """{ runsOrError(limit: 50) { ... on Runs { results { jobName status tags { key value } } } } }"""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with resilience_dev(tmp_path_factory.mktemp("dev")) as running:
        yield running


def node(dev: Running) -> Any:
    return dev.ask(STATE)["repositoriesOrError"]["nodes"][0]


def inbox(dev: Running) -> Any:
    return dev.json("inbox")["messages"]


def test_the_ui_shows_every_asset_materialized_and_everything_running(dev: Running) -> None:
    def materialized() -> set[str]:
        return {one["assetKey"]["path"][0] for one in node(dev)["assetNodes"] if one["assetMaterializations"]}

    assert materialized() >= set(ASSETS)
    until(lambda: materialized() == {*ASSETS, *QUEUED}, 120, "the deep dive")
    found = node(dev)
    assert {one["scheduleState"]["status"] for one in found["schedules"]} == {"RUNNING"}
    assert {one["sensorState"]["status"] for one in found["sensors"]} == {"RUNNING"}


def test_an_absence_on_the_thin_service_is_in_the_inbox_and_in_the_ui_within_a_minute(dev: Running) -> None:
    hint = (dev.state.parent / "output").read_text()
    words = hint[hint.index("absent ") :].split()[1:4]  # PERSON --from DATE
    before = len(inbox(dev))
    said = dev.json("absent", *words)
    assert said["opens"]
    assert any(cell["verdict"] == "below the minimum" for cell in said["opens"])
    until(lambda: len(inbox(dev)) > before, 60, "the alert in the inbox")
    assert "procedures" in inbox(dev)[0]["subject"]

    def checked() -> bool:
        runs = dev.ask(RUNS)["runsOrError"]["results"]
        because = [r for r in runs if any(t["key"] == "resilience/because" for t in r["tags"])]
        return any(r["status"] == "SUCCESS" for r in because)

    until(checked, 60, "the health check that the absence asked for")
    delivery = next(r for r in dev.ask(RUNS)["runsOrError"]["results"] if r["jobName"] == "deliver_alerts")
    tags = {tag["key"]: tag["value"] for tag in delivery["tags"]}
    assert {"resilience/rule", "resilience/scope", "resilience/incident"} <= set(tags)
    back = dev.json("absent", words[0], "--undo")
    assert back["undone"]
    until(lambda: inbox(dev)[0]["subject"].startswith("[over]"), 60, "the message that it is over")


def test_a_second_instance_on_the_same_state_is_refused(dev: Running) -> None:
    second = dev.command("dev")
    assert second.returncode == 1
    assert "already" in (second.stdout + second.stderr).lower()


def test_a_job_started_from_the_command_line_runs_in_the_instance_and_prints_its_result(dev: Running) -> None:
    result = dev.json("run", "periodic_health_check", "--wait")
    assert set(result) == {"department", "family-medicine", "ward-7"}
    for program in result.values():
        assert set(program) == {
            "timestamp", "status", "utilization", "defense_level", "n1_pass", "n2_pass", "immediate_actions",
        }  # fmt: skip


def test_a_dropped_file_is_imported_and_put_away_with_its_report(dev: Running, tmp_path: Path) -> None:
    book = tmp_path / "example.xlsx"
    assert dev.command("template", str(book)).returncode == 0
    drop = dev.state / "drop" / "ward-example"
    drop.mkdir(parents=True)
    (drop / "broken.xlsx").write_bytes(book.read_bytes()[:2000])
    refused = until(lambda: list((drop / "refused").glob("*.report.json")), 90, "the report of the refused file")
    assert "not_a_workbook" in refused[0].read_text() or "cut" in refused[0].read_text()
