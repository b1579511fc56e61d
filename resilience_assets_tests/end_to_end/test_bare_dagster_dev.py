"""A bare `dagster dev` in a fresh clone, no variable set: the UI with everything in it, on the same state.

"Fresh clone" is a folder with the repository's dagster.yaml and workspace.yaml; the package is the installed one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from resilience_assets.settings import Settings
from resilience_assets.supervisor import dagster_home, instance_running, run_dev

REPOSITORY = Path(__file__).resolve().parents[2]

WHAT_IS_THERE = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    location { name } assetNodes { assetKey { path } }
    schedules { name scheduleState { status } } sensors { name sensorState { status } } } } } }
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A running bare `dagster dev`: its folder and port. Stopped whole at the end."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("dagster.yaml", "workspace.yaml"):
        shutil.copy(REPOSITORY / name, clone / name)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    # The environment is as a fresh login has it, but for the package, which need not be installed to be tested.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RESILIENCE_", "DAGSTER_"))}
    env["PYTHONPATH"] = str(REPOSITORY)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with (clone / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-p", str(port)],
            cwd=clone,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    signal.signal(signal.SIGINT, before)
    try:
        _until_it_answers(process, port, clone / "output")
        yield clone, port
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _until_it_answers(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"http://127.0.0.1:{port}/server_info", timeout=2).is_success:
                return
        time.sleep(0.3)
    pytest.fail(f"dagster dev did not come up:\n{output.read_text()[-3000:]}")


def _ask(port: int, query: str) -> dict[str, Any]:
    answer = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": query}, timeout=30).json()
    assert "errors" not in answer, answer
    return dict(answer["data"])


def test_the_ui_has_every_asset_and_every_schedule_and_sensor_runs(bare: tuple[Path, int]) -> None:
    from resilience_assets.definitions import defs

    _, port = bare
    (code,) = _ask(port, WHAT_IS_THERE)["repositoriesOrError"]["nodes"]
    assert code["location"]["name"] == "resilience_assets"
    written = defs() if callable(defs) else defs
    assert {tuple(node["assetKey"]["path"]) for node in code["assetNodes"]} == {
        tuple(key.path) for key in written.resolve_asset_graph().get_all_asset_keys()
    }
    assert {one["name"]: one["scheduleState"]["status"] for one in code["schedules"]} == dict.fromkeys(
        [schedule.name for schedule in written.schedules or []], "RUNNING"
    )
    assert {one["sensorState"]["status"] for one in code["sensors"]} <= {"RUNNING"}


def test_its_state_is_that_of_the_command(bare: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    import dagster as dg

    clone, _ = bare
    monkeypatch.chdir(clone)
    settings = Settings.from_environment({})
    assert settings.state_dir == clone / ".resilience"
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        deadline = time.monotonic() + 40
        while not instance.get_daemon_heartbeats() and time.monotonic() < deadline:
            time.sleep(0.5)
        assert instance.get_daemon_heartbeats(), "the daemons of the bare start write elsewhere"
    strays = {path.name for path in clone.iterdir()} - {".resilience", "dagster.yaml", "workspace.yaml", "output"}
    assert {name for name in strays if not name.startswith(".tmp_dagster_home_")} == set()


def test_nothing_else_may_run_beside_it(bare: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    clone, _ = bare
    monkeypatch.chdir(clone)
    settings = Settings.from_environment({})
    running = instance_running(settings)
    assert running is not None
    assert psutil.pid_exists(running["pid"])
    said: list[str] = []
    assert run_dev(settings, echo=said.append, command=["false"]) == 1
    assert f"pid {running['pid']}" in said[0]
