"""Sensors: what they watch, when they ask for a run, and when they hold back."""

import datetime as dt
import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_origin import RemoteRepositoryOrigin

from resilience_assets.automation.jobs import deliver_alerts
from resilience_assets.automation.queues import QUEUE
from resilience_assets.automation.sensors import (
    ACTIVE,
    FILE_TAG,
    MOST_ATTEMPTS,
    PAUSE,
    drop_folder_sensor,
    roster_change_sensor,
    threshold_sensor,
)
from resilience_assets_tests.assets.deploying import NOW, Scratch, small_set
from resilience_assets_tests.automation.daemon import code_location, daemon

SHORT = "\n".join(line for line in small_set()["assignments"].splitlines() if not line.startswith("A-02")) + "\n"
"""Assignments without A-02: coverage 16 of 24."""


@pytest.fixture
def alarmed(scratch: Scratch) -> Scratch:
    """A deployment in which notices are pending."""
    scratch.bring(small_set(assignments=SHORT))
    scratch.measure()
    return scratch


def run_in(scratch: Scratch, job: str, status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
    """A run of a job as it lies in the queue, or as it ended."""
    origin = RemoteRepositoryOrigin(code_location(scratch.folder), "__repository__").get_job_origin(job)
    run = dg.DagsterRun(job_name=job, run_id=str(uuid.uuid4()), status=status, tags=tags, remote_job_origin=origin)
    return scratch.instance.add_run(run)


class TestThresholdSensor:
    def test_says_what_it_watches_when_all_is_well(self, small: Scratch) -> None:
        small.measure()
        skip = small.sensor(threshold_sensor)
        assert isinstance(skip, dg.SkipReason)
        assert skip.skip_message == "worst coverage 1.00 (north), warns below 0.95; 0 notices pending, 0 incidents open"

    def test_says_so_when_nothing_is_measured(self, scratch: Scratch) -> None:
        skip = scratch.sensor(threshold_sensor)
        assert skip.skip_message == "nothing measured yet; 0 notices pending, 0 incidents open"

    def test_asks_for_one_delivery_and_says_what_for(self, alarmed: Scratch) -> None:
        pending = alarmed.rows("notice WHERE delivered_at IS NULL", "id", "incident_id")
        request = alarmed.sensor(threshold_sensor)
        assert isinstance(request, dg.RunRequest)
        incident = alarmed.rows(f"incident WHERE id = {pending[0][1]}", "rule", "scope_key")[0]
        assert request.tags == {
            "resilience/rule": incident[0], "resilience/scope": f"north/{incident[1]}".rstrip("/"),
            "resilience/incident": str(pending[0][1]), "resilience/pending": str(len(pending)),
        }  # fmt: skip
        assert request.run_key is None, "a key would forbid a second try for ever"

    @pytest.mark.parametrize("status", ACTIVE)
    def test_holds_back_while_a_delivery_is_under_way(self, alarmed: Scratch, status: dg.DagsterRunStatus) -> None:
        run_in(alarmed, deliver_alerts.name, status)
        skip = alarmed.sensor(threshold_sensor)
        assert isinstance(skip, dg.SkipReason)
        assert skip.skip_message is not None
        assert skip.skip_message.endswith("messages due; a run is under way")

    @pytest.mark.parametrize("status", [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED])
    def test_asks_again_when_a_delivery_ended_and_something_is_still_pending(self, alarmed: Scratch, status: dg.DagsterRunStatus) -> None:
        run_in(alarmed, deliver_alerts.name, status)
        assert isinstance(alarmed.sensor(threshold_sensor), dg.RunRequest)

    def test_after_a_failed_delivery_it_waits_and_then_asks_again(self, alarmed: Scratch) -> None:
        failed = run_in(alarmed, deliver_alerts.name, dg.DagsterRunStatus.FAILURE)
        record = alarmed.instance.get_run_record_by_id(failed.run_id)
        assert record is not None
        alarmed.clock.at = record.create_timestamp + PAUSE - dt.timedelta(seconds=1)
        assert "failed" in alarmed.sensor(threshold_sensor).skip_message
        alarmed.clock.at += dt.timedelta(seconds=2)
        assert isinstance(alarmed.sensor(threshold_sensor), dg.RunRequest)

    def test_is_quiet_once_delivered(self, alarmed: Scratch) -> None:
        count, open_now = len(alarmed.rows("notice")), len(alarmed.rows("incident WHERE closed_at IS NULL"))
        assert count >= 2
        assert alarmed.job("deliver_alerts").success
        skip = alarmed.sensor(threshold_sensor)
        assert isinstance(skip, dg.SkipReason)
        assert skip.skip_message == f"worst coverage 0.67 (north), warns below 0.95; 0 notices pending, {open_now} incidents open"
        assert len(alarmed.rows("inbox_message")) == count


class TestRosterChangeSensor:
    def test_asks_once_after_an_import_and_is_quiet_when_it_was_checked(self, small: Scratch) -> None:
        request = small.sensor(roster_change_sensor)
        assert isinstance(request, dg.RunRequest)
        assert request.tags == {"resilience/because": "changed: north"}
        waiting = run_in(small, "periodic_health_check", dg.DagsterRunStatus.QUEUED)
        assert small.sensor(roster_change_sensor).skip_message == "north changed; a run is under way"
        small.instance.delete_run(waiting.run_id)
        small.measure()
        assert small.sensor(roster_change_sensor).skip_message == "every program's newest revision is checked"

    def test_asks_after_an_absence_was_reported_and_after_it_was_taken_back(self, small: Scratch) -> None:
        small.measure()
        for undo in (False, True):
            config = {"person": "A-01", "undo": undo}
            assert small.job("report_absence", run_config={"ops": {"record_absence": {"config": config}}}).success
            assert isinstance(small.sensor(roster_change_sensor), dg.RunRequest)
            small.measure()
            assert isinstance(small.sensor(roster_change_sensor), dg.SkipReason)

    def test_the_same_file_again_asks_for_nothing(self, small: Scratch) -> None:
        small.measure()
        assert small.bring(small_set()).outcome == "already"
        assert isinstance(small.sensor(roster_change_sensor), dg.SkipReason)

    def test_a_refused_roster_is_checked_once_and_not_for_ever(self, small: Scratch) -> None:
        twice = small_set()["assignments"].splitlines()[1].replace("icu/att", "clinic/att")
        small.bring(small_set(assignments=small_set()["assignments"] + twice + "\n"))
        assert isinstance(small.sensor(roster_change_sensor), dg.RunRequest)
        small.measure()
        assert isinstance(small.sensor(roster_change_sensor), dg.SkipReason)

    def test_a_check_that_keeps_failing_is_not_asked_for_every_fifteen_seconds(self, small: Scratch) -> None:
        failed = run_in(small, "periodic_health_check", dg.DagsterRunStatus.FAILURE)
        record = small.instance.get_run_record_by_id(failed.run_id)
        assert record is not None
        small.clock.at = record.create_timestamp + dt.timedelta(seconds=15)
        assert "periodic_health_check failed" in small.sensor(roster_change_sensor).skip_message
        small.clock.at = record.create_timestamp + PAUSE
        assert isinstance(small.sensor(roster_change_sensor), dg.RunRequest)


@pytest.fixture
def drop(scratch: Scratch) -> Path:
    """The drop folder with a place for program `north`."""
    folder = scratch.settings.drop_dir / "north"
    folder.mkdir(parents=True)
    return folder


class Watcher:
    """The drop folder's sensor, tick after tick, with its cursor kept."""

    def __init__(self, scratch: Scratch) -> None:
        self.scratch = scratch
        self.cursor: str | None = None

    def tick(self) -> dg.SensorResult:
        result: dg.SensorResult = self.scratch.sensor(drop_folder_sensor, self.cursor)
        self.cursor = result.cursor
        return result

    def asked(self) -> list[str]:
        """Names of the files that one tick asks to import."""
        return [Path(_config(request)["path"]).name for request in self.tick().run_requests or []]


def _config(request: dg.RunRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.run_config["ops"]["import_file"]["config"]
    return found


class TestDropFolderSensor:
    def test_an_absent_or_empty_folder_is_no_error(self, scratch: Scratch) -> None:
        assert "empty" in str(scratch.sensor(drop_folder_sensor).skip_reason)

    def test_a_file_is_taken_when_it_stopped_growing_and_once(self, scratch: Scratch, drop: Path) -> None:
        watcher = Watcher(scratch)
        file = drop / "people.csv"
        for size in (10, 20):
            file.write_text("x" * size)
            assert watcher.asked() == [], "seen for the first time, or still growing"
        request = (watcher.tick().run_requests or [])[0]
        assert _config(request) == {"path": str(file), "program": "north", "put_away": True}
        assert request.tags["resilience/program"] == "north"
        run_in(scratch, "import_roster", dg.DagsterRunStatus.STARTED, **request.tags)
        for _ in range(3):
            assert watcher.asked() == []

    def test_a_folder_and_its_mapping_are_taken_as_one(self, scratch: Scratch, drop: Path) -> None:
        (drop / "set").mkdir()
        (drop / "set" / "people.csv").write_text("a")
        (drop / "mapping.yaml").write_text("grid: {}\n")
        watcher = Watcher(scratch)
        watcher.tick()
        (drop / "set" / "posts.csv").write_text("b")
        assert watcher.asked() == [], "still being filled"
        request = (watcher.tick().run_requests or [])[0]
        assert _config(request) == {
            "path": str(drop / "set"), "program": "north", "put_away": True, "mapping": str(drop / "mapping.yaml"),
        }  # fmt: skip

    def test_one_file_a_tick_the_oldest_first(self, scratch: Scratch, drop: Path) -> None:
        for name, age in (("young.csv", 10), ("old.csv", 20)):
            (drop / name).write_text(name)
            os.utime(drop / name, (1_700_000_000 - age,) * 2)
        watcher = Watcher(scratch)
        watcher.tick()
        assert watcher.asked() == ["old.csv"]
        (drop / "old.csv").unlink()
        assert watcher.asked() == ["young.csv"]

    def test_a_crashed_import_is_tried_again_but_not_for_ever_and_stops_no_other_file(self, scratch: Scratch, drop: Path) -> None:
        (drop / "a.csv").write_text("a")
        os.utime(drop / "a.csv", (1_700_000_000,) * 2)
        (drop / "b.csv").write_text("b")
        watcher = Watcher(scratch)
        watcher.tick()
        for _ in range(MOST_ATTEMPTS):
            (request,) = watcher.tick().run_requests or []
            assert _config(request)["path"].endswith("a.csv")
            run_in(scratch, "import_roster", dg.DagsterRunStatus.FAILURE, **request.tags)
        (request,) = watcher.tick().run_requests or []
        assert _config(request)["path"].endswith("b.csv")
        (drop / "b.csv").unlink()
        assert f"1 tried {MOST_ATTEMPTS} times" in str(watcher.tick().skip_reason)

    def test_the_same_file_dropped_again_is_a_new_file(self, scratch: Scratch, drop: Path) -> None:
        watcher = Watcher(scratch)
        tags = set()
        for _ in range(MOST_ATTEMPTS + 1):
            (drop / "a.csv").write_text("a")
            os.utime(drop / "a.csv", (1_700_000_000,) * 2)
            watcher.tick()
            (request,) = watcher.tick().run_requests or []
            tags.add(request.tags[FILE_TAG])
            run_in(scratch, "import_roster", dg.DagsterRunStatus.SUCCESS, **request.tags)
            (drop / "a.csv").unlink()
            assert watcher.asked() == []
        assert len(tags) == 1

    @pytest.mark.parametrize(
        "plant",
        [
            lambda folder, outside: (folder / "link.csv").symlink_to(outside),
            lambda folder, outside: (folder / "broken.csv").symlink_to(outside / "nowhere"),
            lambda folder, outside: (folder / ".hidden.csv").write_text("x"),
            lambda folder, outside: (folder / "~$roster.xlsx").write_text("x"),
            lambda folder, outside: (folder / "two\nlines.csv").write_text("x"),
            lambda folder, outside: Path(os.fsdecode(os.fsencode(folder) + b"/\xff.csv")).write_text("x"),
            lambda folder, outside: ((folder / "set").mkdir(), (folder / "set" / "people.csv").symlink_to(outside)),
            lambda folder, outside: ((folder / "done").mkdir(), (folder / "done" / "people.csv").write_text("x")),
            lambda folder, outside: ((folder.parent / ".north").mkdir(), (folder.parent / ".north" / "a.csv").write_text("x")),
            lambda folder, outside: ((folder.parent / "--json").mkdir(), (folder.parent / "--json" / "a.csv").write_text("x")),
            lambda folder, outside: (folder.parent / "loose.csv").write_text("x"),
            lambda folder, outside: (folder.parent / "linked").symlink_to(outside.parent),
        ],
        ids=["link", "broken link", "hidden", "lock file", "line end", "no text", "link inside", "done", "hidden program",
             "option", "no program", "linked program"],
    )  # fmt: skip
    def test_what_leads_elsewhere_or_cannot_be_named_is_left_alone(
        self, scratch: Scratch, drop: Path, tmp_path: Path, plant: Callable[[Path, Path], object]
    ) -> None:
        outside = tmp_path / "elsewhere" / "people.csv"
        outside.parent.mkdir()
        outside.write_text("secret")
        plant(drop, outside)
        watcher = Watcher(scratch)
        for _ in range(3):
            result = watcher.tick()
            assert not result.run_requests
            json.loads(result.cursor or "")


def test_every_run_that_a_sensor_asks_for_goes_into_its_queue(small: Scratch) -> None:
    assert {one.job_name: small.definitions.resolve_job_def(one.job_name).tags[QUEUE] for one in small.definitions.sensors or []} == {
        "deliver_alerts": "notifications", "periodic_health_check": "resilience", "run_contingency_analysis": "resilience",
        "import_roster": "default",
    }  # fmt: skip


def test_from_an_import_to_the_inbox_by_the_sensors_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some looks of Dagster's sensor daemon: the roster changed, a threshold was crossed, all is quiet."""
    with dg.DagsterInstance.ephemeral() as unused:
        scratch = Scratch(tmp_path, unused)
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(scratch.settings.state_dir))
    scratch.bring(small_set(assignments=SHORT))
    with daemon(tmp_path / "dagster") as running:
        looks = [run.job_name for n in range(3) for run in running.sensors(NOW + dt.timedelta(seconds=20 * n))]
        assert [name for name in looks if name != "run_contingency_analysis"] == ["periodic_health_check", "deliver_alerts"]
        assert looks.count("run_contingency_analysis") == 1, "the program's first deep dive"
        assert {run.status for run in running.instance.get_runs()} == {dg.DagsterRunStatus.SUCCESS}
        (quiet,) = [tick.skip_reason for tick in running.ticks("threshold_sensor")][-1:]
        assert quiet is not None
        assert "0 notices pending" in quiet
    assert len(scratch.rows("inbox_message")) == len(scratch.rows("notice")) >= 2
