"""Everything else that the Apprise library can reach: an optional extra, with less than the other channels promise.

Belongs here: handing one notice to Apprise in a process of its own, without redirects. Does not belong here: what
Apprise does with it. No signature, no status, no Retry-After, no guard of addresses: Apprise says yes or no.

Source: Apprise 2.2, apprise/url.py (`redirect=no` in the address, the last of several counts; `http_redirects` of
the asset for all of them). By default it follows a 307 with the body to wherever that points.

A process of its own ends when its time is over (Apprise knows no time for the whole), and takes what the libraries
log with it: their logs quote addresses, and addresses hold tokens.
"""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass

from resilience_assets.delivery.outcome import SENT, Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets.storage.outbox import CLOSING, Claim

MISSING = "Apprise is not installed: pip install 'resilience-assets[apprise]'"
MOST_TEXT = 10_000

TYPES = {"info": "info", "warning": "warning", "critical": "failure", "emergency": "failure"}
"""Our severities as Apprise's types of message; what is over is a "success"."""

TAKEN, REFUSED, UNKNOWN, ABSENT = 0, 10, 11, 12
"""How the process ends: with what Apprise said, an address that it cannot read, no Apprise."""


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """One address in Apprise's notation (json://..., mailto://...); it is the secret."""

    url: Secret


def installed() -> bool:
    """Whether the extra is there."""
    return importlib.util.find_spec("apprise") is not None


def without_redirects(url: str) -> str:
    """The address with redirects off, whatever it said before: the last of several parameters counts."""
    if "://" not in url:
        return url
    return url + ("&" if "?" in url else "?") + "redirect=no"


def message(claim: Claim) -> dict[str, str]:
    """Title, body and type as Apprise takes them."""
    subject = " ".join(claim.subject.split())[:300] or "Alert"
    repeat = f"\n\nPerhaps a repeat of {claim.repeat:%Y-%m-%d %H:%M} UTC." if claim.repeat is not None else ""
    kind = "success" if claim.kind == CLOSING else TYPES.get(claim.severity, "warning")
    return {"title": subject, "body": (claim.text[:MOST_TEXT].strip() or subject) + repeat, "notify_type": kind}


def send_apprise(claim: Claim, channel: AppriseChannel, *, now: dt.datetime, seconds: float) -> Outcome:
    """Hand one row to Apprise and say what became of it, within `seconds`. A "no" may have any reason: it is tried again."""
    if not installed():
        return Outcome("permanent", error=MISSING)
    order = json.dumps({"url": without_redirects(channel.url.reveal().strip()), **message(claim)})
    # its whole environment: where modules lie; no proxy and no secret of the deployment
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "resilience_assets.delivery.apprise"], input=order.encode(), timeout=seconds,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Outcome("ambiguous", error="no answer in time", whole=True, stalled=True)
    if done.returncode == UNKNOWN:
        return Outcome("permanent", error="not an address that Apprise knows")
    if done.returncode == ABSENT:
        return Outcome("permanent", error=MISSING)
    if done.returncode == REFUSED:
        return Outcome("temporary", error="Apprise could not deliver it", whole=True)
    return SENT if done.returncode == TAKEN else Outcome("ambiguous", error="the process of Apprise ended", whole=True)


def main() -> int:
    """The process: one order on standard input, the answer as the exit code."""
    try:
        library = importlib.import_module("apprise")
    except ImportError:
        return ABSENT
    order = json.load(sys.stdin)
    asset = library.AppriseAsset(app_id="resilience-assets", app_desc="Roster resilience", http_redirects=False)
    server = library.Apprise.instantiate(order.pop("url"), asset=asset)
    if server is None:
        return UNKNOWN
    return TAKEN if server.notify(**order) else REFUSED


if __name__ == "__main__":
    sys.exit(main())
