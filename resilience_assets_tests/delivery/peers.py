"""Real peers for the channels: a mail server, an HTTP receiver, and servers that behave badly.

Belongs here: listening, recording what arrived, misbehaving as told. Does not belong here: any test.
All listen on loopback, on a port that the system chose.
"""

from __future__ import annotations

import asyncio
import email
import functools
import random
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Mailbox:
    """What a mail server took, and how it treats whom.

    `replies` gives, by recipient, the reply to RCPT in place of 250. `refuse` and `drop` are the shares of messages
    refused with 451 before they are taken, and taken without an answer; `delay` seconds pass between taking and answering.
    """

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    data_reply: str = ""
    delay: float = 0.0
    refuse: float = 0.0
    drop: float = 0.0
    random: random.Random = field(default_factory=lambda: random.Random(1))

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        """The reply set for this recipient, else taken."""
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take the message, or refuse it, or take it and break the connection."""
        if self.data_reply:
            return self.data_reply
        drawn = self.random.random()
        if drawn < self.refuse:
            return "451 later"
        self.mails.append(email.message_from_bytes(envelope.content, policy=MAIL))  # type: ignore[arg-type]
        self.to.extend(envelope.rcpt_tos)
        self.at.append(time.monotonic())
        if drawn < self.refuse + self.drop:
            server.transport.abort()
        await asyncio.sleep(self.delay)
        return "250 OK"

    def ids(self) -> list[str]:
        """Message-IDs in the order of arrival, repeats included."""
        return [str(mail["Message-ID"]) for mail in self.mails]


@contextmanager
def mail_server(**options: Any) -> Iterator[Mailbox]:
    """An aiosmtpd server; options are those of its SMTP class (authenticator, tls_context ...)."""
    box = Mailbox(port=free_port())
    # a controller of port 0 waits for itself at port 0 for ever, hence the chosen port
    controller = Controller(box, hostname="127.0.0.1", port=box.port, ready_timeout=10, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Received:
    """One request: path, headers in lower case, body, the instant, the method."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    method: str = "POST"


@dataclass
class Receiver:
    """An HTTP receiver. What it answers goes by the first part of the path: ok, 500, 429, 410, 307, hang, drop,
    drip, big, gzip; `refuse` and `drop` are shares of /ok answered with 503, and taken without an answer.
    """

    port: int = 0
    got: list[Received] = field(default_factory=list)
    refuse: float = 0.0
    drop: float = 0.0
    location: str = ""
    delay: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)
    random: random.Random = field(default_factory=lambda: random.Random(2))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "ok") -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def listed(self) -> tuple[str, ...]:
        """The entry of an allow-list that lets it be reached."""
        return (f"127.0.0.1:{self.port}",)

    def ids(self) -> list[str]:
        """webhook-ids in the order of arrival, repeats included."""
        return [one.headers.get("webhook-id", "") for one in self.got]

    def take(self, one: Received) -> float:
        """Record a request; returns a number drawn for its fate."""
        with self._lock:
            drawn = self.random.random()
            if not (one.path.startswith("/ok") and drawn < self.refuse):
                self.got.append(one)
            return drawn


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def log_message(self, *_args: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        drawn = self.receiver.take(Received(self.path, headers, body, time.monotonic(), self.command))
        mode = self.path.split("/")[1]
        with suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, f"_do_{mode}", self._status)(drawn)

    do_GET = do_POST  # noqa: N815 - as the server calls it

    def _answer(self, status: int, content: bytes = b"ok", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _status(self, _drawn: float) -> None:
        mode = self.path.split("/")[1]
        wish = self.path.split("/")[2] if self.path.count("/") > 1 else ""
        headers = {"Retry_After": wish} if wish else {}
        if mode == "307":
            headers = {"Location": self.receiver.location}
        self._answer(int(mode), b"refused", **headers)

    def _do_ok(self, drawn: float) -> None:
        if drawn < self.receiver.refuse:
            self._answer(503)
        elif drawn < self.receiver.refuse + self.receiver.drop:
            self._do_drop(drawn)
        else:
            time.sleep(self.receiver.delay)
            self._answer(200)

    def _do_hang(self, _drawn: float) -> None:
        self.receiver.stop.wait(60)
        self.close_connection = True

    def _do_drop(self, _drawn: float) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _do_drip(self, _drawn: float) -> None:
        """A header line that never ends, a byte each tenth of a second."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.receiver.stop.wait(0.1):
            self.wfile.write(b"a")
            self.wfile.flush()

    def _do_headers(self, _drawn: float) -> None:
        """Headers without end, as fast as they are taken."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            self.wfile.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))

    def _do_big(self, _drawn: float) -> None:
        """200 MB of body after status 500."""
        self.send_response(500)
        self.send_header("Content-Length", str(200_000_000))
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b"x" * 1_000_000)

    def _do_gzip(self, _drawn: float) -> None:
        """200 MB of zeros, packed into some 200 KB."""
        self._answer(500, bomb(), Content_Encoding="gzip")


@functools.cache
def bomb() -> bytes:
    """200 MB of zeros as gzip, packed piece by piece."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A threaded HTTP server."""
    made = Receiver()

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no news."""

    server = Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"receiver": made}))
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop.set()
        server.shutdown()
        server.server_close()


@contextmanager
def raw_server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """A server that treats each connection as `behave` says; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            behave(connection, stop)

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        stop.set()
        # a thread in accept() keeps a closed socket open: wake it up first
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
