"""A deployment on a scratch folder, with a clock that tests set and rosters that they know by heart.

Belongs here: what the tests of assets, checks, automation and resources share: a small program as CSV
files, deployments on copies of loaded databases, one run in process. Does not belong here: any test.
"""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from resilience_assets.actions.import_roster import ImportReport, import_path
from resilience_assets.automation.jobs import HEALTH_ASSETS
from resilience_assets.definitions import build_definitions
from resilience_assets.demo.load import demo_day, load_demo
from resilience_assets.domain.days import local_day
from resilience_assets.resources.deployment import Clock, Deployment, deployment
from resilience_assets.settings import Settings

CANARY = "Quetzalina"
"""First name of everybody in the small program: it may be in no log, tag, metadata or description."""
NOW = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
"""The minute in which the tests began: runs are made now, and only a run of now is live."""
TODAY = NOW.date()
HORIZON = 8
"""Days that a health check looks at."""


class SetClock(Clock):
    """A clock that stands where a test puts it."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        self.at = now

    def now(self) -> dt.datetime:
        return self.at


def small_set(code: str = "north", *, today: dt.date = TODAY, **changed: str | None) -> dict[str, str]:
    """Files of a program that a reader can count: UTC, default slots, four people, two services.

    Every day of today-7 .. today+30: ICU needs 2 in the morning (minimum 1) and has A-01 and A-02;
    clinic needs 1 in the afternoon (minimum 1) and has A-03; A-04 is free in the morning.
    """
    dates = [today + dt.timedelta(days=n) for n in range(-7, 31)]
    seats = [("A-01", "AM", "icu/att"), ("A-02", "AM", "icu/att"), ("A-03", "PM", "clinic/att"), ("A-04", "AM", "FREE")]
    people = [person for person, _, _ in seats]
    rows = {
        "program": ["program,name,time_zone", f"{code},Small {code},UTC"],
        "people": ["person,name,role", *(f"{one},{CANARY} Tester{one[-2:]},att" for one in people)],
        "services": ["service,name,tier", "icu,Intensive care,1", "clinic,Clinic,3"],
        "posts": ["service,role", "icu,att", "clinic,att"],
        "qualifications": ["person,post", *(f"{one},{post}" for one in people for post in ("icu/att", "clinic/att"))],
        "demand_rules": ["post,weekday,slot,required,minimum", "icu/att,daily,AM,2,1", "clinic/att,daily,PM,1,1"],
        "assignments": ["person,date,shift,post", *(f"{p},{day},{shift},{post}" for day in dates for p, shift, post in seats)],
        "absences": ["person,from,to,kind"],
    }
    files = {name: "\n".join(lines) + "\n" for name, lines in rows.items()} | changed
    return {name: text for name, text in files.items() if text is not None}


def write_set(folder: Path, files: Mapping[str, str]) -> Path:
    """The files of a CSV set in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


class Scratch:
    """One deployment with its own folder, database, clock and Dagster instance."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, **variables: str) -> None:
        self.folder = folder
        self.environment = {"RESILIENCE_STATE_DIR": str(folder / ".resilience")} | variables
        self.settings = Settings.from_environment(self.environment, directory=folder)
        self.settings.state_dir.mkdir(parents=True, exist_ok=True)
        self.clock = SetClock()
        self.deployment: Deployment = deployment(self.settings, self.clock)
        self.instance = instance
        self.resources = {"deployment": self.deployment}
        self.definitions = build_definitions(self.settings, **self.resources)
        self._sets = 0

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.settings.state_dir / "resilience.db"

    def bring(self, files: Mapping[str, str], *, at: dt.datetime = NOW, **options: Any) -> ImportReport:
        """Import a CSV set, as `resilience import FOLDER` does."""
        self._sets += 1
        path = write_set(self.folder / f"set-{self._sets}", files)
        return import_path(self.deployment.database, path, now=at, by="a test", **options)

    def deployment_day(self, time_zone: str) -> int:
        """Today's epoch day in a zone, as of the last minute."""
        return local_day(dt.datetime.now(dt.UTC).replace(second=0, microsecond=0), time_zone)

    def job(self, name: str, **options: Any) -> dg.ExecuteInProcessResult:
        """Execute a job in this process; a failed run is returned, not raised."""
        job = self.definitions.resolve_job_def(name)
        return job.execute_in_process(instance=self.instance, raise_on_error=False, **options)

    def check(self, **tags: str) -> dg.ExecuteInProcessResult:
        """The health check, which must go through."""
        result = self.job("periodic_health_check", tags=tags)
        assert result.success
        return result

    def click(self, *names: str, tags: Mapping[str, str] | None = None) -> dg.ExecuteInProcessResult:
        """Materialize assets (default: all) as a click does: with nothing configured. Checks do not run."""
        wanted = [dg.AssetKey(name) for name in names or HEALTH_ASSETS]
        assets = [one for one in self.definitions.assets or [] if isinstance(one, dg.AssetsDefinition)]
        return dg.materialize(
            assets, instance=self.instance, resources=self.resources, selection=wanted, tags=dict(tags or {}), raise_on_error=False
        )

    def measure(self, **tags: str) -> dg.ExecuteInProcessResult:
        """Materialize all, which must go through: what a health check does, without its asset checks."""
        result = self.click(tags=tags)
        assert result.success
        return result

    def sensor(self, sensor: Any, cursor: str | None = None) -> Any:
        """One tick of a sensor."""
        with dg.build_sensor_context(instance=self.instance, cursor=cursor, resources=self.resources) as context:
            return sensor(context)

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a table in order, read without our own code."""
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(f"SELECT {', '.join(columns) or '*'} FROM {table} ORDER BY 1").fetchall()

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables."""
        with closing(sqlite3.connect(self.file)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
        return {name: self.rows(name) for name in names}


def figures(result: Any, asset: str) -> dict[str, Any]:
    """Numeric metadata of one materialization, by name."""
    event = next(one for one in result.asset_materializations_for_node(asset))
    return {name: one.value for name, one in event.metadata.items() if isinstance(one.value, int | float) and name != "as_of"}


def records(result: Any, asset: str, name: str) -> list[dict[str, Any]]:
    """Rows of a metadata table of one materialization."""
    return [dict(one.data) for one in result.asset_materializations_for_node(asset)[0].metadata[name].records]


def to_do(result: Any) -> list[str]:
    """What a health check says is to be done now, a line each."""
    return str(result.asset_materializations_for_node("system_health")[0].metadata["to_do"].value).splitlines()


def verdicts(result: Any) -> dict[str, dg.AssetCheckEvaluation]:
    """Check evaluations of a run by 'asset.check'."""
    return {f"{one.asset_key.to_user_string()}.{one.check_name}": one for one in result.get_asset_check_evaluations()}


MakeScratch = Callable[..., Scratch]


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    """A deployment with nothing in it."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Scratch(tmp_path, instance)


@pytest.fixture
def small(scratch: Scratch) -> Scratch:
    """A deployment with the small program `north` in it."""
    assert scratch.bring(small_set()).outcome == "imported"
    return scratch


@pytest.fixture(scope="session")
def demo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo programs, loaded once (about four seconds)."""
    folder = tmp_path_factory.mktemp("demo")
    here = deployment(Settings.from_environment({"RESILIENCE_STATE_DIR": str(folder)}, directory=folder))
    load_demo(here.database, demo_day(NOW), NOW)
    here.database.dispose()
    return folder / "resilience.db"


@pytest.fixture
def demo(scratch: Scratch, demo_file: Path) -> Scratch:
    """A deployment with its own copy of the demo."""
    shutil.copy(demo_file, scratch.file)
    return scratch


@pytest.fixture
def at_once() -> Callable[..., None]:
    """Runs functions at the same time, in threads that start together; re-raises what any of them raised."""

    def run(*functions: Callable[[], Any]) -> None:
        gate = threading.Barrier(len(functions))

        def go(function: Callable[[], Any]) -> Any:
            gate.wait()
            return function()

        with ThreadPoolExecutor(len(functions)) as pool:
            for future in [pool.submit(go, function) for function in functions]:
                future.result()

    return run
