"""The worst people to lose together and cross-training: `python -m benchmarks.contingency_worst [--json] [--set full]`.

Measured, on the programs of benchmarks/contingency.py:
1. The worst four people, until they are proven, beside the yardstick's branch and bound where there is one; and six
   of the small programs.
2. The gain of every training, beside the yardstick, and with tiers and the five best recomputed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np

from benchmarks.contingency_cases import REPEATS, SLOWEST_OF_YARDSTICK, YARDSTICK, Case, cases, fastest, load_yardstick
from benchmarks.report import Figure, arguments, at_most, beside, show, timed
from resilience_assets.analysis.contingency.bits import Words, bits_of
from resilience_assets.analysis.contingency.masks import Moves
from resilience_assets.analysis.contingency.seating import AWAY
from resilience_assets.analysis.contingency.training import training, training_gains
from resilience_assets.analysis.contingency.worst import Worst, curve, worst

Result = TypeVar("Result")
WORST_TARGET_S = {"small": 0.1, "medium": 1.0, "large": 5.0}
TRAINING_TARGET_MS = {"small": 50.0, "medium": 50.0, "large": None}
YARDSTICK_LIMIT_S = 60.0


def legal_for_all(case: Case) -> Words:
    """Everybody who is there may learn everything, [T, P, W]."""
    every = bits_of(np.ones((1, case.demand.shape[1]), dtype=np.bool_))
    return np.ascontiguousarray(np.where((case.masks.place == AWAY)[:, :, None], np.uint64(0), every[None]))


def search_of_yardstick(case: Case, losses: int) -> Callable[[], int]:
    """The yardstick's greedy set and branch and bound; gives the seats."""
    sys.path.insert(0, str(YARDSTICK))
    try:
        nk = importlib.import_module("nk")
    finally:
        sys.path.remove(str(YARDSTICK))
    program = nk.Eval(case.instance)
    return lambda: int(nk.exact(program, losses, nk.greedy(program, losses)[0], YARDSTICK_LIMIT_S)[0])


def worst_people(case: Case, losses: int) -> Iterator[Figure]:
    """Measurement 1 of one program."""
    search = partial(worst, case.masks, Moves.FULL, case.demand, losses)
    seconds, found = _soonest(search)
    name, size = f"contingency.{case.name}.worst_{losses}", case.name.split("_")[0]
    verdict = "proven" if found.proven else f"NOT PROVEN, at most {found.bound}"
    note = (
        f"{found.seats} seats in {found.slots.size} slots by {len(found.people)} people, {verdict}, {found.nodes} nodes"
    )
    target = WORST_TARGET_S[size]
    yield Figure(name, float(f"{seconds:.4g}"), "s", target, found.proven and seconds < target, note=note)
    if case.instance is None:
        return
    of_yardstick, seats = _soonest(search_of_yardstick(case, losses))
    agreed = "the same seats" if seats == found.seats else f"yardstick {seats} seats, ours {found.seats}"
    yield beside(
        f"{name}_rate", 1 / seconds, "/s", 1 / of_yardstick, "yardstick", 1 / SLOWEST_OF_YARDSTICK,
        f"{of_yardstick:.4g} s, {agreed}",
    )  # fmt: skip


def _soonest(call: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of the fastest of three runs and what it gave, after one in which code is compiled."""
    call()
    runs = [timed(call) for _ in range(3)]
    return min(seconds for seconds, _ in runs), runs[0][1]


def worst_curve(case: Case) -> Figure:
    """The curve of the worst 1 to 4 of one program."""
    seconds, found = timed(partial(curve, case.masks, Moves.FULL, case.demand))
    return Figure(f"contingency.{case.name}.curve", float(f"{seconds:.4g}"), "s", note=" ".join(map(_step, found)))


def _step(found: Worst) -> str:
    return f"{found.losses}:{found.seats}" + ("" if found.proven else f"<={found.bound}")


def trainings(case: Case, repeats: int, kernels: Any) -> Iterator[Figure]:
    """Measurement 2 of one program."""
    legal, posts = legal_for_all(case), case.demand.shape[1]
    calls: list[Callable[[], Any]] = [
        partial(training, case.masks, Moves.FULL, case.demand, legal, np.arange(posts) % 3 + 1),
        partial(training_gains, case.masks, Moves.FULL, case.demand, legal),
    ]
    if kernels is not None:
        made = case.instance
        gain = np.zeros((len(case.demand), posts), np.int64)
        reach = np.zeros(case.masks.place.shape, np.uint8)

        def of_yardstick() -> None:
            kernels.train_gain(made.asg, made.qual, made.dem, kernels.FULL, gain, reach)
            reach.T.astype(np.float32) @ gain.astype(np.float32)

        calls.append(of_yardstick)
    whole, alone, *other = fastest(repeats, *calls)
    name, target = f"contingency.{case.name}.training", TRAINING_TARGET_MS[case.name.split("_")[0]]
    note = f"{legal.shape[1] * posts} trainings, three tiers, the five best recomputed"
    yield Figure(name, round(whole, 4), "ms", note=note) if target is None else at_most(name, whole, "ms", target, note)
    for one in other:
        yield Figure(
            f"{name}_rate", float(f"{1e3 / alone:.4g}"), "/s", against="yardstick", ratio=float(f"{one / alone:.4g}"),
            note=f"{alone:.3f} ms, yardstick {one:.3f} ms, which leaves out slots with open seats",
        )  # fmt: skip


def figures(which: str) -> Iterator[Figure]:
    """All measurements of a set."""
    yardstick = load_yardstick()
    for case in cases(yardstick):
        for losses in (4, 6) if case.name.startswith("small") else (4,):
            yield from worst_people(case, losses)
        yield worst_curve(case)
        yield from trainings(case, max(3, REPEATS[which] // 3), yardstick and yardstick["kernels"])


def main(argv: list[str] | None = None) -> None:
    """Measure and print."""
    chosen = arguments(__doc__ or "", argv)
    for figure in figures(chosen.set):
        show(figure, chosen.json)


if __name__ == "__main__":
    main()
