"""Jobs that send: a message by its id, an alert, the morning brief, the weekly test; and when the clock asks for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select

from resilience_assets.actions import deliver
from resilience_assets.actions.check_health import run_check
from resilience_assets.actions.import_roster import import_path
from resilience_assets.actions.send import send_email, send_webhook
from resilience_assets.automation import jobs
from resilience_assets.automation.schedules import schedules
from resilience_assets.resources.as_of import TAG
from resilience_assets.resources.deployment import Clock, Deployment, deployment
from resilience_assets.settings import Settings
from resilience_assets.storage import tables
from resilience_assets_tests.assets.deploying import NOW, Scratch, small_set, write_set
from resilience_assets_tests.automation.daemon import Daemon, daemon
from resilience_assets_tests.automation.test_jobs import LOCKED, Hurried, fails, failure_of, hurried, log_of
from resilience_assets_tests.automation.test_schedules import ticks_of
from resilience_assets_tests.delivery.peers import Mailbox, Receiver, mail_server, receiver

__all__ = ["hurried"]
HIDDEN = "Quetzalina Tester is away, see https://hidden.example.org"
"""What may be in no log, tag, configuration or metadata."""


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def web() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def reached(tmp_path: Path, box: Mailbox, web: Receiver) -> Iterator[Scratch]:
    """A deployment with mail to a box and a webhook to a receiver."""
    variables = {
        "SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_USE_TLS": "false",
        "RESILIENCE_WEBHOOK_URL": web.url("ok"), "RESILIENCE_OUTBOUND_ALLOW": web.listed[0],
        "RESILIENCE_ALERT_RECIPIENTS": "chief@example.org",
    }  # fmt: skip
    with dg.DagsterInstance.ephemeral() as instance:
        yield Scratch(tmp_path, instance, **variables)


def one(name: str, message: int) -> dict[str, Any]:
    return {"ops": {name: {"config": {"message_id": message}}}}


def results_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """Figures that the op noted."""
    (event,) = [event for event in result.all_events if event.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def kept(scratch: Scratch, result: dg.ExecuteInProcessResult) -> str:
    """Everything that Dagster keeps of a run."""
    run = scratch.instance.get_run_by_id(result.run_id)
    assert run is not None
    logs = "".join(f"{entry.user_message} {entry.dagster_event}" for entry in scratch.instance.all_logs(result.run_id))
    return f"{run.run_config} {run.tags} {logs}"


# --- one message ---------------------------------------------------------------------------------------------


def test_a_mail_goes_by_its_id_and_its_text_stays_in_the_database(reached: Scratch, box: Mailbox) -> None:
    message = send_email(reached.deployment.database, "chief@example.org", HIDDEN, HIDDEN, now=NOW, by="a test")
    result = reached.job("send_email", run_config=one("deliver_one", message))
    assert result.success
    assert results_of(result) == {"message_id": message, "sent": 1}
    assert [str(mail["Subject"]) for mail in box.mails] == [HIDDEN]
    assert not [word for word in ("Quetzalina", "hidden", "chief@") if word in kept(reached, result)]
    again = reached.job("send_email", run_config=one("deliver_one", message))
    assert again.success
    assert len(box.mails) == 1


def test_a_payload_goes_by_its_id(reached: Scratch, web: Receiver) -> None:
    message = send_webhook(reached.deployment.database, web.url("ok/token"), {"note": HIDDEN}, now=NOW, by="a test")
    result = reached.job("send_webhook", run_config=one("deliver_one", message))
    assert result.success
    assert [one.path for one in web.got] == ["/ok/token"]
    assert not [word for word in ("Quetzalina", "token") if word in kept(reached, result)]


def test_what_is_given_up_fails_the_run_with_its_reason_and_without_the_address(reached: Scratch, box: Mailbox) -> None:
    box.replies["gone@example.org"] = "550 gone@example.org is unknown"
    message = send_email(reached.deployment.database, "gone@example.org", "Hello", "text", now=NOW, by="a test")
    result = reached.job("send_email", run_config=one("deliver_one", message))
    assert not result.success
    assert failure_of(result) == f"message {message} did not reach every reader: email: 550 refused"
    assert "gone@" not in kept(reached, result)


def test_what_is_refused_for_now_is_left_to_the_outbox(reached: Scratch, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.data_reply = "451 later"
    monkeypatch.setattr(reached.clock, "now", Clock().now)  # a row that is due in five seconds is waited for
    message = send_email(reached.deployment.database, "chief@example.org", "Hello", "text", now=NOW, by="a test")
    result = reached.job("send_email", run_config=one("deliver_one", message))
    assert result.success
    assert results_of(result) == {"message_id": message, "pending": 1}


def test_a_message_that_is_not_there_fails_once(reached: Scratch, hurried: Hurried) -> None:
    result = reached.job("send_email", run_config=one("deliver_one", 99))
    assert failure_of(result) == "ValueError: there is no message 99 to send"
    assert hurried.waits == []


# --- an alert ------------------------------------------------------------------------------------------------


def test_an_alert_is_written_once_and_delivered(reached: Scratch, box: Mailbox, web: Receiver) -> None:
    config = {"level": "critical", "message": "Snow: roads closed", "details": {"from": "06:00"}}
    result = reached.job("send_resilience_alert", run_config={"ops": {"raise_alert": {"config": config}}})
    assert result.success
    assert results_of(result) == {"message_id": 1, "sent": 2}
    assert (box.to, len(web.got)) == (["chief@example.org"], 1)
    assert reached.rows("inbox_message", "severity", "body") == [("critical", "Snow: roads closed\nfrom: 06:00")]
    ((by,),) = reached.rows("message", "created_by")
    assert by.startswith("job send_resilience_alert (")


def test_an_alert_with_no_reader_outside_is_in_the_inbox_and_no_failure(scratch: Scratch) -> None:
    result = scratch.job("send_resilience_alert", run_config={"ops": {"raise_alert": {"config": {"message": "Snow"}}}})
    assert result.success
    assert log_of(scratch, result) == ["message 1: the inbox alone"]
    assert scratch.rows("inbox_message", "severity") == [("warning",)]


def test_an_alert_of_no_known_level_is_refused_and_not_tried_again(scratch: Scratch, hurried: Hurried) -> None:
    config = {"level": "loud", "message": "Snow"}
    result = scratch.job("send_resilience_alert", run_config={"ops": {"raise_alert": {"config": config}}})
    assert "level 'loud' is not one of info, warning, critical, emergency" in failure_of(result)
    assert hurried.waits == []
    assert scratch.rows("inbox_message") == []


def test_a_delivery_that_fails_after_an_alert_was_written_does_not_write_it_again(
    reached: Scratch, hurried: Hurried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "deliver_message", fails(9, LOCKED, deliver.deliver_message))
    result = reached.job("send_resilience_alert", run_config={"ops": {"raise_alert": {"config": {"message": "Snow"}}}})
    assert not result.success
    assert len(reached.rows("message")) == 1
    assert len(reached.rows("outbox WHERE state = 'pending'")) == 2, "whoever delivers alerts sends it"


# --- the morning brief, the weekly test ----------------------------------------------------------------------


def test_by_hand_every_program_is_briefed_once_a_date(reached: Scratch, box: Mailbox) -> None:
    reached.bring(small_set("north"))
    reached.bring(small_set("south"))
    reached.measure()
    for count in (2, 0):
        result = reached.job("morning_brief")
        assert result.success
        assert results_of(result)["briefed"] == count
    briefed = [str(mail["Subject"]) for mail in box.mails if "[brief]" in str(mail["Subject"])]
    assert sorted(subject.split(",")[0] for subject in briefed) == ["[brief] north", "[brief] south"]


def test_a_brief_of_another_day_is_not_sent(small: Scratch) -> None:
    result = small.job("morning_brief", tags={TAG: (NOW - dt.timedelta(days=1)).isoformat()})
    assert "a brief is of now" in failure_of(result)
    assert small.rows("message") == []


def test_one_program_is_briefed_by_name(small: Scratch) -> None:
    result = small.job("morning_brief", run_config={"ops": {"brief_programs": {"config": {"program": "elsewhere"}}}})
    assert log_of(small, result) == ["briefed: nobody, for nobody was due"]
    result = small.job("morning_brief", run_config={"ops": {"brief_programs": {"config": {"program": "north"}}}})
    assert log_of(small, result) == ["briefed: north"]


def test_a_channel_that_fails_the_test_opens_its_own_alert_and_fails_no_run(reached: Scratch, box: Mailbox, web: Receiver) -> None:
    box.replies["chief@example.org"] = "550 no"
    result = reached.job("alert_canary")
    assert result.success, "a failed run would be a second alert of the same thing"
    assert results_of(result) == {"message_id": 1, "dead": 1, "sent": 1}
    assert "email: 550 refused" in log_of(reached, result)
    reached.clock.at = NOW + dt.timedelta(minutes=1)
    reached.measure()
    assert ("delivery_failed", "email") in reached.rows("incident WHERE closed_at IS NULL", "rule", "scope_key")


# --- when --------------------------------------------------------------------------------------------------------


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """A daemon in a deployment in New York."""
    (tmp_path / ".resilience").mkdir()
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(tmp_path / ".resilience"))
    monkeypatch.setenv("RESILIENCE_TIME_ZONE", "America/New_York")
    with daemon(tmp_path) as here:
        yield here


def bring(here: Deployment, folder: Path, code: str, zone: str, now: dt.datetime) -> None:
    files = small_set(code, today=now.date(), program=f"program,name,time_zone\n{code},Small {code},{zone}\n")
    import_path(here.database, write_set(folder / code, files), now=now, by="a test")
    run_check(here.database, here.policies(), now, codes=[code])


def briefed(here: Deployment) -> list[tuple[str, dt.datetime]]:
    """(program, instant) of every brief in the inbox, in order."""
    notice, message, program = tables.Notice, tables.InboxMessage, tables.Program
    query = select(program.code, notice.as_of).join(message, message.notice_id == notice.id).join(program, program.id == message.program_id)
    with here.database.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(query.where(notice.kind == "brief").order_by(message.id))]


def test_real_ticks_brief_each_program_at_0645_of_its_own_clock_once_a_date(running: Daemon, tmp_path: Path) -> None:
    begin = dt.datetime(2026, 3, 7, 20, 0, tzinfo=dt.UTC)  # a Saturday; the clocks of New York change in the night
    here = deployment(Settings.from_environment(directory=tmp_path))
    for code, zone in {"ny": "America/New_York", "warsaw": "Europe/Warsaw", "delhi": "Asia/Kolkata"}.items():
        bring(here, tmp_path, code, zone, begin)
    running.schedules(begin)
    midnight = dt.datetime(2026, 3, 8, tzinfo=dt.UTC)
    looks = [midnight + dt.timedelta(minutes=minutes, seconds=1) for minutes in (45, 75, 105, 345, 615, 645, 675, 1440 + 75)]
    runs = [run for at in looks for run in running.schedules(at) if run.job_name == "morning_brief"]
    found = [(code, f"{at:%d %H:%M}") for code, at in briefed(here)]
    assert found == [("delhi", "08 01:15"), ("warsaw", "08 05:45"), ("ny", "08 10:45"), ("delhi", "09 01:15")]
    assert [run.status.value for run in runs] == ["SUCCESS"] * 4, "no run at a tick at which nobody is due"
    assert all(run.tags["dagster-celery/queue"] == "notifications" and TAG in run.tags for run in runs)


def test_a_brief_that_was_missed_is_made_up_for_until_noon(running: Daemon, tmp_path: Path) -> None:
    begin = dt.datetime(2026, 3, 10, 5, 0, tzinfo=dt.UTC)
    here = deployment(Settings.from_environment(directory=tmp_path))
    bring(here, tmp_path, "late", "UTC", begin)
    bring(here, tmp_path, "gone", "Europe/Warsaw", begin)
    running.schedules(begin)
    running.schedules(dt.datetime(2026, 3, 10, 11, 20, tzinfo=dt.UTC))  # 12:20 in Warsaw
    assert [code for code, _ in briefed(here)] == ["late"]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Warsaw", "Australia/Lord_Howe", "UTC"])
def test_the_test_of_every_channel_comes_each_monday_at_eight(zone: str) -> None:
    (weekly,) = [one for one in schedules(zone) if one.name == "resilience_alert_canary"]
    ticks = ticks_of(weekly, dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    weeks = [next(ticks) for _ in range(52)]
    assert {(week.isoweekday(), week.hour, week.minute) for week in weeks} == {(1, 8, 0)}
    assert len({week.date() for week in weeks}) == 52


def test_a_real_tick_on_monday_sends_the_test(running: Daemon, tmp_path: Path) -> None:
    monday = dt.datetime(2026, 3, 9, 12, 0, tzinfo=dt.UTC)  # 08:00 in New York, in summer time for the first time
    running.schedules(monday - dt.timedelta(minutes=5))
    made = {run.job_name: run for run in running.schedules(monday + dt.timedelta(seconds=1))}
    assert made["alert_canary"].status is dg.DagsterRunStatus.SUCCESS
    with deployment(Settings.from_environment(directory=tmp_path)).database.read() as connection:
        assert connection.execute(select(tables.InboxMessage.subject)).scalars().all() == ["[test] Alerts reach you over this channel"]
