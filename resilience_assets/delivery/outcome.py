"""What one attempt at delivery came to, and when the next is due.

Belongs here: the four outcomes, which answer of a peer means which, the table of retries. Does not belong here:
how an answer was got (the channels), writing it down (storage.outbox).

Nothing here holds text of a peer or of a library: such text quotes addresses, and addresses hold tokens.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

Kind = Literal["sent", "temporary", "permanent", "ambiguous"]

RETRIES = tuple(
    dt.timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800, 43200)
)
"""Pauses before the second to the eleventh attempt, about 28 hours in all: an alert on staffing is stale after that."""

JITTER = 0.2
"""Each pause is stretched or shortened by up to this share, so that many rows do not come back at once."""

LONGEST_WISH = dt.timedelta(hours=24)
"""A Retry-After beyond this is cut: no receiver silences us for longer."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt.

    `ambiguous`: the message was handed over and no answer came, so it may have arrived. `code` is the peer's
    (HTTP or SMTP), `error` names what happened in a word of ours. `retry_after` is the peer's wish. `whole`: it
    is the endpoint that fails, not this message alone; `stalled`: it cost time, so others shall not try it too;
    `gone`: its owner wants nothing more; `off`: the channel is switched off on purpose.
    """

    kind: Kind
    code: int | None = None
    error: str | None = None
    retry_after: dt.timedelta | None = None
    whole: bool = False
    stalled: bool = False
    gone: bool = False
    off: bool = False

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.kind, self.code, self.error) if part is not None)


SENT = Outcome("sent")


def of_http(status: int, retry_after: str | None, now: dt.datetime) -> Outcome:
    """What an HTTP status means: 2xx sent; 408, 425, 429 and 5xx come back; 410 switches off; else permanent.

    A redirect is permanent: following it could lead inside. 429, 502, 503, 504 speak for the whole endpoint
    (Standard Webhooks 1.0: "slow down").
    """
    if 200 <= status < 300:
        return Outcome("sent", status)
    if status in (408, 425, 429) or status >= 500:
        wish = parse_retry_after(retry_after, now)
        slow = status == 429
        return Outcome("temporary", status, "slow down" if slow else "refused", wish, whole=True, stalled=slow)
    if status == 410:
        return Outcome("permanent", status, "gone", gone=True)
    return Outcome("permanent", status, "redirect" if 300 <= status < 400 else "refused")


def of_smtp(code: int, *, whole: bool) -> Outcome:
    """What an SMTP reply means: 4xx comes back, 5xx is permanent, 421 is the server closing altogether."""
    if 200 <= code < 400:
        return Outcome("sent", code)
    if 500 <= code < 600:
        return Outcome("permanent", code, "refused")
    return Outcome("temporary", code if code > 0 else None, "refused", whole=whole or code == 421)


def parse_retry_after(text: str | None, now: dt.datetime) -> dt.timedelta | None:
    """Seconds or an HTTP date (RFC 9110, 10.2.3) as a pause from now; None where it is neither or past."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        pause = dt.timedelta(seconds=int(text[:9]))
    else:
        try:
            until = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
        pause = (until if until.tzinfo else until.replace(tzinfo=dt.UTC)) - now
    return min(pause, LONGEST_WISH) if pause > dt.timedelta(0) else None


def next_pause(tries: int, key: str, retry_after: dt.timedelta | None = None) -> dt.timedelta | None:
    """The pause after the `tries`-th attempt, None when they are used up; never shorter than the peer's wish.

    The jitter is drawn from the row's key and the number of the attempt: the same row waits the same everywhere.
    """
    if tries > len(RETRIES):
        return None
    drawn = int.from_bytes(hashlib.sha256(f"{key}:{tries}".encode()).digest()[:8]) / 2**64
    pause = RETRIES[tries - 1] * (1 - JITTER + 2 * JITTER * drawn)
    return max(pause, retry_after) if retry_after is not None else pause
