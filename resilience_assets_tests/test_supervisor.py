"""One Dagster on one state folder: the lock, the start, the restarts, and that a stop leaves no process behind.

Most tests supervise a stub (a small HTTP server with a child of its own); one supervises a real `dagster dev`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from resilience_assets import supervisor
from resilience_assets.one_daemon import runs_daemons
from resilience_assets.settings import Settings
from resilience_assets.supervisor import (
    AlreadyRunning,
    dagster_home,
    instance_running,
    log_path,
    run_dev,
    shipped_file,
    state_lock,
    take_lock,
)

REPOSITORY = Path(__file__).resolve().parents[1]

SUPERVISE = """
import json, sys
from resilience_assets.settings import Settings
from resilience_assets.supervisor import run_dev
sys.exit(run_dev(
    Settings.from_environment(),
    port=int(sys.argv[1]),
    command=json.loads(sys.argv[2]) or None,
    first_thing_to_try="Try: resilience absent ATT-03",
    echo=lambda text: print(text, flush=True),
))
"""

# Answers /server_info, and has a child; a deaf child does not listen to SIGTERM.
STUB = """
import http.server, subprocess, sys
deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" if sys.argv[2] == "deaf" else ""
subprocess.Popen([sys.executable, "-c", deaf + "import time; time.sleep(600)"])
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"{}")
print("stub is up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"RESILIENCE_STATE_DIR": str(tmp_path / "state")})


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stub(port: int, hearing: str = "hears") -> list[str]:
    return [sys.executable, "-c", STUB, str(port), hearing]


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(settings: Settings, tmp_path: Path) -> Iterator[Start]:
    """Start supervisors in processes of their own; whatever a failed test leaves is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(port: int, command: list[str], **more: str) -> subprocess.Popen[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("RESILIENCE_", "DAGSTER_"))}
        env |= {"RESILIENCE_STATE_DIR": str(settings.state_dir), "PYTHONPATH": str(REPOSITORY)} | more
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, str(port), json.dumps(command)],
            env=env,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        for one in [*family(settings), *([psutil.Process(process.pid)] if process.poll() is None else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait(10)


def family(settings: Settings) -> list[psutil.Process]:
    """Every live process that was started for this state folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            mine = process.environ().get("RESILIENCE_STATE_DIR") == str(settings.state_dir)
            if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def until_it_answers(settings: Settings, seconds: float = 20.0) -> None:
    wait_for(lambda: bool((instance_running(settings) or {}).get("address")), seconds)


# --- The lock -----------------------------------------------------------------------------------------------


def test_nobody_runs_on_a_new_state_folder(settings: Settings) -> None:
    assert instance_running(settings) is None
    assert not settings.state_dir.exists(), "asking must not create anything"


def test_the_lock_names_its_holder_and_is_free_afterwards(settings: Settings) -> None:
    with state_lock(settings) as note:
        assert note["pid"] == os.getpid()
    assert instance_running(settings) is None
    assert not (settings.state_dir / "instance.json").exists()


def test_a_held_lock_is_refused_with_pid_address_and_what_to_do(settings: Settings, port: int, start: Start) -> None:
    first = start(port, stub(port))
    until_it_answers(settings)
    running = instance_running(settings)
    assert running is not None
    assert running["pid"] == first.pid
    assert running["address"] == f"http://127.0.0.1:{port}"
    with pytest.raises(AlreadyRunning) as refusal:
        take_lock(settings)
    for part in (str(first.pid), f"http://127.0.0.1:{port}", str(settings.state_dir), "RESILIENCE_STATE_DIR"):
        assert part in str(refusal.value)

    said: list[str] = []
    prepared: list[bool] = []
    code = run_dev(settings, port=port + 1, echo=said.append, prepare=lambda: prepared.append(True), command=["false"])
    assert code == 1
    assert "Already running" in said[0]
    assert not prepared, "nothing may touch the state of the first"
    assert first.poll() is None


def test_the_lock_outlives_no_process(settings: Settings, port: int, start: Start) -> None:
    first = start(port, stub(port))
    until_it_answers(settings)
    first.kill()
    first.wait(10)
    wait_for(lambda: instance_running(settings) is None)


def test_leftovers_of_a_killed_supervisor_are_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LEFTOVER_PATIENCE_S", 0.5)
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        settings.state_dir.mkdir()
        (settings.state_dir / "instance.json").write_text(json.dumps({"pid": 1, "group": left.pid}))
        with pytest.raises(AlreadyRunning, match=f"process group {left.pid}"), state_lock(settings):
            pass
        assert (settings.state_dir / "instance.json").exists(), "the next start must find the same leftovers"
    finally:
        left.kill()
        left.wait()
    with state_lock(settings):
        pass


@pytest.mark.parametrize(
    ("argv", "env", "holds"),
    [
        (["/v/bin/dagster", "dev", "-p", "3000"], {}, True),
        (["/v/lib/dagster/__main__.py", "dev"], {}, True),
        (["/v/lib/dagster/__main__.py", "dev"], {"RESILIENCE_SUPERVISOR": "7"}, False),
        (["/v/bin/dagster-daemon", "run"], {}, True),
        (["/v/lib/dagster/_daemon/__main__.py", "run"], {"DAGSTER_IS_DEV_CLI": "1"}, False),
        (["/v/bin/dagster-daemon", "liveness-check"], {}, False),
        (["/v/bin/dagster", "definitions", "validate"], {}, False),
        (["/v/bin/dagster-webserver", "-p", "3000"], {}, False),
        (["/v/lib/dagster/__main__.py", "api", "grpc"], {"DAGSTER_IS_DEV_CLI": "1"}, False),
        (["-c"], {}, False),
    ],
)
def test_a_bare_dagster_holds_the_lock_only_where_daemons_run(
    argv: list[str], env: dict[str, str], holds: bool
) -> None:
    assert runs_daemons(argv, env) is holds


# --- Dagster's home -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_the_file_in_the_root_is_the_file_in_the_package(name: str) -> None:
    assert (REPOSITORY / name).read_text() == shipped_file(name).read_text()


def test_the_postgresql_variant_differs_in_the_storage_alone() -> None:
    shipped = yaml.safe_load(shipped_file("dagster.yaml").read_text())
    variant = yaml.safe_load((REPOSITORY / "deploy" / "dagster.postgres.yaml").read_text())
    assert variant.pop("storage")["postgres"]["postgres_db"]["scheme"] == "postgresql+psycopg2"
    for key in ("storage", "local_artifact_storage", "compute_logs"):
        shipped.pop(key)
    assert variant == shipped


def test_dagster_accepts_both_instance_files(monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._core.instance.config import dagster_instance_config

    for name, value in {"HOST": "db", "PORT": "5432", "USER": "u", "PASSWORD": "p", "DB": "dagster"}.items():
        monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", value)
    for folder, name in ((REPOSITORY, "dagster.yaml"), (REPOSITORY / "deploy", "dagster.postgres.yaml")):
        config, _ = dagster_instance_config(str(folder), name)
        limits = config["concurrency"]["runs"]["tag_concurrency_limits"]
        assert [limit["limit"] for limit in limits] == [2, 1, 1, 1]
        assert config["concurrency"]["runs"]["max_concurrent_runs"] == 4


def test_dagster_home_is_the_folder_of_a_bare_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shipped file says relative to the working directory is where DAGSTER_HOME puts it by default."""
    from dagster._core.instance.ref import InstanceRef

    repository = settings.state_dir.parent
    in_repository = settings.model_copy(update={"state_dir": repository / ".resilience"})
    home = dagster_home(in_repository)
    assert home == repository / ".resilience" / "dagster"
    (repository / "dagster.yaml").write_text(shipped_file("dagster.yaml").read_text())
    monkeypatch.chdir(repository)
    bare = InstanceRef.from_dir(str(repository / "elsewhere"), config_dir=str(repository))
    ours = InstanceRef.from_dir(str(home))
    for data in ("storage_data", "local_artifact_storage_data", "compute_logs_data"):
        bare_folder = getattr(bare, data).config_dict["base_dir"]
        assert not Path(bare_folder).is_absolute()
        assert repository / bare_folder == Path(getattr(ours, data).config_dict["base_dir"])


def test_another_instance_file_is_used_when_named(settings: Settings, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("telemetry: {enabled: false}\nstorage: {sqlite: {base_dir: /var/lib/x}}\n")
    home = dagster_home(settings.model_copy(update={"dagster_yaml": mine}))
    written = yaml.safe_load((home / "dagster.yaml").read_text())
    assert written == {"telemetry": {"enabled": False}, "storage": {"sqlite": {"base_dir": "/var/lib/x"}}}


def test_an_unreadable_instance_file_is_refused_by_name(settings: Settings, tmp_path: Path, port: int) -> None:
    said: list[str] = []
    missing = settings.model_copy(update={"dagster_yaml": tmp_path / "nowhere.yaml"})
    assert run_dev(missing, port=port, echo=said.append, command=["false"]) == 1
    assert "RESILIENCE_DAGSTER_YAML" in said[0]
    assert "nowhere.yaml" in said[0]
    assert instance_running(settings) is None


def test_a_home_in_the_env_file_is_refused(
    settings: Settings, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster would let it win, and would then keep another history than the command does."""
    (tmp_path / ".env").write_text("DAGSTER_HOME=/var/elsewhere\n")
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    assert run_dev(settings, port=port, echo=said.append, command=["false"]) == 1
    assert ".env sets DAGSTER_HOME=/var/elsewhere" in said[0]


# --- Ports --------------------------------------------------------------------------------------------------


def test_a_named_port_that_is_taken_is_refused(settings: Settings, port: int) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert run_dev(settings, port=port, echo=said.append, command=["false"]) == 1
    assert f"Port {port}" in said[0]


def test_a_default_port_that_is_taken_gives_the_next(settings: Settings, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert port < supervisor._free_port(settings.model_copy(update={"port": port}), None) <= port + 20


def test_an_address_of_another_machine_is_refused(settings: Settings) -> None:
    said: list[str] = []
    elsewhere = settings.model_copy(update={"host": "no-such-host.invalid"})
    assert run_dev(elsewhere, echo=said.append, command=["false"]) == 1
    assert "no-such-host.invalid" in said[0]


# --- Start, restart, stop -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "hearing"), [(signal.SIGTERM, "deaf"), (signal.SIGINT, "hears"), (signal.SIGHUP, "hears")]
)
def test_a_signal_stops_all_of_it(
    settings: Settings, port: int, start: Start, number: signal.Signals, hearing: str
) -> None:
    process = start(port, stub(port, hearing))
    until_it_answers(settings)
    assert len(family(settings)) >= 3, "supervisor, stub and the stub's child"
    process.send_signal(number)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert family(settings) == []
    assert instance_running(settings) is None
    assert f"http://127.0.0.1:{port}" in said
    assert "Try: resilience absent ATT-03" in said
    assert "stub is up" in log_path(settings).read_text()


def test_a_killed_supervisor_takes_its_dagster_along(settings: Settings, port: int, start: Start) -> None:
    """The kernel passes the death on (Linux); otherwise a second start would find two daemons on one state."""
    if sys.platform != "linux":
        pytest.skip("the kernel of Linux alone tells a child of its parent's death")
    process = start(port, stub(port))
    until_it_answers(settings)
    group = json.loads((settings.state_dir / "instance.json").read_text())["group"]
    process.kill()
    process.wait(10)
    wait_for(lambda: not psutil.pid_exists(group) or psutil.Process(group).status() == psutil.STATUS_ZOMBIE)


def test_a_child_that_dies_is_started_again(settings: Settings, port: int, start: Start) -> None:
    process = start(port, stub(port))
    until_it_answers(settings)
    group = json.loads((settings.state_dir / "instance.json").read_text())["group"]
    os.kill(group, signal.SIGKILL)

    def is_back() -> bool:
        note = instance_running(settings) or {}
        return note.get("group") != group and bool(note.get("address"))

    wait_for(is_back, 20)
    time.sleep(0.5)
    process.terminate()
    said, _ = process.communicate(timeout=30)
    assert "ended by itself" in said
    assert "stub is up" in said, "its last lines are shown"
    assert family(settings) == [], "the first stub's child is gone too"


def test_a_child_that_dies_too_often_is_given_up(
    settings: Settings, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RESTART_PAUSES_S", (0.0,) * 5)
    said: list[str] = []
    dying = [sys.executable, "-c", "import sys; print('no database'); sys.exit(3)"]
    assert run_dev(settings, port=port, echo=said.append, command=dying) == 1
    text = "\n".join(said)
    assert text.count("exit code 3") == 6
    assert "no database" in text
    assert "giving up" in text
    assert str(log_path(settings)) in text


def test_preparation_runs_under_the_lock_and_its_failure_lets_go(settings: Settings, port: int) -> None:
    def prepare() -> None:
        with pytest.raises(AlreadyRunning):
            take_lock(settings)
        raise RuntimeError("no disk")

    with pytest.raises(RuntimeError, match="no disk"):
        run_dev(settings, port=port, echo=lambda _: None, prepare=prepare, command=["false"])
    assert instance_running(settings) is None


TINY_LOCATION = """
import dagster as dg

@dg.asset
def small() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"cells": 1})

defs = dg.Definitions(assets=[small], executor=dg.in_process_executor)
"""


@pytest.mark.slow
def test_a_real_dagster_is_started_ignored_signals_or_not_and_stopped_whole(
    settings: Settings, tmp_path: Path, port: int, start: Start
) -> None:
    (tmp_path / "tiny_location.py").write_text(TINY_LOCATION)
    workspace = tmp_path / "tiny.yaml"
    workspace.write_text("load_from: [{python_module: {module_name: tiny_location, location_name: tiny}}]\n")
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-p", str(port)]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for a job that it starts with `&`
    try:
        process = start(port, command, PYTHONPATH=f"{REPOSITORY}{os.pathsep}{tmp_path}")
    finally:
        signal.signal(signal.SIGINT, before)
    until_it_answers(settings, 60)
    names = {" ".join(one.cmdline()) for one in family(settings)}
    for part in ("dagster._daemon", "dagster_webserver", "code-server"):
        assert any(part in name for name in names), f"{part} does not run"
    began = time.monotonic()
    process.terminate()
    said, _ = process.communicate(timeout=40)
    assert process.returncode == 0, said
    assert family(settings) == []
    assert time.monotonic() - began < 20
    assert (settings.state_dir / "dagster" / "history" / "runs.db").exists()
