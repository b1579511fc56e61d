"""A real `resilience dev` on a state of its own, for tests that look at the whole thing from outside.

Belongs here: starting and stopping it, asking its GraphQL. Does not belong here: what is expected of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 120


@dataclass(frozen=True)
class Running:
    """A started instance: its state folder, its address, and how long it took until the UI answered."""

    state: Path
    address: str
    seconds: float

    def environment(self) -> dict[str, str]:
        """The environment of a command on the same state."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RESILIENCE_", "DAGSTER_"))}
        return env | {"RESILIENCE_STATE_DIR": str(self.state)}

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `resilience ARGUMENTS` on this state."""
        return subprocess.run(
            [sys.executable, "-m", "resilience_assets.cli", *arguments],
            env=self.environment(), cwd=self.state.parent, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def json(self, *arguments: str) -> Any:
        """What `resilience ARGUMENTS --json` prints."""
        done = self.command(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, query: str) -> dict[str, Any]:
        """The data of a GraphQL answer."""
        answer = httpx.post(f"{self.address}/graphql", json={"query": query}, timeout=30).json()
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


@contextmanager
def resilience_dev(folder: Path) -> Iterator[Running]:
    """Start `resilience dev` with the demo in `folder`, and stop it whole."""
    state = folder / ".resilience"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("RESILIENCE_", "DAGSTER_"))}
    started = time.monotonic()
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "resilience_assets.cli", "dev"],
            env=env | {"RESILIENCE_STATE_DIR": str(state)}, cwd=folder, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        address = until(lambda: _address(state, process, folder / "output"), START_SECONDS, "the address of the UI")
        yield Running(state, address, time.monotonic() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def until(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first answer that is not empty; AssertionError names what did not come in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.3)
    raise AssertionError(f"{what} did not come within {seconds} s")


def _address(state: Path, process: subprocess.Popen[bytes], output: Path) -> str | None:
    assert process.poll() is None, output.read_text()
    from resilience_assets.settings import Settings
    from resilience_assets.supervisor import instance_running

    if not state.exists():
        return None
    note = instance_running(Settings.from_environment({"RESILIENCE_STATE_DIR": str(state)}))
    address = note["address"] if note else ""
    if not address:
        return None
    try:
        return address if httpx.get(f"{address}/server_info", timeout=5).status_code == 200 else None
    except httpx.HTTPError:
        return None
