"""Keeping one Dagster alive on one state folder: what `resilience dev` does once the state is ready.

Belongs here: the lock of the state folder and the note of who holds it, DAGSTER_HOME, starting, watching,
restarting and stopping `dagster dev` with all that it starts. Does not belong here: preparing the database and
the demo (cli passes that in as `prepare`), what Dagster runs (definitions), the command line (cli).

POSIX only: a child gets a process group of its own, so that stopping reaches everything below it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import yaml
from filelock import FileLock, Timeout

from resilience_assets.settings import Settings, environment

SUPERVISOR_VARIABLE = "RESILIENCE_SUPERVISOR"
"""Set for everything below a supervisor, to its pid: the lock is held by an ancestor."""

PORTS_TRIED = 20
RESTART_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Pause before each restart; when there are more deaths than pauses within RESTARTS_WITHIN_S, it gives up."""
RESTARTS_WITHIN_S = 600.0
STOP_PATIENCE_S = 20.0
LEFTOVER_PATIENCE_S = 20.0
LOG_BYTES = 20_000_000

# Runs before the child's own program: the kernel then stops it when the supervisor dies, even by SIGKILL.
# The wish survives exec. Not in a preexec_fn, which is unsafe once a thread runs. 1 is PR_SET_PDEATHSIG.
_TIED_TO_PARENT = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)
if os.getppid() != int(sys.argv[1]):
    sys.exit(0)
os.execv(sys.argv[2], sys.argv[2:])
"""

Echo = Callable[[str], None]


class AlreadyRunning(RuntimeError):
    """Another instance holds the state folder; the message names it and says how to go on."""


class CannotStart(RuntimeError):
    """Nothing was started; the message says why and what to do."""


def run_dev(
    settings: Settings,
    *,
    port: int | None = None,
    echo: Echo = print,
    prepare: Callable[[], None] | None = None,
    first_thing_to_try: str | Callable[[], str] = "",
    command: Sequence[str] | None = None,
) -> int:
    """Run Dagster on the state folder until SIGINT, SIGTERM or SIGHUP; return the exit code (0 after a signal).

    `port` must be free when given; else the first free one from `settings.port` on is taken. `prepare` runs once the
    lock is held and before Dagster starts (database, demo); a callable `first_thing_to_try` is asked after it.
    `command` replaces `dagster dev` (tests). Call it from the main thread: it installs signal handlers.
    """
    try:
        with state_lock(settings) as note:
            chosen = _free_port(settings, port)
            if prepare is not None:
                prepare()
            home = dagster_home(settings)
            address = f"http://{_shown_host(settings.host)}:{chosen}"
            child_command = list(command) if command is not None else _dagster_dev(settings, chosen)
            with _stop_signals() as stop:
                dev = _Dev(settings, address, child_command, _child_environment(settings, home), note, echo, stop)
                return dev.supervise(first_thing_to_try() if callable(first_thing_to_try) else first_thing_to_try)
    except (AlreadyRunning, CannotStart) as refusal:
        echo(str(refusal))
        return 1


# --- The lock of the state folder ---------------------------------------------------------------------------


def lock_path(settings: Settings) -> Path:
    """The file whose lock says who runs Dagster on this state folder."""
    return settings.state_dir / "instance.lock"


def instance_running(settings: Settings) -> dict[str, Any] | None:
    """Who runs Dagster on this state folder: pid, address ('' while it starts), started, log; None for nobody.

    Under a bare `dagster dev` the address stays '' and `started_by` says so.
    """
    if not lock_path(settings).exists():
        return None
    lock = FileLock(lock_path(settings))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return _read_note(settings)
    lock.release()
    return None


def take_lock(settings: Settings) -> FileLock:
    """Hold the state folder for this process; the system lets go of it when the process ends, however it ends.

    Raises AlreadyRunning when somebody else holds it.
    """
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_path(settings))
    try:
        # A second's patience: `instance_running` in another process holds the lock for an instant.
        lock.acquire(timeout=1)
    except Timeout:
        raise AlreadyRunning(_refusal(settings, _read_note(settings))) from None
    return lock


@contextlib.contextmanager
def state_lock(settings: Settings) -> Iterator[dict[str, Any]]:
    """Hold the state folder and keep a note beside the lock of who does; yields the note to be added to."""
    lock = take_lock(settings)
    try:
        _wait_for_leftovers(settings)
        note = write_note(settings, {"address": ""})
        try:
            yield note
        finally:
            _note_path(settings).unlink(missing_ok=True)
    finally:
        lock.release()


def write_note(settings: Settings, note: dict[str, Any]) -> dict[str, Any]:
    """Write who holds the lock, in one step, so that a reader never sees half of it; returns what was written."""
    started = datetime.now(UTC).isoformat(timespec="seconds")
    full = {"pid": os.getpid(), "started": started, "log": str(log_path(settings))} | note
    draft = _note_path(settings).with_suffix(".new")
    draft.write_text(json.dumps(full))
    draft.replace(_note_path(settings))
    return full


def _note_path(settings: Settings) -> Path:
    return settings.state_dir / "instance.json"


def _read_note(settings: Settings) -> dict[str, Any]:
    try:
        return dict(json.loads(_note_path(settings).read_text()))
    except (OSError, ValueError):
        return {"pid": None, "address": "", "started": "", "log": str(log_path(settings))}


def _refusal(settings: Settings, note: dict[str, Any]) -> str:
    where = note.get("address") or note.get("started_by") or "no address yet"
    pid = note.get("pid")
    stop = f"Ctrl-C where it runs, or `kill {pid}`" if pid else "Ctrl-C where it runs"
    return (
        f"Already running on {settings.state_dir}: {where} (pid {pid or 'unknown'}"
        f"{', since ' + note['started'] if note.get('started') else ''}).\n"
        f"Use that one, or stop it first ({stop}), or set RESILIENCE_STATE_DIR to another folder."
    )


def _wait_for_leftovers(settings: Settings) -> None:
    """After a supervisor that was killed, wait until what it had started is gone: it stops by itself in seconds."""
    group = _read_note(settings).get("group")
    deadline = time.monotonic() + LEFTOVER_PATIENCE_S
    while group and _group_alive(group):
        if time.monotonic() > deadline:
            raise AlreadyRunning(
                f"Processes of an earlier instance on {settings.state_dir} still run (process group {group}).\n"
                f"Look at them with `ps -g {group}`, stop them with `kill -- -{group}`, and start again."
            )
        time.sleep(0.2)


# --- Dagster's home -----------------------------------------------------------------------------------------


def dagster_home(settings: Settings) -> Path:
    """Write DAGSTER_HOME for this state folder and return it: the folder that a bare `dagster dev` uses too.

    Its dagster.yaml is the shipped one (or RESILIENCE_DAGSTER_YAML) without storage folders that are relative
    to the working directory, for those are this folder.
    """
    home = settings.state_dir / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    source = settings.dagster_yaml
    try:
        text = source.read_text() if source is not None else shipped_file("dagster.yaml").read_text()
        config = yaml.safe_load(text) or {}
    except (OSError, yaml.YAMLError) as error:
        raise CannotStart(f"RESILIENCE_DAGSTER_YAML={source}: cannot be read as YAML: {error}") from error
    kept = {key: value for key, value in config.items() if not _relative_folder(key, value)}
    origin = source if source is not None else "the shipped dagster.yaml"
    draft = home / "dagster.yaml.new"
    draft.write_text(f"# Written at every start from {origin}; changes here are lost.\n" + yaml.safe_dump(kept))
    draft.replace(home / "dagster.yaml")
    return home


def shipped_file(name: str) -> Path:
    """Path of a file that lies in the package (dagster.yaml, workspace.yaml)."""
    return Path(str(resources.files("resilience_assets"))) / name


def log_path(settings: Settings) -> Path:
    """Where the output of Dagster goes."""
    return settings.state_dir / "logs" / "dagster.log"


def _relative_folder(key: str, value: object) -> bool:
    if key not in ("storage", "local_artifact_storage", "compute_logs") or not isinstance(value, dict):
        return False
    inner = value.get("sqlite") or value.get("config") or {}
    folder = inner.get("base_dir") if isinstance(inner, dict) else None
    return isinstance(folder, str) and not Path(folder).is_absolute()


def _child_environment(settings: Settings, home: Path) -> dict[str, str]:
    # Dagster lays .env over its environment: a home set there would win over the one given here.
    wanted = environment(Path.cwd()).get("DAGSTER_HOME")
    if wanted and wanted != os.environ.get("DAGSTER_HOME") and Path(wanted) != home:
        raise CannotStart(f".env sets DAGSTER_HOME={wanted}; remove it there: Dagster's home is {home}")
    return dict(os.environ) | {
        "DAGSTER_HOME": str(home),
        "RESILIENCE_STATE_DIR": str(settings.state_dir),
        SUPERVISOR_VARIABLE: str(os.getpid()),
    }


def _dagster_dev(settings: Settings, port: int) -> list[str]:
    workspace = str(shipped_file("workspace.yaml"))
    return [sys.executable, "-m", "dagster", "dev", "-w", workspace, "-h", settings.host, "-p", str(port)]


def _shown_host(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host


def _free_port(settings: Settings, wanted: int | None) -> int:
    """The wanted port, or the first free one from the settings' on; raises CannotStart when there is none."""
    if wanted is not None:
        if not _is_free(settings.host, wanted):
            raise CannotStart(f"Port {wanted} on {settings.host} is taken: choose another, or leave it out.")
        return wanted
    last = min(settings.port + PORTS_TRIED, 65536)
    for port in range(settings.port, last):
        if _is_free(settings.host, port):
            return port
    raise CannotStart(
        f"Ports {settings.port} to {last - 1} on {settings.host} are all taken: set RESILIENCE_PORT to another."
    )


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotStart(f"RESILIENCE_HOST={host!r} is no address of this machine: {error}") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


# --- The child ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Set an event on SIGINT, SIGTERM and SIGHUP.

    A handler also undoes an inherited "ignore" (a job started with `&` by a non-interactive shell): the child would
    inherit that and could then be stopped by SIGKILL alone; what has a handler here is back to default there.
    """
    stop = threading.Event()
    caught = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in caught}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Dev:
    """One supervision: the child that runs now and when it was last restarted."""

    def __init__(
        self,
        settings: Settings,
        address: str,
        command: list[str],
        env: dict[str, str],
        note: dict[str, Any],
        echo: Echo,
        stop: threading.Event,
    ) -> None:
        self._settings = settings
        self._address = address
        self._command = command
        self._env = env
        self._note = note
        self._echo = echo
        self._stop = stop

    def supervise(self, first_thing_to_try: str) -> int:
        """Keep the child running until told to stop (0) or until it has died too often (1)."""
        deaths: deque[float] = deque()
        announced = False
        while True:
            child = self._start()
            try:
                announced = self._until_it_ends(child, announced, first_thing_to_try)
            finally:
                if self._stop.is_set():
                    self._echo("Stopping.")
                _stop_group(child)
            if self._stop.is_set():
                return 0
            now = time.monotonic()
            deaths.append(now)
            while now - deaths[0] > RESTARTS_WITHIN_S:
                deaths.popleft()
            self._echo(f"Dagster ended by itself (exit code {child.returncode}). Its last lines:")
            self._echo(self._last_lines())
            if len(deaths) > len(RESTART_PAUSES_S):
                minutes = RESTARTS_WITHIN_S / 60
                self._echo(f"{len(deaths)} times within {minutes:.0f} minutes: giving up. All of it: {self._log}")
                return 1
            pause = RESTART_PAUSES_S[len(deaths) - 1]
            self._echo(f"Starting it again in {pause:.0f} s.")
            if self._stop.wait(pause):
                return 0

    @property
    def _log(self) -> Path:
        return log_path(self._settings)

    def _start(self) -> subprocess.Popen[bytes]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        tied = [sys.executable, "-I", "-S", "-c", _TIED_TO_PARENT, str(os.getpid()), *self._command]
        with self._log.open("ab") as log:
            child = subprocess.Popen(
                tied,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._note |= write_note(self._settings, self._note | {"group": child.pid})
        return child

    def _until_it_ends(self, child: subprocess.Popen[bytes], announced: bool, first_thing_to_try: str) -> bool:
        """Wait for the stop signal or the child's end; announce the address once it answers, the first time only."""
        answers = False
        while not self._stop.wait(0.25) and child.poll() is None:
            if answers or not self._answers():
                continue
            answers = True
            self._note |= write_note(self._settings, self._note | {"address": self._address})
            if announced:
                self._echo(f"Dagster runs again: {self._address}")
            else:
                self._announce(first_thing_to_try)
                announced = True
        return announced

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self._address}/server_info", timeout=2).is_success
        except httpx.HTTPError:
            return False

    def _announce(self, first_thing_to_try: str) -> None:
        self._echo("")
        self._echo(f"  Dagster UI   {self._address}")
        self._echo(f"  State        {self._settings.state_dir}")
        self._echo(f"  Log          {self._log}")
        if first_thing_to_try:
            self._echo("")
            self._echo(first_thing_to_try)
        self._echo("")
        self._echo("Ctrl-C stops all of it.")

    def _last_lines(self, count: int = 20) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(f"  {line}" for line in self._log.read_text(errors="replace").splitlines()[-count:])
        return "  (no log)"


def _stop_group(child: subprocess.Popen[bytes]) -> None:
    """Stop the child in order (it stops what it started), then whatever is left of its group, by force if need be."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(STOP_PATIENCE_S)
    for number, patience in ((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)):
        if not _group_alive(child.pid):
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        deadline = time.monotonic() + patience
        while _group_alive(child.pid) and time.monotonic() < deadline:
            child.poll()
            time.sleep(0.1)
    child.wait()


def _group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
