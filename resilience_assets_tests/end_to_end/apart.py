"""A code server and a daemon on one scratch state, each a process of its own, to be killed one by one.

Belongs here: starting, finding, killing and stopping them, and looking at the runs they made. Does not belong here:
what is expected of what is left.

As Dagster is run in production, but for the webserver: no test that looks at crashes needs it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import GrpcServerTarget

from resilience_assets.resources.deployment import Deployment, deployment
from resilience_assets.settings import Settings
from resilience_assets.supervisor import dagster_home
from resilience_assets_tests.delivery.peers import Mailbox, Receiver, free_port
from resilience_assets_tests.end_to_end.running import until

REPOSITORY = Path(__file__).resolve().parents[2]
LOCATION, READY_SECONDS = "resilience_assets", 90
READER = "chief@example.org"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def to_peers(box: Mailbox, web: Receiver) -> dict[str, str]:
    """Variables by which every alert goes to a mail server and a receiver of the test."""
    return {
        "SMTP_ENABLED": "true", "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_USE_TLS": "false",
        "RESILIENCE_ALERT_RECIPIENTS": READER, "RESILIENCE_WEBHOOK_URL": web.url("ok"),
        "RESILIENCE_WEBHOOK_SECRETS": SECRET, "RESILIENCE_OUTBOUND_ALLOW": web.listed[0],
    }  # fmt: skip


@dataclass
class Apart:
    """The processes of one deployment; `folder` holds its state, its logs and the workspace file."""

    folder: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None
    daemon: subprocess.Popen[bytes] | None = None
    here: Deployment = field(init=False)
    instance: dg.DagsterInstance = field(init=False)
    _open: ExitStack = field(default_factory=ExitStack)
    _process: WorkspaceProcessContext | None = None

    def __post_init__(self) -> None:
        self.variables = {"RESILIENCE_STATE_DIR": str(self.folder / ".resilience")} | self.variables
        settings = Settings.from_environment(self.variables, directory=self.folder)
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        self.here = deployment(settings)
        self.home = dagster_home(settings)
        self.instance = dg.DagsterInstance.from_config(str(self.home))
        served = f"{{host: 127.0.0.1, port: {self.port}, location_name: {LOCATION}}}"
        (self.folder / "workspace.yaml").write_text(f"load_from:\n  - grpc_server: {served}\n")

    def environment(self) -> dict[str, str]:
        """The environment of every process of this deployment."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RESILIENCE_", "DAGSTER_", "SMTP_"))}
        return env | {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)} | self.variables

    def _start(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen([sys.executable, "-m", *words], cwd=self.folder, env=self.environment(), stdout=log, stderr=log)

    def start_server(self) -> None:
        """Start the code server and wait until it has loaded the definitions."""
        words = ["dagster", "api", "grpc", "-m", "resilience_assets.definitions", "-h", "127.0.0.1", "-p", str(self.port)]
        self.server = self._start("server", *words, "--location-name", LOCATION)
        until(self._serves, READY_SECONDS, "the code server")

    def _serves(self) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, (self.folder / "server.log").read_text()[-3000:]
        return "Started Dagster code server" in (self.folder / "server.log").read_text()

    def start_daemon(self) -> None:
        """Start the daemon; it takes up its work by itself."""
        self.daemon = self._start("daemon", "dagster._daemon", "run", "-w", str(self.folder / "workspace.yaml"))

    def kill_daemon(self) -> None:
        """kill -9."""
        assert self.daemon is not None
        assert self.daemon.poll() is None, (self.folder / "daemon.log").read_text()[-3000:]
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def workers(self) -> list[psutil.Process]:
        """The processes of the runs under way: children of the code server that multiprocessing spawned."""
        assert self.server is not None
        out = []
        for child in psutil.Process(self.server.pid).children():
            try:
                if "spawn_main" in " ".join(child.cmdline()):
                    out.append(child)
            except psutil.Error:
                continue
        return out

    def runs(self, job: str) -> list[dg.DagsterRun]:
        """Runs of a job, the oldest first."""
        return list(reversed(self.instance.get_runs(dg.RunsFilter(job_name=job))))

    def launch(self, job: str, tags: dict[str, str]) -> str:
        """Launch a run at the code server, past the queue; returns its id."""
        if self._process is None:
            target = GrpcServerTarget(host="127.0.0.1", port=self.port, socket=None, location_name=LOCATION)
            self._process = self._open.enter_context(WorkspaceProcessContext(self.instance, target))
        workspace = self._process.create_request_context()
        location = workspace.get_code_location(LOCATION)
        (repository,) = location.get_repositories().values()
        chosen = repository.get_full_job(job)
        plan = location.get_execution_plan(chosen, {}, None, None, None)
        run = self.instance.create_run(
            job_name=job, run_id=None, run_config={}, status=None, tags=dict(chosen.tags) | tags, root_run_id=None,
            parent_run_id=None, step_keys_to_execute=None, execution_plan_snapshot=plan.execution_plan_snapshot,
            job_snapshot=chosen.job_snapshot, parent_job_snapshot=chosen.parent_job_snapshot, op_selection=None,
            resolved_op_selection=None, remote_job_origin=chosen.get_remote_origin(),
            job_code_origin=chosen.get_python_origin(), asset_selection=None, asset_check_selection=None,
            asset_graph=repository.asset_graph,
        )  # fmt: skip
        self.instance.launch_run(run.run_id, workspace)
        return run.run_id

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        """Where a run stands."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run.status

    def why(self, run_id: str) -> str:
        """What the failed steps and the run itself say."""
        said = [entry.dagster_event for entry in self.instance.all_logs(run_id) if entry.dagster_event is not None]
        failed = [event for event in said if event.is_step_failure or event.is_step_up_for_retry or event.is_run_failure]
        return "\n".join(f"{event.message} {getattr(event.event_specific_data, 'error', '')}" for event in failed)[:4000]

    def stop(self) -> None:
        """End what was started here, workers included."""
        self._open.close()
        below = []
        for process in (self.daemon, self.server):
            if process is not None and process.poll() is None:
                below += psutil.Process(process.pid).children(recursive=True)
                process.kill()
                process.wait()
        for child in below:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        self.instance.dispose()
        self.here.database.dispose()


@contextmanager
def apart(folder: Path, **variables: Any) -> Iterator[Apart]:
    """A deployment of separate processes, none of them started yet; stopped whole at the end."""
    made = Apart(folder, variables)
    try:
        yield made
    finally:
        made.stop()
