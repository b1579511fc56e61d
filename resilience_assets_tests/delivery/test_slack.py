"""Slack's payload against its documentation.

Sources: docs.slack.dev/reference/block-kit/blocks/header-block: `text` is plain_text of at most 150 characters;
docs.slack.dev/reference/block-kit/blocks/section-block: text of at most 3000 characters;
docs.slack.dev/reference/block-kit/blocks/context-block: at most 10 elements;
docs.slack.dev/reference/block-kit/composition-objects/text-object: type, text (at least one character), emoji (plain_text only), verbatim (mrkdwn only);
docs.slack.dev/messaging/formatting-message-text: "&" "<" ">" become entities;
docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: `text` beside `blocks`, Content-type application/json.
"""

import datetime as dt
import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.slack import SlackChannel, escaped, payload, send_slack
from resilience_assets_tests.delivery.peers import receiver
from resilience_assets_tests.delivery.rows import NOW, claimed, notice


def follows_the_documentation(message: dict[str, Any]) -> None:
    assert set(message) <= {"text", "blocks", "unfurl_links", "unfurl_media"}
    assert message["text"]
    assert 1 <= len(message["blocks"]) <= 50
    for block in message["blocks"]:
        if block["type"] == "header":
            text, most, kind = block["text"], 150, "plain_text"
        elif block["type"] == "section":
            text, most, kind = block["text"], 3000, "mrkdwn"
        else:
            assert block["type"] == "context"
            [text] = block["elements"]
            most, kind = 3000, "plain_text"
        assert text["type"] == kind
        assert 1 <= len(text["text"]) <= most
        assert set(text) == {"type", "text", "emoji" if kind == "plain_text" else "verbatim"}
        if kind == "mrkdwn":
            assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", text["text"])


@given(st.text(min_size=0, max_size=400), st.text(max_size=4000), st.booleans())
def test_every_notice_makes_a_message_as_documented(subject: str, text: str, repeat: bool):
    row = notice(1, channel="slack", recipient="ward", subject=subject, text=text)
    follows_the_documentation(payload(claimed(row, repeat=NOW if repeat else None)))


def test_what_it_looks_like():
    row = notice(1, channel="slack", recipient="ward", subject="[warning] ICU & ED: coverage 0.80", text="<1 nurse> & 2 open")
    assert payload(claimed(row)) == {
        "text": "[warning] ICU &amp; ED: coverage 0.80",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "[warning] ICU & ED: coverage 0.80", "emoji": False}},
            {"type": "section", "text": {"type": "mrkdwn", "text": "&lt;1 nurse&gt; &amp; 2 open", "verbatim": True}},
        ],
        "unfurl_links": False, "unfurl_media": False,
    }  # fmt: skip


def test_a_text_is_cut_between_escapes():
    assert escaped("a" * 10, 5) == "aaaa…"
    assert escaped("aa&&", 9) == "aa&amp;…"
    assert escaped("aa", 9) == "aa"


def test_429_is_waited_out_and_the_address_shows_nowhere():
    with receiver() as web:
        channel = SlackChannel(Secret(web.url("429/30/hush")), web.listed)
        outcome = send_slack(claimed(notice(1, channel="slack")), channel, now=NOW, seconds=5)
        assert (outcome.kind, outcome.code, outcome.retry_after) == ("temporary", 429, dt.timedelta(seconds=30))
        assert send_slack(claimed(notice(1)), SlackChannel(Secret(web.url("ok")), web.listed), now=NOW, seconds=5).kind == "sent"
    assert web.got[-1].headers["content-type"] == "application/json"
    follows_the_documentation(json.loads(web.got[-1].body))
    assert "hush" not in repr(outcome) + repr(channel)
