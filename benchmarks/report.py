"""One figure, and how it is printed: a JSON object a line, or a line to read.

Belongs here: the format of a figure. Does not belong here: measuring.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value, its target and whether it is met; `ok` is None where there is no target.

    `against` names what was measured beside it in the same run, `ratio` is value ÷ that value, `target`
    then is one of the ratio. `note` says what was measured: sizes, samples.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    ok: bool | None = None
    against: str | None = None
    ratio: float | None = None
    note: str = ""


def at_most(name: str, value: float, unit: str, target: float, note: str = "") -> Figure:
    """A figure that must stay below its target."""
    return Figure(name, _rounded(value), unit, target, value < target, note=note)


def beside(name: str, value: float, unit: str, other: float, against: str, at_least: float, note: str = "") -> Figure:
    """A rate measured beside another in the same run; the target is the least ratio of the two."""
    ratio = value / other if other > 0 else float("inf")
    return Figure(name, _rounded(value), unit, at_least, ratio >= at_least, against, _rounded(ratio), note)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def show(figure: Figure, as_json: bool) -> None:
    """Print a figure at once, so that a broken run has printed what it measured."""
    if as_json:
        print(json.dumps(asdict(figure)), flush=True)
        return
    verdict = {True: "met", False: "MISSED", None: ""}[figure.ok]
    target = (
        "" if figure.target is None else f"target {figure.target:g}" + (" x" if figure.against else f" {figure.unit}")
    )
    ratio = "" if figure.ratio is None else f"{figure.ratio:g} x {figure.against}"
    words = [f"{figure.name:44s} {figure.value:>10g} {figure.unit:8s}", ratio, target, verdict, figure.note]
    print("  ".join(word for word in words if word), flush=True)


def timed(call: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that a call took, and what it gave."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def arguments(description: str, argv: list[str] | None = None) -> Any:
    """The options that every benchmark has: --json, and --set quick or full."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument(
        "--set",
        choices=("quick", "full"),
        default="quick",
        help="quick (default) or the sizes that the bars are read at",
    )
    return parser.parse_args(argv)
