"""How a program divides its day, and which slots a shift counts in."""

from functools import lru_cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resilience_assets.domain.program import (
    DEFAULT_SHIFTS,
    DEFAULT_SLOT_TYPES,
    Program,
    Shift,
    SlotType,
    clock_minutes,
    clock_text,
)  # fmt: skip
from resilience_assets_tests.domain.strategies import divided_days

HALF_DAYS = Program("p", "P", "UTC", DEFAULT_SLOT_TYPES, DEFAULT_SHIFTS)


def program(*slots: SlotType, shifts: tuple[Shift, ...] = (), pairs: tuple[tuple[str, str], ...] = ()) -> Program:
    return Program("p", "P", "UTC", slots, shifts, pairs)


def minutes_worked(shift: Shift, slot: SlotType, date: int) -> int:
    """Minutes of a slot of the date `date` days later that a shift covers, counted one by one."""
    begins = slot.start + 1440 * date
    return len(set(range(begins, begins + slot.end - slot.start)) & set(range(shift.start, shift.end)))


@lru_cache(maxsize=256)
def slots_one_by_one(slots: tuple[SlotType, ...], shift: Shift) -> tuple[int, ...]:
    """The rule in words: every slot at least half worked, else the one worked longest, the earlier of equals."""
    worked = [(minutes_worked(shift, slot, date), slot.end - slot.start) for date in range(4) for slot in slots]
    half = tuple(i for i, (done, length) in enumerate(worked) if done >= length / 2)
    longest = [done for done, _ in worked]
    return half or (longest.index(max(longest)),)


@pytest.mark.parametrize(
    ("shift", "offsets"),
    [
        (Shift("AM", 420, 780), (0,)),
        (Shift("DAY", 420, 1140), (0, 1)),
        (Shift("NIGHT", 1140, 1860), (2,)),
        (Shift("CALL24", 420, 1860), (0, 1, 2)),
        (Shift("CALL30", 420, 2220), (0, 1, 2, 3)),  # to 13:00 on the next date
        (Shift("EARLY", 300, 600), (0,)),  # 05:00 to 10:00: half of the morning, to the minute
        (Shift("LATE", 1080, 1260), (2,)),  # 18:00 to 21:00: half of nothing; one hour of PM, two of the night
    ],
)
def test_a_shift_counts_in_each_slot_that_it_covers_by_half(shift, offsets):
    assert HALF_DAYS.slots_of(shift) == offsets


def test_half_is_enough_and_a_minute_less_is_not():
    one_slot = program(SlotType("A", 0, 600), SlotType("B", 600, 1200))
    assert one_slot.slots_of(Shift("S", 300, 900)) == (0, 1)
    assert one_slot.slots_of(Shift("S", 301, 900)) == (1,)


def test_a_shift_late_in_the_evening_may_count_only_on_the_next_date():
    pure = program(SlotType("DAY", 0, 1440))
    assert pure.slots_of(Shift("N", 1320, 1800)) == (1,)  # 22:00 to 06:00: two hours today, six tomorrow
    assert pure.slots_of(Shift("N", 1140, 1740)) == (0,)  # 19:00 to 05:00: five and five, the earlier


@given(divided_days(), st.integers(0, 1439), st.integers(1, 4320))
@settings(deadline=None)
def test_slots_of_a_shift_are_those_counted_minute_by_minute(slots, start, length):
    shift = Shift("S", start, start + length)
    touched = any(minutes_worked(shift, slot, date) for date in range(4) for slot in slots)
    assume(touched)
    assert program(*slots, shifts=(shift,)).slots_of(shift) == slots_one_by_one(slots, shift)


def test_a_shift_that_touches_no_slot_is_refused_not_seated_somewhere():
    with pytest.raises(ValueError, match=r"shift EVE \(18:00 to 22:00\) touches no slot"):
        program(SlotType("AM", 480, 720), shifts=(Shift("EVE", 1080, 1320),))
    with pytest.raises(ValueError, match="touches no slot"):  # 00:00 to 06:00 lies in the night of the date before
        program(*DEFAULT_SLOT_TYPES, shifts=(Shift("EARLY", 0, 360),))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SlotType("", 0, 60), "needs a code"),
        (lambda: SlotType("A", 60, 60), "not a stretch of one date"),
        (lambda: SlotType("A", 1440, 1500), "not a stretch of one date"),
        (lambda: SlotType("A", 0, 2881), "not a stretch of one date"),
        (lambda: Shift("S", 0, 0), "not a shift of at most 72 h"),
        (lambda: Shift("S", 0, 4321), "not a shift of at most 72 h"),
        (lambda: Program("", "P", "UTC", DEFAULT_SLOT_TYPES, ()), "needs an id"),
        (lambda: Program("p", "P", "Mars/Base", DEFAULT_SLOT_TYPES, ()), "'Mars/Base' is not a time zone"),
        (lambda: Program("p", "P", "", DEFAULT_SLOT_TYPES, ()), "is not a time zone"),
        *[
            (lambda id=id: Program(id, "P", "UTC", DEFAULT_SLOT_TYPES, ()), "an id names a folder too")
            for id in ("../p", "a/b", "a\\b", ".p", "-p", "a\nb")
        ],
        (program, "at least one slot type"),
        (lambda: program(SlotType("A", 0, 60), SlotType("A", 60, 120)), "slot A is given twice"),
        (lambda: program(SlotType("A", 0, 61), SlotType("B", 60, 120)), "slots A and B overlap"),
        (lambda: program(SlotType("A", 0, 60), SlotType("B", 1200, 1441)), "overlaps slot A of the next date"),
        (lambda: program(SlotType("A", 0, 60), pairs=(("N", "D"),)), "names an unknown shift"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@given(st.integers(0, 1439))
def test_a_clock_time_is_read_as_it_is_written(minute):
    assert clock_minutes(clock_text(minute)) == minute


@pytest.mark.parametrize("text", ["", "7", "24:01", "12:60", "-1:00", "ab:cd", "12:3x"])
def test_what_is_no_clock_time_is_refused(text):
    with pytest.raises(ValueError, match="is not a time"):
        clock_minutes(text)
    assert clock_minutes("24:00") == 1440
