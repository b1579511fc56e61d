"""The lock of the state folder for a Dagster that nobody supervises.

Belongs here: the scheduler class that dagster.yaml names, so that a bare `dagster dev` or `dagster-daemon run` holds
the same lock as `resilience dev` and is refused beside it. Does not belong here: the lock itself (supervisor).

Measured with Dagster 1.13: two daemons on one SQLite state launch a run twice and leave it FAILURE, then SUCCESS;
nothing in Dagster locks its home. A scheduler is made in every process that opens the instance, before any work is done,
and is the one place in dagster.yaml where code of ours may look at that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import click
from dagster._core.scheduler import DagsterDaemonScheduler
from dagster._serdes.config_class import ConfigurableClassData
from filelock import FileLock

from resilience_assets.settings import Settings
from resilience_assets.supervisor import SUPERVISOR_VARIABLE, AlreadyRunning, take_lock, write_note

_held: list[FileLock] = []
"""The lock of this process, kept until it ends."""


class OneDaemonScheduler(DagsterDaemonScheduler):
    """Dagster's own scheduler; making it in a process that will run daemons takes the lock of the state folder."""

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> OneDaemonScheduler:
        """Take the lock where it is this process's to take, then make the scheduler as Dagster would."""
        if not _held and runs_daemons(sys.argv, os.environ):
            _hold()
        return cls(inst_data=inst_data, **config_value)


def runs_daemons(argv: list[str], env: Mapping[str, str]) -> bool:
    """Whether this process is the outermost one of a Dagster with daemons that no supervisor of ours started."""
    if env.get(SUPERVISOR_VARIABLE) or len(argv) < 2:
        return False
    program = argv[0].replace("\\", "/").removesuffix("/__main__.py").rsplit("/", 1)[-1]
    if program == "dagster":
        return argv[1] == "dev"
    # `dagster dev` starts a daemon process of its own, below the process that holds the lock already.
    return program in ("dagster-daemon", "_daemon") and argv[1] == "run" and not env.get("DAGSTER_IS_DEV_CLI")


def _hold() -> None:
    settings = Settings.from_environment()
    try:
        _held.append(take_lock(settings))
    except AlreadyRunning as refusal:
        raise click.ClickException(str(refusal)) from refusal
    write_note(settings, {"address": "", "started_by": "started without `resilience dev`"})
