"""Tell readers what happened: notices, the inbox, the outbox, and a reason for whoever is not told.

Belongs here: turning the events of one evaluation into rows, in its transaction; the morning digests. Does not
belong here: what happened (evaluate_alerts), the decision for a reader and the words (alerting), sending (delivery).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resilience_assets.alerting import telling
from resilience_assets.alerting.html import notice_html
from resilience_assets.alerting.notice import LEADS, NoticeText, Story, digest_text, notice_text, with_names
from resilience_assets.alerting.telling import (
    ENDS,
    HELD,
    HOLD,
    INBOX,
    NOT_FOR_THE_INBOX,
    TELL,
    Heard,
    HeldItem,
    Silence,
    decide,
)
from resilience_assets.domain.scales import AlertSeverity
from resilience_assets.policy import Policies, Recipient
from resilience_assets.storage import acts, incidents, outbox
from resilience_assets.storage.outbox import Outgoing

Covers = Callable[[str, str], Sequence[str]]
"""Ready lines on who may cover what is open, for a program and a service ('' for all of it); people by readable id."""

COVERED = ("coverage", "tier_1_seats", "defense_level")
"""Families of open seats: their notices say who may cover."""

MORNING = "morning"
"""Kind of the one message that ends a reader's quiet hours."""

DEFAULT_TO_DO = "resilience status --program {program}, then fill what is open first"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an incident in this evaluation, as stored. `readers` are those concerned: None
    means whoever the routes name at `level`."""

    id: int
    incident_id: int
    thread_id: int
    kind: str
    program_id: int
    program: str
    family: str
    rule_id: str
    key: str
    severity: AlertSeverity
    as_of: dt.datetime
    time_zone: str
    level: int = 1
    readers: tuple[str, ...] | None = None


@dataclass
class Desk:
    """What telling needs to know, read once for an evaluation."""

    connection: Any
    policies: Policies
    now: dt.datetime
    silences: list[Silence]
    open_families: dict[int, set[str]]
    """Families with an open incident, by program."""
    heard: dict[tuple[int, str], Heard]
    covers: Covers | None = None
    to_do: Mapping[str, str] = field(default_factory=dict)
    """The advice of a rule, by rule id."""
    names: dict[int, dict[str, str]] = field(default_factory=dict)

    def muted(self, event: Event) -> bool:
        """Whether a family that mutes the event's rule has an open incident in the same program."""
        rules = self.policies.for_program(event.program).alert_rules
        by = next((rule.muted_by for rule in rules if rule.id == event.rule_id), ())
        return bool(set(by) & self.open_families.get(event.program_id, set()))

    def silenced(self, event: Event) -> bool:
        """Whether a silence covers the event now."""
        return any(one.covers(event.program, event.family, event.key, self.now) for one in self.silences)


def silences_of(connection: Any, now: dt.datetime) -> list[Silence]:
    """The silences that hold now or later."""
    return [Silence(row.program, row.rule, row.scope_key, row.starts_at, row.ends_at) for row in acts.silences(connection, now)]


def tell(desk: Desk, events: Sequence[Event]) -> int:
    """Tell every event to every reader it concerns, or write down why not; returns how many notices were written.

    Events of one thread (one program and rule) go into one notice; readers who are told of the same events share it.
    """
    groups: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        groups[event.thread_id].append(event)
    return sum(_tell_group(desk, group) for group in groups.values())


def _tell_group(desk: Desk, events: list[Event]) -> int:
    told: dict[tuple[int, ...], list[str]] = defaultdict(list)
    rows: list[dict[str, Any]] = []
    readers = list(dict.fromkeys(reader for event in events for reader in _concerned(desk, event, events)))
    for reader in readers:
        who = None if reader == INBOX else desk.policies.telling.recipient(reader)
        ids = []
        for event in events:
            if reader not in _concerned(desk, event, events):
                continue
            verdict = _verdict(desk, event, reader, who)
            if verdict == TELL:
                ids.append(event.id)
            else:
                rows.append({"event_id": event.id, "reader": reader, "reason": HELD if verdict == HOLD else verdict})
        if ids:
            told[tuple(ids)].append(reader)
    by_id = {event.id: event for event in events}
    for event_ids, who_reads in told.items():
        chosen = [by_id[event_id] for event_id in event_ids]
        notice_id = _write_notice(desk, chosen, who_reads)
        rows += [{"event_id": event_id, "reader": reader, "notice_id": notice_id} for reader in who_reads for event_id in event_ids]
    incidents.add_tellings(desk.connection, rows)
    return len(told)


def _verdict(desk: Desk, event: Event, reader: str, who: Recipient | None) -> str:
    """The decision for an event and a reader; what they have heard moves on with it."""
    heard = desk.heard.get((event.incident_id, reader), Heard())
    if reader != INBOX and who is None:
        return "not told"  # no recipient of the policy any more
    verdict = decide(event.kind, event.severity, who, desk.now, heard, silenced=desk.silenced(event), muted=desk.muted(event))
    if verdict == TELL:
        # a graver turn at night also tells what was held of it
        desk.heard[event.incident_id, reader] = Heard(True, False)
    elif verdict == HOLD:
        desk.heard[event.incident_id, reader] = Heard(heard.told, True)
    else:
        desk.heard.setdefault((event.incident_id, reader), heard)
    return verdict


def _concerned(desk: Desk, event: Event, group: Sequence[Event]) -> list[str]:
    """Readers whom an event concerns: by the routes, or for an end whoever was concerned before."""
    if event.readers is not None:
        return list(event.readers)
    if event.kind in ENDS:
        before = [reader for incident, reader in desk.heard if incident == event.incident_id]
        return list(dict.fromkeys(before))
    routed = desk.policies.telling.readers(event.program, event.family, event.rule_id, event.severity, event.level)
    ids = [one.id for one in routed]
    return ids if event.kind in NOT_FOR_THE_INBOX else [INBOX, *ids]


# --- one notice ------------------------------------------------------------------------------------


def _write_notice(desk: Desk, events: list[Event], readers: list[str]) -> int:
    """Write the notice of some events of one group, and hand it to its readers; returns its id."""
    connection, thread_id = desk.connection, events[0].thread_id
    stories = _stories(desk, events)
    covers = _covers(desk, events, stories)
    text = notice_text(stories, events[0].time_zone, covers)
    over = all(story.over for story in stories)
    kind = "closed" if over else min((event.kind for event in events), key=LEADS.index)
    still_told = incidents.readers_of_open(connection, thread_id) if over else set()
    values = {
        "kind": kind, "as_of": max(event.as_of for event in events), "severity": text.severity.text,
        "subject": text.subject, "body": text.body, "delivered_at": None,
    }  # fmt: skip
    notice_id, seq = incidents.add_notice(connection, thread_id, values)
    if INBOX in readers:
        incidents.add_to_inbox(connection, notice_id, events[0].program_id, text.severity.text, text.subject, text.body, desk.now)
    outgoing = []
    for reader in readers:
        recipient = desk.policies.telling.recipient(reader) if reader != INBOX else None
        if recipient is not None:
            # the thread is closed for a reader once nothing that they were told of is open
            told_as = "changed" if reader in still_told else kind
            outgoing.append(_outgoing(desk, recipient, text, told_as, stories, thread_id, seq, events[0].program_id))
        for incident_id in {event.incident_id for event in events}:
            incidents.tell_held(connection, incident_id, reader, notice_id, HELD)
    outbox.enqueue(connection, outgoing, desk.now)
    return notice_id


def _stories(desk: Desk, events: list[Event]) -> list[Story]:
    """One story an incident, with the newest thing that happened to it."""
    last = {event.incident_id: event for event in events}
    rows = incidents.find_incidents(desk.connection, sorted(last))
    return [_story(desk, row, last[row.id].kind, last[row.id].as_of) for row in rows]


def _story(desk: Desk, row: Any, kind: str, as_of: dt.datetime) -> Story:
    advice = desk.to_do.get(row.rule_id) or DEFAULT_TO_DO
    program = row.program
    to_do = advice.replace("{program}", program).replace("{key}", row.scope_key) if program or "{program}" not in advice else ""
    return Story(
        row.id, kind, program, row.scope_key, row.rule, severity_of(row.severity), row.summary, row.opened_at, as_of,
        closed_at=row.closed_at, measured=row.place if row.closed_at is not None else "",
        place="" if row.closed_at is not None else row.place, to_do=to_do, acknowledged=row.acknowledged_at is not None,
    )  # fmt: skip


def severity_of(text: str) -> AlertSeverity:
    """The step of a stored severity."""
    return AlertSeverity[text.upper()]


def _covers(desk: Desk, events: list[Event], stories: list[Story]) -> Sequence[str]:
    if desk.covers is None or events[0].family not in COVERED or all(story.over for story in stories):
        return ()
    keys = {story.key for story in stories if not story.over}
    return [line for key in ([""] if "" in keys else sorted(keys)) for line in desk.covers(events[0].program, key)]


def _outgoing(
    desk: Desk, recipient: Recipient, text: NoticeText, kind: str, stories: Sequence[Story], thread_id: int, seq: int, program_id: int
) -> Outgoing:
    if recipient.include_names and program_id:
        if program_id not in desk.names:
            desk.names[program_id] = incidents.names_by_id(desk.connection, program_id)
        text = with_names(text, desk.names[program_id])
    return Outgoing(
        thread_id, seq, recipient.channel, recipient.address or recipient.id, text.severity.text, kind, text.subject, text.body,
        html=notice_html(text) if recipient.channel == "email" else None, payload=_payload(stories),
    )  # fmt: skip


def _payload(stories: Sequence[Story]) -> dict[str, Any]:
    """What machines read: ids and figures, no names."""
    return {
        "program": stories[0].program,
        "alerts": [
            {
                "incident": one.incident_id, "rule": one.family, "scope": one.key, "event": one.kind, "severity": one.severity.text,
                "summary": one.summary, "opened_at": one.opened_at.isoformat(),
                "closed_at": one.closed_at.isoformat() if one.closed_at else None,
            }
            for one in stories[:50]
        ],
    }  # fmt: skip


# --- the morning -----------------------------------------------------------------------------------


def tell_held(desk: Desk) -> int:
    """One digest for each reader whose quiet hours are over and for whom something was held; returns how many."""
    by_reader: dict[str, list[Any]] = defaultdict(list)
    for row in incidents.held_tellings(desk.connection, HELD):
        by_reader[row.reader].append(row)
    written = 0
    for reader, rows in by_reader.items():
        recipient = desk.policies.telling.recipient(reader)
        if recipient is None:
            incidents.settle_held(desk.connection, [row.id for row in rows], reason="not told")
        elif not recipient.is_quiet(desk.now):
            written += _digest(desk, recipient, rows)
    return written


def _digest(desk: Desk, recipient: Recipient, rows: list[Any]) -> bool:
    connection = desk.connection
    told = {incident for (incident, reader), heard in desk.heard.items() if reader == recipient.id and heard.told}
    told |= {
        incident for (incident, reader), (was_told, _) in incidents.heard(connection, sorted({row.incident_id for row in rows}), HELD).items()
        if reader == recipient.id and was_told
    }  # fmt: skip
    items = [
        HeldItem(row.id, row.incident_id, row.kind, row.closed_at is None, row.acknowledged_at is not None, row.incident_id in told)
        for row in rows
    ]  # fmt: skip
    ids, dropped = telling.digest(items)
    for reason in set(dropped.values()):
        incidents.settle_held(connection, [id for id, why in dropped.items() if why == reason], reason=reason)
    if not ids:
        return False
    wanted = sorted({row.incident_id for row in rows if row.id in set(ids)})
    found = incidents.find_incidents(connection, wanted)
    stories = [_story(desk, row, "closed" if row.closed_at else "still open", desk.now) for row in found]
    text = digest_text(stories, recipient.time_zone)
    values = {
        "kind": MORNING, "as_of": desk.now, "severity": text.severity.text, "subject": text.subject, "body": text.body,
        "delivered_at": desk.now,
    }  # fmt: skip
    notice_id, _ = incidents.add_notice(connection, None, values)
    incidents.settle_held(connection, ids, notice_id=notice_id)
    message_id = outbox.add_message(
        connection, desk.now, "alerts", kind=MORNING, level=text.severity.text, subject=text.subject, text=text.body
    )
    row = Outgoing(
        None, 0, recipient.channel, recipient.address or recipient.id, text.severity.text, MORNING, text.subject, text.body,
        html=notice_html(text) if recipient.channel == "email" else None, payload=_payload(stories), message_id=message_id,
    )  # fmt: skip
    outbox.enqueue(connection, [row], desk.now)
    return True


def advice_of(policies: Policies, programs: Iterable[str]) -> dict[str, str]:
    """What each rule advises to do, by rule id."""
    rules = [rule for program in programs for rule in policies.for_program(program).alert_rules]
    return {rule.id: rule.to_do for rule in [*policies.default.alert_rules, *rules] if rule.to_do}
