"""What a terminal shows: consoles, the colours of the scales, one JSON document, a progress bar.

Belongs here: how things look, whatever the command. Does not belong here: which things (the command's module).
"""

from __future__ import annotations

import datetime as dt
import json
import math
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

BAR_AFTER_S = 1.0
"""A progress bar appears when something takes longer than this."""

LEAST_FOLDED = 16
"""Narrowest width of a column that may break over lines: a narrower one reads as a column of letters."""

STATUS_STYLES = {
    "healthy": "bold green", "warning": "bold yellow", "degraded": "bold dark_orange",
    "critical": "bold red", "emergency": "bold white on red", "unknown": "bold bright_black",
}  # fmt: skip
LEVEL_STYLES = {"GREEN": "green", "YELLOW": "yellow", "ORANGE": "dark_orange", "RED": "red", "BLACK": "white on black"}
SEVERITY_STYLES = {
    "info": "cyan", "warning": "yellow", "critical": "red", "emergency": "bold white on red",
    "error": "red", "unreadable": "dark_orange", "note": "cyan",
}  # fmt: skip
REDUNDANCY_STYLES = {"BELOW": "red", "N+0": "yellow", "UNKNOWN": "bright_black"}


def console(*, stderr: bool = False) -> Any:
    """A rich console on stdout or stderr; text is taken as it is, without markup."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def emit_json(data: Any) -> None:
    """One JSON document on standard output. JSON has no infinity: a rate without bound is null beside its level."""
    click.echo(json.dumps(_finite(data), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list | tuple) else data


def when(instant: dt.datetime, time_zone: str) -> str:
    """'Tue 2026-03-10 06:45 EDT', in a program's zone."""
    return instant.astimezone(ZoneInfo(time_zone)).strftime("%a %Y-%m-%d %H:%M %Z")


def age_text(age: dt.timedelta) -> str:
    """'just now', '3 minutes ago', '2 hours ago', '4 days ago'."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count != 1 else ''} ago"
    raise AssertionError("unreachable: a minute or more fits one of the units")


def figure(value: float | None, digits: int = 3) -> str:
    """A share as text; a dash where it is unknown."""
    return "-" if value is None else f"{value:.{digits}f}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """'1 seat', '2 seats'."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def plain_table(*columns: str, right: tuple[str, ...] = (), fold: tuple[str, ...] = ()) -> Any:
    """An empty table without frame; `right` are columns of figures, `fold` may break over lines."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for name in columns:
        table.add_column(
            name, justify="right" if name in right else "left", no_wrap=name not in fold, overflow="fold",
            min_width=LEAST_FOLDED if name in fold else None,
        )  # fmt: skip
    return table


def show_points(out: Any, points: Sequence[str], style: str = "") -> None:
    """Points of a list on a console; further lines of a point are indented, and none ends in blanks."""
    import textwrap

    for point in points:
        text = textwrap.fill(
            point,
            out.width,
            initial_indent="  - ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        out.print(text, style=style, soft_wrap=True)


def command_name() -> str:
    """How this command is called from the working directory, for lines that people copy."""
    started = Path(sys.argv[0])
    if started.name == "__main__.py" or started.stem not in ("resilience",):
        return f"{shlex.quote(sys.executable)} -m resilience_assets.cli"
    found = shutil.which("resilience")
    if found and Path(found).resolve() == started.resolve():
        return "resilience"
    try:
        return str(started.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(started.absolute())


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Yields a callback (what, done, of how many) that shows a bar on stderr after a second, on a terminal only."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console(stderr=True), transient=True,
    )  # fmt: skip
    started = time.monotonic()
    tasks: dict[str, Any] = {}

    def tell(what: str, done: int, total: int) -> None:
        if not sys.stderr.isatty() or time.monotonic() - started < BAR_AFTER_S:
            return
        if what not in tasks:
            bar.start()
            tasks[what] = bar.add_task(what, total=total)
        bar.update(tasks[what], completed=done, total=total)

    try:
        yield tell
    finally:
        bar.stop()
