"""How fast a roster comes in, is frozen, loaded and checked: `python -m benchmarks.roster [--json] [--set full]`.

Belongs here: the three measurements and their targets. Does not belong here: input (generate.py).

1. Import and freeze of one program with a row for every cell, beside a plain `pandas.read_csv` and
   `to_sql` of the same file in the same run.
2. Load of that frozen version, out of the database into arrays.
3. The job periodic_health_check over a fleet, a real run with all its assets and checks in a process
   that does nothing else: the first time, with one program in ten changed, and with nothing changed;
   and the most memory that it took.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
import resource
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd
from sqlalchemy import create_engine

from benchmarks import generate
from benchmarks.report import Figure, arguments, at_most, beside, show, timed
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.actions.import_roster import import_path, import_source
from resilience_assets.domain.days import local_day
from resilience_assets.policy import load_policies
from resilience_assets.storage import versions
from resilience_assets.storage.database import Database

NOW = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0) - dt.timedelta(minutes=3)
"""The instant of the first check: just now, for only a run that speaks of now freezes. The others follow by the minute."""
MINUTE = dt.timedelta(minutes=1)
HISTORY_DAYS = 28
SEED = 7
LOADS = 7


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured, and the targets for it in seconds."""

    people: int
    days: int
    programs: int
    first: float
    tenth: float
    nothing: float


# quick: a tenth of the full targets, and the 2 s that a run of 19 steps costs whatever it does
SIZES = {"quick": Size(500, 90, 100, 8.0, 3.5, 2.5), "full": Size(2000, 90, 1000, 60.0, 15.0, 5.0)}
PEOPLE_A_PROGRAM = 30
LEAST_OF_PLAIN = 0.5
"""Least share of the speed of a plain copy: it reads, but does not check, compare, keep provenance or freeze."""
LOAD_SECONDS = 0.1
MOST_MEGABYTES = 1000.0


@contextmanager
def _database() -> Iterator[tuple[Database, Path]]:
    """An empty database in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="resilience-benchmark-") as folder:
        database = Database(f"sqlite:///{folder}/resilience.db")
        database.migrate()
        yield database, Path(folder)
        database.dispose()


def import_and_load(size: Size) -> Iterator[Figure]:
    """Measurements 1 and 2."""
    with _database() as (database, folder):
        made = generate.one_program("large", size.people, size.days, [SEED], every_cell=True)
        generate.write_csv(made, folder / "large")
        rows = size.people * size.days * 3
        plain, _ = timed(lambda: _plain_copy(folder))
        imported, _ = timed(lambda: import_path(database, folder / "large", now=NOW, by="benchmark"))
        frozen, states = timed(lambda: freeze_rosters(database, load_policies(), NOW))
        version = states[0].version_id
        if version is None:
            raise RuntimeError(
                f"the roster was refused: {states[0].frozen.findings if states[0].frozen else 'not frozen'}"
            )
        note = f"{rows} cells: import {imported:.2f} s, freeze {frozen:.2f} s; plain {plain:.2f} s"
        yield beside(
            "roster.import_and_freeze",
            rows / (imported + frozen),
            "rows/s",
            rows / plain,
            "read_csv + to_sql",
            LEAST_OF_PLAIN,
            note,
        )
        seconds = [timed(lambda: _load(database, version))[0] for _ in range(LOADS)]
        yield at_most(
            "roster.load_frozen", statistics.median(seconds), "s", LOAD_SECONDS, f"{rows} cells, median of {LOADS}"
        )


def _plain_copy(folder: Path) -> None:
    """The rows of the large file into a table without a thought."""
    engine = create_engine(f"sqlite:///{folder}/plain.db")
    pd.read_csv(folder / "large" / "assignments.csv").to_sql("assignments", engine, index=False)
    engine.dispose()


def _load(database: Database, version: int) -> int:
    with database.read() as connection:
        roster, _ = versions.load_rosters(connection, [version])[version]
    return roster.slots


def health_checks(size: Size) -> Iterator[Figure]:
    """Measurement 3: each check in a process of its own, so that its memory is its own."""
    with _database() as (database, _):
        today = local_day(NOW, "America/New_York")
        again = []
        for n, made in enumerate(generate.fleet(size.programs, PEOPLE_A_PROGRAM, size.days, SEED, today - HISTORY_DAYS)):
            import_source(database, generate.as_source(made), name=f"program {n}", now=NOW, by="benchmark")
            if n % 10 == 0:
                again.append(generate.with_one_change(made, today))
        peaks = []
        for n, (name, target) in enumerate(
            (("first", size.first), ("tenth_changed", size.tenth), ("nothing_changed", size.nothing))
        ):
            if name == "tenth_changed":
                for made in again:
                    import_source(database, generate.as_source(made), name="change", now=NOW + MINUTE, by="benchmark")
            seconds, peak, judged = _apart(database.url, NOW + n * MINUTE)
            peaks.append(peak)
            note = f"{size.programs} programs of {PEOPLE_A_PROGRAM}, {judged} judged anew"
            yield at_most(f"health_check.{name}", seconds, "s", target, note)
        yield at_most("health_check.peak_memory", max(peaks), "MB", MOST_MEGABYTES, "resident, the whole process")


def _apart(url: str, as_of: dt.datetime) -> tuple[float, float, int]:
    """Seconds, peak megabytes and programs judged of one health check in a fresh process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_check, args=(url, as_of, theirs))
    child.start()
    theirs.close()
    try:
        return ours.recv()  # type: ignore[no-any-return]
    except EOFError as error:
        raise RuntimeError("the health check ended without a result; its traceback is above") from error
    finally:
        child.join()


def _check(url: str, as_of: dt.datetime, answer: Connection) -> None:
    """One run of the job, as its schedule starts it; only the run is timed, not the loading of its code."""
    import dagster as dg

    from resilience_assets.definitions import build_definitions
    from resilience_assets.resources.as_of import TAG
    from resilience_assets.settings import Settings

    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment({"RESILIENCE_DATABASE_URL": url, "RESILIENCE_STATE_DIR": folder})
        job = build_definitions(settings).resolve_job_def("periodic_health_check")
        with dg.DagsterInstance.local_temp(folder, overrides={"telemetry": {"enabled": False}}) as instance:
            seconds, run = timed(lambda: job.execute_in_process(instance=instance, tags={TAG: as_of.isoformat()}))
        figures = run.asset_materializations_for_node("system_health")[0].metadata
    if figures["failed"].value:
        raise RuntimeError(f"{figures['failed'].value} programs failed")
    answer.send((seconds, _peak_megabytes(), figures["judged"].value))


def _peak_megabytes() -> float:
    """The most resident memory of this process so far.

    From /proc where there is one: getrusage also counts the parent, up to the start of this program.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    chosen = arguments(__doc__ or "", argv)
    size = SIZES[chosen.set]
    for measurement in (import_and_load, health_checks):
        for figure in measurement(size):
            show(figure, chosen.json)


if __name__ == "__main__":
    main()
