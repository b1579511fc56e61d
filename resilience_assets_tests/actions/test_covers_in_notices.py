"""Who may cover, as notices of open seats say it: by readable id, bounded in a storm, and never in the way of a notice."""

import datetime as dt

import pytest

from resilience_assets.actions import who_may_cover
from resilience_assets.actions.check_health import run_check
from resilience_assets.actions.deliver import inbox
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.import_roster import import_path
from resilience_assets.actions.report_absence import report_absence
from resilience_assets.actions.who_may_cover import MOST_PROGRAMS, covers_of
from resilience_assets.domain.days import local_day
from resilience_assets.policy import load_policies
from resilience_assets_tests.assets.deploying import CANARY, small_set, write_set

NOW = dt.datetime(2026, 3, 10, 10, 45, tzinfo=dt.UTC)
POLICIES = load_policies()


def bring(database, folder, code="north", away=""):  # type: ignore[no-untyped-def]
    absences = f"person,from,to,kind\n{away},{NOW.date()},{NOW.date()},sick\n" if away else "person,from,to,kind\n"
    import_path(database, write_set(folder / code, small_set(code, today=NOW.date(), absences=absences)), now=NOW - dt.timedelta(hours=1), by="a test")
    run_check(database, POLICIES, NOW)


def test_a_notice_of_an_open_seat_says_who_may_cover_by_readable_id(database, tmp_path):
    bring(database, tmp_path, away="A-03")
    evaluate_alerts(database, POLICIES, NOW, covers=covers_of(database, POLICIES, NOW))
    bodies = [one.body for one in inbox(database) if "Who may cover" in one.body]
    assert bodies
    assert all("Tue 2026-03-10 PM, att on clinic: A-0" in body and " h in 28 days" in body for body in bodies)
    assert not [body for body in bodies if CANARY in body]


def test_an_absence_reported_here_tells_it_at_once(database, tmp_path):
    bring(database, tmp_path)
    day = local_day(NOW, "UTC")
    report_absence(database, POLICIES, "A-03", first=day, last=day + 2, kind="sick", now=NOW, by="a test", program=None, names=False)
    assert any("Who may cover:" in one.body and "att on clinic: A-0" in one.body for one in inbox(database))


def test_a_program_without_a_roster_has_no_covers_and_its_notice_all_the_same(sqlite_database):
    assert covers_of(sqlite_database, POLICIES, NOW)("nowhere", "") == []


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("x"), ZeroDivisionError()])
def test_what_cannot_be_found_out_does_not_stop_a_notice(sqlite_database, tmp_path, monkeypatch, error):
    bring(sqlite_database, tmp_path, away="A-03")

    def broken(*_args):  # type: ignore[no-untyped-def]
        raise error

    monkeypatch.setattr(who_may_cover, "short_seats", broken)
    evaluate_alerts(sqlite_database, POLICIES, NOW, covers=covers_of(sqlite_database, POLICIES, NOW))
    assert any(f"could not be found out ({type(error).__name__}): resilience brief --program north" in one.body for one in inbox(sqlite_database))


def test_a_storm_loads_no_more_rosters_than_it_may(sqlite_database, monkeypatch):
    asked = []
    monkeypatch.setattr(who_may_cover, "newest_roster", lambda _database, program, _now: asked.append(program))
    lines = covers_of(sqlite_database, POLICIES, NOW)
    told = [lines(f"p{number}", "") for number in range(MOST_PROGRAMS + 5)]
    assert len(asked) == MOST_PROGRAMS
    assert told[-1] == [f"ask for it: resilience brief --program p{MOST_PROGRAMS + 4}"]
    assert lines("p0", "icu") == [], "one that is loaded stays"
