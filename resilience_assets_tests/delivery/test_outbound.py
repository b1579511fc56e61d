"""Outbound connections: nothing inside is reached, nothing goes on for ever, little is read."""

import gc
import ipaddress
import socket
import ssl
import time

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience_assets.delivery.outbound import get, judge, post
from resilience_assets.delivery.secret import Secret
from resilience_assets_tests.delivery.peers import bomb, free_port, raw_server, receiver
from resilience_assets_tests.delivery.rows import NOW

DEADLINE = 1.0

FORMS = [
    "https://127.0.0.1/", "https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f000001/",
    "https://017700000001/", "https://0177.0.0.1/", "https://0.0.0.0/", "https://0/", "https://[::1]/", "https://[::]/",
    "https://[::ffff:127.0.0.1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/", "https://[2001:0:7f00:1::80ff:fffe]/", "https://[fe80::1]/", "https://[fc00::1]/", "https://10.0.0.1/",
    "https://172.16.0.1/", "https://192.168.0.1/", "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/",
    "https://224.0.0.1/", "https://255.255.255.255/", "https://localhost./",
]  # fmt: skip

NOT_ADDRESSES = [
    "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://user:pass@example.org/", "https://",
    "https://example.org:22/", "https://exa mple.org/", "https://ex\\ample.org/", "https://ⓔxample.org/", "javascript:1",
    "https://example.org:99999/", "https://[::1/", "gopher://127.0.0.1/", "",
]  # fmt: skip


def send(url: str, seconds: float = 5.0, **more):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    outcome = post(Secret(url), b"{}", {}, seconds=seconds, now=NOW, **more)
    return outcome, time.monotonic() - start


class Connections:
    """Counts what is connected to, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[object] = []
        plain = socket.create_connection

        def create(address, *rest, **more):  # type: ignore[no-untyped-def]
            self.made.append(address)
            return plain(address, *rest, **more)

        monkeypatch.setattr(socket, "create_connection", create)


@pytest.mark.parametrize("url", FORMS)
def test_an_address_inside_is_not_connected_to_in_whatever_form(url: str, monkeypatch):
    made = Connections(monkeypatch).made
    outcome, _ = send(url)
    # a form that the resolver does not read as a number is a name that nobody knows: not connected to either
    assert outcome.kind == "permanent" or outcome.error == "name not known", outcome
    assert made == []


def test_how_many_forms_were_stopped(monkeypatch):
    made = Connections(monkeypatch).made
    stopped = sum(send(url)[0].kind != "sent" for url in FORMS)
    print(f"forms stopped: {stopped} of {len(FORMS)}, connections made: {len(made)}")
    assert (stopped, len(FORMS), made) == (27, 27, [])


@pytest.mark.parametrize("url", NOT_ADDRESSES)
def test_what_is_no_https_address_is_refused_without_a_look(url: str):
    def never(host: str, port: int) -> list[str]:
        raise AssertionError("asked for a name")

    outcome, _ = send(url, how=never)
    assert outcome.kind == "permanent"
    assert outcome.error
    assert outcome.error.startswith("blocked: ")


def test_a_name_that_answers_public_first_and_loopback_then_is_asked_once(monkeypatch):
    made = Connections(monkeypatch).made
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["203.0.114.1"] if len(asked) == 1 else ["127.0.0.1"]

    send("https://rebind.example.org/", DEADLINE / 2, how=rebinding)
    assert asked == ["rebind.example.org"]
    assert [address[0] for address in made] == ["203.0.114.1"]  # type: ignore[index]


def test_one_address_inside_among_public_ones_blocks_the_name(monkeypatch):
    made = Connections(monkeypatch).made
    outcome, _ = send("https://both.example.org/", how=lambda host, port: ["203.0.114.1", "127.0.0.1"])
    assert (outcome.error, made) == ("blocked: not a public address", [])


def test_what_the_allow_list_names_is_reached_and_nothing_beside_it():
    with receiver() as web, receiver() as other:
        assert send(web.url(), allowed=web.listed)[0].kind == "sent"
        assert send(web.url(), allowed=("127.0.0.1",))[0].kind == "sent"
        assert send(other.url(), allowed=web.listed)[0].kind == "permanent"
        assert (len(web.got), len(other.got)) == (2, 0)


@pytest.mark.parametrize("text", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_not_stopped(text: str):
    assert judge(text) is None


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_plain_and_wrapped(address):  # type: ignore[no-untyped-def]
    number = int(address)
    wrapped = [
        ipaddress.IPv6Address((0xFFFF << 32) | number), ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
    ]  # fmt: skip
    if judge(str(address)) is not None:
        assert all(judge(str(one)) is not None for one in wrapped)


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("ok", "sent", 200), ("201", "sent", 201), ("500", "temporary", 500), ("503/120", "temporary", 503),
        ("429/7", "temporary", 429), ("408", "temporary", 408), ("425", "temporary", 425), ("404", "permanent", 404),
        ("400", "permanent", 400), ("410", "permanent", 410), ("307", "permanent", 307), ("drop", "ambiguous", None),
    ],
)  # fmt: skip
def test_every_answer_has_its_class(path: str, kind: str, code: int | None):
    with receiver() as web, receiver() as inside:
        web.location = inside.url()
        outcome, _ = send(web.url(path), allowed=web.listed)
    assert (outcome.kind, outcome.code) == (kind, code)
    assert len(web.got) == 1
    assert inside.got == [], "a redirect is not followed"
    assert outcome.gone == (code == 410)
    if "/" in path:
        assert outcome.retry_after is not None
        assert outcome.retry_after.total_seconds() == int(path.split("/")[1])


@pytest.mark.parametrize("path", ["hang", "drip", "headers", "big", "gzip"])
def test_a_receiver_that_never_ends_is_left_in_time_and_little_is_read(path: str):
    gc.collect()
    process = psutil.Process()
    with receiver() as web:
        send(web.url("500"), allowed=web.listed)
        bomb()  # what the receiver packs is of its own making, in this same process
        before = process.memory_info().rss
        outcome, took = send(web.url(path), DEADLINE, allowed=web.listed)
        grown = (process.memory_info().rss - before) / 2**20
    print(f"{path}: {outcome}, {took:.2f} s of {DEADLINE:.0f}, memory {grown:+.1f} MiB")
    expected = {"hang": "ambiguous", "drip": "ambiguous", "headers": "ambiguous", "big": "temporary", "gzip": "temporary"}
    assert outcome.kind == expected[path]
    assert took <= DEADLINE + 1
    assert grown <= 20


def test_a_peer_that_does_not_take_the_request_is_left_in_time():
    def behave(connection: socket.socket, stop) -> None:  # type: ignore[no-untyped-def]
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while not stop.wait(0.05):
            connection.recv(100)

    with raw_server(behave) as port:
        start = time.monotonic()
        url = Secret(f"http://127.0.0.1:{port}/")
        outcome = post(url, b"x" * 20_000_000, {}, seconds=DEADLINE, now=NOW, allowed=("127.0.0.1",))
        took = time.monotonic() - start
    assert (outcome.kind, outcome.stalled) == ("temporary", True)
    assert took < DEADLINE + 1


def test_a_slow_resolver_is_left_in_time():
    def slow(host: str, port: int) -> list[str]:
        time.sleep(3)
        return []

    outcome, took = send("https://slow.example.org/", DEADLINE, how=slow)
    assert (outcome.kind, outcome.stalled) == ("temporary", True)
    assert took < DEADLINE + 1


def test_nobody_listening_is_temporary_and_no_secret_is_in_an_outcome():
    url = f"http://127.0.0.1:{free_port()}/services/T000/B000/hush-token"
    outcome, _ = send(url, allowed=("127.0.0.1",))
    assert (outcome.kind, outcome.error) == ("temporary", "no connection")
    assert "hush" not in repr(outcome) + str(outcome)


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch):
    with receiver() as proxy, receiver() as web:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(web.url(), allowed=web.listed)[0].kind == "sent"
        assert (len(proxy.got), len(web.got)) == (0, 1)


def test_a_certificate_that_is_not_trusted_is_no_connection():
    def behave(connection: socket.socket, stop) -> None:  # type: ignore[no-untyped-def]
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with raw_server(behave) as port:
        outcome, _ = send(f"https://127.0.0.1:{port}/", allowed=("127.0.0.1",), tls=ssl.create_default_context())
    assert (outcome.kind, outcome.error) == ("temporary", "no connection")


# --- GET ------------------------------------------------------------------------------------


def ask(url: str, seconds: float = 5.0, **more):  # type: ignore[no-untyped-def]
    start = time.monotonic()
    outcome = get(Secret(url), seconds=seconds, now=NOW, **more)
    return outcome, time.monotonic() - start


def test_a_get_has_no_body_and_is_answered_as_a_post_is():
    with receiver() as web:
        assert ask(web.url("ok/ping?a=1"), allowed=web.listed)[0].kind == "sent"
        assert ask(web.url("500"), allowed=web.listed)[0].code == 500
        web.location = web.url("ok")
        assert ask(web.url("307"), allowed=web.listed)[0].error == "redirect"
    assert [(one.method, one.path, one.body) for one in web.got][:1] == [("GET", "/ok/ping?a=1", b"")]
    assert "content-type" not in web.got[0].headers


def test_a_get_ends_in_time_and_goes_nowhere_inside():
    with receiver() as web:
        outcome, took = ask(web.url("drip"), DEADLINE, allowed=web.listed)
        assert (outcome.error, took < DEADLINE + 1) == ("no answer in time", True)
    assert ask("https://127.0.0.1/")[0].error == "blocked: not a public address"
