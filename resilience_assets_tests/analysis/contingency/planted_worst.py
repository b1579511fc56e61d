"""Plants bugs into the search for the worst people and into trainings: `python -m ...planted_worst`, one line a bug.

Belongs here: these bugs and what finds them, run as planted.py runs its own. Does not belong here: bugs of the kernel
(planted.py), what is expected of them (test_planted_worst.py).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from resilience_assets_tests.analysis.contingency import planted
from resilience_assets_tests.analysis.contingency.programs import (
    chain_program,
    drops_of_all_sets,
    random_program,
    sets_of,
)

BUGS = {
    "none": ("worst.py", "", ""),
    "weights one too small": ("kappa.py", "added = losses - 1 - c", "added = losses - 2 - c"),
    "bound of a slot one too small": ("kappa.py", "return int(largest)", "return int(largest) - 1"),
    "posts with few to spare passed over": ("kappa.py", "stand_by[q] >= losses", "stand_by[q] >= losses - 1"),
    "only people at work are weighed": (
        "kappa.py",
        "if not asked[p] or",
        "if not asked[p] or s.group[p] == s.need.size - 1 or",
    ),
    "bound of the rest one person short": ("worst.py", "np.arange(values.size + 1) + count", "np.arange(values.size + 1) + count - 1"),
    "somebody behind passed over": ("worst.py", "order[i + 1 :]", "order[i + 2 :]"),
    "classes of the last two not counted": ("worst.py", "+ equal_places(rows[i], others[j])", ""),
    "slots with one to spare left out": ("worst.py", "live = root.most > 0", "live = root.most > 1"),
    "what was not looked at forgotten": ("worst.py", "return max(left, int(bounds[i + 1]))", "return 0"),
    "no greedy set (the same answer)": ("worst.py", "if losses <= 2:\n        return  #", "if True:\n        return  #"),
    "a class counted as one person": ("training.py", "else members[label[p]]", "else 1"),
    "who is essential frees others too": ("training.py", "or (g != pool and not has(reached, g))", ""),
    "posts behind the post forgotten": ("training.py", "        todo = union(todo, fresh)", "        pass"),
    "a filled seat needs nobody": ("training.py", "slots[p, q] -= essential == 0", "pass"),
}  # fmt: skip
PROGRAMS = 40


def found_by_search(module: Callable[[str], Any]) -> bool:
    """Whether a bound is passed or a proven set is not the worst, with and without a budget, with no greedy set to hide it."""
    random = np.random.default_rng(81)
    masks, worst, kappa = module("masks"), module("worst"), module("kappa")
    full = masks.Moves.FULL
    worst._greedy = lambda *_: None
    for _ in range(PROGRAMS):
        program, demand = random_program(random, most_people=7)
        drops = drops_of_all_sets(program, full, demand)
        people = program.place.shape[1]
        chosen = sets_of(people, 3)
        opened = drops[:, chosen]
        found = kappa.weights(program, full, demand, 3)
        inside = (chosen[:, None] >> np.arange(people)) & 1
        if (opened > found.most[:, None]).any() or (3 * opened.sum(axis=0) > inside @ found.weight).any():
            return True
        for losses in (3, 4):
            most = drops[:, sets_of(people, losses)].sum(axis=0).max()
            one = worst.worst(program, full, demand, losses)
            if (one.seats, one.bound) != (most, most):
                return True
            short = [worst.worst(program, full, demand, losses, nodes=nodes) for nodes in range(1, min(one.nodes, 9))]
            if any(not found.seats <= most <= found.bound for found in short):
                return True
    return False


def found_by_trainings(module: Callable[[str], Any]) -> bool:
    """Whether the gain of some training is not what labels say."""
    random = np.random.default_rng(82)
    full, training = module("masks").Moves.FULL, module("training")
    programs = [random_program(random) for _ in range(PROGRAMS)] + [chain_program(random, 2) for _ in range(6)]
    for program, demand in programs:
        legal = np.full(program.may.shape, (1 << demand.shape[1]) - 1, dtype=np.uint64)
        gains, before = training.training_gains(program, full, demand, legal), training.exposure(program, full, demand)
        for p, q in random.integers(0, gains.open.shape, (25, 2)).tolist():
            after = training.exposure(training.trained(program, legal, p, q), full, demand)
            fall = (before.open - after.open, before.seats - after.seats, before.slots - after.slots)
            if fall != (gains.open[p, q], gains.seats[p, q], gains.slots[p, q]):
                return True
    return False


def main() -> None:
    """Print `bug<TAB>found by` for each bug."""
    planted.BUGS = BUGS
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        for number, (bug, (file, _, _)) in enumerate(BUGS.items()):
            module = planted.copy_with(number, bug, Path(folder))
            checks = {"search": found_by_search} if file != "training.py" else {}
            checks |= {"trainings": found_by_trainings} if file == "training.py" or bug == "none" else {}
            by = [name for name, check in checks.items() if check(module)]
            print(f"{bug}\t{' '.join(by)}", flush=True)


if __name__ == "__main__":
    main()
