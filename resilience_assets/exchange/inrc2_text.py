"""The line format that all INRC-II text files share, and the scenario file.

Belongs here: words, counts and line numbers of such a file, and what Sc-<instance>.txt says. Does not
belong here: what becomes of it in a roster (read_inrc2.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from resilience_assets.exchange.csv_cells import BadCell, read_id
from resilience_assets.exchange.source import SourceError, SourceFile, source_error, text_of


@dataclass(frozen=True)
class Scenario:
    """What Sc-<instance>.txt says. `nurses` are (name, contract, skills, line number)."""

    instance: str
    weeks: int
    skills: tuple[str, ...]
    shifts: tuple[str, ...]
    forbidden: tuple[tuple[str, str], ...]
    contracts: tuple[str, ...]
    nurses: tuple[tuple[str, str, tuple[str, ...], int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The nurses' names, in the order of the file."""
        return tuple(nurse[0] for nurse in self.nurses)


@dataclass
class Lines:
    """The lines of one file with their numbers, without blanks and comments; errors name the line."""

    file: str
    lines: list[tuple[int, list[str]]] = field(default_factory=list)
    at: int = 0

    def wrong(self, reason: str, value: str = "", rule: str = "bad_line") -> SourceError:
        """The error for the line taken last."""
        row = self.lines[max(0, min(self.at, len(self.lines)) - 1)][0] if self.lines else 1
        return source_error(rule, reason, file=self.file, row=row, value=value)

    def take(self, what: str) -> list[str]:
        """The words of the next line; an error when there is none."""
        if self.at >= len(self.lines):
            raise self.wrong(f"the file ends where {what} should follow; it looks cut off", rule="cut_off")
        self.at += 1
        return self.lines[self.at - 1][1]

    def seek(self, title: str) -> list[str]:
        """The words of the next line that begins with a title."""
        while True:
            words = self.take(f"the line {title}")
            if words[0] == title:
                return words

    def value(self, title: str) -> str:
        """The word after the equals sign of the next line `TITLE = word`."""
        words = self.seek(title)
        if len(words) != 3 or words[1] != "=":
            raise self.wrong(f"not a line of the form {title} = value", " ".join(words))
        return words[2]

    def counted(self, title: str, most: int = 100_000) -> Iterator[list[str]]:
        """The lines below `TITLE = n`, n of them."""
        count = self.number(self.value(title), most)
        for _ in range(count):
            yield self.take(f"one of {count} lines of {title}")

    def number(self, text: str, most: int = 100_000) -> int:
        """A whole number of this line, 0 to `most`."""
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) > most:
            raise self.wrong(f"not a whole number from 0 to {most}", text, "bad_number")
        return int(text)

    def one_of(self, text: str, allowed: tuple[str, ...], noun: str) -> str:
        """A word of this line that must be known."""
        if text not in allowed:
            raise self.wrong(f"no such {noun} in the scenario", text, f"unknown_{noun}")
        return text

    def id(self, text: str) -> str:
        """A word of this line as an id, under the same rules as everywhere."""
        try:
            return read_id(text)
        except BadCell as bad:
            raise self.wrong(bad.reason, text, bad.rule) from bad

    def left(self) -> list[str]:
        """The words of the next line, if there is one; it is not taken."""
        return self.lines[self.at][1] if self.at < len(self.lines) else []

    @property
    def row(self) -> int:
        """Number of the line taken last."""
        return self.lines[self.at - 1][0]


def lines_of(file: SourceFile) -> Lines:
    """The lines of a file, without blanks and comments; SourceError when it is no text."""
    text, wrong = text_of(file)
    if wrong is not None:
        raise SourceError([wrong])
    numbered = ((number, line.partition("#")[0].split()) for number, line in enumerate(text.split("\n"), start=1))
    return Lines(file.name, [(number, words) for number, words in numbered if words])


def read_scenario(file: SourceFile) -> Scenario:
    """The scenario file; SourceError names the line that does not follow the format."""
    lines = lines_of(file)
    instance = lines.value("SCENARIO")
    weeks = lines.number(lines.value("WEEKS"), 52)
    skills = tuple(lines.id(words[0]) for words in lines.counted("SKILLS", 100))
    shifts = tuple(lines.id(words[0]) for words in lines.counted("SHIFT_TYPES", 100))
    lines.seek("FORBIDDEN_SHIFT_TYPES_SUCCESSIONS")
    forbidden: list[tuple[str, str]] = []
    for _ in shifts:
        words = lines.take("a forbidden succession")
        if len(words) < 2:
            raise lines.wrong("not a succession: shift type, number, shift types", " ".join(words))
        before, count, *after = words
        lines.one_of(before, shifts, "shift")
        if lines.number(count, 100) != len(after):
            raise lines.wrong(f"{count} shift types announced, {len(after)} given")
        forbidden += [(before, lines.one_of(shift, shifts, "shift")) for shift in after]
    contracts = tuple(words[0] for words in lines.counted("CONTRACTS"))
    nurses: list[tuple[str, str, tuple[str, ...], int]] = []
    for words in lines.counted("NURSES"):
        if len(words) < 4 or lines.number(words[2]) != len(words) - 3:
            raise lines.wrong("not a nurse: name, contract, number of skills, skills", " ".join(words))
        lines.one_of(words[1], contracts, "contract")
        if any(words[0] == nurse[0] for nurse in nurses):
            raise lines.wrong("this nurse is there twice", words[0], "duplicate_id")
        held = tuple(lines.one_of(skill, skills, "skill") for skill in words[3:])
        nurses.append((lines.id(words[0]), words[1], held, lines.row))
    if not shifts or not nurses:
        raise lines.wrong("a scenario without shift types or nurses")
    return Scenario(instance, weeks, skills, shifts, tuple(forbidden), contracts, tuple(nurses))
