"""Frozen rosters: coding a roster as one blob, storing it once, finding the one that holds at an instant.

Belongs here: the blob format, versions, freezes. Does not belong here: deciding whether a roster is
accepted (actions.freeze), what is the same roster (domain.fingerprint).

A roster is one blob of columns (columns.py); its header holds the nouns.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from resilience_assets.domain.fingerprint import Fingerprint
from resilience_assets.domain.nouns import Person, Post, Service, Tier
from resilience_assets.domain.program import Program, Shift, SlotType
from resilience_assets.domain.roster import Absences, Qualifications, Roster
from resilience_assets.storage import tables
from resilience_assets.storage.columns import pack, unpack

FORMAT = 1
_HELD = ("person", "post", "first", "last")
_AWAY = ("person", "first", "last", "approved", "reported", "source")
_CELLS = ("planned", "state", "shift", "starts", "required", "minimum", "source", "demand_source")


def encode_roster(roster: Roster, print_: Fingerprint) -> bytes:
    """A roster with its hashes as one blob; `decode_roster` gives it back bit for bit."""
    program = roster.program
    columns: dict[str, Any] = {name: getattr(roster, name) for name in _CELLS}
    columns |= {f"held_{name}": getattr(roster.qualifications, name) for name in _HELD}
    columns |= {f"away_{name}": getattr(roster.absences, name) for name in _AWAY}
    header = {
        "format": FORMAT,
        "program": asdict(program),
        "people": [astuple(person) for person in roster.people],
        "services": [[service.id, service.name, int(service.tier)] for service in roster.services],
        "posts": [astuple(post) for post in roster.posts],
        "first_day": roster.first_day,
        "days": roster.days,
        "absence_kinds": roster.absences.kind,
        "content_hash": print_.content,
        "day_hashes": print_.days,
    }
    return pack(header, columns)


def decode_roster(blob: bytes) -> tuple[Roster, Fingerprint]:
    """The roster and its hashes out of a blob. Raises ValueError for an unknown format."""
    header, columns = unpack(blob)
    if header["format"] != FORMAT:
        raise ValueError(f"roster blob has format {header['format']}, this program reads {FORMAT}: install the newer version")
    program = header["program"]
    roster = Roster(
        program=Program(
            program["id"], program["name"], program["time_zone"],
            tuple(SlotType(**slot) for slot in program["slot_types"]),
            tuple(Shift(**shift) for shift in program["shifts"]),
            tuple((first, after) for first, after in program["forbidden_successions"]),
        ),
        first_day=header["first_day"], days=header["days"],
        people=tuple(Person(*person) for person in header["people"]),
        services=tuple(Service(id, name, Tier(tier)) for id, name, tier in header["services"]),
        posts=tuple(Post(*post) for post in header["posts"]),
        qualifications=Qualifications(**{name: columns[f"held_{name}"] for name in _HELD}),
        absences=Absences(kind=tuple(header["absence_kinds"]), **{name: columns[f"away_{name}"] for name in _AWAY}),
        **{name: columns[name] for name in _CELLS},
    )  # fmt: skip
    return roster, Fingerprint(header["content_hash"], tuple(header["day_hashes"]))


@dataclass(frozen=True, slots=True)
class FrozenRoster:
    """Which roster holds for a program at an instant.

    `accepted` false means that the newest revision was refused (its findings are in `findings`) and
    `version_id` is the last accepted one, from `accepted_at`; None where there never was one.
    """

    program_id: int
    program: str
    freeze_id: int
    revision: int
    frozen_at: dt.datetime
    accepted: bool
    findings: list[dict[str, Any]]
    version_id: int | None
    content_hash: str
    accepted_at: dt.datetime | None


def store_version(connection: Connection, program_id: int, roster: Roster, print_: Fingerprint, now: dt.datetime) -> int:
    """Store a roster under its content hash unless it is there; returns the version's id."""
    table = tables.RosterVersion
    found = connection.execute(
        select(table.id).where(table.program_id == program_id, table.content_hash == print_.content)
    ).scalar_one_or_none()
    if found is not None:
        return found
    row = {
        "program_id": program_id, "content_hash": print_.content, "first_day": roster.first_day, "days": roster.days,
        "created_at": now, "blob": encode_roster(roster, print_),
    }  # fmt: skip
    return int(connection.execute(insert(table).returning(table.id), row).scalar_one())


def store_freeze(
    connection: Connection, program_id: int, revision: int, frozen_at: dt.datetime,
    version_id: int | None, content_hash: str, findings: list[dict[str, Any]],
) -> None:  # fmt: skip
    """Record that a revision was looked at: accepted as `version_id`, or refused where that is None."""
    row = {
        "program_id": program_id, "revision": revision, "frozen_at": frozen_at,
        "accepted": version_id is not None, "version_id": version_id, "content_hash": content_hash, "findings": findings,
    }  # fmt: skip
    connection.execute(insert(tables.Freeze), row)


def frozen_revisions(connection: Connection, program_ids: Sequence[int] | None = None) -> dict[int, int]:
    """Newest revision of each program that was ever looked at, by a run for whichever instant."""
    table = tables.Freeze
    query = select(table.program_id, func.max(table.revision)).group_by(table.program_id)
    if program_ids is not None:
        query = query.where(table.program_id.in_(program_ids))
    return {row[0]: row[1] for row in connection.execute(query)}


def frozen_rosters(connection: Connection, as_of: dt.datetime, program_ids: Sequence[int] | None = None) -> list[FrozenRoster]:
    """For each program ever frozen at or before an instant: its newest freeze and last accepted version."""
    freeze = tables.Freeze
    newest = select(freeze.program_id, func.max(freeze.id).label("id")).where(freeze.frozen_at <= as_of).group_by(freeze.program_id)
    if program_ids is not None:
        newest = newest.where(freeze.program_id.in_(program_ids))
    accepted = newest.where(freeze.accepted).subquery()
    newest_ids = newest.subquery()
    good = select(freeze).where(freeze.id.in_(select(accepted.c.id))).subquery()
    query = (
        select(
            freeze, tables.Program.code, good.c.version_id.label("good_version"), good.c.frozen_at.label("good_at"),
            good.c.content_hash.label("good_hash"),
        )
        .join(newest_ids, newest_ids.c.id == freeze.id)
        .join(tables.Program, tables.Program.id == freeze.program_id)
        .outerjoin(good, good.c.program_id == freeze.program_id)
        .order_by(tables.Program.code)
    )  # fmt: skip
    return [
        FrozenRoster(
            row.program_id, row.code, row.id, row.revision, row.frozen_at, row.accepted, row.findings,
            row.good_version, row.good_hash or "", row.good_at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def load_rosters(connection: Connection, version_ids: Iterable[int]) -> dict[int, tuple[Roster, Fingerprint]]:
    """Frozen rosters by version id, in one query."""
    table = tables.RosterVersion
    rows = connection.execute(select(table.id, table.blob).where(table.id.in_(list(version_ids))))
    return {row.id: decode_roster(row.blob) for row in rows}
