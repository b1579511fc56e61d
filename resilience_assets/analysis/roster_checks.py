"""Whether a roster can be believed: contradictions in it, and signs that it is out of date.

Belongs here: the checks of one assembled roster, each with a count, a sentence and rows to look at.
Does not belong here: reading it (exchange), finding cells claimed twice and unknown ids (they are
seen when it is laid out, domain.assembly), duty rules (duty_hours.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from resilience_assets.domain import states
from resilience_assets.domain.assembly import DoubleBookings
from resilience_assets.domain.days import IntArray, day_text
from resilience_assets.domain.findings import Finding, Severity
from resilience_assets.domain.roster import BoolArray, Roster
from resilience_assets.policy.model import Policy

RULES: dict[str, Severity] = {
    "double_booking": Severity.ERROR,
    "demand_range": Severity.ERROR,
    "unknown_id": Severity.ERROR,
    "unqualified": Severity.WARNING,
    "assigned_while_absent": Severity.WARNING,
    "overlapping_absences": Severity.WARNING,
    "stale_import": Severity.WARNING,
    "no_demand": Severity.WARNING,
}
"""Every check, in the order in which it is told. An ERROR refuses the roster version."""

Example = tuple[str, int, str, int]
"""Person (or post) id, epoch day, slot code ('' for whole dates), source id of the row behind it."""


@dataclass(frozen=True, eq=False)
class RosterCheck:
    """The verdict of one rule: passed when `count` is 0.

    `examples` are the first places; `sources` the ids of all rows behind them, ascending: of the table
    that `of` names (assignments, demand, absences), demand rules negative as in the roster.
    """

    rule: str
    severity: Severity
    count: int
    sentence: str
    of: str = ""
    examples: tuple[Example, ...] = ()
    sources: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def passed(self) -> bool:
        """True when the rule found nothing."""
        return self.count == 0


def check_roster(
    roster: Roster,
    policy: Policy,
    first_day: int,
    last_day: int,
    *,
    import_age_hours: float | None,
    findings: Sequence[Finding] = (),
    doubles: DoubleBookings | None = None,
) -> list[RosterCheck]:
    """All checks of a roster, one entry a rule of RULES, in its order.

    Contradictions of people and absences are looked for from `first_day` on (the past cannot be
    mended), demand out of range on all dates, demand at all on first_day..last_day.
    `import_age_hours` is how long ago the newest import was, None when there is none on record;
    `findings` and `doubles` are what laying out the roster found.
    """
    future = roster.window(first_day, max(first_day, roster.last_day))
    found = [
        _double_booking(roster, findings, doubles, policy),
        _demand_range(roster, findings, policy),
        _unknown_id(findings),
        _unqualified(future, policy),
        _assigned_while_absent(future, policy),
        _overlapping_absences(roster, first_day, policy),
        stale_import(import_age_hours, policy),
        no_demand(roster.window(first_day, last_day), first_day, last_day),
    ]
    return sorted(found, key=lambda check: list(RULES).index(check.rule))


def refused(checks: Sequence[RosterCheck]) -> bool:
    """True when a check of severity ERROR found something: the roster must not become a version."""
    return any(check.severity == Severity.ERROR and not check.passed for check in checks)


def _check(rule: str, count: int, sentence: str, good: str) -> RosterCheck:
    return RosterCheck(rule, RULES[rule], count, sentence if count else good)


def _double_booking(
    roster: Roster, findings: Sequence[Finding], doubles: DoubleBookings | None, policy: Policy
) -> RosterCheck:
    good = "Nobody is in two places at once"
    told = [finding for finding in findings if finding.rule == "double_booking"]
    if doubles is None:
        return _check("double_booking", len(told), "; ".join(one.reason for one in told[:3]), good)
    count = int(doubles.person.size)
    if not count:
        return _check("double_booking", 0, "", good)
    examples = _examples(roster, doubles.person, doubles.slot, doubles.left_out, policy)
    sentence = f"{count} cells are claimed by two assignments, first {_place(examples[0])}: keep one of them"
    sources = np.unique(np.concatenate([doubles.kept, doubles.left_out])).astype(np.int64)
    return RosterCheck("double_booking", Severity.ERROR, count, sentence, "assignments", examples, sources)


def _demand_range(roster: Roster, findings: Sequence[Finding], policy: Policy) -> RosterCheck:
    wrong = (roster.minimum < 0) | (roster.required < 0) | (roster.minimum > roster.required)
    post, slot = np.nonzero(wrong)
    told = sum(finding.rule == "demand_range" for finding in findings)
    good = "Demand is at least 0, and no minimum is above what is required"
    if not post.size:
        reasons = [finding.reason for finding in findings if finding.rule == "demand_range"]
        return _check("demand_range", told, "; ".join(reasons[:3]), good)
    source = roster.demand_source[post, slot].astype(np.int64)
    day, code = _where(roster, slot)
    examples = tuple(
        (roster.posts[p].id, int(d), c, int(s))
        for p, d, c, s in list(zip(post, day, code, source, strict=True))[: policy.roster.examples]
    )
    required, minimum = int(roster.required[post[0], slot[0]]), int(roster.minimum[post[0], slot[0]])
    sentence = (
        f"{post.size} cells of demand are below 0 or have a minimum above what is required, "
        f"first {_place(examples[0])}: required {required}, minimum {minimum}"
    )
    return RosterCheck(
        "demand_range", Severity.ERROR, int(post.size) + told, sentence, "demand", examples, np.unique(source)
    )


def _unknown_id(findings: Sequence[Finding]) -> RosterCheck:
    told = [finding for finding in findings if finding.rule.startswith("unknown_")]
    return _check(
        "unknown_id", len(told), "; ".join(finding.reason for finding in told[:3]), "Every id that is named is defined"
    )


def _unqualified(future: Roster, policy: Policy) -> RosterCheck:
    wrong = (future.planned >= 0) & ~future.qualified_cells(future.planned)
    return _cells_check(
        "unqualified", future, wrong, policy, "Everybody is qualified for the post held",
        "assignments hold a post for which the person is not qualified that day; they fill no seat",
    )  # fmt: skip


def _assigned_while_absent(future: Roster, policy: Policy) -> RosterCheck:
    """Work on dates away. Absences reported here are expected to meet work: the source does not know of them yet."""
    wrong = (future.planned >= 0) & (future.state == states.ABSENT) & ~_reported(future)
    return _cells_check(
        "assigned_while_absent", future, wrong, policy, "Nobody is assigned while away",
        "assignments are on dates on which the person is away or not in the program",
    )  # fmt: skip


def _reported(roster: Roster) -> BoolArray:
    """Cells on dates of an absence that was reported here, [P, T]."""
    out = np.zeros((len(roster.people), roster.days), dtype=np.bool_)
    absences = roster.absences
    for i in np.flatnonzero(absences.reported):
        low = max(0, int(absences.first[i]) - roster.first_day)
        high = min(roster.days, int(absences.last[i]) - roster.first_day + 1)
        if low < high:
            out[absences.person[i], low:high] = True
    return np.repeat(out, roster.per_day, axis=1)


def _cells_check(rule: str, roster: Roster, wrong: BoolArray, policy: Policy, good: str, bad: str) -> RosterCheck:
    """Counts the assignments behind wrong cells: a shift over several slots counts once."""
    slot, person = np.nonzero(wrong.T)  # earliest first
    if not person.size:
        return _check(rule, 0, "", good)
    source = roster.source[person, slot].astype(np.int64)
    _, first = np.unique(np.stack([person, source]), axis=1, return_index=True)
    # cells without a row behind them are counted one by one
    keep = np.sort(np.concatenate([first[source[first] > 0], np.flatnonzero(source == 0)]))
    examples = _examples(roster, person[keep], slot[keep], source[keep], policy)
    sentence = f"{keep.size} {bad}; first {_place(examples[0])}"
    sources = np.unique(source[source > 0])
    return RosterCheck(rule, RULES[rule], int(keep.size), sentence, "assignments", examples, sources)


def _overlapping_absences(roster: Roster, first_day: int, policy: Policy) -> RosterCheck:
    """Approved absences of one person that share a date; those reported here may lie over others."""
    good = "No two absences of a person overlap"
    absences = roster.absences
    kept = np.flatnonzero(np.asarray(absences.approved) & ~np.asarray(absences.reported) & (absences.last >= first_day))
    order = kept[np.lexsort((absences.source[kept], absences.first[kept], absences.person[kept]))]
    person = absences.person[order].astype(np.int64)
    first, last = absences.first[order].astype(np.int64), absences.last[order].astype(np.int64)
    if person.size < 2:
        return _check("overlapping_absences", 0, "", good)
    # the running latest end of each person: people are kept apart by an offset wider than any date
    apart = person * (int(last.max()) - int(last.min()) + 1)
    latest = np.maximum.accumulate(last + apart) - apart
    again = np.flatnonzero((person[1:] == person[:-1]) & (first[1:] <= latest[:-1])) + 1
    if not again.size:
        return _check("overlapping_absences", 0, "", good)
    source = absences.source[order][again].astype(np.int64)
    examples = tuple(
        (roster.people[p].id, int(day), "", int(s))
        for p, day, s in list(zip(person[again], first[again], source, strict=True))[: policy.roster.examples]
    )
    sentence = f"{again.size} absences overlap an earlier one of the same person, first {_place(examples[0])}"
    return RosterCheck(
        "overlapping_absences", Severity.WARNING, int(again.size), sentence, "absences", examples, np.unique(source)
    )


def stale_import(age_hours: float | None, policy: Policy) -> RosterCheck:
    """Whether a roster imported so many hours ago (None: nobody knows) is too old to be believed; needs no roster."""
    limit = policy.roster.import_age_hours
    if age_hours is None:
        return _check("stale_import", 1, "No import is on record: how old this roster is, is not known", "")
    stale = age_hours > limit
    sentence = f"The newest import is {age_hours:.0f} h old, more than {limit:.0f} h: import the current roster"
    return _check(
        "stale_import",
        int(stale),
        sentence,
        f"The newest import is {age_hours:.0f} h old, at most {limit:.0f} h is allowed",
    )


def no_demand(horizon: Roster, first_day: int, last_day: int) -> RosterCheck:
    """Whether a roster, cut to first_day..last_day, asks for anybody at all: without demand nothing can be short."""
    dates = f"{day_text(first_day)} to {day_text(last_day)}"
    total = int(np.maximum(horizon.required, 0).sum())
    sentence = f"Nothing is required from {dates}: import demand, or the figures of these dates say nothing"
    return _check("no_demand", int(total == 0), sentence, f"{total} seats are required from {dates}")


def _where(roster: Roster, slot: npt.NDArray[np.int64]) -> tuple[IntArray, list[str]]:
    codes = [one.code for one in roster.program.slot_types]
    return roster.first_day + slot // roster.per_day, [codes[i] for i in (slot % roster.per_day).tolist()]


def _examples(
    roster: Roster, person: IntArray, slot: IntArray, source: IntArray, policy: Policy
) -> tuple[Example, ...]:
    most = policy.roster.examples
    day, code = _where(roster, slot[:most])
    rows = zip(person[:most].tolist(), day.tolist(), code, source[:most].tolist(), strict=True)
    return tuple((roster.people[p].id, d, c, s) for p, d, c, s in rows)


def _place(example: Example) -> str:
    who, day, slot, _ = example
    return f"{who} on {day_text(day)}{' ' + slot if slot else ''}"
