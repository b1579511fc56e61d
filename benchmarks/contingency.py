"""How fast the loss of every person and every pair is known: `python -m benchmarks.contingency [--json] [--set full]`.

Belongs here: the measurements, and what they are measured beside. Does not belong here: whether the answers
are right (the tests).

1. N-1 and all pairs (histogram, the worst twenty) of programs of three sizes and three staffings, with anyone
   moved, beside a plain Hopcroft-Karp of scipy for each person and pair removed (sampled), and beside a
   yardstick: another kernel, where one is found at RESILIENCE_YARDSTICK or ../shared/prototypes/contingency.
2. The same beside the yardstick: labels alone, and the margin.
3. 75 and 180 posts (sets of two and four words), and masks and report of a whole roster.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core import config
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmarks import generate
from benchmarks.report import Figure, arguments, at_most, beside, show
from resilience_assets.analysis.contingency.bits import bits_of, members_of
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.margin import margin
from resilience_assets.analysis.contingency.masks import Masks, Moves, bits_of_places
from resilience_assets.analysis.contingency.pairs import Pairs, pairs
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.analysis.contingency.seating import AWAY, FREE
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.policy import load_policies

YARDSTICK = Path(
    os.environ.get("RESILIENCE_YARDSTICK")
    or Path(__file__).resolve().parents[2] / "shared" / "prototypes" / "contingency"
)
"""Another kernel to measure beside, where there is one: a folder with modules `gen` and `kernels`."""
SLOTS = 180
REPEATS = {"quick": 7, "full": 31}
SLOWEST_OF_YARDSTICK = 1.3
"""Most time that ours may take of each unit of the yardstick's."""
TARGET_MS = {"small": None, "medium": 1.0, "large": 6.0}
SCIPY_SAMPLE = {"quick": 200, "full": 2000}

Demand = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Case:
    """One program to measure: masks and demand, and the yardstick's own form of it where it made the program."""

    name: str
    masks: Masks
    demand: Demand
    instance: Any = None


def cases(yardstick: Any) -> Iterator[Case]:
    """Three sizes, three staffings: the yardstick's own where it is at hand, else ours of the same sizes."""
    sizes = {"small": (30, 8), "medium": (300, 25), "large": (2000, 60)}
    for size, (people, posts) in sizes.items():
        for number, staffing in enumerate(("easy", "tight", "siloed")):
            name = f"{size}_{staffing}"
            if yardstick is None:
                spare = (1.25, 1.05, 1.0)[number]
                yield Case(name, *invented(people, posts, spare, [people, number]))
            else:
                made = yardstick["gen"].named(size, staffing)
                yield Case(name, *from_yardstick(made), made)


def invented(people: int, posts: int, spare: float, seed: list[int], slots: int = SLOTS) -> tuple[Masks, Demand]:
    """A program: everybody has a home post and some more nearby, a tenth is away; `spare` heads for each seat."""
    random = np.random.default_rng(seed)
    home = random.integers(0, posts, people)
    able = np.zeros((people, posts), dtype=np.bool_)
    able[np.arange(people), home] = True
    for step in (1, 2):
        more = random.random(people) < 0.35
        able[more, (home[more] + step) % posts] = True
    away = random.random((slots, people)) < 0.1
    place = np.where(away, AWAY, home[None, :]).astype(np.uint8)
    heads = np.array([np.bincount(row[row < posts], minlength=posts) for row in place])
    demand = np.floor(heads / spare).astype(np.int16)
    may = np.where(away[:, :, None], np.uint64(0), bits_of(able)[None])
    return Masks(place, may), demand


def from_yardstick(made: Any) -> tuple[Masks, Demand]:
    """Masks and demand of an instance of the yardstick's generator: 254 is free, 255 away."""
    place = np.where(made.asg == 254, FREE, made.asg).astype(np.uint8)
    may = np.where(place == AWAY, np.uint64(0), made.qual[None, :])[:, :, None]
    return Masks(place, may | bits_of_places(place, made.dem.shape[1])), np.ascontiguousarray(made.dem)


def load_yardstick() -> Any:
    """The modules of the yardstick by name, None where there is none. What it compiles is kept elsewhere."""
    if not YARDSTICK.is_dir():
        return None
    # nothing is written into its folder; ours is kept where it was when it was imported
    config.CACHE_DIR = tempfile.mkdtemp(prefix="resilience-benchmark-")
    atexit.register(shutil.rmtree, config.CACHE_DIR, ignore_errors=True)
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(YARDSTICK))
    try:
        return {name: importlib.import_module(name) for name in ("gen", "kernels")}
    finally:
        sys.path.remove(str(YARDSTICK))


def fastest(repeats: int, *calls: Callable[[], Any]) -> list[float]:
    """Milliseconds of the fastest run of each, run by turns, so that a slow minute of the machine meets all."""
    best = [float("inf")] * len(calls)
    for call in calls:
        call()
    for _ in range(repeats):
        for n, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[n] = min(best[n], (time.perf_counter() - start) * 1e3)
    return best


def everybody_and_every_pair(case: Case) -> Pairs:
    """N-1 and all pairs with anyone moved."""
    return pairs(labels(case.masks, Moves.FULL, case.demand))


def of_yardstick(kernels: Any, made: Any) -> Callable[[], None]:
    """The same answer by the yardstick: labels, histogram and the worst twenty, no matrix."""
    people, slots = made.asg.shape[1], made.asg.shape[0]

    def run() -> None:
        out = kernels.analyse(made, kernels.FULL, with_pairs=False)
        index = kernels.class_index(out["lab"], slots, people)
        bits = kernels.coloop_bits(out["lab"], slots, people)
        histogram, top = np.zeros(3 * slots, np.int64), np.zeros((20, 3), np.int64)
        kernels.pairs_summary(out["L"], *index, bits, histogram, top)

    return run


def margin_of_yardstick(kernels: Any, made: Any, most: int) -> Callable[[], None]:
    """The margin by the yardstick."""
    slots = made.asg.shape[0]
    figures = [np.zeros(slots, kind) for kind in (np.int32, np.uint64, np.int32, np.int32, np.int32)]
    return lambda: kernels.kstar(made.asg, made.qual, made.dem, kernels.FULL, most, *figures)


def scipy_each(case: Case, sample: int) -> float:
    """Milliseconds for every person and pair in every slot by scipy, one matching for each: a sample, scaled up."""
    random = np.random.default_rng(1)
    people, posts = case.masks.place.shape[1], case.demand.shape[1]
    spent = 0.0
    for _ in range(sample):
        t, p, q = int(random.integers(len(case.demand))), *random.integers(0, people, 2).tolist()
        columns = np.repeat(np.arange(posts), case.demand[t])
        may = members_of(case.masks.may[t], posts)[:, columns]
        may[[p, q]] = False
        graph = csr_matrix(may.astype(np.int8))
        start = time.perf_counter()
        maximum_bipartite_matching(graph, perm_type="column")
        spent += time.perf_counter() - start
    return spent / sample * (people + people * (people - 1) / 2) * len(case.demand) * 1e3


def kernel(repeats: int, sample: int) -> Iterator[Figure]:
    """Measurements 1 and 2."""
    yardstick = load_yardstick()
    if yardstick is None:
        yield Figure(
            "contingency.yardstick", 0, "", note="not measured beside it: set RESILIENCE_YARDSTICK to its folder"
        )
    for case in cases(yardstick):
        name, target = f"contingency.{case.name}", TARGET_MS[case.name.split("_")[0]]
        note = f"{case.masks.place.shape[1]} people, {case.demand.size} cells of demand, one core"
        own: list[Callable[[], Any]] = [
            lambda case=case: everybody_and_every_pair(case),
            lambda case=case: labels(case.masks, Moves.FULL, case.demand),
            lambda case=case: margin(case.masks, Moves.FULL, case.demand, 12),
        ]
        others: list[Callable[[], Any]] = []
        if yardstick is not None:
            kernels, made = yardstick["kernels"], case.instance
            others = [
                of_yardstick(kernels, made),
                lambda kernels=kernels, made=made: kernels.analyse(made, kernels.FULL, with_pairs=False),
                margin_of_yardstick(kernels, made, 12),
            ]
        milliseconds = fastest(
            repeats, *[call for pair in zip(own, others, strict=True) for call in pair] if others else own
        )
        ours = milliseconds[::2] if others else milliseconds
        if target is None:
            yield Figure(f"{name}.pairs", round(ours[0], 4), "ms", note=note)
        else:
            yield at_most(f"{name}.pairs", ours[0], "ms", target, note)
        if others:
            for part, one, other in zip(("pairs", "labels", "margin"), ours, milliseconds[1::2], strict=True):
                yield beside(
                    f"{name}.{part}_rate", 1e3 / one, "/s", 1e3 / other, "yardstick", 1 / SLOWEST_OF_YARDSTICK,
                    f"{one:.3f} ms, yardstick {other:.3f} ms",
                )  # fmt: skip
        plain = scipy_each(case, sample)
        yield beside(
            f"{name}.beside_scipy", 1e3 / ours[0], "/s", 1e3 / plain, "a matching for each", 1000.0,
            f"scipy {plain / 1e3:.4g} s, from {sample} matchings",
        )  # fmt: skip


def many_posts(repeats: int) -> Iterator[Figure]:
    """Measurement 3, sets of two and four words."""
    for posts in (75, 180):
        case = Case(str(posts), *invented(300, posts, 1.05, [posts]))
        (milliseconds,) = fastest(repeats, lambda case=case: everybody_and_every_pair(case))
        yield Figure(
            f"contingency.posts_{posts}", round(milliseconds, 4), "ms",
            note=f"300 people, {posts} posts in sets of {case.masks.words} words, {SLOTS} slots",
        )  # fmt: skip


def whole_report(repeats: int) -> Iterator[Figure]:
    """Measurement 3, masks and report of a roster out of its tables."""
    policy = load_policies().default
    for people in (30, 300):
        roster, _ = roster_from_tables(generate.one_program("program", people, 120, [1]))
        first = roster.first_day + 28
        (milliseconds,) = fastest(max(3, repeats // 3), partial(contingency, roster, policy, first, first + 89))
        yield Figure(
            f"contingency.report_{people}", round(milliseconds, 4), "ms",
            note=f"{people} people, 90 dates, four answers, tiers, margin, pairs, rest rules",
        )  # fmt: skip


COLD_START = """
import time
start = time.perf_counter()
import numpy as np
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.pairs import pairs
place = np.zeros((1, 2), dtype=np.uint8)
pairs(labels(Masks(place, np.ones((1, 2, 1), dtype=np.uint64)), Moves.FULL, np.ones((1, 1), dtype=np.int16)))
print(time.perf_counter() - start)
"""


def cold_start() -> Iterator[Figure]:
    """Seconds from the first import to the first answer in a new process, compiled code being kept already."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    seconds = min(
        float(
            subprocess.run([sys.executable, "-c", COLD_START], env=environment, capture_output=True, check=True).stdout
        )
        for _ in range(3)
    )
    yield at_most("contingency.cold_start", seconds, "s", 1.0, "imports, kept code loaded, first answer")


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    chosen = arguments(__doc__ or "", argv)
    repeats = REPEATS[chosen.set]
    for figures in (
        kernel(repeats, SCIPY_SAMPLE[chosen.set]),
        many_posts(repeats),
        whole_report(repeats),
        cold_start(),
    ):
        for figure in figures:
            show(figure, chosen.json)


if __name__ == "__main__":
    main()
