"""`resilience dispatch` and `resilience doctor --ledger`, as people and supervisors run them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from resilience_assets.actions.send import send_email
from resilience_assets.cli import resilience
from resilience_assets.resources.deployment import deployment
from resilience_assets.storage import outbox
from resilience_assets_tests.delivery.peers import mail_server

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def here(tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return deployment()


def write(here) -> int:  # type: ignore[no-untyped-def]
    return send_email(here.database, "chief@example.org", "Hello", "text", now=here.clock.now(), by="a test")


def run(*words: str, code: int = 0):  # type: ignore[no-untyped-def]
    result = CliRunner().invoke(resilience, list(words))
    assert result.exit_code == code, result.output + repr(result.exception)
    return result


def test_once_sends_what_is_due_and_ends(here, monkeypatch):
    assert json.loads(run("dispatch", "--once", "--json").output) == {"attempts": {}}
    write(here)
    with mail_server() as box:
        for name, value in {"SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_USE_TLS": "false"}.items():
            monkeypatch.setenv(name, value)
        assert run("dispatch", "--once").output.strip() == "1 attempt: 1 sent"
    assert box.to == ["chief@example.org"]


def test_the_process_sends_what_comes_and_ends_when_told(here):
    with mail_server() as box:
        # the process imports the tree under test, wherever an installed one lies
        tree = {"PYTHONPATH": str(REPOSITORY)}
        smtp = {"SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_USE_TLS": "false"}
        process = subprocess.Popen([sys.executable, "-m", "resilience_assets.cli", "dispatch", "--json"], env=os.environ | tree | smtp,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        try:
            assert process.stderr is not None
            assert "Ctrl-C" in process.stderr.readline()
            write(here)
            end = time.monotonic() + 20
            while not box.mails and time.monotonic() < end:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert json.loads(out) == {"attempts": {"sent": 1}}
    assert process.returncode == 0
    with here.database.read() as connection:
        assert "dispatcher" in outbox.heartbeats(connection)


def test_doctor_says_what_holds_and_fails_where_it_does_not(here):
    write(here)
    assert "BROKEN" not in run("doctor", "--ledger").output
    with here.database.write() as connection:
        connection.execute(text("UPDATE outbox SET state = 'lost'"))
    assert "known_state" in run("doctor", "--ledger", "--json", code=1).output
    assert "BROKEN  a row is pending, sent, dead or cancelled: ids 1" in run("doctor", "--ledger", code=1).output
