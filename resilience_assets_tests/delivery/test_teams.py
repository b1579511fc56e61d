"""Teams' payload against its documentation.

Sources: learn.microsoft.com, "Create and send messages", section on Adaptive Cards for a webhook: `type` must be "message",
`attachments` is an array of cards, `contentType` is that of an Adaptive Card, `content` is the card in JSON (and "Workflows
support Adaptive Cards only"); learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams": POST of
JSON to the workflow's URL; adaptivecards.io/explorer: AdaptiveCard.html (type, version, body), RichTextBlock.html (`inlines`
required, since 1.2), TextRun.html (`text` required, "Markdown is not supported"; size, weight, color, isSubtle);
learn.microsoft.com/connectors/teams: a message of at most about 28 KB.
"""

import datetime as dt
import json
import logging
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.teams import MOST_BYTES, REST, TeamsChannel, payload, send_teams
from resilience_assets_tests.delivery.peers import receiver
from resilience_assets_tests.delivery.rows import NOW, claimed, notice

SIZES = {"default", "small", "medium", "large", "extraLarge"}
COLOURS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
SPACINGS = {"default", "none", "small", "medium", "large", "extraLarge", "padding"}


def follows_the_documentation(message: dict[str, Any]) -> list[str]:
    """Checks every element; returns the lines that a reader sees."""
    assert set(message) == {"type", "attachments"}
    assert message["type"] == "message"
    [attachment] = message["attachments"]
    assert set(attachment) == {"contentType", "contentUrl", "content"}
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
    card = attachment["content"]
    assert set(card) == {"$schema", "type", "version", "body"}
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    lines = []
    for block in card["body"]:
        assert set(block) <= {"type", "inlines", "spacing"}
        assert block["type"] == "RichTextBlock"
        assert block.get("spacing", "default") in SPACINGS
        [run] = block["inlines"]
        assert set(run) <= {"type", "text", "size", "weight", "color", "isSubtle"}
        assert run["type"] == "TextRun"
        assert run["text"]
        assert run.get("size", "default") in SIZES
        assert run.get("weight", "default") in {"default", "lighter", "bolder"}
        assert run.get("color", "default") in COLOURS
        lines.append(run["text"])
    assert len(json.dumps(message).encode()) <= MOST_BYTES < 28 * 1024
    return lines


@given(
    st.text(max_size=400), st.text(max_size=4000) | st.text(max_size=50).map(lambda one: (one + "\n") * 500), st.booleans(),
    st.sampled_from(["info", "warning", "critical", "emergency"]),
)  # fmt: skip
def test_every_notice_makes_a_message_as_documented(subject: str, text: str, repeat: bool, severity: str):
    row = notice(1, channel="teams", recipient="ward", subject=subject, text=text, severity=severity)
    follows_the_documentation(payload(claimed(row, repeat=NOW if repeat else None)))


def test_what_it_looks_like():
    row = notice(1, channel="teams", recipient="ward", subject="[warning] ICU: coverage 0.80", text="1 nurse\n\n[x](https://evil.example)\nto do: call")
    card = payload(claimed(row, repeat=NOW))["attachments"][0]["content"]
    run = {"type": "TextRun"}
    assert card["body"] == [
        {"type": "RichTextBlock", "inlines": [run | {"text": "[warning] ICU: coverage 0.80", "size": "large", "weight": "bolder", "color": "warning"}]},
        {"type": "RichTextBlock", "inlines": [run | {"text": "1 nurse"}], "spacing": "medium"},
        {"type": "RichTextBlock", "inlines": [run | {"text": "[x](https://evil.example)"}], "spacing": "medium"},
        {"type": "RichTextBlock", "inlines": [run | {"text": "to do: call"}], "spacing": "none"},
        {"type": "RichTextBlock", "inlines": [run | {"text": "Perhaps a repeat of 2026-09-04 06:00 UTC.", "isSubtle": True}]},
    ]  # fmt: skip


def test_what_is_too_long_says_where_the_rest_is_and_an_end_is_green():
    lines = follows_the_documentation(payload(claimed(notice(1, text="\n".join(f"line {n}" for n in range(5000))))))
    assert lines[-1] == REST
    assert lines[1] == "line 0"
    assert len(lines) > 100
    over = payload(claimed(notice(1, 2, kind="closed")))["attachments"][0]["content"]
    assert over["body"][0]["inlines"][0]["color"] == "good"


def test_429_is_waited_out_a_workflow_that_is_gone_is_not_and_the_address_shows_nowhere(caplog):
    caplog.set_level(logging.DEBUG)
    with receiver() as web:
        outcomes = {}
        for path in ("429/30/hush", "404/0/hush", "307/hush", "202"):
            channel = TeamsChannel(Secret(web.url(path)), web.listed)
            outcomes[path[:3]] = send_teams(claimed(notice(1, channel="teams")), channel, now=NOW, seconds=5)
    assert {code: one.kind for code, one in outcomes.items()} == {"429": "temporary", "404": "permanent", "307": "permanent", "202": "sent"}
    assert outcomes["429"].retry_after == dt.timedelta(seconds=30)
    assert web.got[-1].headers["content-type"] == "application/json"
    follows_the_documentation(json.loads(web.got[-1].body))
    assert "hush" not in repr(outcomes) + repr(channel) + caplog.text


def test_an_address_inside_is_not_connected_to():
    with receiver() as web:
        inside = TeamsChannel(Secret(f"https://127.0.0.1:{web.port}/hush"), (), context=None)
        named = TeamsChannel(Secret("https://flow.example.org/hush"), (), lambda _host, _port: ["10.0.0.7"])
        outcomes = [send_teams(claimed(notice(1)), one, now=NOW, seconds=5) for one in (inside, named)]
    assert [one.kind for one in outcomes] == ["permanent", "permanent"]
    assert web.got == []
    assert "hush" not in repr(outcomes)
