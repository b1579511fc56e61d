"""Dates as people type them.

Belongs here: YYYY-MM-DD, "today", "tomorrow", and whose today that is. Does not belong here: dates in files
(exchange).
"""

from __future__ import annotations

import datetime as dt

import click

RELATIVE = {"today": 0, "tomorrow": 1}


class DateWord(click.ParamType[str]):
    """YYYY-MM-DD, or a word that means a date only once the program's time zone is known."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself, once it is known to be a date."""
        word = value.strip().lower()
        if word in RELATIVE:
            return word
        try:
            return dt.date.fromisoformat(word).isoformat()
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-03-10, today or tomorrow", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """What the help text shows."""
        return "DATE"


DATE = DateWord()


def epoch_day(word: str, now: dt.datetime, time_zone: str) -> int:
    """Epoch day of a checked date word; today is that of `time_zone`."""
    from resilience_assets.domain.days import day_of, local_day

    if word in RELATIVE:
        return local_day(now, time_zone) + RELATIVE[word]
    return day_of(dt.date.fromisoformat(word))
