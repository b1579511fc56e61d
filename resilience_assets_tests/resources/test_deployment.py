"""The parts of a deployment, made from its settings."""

from __future__ import annotations

import datetime as dt
import getpass
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from resilience_assets.policy import PolicyError
from resilience_assets.resources.deployment import Clock, deployment, who
from resilience_assets.settings import Settings
from resilience_assets.storage.database import HEAD
from resilience_assets_tests.assets.deploying import Scratch


def of(folder: Path, **variables: str) -> Settings:
    return Settings.from_environment({"RESILIENCE_STATE_DIR": str(folder / "state")} | variables, directory=folder)


def test_nothing_is_made_before_it_is_asked_for(tmp_path: Path) -> None:
    here = deployment(of(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert here.database.schema_version() == HEAD
    assert (tmp_path / "state" / "resilience.db").is_file()


def test_the_database_is_the_same_one_each_time(scratch: Scratch) -> None:
    assert scratch.deployment.database is scratch.deployment.database


def test_sensors_that_start_together_find_one_schema(tmp_path: Path, at_once: Callable[..., None]) -> None:
    """Dagster evaluates sensors in threads of one process; migrations must not meet in it."""
    places = [deployment(of(tmp_path)) for _ in range(6)]
    at_once(*(lambda one=one: one.database for one in places))
    assert {one.database.schema_version() for one in places} == {HEAD}


def test_an_edited_overlay_holds_from_the_next_run_on(tmp_path: Path) -> None:
    overlay = tmp_path / "policy.yaml"
    overlay.write_text("health:\n  horizon_days: 5\n")
    here = deployment(of(tmp_path, RESILIENCE_POLICY=str(overlay)))
    first = here.policies()
    assert first.default.health.horizon_days == 5
    overlay.write_text("health:\n  horizon_days: 6\n")
    assert here.policies().default.health.horizon_days == 6
    assert here.policies().version_for("any") != first.version_for("any")


def test_a_bad_overlay_is_refused_each_time_it_is_read(tmp_path: Path) -> None:
    overlay = tmp_path / "policy.yaml"
    overlay.write_text("health:\n  horizon_days: -5\n")
    here = deployment(of(tmp_path, RESILIENCE_POLICY=str(overlay)))
    for _ in range(2):
        with pytest.raises(PolicyError, match="horizon_days"):
            here.policies()


def test_thresholds_and_preset_of_the_environment_reach_the_policy(tmp_path: Path) -> None:
    assert deployment(of(tmp_path)).policies().default.utilization.yellow == 0.70
    assert deployment(of(tmp_path, RESILIENCE_PRESET="conservative")).policies().default.utilization.yellow == 0.65
    assert deployment(of(tmp_path, RESILIENCE_WARNING_THRESHOLD="0.61")).policies().default.utilization.yellow == 0.61


def test_the_clock_is_in_utc() -> None:
    now = Clock().now()
    assert now.tzinfo is dt.UTC
    assert abs(dt.datetime.now(dt.UTC) - now) < dt.timedelta(seconds=5)


def test_who_is_the_account_or_says_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    assert who() == getpass.getuser()

    def nobody() -> str:
        raise KeyError(os.getuid())

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert who() == "unknown"
