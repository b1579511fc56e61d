"""How fast all programs of a hospital group are known: a part of `python -m benchmarks.contingency`.

Belongs here: a fleet of small programs, measured in one call. Does not belong here: single programs (contingency.py).

13,000 programs of 3 to 84 people (median 9), 159,000 people in all, 180 slots: 250 different ones, each of them in
memory as often as it occurs. On one core.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.contingency_cases import Case, from_yardstick, invented, load_yardstick
from benchmarks.report import Figure, at_most, beside
from resilience_assets.analysis.contingency.fleet import fleet
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.pairs import pairs

PROGRAMS, PEOPLE, DIFFERENT = 13_000, 160_000, 250
REPEATS = {"quick": 2, "full": 7}
TARGET_S = 1.0
SLOWEST_OF_YARDSTICK = 1.3


def figures(set_name: str) -> Iterator[Figure]:
    """Labels of all programs by who may move, and with all pairs counted."""
    yardstick = load_yardstick()
    made = [programs_of(number, people, yardstick) for number, people in enumerate(sizes())]
    picked = [made[number % DIFFERENT] for number in range(PROGRAMS)]
    masks = [Masks(case.masks.place.copy(), case.masks.may.copy()) for case in picked]
    demands = [case.demand.copy() for case in picked]
    calls: dict[str, Callable[[], Any]] = {
        moves.name.lower(): lambda moves=moves: fleet(masks, demands, moves) for moves in Moves
    }
    calls["pairs"] = lambda: [pairs(one) for one in fleet(masks, demands, Moves.FULL)]
    if yardstick is not None:
        calls["yardstick"] = by_yardstick(yardstick["kernels"], [case.instance for case in picked])
    seconds = soonest(REPEATS[set_name], calls)
    people = sum(one.place.shape[1] for one in masks)
    for name in ("static", "direct", "call_in", "full"):
        yield at_most(
            f"contingency.fleet.{name}", seconds[name], "s", TARGET_S,
            f"labels of {PROGRAMS} programs, {people} people, {len(demands[0])} slots each, one core",
        )  # fmt: skip
    note = "labels with anyone moved, histogram and worst twenty pairs of each program"
    yield Figure("contingency.fleet.pairs", float(f"{seconds['pairs']:.4g}"), "s", note=note)
    if "yardstick" in seconds:
        yield beside(
            "contingency.fleet.full_rate", 1 / seconds["full"], "/s", 1 / seconds["yardstick"], "yardstick",
            1 / SLOWEST_OF_YARDSTICK, "ours: labels; yardstick: labels and the sum over all pairs",
        )  # fmt: skip


def sizes() -> list[int]:
    """People of the different programs: log-normal, a few large ones."""
    random = np.random.default_rng(5)
    drawn = np.clip(np.rint(random.lognormal(np.log(8.6), 0.8, DIFFERENT)), 3, 300)
    scaled = np.clip(np.rint(drawn * (PEOPLE / PROGRAMS) / drawn.mean()), 3, 2000)
    return [int(people) for people in scaled]


def programs_of(number: int, people: int, yardstick: Any) -> Case:
    """One of the different programs, the three staffings by turns: the yardstick's where it is at hand, else ours."""
    posts = min(40, 2 + people // 5)
    if yardstick is None:
        return Case(str(number), *invented(people, posts, (1.25, 1.05, 1.0)[number % 3], [number]))
    gen = yardstick["gen"]
    staffing = gen.STAFFING[("easy", "tight", "siloed")[number % 3]]
    made = gen.generate(str(number), people, posts, seed=number, **staffing)
    return Case(str(number), *from_yardstick(made), made)


def by_yardstick(kernels: Any, made: list[Any]) -> Callable[[], None]:
    """The same by the yardstick, over concatenated arrays."""

    def ends(parts: list[int]) -> Any:
        return np.concatenate([[0], np.cumsum(parts)]).astype(np.int64)

    data = (
        np.concatenate([one.asg.ravel() for one in made]), ends([one.asg.size for one in made]),
        np.concatenate([one.qual for one in made]), ends([one.P for one in made]),
        np.concatenate([one.dem.ravel() for one in made]), ends([one.dem.size for one in made]),
        np.array([one.m for one in made], dtype=np.int64),
    )  # fmt: skip
    lost = np.zeros(sum(one.P for one in made), dtype=np.int32)
    sums = [np.zeros(len(made), dtype=np.int64) for _ in range(3)]

    def run() -> None:
        lost[:] = 0
        kernels.fleet(*data, made[0].T, kernels.FULL, lost, *sums)

    return run


def soonest(repeats: int, calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of the fastest run of each, run by turns; what is compiled at the first run is not counted."""
    best = dict.fromkeys(calls, float("inf"))
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                best[name] = min(best[name], time.perf_counter() - start)
    return best
