"""What must hold of alerts and their deliveries whatever happened, as queries that find every breach.

Belongs here: the invariants, each a name, what it means and a query of the rows that break it. Does not belong
here: repairing anything, how delivery works (outbox.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from resilience_assets.storage.database import Database


@dataclass(frozen=True, slots=True)
class Invariant:
    """What holds, in a sentence, and a query that gives the id of each row that breaks it."""

    name: str
    holds: str
    query: str


INVARIANTS = (
    Invariant(
        "one_open_incident",
        "a rule has at most one open incident a scope",
        """
        SELECT MIN(id) FROM incident WHERE closed_at IS NULL GROUP BY rule, COALESCE(program_id, 0),
        scope_key HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "known_state",
        "a row is pending, sent, dead or cancelled",
        """
        SELECT id FROM outbox WHERE state NOT IN ('pending', 'sent', 'dead', 'cancelled')
        """,
    ),
    Invariant(
        "settled_is_settled",
        "a row that is done has an instant and no lease, one that is pending no instant",
        """
        SELECT id FROM outbox WHERE (state = 'pending') = (settled_at IS NOT NULL) OR (state <> 'pending'
        AND (lease_by IS NOT NULL OR lease_until IS NOT NULL))
        """,
    ),
    Invariant(
        "sent_was_taken",
        "a sent row has an attempt that the peer took",
        """
        SELECT o.id FROM outbox o WHERE o.state = 'sent' AND NOT EXISTS (SELECT 1 FROM delivery_attempt a
        WHERE a.outbox_id = o.id AND a.outcome = 'sent')
        """,
    ),
    Invariant(
        "taken_is_sent",
        "what the peer took is sent, and is not tried again",
        """
        SELECT o.id FROM outbox o JOIN delivery_attempt a ON a.outbox_id = o.id AND a.outcome = 'sent' WHERE
        o.state <> 'sent' OR EXISTS (SELECT 1 FROM delivery_attempt b WHERE b.outbox_id = o.id AND b.n >
        a.n)
        """,
    ),
    Invariant(
        "attempts_are_counted",
        "a row counts its attempts, which are numbered without gaps",
        """
        SELECT o.id FROM outbox o LEFT JOIN delivery_attempt a ON a.outbox_id = o.id GROUP BY o.id,
        o.attempts HAVING COUNT(a.id) <> o.attempts OR COALESCE(MAX(a.n), 0) <> o.attempts
        """,
    ),
    Invariant(
        "attempts_end",
        "an attempt that is not the newest of a leased row has an outcome",
        """
        SELECT a.id FROM delivery_attempt a JOIN outbox o ON o.id = a.outbox_id WHERE a.outcome IS NULL AND
        (o.lease_by IS NULL OR a.n <> o.attempts)
        """,
    ),
    Invariant(
        "one_attempt_at_a_time",
        "a row has at most one attempt under way",
        """
        SELECT outbox_id FROM delivery_attempt WHERE outcome IS NULL GROUP BY outbox_id HAVING COUNT(*) > 1
        """,
    ),
    Invariant(
        "cancelled_for_a_reason",
        "a cancelled or dead row says why",
        """
        SELECT id FROM outbox WHERE state IN ('cancelled', 'dead') AND COALESCE(reason, '') = ''
        """,
    ),
    Invariant(
        "cancelled_is_told",
        "a row that was cancelled for a digest has one, which goes to the same reader",
        """
        SELECT o.id FROM outbox o LEFT JOIN outbox d ON d.id = o.digest_id WHERE o.digest_id IS NOT NULL AND
        (o.state <> 'cancelled' OR d.kind <> 'digest' OR d.channel <> o.channel OR d.recipient <>
        o.recipient)
        """,
    ),
    Invariant(
        "digest_replaces",
        "a digest of the outbox stands for rows that were cancelled",
        """
        SELECT d.id FROM outbox d WHERE d.kind = 'digest' AND d.message_id IS NULL AND NOT EXISTS (SELECT 1
        FROM outbox o WHERE o.digest_id = d.id)
        """,
    ),
    Invariant(
        "dead_leaves_a_letter",
        "a dead row of at least a warning has left a dead letter",
        """
        SELECT o.id FROM outbox o WHERE o.state = 'dead' AND o.severity <> 'info' AND NOT EXISTS (SELECT 1
        FROM dead_letter l WHERE l.outbox_id = o.id)
        """,
    ),
    Invariant(
        "in_order",
        "no reader is sent a later notice of an incident before an earlier one that was not given up",
        """
        SELECT o.id FROM outbox o JOIN delivery_attempt a ON a.outbox_id = o.id JOIN outbox p ON
        p.incident_id = o.incident_id AND p.channel = o.channel AND p.recipient = o.recipient AND p.seq <
        o.seq AND p.created_at <= a.started_at AND p.forgiven = 0 WHERE p.state = 'pending' OR (p.state =
        'sent' AND p.settled_at > a.started_at)
        """,
    ),
    Invariant(
        "told_of_the_end",
        "who was sent a notice of an incident that is told to be over has a row that says so",
        """
        SELECT DISTINCT o.incident_id FROM outbox o JOIN outbox c ON c.incident_id = o.incident_id AND
        c.kind = 'closed' WHERE o.kind <> 'closed' AND o.state = 'sent' AND o.seq < c.seq AND o.kind <>
        'digest' AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.incident_id = o.incident_id AND e.kind =
        'closed' AND e.channel = o.channel AND e.recipient = o.recipient) AND NOT EXISTS (SELECT 1 FROM
        outbox m WHERE m.kind = 'morning' AND m.created_at >= c.created_at AND m.channel = o.channel AND
        m.recipient = o.recipient) AND NOT EXISTS (SELECT 1 FROM telling t JOIN incident_event v ON v.id =
        t.event_id JOIN incident i ON i.id = v.incident_id WHERE i.thread_id = o.incident_id AND t.reason =
        'held until morning') AND NOT EXISTS (SELECT 1 FROM incident g WHERE g.thread_id = o.incident_id AND
        g.closed_at IS NULL)
        """,
    ),
    Invariant(
        "every_event_has_a_reader",
        "what opened, rose or closed was told to the inbox, or there is a reason why not",
        """
        SELECT e.id FROM incident_event e WHERE e.kind IN ('opened', 'raised', 'flapping', 'calm', 'closed',
        'superseded') AND NOT EXISTS (SELECT 1 FROM telling t WHERE t.event_id = e.id AND t.reader =
        'inbox')
        """,
    ),
    Invariant(
        "told_is_told_of_the_end",
        "who was told of an incident that is over was told so exactly once, or is with the morning",
        """
        SELECT t.incident_id FROM (SELECT e.incident_id, t.reader FROM telling t JOIN incident_event e ON
        e.id = t.event_id JOIN incident i ON i.id = e.incident_id WHERE i.closed_at IS NOT NULL AND
        t.notice_id IS NOT NULL AND e.kind NOT IN ('closed', 'superseded') GROUP BY e.incident_id, t.reader)
        t WHERE (SELECT COUNT(*) FROM telling c JOIN incident_event e ON e.id = c.event_id WHERE
        e.incident_id = t.incident_id AND c.reader = t.reader AND e.kind IN ('closed', 'superseded') AND
        (c.notice_id IS NOT NULL OR c.reason = 'held until morning')) <> 1
        """,
    ),
    Invariant(
        "untold_is_spared_the_end",
        "nobody is told of the end of what they were never told of",
        """
        SELECT c.id FROM telling c JOIN incident_event e ON e.id = c.event_id WHERE e.kind IN ('closed',
        'superseded') AND c.notice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM telling t JOIN
        incident_event o ON o.id = t.event_id WHERE o.incident_id = e.incident_id AND t.reader = c.reader
        AND t.notice_id IS NOT NULL AND o.kind NOT IN ('closed', 'superseded'))
        """,
    ),
    Invariant(
        "told_is_in_the_inbox",
        "a notice that is told to the inbox is there",
        """
        SELECT DISTINCT t.notice_id FROM telling t WHERE t.reader = 'inbox' AND t.notice_id IS NOT NULL AND
        NOT EXISTS (SELECT 1 FROM inbox_message m WHERE m.notice_id = t.notice_id)
        """,
    ),
    Invariant(
        "told_is_in_the_outbox",
        "a notice has an outbox row for each reader besides the inbox",
        """
        SELECT n.id FROM notice n WHERE n.incident_id IS NOT NULL AND (SELECT COUNT(DISTINCT t.reader) FROM
        telling t WHERE t.notice_id = n.id AND t.reader <> 'inbox') > (SELECT COUNT(*) FROM outbox o WHERE
        o.incident_id = n.incident_id AND o.seq = n.seq AND o.kind <> 'digest')
        """,
    ),
    Invariant(
        "event_is_told_or_not",
        "an event's reader has a notice or a reason, never both",
        """
        SELECT id FROM telling WHERE (notice_id IS NULL) = (reason = '')
        """,
    ),
    Invariant(
        "incident_has_events",
        "an incident begins with its opening, and one that is over has one end",
        """
        SELECT i.id FROM incident i WHERE NOT EXISTS (SELECT 1 FROM incident_event e WHERE e.incident_id =
        i.id AND e.seq = 1 AND e.kind = 'opened') OR (i.closed_at IS NOT NULL) <> ((SELECT COUNT(*) FROM
        incident_event e WHERE e.incident_id = i.id AND e.kind IN ('closed', 'superseded')) = 1)
        """,
    ),
)


def breaches(database: Database) -> dict[str, list[int]]:
    """Ids of the rows that break an invariant, by its name; empty when all hold. One view of the database."""
    found: dict[str, list[int]] = {}
    with database.read() as connection:
        for invariant in INVARIANTS:
            ids = sorted({int(row[0]) for row in connection.execute(text(invariant.query))})
            if ids:
                found[invariant.name] = ids
    return found
