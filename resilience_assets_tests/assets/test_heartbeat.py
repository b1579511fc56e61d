"""The heartbeat of a health check: after a good one, live alone; what becomes of it fails nothing and names nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resilience_assets.actions import measure
from resilience_assets.resources.as_of import TAG
from resilience_assets_tests.assets.deploying import NOW, Scratch, small_set
from resilience_assets_tests.delivery.peers import Receiver, receiver


@pytest.fixture
def web() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def watched(tmp_path: Path, web: Receiver) -> Iterator[Callable[..., Scratch]]:
    """Makes a deployment with the small program and a heartbeat to a path of the receiver."""
    with dg.DagsterInstance.ephemeral() as instance:

        def make(path: str = "ok/secret-token") -> Scratch:
            variables = {"RESILIENCE_HEARTBEAT_URL": web.url(path), "RESILIENCE_OUTBOUND_ALLOW": web.listed[0]}
            scratch = Scratch(tmp_path, instance, **variables)
            scratch.bring(small_set())
            return scratch

        yield make


def asked(web: Receiver) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in web.got]


def logged(scratch: Scratch, result: Any) -> list[tuple[int, str]]:
    """(level, text) of what our own code logged of a heartbeat."""
    entries = [entry for entry in scratch.instance.all_logs(result.run_id) if not entry.is_dagster_event]
    return [(entry.level, entry.user_message) for entry in entries if "heartbeat" in entry.user_message]


def test_a_good_check_is_told_outside(watched: Callable[..., Scratch], web: Receiver) -> None:
    scratch = watched()
    result = scratch.check()
    assert asked(web) == [("GET", "/ok/secret-token")]
    assert logged(scratch, result) == [(20, "heartbeat: sent 200")]


def test_an_open_seat_is_a_good_check_all_the_same(watched: Callable[..., Scratch], web: Receiver) -> None:
    scratch = watched()
    scratch.bring(small_set(absences=f"person,from,to,kind\nA-03,{NOW.date()},{NOW.date()},sick\n"))
    scratch.check()
    assert asked(web) == [("GET", "/ok/secret-token")]


def test_a_program_that_could_not_be_checked_is_told_as_a_failure(
    watched: Callable[..., Scratch], web: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = watched()

    def broken(*_args: Any, **_options: Any) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr(measure, "utilization", broken)
    result = scratch.job("periodic_health_check")
    assert asked(web) == [("GET", "/ok/secret-token/fail")]
    assert logged(scratch, result) == [(20, "heartbeat of 1 programs that failed: sent 200")]


@pytest.mark.parametrize(("path", "said"), [("500/secret-token", "temporary 500 refused"), ("drop/secret-token", "ambiguous connection broke")])
def test_a_heartbeat_that_is_not_taken_fails_no_run_and_names_no_address(
    watched: Callable[..., Scratch], path: str, said: str
) -> None:
    scratch = watched(path)
    result = scratch.check()
    assert logged(scratch, result) == [(30, f"heartbeat: {said}")]
    everything = "".join(f"{entry.user_message}{entry.dagster_event}" for entry in scratch.instance.all_logs(result.run_id))
    assert "secret-token" not in everything + str(scratch.everything())


def test_a_look_at_another_instant_is_no_heartbeat(watched: Callable[..., Scratch], web: Receiver) -> None:
    scratch = watched()
    scratch.check(**{TAG: (NOW - dt.timedelta(days=1)).isoformat()})
    assert asked(web) == []


def test_a_click_that_checks_nothing_is_no_heartbeat(watched: Callable[..., Scratch], web: Receiver) -> None:
    scratch = watched()
    earlier = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=5)
    scratch.check(**{TAG: earlier.isoformat()})
    assert len(asked(web)) == 1, "five minutes late is live"
    result = scratch.click("incidents")
    assert result.success
    assert len(asked(web)) == 1
    assert logged(scratch, result) == [(20, "no heartbeat: nothing was checked in this run")]


def test_without_an_address_nothing_is_asked_for(small: Scratch) -> None:
    assert logged(small, small.check()) == []
