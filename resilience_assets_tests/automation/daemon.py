"""Dagster's own scheduler and sensor daemon over our definitions, in this process and at an instant that a test sets.

Belongs here: ticks driven through the machinery that drives them in production; runs are launched in
this process. Does not belong here: any test.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

LOCATION = "resilience_assets"
AT_ONCE = {
    "run_launcher": {"module": "dagster._core.launcher.sync_in_memory_run_launcher", "class": "SyncInMemoryRunLauncher"},
    "run_coordinator": {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"},
}
"""Runs are executed where they are requested, without a queue and a process of their own."""


class Daemon:
    """One daemon over one instance and the code location of the environment."""

    def __init__(self, instance: dg.DagsterInstance, workspace: Any) -> None:
        self.instance = instance
        self.workspace = workspace
        self._iterations: dict[str, Any] = {}

    def schedules(self, at: dt.datetime) -> list[dg.DagsterRun]:
        """One look of the scheduler at an instant; returns the runs that it made, the oldest first."""
        with freeze_time(at), self._new_runs() as made:
            list(launch_scheduled_runs(self.workspace, logging.getLogger("scheduler"), at, self._iterations))
        return made

    def sensors(self, at: dt.datetime) -> list[dg.DagsterRun]:
        """One look of the sensor daemon at an instant; returns the runs that it made, the oldest first."""
        with freeze_time(at), self._new_runs() as made:
            list(execute_sensor_iteration(self.workspace, logging.getLogger("sensors"), None, None))
        return made

    def ticks(self, name: str) -> list[Any]:
        """Ticks of a schedule or sensor, the oldest first."""
        location = self.workspace.create_request_context().get_code_location(LOCATION)
        (repository,) = location.get_repositories().values()
        one = repository.get_sensor(name) if name.endswith("_sensor") else repository.get_schedule(name)
        return list(reversed(self.instance.get_ticks(one.get_remote_origin_id(), one.selector_id)))

    @contextmanager
    def _new_runs(self) -> Iterator[list[dg.DagsterRun]]:
        known = {run.run_id for run in self.instance.get_runs()}
        made: list[dg.DagsterRun] = []
        yield made
        made += [run for run in reversed(self.instance.get_runs()) if run.run_id not in known]


def code_location(folder: Path) -> InProcessCodeLocationOrigin:
    """Our definitions as the one code location, loaded in this process."""
    target = LoadableTargetOrigin(module_name="resilience_assets.definitions", working_directory=str(folder))
    return InProcessCodeLocationOrigin(target, location_name=LOCATION)


@contextmanager
def daemon(folder: Path) -> Iterator[Daemon]:
    """A daemon with its state in a folder; the code location reads this process's environment."""
    folder.mkdir(parents=True, exist_ok=True)
    target = InProcessWorkspaceLoadTarget(code_location(folder))
    with (
        dg.instance_for_test(temp_dir=str(folder), overrides=AT_ONCE) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        yield Daemon(instance, workspace)
