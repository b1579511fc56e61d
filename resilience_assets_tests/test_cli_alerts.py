"""`resilience ack`, `silence`, `gap` and `redeliver`: through click's runner on a state folder of its own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from resilience_assets.cli import resilience
from resilience_assets.resources.deployment import deployment
from resilience_assets.settings import Settings
from resilience_assets_tests.actions.alert_days import Day


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run a command line in a deployment in which one alert is open."""
    monkeypatch.setenv("RESILIENCE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    Day(deployment(Settings.from_environment()).database).play([{"coverage": 0.9, "open_seats": 3}])

    def invoke(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(resilience, list(arguments))
        assert result.exit_code == code, result.output + repr(result.exception)
        return result.output

    return invoke


def test_an_alert_is_listed_and_taken_in_hand(run):
    assert "1  warning  fm: coverage 0.9, below 0.95; open seats: 3" in run("ack", "--list")
    assert run("ack", "1", "--note", "called somebody").startswith("In hand: 1  fm: coverage 0.9")
    assert "in hand" in run("ack", "--list")
    assert "1: it is in hand already" in run("ack", "1", code=2)
    assert "by number" in run("ack", code=2)
    assert json.loads(run("ack", "--list", "--json"))[0]["rule"] == "coverage"


def test_a_silence_begins_and_ends(run):
    assert "fm coverage until" in run("silence", "--program", "fm", "--rule", "coverage", "--for", "8h", "--reason", "moving")
    assert json.loads(run("silence", "--list", "--json"))[0]["reason"] == "moving"
    assert run("silence", "--end", "1").strip() == "No silence holds."
    assert "say how long" in run("silence", "--program", "fm", "--reason", "x", code=2)
    assert "not a length such as" in run("silence", "--program", "fm", "--for", "eight", code=2)
    assert "a silence needs a reason" in run("silence", "--program", "fm", "--for", "8h", code=2)


def test_a_gap_needs_to_name_what_is_there(run):
    assert "name the program and the service" in run("gap", code=2)
    assert "there is no program 'nowhere'" in run("gap", "nowhere", "icu", "--reason", "x", code=2)
    assert "fm has no service 'icu'" in run("gap", "fm", "icu", "--reason", "x", code=2)
    assert run("gap", "--list").strip() == "No gap is declared."
    assert "no declared gap 3" in run("gap", "--end", "3", code=2)


def test_nothing_is_given_up(run):
    assert run("redeliver", "--list").strip() == "Nothing was given up."
    assert run("redeliver").strip() == "0 messages due again."
    assert "no message 7" in run("redeliver", "7", code=2)
