"""What the contingency benchmarks measure: invented programs, and the yardstick with its own ones.

Belongs here: programs as masks and demand, finding the yardstick, timing by turns. Does not belong here: figures
(contingency.py and the modules that it names).
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numba.core import config

from resilience_assets.analysis.contingency.bits import bits_of
from resilience_assets.analysis.contingency.masks import Masks, bits_of_places
from resilience_assets.analysis.contingency.seating import AWAY, FREE

YARDSTICK = Path(
    os.environ.get("RESILIENCE_YARDSTICK")
    or Path(__file__).resolve().parents[2] / "shared" / "prototypes" / "contingency"
)
"""Another kernel to measure beside, where there is one: a folder with modules `gen` and `kernels`."""
SLOTS = 180
REPEATS = {"quick": 7, "full": 31}
SLOWEST_OF_YARDSTICK = 1.3
"""Most time that ours may take of each unit of the yardstick's."""

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


def invented(
    people: int, posts: int, spare: float, seed: list[int], slots: int = SLOTS, department: int = 0
) -> tuple[Masks, Demand]:
    """A program: everybody has a home post and some more nearby, a tenth is away; `spare` heads for each seat.

    Nobody may hold posts of two departments, each of so many posts (0: there is one only). A department hangs
    together: the first person of each post may hold the next one too.
    """
    random = np.random.default_rng(seed)
    home = random.permutation(np.arange(people) % posts)
    able = np.zeros((people, posts), dtype=np.bool_)
    able[np.arange(people), home] = True
    size = department or posts
    for step in (1, 2):
        more = random.random(people) < 0.35
        if step == 1:
            more[np.unique(home, return_index=True)[1]] = True
        able[more, home[more] // size * size + (home[more] % size + step) % size] = True
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
