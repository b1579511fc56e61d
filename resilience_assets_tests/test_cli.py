"""The `resilience` command: every command through click's runner on a state folder of its own, and as a real process."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import openpyxl
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from resilience_assets.actions import check_health
from resilience_assets.actions.status import HEALTH_KEYS, Standing, standings
from resilience_assets.cli import COMMANDS, errors, launch, resilience, terminal
from resilience_assets.cli.dates import DATE, epoch_day
from resilience_assets.demo.load import demo_day, load_demo, who_to_miss
from resilience_assets.domain.days import date_of, day_of, day_text
from resilience_assets.resources.deployment import Deployment, deployment
from resilience_assets.settings import Settings
from resilience_assets.supervisor import state_lock, write_note

Run = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of its own, and a working directory beside it."""
    folder = tmp_path / "state"
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def run(state: Path) -> Run:
    """Run a command line; a bug shows its traceback instead of a line."""

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(resilience, list(arguments))
        assert result.exit_code == code, result.output + repr(result.exception)
        return result

    return invoke


@pytest.fixture
def here(state: Path) -> Deployment:
    return deployment(Settings.from_environment())


@pytest.fixture
def workbook(run: Run, tmp_path: Path) -> Path:
    """The example workbook."""
    path = tmp_path / "roster.xlsx"
    run("template", str(path))
    return path


@pytest.fixture
def imported(run: Run, workbook: Path) -> Path:
    run("import", str(workbook), "--json")
    return workbook


def as_json(result: Result) -> Any:
    """The one JSON document of stdout."""
    return json.loads(result.stdout)


def seated_today_or_later(here: Deployment) -> tuple[str, int]:
    """A person at work within the health check's window of the example, and when."""
    from resilience_assets.actions.program_states import program_states
    from resilience_assets.domain.days import local_day
    from resilience_assets.storage import versions

    (one,) = program_states(here.database, here.clock.now() + dt.timedelta(minutes=1))
    assert one.version_id is not None
    with here.database.read() as connection:
        roster, _ = versions.load_rosters(connection, [one.version_id])[one.version_id]
    today = local_day(here.clock.now(), one.time_zone)
    part = roster.window(today, today + 7)
    for slot in range(part.slots):
        for person in range(len(part.people)):
            post = int(part.planned[person, slot])
            if post >= 0 and part.required[post, slot] > 0:
                return part.people[person].id, part.first_day + slot // part.per_day
    raise AssertionError("nobody works in these days")


# --- the group ------------------------------------------------------------------------------


def test_every_command_is_there_and_says_what_it_does(run: Run) -> None:
    said = run("--help").output
    for name in COMMANDS:
        assert f"\n  {name} " in said
        assert run(name, "--help").output.count("\n") > 4


def test_an_unknown_command_is_refused(run: Run) -> None:
    assert "No such command" in run("exprot", code=2).stderr


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ValueError("negative demand"), 2, "negative demand"),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 2, "x.csv: No such file"),
        (RuntimeError("a bug"), 1, "RuntimeError: a bug"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(error: Exception, code: int, says: str) -> None:
    shown = errors.in_one_line(error)
    assert shown.exit_code == code
    assert says in shown.message


def test_a_bad_setting_is_named_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESILIENCE_PORT", "abc")
    said = run("status", code=2).stderr
    assert "RESILIENCE_PORT='abc'" in said
    assert "Traceback" not in said


def test_debug_lets_the_exception_through(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESILIENCE_PORT", "abc")
    for arguments in (["--debug", "status"], ["status", "--debug"]):
        result = CliRunner().invoke(resilience, arguments)
        assert isinstance(result.exception, ValueError)
        assert not isinstance(result.exception, SystemExit)


def test_an_unreachable_database_is_one_line_that_shows_no_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESILIENCE_DATABASE_URL", "postgresql://somebody:hunter2@127.0.0.1:1/roster")
    said = run("status", code=1).stderr
    assert said.startswith("Error: the database cannot be used:")
    assert said.count("\n") == 1
    assert "hunter2" not in said


# --- dates ----------------------------------------------------------------------------------


def test_today_is_that_of_the_program() -> None:
    late = dt.datetime(2026, 3, 10, 2, 0, tzinfo=dt.UTC)  # still the 9th in New York
    assert epoch_day("today", late, "America/New_York") == day_of(dt.date(2026, 3, 9))
    assert epoch_day("tomorrow", late, "America/New_York") == day_of(dt.date(2026, 3, 10))
    assert epoch_day("today", late, "Europe/Warsaw") == day_of(dt.date(2026, 3, 10))
    assert epoch_day("2026-02-28", late, "UTC") == day_of(dt.date(2026, 2, 28))


@pytest.mark.parametrize("word", ["31.12.2026", "2026-02-30", "soon", ""])
def test_what_is_no_date_is_refused(word: str) -> None:
    with pytest.raises(click.BadParameter):
        DATE.convert(word, None, None)


# --- template and import --------------------------------------------------------------------


def test_the_template_imports_as_it_is(run: Run, workbook: Path) -> None:
    said = run("import", str(workbook)).output
    assert "imported as batch 1" in said
    assert "Health: " in said
    assert "status --program example-medicine" in said


def test_the_template_is_not_written_over(run: Run, workbook: Path) -> None:
    assert "--force" in run("template", str(workbook), code=2).stderr
    run("template", str(workbook), "--force")


def test_a_template_needs_the_right_suffix(run: Run, tmp_path: Path) -> None:
    assert "xlsx" in run("template", str(tmp_path / "a.csv"), code=2).stderr
    run("template", str(tmp_path / "plain"))
    assert (tmp_path / "plain.xlsx").exists()


def test_the_same_content_again_is_said_and_is_no_error(run: Run, imported: Path) -> None:
    assert "already imported as batch 1" in run("import", str(imported)).output
    assert as_json(run("import", str(imported), "--json"))["outcome"] == "already"


def test_a_dry_run_writes_nothing(run: Run, workbook: Path) -> None:
    report = as_json(run("import", str(workbook), "--dry-run", "--json"))
    assert report["outcome"] == "dry-run"
    assert report["kinds"]["people"]["added"] == 12
    assert as_json(run("status", "--json")) == {}


def spoiled(workbook: Path, address: str, value: object) -> Path:
    book = openpyxl.load_workbook(workbook)
    book["Roster"][address] = value
    path = workbook.with_name("spoiled.xlsx")
    book.save(path)
    return path


def renamed(workbook: Path) -> Path:
    """The same roster with one service of another name."""
    book = openpyxl.load_workbook(workbook)
    book["Services"]["B2"] = "Critical care"
    path = workbook.with_name("renamed.xlsx")
    book.save(path)
    return path


def test_an_unreadable_cell_refuses_and_comes_back_coloured(run: Run, imported: Path) -> None:
    bad = spoiled(imported, "F8", "XYZ")
    said = run("import", str(bad), code=2).output
    assert "refused, nothing was changed" in said
    assert "F8" in said
    assert "XYZ" in said
    assert "--allow-unknown" in said
    copy = bad.with_name("spoiled.refused.xlsx")
    assert str(copy) in said
    assert openpyxl.load_workbook(copy)["Roster"]["F8"].comment is not None
    report = as_json(run("import", str(bad), "--json", code=2))
    assert report["coloured_copy"] == str(copy)
    assert report["findings"][0]["value"] == "XYZ"
    assert as_json(run("import", str(bad), "--allow-unknown", "--json"))["outcome"] == "imported"


def test_what_is_not_there_is_refused(run: Run) -> None:
    said = run("import", "nowhere.zip", code=2).output
    assert "nowhere.zip" in said
    assert "no such file" in said


def test_a_contradiction_is_listed_and_refused_until_somebody_decides(
    run: Run, imported: Path, here: Deployment
) -> None:
    run("status")  # the import as JSON does not check
    check_health.run_check(here.database, here.policies(), here.clock.now())
    person, day = seated_today_or_later(here)
    run("absent", person, "--from", day_text(day), "--kind", "sick")
    assert "already imported" in run("import", str(imported)).output  # nothing new, so nothing to contradict
    changed = renamed(imported)
    said = " ".join(run("import", str(changed), code=2).output.split())
    assert f"{person} was reported away (sick) {day_text(day)} here" in said
    assert f"has them at work on {day_text(day)}" in said
    assert "--accept-source" in said
    assert "--keep-changes" in said
    listed = as_json(run("import", str(changed), "--json", code=2))["contradictions"]
    assert {one["person"] for one in listed} == {person}
    kept = as_json(run("import", str(changed), "--keep-changes", "--json"))
    assert len(kept["contradictions"]) == len(listed)
    assert as_json(run("status", "--json"))["example-medicine"]["not_yet_in_the_source"][0]["person"] == person
    run("import", str(changed), "--accept-source", "--json")
    assert as_json(run("status", "--json"))["example-medicine"]["not_yet_in_the_source"] == []


# --- absent ---------------------------------------------------------------------------------


def test_an_absence_says_what_opens_and_is_taken_back(run: Run, imported: Path, here: Deployment) -> None:
    check_health.run_check(here.database, here.policies(), here.clock.now())
    person, day = seated_today_or_later(here)
    said = run("absent", person, "--from", day_text(day), "--to", day_text(day)).output
    assert f"{person} (example-medicine) is away (sick): {day_text(day)}." in said
    assert f"{date_of(day):%a} {day_text(day)}" in said
    assert "Coverage" in said
    assert f"absent {person} --program example-medicine --undo --from {day_text(day)}" in said
    assert "is back" in run("absent", person, "--undo").output
    assert "could be taken back" in run("absent", person, "--undo", code=2).stderr


def test_an_absence_as_json(run: Run, imported: Path) -> None:
    report = as_json(run("absent", "fac-01", "--from", "tomorrow", "--kind", "deployed", "--json"))
    assert (report["person"], report["kind"], report["undone"]) == ("FAC-01", "deployed", False)
    assert report["from"] == report["to"]


def test_an_absence_says_who_may_cover(run: Run, imported: Path, here: Deployment) -> None:
    check_health.run_check(here.database, here.policies(), here.clock.now())
    person, day = seated_today_or_later(here)
    said = run("absent", person, "--from", day_text(day)).output
    report = as_json(run("absent", person, "--from", day_text(day), "--json"))
    assert {"covers"} <= set(report["opens"][0])
    short = [one for one in report["opens"] if one["verdict"] != "still full"]
    assert short
    assert "Who may cover" in said
    for one in short:
        assert f"{one['date']} {one['slot']}, {one['role']} on {one['service']}:" in said
        for cover in one["covers"]:
            assert cover.split(";")[0] in said
    assert "cover" not in run("absent", person, "--undo").output


# --- without --------------------------------------------------------------------------------


THIN = {
    "demand_rules": "post,weekday,slot,required,minimum\nicu/att,daily,AM,1,1\nclinic/att,daily,PM,1,1\n",
    "qualifications": "person,post\nA-01,icu/att\nA-02,icu/att\nA-03,clinic/att\n",
}
"""The small program in which A-01 or A-02 is enough for the ICU, and nobody but A-03 may hold the clinic."""


@pytest.fixture
def thin(run: Run, tmp_path: Path) -> Path:
    from resilience_assets_tests.assets.deploying import small_set, write_set

    folder = write_set(tmp_path / "thin", small_set(today=dt.datetime.now(dt.UTC).date(), **THIN))
    run("import", str(folder), "--json")
    return folder


def test_without_says_what_opens_who_may_cover_and_records_nothing(run: Run, thin: Path, here: Deployment) -> None:
    before = everything(here)
    said = run("without", "A-03", "--from", "tomorrow").output
    assert said.splitlines()[0].startswith("Without A-03 (north), ")
    assert "8 seats fall below the minimum; anyone may be moved: 8 of them stay open" in " ".join(said.split())
    assert said.count("1 below the minimum, 1 stays open") == 8
    assert said.count("nobody may cover within the rules") == 8
    both = " ".join(run("without", "A-01", "A-02", "--from", "tomorrow", "--to", "tomorrow").output.split())
    assert "1 seat falls below the minimum; anyone may be moved: 1 of them stays open" in both
    one = " ".join(run("without", "A-01", "--from", "tomorrow", "--to", "tomorrow").output.split())
    assert "no seat falls below its minimum" in one, "A-02 is there too"
    assert everything(here) == before


def everything(here: Deployment) -> dict[str, Any]:
    """All rows but the roster itself, which a question freezes as a check would."""
    from resilience_assets_tests.storage.dumping import dump

    return dump(here.database, ("freeze", "roster_version"))


@pytest.mark.parametrize(("moves", "words"), [("none", "as rostered"), ("free", "call-in"), ("all", "anyone may be moved")])
def test_who_may_move_is_an_option(run: Run, thin: Path, moves: str, words: str) -> None:
    said = " ".join(run("without", "A-03", "--moves", moves).output.split())
    assert words in said
    found = as_json(run("without", "A-03", "--moves", moves, "--json"))
    assert found["moves"] == {"none": "static", "free": "call_in", "all": "full"}[moves]
    assert found["totals"]["minimum"]["open_as_rostered"] == found["totals"]["minimum"]["open_after"] == 8


def test_seats_that_are_open_already_are_counted_once(run: Run, thin: Path) -> None:
    """A-03 is reported away tomorrow; without A-01 and A-02 one more seat opens that day: two stay open, and no third."""
    run("absent", "A-03", "--from", "tomorrow", "--json")
    found = as_json(run("without", "A-01", "A-02", "--from", "tomorrow", "--to", "tomorrow", "--json"))
    assert found["totals"]["minimum"] == {"open_now": 1, "open_as_rostered": 2, "open_after": 2}
    said = " ".join(run("without", "A-01", "A-02", "--from", "tomorrow", "--to", "tomorrow").output.split())
    assert "1 seat falls below the minimum; anyone may be moved: 2 of the 2 then open stay open" in said
    nobody = " ".join(run("without", "A-04", "--from", "tomorrow", "--to", "tomorrow").output.split())
    assert "no seat falls below its minimum (1 is open already)" in nobody


def test_a_long_answer_is_cut_and_all_shows_the_rest(run: Run, thin: Path) -> None:
    def seats(said: str) -> int:
        return said.count("stays open")

    short = run("without", "A-03", "--to", day_text(demo_day(dt.datetime.now(dt.UTC)) + 20)).output
    assert seats(short) == 15
    assert "more seats (--all)" in short
    long = run("without", "A-03", "--to", day_text(demo_day(dt.datetime.now(dt.UTC)) + 20), "--all").output
    assert seats(long) > 15
    assert "--all" not in long


def test_dates_that_are_not_on_file_are_said(run: Run, thin: Path) -> None:
    last = day_text(demo_day(dt.datetime.now(dt.UTC)) + 60)
    assert "of these dates are not on file: nothing is known of them." in run("without", "A-03", "--to", last).output


def test_a_question_that_makes_no_sense_is_refused(run: Run, thin: Path) -> None:
    assert "A-09" in run("without", "A-09", code=2).stderr
    assert "1 to 366 days" in run("without", "A-03", "--from", "2026-03-10", "--to", "2026-03-01", code=2).stderr
    assert "not a date" in run("without", "A-03", "--from", "soon", code=2).stderr
    assert "PEOPLE" in run("without", code=2).stderr


def test_nobody_of_that_name(run: Run, imported: Path) -> None:
    assert "did you mean FAC-01" in run("absent", "FAC-011", code=2).stderr
    assert "not a date" in run("absent", "FAC-01", "--from", "soon", code=2).stderr
    assert "--from" in run("absent", "FAC-01", "--undo", "--to", "today", code=2).stderr
    assert "1 to 366 days" in run("absent", "FAC-01", "--from", "2026-03-10", "--to", "2026-03-01", code=2).stderr


# --- status and inbox -----------------------------------------------------------------------


def test_without_a_program_status_says_what_to_do(run: Run) -> None:
    said = run("status").output
    assert "import" in said
    assert "demo" in said
    assert as_json(run("status", "--json")) == {}


def test_before_the_first_check_a_program_is_grey(run: Run, imported: Path) -> None:
    said = run("status").output
    assert "UNKNOWN  not checked yet" in said
    assert "run periodic_health_check" in said
    assert as_json(run("status", "--json"))["example-medicine"]["status"] == "unknown"


def test_the_status_leads_and_no_line_is_wider_than_the_terminal(run: Run, workbook: Path) -> None:
    run("import", str(workbook))
    lines = run("status", "--program", "example-medicine").output.splitlines()
    assert lines[0].startswith("example-medicine")
    assert lines[1].split()[0] in ("HEALTHY", "WARNING", "DEGRADED", "CRITICAL", "EMERGENCY")
    assert "just now" in lines[1]
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("coverage") for line in lines)
    said = "\n".join(lines)
    assert "N-1 passes: every minimum holds" in said
    assert "N-2 fails: a minimum breaks" in said


def test_the_figures_of_status_are_those_that_the_check_stored(run: Run, workbook: Path, here: Deployment) -> None:
    run("import", str(workbook))
    shown = as_json(run("status", "--json"))["example-medicine"]
    with here.database.read() as connection:
        stored = connection.execute(text("SELECT * FROM health_check ORDER BY id DESC LIMIT 1")).one()
        seats = connection.execute(
            text("SELECT SUM(open_seats) FROM utilization_row WHERE scope='service' AND day IS NULL AND result_id=:id"),
            {"id": stored.utilization_id},
        ).scalar_one()
    assert (shown["status"], shown["coverage"], shown["utilization"]) == (
        stored.status,
        stored.coverage,
        stored.utilization,
    )
    assert shown["open_seats"] == seats == sum(one["open_seats"] for one in shown["services"])
    assert {one["service"] for one in shown["services"]} == {"ICU", "WARD", "CLINIC", "DIDACTICS"}


def test_a_changed_roster_and_a_late_check_are_said(run: Run, workbook: Path, here: Deployment) -> None:
    run("import", str(workbook))
    later = here.clock.now() + dt.timedelta(hours=2)
    (one,) = standings(here.database, here.policies(), later)
    assert one.late
    assert not one.changed
    with here.database.write() as connection:
        connection.execute(text("UPDATE program SET revision = revision + 1"))
    assert "The roster has changed since this check" in run("status").output
    (one,) = standings(here.database, here.policies(), later)
    assert one.changed


def test_more_than_three_programs_are_a_line_each(run: Run, workbook: Path) -> None:
    book = openpyxl.load_workbook(workbook)
    for number in range(4):
        book["Program"]["A2"] = f"ward-{number}"
        path = workbook.with_name(f"{number}.xlsx")
        book.save(path)
        run("import", str(path), "--program", f"ward-{number}", "--json")
    said = run("status").output
    assert "Services" not in said
    for number in range(4):
        assert sum(line.startswith(f"ward-{number} ") for line in said.splitlines()) == 1
    assert len(as_json(run("status", "--json"))) == 4


def test_an_unknown_program_is_refused_with_the_known_ones(run: Run, imported: Path) -> None:
    for command in ("status", "inbox"):
        assert "known: example-medicine" in run(command, "--program", "icu", code=2).stderr


def test_the_worst_program_comes_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from resilience_assets.cli.status_page import show_overview

    def standing(program: str, status: str) -> Standing:
        line = {"status": status, "coverage": 0.9, "utilization": 0.5, "utilization_level": "GREEN", "open_seats": 0}
        return Standing(program, "", "UTC", None, False, line, dt.timedelta(hours=23), True)

    monkeypatch.setenv("COLUMNS", "80")
    show_overview([standing("a", "healthy"), standing("b", "unknown"), standing("c", "emergency")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["c", "b", "a"]
    assert lines[1].rstrip().endswith("late: 23 hours")
    assert all(len(line) <= 80 for line in lines[:4])


def test_an_alert_goes_from_pending_to_the_inbox(run: Run, workbook: Path, here: Deployment) -> None:
    run("import", str(workbook))
    assert "No alerts" in run("inbox").output or "not delivered" in run("inbox").output
    for person in ("FAC-01", "FAC-02", "FAC-03", "FAC-04"):
        run("absent", person, "--from", "today", "--to", day_text(demo_day(here.clock.now()) + 7))
    waiting = as_json(run("inbox", "--json"))["pending"]
    assert waiting > 0
    assert "run deliver_alerts" in run("inbox").output
    result = as_json(run("run", "deliver_alerts", "--json"))
    assert result["status"] == "SUCCESS"
    assert result["results"] == {"pending": waiting, "written": waiting}
    messages = as_json(run("inbox", "--limit", "1", "--json"))
    assert messages["pending"] == 0
    assert len(messages["messages"]) == 1
    assert messages["messages"][0]["body"].splitlines()[0] in run("inbox").output


# --- policy ---------------------------------------------------------------------------------


def test_the_policy_is_shown_to_people_and_to_programs(run: Run) -> None:
    import yaml

    said = run("policy", "show").output
    for part in ("ORANGE", "containment", "acgme.weekly_hours", "coverage.program.warning"):
        assert part in said
    whole = as_json(run("policy", "show", "--json"))
    assert whole == yaml.safe_load(run("policy", "show", "--yaml").stdout)
    assert whole["utilization"]["red"] == 0.9


def test_the_environment_is_in_the_policy_that_is_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESILIENCE_MAX_UTILIZATION", "0.78")
    assert as_json(run("policy", "show", "--json"))["utilization"]["orange"] == 0.78


def test_a_section_of_a_program_is_shown_with_it(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("programs: {icu: {utilization: {yellow: 0.5}}}\n")
    monkeypatch.setenv("RESILIENCE_POLICY", str(overlay))
    assert as_json(run("policy", "show", "--program", "icu", "--json"))["utilization"]["yellow"] == 0.5
    assert "Sections of their own: icu" in run("policy", "show").output
    checked = run("policy", "check")
    assert "sections for icu" in checked.output
    assert "Warning" not in checked.stderr, "without a program on file nothing can be said of names"
    run("demo")
    assert "Warning: programs.icu: no program of this name is on file" in run("policy", "check").stderr
    assert as_json(run("policy", "check", "--json"))["unknown_programs"] == ["icu"]


def test_a_policy_check_lists_every_mistake(run: Run, tmp_path: Path) -> None:
    assert "policy is valid, version " in run("policy", "check").output
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("utilization: {yelow: 0.5, red: 2}\n")
    said = run("policy", "check", str(overlay), code=2).stderr
    assert "yelow" in said
    assert "utilization.red" in said
    verdict = as_json(run("policy", "check", str(overlay), "--json", code=2))
    assert verdict["valid"] is False
    assert len(verdict["mistakes"]) == 2
    assert "nowhere.yaml" in run("policy", "check", "nowhere.yaml", code=2).stderr


# --- run ------------------------------------------------------------------------------------


def test_the_health_check_prints_exactly_its_keys(run: Run, imported: Path) -> None:
    result = as_json(run("run", "periodic_health_check", "--json"))
    assert list(result) == ["example-medicine"]
    assert tuple(result["example-medicine"]) == HEALTH_KEYS
    assert (result["example-medicine"]["n1_pass"], result["example-medicine"]["n2_pass"]) == (True, False)
    said = run("run", "periodic_health_check").output
    for key in HEALTH_KEYS[2:]:
        assert key in said


def test_the_analysis_prints_exactly_its_keys_for_as_far_ahead_as_asked(run: Run, imported: Path) -> None:
    from resilience_assets.actions.deep_dive import RESULT_KEYS

    result = as_json(run("run", "run_contingency_analysis", "--config", "days_ahead=8", "--json"))
    assert list(result) == ["example-medicine"]
    found = result["example-medicine"]
    assert tuple(found) == RESULT_KEYS
    assert (found["period"], found["n1_pass"], found["n2_pass"]) == ("8 days", True, False)
    assert found["n1_vulnerabilities_count"] == len(found["most_critical_faculty"]) == 0
    assert found["n2_fatal_pairs_count"] > 0
    said = run("run", "run_contingency_analysis", "--config", "days_ahead=8").output
    assert said.startswith("example-medicine")
    for key in RESULT_KEYS:
        assert key in said
    assert "most_critical_faculty     nobody" in said
    far = as_json(run("run", "run_contingency_analysis", "--json"))["example-medicine"]
    assert (far["period"], far["n1_pass"]) == ("90 days", None), "four weeks are on file"


def test_an_unknown_job_and_a_wrong_configuration_are_refused_before_a_run_starts(run: Run) -> None:
    said = run("run", "deliver_alert", code=2).stderr
    assert "did you mean deliver_alerts?" in said
    assert "periodic_health_check" in said
    assert "it takes none" in run("run", "deliver_alerts", "--config", "a=b", code=2).stderr
    assert "known: allow_unknown" in run("run", "import_roster", "--config", "a=b", code=2).stderr
    assert "--config path=" in run("run", "import_roster", code=2).stderr
    assert "key=value" in run("run", "import_roster", "--config", "path", code=2).stderr
    assert "nothing runs" in run("run", "deliver_alerts", "--no-wait", code=2).stderr


def test_a_failed_run_gives_its_reason(run: Run) -> None:
    said = run("run", "import_roster", "--config", "path=/nowhere.zip", code=1).stderr
    assert "nowhere.zip" in said
    assert "FAILURE" in said
    failed = as_json(run("run", "import_roster", "--config", "path=/nowhere.zip", "--json", code=1))
    assert (failed["job"], failed["status"]) == ("import_roster", "FAILURE")
    assert "nowhere.zip" in failed["message"]


def test_values_are_typed_by_the_job(here: Deployment) -> None:
    job = launch.find_job(here, "import_roster")
    config = launch.run_config(job, {"path": "007", "allow_unknown": "true"})
    assert config == {"ops": {"import_file": {"config": {"path": "007", "allow_unknown": True}}}}
    assert launch.parsed_pairs(["a=b=c", " d =", "e= f"]) == {"a": "b=c", "d": "", "e": " f"}


class Webserver(http.server.BaseHTTPRequestHandler):
    """Answers like Dagster's: takes a run, then says STARTED, then how it ended."""

    asked: list[dict[str, Any]]
    ends: str

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        statuses = [one for one in self.asked if "runOrError" in one["query"]]
        if "launchRun" in body["query"]:
            data: dict[str, Any] = {
                "launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "r1", "status": "QUEUED"}}
            }
        elif "runOrError" in body["query"]:
            data = {"runOrError": {"__typename": "Run", "status": "STARTED" if len(statuses) == 1 else self.ends}}
        else:
            step = {"message": "outer", "errorChain": [{"error": {"message": "ValueError: the file is cut"}}]}
            event = {"__typename": "ExecutionStepFailureEvent", "error": step, "failureMetadata": None}
            data = {"logsForRun": {"events": [event]}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"data": data}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def webserver(here: Deployment) -> Iterator[type[Webserver]]:
    """A webserver of a Dagster that runs on the state, by the note beside the lock."""
    handler = type("Handler", (Webserver,), {"asked": [], "ends": "SUCCESS"})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(server.server_port)], stdout=subprocess.PIPE, env=dict(os.environ), text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    yield handler
    holder.kill()
    holder.wait()
    server.shutdown()


HOLD = """
import sys, time
from resilience_assets.settings import Settings
from resilience_assets.supervisor import state_lock, write_note
settings = Settings.from_environment()
with state_lock(settings) as note:
    write_note(settings, note | {"address": f"http://127.0.0.1:{sys.argv[1]}"})
    print("held", flush=True)
    time.sleep(60)
"""


def test_where_an_instance_runs_the_run_is_queued_there(run: Run, webserver: type[Webserver]) -> None:
    result = run("run", "import_roster", "--config", "path=a.zip", "--json")
    assert as_json(result) == {"run_id": "r1", "job": "import_roster", "status": "SUCCESS"}
    assert "queued: http://127.0.0.1:" in result.stderr
    sent = webserver.asked[0]["variables"]["params"]
    assert sent["selector"]["jobName"] == "import_roster"
    assert sent["runConfigData"] == {"ops": {"import_file": {"config": {"path": "a.zip"}}}}


def test_without_waiting_the_run_is_only_queued(run: Run, webserver: type[Webserver]) -> None:
    assert as_json(run("run", "deliver_alerts", "--no-wait", "--json"))["status"] == "QUEUED"
    assert len(webserver.asked) == 1


def test_a_run_that_fails_there_gives_its_reason(run: Run, webserver: type[Webserver]) -> None:
    webserver.ends = "FAILURE"
    assert "ValueError: the file is cut" in run("run", "deliver_alerts", code=1).stderr


def test_an_instance_that_does_not_answer_is_said(run: Run, here: Deployment) -> None:
    with pytest.raises(errors.Failed, match="does not answer"):
        launch.through_webserver("http://127.0.0.1:1", "deliver_alerts", {}, wait=True, tell=print)


def test_a_run_elsewhere_brings_its_figures_back(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [{"label": "pending", "intValue": 2}, {"label": "report", "text": "A is away"}, {"label": "table"}]
    answers = {
        launch.LAUNCH: {"launchRun": {"__typename": "LaunchRunSuccess", "run": {"runId": "r", "status": "QUEUED"}}},
        launch.STATUS: {"runOrError": {"__typename": "Run", "status": "SUCCESS"}},
        launch.RESULTS: {"logsForRun": {"events": [{}, {"metadataEntries": entries}]}},
    }
    monkeypatch.setattr(launch, "_ask", lambda _address, query, _variables: answers[query])
    monkeypatch.setattr(launch, "POLL_S", 0.0)
    outcome = launch.through_webserver("http://here", "deliver_alerts", {}, wait=True, tell=lambda _line: None)
    assert (outcome.status, outcome.results) == ("SUCCESS", {"pending": 2, "report": "A is away"})


# --- demo and dev ---------------------------------------------------------------------------


def test_the_demo_is_loaded_once(run: Run) -> None:
    said = run("demo").output
    for program in ("family-medicine", "ward-7", "department"):
        assert f"{program}: imported" in said
    assert "nothing to do" in run("demo").output
    again = as_json(run("demo", "--force", "--json"))
    assert {one["outcome"] for one in again["loaded"]} <= {"already", "unchanged"}


def test_a_demo_loaded_on_a_later_day_brings_the_programs_up_to_date(here: Deployment) -> None:
    now = here.clock.now()
    today = demo_day(now)
    first = load_demo(here.database, today, now)
    assert {one.outcome for one in first} == {"imported"}
    later = load_demo(here.database, today + 3, now + dt.timedelta(days=3))
    assert {one.outcome for one in later} == {"imported"}
    assert {one.batch for one in first}.isdisjoint({one.batch for one in later})


def test_preparing_fills_an_empty_state_and_finds_a_filled_one(
    run: Run, here: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    from resilience_assets.cli.dev import first_thing_to_try, prepare

    prepare(here)
    said = capsys.readouterr().out
    assert "loaded family-medicine" in said
    assert "materialized" in said
    result = as_json(run("status", "--json"))
    assert {one["status"] for one in result.values()}.isdisjoint({"unknown"})
    person, service, day = who_to_miss(here.database, here.clock.now() + dt.timedelta(minutes=1)) or ("", "", 0)
    said = first_thing_to_try(here)
    assert f"absent {person} --from {day_text(day)}" in said
    before = result["family-medicine"]["coverage"]
    opened = as_json(run("absent", person, "--from", day_text(day), "--json"))
    assert any(one["service"] == service and one["verdict"] == "below the minimum" for one in opened["opens"])
    assert opened["coverage"] < before
    started = time.monotonic()
    prepare(here)
    assert "loaded" not in capsys.readouterr().out
    assert time.monotonic() - started < 15


def test_a_roster_of_ones_own_is_not_played_with(here: Deployment, imported: Path) -> None:
    from resilience_assets.cli.dev import first_thing_to_try

    assert who_to_miss(here.database, here.clock.now()) is None
    said = first_thing_to_try(here)
    assert "status" in said
    assert "absent" not in said


def test_a_second_instance_is_refused(run: Run, here: Deployment) -> None:
    with state_lock(here.settings) as note:
        write_note(here.settings, note | {"address": "http://127.0.0.1:3000"})
        # the lock is this process's own: ask from another one
        done = process("dev", cwd=here.settings.state_dir.parent)
    assert done.returncode == 1
    assert "Already running" in done.stdout
    assert "http://127.0.0.1:3000" in done.stdout


# --- as a real process ----------------------------------------------------------------------


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "resilience_assets.cli", *arguments]
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_module_runs_and_json_is_all_of_stdout(state: Path, workbook: Path, tmp_path: Path) -> None:
    done = process("import", str(workbook), "--json", "--by", "a test", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "imported"
    done = process("import", "nowhere.zip", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["findings"][0]["rule"] == "not_found"


def test_help_loads_neither_dagster_nor_pandas_nor_the_database(tmp_path: Path) -> None:
    ask = (
        "import sys; from click.testing import CliRunner; from resilience_assets.cli import resilience;"
        "assert CliRunner().invoke(resilience, ['--help']).exit_code == 0;"
        "print(sorted({'dagster', 'pandas', 'sqlalchemy', 'pydantic', 'numpy', 'rich'} & set(sys.modules)))"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_inbox_does_not_load_dagster(state: Path, tmp_path: Path) -> None:
    ask = (
        "import sys; from click.testing import CliRunner; from resilience_assets.cli import resilience;"
        "assert CliRunner().invoke(resilience, ['inbox']).exit_code == 0; print('dagster' in sys.modules)"
    )
    environment = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


# --- terminal -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "just now"), (60, "1 minute ago"), (59 * 60, "59 minutes ago"), (7200, "2 hours ago"), (90000, "1 day ago")],
)
def test_ages_are_words(seconds: int, said: str) -> None:
    assert terminal.age_text(dt.timedelta(seconds=seconds)) == said


def test_the_command_is_named_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / ".venv" / "bin" / "resilience"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(program)])
    monkeypatch.setenv("PATH", "/nowhere")
    assert terminal.command_name() == ".venv/bin/resilience"
    monkeypatch.setenv("PATH", str(program.parent))
    assert terminal.command_name() == "resilience"
    monkeypatch.setattr(sys, "argv", ["/x/resilience_assets/cli/__main__.py"])
    assert terminal.command_name().endswith("-m resilience_assets.cli")
