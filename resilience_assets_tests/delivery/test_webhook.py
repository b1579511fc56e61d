"""A webhook as its receiver sees it."""

import json

from standardwebhooks.webhooks import Webhook as Reference

from resilience_assets.delivery.secret import Secret
from resilience_assets.delivery.webhook import MOST_BYTES, RAW, Webhook, body, send_webhook
from resilience_assets_tests.delivery.peers import receiver
from resilience_assets_tests.delivery.rows import NOW, OLD_SECRET, SECRET, claimed, notice


def test_the_receiver_verifies_it_and_sees_one_id_at_every_attempt():
    import datetime as dt

    row = notice(3, channel="webhook", recipient="ops", payload={"program": "FM", "coverage": 0.8})
    with receiver() as web:
        for n in (1, 2):
            hook = Webhook(Secret(web.url()), (SECRET, OLD_SECRET), web.listed)
            assert send_webhook(claimed(row, n=n), hook, now=dt.datetime.now(dt.UTC), seconds=5).kind == "sent"
    for one in web.got:
        assert Reference(OLD_SECRET.reveal()).verify(one.body, one.headers)["data"]["program"] == "FM"
    assert len(set(web.ids())) == 1
    sent = json.loads(web.got[0].body)
    assert (sent["type"], sent["timestamp"]) == ("resilience.alert.opened", NOW.isoformat())
    assert sent["data"]["incident"] == 3
    assert "Notice 3/1" not in web.got[0].body.decode(), "the text, which may hold names, stays here"


def test_a_payload_that_is_too_long_is_left_out_and_said_to_be():
    row = notice(3, channel="webhook", recipient="ops", payload={"rows": ["x" * 100] * 1000})
    content = body(claimed(row))
    assert content is not None
    assert len(content) <= MOST_BYTES
    assert json.loads(content)["data"]["cut"] is True


def test_a_raw_payload_goes_as_it_is_or_not_at_all():
    row = notice(None, channel="webhook", recipient="ops", kind=RAW, payload={"any": [1, None, "ä"]}, message_id=1)
    assert json.loads(body(claimed(row)) or b"") == {"any": [1, None, "ä"]}
    long = notice(None, channel="webhook", recipient="ops", kind=RAW, payload={"any": "x" * MOST_BYTES}, message_id=1)
    assert send_webhook(claimed(long), Webhook(Secret("https://example.org")), now=NOW, seconds=1).kind == "permanent"


def test_a_bad_secret_is_dead_at_once():
    hook = Webhook(Secret("https://example.org"), (Secret("hush"),))
    outcome = send_webhook(claimed(notice(1, channel="webhook")), hook, now=NOW, seconds=1)
    assert outcome.kind == "permanent"
    assert "hush" not in str(outcome)
