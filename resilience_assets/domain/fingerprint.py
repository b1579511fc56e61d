"""The content hash of a roster and a hash per date.

Belongs here: what counts as 'the same roster'. Does not belong here: storing versions (storage).
Left out on purpose: names, provenance, and whether an absence came from a file or was reported
here; so the same roster from another file keeps its hash and every report on it stays fresh.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np

from resilience_assets.domain.roster import CELL_FIELDS, Roster


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 hex digests: `content` of the whole roster, `days[i]` of its i-th date."""

    content: str
    days: tuple[str, ...]


def fingerprint(roster: Roster) -> Fingerprint:
    """Hash a roster. Equal rosters (CELL_FIELDS, people, posts, shifts, qualifications, absences) hash equal.

    A date's hash covers that date's cells, demand and valid qualifications, and the header that
    gives indices their meaning; two dates with equal hashes give equal per-date results.
    """
    header = hashlib.sha256(_header(roster)).digest()
    masks = {low // roster.per_day: np.packbits(mask).tobytes() for low, _, mask in roster.qualification_periods()}
    # [rows, days * slots] -> [days, rows * slots]: one contiguous stretch of bytes a date
    by_day = []
    for name in CELL_FIELDS:
        cells = getattr(roster, name)
        by_day.append(np.ascontiguousarray(cells.reshape(cells.shape[0], roster.days, roster.per_day).swapaxes(0, 1)))
    digests: list[bytes] = []
    mask = b""
    for day in range(roster.days):
        mask = masks.get(day, mask)
        digest = hashlib.sha256(header)
        digest.update(mask)
        for cells in by_day:
            digest.update(cells[day].data)
        digests.append(digest.digest())
    whole = hashlib.sha256(header)
    whole.update(_periods(roster))
    whole.update(b"".join(digests))
    return Fingerprint(whole.hexdigest(), tuple(digest.hex() for digest in digests))


def _header(roster: Roster) -> bytes:
    program = roster.program
    parts = [
        [program.id, program.time_zone, sorted(program.forbidden_successions)],
        [[slot.code, slot.start, slot.end] for slot in program.slot_types],
        [[shift.code, shift.start, shift.end] for shift in program.shifts],
        [[person.id, person.role, person.fte, person.team, person.home_region] for person in roster.people],
        [[service.id, int(service.tier)] for service in roster.services],
        [[post.id, post.service, post.role] for post in roster.posts],
    ]
    return json.dumps(parts, separators=(",", ":")).encode()


def _periods(roster: Roster) -> bytes:
    """First date, qualifications and absences as sorted rows, so that the order of a file does not matter."""
    held, away = roster.qualifications, roster.absences
    rows = {
        "first": roster.first_day,
        "held": sorted(zip(held.person.tolist(), held.post.tolist(), held.first.tolist(), held.last.tolist(), strict=True)),
        "away": sorted(set(zip(away.person.tolist(), away.first.tolist(), away.last.tolist(), away.kind, away.approved.tolist(), strict=True))),
    }
    return json.dumps(rows, separators=(",", ":")).encode()
