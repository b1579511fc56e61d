"""Signatures: what the reference package of Standard Webhooks verifies, and what it refuses."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from resilience_assets.delivery import signature
from resilience_assets.delivery.secret import Secret
from resilience_assets_tests.delivery.rows import OLD_SECRET, SECRET

OTHER_ZONE = dt.timezone(dt.timedelta(hours=5, minutes=45))


def verify(secret: Secret, body: bytes, headers: dict[str, str]) -> object:
    return Webhook(secret.reveal()).verify(body, headers)


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), st.from_regex(r"msg_[0-9a-f]{1,40}", fullmatch=True))
def test_the_reference_package_verifies_what_is_signed_here(payload, webhook_id):  # type: ignore[no-untyped-def]
    body = json.dumps(payload).encode()
    # a clock of any zone: the stamp is the instant
    headers = signature.headers([SECRET], webhook_id, dt.datetime.now(OTHER_ZONE), body)
    assert verify(SECRET, body, headers) == payload
    assert headers["webhook-id"] == webhook_id


def test_either_secret_verifies_while_one_is_replaced():
    body = b'{"a":1}'
    headers = signature.headers([SECRET, OLD_SECRET], "msg_1", dt.datetime.now(dt.UTC), body)
    assert len(headers["webhook-signature"].split(" ")) == 2
    assert verify(SECRET, body, headers) == verify(OLD_SECRET, body, headers) == {"a": 1}


TAMPERED = {
    "body": lambda body, headers: (body.replace(b"1", b"2"), headers),
    "id": lambda body, headers: (body, headers | {"webhook-id": "msg_2"}),
    "time": lambda body, headers: (body, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
    "signature": lambda body, headers: (body, headers | {"webhook-signature": "v1," + "A" * 43 + "="}),
    "version": lambda body, headers: (body, headers | {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}),
    "missing": lambda body, headers: (body, {name: value for name, value in headers.items() if name != "webhook-signature"}),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_refused(how: str):
    body = b'{"a":1}'
    headers = signature.headers([SECRET], "msg_1", dt.datetime.now(dt.UTC), body)
    assert verify(SECRET, body, headers)
    with pytest.raises(WebhookVerificationError):
        verify(SECRET, *TAMPERED[how](body, headers))


def test_what_is_old_or_signed_by_another_is_refused():
    body, now = b"{}", dt.datetime.now(dt.UTC)
    with pytest.raises(WebhookVerificationError, match="too old"):
        verify(SECRET, body, signature.headers([SECRET], "msg_1", now - dt.timedelta(minutes=6), body))
    with pytest.raises(WebhookVerificationError, match="No matching"):
        verify(SECRET, body, signature.headers([OLD_SECRET], "msg_1", now, body))


def test_the_example_of_the_specification():
    """Test vector of the specification's reference libraries (test case 'sign function works')."""
    at = dt.datetime.fromtimestamp(1614265330, dt.UTC)
    headers = signature.headers([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("bad", ["", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "hush-hush"])
def test_a_secret_that_is_none_is_refused_without_showing_it(bad: str):
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 bytes") as refusal:
        signature.key_of(Secret(bad))
    assert "hush" not in str(refusal.value)


def test_a_secret_shows_in_no_text():
    import pickle

    secret = Secret("hush")
    assert {repr(secret), str(secret), f"{secret}", f"{secret:>3}", repr([secret])[1:-1]} == {"***"}
    assert (bool(secret), bool(Secret()), secret == Secret("hush"), secret.reveal()) == (True, False, True, "hush")
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
