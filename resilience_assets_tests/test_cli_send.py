"""`resilience send`, `brief`, `audit verify`, and the numbers of `inbox`: on a state folder of its own, with real peers."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from resilience_assets.actions.acknowledge import acknowledge
from resilience_assets.actions.check_health import run_check
from resilience_assets.actions.import_roster import import_path
from resilience_assets.cli import resilience
from resilience_assets.resources.deployment import deployment
from resilience_assets_tests.actions.alert_days import QUARTER, Day
from resilience_assets_tests.assets.deploying import small_set, write_set
from resilience_assets_tests.delivery.peers import mail_server, receiver


@pytest.fixture
def here(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return deployment()


@pytest.fixture
def box(monkeypatch):  # type: ignore[no-untyped-def]
    with mail_server() as made:
        smtp = {"SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(made.port), "SMTP_USE_TLS": "false"}
        for name, value in smtp.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def web(monkeypatch):  # type: ignore[no-untyped-def]
    with receiver() as made:
        monkeypatch.setenv("RESILIENCE_OUTBOUND_ALLOW", made.listed[0])
        yield made


def run(*words: str, code: int = 0, given: str | None = None) -> str:
    result = CliRunner().invoke(resilience, list(words), input=given)
    assert result.exit_code == code, result.output + repr(result.exception)
    return result.output


# --- send ------------------------------------------------------------------------------------


def test_a_mail_is_sent_at_once(here, box):
    Path("page.html").write_text("<p>seven</p>", encoding="utf-8")
    said = run("send", "email", "--to", "a@example.org", "--to", "b@example.org", "--subject", "Hello", "--html", "page.html", "-", given="seven\n")
    assert said == "Message 1: 2 readers\n  email: sent\n  email: sent\n"
    assert sorted(box.to) == ["a@example.org", "b@example.org"]
    assert box.mails[0].get_body(("plain",)).get_content().startswith("seven")
    assert "<p>seven</p>" in box.mails[0].get_body(("html",)).get_content()


def test_a_mail_may_wait_in_the_outbox_for_whoever_delivers(here, box):
    assert run("send", "email", "--to", "a@example.org", "--subject", "Hello", "--queue", "text") == "Message 1: 1 reader\n  email: waits in the outbox\n"
    assert box.mails == []
    assert run("run", "send_email", "--config", "message_id=1").splitlines()[1:] == ["  message_id: 1", "  sent: 1"]
    assert len(box.mails) == 1


def test_mail_that_is_off_or_refused_is_said_and_fails(here, monkeypatch):
    assert "email: cancelled (mail is off (SMTP_ENABLED))" in run("send", "email", "--to", "a@example.org", "--subject", "x", "y", code=1)
    with mail_server() as box:
        box.replies["a@example.org"] = "550 no"
        for name, value in {"SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_USE_TLS": "false"}.items():
            monkeypatch.setenv(name, value)
        assert "not every reader is reached: email: 550 refused" in run("send", "email", "--to", "a@example.org", "--subject", "x", "y", code=1)


def test_a_payload_is_posted_from_a_file_or_standard_input(here, web):
    Path("payload.json").write_text('{"a": [1, null]}', encoding="utf-8")
    run("send", "webhook", web.url("ok/x"), "payload.json")
    out = json.loads(run("send", "webhook", web.url("ok/y"), "-", "--json", given='{"b": 2}'))
    assert out == {"message_id": 2, "rows": [{"channel": "webhook", "state": "sent", "reason": ""}]}
    assert [(one.path, json.loads(one.body)) for one in web.got] == [("/ok/x", {"a": [1, None]}), ("/ok/y", {"b": 2})]


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("email", "--to", "nobody", "--subject", "x", "y"), None, "is not a mail address"),
        (("email", "--to", "a@example.org", "--subject", "", "y"), None, "one line of text"),
        (("webhook", "https://example.org/x", "-"), "[1]", "holds no JSON object"),
        (("webhook", "https://example.org/x", "-"), "{", "is not JSON"),
        (("webhook", "ftp://example.org/x", "-"), "{}", "an https address"),
        (("webhook", "https://example.org/x", "absent.json"), None, "absent.json"),
        (("alert", "loud", "Snow"), None, "'loud' is not one of"),
        (("alert", "info", " "), None, "needs a message"),
        (("alert", "info", "Snow", "--detail", "no"), None, "is not NAME=VALUE"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(here, words, given, said):
    assert said in run("send", *words, code=2, given=given)
    with here.database.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM message")).scalar_one() == 0


def test_an_alert_is_in_the_inbox_and_goes_to_whoever_is_told_by_default(here, box, monkeypatch):
    assert "nobody outside it is told" in run("send", "alert", "critical", "Snow", "--detail", "from = 06:00")
    assert "  Snow\n  from: 06:00\n" in run("inbox")
    monkeypatch.setenv("RESILIENCE_ALERT_RECIPIENTS", "chief@example.org")
    assert "email: sent" in run("send", "alert", "warning", "More snow")
    assert [str(mail["Subject"]) for mail in box.mails] == ["[warning] More snow"]


def test_the_test_of_every_channel_by_hand(here, box, web, monkeypatch):
    monkeypatch.setenv("RESILIENCE_ALERT_RECIPIENTS", "chief@example.org")
    monkeypatch.setenv("RESILIENCE_WEBHOOK_URL", web.url("ok"))
    out = json.loads(run("send", "canary", "--json"))
    assert [(row["channel"], row["state"]) for row in out["rows"]] == [("email", "sent"), ("webhook", "sent")]
    assert "[test]" in str(box.mails[0]["Subject"])


# --- brief -----------------------------------------------------------------------------------


def test_the_brief_is_shown_and_not_sent(here, tmp_path):
    assert run("brief") == "No program yet.\n"
    now = here.clock.now()
    for code in ("north", "south"):
        import_path(here.database, write_set(tmp_path / code, small_set(code, today=now.date())), now=now, by="a test")
        run_check(here.database, here.policies(), now, codes=[code])
    shown = run("brief")
    assert [line.split(",")[0] for line in shown.splitlines() if line] == ["north", "south"]
    assert "all is well" in shown
    (one,) = json.loads(run("brief", "--program", "south", "--json"))
    assert (one["program"], one["date"], one["open_seats"], one["severity"]) == ("south", str(now.date()), [], "info")
    assert "there is no program 'west'" in run("brief", "--program", "west", code=2)
    with here.database.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM message")).scalar_one() == 0


# --- inbox -----------------------------------------------------------------------------------


def test_the_inbox_gives_the_number_for_ack_and_how_the_alert_stands(here):
    day = Day(here.database)
    day.play([{"coverage": 0.9, "open_seats": 3}])
    assert "alert 1 open" in run("inbox")
    acknowledge(here.database, [1], now=day.now, by="a test", program=None, note="")
    assert "alert 1 in hand" in run("inbox")
    day.wait(QUARTER, 4, coverage=1.0)
    messages = json.loads(run("inbox", "--json"))["messages"]
    assert [one["alerts"] for one in messages] == [[{"id": 1, "stands": "over"}]] * 2
    run("send", "alert", "info", "Snow")
    assert json.loads(run("inbox", "--json", "--limit", "1"))["messages"][0]["alerts"] == []


# --- audit -----------------------------------------------------------------------------------


def test_the_record_of_acts_is_verified_and_a_changed_row_is_found(here):
    assert run("audit", "verify").startswith("0 rows, all as they were written")
    Day(here.database).play([{"coverage": 0.9, "open_seats": 3}])
    run("ack", "1", "--note", "called somebody")
    run("silence", "--program", "fm", "--rule", "coverage", "--for", "8h", "--reason", "moving")
    assert run("audit", "verify").startswith("2 rows, all as they were written; head ")
    assert json.loads(run("audit", "verify", "--json"))["holds"] is True
    with here.database.write() as connection:
        triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'")).scalars()
        for name in list(triggers):
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE audit_event SET who = 'somebody else' WHERE id = 1"))
    assert "row 1 is not as it was written; 0 rows before it hold" in run("audit", "verify", code=1)
    assert json.loads(run("audit", "verify", "--json", code=1).split("Error")[0])["broken"] == 1
