"""E-mail against a real mail server, and against servers that behave badly."""

import socket
import ssl
import subprocess
import threading
import time

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from resilience_assets.delivery.email import message, send_mail
from resilience_assets.delivery.secret import Secret
from resilience_assets_tests.delivery.peers import free_port, mail_server, raw_server
from resilience_assets_tests.delivery.rows import NOW, claimed, mail_to, notice

DEADLINE = 1.0


def send(row, server, seconds=5.0, **more):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    outcome = send_mail(claimed(row, **more), server, now=NOW, seconds=seconds)
    return outcome, time.monotonic() - start


def test_a_mail_arrives_with_its_headers_and_both_parts():
    row = notice(7, html="<p>Coverage of ICU is <b>0.80</b>.</p>", text="Coverage of ICU is 0.80.\n.\n.hidden dot\nUmlaut: ä", subject="[warning] Kraków: 0.80")
    with mail_server() as box:
        outcome, _ = send(row, mail_to(box))
    assert (outcome.kind, outcome.code) == ("sent", 250)
    [mail] = box.mails
    assert mail["Message-ID"] == f"<{row.idem_key[:40]}@example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["From"] == "Roster resilience <resilience@example.org>"
    assert (mail["To"], mail["Subject"], mail["References"]) == ("chief@example.org", "[warning] Kraków: 0.80", None)
    assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == row.text + "\n"  # type: ignore[union-attr]
    assert "<b>0.80</b>" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]


def test_later_notices_refer_to_the_first_and_a_repeat_says_so():
    first = notice(7)
    mail = message(claimed(notice(7, 2), thread=first.idem_key, repeat=NOW), mail_to(25), NOW)
    assert mail["References"] == mail["In-Reply-To"] == f"<{first.idem_key[:40]}@example.org>"
    assert mail.get_content().startswith("(Perhaps a repeat: nobody knows whether the attempt of 2026-09-04 06:00 UTC arrived.)")
    again = message(claimed(notice(7, 2), n=5), mail_to(25), NOW)
    assert again["Message-ID"] == mail["Message-ID"], "every attempt has the same Message-ID"


def test_one_of_two_recipients_is_refused_and_the_other_is_not():
    with mail_server() as box:
        box.replies["nobody@example.org"] = "550 no such user"
        box.replies["later@example.org"] = "450 later"
        found = {to: send(notice(1, recipient=to), mail_to(box))[0] for to in ("nobody@example.org", "later@example.org", "chief@example.org")}
    assert {to: (one.kind, one.code, one.whole) for to, one in found.items()} == {
        "nobody@example.org": ("permanent", 550, False), "later@example.org": ("temporary", 450, False),
        "chief@example.org": ("sent", 250, False),
    }  # fmt: skip
    assert box.to == ["chief@example.org"]


@pytest.mark.parametrize(("reply", "kind"), [("451 local error", "temporary"), ("452 full", "temporary"), ("550 no", "permanent"), ("554 spam", "permanent"), ("421 closing", "temporary")])
def test_a_refusal_after_the_text_is_told_apart_by_its_code(reply: str, kind: str):
    with mail_server() as box:
        box.data_reply = reply
        outcome, _ = send(notice(1), mail_to(box))
    assert (outcome.kind, outcome.code) == (kind, int(reply[:3]))
    assert outcome.whole == reply.startswith("421")


def test_taken_and_then_silence_is_ambiguous():
    with mail_server() as box:
        box.drop = 1.0
        outcome, _ = send(notice(1), mail_to(box))
    assert (outcome.kind, outcome.error, len(box.mails)) == ("ambiguous", "connection broke", 1)


def _say(text: bytes):  # type: ignore[no-untyped-def]
    def behave(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(text)
        connection.recv(1000)

    return behave


def _hang(connection: socket.socket, stop: threading.Event) -> None:
    stop.wait(30)


def _close(connection: socket.socket, stop: threading.Event) -> None:
    pass


def _drip(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.05):
        connection.sendall(b"2")


def _endless(connection: socket.socket, stop: threading.Event) -> None:
    while not stop.is_set():
        connection.sendall(b"220-" + b"x" * 4000 + b"\r\n")


def _hang_after_data(connection: socket.socket, stop: threading.Event) -> None:
    connection.sendall(b"220 hi\r\n")
    for reply in (b"250 hi\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
        connection.recv(1000)
        connection.sendall(reply)
    stop.wait(30)


@pytest.mark.parametrize(
    ("behave", "kind", "code", "stalled"),
    [
        (_hang, "temporary", None, True), (_close, "temporary", None, False), (_drip, "temporary", None, True),
        (_endless, "temporary", None, False), (_say(b"421 busy\r\n"), "temporary", 421, False),
        (_say(b"554 no service\r\n"), "temporary", 554, False), (_say(b"hello?\r\n"), "temporary", None, False),
        (_hang_after_data, "ambiguous", None, True),
    ],
    ids=["hangs", "no banner", "drips", "endless banner", "421", "554 banner", "no SMTP", "hangs after the text"],
)  # fmt: skip
def test_a_server_that_behaves_badly_ends_at_the_deadline_in_its_class(behave, kind, code, stalled):  # type: ignore[no-untyped-def]
    with raw_server(behave) as port:
        outcome, took = send(notice(1), mail_to(port), DEADLINE)
    print(f"{behave.__name__}: {took:.2f} s of {DEADLINE:.0f}")
    assert (outcome.kind, outcome.code, outcome.stalled, outcome.whole) == (kind, code, stalled, True)
    assert took <= DEADLINE + 1


def test_nobody_listening_and_no_such_host_are_temporary():
    assert send(notice(1), mail_to(free_port()))[0].kind == "temporary"
    from dataclasses import replace

    outcome, _ = send(notice(1), replace(mail_to(25), host="mail.invalid"))
    assert (outcome.kind, outcome.whole) == ("temporary", True)


@pytest.mark.parametrize("bad", ["chief@example.org\r\nBcc: all@example.org", "chief", "", "chief@example.org, all@example.org", "a@b\x00", "dr.ę@example.org"])
def test_an_address_that_is_none_is_dead_at_once(bad: str):
    with mail_server() as box:
        outcome, _ = send(notice(1, recipient=bad), mail_to(box))
    assert (outcome.kind, box.mails) == ("permanent", [])


def test_a_subject_with_line_ends_is_dead_and_a_megabyte_is_cut():
    with mail_server() as box:
        assert send(notice(1, subject="a\r\nBcc: all@example.org"), mail_to(box))[0].kind == "permanent"
        assert box.mails == []
        assert send(notice(1, text="x" * 1_000_000), mail_to(box))[0].kind == "sent"
    assert 100_000 < len(box.mails[0].get_content()) < 105_000


def test_login_over_tls_and_refused_login(tmp_path):
    context, trust = _certificate(tmp_path)

    def authenticate(server, session, envelope, mechanism, data):  # type: ignore[no-untyped-def]
        good = isinstance(data, LoginPassword) and data.password == b"hush"
        return AuthResult(success=good, handled=False)

    options = {"tls_context": context, "require_starttls": True, "authenticator": authenticate, "auth_required": True}
    with mail_server(**options) as box:
        server = mail_to(box, security="starttls", user="roster", password=Secret("hush"), context=trust)
        assert send(notice(1), server)[0].kind == "sent"
        wrong = mail_to(box, security="starttls", user="roster", password=Secret("wrong"), context=trust)
        outcome, _ = send(notice(2), wrong)
        assert (outcome.kind, outcome.code) == ("permanent", 535)
        untrusted, _ = send(notice(3), mail_to(box, security="starttls"))
        assert untrusted.error == "the mail server's certificate is not trusted"
    with mail_server() as box:
        outcome, _ = send(notice(1), mail_to(box, security="starttls"))
        assert (outcome.kind, outcome.error, box.mails) == ("permanent", "the mail server offers no STARTTLS", [])
    with mail_server(ssl_context=context) as box:
        assert send(notice(1), mail_to(box, security="tls", context=trust))[0].kind == "sent"


def _certificate(folder):  # type: ignore[no-untyped-def]
    """A certificate for 127.0.0.1 that only the second context trusts."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
               "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no certificate could be made: {error}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, ssl.create_default_context(cafile=str(cert))
