"""Plants bugs into copies of the kernel and says which are found: `python -m ...planted`, one line a bug.

Belongs here: the bugs, and a copy of the kernel with one of them, run as plain Python (NUMBA_DISABLE_JIT=1, so
that nothing has to be compiled for each). Does not belong here: what is expected of them (test_planted.py).
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from resilience_assets.analysis import contingency as package
from resilience_assets_tests.analysis.contingency.blocks import (
    allowed,
    chain_block,
    pair_deficits,
    random_block,
    stacked,
)
from resilience_assets_tests.analysis.contingency.test_labels import pair_drops
from resilience_assets_tests.analysis.contingency.test_margin import hall

BUGS = {
    "none": ("labels.py", "", ""),
    "any post below makes a class": ("dominators.py", "        if has(below, q):", "        if some(below):"),
    "second gate ignored": (
        "dominators.py",
        "alone = without(load(s.posts, head, blank), load(s.twice, g, blank))",
        "alone = load(s.posts, head, blank)",
    ),
    "prune of the margin off by one": ("margin.py", "and stand_by[q] < best:", "and stand_by[q] < best - 1:"),
    "no chains": (
        "seating.py",
        "    if some(open_posts):\n        reached = move",
        "    if False:\n        reached = move",
    ),
    "seats filled over the demand": (
        "seating.py",
        "s.seated[g] < s.need[g] else pool",
        "s.seated[g] <= s.need[g] else pool",
    ),
    "head of a class not in it": ("labels.py", "label[t, s.head[c]] = c", "pass"),
    "search without a person keeps the way": ("reachability.py", "        if q == g:", "        if False:"),
    "search without one of the pool keeps the way": ("reachability.py", "    if g == pool:", "    if False:"),
    "people beside each other are tried too (the same answer)": (
        "dominators.py",
        "if not has(load(s.twice, g, blank), q):",
        "if True:",
    ),
    "gates behind gates are tried too (the same answer)": ("dominators.py", " or s.kind[g] != NEITHER", ""),
}
CHAINS = 150
MARGINS = 1_500


def copy_with(number: int, bug: str, folder: Path) -> Callable[[str], Any]:
    """A copy of the kernel with one bug; gives its modules by name."""
    file, old, new = BUGS[bug]
    name = f"planted_{number}"
    target = folder / name
    target.mkdir()
    for source in Path(package.__file__).parent.glob("*.py"):
        text = source.read_text(encoding="utf-8")
        if source.name == file:
            if old not in text:
                raise ValueError(f"{bug}: {file} no longer holds {old!r}")
            text = text.replace(old, new, 1) if old else text
        (target / source.name).write_text(text.replace(package.__name__, name), encoding="utf-8")
    return lambda module: importlib.import_module(f"{name}.{module}")


def found_by_chains(module: Callable[[str], Any]) -> bool:
    """Whether the pairs of some chain of dominators come out wrong."""
    random = np.random.default_rng(21)
    labels, masks = module("labels"), module("masks")
    for _ in range(CHAINS):
        block, asked = chain_block(random)
        may = allowed(block, masks.Moves.FULL, asked.shape[1])
        expected = pair_deficits(may, asked)
        try:
            found = labels.labels(block, masks.Moves.FULL, asked)
        except Exception:
            return True
        base = int(found.deficit[0])
        if not np.array_equal(pair_drops(found, 0, may.shape[0]) + base, expected):
            return True
    return False


def found_by_margins(module: Callable[[str], Any]) -> bool:
    """Whether the margin of some slot comes out wrong."""
    random = np.random.default_rng(22)
    masks, demand = stacked([random_block(random) for _ in range(MARGINS)], 5)
    full = module("masks").Moves.FULL
    people, seats = hall(masks, full, demand)
    slack = np.where(seats > 0, people - seats, 1 << 40).min(axis=1)
    try:
        found = module("margin").margin(masks, full, demand).slack
    except Exception:
        return True
    some = demand.any(axis=1)
    return not np.array_equal(found[some], np.minimum(slack, 12)[some])


def main() -> None:
    """Print `bug<TAB>found by` for each bug."""
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, folder)
        for number, bug in enumerate(BUGS):
            module = copy_with(number, bug, Path(folder))
            margin = BUGS[bug][0] in ("margin.py", "seating.py", "labels.py")
            by = [
                name
                for name, found in (
                    ("chains", found_by_chains(module)),
                    ("margins", margin and found_by_margins(module)),
                )
                if found
            ]
            print(f"{bug}\t{' '.join(by)}", flush=True)


if __name__ == "__main__":
    main()
