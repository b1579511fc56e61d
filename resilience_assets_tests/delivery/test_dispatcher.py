"""The dispatcher against real peers: at least once on the wire, once to the reader, whatever dies."""

import datetime as dt
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.dispatcher import Dispatcher, Pace, drain, endpoint_pause, run
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.webhook import Webhook
from resilience_assets.storage import ledger, outbox, tables
from resilience_assets.storage.database import Database
from resilience_assets_tests.delivery.peers import free_port, mail_server, receiver
from resilience_assets_tests.delivery.rows import (
    NOW,
    QUICK,
    SetClock,
    channels,
    dispatcher,
    enqueue,
    incidents,
    notice,
    rows,
    states,
)


def attempts(database):  # type: ignore[no-untyped-def]
    return [(row.outbox_id, row.n, row.outcome, row.code) for row in rows(database, tables.DeliveryAttempt)]


def clean(database) -> None:  # type: ignore[no-untyped-def]
    assert ledger.breaches(database) == {}


def go(made: Dispatcher, seconds: float = 20.0) -> dict[str, int]:
    return dict(drain(made, seconds=seconds).outcomes)


def test_a_notice_goes_out_once_on_each_channel(database):
    [incident] = incidents(database)
    with mail_server() as box, receiver() as web:
        enqueue(database, notice(incident), notice(incident, channel="webhook", recipient="ops"), notice(incident, channel="slack", recipient="ward"))
        assert enqueue(database, notice(incident)) == 0
        assert go(dispatcher(database, channels(box, web))) == {"sent": 3}
        assert go(dispatcher(database, channels(box, web))) == {}
    assert (len(box.mails), len(web.got), states(database)) == (1, 2, {"sent": 3})
    assert sorted(attempts(database)) == [(1, 1, "sent", 250), (2, 1, "sent", 200), (3, 1, "sent", 200)]
    clean(database)


def test_notices_of_an_incident_reach_a_reader_in_order_and_in_one_thread(database):
    clock = SetClock()
    [one, other] = incidents(database, 2)
    with mail_server() as box:
        for seq in (3, 1, 2):
            enqueue(database, notice(one, seq, severity="critical" if seq == 3 else "warning"), notice(other, seq))
        box.replies["chief@example.org"] = "451 later"
        assert go(dispatcher(database, channels(box), clock, replace(QUICK, at_one_endpoint=1))) == {"temporary": 2}
        assert {row.seq for row in rows(database) if row.attempts} == {1}, "nothing overtakes what is still to be sent"
        box.replies.clear()
        clock.forward(seconds=7)
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 6}
    subjects = [str(mail["Subject"]) for mail in box.mails]
    for incident in (one, other):
        assert [s for s in subjects if f"({incident}/" in s] == [f"[warning] ICU: coverage 0.80 ({incident}/{seq})" for seq in (1, 2, 3)]
        mine = [mail for mail in box.mails if f"({incident}/" in str(mail["Subject"])]
        assert [mail["References"] for mail in mine] == [None, mine[0]["Message-ID"], mine[0]["Message-ID"]]
    clean(database)


def test_ten_retries_and_then_it_is_dead_and_told_another_way(database):
    clock, began = SetClock(), NOW
    [incident] = incidents(database)
    with mail_server() as box, receiver() as web:
        box.replies["chief@example.org"] = "451 later"
        chans = channels(box, web, last_resort=(("email", "chief@example.org"), ("webhook", "ops")))
        enqueue(database, notice(incident))
        for _ in range(11):
            assert go(dispatcher(database, chans, clock))["temporary"] == 1
            [row] = [row for row in rows(database) if row.channel == "email"]
            clock.now = max(row.next_at, clock.now)
        assert (row.state, row.attempts) == ("dead", 11)
        assert dt.timedelta(hours=22) < clock.now - began < dt.timedelta(hours=34)
        with database.read() as connection:
            [letter] = outbox.dead_letters(connection)
        assert (letter.outbox_id, letter.severity, letter.reason) == (row.id, "warning", "451 refused after 11 attempts")
        assert [one.headers["webhook-id"] for one in web.got], "the other channel has it"
        # the closing goes to both who were told of the opening, and to nobody twice
        box.replies.clear()
        enqueue(database, notice(incident, 2, kind="closed"), now=clock.now)
        assert go(dispatcher(database, chans, clock)) == {"sent": 2}
        with database.write() as connection:
            assert outbox.redeliver(connection, row.id, clock.now)
            assert not outbox.redeliver(connection, row.id, clock.now)
        assert go(dispatcher(database, chans, clock)) == {"sent": 1}
    assert len(web.got) == 2
    clean(database)


def test_permanent_is_dead_at_once_and_410_switches_off_until_the_address_changes(database):
    clock = SetClock()
    with receiver() as web:
        gone = channels(None, web, webhooks={"ops": Webhook(Secret(web.url("410")), (), web.listed)})
        for incident in incidents(database, 3):
            enqueue(database, notice(incident, channel="webhook", recipient="ops"))
        assert go(dispatcher(database, gone, clock, replace(QUICK, workers=1))) == {"permanent": 3}
        assert len(web.got) == 1, "after 410 nothing more is sent there"
        assert states(database) == {"dead": 3}
        enqueue(database, notice(incidents(database, 1, "other")[0], channel="webhook", recipient="ops"))
        assert go(dispatcher(database, channels(None, web), clock)) == {"sent": 1}
    clean(database)


def test_mail_that_is_off_is_cancelled_and_an_unknown_name_is_dead(database):
    [incident] = incidents(database)
    enqueue(database, notice(incident), notice(incident, channel="webhook", recipient="nobody"), notice(incident, channel="slack", recipient="x"))
    assert go(dispatcher(database, Channels())) == {"permanent": 3}
    found = {row.channel: (row.state, row.reason) for row in rows(database)}
    assert found["email"] == ("cancelled", "mail is off (SMTP_ENABLED)")
    assert found["webhook"] == ("dead", "no webhook of this name has an address")
    assert found["slack"][0] == "dead"
    clean(database)


@pytest.mark.parametrize("wish", [7, 600])
def test_a_wish_to_wait_holds_for_the_row_and_the_whole_endpoint(database, wish: int):
    clock = SetClock()
    with receiver() as web:
        slow = channels(None, web, webhooks={"ops": Webhook(Secret(web.url(f"429/{wish}")), (), web.listed)})
        for incident in incidents(database, 5):
            enqueue(database, notice(incident, channel="webhook", recipient="ops"))
        go(dispatcher(database, slow, clock, replace(QUICK, workers=1)), 2.0)
        assert len(web.got) == 1
        [tried] = [row for row in rows(database) if row.attempts]
        assert tried.next_at >= NOW + dt.timedelta(seconds=wish)
        clock.forward(seconds=wish + 1)
        assert go(dispatcher(database, channels(None, web), clock))["sent"] >= 4
    clean(database)


def test_slack_gets_one_message_a_second_from_two_dispatchers(database):
    pace = replace(QUICK, patience=5.0)
    with receiver() as web:
        for incident in incidents(database, 4):
            enqueue(database, notice(incident, channel="slack", recipient="ward"), now=dt.datetime.now(dt.UTC))
        both = [dispatcher(database, channels(None, web), lambda: dt.datetime.now(dt.UTC), pace) for _ in range(2)]
        _together(*[lambda made=made: go(made) for made in both])
    times = sorted(one.at for one in web.got)
    assert len(times) == 4
    assert all(later - earlier > 0.9 for earlier, later in itertools.pairwise(times))


def test_an_endpoint_that_fails_is_left_alone_and_does_not_hold_up_others(database):
    clock = SetClock()
    ids = incidents(database, 20)
    with mail_server() as box, receiver() as web:
        dead = channels(free_port(), web)
        enqueue(database, *[notice(one) for one in ids], *[notice(one, channel="webhook", recipient="ops") for one in ids])
        found = go(dispatcher(database, dead, clock), 5.0)
        assert found["sent"] == 20
        assert found["temporary"] <= outbox.LENIENT + QUICK.at_one_endpoint, "the mail server is not tried for each of 20"
        clock.forward(minutes=3)
        assert go(dispatcher(database, channels(box), clock))["sent"] == 20
    clean(database)


def test_pauses_of_an_endpoint_grow_to_two_minutes_and_a_few_quick_failures_cost_nothing():
    quick = Outcome("temporary", whole=True)
    assert [endpoint_pause(n, quick).total_seconds() for n in (1, 4, 5, 6, 7, 8, 9, 10, 99)] == [0, 0, 5, 10, 20, 40, 80, 120, 120]


def test_an_endpoint_that_stalls_is_paused_at_once(database):
    [incident] = incidents(database)
    enqueue(database, notice(incident))
    with database.write() as connection:
        counted = [outbox.fail_endpoint(connection, "email", stalled=stalled) for stalled in (False, True, True, False)]
    assert counted == [1, outbox.LENIENT, outbox.LENIENT + 1, outbox.LENIENT + 2]


def test_a_worker_that_dies_at_an_endpoint_that_failed_once_holds_up_no_other_row(database):
    """Only its own row waits for the lease; the others go out at once."""
    clock = SetClock()
    ids = incidents(database, 5)
    with mail_server() as box:
        enqueue(database, *[notice(one) for one in ids])
        with database.write() as connection:
            outbox.fail_endpoint(connection, "email")
        assert dispatcher(database, channels(box), clock, name="dies").claim() is not None
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 4}


def test_a_receiver_that_refuses_every_fourth_message_is_not_left_alone(database):
    clock = SetClock()
    ids = incidents(database, 60)
    with receiver() as web:
        web.refuse = 0.25
        enqueue(database, *[notice(one, channel="webhook", recipient="ops") for one in ids])
        found = go(dispatcher(database, channels(None, web), clock))
    print(f"a receiver that refuses a quarter: {found}")
    assert sum(found.values()) == 60, "each was tried, with the clock standing still"
    assert found["sent"] >= 35


# --- workers that die, stop, and race ----------------------------------------------------------------


def test_a_worker_that_dies_leaves_an_ambiguous_attempt_and_the_next_says_that_it_may_repeat(database):
    clock = SetClock()
    [incident] = incidents(database)
    with mail_server() as box:
        enqueue(database, notice(incident))
        assert dispatcher(database, channels(box), clock, name="dies").claim() is not None
        assert dispatcher(database, channels(box), clock).claim() is None, "leased"
        clock.forward(seconds=QUICK.lease + 1)
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 1}
    assert "Perhaps a repeat" in box.mails[0].get_content()
    assert [(n, outcome) for _, n, outcome, _ in attempts(database)] == [(1, "ambiguous"), (2, "sent")]
    clean(database)


def test_a_worker_that_was_stopped_too_long_neither_sends_nor_settles(database):
    clock = SetClock()
    [incident] = incidents(database)
    with mail_server() as box:
        enqueue(database, notice(incident))
        late = dispatcher(database, channels(box), clock, name="late")
        claim, at = late.claim()  # type: ignore[misc]
        clock.forward(seconds=QUICK.lease + 1)
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 1}
        assert late.deliver(claim, at - QUICK.lease).kind == "temporary"
        assert len(box.mails) == 1
        # and one that had sent before it was stopped changes nothing any more
        late._write(claim, Outcome("permanent"))
    assert states(database) == {"sent": 1}
    clean(database)


def _together(*calls) -> None:  # type: ignore[no-untyped-def]
    errors: list[BaseException] = []

    def one(call) -> None:  # type: ignore[no-untyped-def]
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_two_dispatchers_at_once_send_each_notice_once(database):
    ids = incidents(database, 50)
    with mail_server() as box, receiver() as web:
        enqueue(database, *[notice(one) for one in ids], *[notice(one, channel="webhook", recipient="ops") for one in ids])
        chans = channels(box, web)
        _together(*[lambda: go(dispatcher(Database(database.url), chans)) for _ in range(2)])
    print(f"two dispatchers: {len(box.mails)} mails and {len(web.got)} posts of 50 and 50, {len(set(box.ids()))} and {len(set(web.ids()))} distinct")
    assert (len(box.mails), len(web.got)) == (50, 50)
    assert (len(set(box.ids())), len(set(web.ids()))) == (50, 50)
    clean(database)


@pytest.mark.slow
def test_killed_five_times_in_the_middle_nothing_is_lost_and_nothing_is_told_twice(database):
    ids = incidents(database, 60)
    now = dt.datetime.now(dt.UTC)
    drawn = random.Random(7)
    with mail_server() as box, receiver() as web:
        box.delay = web.delay = 0.05  # so that a kill finds messages taken and not yet answered
        enqueue(database, *[notice(one) for one in ids], *[notice(one, channel="webhook", recipient="ops") for one in ids], now=now)
        kills = 0
        for _ in range(6):
            process = _start(database.url, box.port, web.port)
            try:
                if kills < 5:
                    there = len(box.mails) + len(web.got)
                    _until(lambda there=there: len(box.mails) + len(web.got) >= there + 6, 20)
                    time.sleep(drawn.uniform(0.0, 0.05))
                    os.kill(process.pid, signal.SIGKILL)
                    kills += 1
                else:
                    _until(lambda: not states(database).get("pending"), 30)
            finally:
                process.kill()
                process.wait()
    wire, distinct = len(box.ids()) + len(web.ids()), len(set(box.ids())) + len(set(web.ids()))
    lost = 2 * len(ids) - distinct
    print(f"{kills} kills: {lost} lost, {wire - distinct} repeats on the wire, 0 after dropping repeats by id; {attempts_by(database)}")
    assert kills == 5
    assert lost == 0
    assert 1 <= wire - distinct <= 5 * QUICK.workers, "the kills found messages under way"
    assert states(database) == {"sent": 120}
    clean(database)


def attempts_by(database) -> dict[str, int]:  # type: ignore[no-untyped-def]
    found: dict[str, int] = {}
    for _, _, outcome, _ in attempts(database):
        found[str(outcome)] = found.get(str(outcome), 0) + 1
    return found


def _start(url: str, mail: int, web: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "resilience_assets_tests.delivery.dispatching", url, str(mail), str(web), "2", "1", "60"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _until(holds, seconds: float) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "did not come about in time"
        time.sleep(0.05)


# --- storms, poison, clocks --------------------------------------------------------------------------


def test_five_hundred_at_once_are_drained_within_a_minute(database):
    ids = incidents(database, 250)
    with mail_server() as box, receiver() as web:
        enqueue(database, *[notice(one) for one in ids], *[notice(one, channel="webhook", recipient="ops") for one in ids])
        start = time.monotonic()
        assert go(dispatcher(database, channels(box, web)), 60) == {"sent": 500}
        took = time.monotonic() - start
    print(f"500 rows drained in {took:.1f} s")
    assert took <= 60
    clean(database)


POISON = {
    "line end in the subject": {"subject": "ICU\r\nBcc: all@example.org"},
    "no address": {"recipient": "chief"},
    "two addresses": {"recipient": "a@example.org, b@example.org"},
    "a megabyte": {"text": "x" * 1_000_000, "html": "<p>" + "x" * 1_000_000},
    "half a character": {"text": "\udc80 cut", "subject": "ok"},
    "nothing at all": {"text": "", "subject": ""},
}


@pytest.mark.parametrize("what", POISON)
def test_a_poisoned_notice_is_sanitized_or_dead_after_one_attempt_and_others_go_out(sqlite_database, what: str):
    ids = incidents(sqlite_database, 5)
    with mail_server() as box:
        good = [notice(one) for one in ids[1:]]
        with sqlite_database.write() as connection:
            try:
                outbox.enqueue(connection, [replace(notice(ids[0], severity="critical"), **POISON[what])], NOW)  # type: ignore[arg-type]
                stored = True
            except (UnicodeError, ValueError):
                stored = False
        enqueue(sqlite_database, *good)
        found = go(dispatcher(sqlite_database, channels(box)))
    poisoned = [row for row in rows(sqlite_database) if row.incident_id == ids[0]]
    fate = [(row.state, row.attempts) for row in poisoned] or "refused when written"
    print(f"{what}: {fate}")
    assert found["sent"] >= 4
    assert not stored or (poisoned[0].state in ("sent", "dead") and poisoned[0].attempts == 1)
    clean(sqlite_database)


def test_a_channel_that_raises_takes_only_its_row_along(database, monkeypatch):
    ids = incidents(database, 3)
    with mail_server() as box:
        enqueue(database, *[notice(one) for one in ids])
        plain = Channels.send

        def send(self, claim, now, seconds):  # type: ignore[no-untyped-def]
            if claim.incident_id == ids[0]:
                raise RuntimeError("hush: token in the text")
            return plain(self, claim, now, seconds)

        monkeypatch.setattr(Channels, "send", send)
        assert go(dispatcher(database, channels(box))) == {"sent": 2, "permanent": 1}
    [dead] = [row for row in rows(database) if row.state == "dead"]
    assert dead.reason == "not sendable (RuntimeError)"


def test_a_clock_that_was_a_day_ahead_holds_nothing_back(database):
    clock = SetClock(NOW + dt.timedelta(days=2))
    [incident] = incidents(database)
    with mail_server() as box:
        box.replies["chief@example.org"] = "451 later"
        enqueue(database, notice(incident), now=clock.now)
        go(dispatcher(database, channels(box), clock), 2.0)
        dispatcher(database, channels(box), clock).claim()
        clock.now = NOW
        box.replies.clear()
        assert go(dispatcher(database, channels(box), clock))["sent"] == 1
    clean(database)


# --- digests -----------------------------------------------------------------------------------------


def test_an_incident_that_closed_before_it_was_told_is_one_line(database):
    [incident] = incidents(database)
    with mail_server() as box:
        enqueue(database, notice(incident))
        enqueue(database, notice(incident, 2, kind="closed", subject="[over] ICU: coverage is 0.97"))
        assert go(dispatcher(database, channels(box))) == {"sent": 1}
    [mail] = box.mails
    assert mail["Subject"] == "[over] ICU: coverage is 0.97"
    assert mail.get_content().startswith("Opened and closed before this could be sent.")
    assert states(database) == {"cancelled": 2, "sent": 1}
    clean(database)


def test_an_incident_that_was_tried_once_keeps_its_closing_notice(database):
    clock = SetClock()
    [incident] = incidents(database)
    with mail_server() as box:
        box.replies["chief@example.org"] = "451 later"
        enqueue(database, notice(incident))
        go(dispatcher(database, channels(box), clock), 2.0)
        enqueue(database, notice(incident, 2, kind="closed"))
        box.replies.clear()
        clock.forward(minutes=1)
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 2}
    clean(database)


def test_what_waited_too_long_is_told_in_one_digest_a_reader(database):
    clock = SetClock()
    ids = incidents(database, 40)
    with mail_server() as box:
        enqueue(database, *[notice(one, severity="critical" if one == ids[3] else "info") for one in ids])
        enqueue(database, notice(ids[0], recipient="other@example.org"))
        clock.forward(hours=3)
        enqueue(database, notice(ids[0], 2), notice(incidents(database, 1, "new")[0]), now=clock.now)
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 3}
    digest = next(mail for mail in box.mails if "waited" in str(mail["Subject"]))
    assert digest["Subject"] == "[critical] 41 alerts that waited"
    assert digest.get_content().count("ICU: coverage 0.80") == 41
    assert states(database) == {"cancelled": 41, "sent": 3}
    clean(database)


def test_what_was_held_till_morning_is_one_digest(database):
    clock = SetClock()
    morning = NOW + dt.timedelta(hours=1)
    with mail_server() as box:
        enqueue(database, *[notice(one, severity="info", not_before=morning) for one in incidents(database, 3)])
        assert go(dispatcher(database, channels(box), clock)) == {}
        clock.now = morning
        assert go(dispatcher(database, channels(box), clock)) == {"sent": 1}
    assert box.mails[0]["Subject"] == "[info] 3 alerts that waited"
    clean(database)


# --- the process of its own ----------------------------------------------------------------------------


def test_the_process_sends_within_about_a_second_beats_and_watches(database):
    [incident] = incidents(database)
    watched: list[dt.datetime] = []
    stop = threading.Event()

    def watch(now: dt.datetime) -> None:
        watched.append(now)
        raise RuntimeError("is logged, and called again")

    with mail_server() as box:
        made = dispatcher(database, channels(box), lambda: dt.datetime.now(dt.UTC), Pace(lease=3, seconds=1.5, watchdog=0.3))
        thread = threading.Thread(target=run, args=(made, stop, watch))
        thread.start()
        try:
            time.sleep(0.3)
            start = time.monotonic()
            enqueue(database, notice(incident), now=dt.datetime.now(dt.UTC))
            _until(lambda: box.mails, 5)
            latency = time.monotonic() - start
            _until(lambda: len(watched) >= 2, 5)
        finally:
            stop.set()
            thread.join()
    print(f"latency {latency:.2f} s")
    assert latency < 2
    with database.read() as connection:
        assert outbox.heartbeats(connection)["dispatcher"] <= dt.datetime.now(dt.UTC)


def test_a_lease_that_leaves_no_time_to_settle_is_refused():
    with pytest.raises(ValueError, match="leaves no time to settle"):
        Pace(lease=20, seconds=20)
