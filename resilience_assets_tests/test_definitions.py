"""What Dagster sees, pinned: a renamed asset, a lost check or a changed cron cannot slip through.

The snapshot is definitions_snapshot.json. After a wanted change, write it anew and read the difference:
`python -m resilience_assets_tests.test_definitions > resilience_assets_tests/definitions_snapshot.json`.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.dependency import NodeHandle

import resilience_assets
from resilience_assets.automation.queues import DEFAULT, NOTIFICATIONS, QUEUE, RESILIENCE
from resilience_assets.definitions import build_definitions
from resilience_assets.settings import Settings

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
SNAPSHOT_ZONE = "America/New_York"


def definitions(state: Path) -> dg.Definitions:
    env = {"RESILIENCE_STATE_DIR": str(state), "RESILIENCE_TIME_ZONE": SNAPSHOT_ZONE}
    return build_definitions(Settings.from_environment(env, directory=state))


@pytest.fixture
def defs(tmp_path: Path) -> dg.Definitions:
    return definitions(tmp_path)


def snapshot(defs: dg.Definitions) -> dict[str, Any]:
    """Everything that users, schedules and bookmarks depend on, as plain data."""
    return {
        "assets": {spec.key.to_user_string(): _asset(spec) for spec in sorted(defs.resolve_all_asset_specs(), key=lambda s: s.key)},
        "checks": _checks(defs),
        "jobs": {job.name: _job(job) for job in _jobs(defs)},
        "schedules": {
            one.name: {
                "cron": one.cron_schedule, "time_zone": one.execution_timezone, "job": one.job_name,
                "default_status": one.default_status.value,
            }
            for one in sorted(_schedules(defs), key=lambda one: one.name)
        },
        "sensors": {
            one.name: {
                "every_seconds": one.minimum_interval_seconds, "job": one.job_name, "default_status": one.default_status.value,
            }
            for one in sorted(_sensors(defs), key=lambda one: one.name)
        },
        "resources": sorted(defs.resources or {}),
    }  # fmt: skip


def _asset(spec: dg.AssetSpec) -> dict[str, Any]:
    return {
        "group": spec.group_name,
        "deps": _line(dep.asset_key.to_user_string() for dep in spec.deps),
        "owners": _line(spec.owners),
        "kinds": _line(spec.kinds),
        "code_version": spec.code_version,
        "partitioned": spec.partitions_def is not None,
        "late": _late(spec.freshness_policy),
    }


def _line(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def _late(policy: Any) -> str:
    warn, fail = (int(window.to_timedelta() / dt.timedelta(minutes=1)) for window in (policy.warn_window, policy.fail_window))
    return f"after {warn} min, failed after {fail} min"


def _checks(defs: dg.Definitions) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for one in defs.asset_checks or []:
        for spec in one.check_specs:
            out.setdefault(spec.asset_key.to_user_string(), []).append(spec.name + (" (blocking)" if spec.blocking else ""))
    return {asset: sorted(names) for asset, names in sorted(out.items())}


def _jobs(defs: dg.Definitions) -> list[dg.JobDefinition]:
    return [defs.resolve_job_def(name) for name in sorted(one.name for one in defs.jobs or [])]


def _job(job: dg.JobDefinition) -> dict[str, Any]:
    assets = [key.to_user_string() for key in job.asset_layer.selected_asset_keys]
    return {
        "queue": job.tags.get(QUEUE),
        "max_runtime": job.tags.get("dagster/max_runtime"),
        "retries": _line({_retries(job.get_retry_policy_for_handle(NodeHandle(node.name, None))) for node in job.nodes}),
        "assets" if assets else "ops": _line(assets or [node.name for node in job.nodes]),
    }


def _retries(policy: dg.RetryPolicy | None) -> str:
    return f"{policy.max_retries} x {policy.delay} s" if policy else "none"


def _schedules(defs: dg.Definitions) -> list[dg.ScheduleDefinition]:
    return [one for one in defs.schedules or [] if isinstance(one, dg.ScheduleDefinition)]


def _sensors(defs: dg.Definitions) -> list[dg.SensorDefinition]:
    return list(defs.sensors or [])


def test_snapshot(defs: dg.Definitions) -> None:
    assert snapshot(defs) == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_no_check_is_blocking_for_it_would_stop_every_program(defs: dg.Definitions) -> None:
    assert not [spec.name for one in defs.asset_checks or [] for spec in one.check_specs if spec.blocking]


def test_every_asset_says_what_it_is_whose_it_is_and_when_it_is_late(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        assert len(spec.description or "") > 80, spec.key
        assert all([spec.owners, spec.kinds, spec.code_version, spec.freshness_policy]), spec.key
        assert spec.group_name not in (None, "", "default"), spec.key


def test_every_check_job_schedule_and_sensor_says_what_it_is_for(defs: dg.Definitions) -> None:
    for one in defs.asset_checks or []:
        assert all(spec.description for spec in one.check_specs), one.keys
    for described in [*_jobs(defs), *_schedules(defs), *_sensors(defs)]:
        assert described.description, described.name


def test_every_job_has_its_queue_and_a_longest_runtime(defs: dg.Definitions) -> None:
    for job in _jobs(defs):
        assert job.tags[QUEUE] in (RESILIENCE, NOTIFICATIONS, DEFAULT), job.name
        assert 0 < int(job.tags["dagster/max_runtime"]) <= 3600, job.name


def test_everything_that_ticks_is_on_from_the_start(defs: dg.Definitions) -> None:
    for one in [*_schedules(defs), *_sensors(defs)]:
        assert one.default_status.value == "RUNNING", one.name


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(resilience_assets.__path__, "resilience_assets."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def test_everything_that_is_defined_anywhere_in_the_package_is_registered(defs: dg.Definitions) -> None:
    """A schedule that is written and never registered would be off without a word."""
    kinds = (dg.AssetsDefinition, dg.JobDefinition, dg.ScheduleDefinition, dg.SensorDefinition)
    unresolved = type(dg.define_asset_job("any"))
    found: set[tuple[str, str]] = set()
    for module in modules():
        for value in vars(module).values():
            if isinstance(value, dg.AssetChecksDefinition):
                found |= {("check", str(key)) for key in value.check_keys}
            elif isinstance(value, dg.AssetsDefinition):
                found |= {("asset", key.to_user_string()) for key in value.keys}
            elif isinstance(value, (*kinds, unresolved)):
                found.add((_kind(value), value.name))
    registered = {("asset", spec.key.to_user_string()) for spec in defs.resolve_all_asset_specs()}
    registered |= {("check", str(spec.key)) for one in defs.asset_checks or [] for spec in one.check_specs}
    registered |= {(_kind(one), one.name) for one in [*_jobs(defs), *_schedules(defs), *_sensors(defs)]}
    assert len(found) > 15
    assert found - registered == set()


def _kind(value: Any) -> str:
    if isinstance(value, dg.ScheduleDefinition):
        return "schedule"
    return "sensor" if isinstance(value, dg.SensorDefinition) else "job"


def test_definitions_can_be_loaded(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


LOAD = """
import warnings
import dagster as dg
for category in (dg.SupersessionWarning, dg.PreviewWarning, DeprecationWarning, FutureWarning):
    warnings.simplefilter("error", category)
import resilience_assets.definitions as loaded
dg.Definitions.validate_loadable(loaded.defs())
"""


def test_loading_touches_no_database_writes_nothing_and_warns_of_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    done = subprocess.run(
        [sys.executable, "-c", LOAD], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env={
            "PATH": "", "PYTHONPATH": str(Path(resilience_assets.__file__).parents[1]), "RESILIENCE_STATE_DIR": str(state),
            "RESILIENCE_DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr.replace("BetaWarning", "")
    assert list(tmp_path.iterdir()) == []


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(json.dumps(snapshot(definitions(Path(folder))), indent=1) + "\n")
