"""The morning brief: whose morning it is, once a date, to whom, and what it says of a real roster."""

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from resilience_assets.actions import morning_brief as act
from resilience_assets.actions.check_health import run_check
from resilience_assets.actions.deliver import deliver_pending, inbox
from resilience_assets.actions.evaluate_alerts import evaluate_alerts
from resilience_assets.actions.import_roster import import_path
from resilience_assets.actions.morning_brief import briefs, due_briefs, is_morning, send_briefs
from resilience_assets.policy import load_policies
from resilience_assets.storage import ledger, tables
from resilience_assets_tests.assets.deploying import CANARY, small_set, write_set
from resilience_assets_tests.delivery.peers import mail_server, receiver
from resilience_assets_tests.delivery.rows import QUICK, channels, rows

TODAY = dt.date(2026, 3, 10)
MORNING = dt.datetime(2026, 3, 10, 10, 45, tzinfo=dt.UTC)
"""06:45 in New York, 10:45 in UTC, 19:45 in Tokyo."""
LISTS = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org, include_names: true}
    - {id: ops, channel: webhook, url_variable: OPS_URL}
    - {id: late, channel: email, address: late@example.org, time_zone: America/New_York, quiet_hours: {begin: "22:00", end: "07:30"}}
  brief_to: [chief, ops]
"""
POLICIES = load_policies(LISTS)
BY = "a test"


def program(database, folder: Path, code="north", zone="America/New_York", *, checked=MORNING, away="", **changed):  # type: ignore[no-untyped-def]
    """The small program in a zone, its roster checked; `away` is out today."""
    absences = f"person,from,to,kind\n{away},{TODAY},{TODAY},sick\n" if away else "person,from,to,kind\n"
    files = small_set(code, today=TODAY, program=f"program,name,time_zone\n{code},Small {code},{zone}\n", absences=absences) | changed
    import_path(database, write_set(folder / code, files), now=MORNING - dt.timedelta(hours=1), by=BY)
    if checked is not None:
        run_check(database, POLICIES, checked)
    return database


def send(database, now=MORNING, policies=POLICIES, **options):  # type: ignore[no-untyped-def]
    return send_briefs(database, policies, now, by=BY, **options)


def test_all_is_well_in_one_line(database, tmp_path):
    program(database, tmp_path)
    (brief,) = briefs(database, POLICIES, MORNING)
    assert brief.text.body == "north, Tue 2026-03-10: all is well, every seat is filled."
    assert rows(database, tables.Message) == [], "nothing is written"


def test_an_open_seat_is_told_with_who_may_cover_and_hours_ready_to_send(database, tmp_path):
    program(database, tmp_path, away="A-03")
    (brief,) = briefs(database, POLICIES, MORNING)
    assert brief.text.severity.text == "critical"
    first, seat, *others = brief.text.body.splitlines()
    assert first == "north, Tue 2026-03-10: 1 seat open today, 1 of 1 places below the minimum."
    assert seat == "PM: att on clinic - 0 of 1 seated, minimum 1: below the minimum"
    assert any(line.startswith("may cover: A-0") and " h in 28 days" in line for line in others)
    assert any(line.startswith('Ready to send to A-0') and "Tue 2026-03-10 PM (north)" in line for line in others)
    assert CANARY not in brief.text.body
    (cell,) = brief.payload()["open_seats"]
    assert (cell["slot"], cell["service"], cell["filled"], cell["required"]) == ("PM", "clinic", 0, 1)


def test_only_today_counts(database, tmp_path):
    program(database, tmp_path, away="A-03")
    (tomorrow,) = briefs(database, POLICIES, MORNING + dt.timedelta(days=1))
    assert tomorrow.seats == ()


def test_open_alerts_are_told_by_number_and_acknowledged_ones_as_in_hand(database, tmp_path):
    from resilience_assets.actions.acknowledge import acknowledge

    program(database, tmp_path, away="A-03")
    evaluate_alerts(database, POLICIES, MORNING)
    (brief,) = briefs(database, POLICIES, MORNING)
    also = [line for line in brief.text.points if line.startswith("Also open")]
    assert also
    assert "alert 1)" in also[0]
    acknowledge(database, [1], now=MORNING, by=BY, program=None, note="")
    (brief,) = briefs(database, POLICIES, MORNING)
    assert "alert 1, in hand)" in next(line for line in brief.text.points if line.startswith("Also open"))


@pytest.mark.parametrize(
    ("checked", "later", "said"),
    [
        (None, 0, "today's open seats are not known: no roster was ever accepted"),
        (MORNING, 5, "not to be relied on: the newest health check is 5.0 hours old; what is on file shows no open seat"),
        (MORNING, 24 * 40, "today's open seats are not known: the roster on file ends 2026-04-09"),
    ],
)
def test_what_is_not_known_is_said_first_and_is_never_well(database, tmp_path, checked, later, said):
    program(database, tmp_path, checked=checked)
    (brief,) = briefs(database, POLICIES, MORNING + dt.timedelta(hours=later))
    assert said in brief.text.headline
    assert brief.text.severity.text == "warning"
    assert "well" not in brief.text.body


def test_a_program_that_cannot_be_counted_has_a_brief_and_holds_nobody_up(sqlite_database, tmp_path, monkeypatch):
    program(sqlite_database, tmp_path, "bad", checked=None)
    program(sqlite_database, tmp_path, "good")
    whole = act.short_seats

    def broken(roster, *rest):  # type: ignore[no-untyped-def]
        if roster.program.id == "bad":
            raise ValueError("a bug")
        return whole(roster, *rest)

    monkeypatch.setattr(act, "short_seats", broken)
    found = {one.program: one.text.body for one in briefs(sqlite_database, POLICIES, MORNING)}
    assert "could not be found out (ValueError)" in found["bad"]
    assert "all is well" in found["good"]


def test_it_goes_to_the_programs_list_and_the_inbox_names_only_where_they_may_be_seen(database, tmp_path):
    program(database, tmp_path, away="A-03")
    sent = send(database)
    assert sent.programs == ("north",)
    (message,) = inbox(database)
    assert (message.program, message.severity) == ("north", "critical")
    assert CANARY not in message.body
    with mail_server() as box, receiver() as web:
        assert deliver_pending(database, MORNING, channels(box, web), pace=QUICK).attempts == {"sent": 2}
    assert box.to == ["chief@example.org"]
    assert f"({CANARY} Tester" in str(box.mails[0].get_body(("plain",)))
    assert CANARY.encode() not in web.got[0].body
    assert b'"open_seats"' in web.got[0].body
    assert ledger.breaches(database) == {}


def test_once_a_program_and_local_date_whoever_asks_and_however_often(database, tmp_path):
    program(database, tmp_path)
    assert [len(send(database, MORNING + dt.timedelta(minutes=15 * n)).programs) for n in range(4)] == [1, 0, 0, 0]
    tomorrow = MORNING + dt.timedelta(days=1)
    assert send(database, tomorrow - dt.timedelta(hours=6, minutes=46)).programs == (), "23:59 of the same date"
    assert send(database, tomorrow - dt.timedelta(hours=6, minutes=44)).programs == ("north",), "00:01: asked for by hand"
    assert send(database, tomorrow).programs == ()
    assert len(rows(database)) == 2 * 2


def test_two_at_the_same_time_write_one(database, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    for code in ("north", "south", "west"):
        program(database, tmp_path, code)
    with ThreadPoolExecutor(2) as pool:
        done = [one for future in [pool.submit(send, database) for _ in range(2)] for one in future.result().programs]
    assert sorted(done) == ["north", "south", "west"]
    assert len(inbox(database)) == 3


def test_each_program_has_its_own_morning(database, tmp_path):
    for code, zone in {"ny": "America/New_York", "utc": "UTC", "tokyo": "Asia/Tokyo", "delhi": "Asia/Kolkata"}.items():
        program(database, tmp_path, code, zone)
    assert due_briefs(database, MORNING) == ["ny", "utc"], "10:45 in UTC: a brief that was missed is due until noon"
    assert due_briefs(database, MORNING - dt.timedelta(minutes=1)) == ["utc"]
    assert send(database, morning_only=True).programs == ("ny", "utc")
    assert due_briefs(database, MORNING) == []
    assert send(database, program="tokyo").programs == ("tokyo",), "by hand, whatever the clock says"
    assert due_briefs(database, dt.datetime(2026, 3, 11, 1, 15, tzinfo=dt.UTC)) == ["delhi", "tokyo"], "06:45 in Delhi"


@given(st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)), st.sampled_from(["America/New_York", "Europe/Warsaw", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]))
def test_a_morning_is_from_0645_to_noon_by_the_local_clock(instant, zone):
    at = instant.replace(tzinfo=dt.UTC)
    local = at.astimezone(ZoneInfo(zone))
    assert is_morning(zone, at) == (6 * 60 + 45 <= local.hour * 60 + local.minute < 12 * 60)


def test_quiet_hours_hold_it_unless_seats_are_below_the_minimum(database, tmp_path):
    policies = load_policies(LISTS.replace("brief_to: [chief, ops]", "brief_to: [late]"))
    program(database, tmp_path, "fine")
    program(database, tmp_path, "short", away="A-03")
    send(database, policies=policies)
    held = {row.subject.split(",")[0]: row.next_at for row in rows(database)}
    assert held == {"[brief] fine": dt.datetime(2026, 3, 10, 11, 30, tzinfo=dt.UTC), "[brief] short": MORNING}


def test_with_nobody_on_the_list_the_inbox_has_it(database, tmp_path):
    program(database, tmp_path)
    assert send(database, policies=load_policies()).programs == ("north",)
    assert (len(inbox(database)), rows(database)) == (1, [])
    with database.read() as connection:
        assert connection.execute(select(tables.Notice.kind)).scalars().all() == ["brief"]
