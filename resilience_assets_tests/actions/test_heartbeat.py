"""The heartbeat: when a check was good, what is asked for, and that nothing of the address is told."""

import time

import pytest

from resilience_assets.actions.heartbeat import failed_programs, send_heartbeat
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage import results
from resilience_assets_tests.actions.alert_days import MORNING, QUARTER, Day
from resilience_assets_tests.delivery.peers import receiver
from resilience_assets_tests.storage.headlines import add_program, add_version, headline


def test_a_check_is_good_when_every_program_was_judged(database):
    assert failed_programs(database, MORNING) == [], "nothing to check is no failure"
    day = Day(database)
    day.reading("a", coverage=0.2)
    day.reading("b", coverage=1.0)
    assert failed_programs(database, MORNING) == [], "an open seat is an alert, not a failure"
    day.reading("c", coverage=None, version_id=None)
    assert failed_programs(database, MORNING) == [], "a program without a roster was judged to be unknown"


def test_programs_without_figures_or_left_out_have_failed(database):
    day = Day(database)
    day.reading("a", coverage=1.0)
    day.reading("old", coverage=1.0)
    assert failed_programs(database, MORNING + QUARTER) is None, "no check of that instant: nothing to tell of"
    day.now += QUARTER
    day.reading("a", coverage=1.0)
    program = add_program(database, "broken")
    version = add_version(database, program, "x", day.now)
    with database.write() as connection:
        results.store_headlines(connection, [headline(program, day.now, coverage=None, version_id=version)])
    assert failed_programs(database, day.now) == ["broken", "old"]


@pytest.mark.parametrize(
    ("path", "failed", "asked"),
    [("ok/abc", False, "/ok/abc"), ("ok/abc", True, "/ok/abc/fail"), ("ok/abc/", True, "/ok/abc/fail"), ("ok/abc?k=v", True, "/ok/abc/fail?k=v")],
)
def test_the_address_is_asked_for_and_its_fail_when_a_program_failed(path, failed, asked):
    with receiver() as web:
        outcome = send_heartbeat(Secret(web.url(path)), failed=failed, now=MORNING, allowed=web.listed)
    assert outcome.kind == "sent"
    assert [(one.method, one.path, one.body) for one in web.got] == [("GET", asked, b"")]


@pytest.mark.parametrize("url", ["https://127.0.0.1/token-1", "http://example.org/token-1", "not an address token-1", "https://[::token-1"])
def test_what_cannot_be_asked_for_is_said_without_the_address(url):
    for failed in (False, True):
        outcome = send_heartbeat(Secret(url), failed=failed, now=MORNING)
        assert outcome.kind == "permanent"
        assert "token-1" not in str(outcome)


def test_a_peer_that_hangs_holds_nobody_up_for_longer_than_five_seconds():
    with receiver() as web:
        start = time.monotonic()
        outcome = send_heartbeat(Secret(web.url("hang")), failed=False, now=MORNING, allowed=web.listed)
        took = time.monotonic() - start
    assert str(outcome) == "ambiguous no answer in time"
    assert took < 6
