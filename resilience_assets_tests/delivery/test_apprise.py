"""Apprise, for real: what it is given, what becomes of its answer, and what it is kept from.

Source: Apprise 2.2, apprise/url.py: `redirect=yes|no` in an address, on by default.
"""

import importlib.util
import json
import logging
import time
from typing import Any

import pytest

from resilience_assets.delivery import apprise
from resilience_assets.delivery.apprise import MISSING, AppriseChannel, message, send_apprise, without_redirects
from resilience_assets.delivery.channels import Channels
from resilience_assets.delivery.outcome import Outcome
from resilience_assets.delivery.secret import Secret
from resilience_assets_tests.delivery.peers import Receiver, receiver
from resilience_assets_tests.delivery.rows import NOW, claimed, notice

with_apprise = pytest.mark.skipif(importlib.util.find_spec("apprise") is None, reason="the extra [apprise] is not installed")


def send(web: Receiver, path: str, seconds: float = 15, **more: Any) -> Outcome:
    url = f"json://127.0.0.1:{web.port}/{path}"
    return send_apprise(claimed(notice(1, channel="apprise", **more)), AppriseChannel(Secret(url)), now=NOW, seconds=seconds)


@with_apprise
def test_a_notice_arrives_and_a_refusal_is_tried_again():
    with receiver() as web:
        assert str(send(web, "ok", subject="ICU: one\nnurse", text="Call <now>.", severity="critical")) == "sent"
        refused = send(web, "500/hush")
    body = json.loads(web.got[0].body)
    assert (body["title"], body["message"], body["type"]) == ("ICU: one nurse", "Call <now>.", "failure")
    assert (refused.kind, refused.code, refused.whole) == ("temporary", None, True)
    assert "hush" not in repr(refused)


@with_apprise
@pytest.mark.parametrize("said", ["", "?redirect=yes", "?Redirect=yes&redirect=yes", "?%72edirect=yes"])
def test_a_redirect_inside_is_not_followed_whatever_the_address_says(said):
    with receiver() as inside, receiver() as web:
        web.location = inside.url("ok")
        assert send(web, f"307{said}").kind == "temporary"
        assert len(web.got) == 1
        assert inside.got == [], "the notice went to where the answer pointed"


@with_apprise
def test_it_ends_when_its_time_is_over():
    with receiver() as web:
        begun = time.monotonic()
        outcome = send(web, "hang", seconds=4)
    assert (outcome.kind, outcome.stalled) == ("ambiguous", True)
    assert time.monotonic() - begun < 8


@with_apprise
def test_an_address_that_apprise_does_not_know_is_given_up_and_shows_nowhere(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    channel = AppriseChannel(Secret("nosuchthing://hush"))
    outcome = send_apprise(claimed(notice(1)), channel, now=NOW, seconds=15)
    assert (outcome.kind, outcome.error) == ("permanent", "not an address that Apprise knows")
    said = capfd.readouterr()
    assert "hush" not in repr(outcome) + repr(channel) + caplog.text + said.out + said.err


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(apprise, "installed", lambda: False)
    channel = AppriseChannel(Secret("json://127.0.0.1/hush"))
    assert send_apprise(claimed(notice(1)), channel, now=NOW, seconds=5) == Outcome("permanent", error=MISSING)
    assert Channels(apprise={"x": channel}).off("apprise", "x") == MISSING
    assert "resilience-assets[apprise]" in MISSING
    monkeypatch.setattr(apprise, "installed", lambda: True)
    assert Channels(apprise={"x": channel}).off("apprise", "x") is None
    assert Channels().off("apprise", "x") == "no apprise of this name has an address"


def test_what_it_is_given():
    assert without_redirects("json://h/a") == "json://h/a?redirect=no"
    assert without_redirects("json://h/a?x=1&redirect=yes") == "json://h/a?x=1&redirect=yes&redirect=no"
    assert without_redirects("slack://a/b/c/#general") == "slack://a/b/c/#general?redirect=no"
    assert message(claimed(notice(1, 2, kind="closed")))["notify_type"] == "success"
    assert message(claimed(notice(1, text=" "), repeat=NOW))["body"].endswith("Perhaps a repeat of 2026-09-04 06:00 UTC.")
