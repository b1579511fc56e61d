"""Evaluate alert rules over the readings that they have not seen, in order, and tell who must know.

Belongs here: taking the readings of each source once, storing incidents, events and notices in one transaction,
reminding and escalating by the clock. Does not belong here: when a rule fires and who is told (alerting), limits
(policy), what is read (alert_readings), the rows of a notice (tell), delivery.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from resilience_assets.actions.alert_readings import (
    Keys,
    ObservedRun,
    clock_readings,
    health_readings,
    minute_of,
    run_readings,
)
from resilience_assets.actions.tell import Covers, Desk, Event, advice_of, severity_of, silences_of, tell, tell_held
from resilience_assets.alerting.incidents import (
    DEPLOYMENT,
    History,
    Memory,
    OpenIncident,
    Reading,
    RuleCount,
    Scope,
    Transition,
    evaluate,
    unwatched,
)
from resilience_assets.alerting.notice import measured_of, summary_of
from resilience_assets.alerting.telling import HELD, Heard, due_steps
from resilience_assets.policy import AlertRule, Policies
from resilience_assets.policy.alerts import Source
from resilience_assets.storage import incidents, results
from resilience_assets.storage.database import Database

SOURCE = "health_check"
"""The table whose rows are the readings of most rules."""

SOURCES: tuple[Source, ...] = ("health_check", "clock", "run")

SPARED = ("silence", "inhibition")
"""Reasons that pass: once they no longer hold, what is still open is told."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation did: readings taken, transitions by kind, notices written, and what is open now."""

    readings: int
    transitions: dict[str, int]
    open: list[Any]
    notices: int = 0


def evaluate_alerts(
    database: Database, policies: Policies, now: dt.datetime | None = None, *, source: Source | None = None,
    observed: Sequence[ObservedRun] = (), covers: Covers | None = None,
) -> Evaluation:  # fmt: skip
    """Take every reading since the last evaluation, move incidents on, and tell whoever is concerned.

    `now` is when this is done: reminders, quiet hours and the readings of the clock go by it. Without it the
    newest headline's instant is taken, and the clock is not read. `source` takes the readings of one source
    alone (the dispatcher's watchdog: clock). `observed` are scheduled runs as their caller sees them. `covers`
    gives lines on who may cover. One transaction; whoever evaluates at the same time waits.
    """
    with database.write(alone="alerts") as connection:
        work = _Work(connection, policies, now, {source} if source is not None else set(SOURCES), observed)
        taken = work.take()
        if work.now is None:
            return Evaluation(0, {}, incidents.open_incidents(connection))
        transitions = work.move(taken)
        work.end_unwatched()
        work.chain()
        work.uncover()
        desk = work.desk(covers)
        notices = tell(desk, work.events) + tell_held(desk)
        return Evaluation(len(taken), transitions, incidents.open_incidents(connection), notices)


@dataclass
class _Work:
    """One evaluation under way: what was read, what is open, and the events so far."""

    connection: Any
    policies: Policies
    now: dt.datetime | None
    sources: Collection[str]
    observed: Sequence[ObservedRun]
    events: list[Event] = field(default_factory=list)
    keys: Keys = field(default_factory=dict)
    open: dict[Scope, Any] = field(default_factory=dict)
    closed: set[int] = field(default_factory=set)
    programs: dict[int, tuple[str, str]] = field(default_factory=lambda: {DEPLOYMENT: ("", "UTC")})
    """Readable id and time zone by program."""

    # --- readings ----------------------------------------------------------------------------------

    def take(self) -> list[Reading]:
        """Readings of every source asked for, in order of their instants, each taken once."""
        for row in incidents.open_incidents(self.connection):
            self.open[row.rule, row.program_id or DEPLOYMENT, row.scope_key] = row
            self.programs[row.program_id or DEPLOYMENT] = (row.program, row.time_zone)
        readings: list[Reading] = []
        if SOURCE in self.sources:
            readings += self._headlines()
        if self.now is not None:
            for name, found in (("clock", self._clock), ("run", self._runs)):
                if name in self.sources and minute_of(self.now) > incidents.last_reading(self.connection, name):
                    readings += found()
        return sorted(readings, key=lambda reading: reading.as_of)

    def _headlines(self) -> list[Reading]:
        headlines = results.headlines_after(self.connection, incidents.last_reading(self.connection, SOURCE))
        if not headlines:
            return []
        incidents.save_last_reading(self.connection, SOURCE, headlines[-1].id)
        self.programs |= {row.program_id: (row.program, row.time_zone) for row in headlines}
        taken = health_readings(self.connection, headlines, self.policies)
        self.keys |= taken.keys
        newest = max(row.as_of for row in headlines)
        self.now = newest if self.now is None else self.now
        return taken.readings

    def _clock(self) -> list[Reading]:
        assert self.now is not None
        incidents.save_last_reading(self.connection, "clock", minute_of(self.now))
        failed = [key for family, program_id, key in self.open if program_id == DEPLOYMENT and family == "delivery_failed"]
        return clock_readings(self.connection, self.now, self.policies, failed)

    def _runs(self) -> list[Reading]:
        assert self.now is not None
        if not self.observed:
            return []
        incidents.save_last_reading(self.connection, "run", minute_of(self.now))
        self.keys[DEPLOYMENT, "run"] = {run.job for run in self.observed}
        return run_readings(self.now, self.observed)

    # --- incidents ---------------------------------------------------------------------------------

    def rules(self) -> dict[int, tuple[AlertRule, ...]]:
        """Rules by program id; those of the deployment are the common policy's."""
        out = {id: self.policies.for_program(code).alert_rules for id, (code, _) in self.programs.items() if id != DEPLOYMENT}
        return out | {DEPLOYMENT: tuple(rule for rule in self.policies.default.alert_rules if rule.scope == "deployment")}

    def move(self, readings: Iterable[Reading]) -> dict[str, int]:
        """Let the state machine take the readings, and store what changed; returns transitions by kind."""
        memory = Memory(
            {scope: RuleCount(*state) for scope, state in incidents.rule_states(self.connection).items()},
            {scope: History(*state) for scope, state in incidents.rule_histories(self.connection).items()},
        )
        known = [OpenIncident(scope, severity_of(row.severity)) for scope, row in self.open.items()]
        readings = list(readings)
        transitions, changed = evaluate(readings, self.rules(), memory, known, self.policies.telling.flapping)
        for transition in transitions:
            self._apply(transition)
        self._refresh(readings)
        incidents.save_rule_states(
            self.connection, {scope: (one.over, one.under, one.firing) for scope, one in changed.counts.items()}
        )
        incidents.save_rule_histories(self.connection, {scope: (one.recent, one.flapping) for scope, one in changed.histories.items()})
        return dict(Counter(transition.kind for transition in transitions))

    def _apply(self, transition: Transition) -> None:
        reading, rule, scope = transition.reading, transition.rule, transition.scope
        told: dict[str, Any] = {
            "severity": transition.severity.text, "value": transition.value, "rule_id": rule.id,
            "summary": summary_of(rule, reading, transition.value), "place": reading.where,
        }  # fmt: skip
        if transition.kind == "opened":
            thread = self._thread(scope)
            incident_id = incidents.open_incident(self.connection, scope, as_of=reading.as_of, **told, thread_id=thread)
            if thread is None:
                incidents.update_incident(self.connection, incident_id, thread_id=incident_id)
        else:
            incident_id = self.open[scope].id
            if transition.kind in ("off", "on"):
                told = {"value": transition.value}
            elif transition.kind == "closed":
                told = {"value": transition.value, "closed_at": reading.as_of, "place": measured_of(rule, transition.value)}
            elif transition.kind == "raised":
                told |= {"base_at": reading.as_of, "step": 0, "acknowledged_at": None}
            incidents.update_incident(self.connection, incident_id, **told)
        (row,) = incidents.find_incidents(self.connection, [incident_id])
        self.open[scope] = row
        origin = f"{'|'.join(map(str, scope))}|{reading.source}|{reading.reading_id}|{transition.kind}"
        self._event(row, transition.kind, reading.as_of, origin, value=transition.value)
        if transition.kind == "closed":
            del self.open[scope]

    def _thread(self, scope: Scope) -> int | None:
        """The thread of what is open of the same program and rule, or was until this very evaluation."""
        family, program_id, _ = scope
        threads = [row.thread_id for (name, owner, _), row in self.open.items() if (name, owner) == (family, program_id)]
        threads += [event.thread_id for event in self.events if (event.family, event.program_id) == (family, program_id)]
        return min((thread for thread in threads if thread is not None), default=None)

    def _refresh(self, readings: Sequence[Reading]) -> None:
        """Keep the newest figure and sentence of what is open, for reminders and lists."""
        newest = {(reading.program_id, reading.key, reading.source): reading for reading in readings}
        rules = {(id, rule.id): rule for id, of in self.rules().items() for rule in of}
        for (_, program_id, key), row in list(self.open.items()):
            rule = rules.get((program_id, row.rule_id))
            reading = newest.get((program_id, key, rule.reads)) if rule is not None else None
            value = reading.values.get(rule.measure) if reading is not None and rule is not None else None
            if rule is None or reading is None or value is None or value == row.value or not rule.fires(value):
                continue
            told = {"value": value, "summary": summary_of(rule, reading, value), "place": reading.where}
            incidents.update_incident(self.connection, row.id, **told)

    def _event(
        self, row: Any, kind: str, as_of: dt.datetime, origin: str, *, value: float | None = None, level: int = 1,
        readers: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        assert self.now is not None
        values = {
            "kind": kind, "severity": row.severity, "as_of": as_of, "at": self.now, "value": value, "summary": row.summary,
            "level": level, "origin": origin,
        }  # fmt: skip
        event_id = incidents.add_event(self.connection, row.id, values)
        self.events.append(
            Event(
                event_id, row.id, row.thread_id, kind, row.program_id or DEPLOYMENT, row.program, row.rule, row.rule_id,
                row.scope_key, severity_of(row.severity), as_of, row.time_zone, level, readers,
            )
        )  # fmt: skip

    def end_unwatched(self) -> None:
        """Close what no reading can close any more, with a closing notice."""
        assert self.now is not None
        gone = unwatched(self.open, self.rules(), self.keys)
        for scope in gone:
            row = self.open.pop(scope)
            incidents.update_incident(self.connection, row.id, closed_at=self.now, place="")
            self._event(row, "superseded", self.now, f"{row.id}|superseded")
        families = {rule.id: rule.family for of in self.rules().values() for rule in of}
        states = incidents.rule_states(self.connection) if gone else {}
        dead = {scope: (0, 0, False) for scope in states if (families.get(scope[0], ""), *scope[1:]) in gone}
        incidents.save_rule_states(self.connection, dead)
        incidents.save_rule_histories(self.connection, dict.fromkeys(gone, ("", False)))

    # --- the clock ---------------------------------------------------------------------------------

    def chain(self) -> None:
        """Remind and escalate where nobody has acknowledged."""
        assert self.now is not None
        fresh = {event.incident_id for event in self.events if event.kind in ("opened", "raised")}
        recent = {scope: history for scope, (history, _) in incidents.rule_histories(self.connection).items()}
        for scope, row in self.open.items():
            if row.acknowledged_at is not None or row.base_at is None:
                continue
            steps = due_steps(row.base_at, severity_of(row.severity), row.step, self.now, self.policies.telling)
            if not steps:
                continue
            incidents.update_incident(self.connection, row.id, step=steps[-1].number)
            if recent.get(scope, "").endswith("0"):
                continue  # it comes and goes, and just now is gone
            if row.id in fresh:
                steps = [step for step in steps if step.level > 1]  # it is being told in this very evaluation
            for step in steps:
                kind = "reminder" if step.level == 1 else "escalated"
                if self.policies.telling.readers(row.program, row.rule, row.rule_id, severity_of(row.severity), step.level):
                    origin = f"{row.id}|{row.base_at:%Y%m%dT%H%M%S}|step {step.number}"
                    self._event(self.open[scope], kind, self.now, origin, value=row.value, level=step.level)

    def uncover(self) -> None:
        """Tell what is still open to those who were spared it by a silence or a mute that no longer holds."""
        assert self.now is not None
        by_id = {row.id: row for row in self.open.values()}
        told_now = {event.incident_id for event in self.events}
        desk = self.desk(None)
        spared: dict[int, list[str]] = {}
        for incident_id, reader in incidents.untold_openings(self.connection, SPARED):
            if incident_id in by_id and incident_id not in told_now:
                spared.setdefault(incident_id, []).append(reader)
        for incident_id, readers in spared.items():
            row = by_id[incident_id]
            probe = Event(
                0, row.id, row.thread_id, "still open", row.program_id or DEPLOYMENT, row.program, row.rule, row.rule_id,
                row.scope_key, severity_of(row.severity), self.now, row.time_zone,
            )  # fmt: skip
            if not desk.silenced(probe) and not desk.muted(probe):
                origin = f"{row.id}|still open|{minute_of(self.now)}"
                self._event(row, "still open", self.now, origin, value=row.value, readers=tuple(readers))

    def desk(self, covers: Covers | None) -> Desk:
        """What telling needs to know."""
        assert self.now is not None
        concerned = sorted({event.incident_id for event in self.events})
        known = incidents.heard(self.connection, concerned, HELD)
        families: dict[int, set[str]] = {}
        for family, program_id, _ in self.open:
            families.setdefault(program_id, set()).add(family)
        return Desk(
            self.connection, self.policies, self.now, silences_of(self.connection, self.now), families,
            {who: Heard(*state) for who, state in known.items()}, covers,
            advice_of(self.policies, [code for code, _ in self.programs.values()]),
        )  # fmt: skip
