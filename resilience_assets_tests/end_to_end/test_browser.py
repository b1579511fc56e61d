"""The Dagster UI in a real browser: every asset materializes by one click, and so do all at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from resilience_assets_tests.end_to_end.running import Running, resilience_dev, until

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[system]'")

ASSETS = [
    "roster", "utilization_snapshot", "service_redundancy", "contingency_report", "contingency_deep_dive", "system_health", "incidents",
]  # fmt: skip
RUNS = "{ runsOrError(limit: 100) { ... on Runs { results { runId jobName status assetSelection { path } } } } }"
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with resilience_dev(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def page(dev: Running) -> Iterator[Any]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed: `make test-system` brings it")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser.new_page(viewport={"width": 1500, "height": 950})
        browser.close()


def clicked_runs(dev: Running) -> dict[str, dict[str, Any]]:
    """Runs that a click on assets started, by id."""
    runs = dev.ask(RUNS)["runsOrError"]["results"]
    return {run["runId"]: run for run in runs if run["jobName"] == "__ASSET_JOB"}


def run_started_by(dev: Running, page: Any, button: str) -> dict[str, Any]:
    """Click a button and wait until the run that it starts has ended."""
    before = set(clicked_runs(dev))
    page.get_by_role("button", name=button).first.click()
    new = until(lambda: set(clicked_runs(dev)) - before, 30, f"a run after a click on {button}").pop()

    def ended() -> dict[str, Any] | None:
        run = clicked_runs(dev)[new]
        return run if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

    run: dict[str, Any] = until(ended, 90, "the end of the run")
    return run


@pytest.mark.parametrize("asset", ASSETS)
def test_one_click_materializes_an_asset(dev: Running, page: Any, asset: str) -> None:
    page.goto(f"{dev.address}/assets/{asset}")
    run = run_started_by(dev, page, "Materialize")
    assert run["status"] == "SUCCESS"
    assert [selected["path"][0] for selected in run["assetSelection"]] == [asset]
    page.reload()
    page.get_by_text("Latest materialization").first.wait_for(timeout=15000)


def test_one_click_materializes_all(dev: Running, page: Any) -> None:
    page.goto(f"{dev.address}/asset-groups")
    run = run_started_by(dev, page, "Materialize all")
    assert run["status"] == "SUCCESS"
    assert {selected["path"][0] for selected in run["assetSelection"]} == set(ASSETS)


def test_no_asset_is_stale_or_late_afterwards(dev: Running, page: Any) -> None:
    found = dev.ask("{ assetNodes { assetKey { path } staleStatus freshnessStatusInfo { freshnessStatus } } }")["assetNodes"]
    assert {node["staleStatus"] for node in found} == {"FRESH"}


def test_the_metadata_plot_of_the_coverage_is_there(dev: Running, page: Any) -> None:
    page.goto(f"{dev.address}/assets/utilization_snapshot")
    page.get_by_role("button", name="Plots").first.click()
    page.get_by_text("worst_coverage").first.wait_for(timeout=15000)


def test_schedules_and_sensors_are_shown_running(dev: Running, page: Any) -> None:
    page.goto(f"{dev.address}/automation")
    for name in ("resilience_health_check", "resilience_maintenance", "threshold_sensor", "roster_change_sensor", "drop_folder_sensor"):
        page.get_by_text(name, exact=True).first.wait_for(timeout=15000)
    state = dev.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules { scheduleState { status } } sensors { sensorState { status } } } } } }")
    node = state["repositoriesOrError"]["nodes"][0]
    assert {one["scheduleState"]["status"] for one in node["schedules"]} == {"RUNNING"}
    assert {one["sensorState"]["status"] for one in node["sensors"]} == {"RUNNING"}
