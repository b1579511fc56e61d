"""The description of a grid in somebody's own layout: the model behind a mapping file in YAML.

Belongs here: what a mapping may say and whether it says it consistently. Does not belong here:
reading the workbook by it (mapped_workbook.py). docs/excel.md explains every key to its writer.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from resilience_assets.domain.days import MINUTES_A_DAY
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.program import DEFAULT_SHIFTS, DEFAULT_SLOT_TYPES, Program, Shift, SlotType, clock_minutes
from resilience_assets.exchange.grid import OFF, Meaning, NameRule
from resilience_assets.exchange.sheets import column_number
from resilience_assets.exchange.source import SourceError

LONGEST_MAPPING = 200_000
"""Characters of a mapping file."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS: dict[str, tuple[str, ...]] = {"daily": WEEKDAYS, "weekdays": WEEKDAYS[:5], "weekend": WEEKDAYS[5:]}


def _clock(text: str) -> str:
    clock_minutes(text)
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def _column(text: str) -> str:
    column_number(text)
    return text


def _days(value: Any) -> Any:
    """A weekday, a group of them or a list of these, as weekday codes."""
    given = [value] if isinstance(value, str) else value
    return [day for one in given for day in _GROUPS.get(str(one).casefold(), (str(one).casefold(),))]


Clock = Annotated[str, AfterValidator(_clock)]
Pattern = Annotated[str, AfterValidator(_pattern)]
ColumnLetters = Annotated[str, AfterValidator(_column)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class ProgramPart(_Part):
    """Whose grid it is."""

    id: Name
    name: str = ""
    time_zone: str = "UTC"


class StretchPart(_Part):
    """A slot or a shift: from, to ('HH:MM'; a `to` not after `from` lies on the next date)."""

    code: Name
    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    name: str = ""

    def minutes(self) -> tuple[int, int]:
        """Start and end in minutes from midnight of the date on which it starts."""
        start, end = clock_minutes(self.start), clock_minutes(self.end)
        return start, end if end > start else end + MINUTES_A_DAY


class DatesPart(_Part):
    """Where the dates are. Nothing given: the longest run of at least `least` days on the sheet.

    `row` pins the row, `from` and `to` the columns; `slot_row` is the row that names the slots
    under each date (AM, PM), with `slots` giving the slot of each such name.
    """

    least: int = Field(default=7, ge=2, le=400)
    row: int | None = Field(default=None, ge=1)
    first_column: ColumnLetters | None = Field(default=None, alias="from")
    last_column: ColumnLetters | None = Field(default=None, alias="to")
    slot_row: int | None = Field(default=None, ge=1)
    slots: dict[str, str] = Field(default_factory=dict)


class MonthPart(_Part):
    """The month of day numbers: `is` (2021-03), or a pattern with the groups year and month over the
    rows above the dates, with the `names` of the months. `--start` wins over both."""

    fixed: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")] | None = Field(default=None, alias="is")
    pattern: Pattern | None = None
    names: dict[str, Annotated[int, Field(ge=1, le=12)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> MonthPart:
        if self.pattern is not None and not {"year", "month"} <= set(re.compile(self.pattern).groupindex):
            raise ValueError("the pattern needs the groups (?P<year>...) and (?P<month>...)")
        return self

    def year_month(self) -> tuple[int, int] | None:
        """Year and month of `is`."""
        return (int(self.fixed[:4]), int(self.fixed[5:])) if self.fixed else None


class GridPart(_Part):
    """The sheet with the grid: the column of names, the dates, rows that are no person."""

    sheet: Name
    names: ColumnLetters = "A"
    dates: DatesPart = DatesPart()
    month: MonthPart = MonthPart()
    skip: list[Pattern] = Field(default_factory=list)
    last_row: int | None = Field(default=None, ge=1)
    marks: str = Field(default="", max_length=10)


class NamePart(_Part):
    """One naming scheme; see grid.NameRule."""

    pattern: Pattern
    id: Name
    role: str = ""

    @model_validator(mode="after")
    def _known_groups(self) -> NamePart:
        unknown = set(re.findall(r"\{(\w+)(?::[0-9])?\}", self.id)) - set(re.compile(self.pattern).groupindex)
        if unknown:
            raise ValueError(f"id names the groups {sorted(unknown)}, which the pattern does not have")
        return self


class PeoplePart(_Part):
    """The sheet with the people: its header row and the headers of its columns. `roles` translates."""

    sheet: Name
    header_row: int = Field(default=1, ge=1)
    name: Name
    role: str = ""
    fte: str = ""
    team: str = ""
    home_region: str = ""
    roles: dict[str, str] = Field(default_factory=dict)


class ServicePart(_Part):
    """What is covered; tier 1 is never paused, 7 is paused first."""

    id: Name
    name: str = ""
    tier: int = Field(default=1, ge=1, le=7)


class DemandPart(_Part):
    """Heads needed and the safe minimum (as many, if not given) in some slots on some weekdays."""

    slots: list[str]
    days: Annotated[tuple[Weekday, ...], BeforeValidator(_days)] = WEEKDAYS
    needed: int = Field(ge=0, le=30_000)
    minimum: int | None = Field(default=None, ge=0, le=30_000)

    @model_validator(mode="after")
    def _ordered(self) -> DemandPart:
        if self.minimum is not None and self.minimum > self.needed:
            raise ValueError(f"minimum {self.minimum} is above needed {self.needed}")
        return self


class PostPart(_Part):
    """One line of demand. `qualified` are the roles that may hold it (its own, if not given)."""

    id: Name
    service: Name
    role: Name
    qualified: list[str] = Field(default_factory=list)
    demand: list[DemandPart] = Field(default_factory=list)


class CodePart(_Part):
    """What a code means: a post or FREE, REST, ELSEWHERE in `post`; a kind of absence in `away`; else off."""

    post: str = ""
    shift: str = ""
    away: str = ""
    approved: bool = True
    off: bool = False

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {"off": "true"} if isinstance(value, str) and value.strip().casefold() == "off" else value

    @model_validator(mode="after")
    def _one_meaning(self) -> CodePart:
        if bool(self.post) + bool(self.away) + self.off != 1:
            raise ValueError("say one of post, away, off")
        if self.shift and not self.post:
            raise ValueError("a shift needs a post")
        return self

    def meaning(self) -> Meaning:
        """The same for the grid reader."""
        return OFF if self.off else Meaning(self.post, self.away, self.shift, self.approved)


class GridMapping(_Part):
    """A whole mapping file."""

    program: ProgramPart
    slots: list[StretchPart] = Field(default_factory=list)
    shifts: list[StretchPart] = Field(default_factory=list)
    forbidden_successions: list[tuple[str, str]] = Field(default_factory=list)
    grid: GridPart
    names: list[NamePart] = Field(default_factory=list)
    people: PeoplePart | None = None
    default_role: str = "staff"
    services: list[ServicePart] = Field(min_length=1)
    posts: list[PostPart] = Field(min_length=1)
    legend: dict[str, CodePart] = Field(min_length=1)
    colours: dict[Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{6}$")], CodePart] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _references(self) -> GridMapping:
        program = self.as_program()
        slots, shifts = {slot.code for slot in program.slot_types}, {shift.code for shift in program.shifts}
        posts = {post.id for post in self.posts}
        _known(
            "posts name the service", {post.service for post in self.posts}, {service.id for service in self.services}
        )
        _known(
            "demand names the slot", {slot for post in self.posts for part in post.demand for slot in part.slots}, slots
        )
        _known("grid.dates.slots names the slot", set(self.grid.dates.slots.values()), slots)
        codes = [*self.legend.values(), *self.colours.values()]
        _known(
            "the legend names the post",
            {code.post for code in codes if code.post},
            posts | {"FREE", "REST", "ELSEWHERE"},
        )
        _known("the legend names the shift", {code.shift for code in codes if code.shift}, shifts)
        return self

    def as_program(self, program_id: str | None = None) -> Program:
        """The program; its own id can be overridden. Without slots or shifts those of a new program are taken."""
        slots = tuple(SlotType(part.code, *part.minutes()) for part in self.slots) or DEFAULT_SLOT_TYPES
        own = tuple(Shift(slot.code, slot.start, slot.end) for slot in slots) if self.slots else DEFAULT_SHIFTS
        shifts = tuple(Shift(part.code, *part.minutes(), part.name) for part in self.shifts) or own
        name = self.program.name or self.program.id
        return Program(
            program_id or self.program.id,
            name,
            self.program.time_zone,
            slots,
            shifts,
            tuple(self.forbidden_successions),
        )

    def name_rules(self) -> list[NameRule]:
        """The naming schemes for the grid reader."""
        return [NameRule(part.pattern, part.id, part.role) for part in self.names]


def _known(what: str, named: set[str], known: set[str]) -> None:
    if named - known:
        raise ValueError(f"{what} {', '.join(sorted(named - known))}, which the mapping does not define")


def read_mapping(text: str, *, file: str = "mapping") -> GridMapping:
    """The mapping in a YAML text; SourceError with one finding `bad_mapping` a mistake, each with its key.

    All plain values are read as text, so that a code such as NO, ON or 1E3 stays what it is.
    """
    try:
        if len(text) > LONGEST_MAPPING:
            raise ValueError(f"the mapping has more than {LONGEST_MAPPING:,} characters")
        _refuse_repeats(yaml.compose(_without_aliases(text), Loader=yaml.BaseLoader))
        given = yaml.load(text, Loader=yaml.BaseLoader)  # builds text, lists and mappings only
        if not isinstance(given, dict):
            raise ValueError("a mapping begins with keys such as program: and grid:")
        return GridMapping.model_validate(given)
    except ValidationError as error:
        found = [(".".join(map(str, one["loc"])), one["msg"], one.get("input")) for one in error.errors()]
        raise SourceError(
            Finding(Severity.ERROR, "bad_mapping", reason, file, None, key, value if isinstance(value, str) else "")
            for key, reason, value in found
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"this is not YAML: {getattr(error, 'problem', None) or error}"
        raise SourceError(
            [Finding(Severity.ERROR, "bad_mapping", reason, file, mark.line + 1 if mark else None)]
        ) from error
    except ValueError as error:
        raise SourceError([Finding(Severity.ERROR, "bad_mapping", str(error), file)]) from error


def _without_aliases(text: str) -> str:
    """The text, if it has no YAML alias: a few nested ones would unfold into millions of values."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.BaseLoader)):
        raise ValueError("aliases (*name) are not read; write the value out")
    return text


def _refuse_repeats(node: yaml.Node | None) -> None:
    """ValueError for a key that is given twice: YAML would silently keep the second."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ValueError(f"line {key.start_mark.line + 1}: the key {key.value!r} is given twice")
            seen.add(str(key.value))
            _refuse_repeats(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_repeats(value)
