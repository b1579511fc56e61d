"""The incident state machine: readings in, transitions out.

Belongs here: which rule fires for which scope after which reading, when a scope flaps, what nobody
watches any more. Does not belong here: where readings come from (actions.evaluate_alerts), who is
told of a transition (telling.py), how (notice.py).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import AlertRule
from resilience_assets.policy.routes import Flapping

Scope = tuple[str, int, str]
"""(rule id or family, program's database id, scope key: service id, recipient, job or '')."""

DEPLOYMENT = 0
"""The program id of what speaks of the deployment as a whole."""

Kind = Literal["opened", "raised", "flapping", "off", "on", "calm", "closed", "superseded"]
"""What can happen to an incident by a reading; `off` and `on` are single changes of one that flaps."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measurement of one scope: `values` by measure, None where it could not be measured.

    `reading_id` rises with time within a `source`; `open_seats`, `where` and `reasons` (by measure) only
    serve the text.
    """

    reading_id: int
    program_id: int
    program: str
    scope: Literal["program", "service", "deployment"]
    key: str
    as_of: dt.datetime
    values: Mapping[str, float | None]
    open_seats: int = 0
    where: str = ""
    source: str = "health_check"
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How far a rule has counted for a scope: readings in a row beyond its trigger, beyond its clear limit
    while it fires, and whether it fires."""

    over: int = 0
    under: int = 0
    firing: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """Whether a family fired at its last readings ('0110', newest last), and whether it flaps."""

    recent: str = ""
    flapping: bool = False

    @property
    def at_rest(self) -> bool:
        """True when there is nothing to remember."""
        return "1" not in self.recent and not self.flapping


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is open: its scope is (family, program id, key)."""

    scope: Scope
    severity: AlertSeverity


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is carried from one evaluation to the next."""

    counts: Mapping[Scope, RuleCount] = field(default_factory=dict)
    histories: Mapping[Scope, History] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of one incident, with the rule, value and reading behind it."""

    kind: Kind
    scope: Scope
    severity: AlertSeverity
    rule: AlertRule
    reading: Reading
    value: float


def count(rule: AlertRule, before: RuleCount, value: float) -> RuleCount:
    """A rule's count after one reading.

    It fires after `readings_up` readings in a row beyond the trigger, and then goes on firing until
    `readings_down` in a row are on the good side of the clear limit: between the two limits nothing
    changes, and both rows begin anew.
    """
    if rule.fires(value):
        over = min(before.over + 1, rule.readings_up)
        return RuleCount(over, 0, before.firing or over >= rule.readings_up)
    if before.firing and rule.is_over(value):
        under = before.under + 1
        return RuleCount() if under >= rule.readings_down else RuleCount(0, under, True)
    return RuleCount(0, 0, before.firing)


def evaluate(
    readings: Iterable[Reading], rules: Mapping[int, tuple[AlertRule, ...]], memory: Memory,
    incidents: Iterable[OpenIncident], flapping: Flapping,
) -> tuple[list[Transition], Memory]:  # fmt: skip
    """Take readings in order; returns the transitions, and what changed in the memory.

    `rules` are by program id (DEPLOYMENT: those of the deployment). Rules of one family speak of one
    incident a scope, as grave as the gravest that has fired since it opened: severity rises, and falls
    by closing. A value that is missing changes nothing: absence of data never resolves. While a scope
    flaps its incident stays open, and its single changes are transitions of their own kind.
    """
    counts, histories = dict(memory.counts), dict(memory.histories)
    severity_of = {incident.scope: incident.severity for incident in incidents}
    transitions: list[Transition] = []
    for reading in readings:
        for family, members in _families(rules.get(reading.program_id, ()), reading).items():
            found = _count_family(members, reading, counts)
            if found is None:
                continue
            scope = (family, reading.program_id, reading.key)
            transitions += _transitions(scope, reading, found, severity_of, histories, flapping)
    changed = Memory(
        {scope: one for scope, one in counts.items() if memory.counts.get(scope, RuleCount()) != one},
        {scope: one for scope, one in histories.items() if memory.histories.get(scope, History()) != one},
    )
    return transitions, changed


def _families(rules: tuple[AlertRule, ...], reading: Reading) -> dict[str, list[AlertRule]]:
    out: dict[str, list[AlertRule]] = defaultdict(list)
    for rule in rules:
        if rule.active and rule.scope == reading.scope:
            out[rule.family].append(rule)
    return out


_Member = tuple[AlertRule, float | None, bool]
"""A rule of a family after a reading: its value (None if that was not measured) and whether it fires."""


def _count_family(members: list[AlertRule], reading: Reading, now: dict[Scope, RuleCount]) -> list[_Member] | None:
    """Each member after the reading; one that was not measured goes on as it was. None when nothing was measured."""
    out: list[_Member] = []
    for rule in members:
        value = reading.values.get(rule.measure) if rule.reads == reading.source else None
        scope = (rule.id, reading.program_id, reading.key)
        if value is not None:
            now[scope] = count(rule, now.get(scope, RuleCount()), value)
        out.append((rule, value, now.get(scope, RuleCount()).firing))
    return out if any(value is not None for _, value, _ in out) else None


def _transitions(
    scope: Scope, reading: Reading, members: list[_Member], severity_of: dict[Scope, AlertSeverity],
    histories: dict[Scope, History], flapping: Flapping,
) -> list[Transition]:  # fmt: skip
    """What a reading does to the incident of a scope: at most two transitions (it opens, and flaps)."""
    fired = [rule.level for rule, _, fires in members if fires]
    severity = severity_of.get(scope)
    before = histories.get(scope, History())
    after = _remember(before, bool(fired), flapping)
    histories[scope] = after
    kinds: list[Kind] = []
    if severity is None and fired:
        kinds.append("opened")
    elif severity is not None and fired and max(fired) > severity:
        kinds.append("raised")
    if (severity is not None or fired) and after.flapping and not before.flapping:
        kinds.append("flapping")
    elif severity is not None and after.flapping and bool(fired) != before.recent.endswith("1"):
        kinds.append("on" if fired else "off")
    elif severity is not None and not fired and not after.flapping:
        kinds.append("closed")
    elif severity is not None and before.flapping and not after.flapping:
        kinds.append("calm")
    if not kinds:
        return []
    grave = max([*fired, *([] if severity is None else [severity])])
    severity_of[scope] = grave
    if kinds[-1] == "closed":
        del severity_of[scope]
    rule, value = _spokesman(members)
    return [Transition(kind, scope, grave, rule, reading, value) for kind in kinds]


def _remember(before: History, firing: bool, flapping: Flapping) -> History:
    """The history after one more reading, at most `flapping.readings` of them."""
    recent = (before.recent + "01"[firing])[-flapping.readings :]
    if "1" not in recent:
        recent = ""  # a calm past is the same as none
    score = flapping.score(recent.rjust(flapping.readings, "0"))
    return History(recent, score > flapping.low if before.flapping else score >= flapping.high)


def _spokesman(members: list[_Member]) -> tuple[AlertRule, float]:
    """The rule to speak of: the gravest that fires and was measured; failing that, the mildest that was measured."""
    measured = [(rule, value, fires) for rule, value, fires in members if value is not None]
    firing = [one for one in measured if one[2]]
    if firing:
        rule, value, _ = max(firing, key=lambda member: member[0].level)
    else:
        rule, value, _ = min(measured, key=lambda member: member[0].level)
    return rule, value


def unwatched(
    incidents: Iterable[Scope], rules: Mapping[int, tuple[AlertRule, ...]], keys: Mapping[tuple[int, str], Collection[str]]
) -> list[Scope]:
    """Scopes of open incidents that no reading can close any more: their rule is switched off, or what they speak of is gone.

    `keys` are what the newest reading of a program (or the deployment) spoke of, by (program id, source);
    where a source gave none, nothing is said about its keys.
    """
    gone = []
    for family, program_id, key in incidents:
        members = [rule for rule in rules.get(program_id, ()) if rule.active and rule.family == family]
        # a program's own readings have the key '', a service's its id; the deployment's are all of one scope
        members = [rule for rule in members if rule.scope == "deployment" or (rule.scope == "program") == (key == "")]
        known = [keys.get((program_id, rule.reads)) for rule in members]
        if not members or (all(found is not None for found in known) and not any(key in (found or ()) for found in known)):
            gone.append((family, program_id, key))
    return gone
