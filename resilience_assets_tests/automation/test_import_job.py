"""The drop folder's job: read in a child process with limits, moved to done/ or refused/ with its report beside it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resilience_assets.actions import import_apart
from resilience_assets.automation.sensors import drop_folder_sensor, roster_change_sensor
from resilience_assets_tests.assets.deploying import CANARY, TODAY, Scratch, small_set, write_set

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _child(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds this deployment as the parent did."""
    monkeypatch.chdir(scratch.folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def dropped(scratch: Scratch, files: dict[str, str], program: str = "north", name: str = "set") -> Path:
    return write_set(scratch.settings.drop_dir / program / name, files)


def requested(scratch: Scratch) -> dg.RunRequest:
    """What the sensor asks for once the file has settled."""
    cursor = scratch.sensor(drop_folder_sensor).cursor
    (request,) = scratch.sensor(drop_folder_sensor, cursor).run_requests
    return request  # type: ignore[no-any-return]


def execute(scratch: Scratch, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    return scratch.job("import_roster", run_config=request.run_config, tags=request.tags)


def import_now(scratch: Scratch, **config: Any) -> dg.ExecuteInProcessResult:
    return scratch.job("import_roster", run_config={"ops": {"import_file": {"config": config}}})


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (event,) = [one for one in result.all_events if one.event_type_value == "STEP_FAILURE"]
    data: Any = event.event_specific_data
    return str(data.user_failure_data.description)


def reports(folder: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.report.json")}


def test_a_good_set_is_imported_and_moved_to_done_with_its_report(scratch: Scratch) -> None:
    folder = dropped(scratch, small_set())
    result = execute(scratch, requested(scratch))
    assert result.success
    assert not folder.exists()
    done = folder.parent / "done"
    ((name, report),) = reports(done).items()
    assert (report["outcome"], report["program"], report["batch"]) == ("imported", "north", 1)
    moved = done / name.removesuffix(".report.json")
    assert moved.name.endswith("-set")
    assert sorted(path.name for path in moved.iterdir()) == sorted(f"{kind}.csv" for kind in small_set())
    ((by,),) = scratch.rows("import_batch", "imported_by")
    assert by.startswith("job import_roster (")
    assert isinstance(scratch.sensor(roster_change_sensor), dg.RunRequest), "a health check follows"
    assert not scratch.sensor(drop_folder_sensor).run_requests


def test_a_bad_set_is_moved_to_refused_and_the_run_fails_with_the_reason(small: Scratch) -> None:
    before = small.everything()
    bad = small_set(assignments=f"person,date,shift,post\nA-01,{TODAY},AM,icu/att\nA-77,{TODAY},AM,icu/att\n")
    folder = dropped(small, bad)
    result = execute(small, requested(small))
    assert not result.success
    said = failure_of(result)
    assert "unknown_person in assignments.csv, row 3, column person: no such person is defined" in said
    assert not folder.exists()
    ((name, report),) = reports(folder.parent / "refused").items()
    assert (folder.parent / "refused" / name.removesuffix(".report.json")).is_dir()
    assert report["outcome"] == "refused"
    assert any(one["value"] == "A-77" and one["row"] == 3 for one in report["findings"])
    assert small.everything() == before


def test_what_a_cell_holds_is_in_the_report_and_not_in_the_log(small: Scratch) -> None:
    wrong = small_set(people=small_set()["people"] + f"{CANARY} Tester05,=HYPERLINK({CANARY}),att\n{CANARY} Tester05,,att\n")
    folder = dropped(small, wrong)
    result = execute(small, requested(small))
    assert not result.success
    assert not [entry for entry in small.instance.all_logs(result.run_id) if CANARY in str(entry.to_json())]
    assert CANARY in json.dumps(reports(folder.parent / "refused"))


def test_a_file_for_another_program_is_refused(small: Scratch) -> None:
    dropped(small, small_set("south"))
    result = execute(small, requested(small))
    assert not result.success
    assert small.rows("program", "code") == [("north",)]


def test_the_same_file_again_goes_to_done_as_already_imported(small: Scratch) -> None:
    folder = dropped(small, small_set())
    assert execute(small, requested(small)).success
    ((_, report),) = reports(folder.parent / "done").items()
    assert (report["outcome"], report["batch"]) == ("already", 1)


def test_a_source_that_contradicts_an_absence_is_refused_until_told_which_holds(small: Scratch) -> None:
    config = {"ops": {"record_absence": {"config": {"person": "A-01"}}}}
    assert small.job("report_absence", run_config=config).success
    changed = small_set(assignments=small_set()["assignments"].replace(f"A-04,{TODAY},AM,FREE", f"A-04,{TODAY},PM,FREE"))
    path = write_set(small.folder / "again", changed)
    refused = import_now(small, path=str(path))
    assert failure_of(refused) == "again: refused (1 assignments contradict absences reported here)"
    assert path.exists(), "a file that was not dropped stays where it is"
    assert import_now(small, path=str(path), contradicted="keep-changes").success
    assert small.rows("reported_absence", "state") == [("open",)]


def test_a_path_is_below_the_drop_folder_and_absence_of_it_is_said_at_once(scratch: Scratch) -> None:
    dropped(scratch, small_set(), name="here")
    assert import_now(scratch, path="north/here", program="north").success
    result = import_now(scratch, path="north/nowhere")
    assert failure_of(result) == "nowhere is not there (any more): put it back, or correct the path"


def test_a_reader_that_takes_too_much_memory_is_stopped(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_apart, "MEMORY_BYTES", 400 * 1024**2)
    people = "person,name,role\n" + "".join(f"P-{n},{'long ' * 40}{n},att\n" for n in range(150_000))
    folder = dropped(scratch, small_set(people=people))
    result = execute(scratch, requested(scratch))
    assert not result.success
    ((_, report),) = reports(folder.parent / "refused").items()
    assert report["findings"][0]["rule"] in ("too_large", "reader_died"), "not every library says it as Python does"
    assert scratch.rows("program") == []


def test_a_reader_that_takes_too_long_is_stopped(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_apart, "SECONDS", 0.2)
    folder = dropped(scratch, small_set())
    result = execute(scratch, requested(scratch))
    assert "too_slow in set: reading it took more than 0.2 seconds; split the file" in failure_of(result)
    assert (folder.parent / "refused").is_dir()
    assert scratch.rows("program") == []


def test_a_reader_that_dies_leaves_its_last_words_in_the_report_alone(scratch: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    dying = scratch.folder / "dying"
    (dying / "resilience_assets").mkdir(parents=True)
    (dying / "resilience_assets" / "__init__.py").write_text("")
    (dying / "resilience_assets" / "cli.py").write_text(f"import sys; sys.exit('last words about {CANARY}')")
    monkeypatch.setenv("PYTHONPATH", str(dying))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    folder = dropped(scratch, small_set())
    result = execute(scratch, requested(scratch))
    assert "reader_died in set: the reader ended with code 1" in failure_of(result)
    assert CANARY not in failure_of(result)
    ((_, report),) = reports(folder.parent / "refused").items()
    assert CANARY in report["findings"][0]["value"]


