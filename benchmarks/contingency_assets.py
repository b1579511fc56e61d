"""From database to rows: the assets' work on the demo's department of 300 people, and one question on the command line.

Belongs here: whole actions as a run calls them, and centrality. Does not belong here: the kernel (contingency.py).
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import networkx as nx
import numpy as np

from benchmarks.report import Figure, at_most, beside, timed
from resilience_assets.actions.contingency import measure_contingency
from resilience_assets.actions.freeze import freeze_rosters
from resilience_assets.analysis import networkx_backend
from resilience_assets.analysis.centrality import centrality
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.demo.load import demo_day, load_demo
from resilience_assets.domain.days import local_day
from resilience_assets.policy import load_policies
from resilience_assets.storage import versions
from resilience_assets.storage.database import Database

PROGRAM = "department"
REPEATS = 3
ASSET_S, CENTRALITY_S, WITHOUT_S = 2.0, 10.0, 1.0
CENTRALITY_RATIO = 100.0
LARGE_PEOPLE, LARGE_COLUMNS, LARGE_EDGES = 2_000, 240, 237_000
"""Of the large graph: people, slots and services together, and who is in which."""
SAMPLE = 3
"""Sources from which networkx's own code is timed on it."""


@contextmanager
def _demo() -> Iterator[tuple[Path, Database, dt.datetime]]:
    """A state folder with the demo in it."""
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    with tempfile.TemporaryDirectory(prefix="resilience-benchmark-") as folder:
        database = Database(f"sqlite:///{folder}/resilience.db")
        database.migrate()
        load_demo(database, demo_day(now), now, by="benchmark")
        yield Path(folder), database, now
        database.dispose()


def figures(_set_name: str) -> Iterator[Figure]:
    """The asset, centrality and the command."""
    policies = load_policies()
    with _demo() as (folder, database, now):
        states = freeze_rosters(database, policies, now, codes=[PROGRAM])
        seconds = []
        for minute in range(REPEATS + 1):  # the first also loads the compiled code; each is of a date of its own
            again, _ = timed(lambda day=minute: measure_contingency(database, policies, now + dt.timedelta(days=day), states))
            seconds.append(again)
        yield at_most(
            "contingency.asset", min(seconds[1:]), "s", ASSET_S,
            f"{PROGRAM}, 300 people, 90 dates, covers of 8: frozen roster out of the database, all rows into it; first time {seconds[0]:.2g} s",
        )  # fmt: skip
        version = states[0].version_id
        assert version is not None
        with database.read() as connection:
            roster = versions.load_rosters(connection, [version])[version][0]
        policy, today = policies.for_program(PROGRAM), local_day(now, states[0].time_zone)
        found = contingency(roster, policy, today, today + 89)
        took, central = timed(lambda: centrality(found.window, found.minimum[Moves.FULL].slots_lost))
        note = f"{central.nodes} nodes, betweenness through {central.through}"
        yield at_most("contingency.centrality", took, "s", CENTRALITY_S, note)
        yield _command(folder)
    yield _centrality_large()


def _centrality_large() -> Figure:
    """Betweenness of 2,000 people: the backend of networkx, from graph to dictionary, beside networkx's own code."""
    cell = np.random.default_rng(1).choice(LARGE_PEOPLE * LARGE_COLUMNS, LARGE_EDGES, replace=False)
    graph = nx.Graph()
    graph.add_nodes_from(range(LARGE_PEOPLE + LARGE_COLUMNS))
    graph.add_edges_from(zip((cell // LARGE_COLUMNS).tolist(), (cell % LARGE_COLUMNS + LARGE_PEOPLE).tolist(), strict=True))
    took, found = min((timed(lambda: networkx_backend.betweenness_centrality(graph)) for _ in range(REPEATS)), key=lambda one: one[0])
    sampled, _ = timed(lambda: nx.betweenness_centrality(graph, k=SAMPLE, seed=1))
    own = sampled / SAMPLE * len(graph)
    note = (
        f"{len(found)} nodes, {graph.number_of_edges()} edges: {took:.2g} s from graph to dictionary, best of {REPEATS}; "
        f"networkx {own:.3g} s, scaled up from {SAMPLE} of {len(graph)} sources in {sampled:.2g} s"
    )
    return beside("contingency.centrality_large", 1 / took, "graphs/s", 1 / own, "networkx's own code", CENTRALITY_RATIO, note)


def _command(folder: Path) -> Figure:
    """`resilience without`, beside a command that only starts."""

    def run(*words: str) -> float:
        environment = os.environ | {"RESILIENCE_STATE_DIR": str(folder), "RESILIENCE_DATABASE_URL": f"sqlite:///{folder}/resilience.db"}
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "from resilience_assets.cli import main; main()", *words], env=environment, check=True, capture_output=True)
        return time.perf_counter() - start

    asked = min(run("without", "ATT-054", "--program", PROGRAM) for _ in range(REPEATS))
    started = min(run("policy", "show") for _ in range(REPEATS))
    note = f"{asked:.2g} s with the start of the process, of which another command takes {started:.2g} s"
    return at_most("contingency.without", asked - started, "s", WITHOUT_S, note)
