"""A program and how it divides its day: time zone, slot types, shifts, forbidden successions.

Belongs here: what is true of a program before anybody is rostered. Does not belong here: people and
posts (nouns.py), the cells of the roster (roster.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from resilience_assets.domain.days import MINUTES_A_DAY


def clock_minutes(text: str) -> int:
    """Minutes from midnight of 'HH:MM' (00:00 to 24:00); ValueError names the text."""
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit()):
        raise ValueError(f"{text!r} is not a time of the form HH:MM")
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > MINUTES_A_DAY:
        raise ValueError(f"{text!r} is not a time between 00:00 and 24:00")
    return value


def clock_text(minute: int) -> str:
    """'HH:MM' of minutes from midnight, taken within one day (1800 -> '06:00')."""
    return f"{minute % MINUTES_A_DAY // 60:02d}:{minute % 60:02d}"


@dataclass(frozen=True, slots=True)
class SlotType:
    """A stretch of one date in which a person can be in one place only (AM, PM, night).

    `start` and `end` are minutes from local midnight of the date to which the slot belongs;
    `end` passes 1440 when the slot runs into the next date.
    """

    code: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not self.code:
            raise ValueError("a slot type needs a code")
        if not 0 <= self.start < MINUTES_A_DAY or not self.start < self.end <= 2 * MINUTES_A_DAY:
            raise ValueError(f"slot {self.code}: start {self.start} and end {self.end} are not a stretch of one date")


@dataclass(frozen=True, slots=True)
class Shift:
    """A named run of consecutive slots that is worked as a whole (D, 24 h call).

    `start` and `end` are minutes from local midnight of the date on which the shift starts; `end`
    may pass 1440 (next date) and is at most 72 h later than `start`. `name` is what people call it.
    """

    code: str
    start: int
    end: int
    name: str = ""

    def __post_init__(self) -> None:
        if not self.code:
            raise ValueError("a shift needs a code")
        if not 0 <= self.start < MINUTES_A_DAY or not self.start < self.end <= self.start + 3 * MINUTES_A_DAY:
            raise ValueError(f"shift {self.code}: start {self.start} and end {self.end} are not a shift of at most 72 h")


@dataclass(frozen=True, slots=True)
class Program:
    """One department or residency with its own people, services and time zone.

    `slot_types` are in order of the day and do not overlap; `forbidden_successions` holds pairs of
    shift codes (worked on one date, worked on the next) that no person may be given.
    """

    id: str
    name: str
    time_zone: str
    slot_types: tuple[SlotType, ...]
    shifts: tuple[Shift, ...]
    forbidden_successions: tuple[tuple[str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a program needs an id")
        if self.id[0] in ".-~" or any(sign in "/\\" or not sign.isprintable() for sign in self.id):
            raise ValueError(f"program {self.id}: an id names a folder too: no slash in it, and no '.', '-' or '~' in front")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"program {self.id}: {self.time_zone!r} is not a time zone such as America/New_York") from error
        if not self.slot_types:
            raise ValueError(f"program {self.id}: at least one slot type is needed")
        _check_unique(self.id, "slot", [slot.code for slot in self.slot_types])
        _check_unique(self.id, "shift", [shift.code for shift in self.shifts])
        for before, after in pairwise(self.slot_types):
            if after.start < before.end:
                raise ValueError(f"program {self.id}: slots {before.code} and {after.code} overlap")
        if self.slot_types[-1].end > self.slot_types[0].start + MINUTES_A_DAY:
            raise ValueError(f"program {self.id}: slot {self.slot_types[-1].code} overlaps slot {self.slot_types[0].code} of the next date")
        known = {shift.code for shift in self.shifts}
        for pair in self.forbidden_successions:
            if not set(pair) <= known:
                raise ValueError(f"program {self.id}: forbidden succession {pair[0]} -> {pair[1]} names an unknown shift")
        for shift in self.shifts:
            if not any(overlap > 0 for _, overlap, _ in self._overlaps(shift)):
                raise ValueError(
                    f"program {self.id}: shift {shift.code} ({clock_text(shift.start)} to {clock_text(shift.end)}) touches no slot "
                    "from its date on; add a slot type that covers it"
                )

    def slots_of(self, shift: Shift) -> tuple[int, ...]:
        """Offsets of the slots that a shift covers, counted from the first slot of its date.

        A slot is covered when at least half of it is worked; a shift that reaches half of no slot
        counts in the one that it covers most (the earlier of equals). Offset 4 with three slot
        types is the second slot of the next date. In wall-clock time: a clock change moves hours,
        not slots.
        """
        overlaps = self._overlaps(shift)
        covered = tuple(offset for offset, overlap, length in overlaps if 2 * overlap >= length)
        # of equals max takes the first
        return covered or (max(overlaps, key=lambda one: one[1])[0],)

    def _overlaps(self, shift: Shift) -> list[tuple[int, int, int]]:
        """(offset, minutes of it that the shift covers, its length) of each slot of the shift's date and the three after."""
        per_day = len(self.slot_types)
        out = []
        for offset in range(4 * per_day):
            slot = self.slot_types[offset % per_day]
            shift_by = offset // per_day * MINUTES_A_DAY
            overlap = min(shift.end, slot.end + shift_by) - max(shift.start, slot.start + shift_by)
            out.append((offset, overlap, slot.end - slot.start))
        return out


def _check_unique(program: str, noun: str, codes: list[str]) -> None:
    for code in codes:
        if codes.count(code) > 1:
            raise ValueError(f"program {program}: {noun} {code} is given twice")


DEFAULT_SLOT_TYPES = (
    SlotType("AM", 7 * 60, 13 * 60),
    SlotType("PM", 13 * 60, 19 * 60),
    SlotType("NIGHT", 19 * 60, 31 * 60),
)
"""What a program gets that does not say how its day is divided: two half-days of 6 h and a night."""

DEFAULT_SHIFTS = (
    Shift("AM", 7 * 60, 13 * 60, "morning"),
    Shift("PM", 13 * 60, 19 * 60, "afternoon"),
    Shift("DAY", 7 * 60, 19 * 60, "day"),
    Shift("NIGHT", 19 * 60, 31 * 60, "night"),
    Shift("CALL24", 7 * 60, 31 * 60, "24 h call"),
)
