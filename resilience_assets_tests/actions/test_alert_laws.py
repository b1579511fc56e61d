"""Laws of alerts under any order of readings, outages, acts and policies: a state machine that plays at random.

After every step the ledger holds: at most one open incident a rule and scope, each event and reader once, and
whoever was told of an incident is told exactly once that it is over.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from resilience_assets.actions import evaluate_alerts as module
from resilience_assets.actions import tell
from resilience_assets.actions.acknowledge import acknowledge, open_alerts
from resilience_assets.actions.silence import silence
from resilience_assets.alerting import telling
from resilience_assets.policy import load_policies
from resilience_assets.storage import ledger
from resilience_assets.storage.database import Database
from resilience_assets_tests.actions.alert_days import MAIL_ONLY_SEEMS_SENT, Day

READERS = """
telling:
  recipients:
    - {id: chief, channel: email, address: chief@example.org}
    - {id: sleeper, channel: email, address: sleeper@example.org, time_zone: America/New_York, quiet_hours: {begin: "22:00", end: "07:00"}}
    - {id: boss, channel: webhook, url_variable: BOSS_URL}
  routes:
    - {id: all, to: [chief, sleeper], severity: info}
    - {id: up, to: [boss, sleeper], level: 2}
"""
RULES = ("coverage.program.warning", "coverage.program.critical", "coverage.program.emergency", "coverage.service.warning")
OFF = f"{READERS}alert_rules: [{', '.join(f'{{id: {rule}, active: false}}' for rule in RULES)}]"
POLICIES = [load_policies(READERS), load_policies(OFF)]
shares = st.sampled_from([None, 1.0, 0.96, 0.9, 0.75, 0.6])


def _template() -> Path:
    path = Path(tempfile.mkdtemp()) / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.dispose()
    with database.write() as connection:
        connection.exec_driver_sql("SELECT 1")
    return path


class Alerts(RuleBasedStateMachine):
    """Two programs, two services, any figures at any time."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copyfile(self.template, self.folder / "a.db")
        self.day = Day(Database(f"sqlite:///{self.folder / 'a.db'}"), POLICIES[0])

    def teardown(self) -> None:
        self.day.database.dispose()
        shutil.rmtree(self.folder)

    @rule(program=st.sampled_from(["fm", "ward"]), share=shares, icu=shares, used=st.sampled_from([0.7, 0.82]), gone=st.booleans(),
          evaluated=st.booleans(), minutes=st.sampled_from([1, 15, 60, 240]))  # fmt: skip
    def reading(self, program: str, share: float | None, icu: float | None, used: float, gone: bool, evaluated: bool, minutes: int) -> None:
        grey = {"raw_status": "unknown", "status": "unknown", "utilization": None} if share is None else {"utilization": used}
        services = [("icu", icu)] if not gone else [("clinic", 1.0)]
        self.day.reading(program, services, coverage=share, **grey)
        if evaluated:
            self.day.evaluate()
        self.day.now += dt.timedelta(minutes=minutes)

    @rule()
    def evaluate(self) -> None:
        self.day.evaluate()

    @rule(minutes=st.sampled_from([15, 60, 240, 600]))
    def time_passes(self, minutes: int) -> None:
        self.day.now += dt.timedelta(minutes=minutes)

    @rule(policy=st.sampled_from([0, 1]))
    def policy_changes(self, policy: int) -> None:
        self.day.policies = POLICIES[policy]

    @rule(which=st.integers(0, 5))
    def somebody_acknowledges(self, which: int) -> None:
        found = open_alerts(self.day.database)
        if found:
            acknowledge(self.day.database, [found[which % len(found)].id], now=self.day.now, by="chief")

    @rule(hours=st.sampled_from([1, 12]), family=st.sampled_from(["coverage", "data_stale"]))
    def somebody_silences(self, hours: int, family: str) -> None:
        ends = self.day.now + dt.timedelta(hours=hours)
        silence(self.day.database, self.day.policies, now=self.day.now, ends=ends, by="chief", reason="because", rule=family)

    @invariant()
    def the_ledger_holds(self) -> None:
        found = {name: ids for name, ids in ledger.breaches(self.day.database).items() if name not in MAIL_ONLY_SEEMS_SENT}
        assert found == {}


@pytest.fixture(scope="module")
def machine() -> type[Alerts]:
    Alerts.template = _template()
    return Alerts


@pytest.mark.slow
def test_whatever_happens_the_ledger_holds(machine):
    laws = settings(max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    run_state_machine_as_test(machine, settings=laws)


# --- planted bugs: the ledger notices each ---------------------------------------------------------

LOW = {"coverage": 0.9, "open_seats": 3}


@pytest.fixture
def day(database):  # type: ignore[no-untyped-def]
    return Day(database)


def silenced_end(day):  # type: ignore[no-untyped-def]
    """Told, silenced, over."""
    day.play([LOW])
    silence(day.database, day.policies, now=day.now, ends=day.now + dt.timedelta(hours=1), by="chief", reason="because", rule="coverage")
    day.play([{}])


def spared_end(day):  # type: ignore[no-untyped-def]
    """Silenced from the start, over."""
    day.play([{}], dt.timedelta(minutes=1))
    silence(day.database, day.policies, now=day.now, ends=day.now + dt.timedelta(hours=1), by="chief", reason="because", rule="coverage")
    day.play([LOW, {}])


def switched_off(day):  # type: ignore[no-untyped-def]
    """Open when its rule is switched off."""
    day.play([LOW])
    day.policies = POLICIES[1]
    day.evaluate()


@pytest.mark.parametrize("play", [silenced_end, spared_end, switched_off])
def test_without_a_bug_these_days_are_clean(day, play):
    play(day)


def test_a_silence_that_swallows_the_end_of_what_was_told_is_noticed(day, monkeypatch):
    def forgetful(*given, silenced, **more):  # type: ignore[no-untyped-def]
        return "silence" if silenced else telling.decide(*given, silenced=silenced, **more)

    monkeypatch.setattr(tell, "decide", forgetful)
    with pytest.raises(AssertionError):
        silenced_end(day)


def test_telling_everybody_of_every_end_is_noticed(day, monkeypatch):
    def talkative(kind, *given, **more):  # type: ignore[no-untyped-def]
        return telling.TELL if kind in telling.ENDS else telling.decide(kind, *given, **more)

    monkeypatch.setattr(tell, "decide", talkative)
    with pytest.raises(AssertionError):
        spared_end(day)


def test_closing_without_a_word_is_noticed(day, monkeypatch):
    def silent(self) -> None:  # type: ignore[no-untyped-def]
        before = list(self.events)
        whole(self)
        self.events[:] = before

    whole = module._Work.end_unwatched
    assert whole is not silent
    monkeypatch.setattr(module._Work, "end_unwatched", silent)
    with pytest.raises(AssertionError):
        switched_off(day)


def test_a_notice_that_does_not_reach_the_outbox_is_noticed(day, monkeypatch):
    monkeypatch.setattr(tell.outbox, "enqueue", lambda *given: 0)
    with pytest.raises(AssertionError):
        day.play([LOW])
