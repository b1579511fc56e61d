"""What one text cell means: ids, names, dates, numbers, yes and no.

Belongs here: one function a kind of cell, from text to value, and applying it to a whole column.
Does not belong here: which columns a file has (csv_kinds.py).
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from resilience_assets.domain.days import MINUTES_A_DAY, OPEN_END, OPEN_START, day_of
from resilience_assets.domain.findings import Severity
from resilience_assets.exchange.finding_log import FindingLog

FIRST_DATE = dt.date(1990, 1, 1)
LAST_DATE = dt.date(2199, 12, 31)
LONGEST_ID = 64
LONGEST_NAME = 200
MOST_HEADS = 9999

Read = Callable[[str], Any]
"""From stripped text to a value; raises BadCell."""

# the wide forms of = @ + - work as formulas too
_FORMULA = re.compile(r"[=@＝＠]|[-+－＋]\s*[^\W\d_]|[-+－＋]\s*\(")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})\Z", re.ASCII)
_HIDDEN = frozenset("\u200b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_YES_NO = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_WORDS: dict[str, tuple[int, ...]] = {
    **{word: (i,) for words in (WEEKDAYS, _LONG_WEEKDAYS) for i, word in enumerate(words)},
    "daily": (0, 1, 2, 3, 4, 5, 6),
    "weekdays": (0, 1, 2, 3, 4),
    "weekend": (5, 6),
}


class BadCell(ValueError):
    """A cell that cannot be taken: the rule that it breaks, and why in a sentence."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"{rule}: {reason}")


def read_id(text: str) -> str:
    """An id: not empty, at most LONGEST_ID characters, safe to open in a spreadsheet."""
    if not text:
        raise BadCell("missing_value", "the cell is empty, and it must not be")
    return _safe(text, LONGEST_ID)


def read_optional_id(text: str) -> str:
    """An id, or '' where the cell is empty."""
    return _safe(text, LONGEST_ID) if text else ""


def read_name(text: str) -> str:
    """Free text of at most LONGEST_NAME characters, possibly empty, safe to open in a spreadsheet."""
    return _safe(text, LONGEST_NAME) if text else ""


def read_date(text: str) -> int:
    """Epoch day of an ISO date between FIRST_DATE and LAST_DATE."""
    if not text:
        raise BadCell("bad_date", "the date is missing; write it as 2026-01-31")
    if not _ISO_DATE.match(text):
        raise BadCell("bad_date", "not a date of the form 2026-01-31")
    try:
        date = dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadCell("bad_date", f"there is no such date ({error})") from error
    if not FIRST_DATE <= date <= LAST_DATE:
        raise BadCell("bad_date", f"not between {FIRST_DATE} and {LAST_DATE}; leave an open end empty")
    return day_of(date)


def read_first_day(text: str) -> int:
    """Epoch day of a date, OPEN_START where the cell is empty."""
    return read_date(text) if text else OPEN_START


def read_last_day(text: str) -> int:
    """Epoch day of a date, OPEN_END where the cell is empty."""
    return read_date(text) if text else OPEN_END


def read_heads(text: str) -> int:
    """A number of people, 0 to MOST_HEADS."""
    value = _whole(text)
    if value < 0:
        raise BadCell("negative_demand", "demand cannot be below zero")
    if value > MOST_HEADS:
        raise BadCell("bad_number", f"more than {MOST_HEADS} people")
    return value


def read_optional_heads(text: str) -> int:
    """A number of people, or -1 where the cell is empty."""
    return read_heads(text) if text else -1


def read_tier(text: str) -> int:
    """A tier, 1 (never paused) to 7 (paused first)."""
    try:
        value = _whole(text)
    except BadCell as error:
        raise BadCell("bad_tier", error.reason) from error
    if not 1 <= value <= 7:
        raise BadCell(
            "bad_tier", "not a tier: 1 (patient safety, never paused) to 7 (optional education, paused first)"
        )
    return value


def read_fte(text: str) -> float:
    """A full-time share above 0 and at most 1; 1 where the cell is empty."""
    if not text:
        return 1.0
    plain = text.replace(",", ".")
    if not re.fullmatch(r"\d{1,3}(\.\d{0,17})?|\.\d{1,17}", plain, re.ASCII) or not 0 < float(plain) <= 1:
        raise BadCell("bad_fte", "not a full-time share above 0 and at most 1, such as 0.8")
    return float(plain)


def read_approved(text: str) -> bool:
    """yes or no; yes where the cell is empty."""
    if not text:
        return True
    value = _YES_NO.get(text.lower())
    if value is None:
        raise BadCell("bad_yes_no", "neither yes nor no")
    return value


def read_weekdays(text: str) -> tuple[int, ...]:
    """Weekdays (0 = Monday) of mon .. sun, daily, weekdays or weekend."""
    days = _WEEKDAY_WORDS.get(text.lower())
    if days is None:
        raise BadCell("bad_weekday", "not one of mon, tue, wed, thu, fri, sat, sun, daily, weekdays, weekend")
    return days


def read_optional_weekdays(text: str) -> tuple[int, ...]:
    """Weekdays as read_weekdays; every day where the cell is empty."""
    return read_weekdays(text) if text else tuple(range(7))


def read_clock(text: str) -> int:
    """Minutes from midnight of HH:MM; hours may pass 24 for the next dates (31:00 is 07:00 on the next)."""
    match = _CLOCK.match(text)
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > 4 * MINUTES_A_DAY:
        raise BadCell("bad_time", "not a time of the form 07:30")
    return int(match[1]) * 60 + int(match[2])


def read_column(
    cells: pd.Series[Any], read: Read, dtype: str, file: str, column: str, log: FindingLog
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """A categorical column converted, distinct text by distinct text; bad cells are logged with their row.

    Returns the values [N] (0 or '' where bad) and where they are good [N].
    """
    texts = [str(text).strip() for text in cells.cat.categories]
    values: list[Any] = []
    bad: dict[str, BadCell] = {}
    for text in texts:
        try:
            values.append(read(text))
        except BadCell as error:
            values.append("" if dtype == "object" else 0)
            bad[text] = error
    codes = np.asarray(cells.cat.codes, dtype=np.int64)
    by_text = _as_objects(values) if dtype == "object" else np.array(values, dtype=dtype)
    if not bad:
        return by_text[codes], np.ones(len(codes), dtype=np.bool_)
    is_bad = np.array([text in bad for text in texts], dtype=np.bool_)[codes]
    rows = np.asarray(cells.index)[is_bad]
    said = [texts[code] for code in codes[is_bad]]
    for rule in sorted({error.rule for error in bad.values()}):
        at = [i for i, text in enumerate(said) if bad[text].rule == rule]
        log.add_rows(
            Severity.ERROR, rule, lambda text: bad[text].reason, file, rows[at].tolist(), column, [said[i] for i in at]
        )
    return by_text[codes], ~is_bad


def repeated(value: Any, count: int, dtype: str) -> npt.NDArray[Any]:
    """One value for all rows, [count]: what a column that is left out holds."""
    if dtype != "object":
        return np.full(count, value, dtype=dtype)
    return _as_objects([value])[np.zeros(count, dtype=np.int64)]


def _as_objects(values: list[Any]) -> npt.NDArray[Any]:
    out = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # a list of tuples would become a matrix
        out[i] = value
    return out


def _safe(text: str, longest: int) -> str:
    """The text in Unicode's composed form; refused when a spreadsheet or a reader could be misled by it."""
    text = unicodedata.normalize("NFC", text)
    if len(text) > longest:
        raise BadCell("too_long", f"{len(text)} characters, more than {longest}")
    if _FORMULA.match(text):
        raise BadCell(
            "formula_text", "starts like a formula, which a spreadsheet would run; write it without the first character"
        )
    if any(letter in _HIDDEN or unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise BadCell("hidden_character", "holds a line break or a character that cannot be seen; type it anew")
    return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,9}(\.0*)?", text, re.ASCII):
        raise BadCell("bad_number", "not a whole number")
    return int(float(text))
