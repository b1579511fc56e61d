"""How fast the loss of every person and every pair is known: `python -m benchmarks.contingency [--json] [--set full]`.

Belongs here: the measurements, and what they are measured beside. Does not belong here: whether the answers
are right (the tests), the programs that are measured (contingency_cases.py).

1. N-1 and all pairs (histogram, the worst twenty) of programs of three sizes and three staffings, with anyone
   moved, beside a plain Hopcroft-Karp of scipy for each person and pair removed (sampled), and beside a
   yardstick: another kernel, where one is found at RESILIENCE_YARDSTICK or ../shared/prototypes/contingency.
2. The same beside the yardstick: labels alone, and the margin.
3. 75 and 180 posts (sets of two and four words) in one piece and in departments, 400 in departments; masks and
   report of a whole roster; a new process.
4. What the modules of MORE measure.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmarks import generate
from benchmarks.contingency_cases import (
    REPEATS,
    SLOTS,
    SLOWEST_OF_YARDSTICK,
    Case,
    Demand,
    cases,
    fastest,
    invented,
    load_yardstick,
)
from benchmarks.report import Figure, arguments, at_most, beside, show
from resilience_assets.analysis.contingency.bits import members_of
from resilience_assets.analysis.contingency.components import Part
from resilience_assets.analysis.contingency.labels import labels
from resilience_assets.analysis.contingency.margin import margin
from resilience_assets.analysis.contingency.masks import Masks, Moves
from resilience_assets.analysis.contingency.pairs import Pairs, pairs
from resilience_assets.analysis.contingency.report import contingency
from resilience_assets.domain.assembly import roster_from_tables
from resilience_assets.policy import load_policies

MORE = ("contingency_fleet", "contingency_worst", "contingency_assets")
"""Modules beside this one that measure more of contingency: each has `figures(set_name) -> Iterator[Figure]`."""
TARGET_MS = {"small": None, "medium": 1.0, "large": 6.0}
SCIPY_SAMPLE = {"quick": 200, "full": 2000}


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
        yield Figure(f"{name}.margin", float(f"{ours[2]:.4g}"), "ms", note=f"{SLOTS} slots, up to 12 losses told apart")
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
    """Measurement 3, sets of two and four words and programs in parts."""
    for posts, department in ((75, 0), (75, 15), (180, 0), (180, 20), (400, 50)):
        if department == 50:
            masks, demand = side_by_side(posts // department, department)
        else:
            masks, demand = invented(300, posts, 1.05, [posts], department=department)
        case = Case(str(posts), masks, demand)
        labelled, counted, thin = fastest(
            repeats,
            lambda case=case: labels(case.masks, Moves.FULL, case.demand),
            lambda case=case: everybody_and_every_pair(case),
            lambda case=case: margin(case.masks, Moves.FULL, case.demand, 12),
        )
        how = f"in departments of {department}, asked in {len(masks.parts)} parts" if masks.parts else "in one piece"
        words = max((inside.words for _, inside in masks.parts), default=masks.words)
        note = f"{masks.place.shape[1]} people, {posts} posts {how}, sets of {words} words, {SLOTS} slots"
        name = f"contingency.posts_{posts}" + (f"_in_{posts // department}" if department else "")
        for part, one in (("labels", labelled), ("pairs", counted), ("margin", thin)):
            yield Figure(f"{name}.{part}", float(f"{one:.4g}"), "ms", note=note)


def side_by_side(departments: int, posts: int) -> tuple[Masks, Demand]:
    """A program of departments of 40 people and so many posts each, split as a program of more than 250 posts is."""
    made = [invented(40, posts, 1.05, [number]) for number in range(departments)]
    split = tuple(
        Part(np.arange(40 * number, 40 * number + 40), np.arange(posts * number, posts * (number + 1)))
        for number in range(departments)
    )
    place, may = (np.concatenate([getattr(one, name) for one, _ in made], axis=1) for name in ("place", "may"))
    return Masks(place, may, split), np.concatenate([demand for _, demand in made], axis=1)


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
    # imported before the yardstick is, which has its compiled code kept elsewhere
    more = [importlib.import_module(f"benchmarks.{name}") for name in MORE]
    for figures in (
        kernel(repeats, SCIPY_SAMPLE[chosen.set]),
        many_posts(repeats),
        whole_report(repeats),
        cold_start(),
        *(module.figures(chosen.set) for module in more),
    ):
        for figure in figures:
            show(figure, chosen.json)


if __name__ == "__main__":
    main()
