"""One POST (or GET) to an address outside, that cannot be turned against the inside, and that ends.

Belongs here: which addresses may be connected to, one deadline over the whole exchange, the most that is read.
Does not belong here: what is posted (the channels), what an answer means (outcome.py).

A name is resolved once, every address that it has is judged, and the connection goes to a judged address: a
name that answers differently the second time is not asked a second time. Redirects are not followed, proxies
and the environment are not asked, bodies are not read, so nothing is unpacked.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from resilience_assets.delivery.outcome import Kind, Outcome, of_http
from resilience_assets.delivery.secret import Secret

PORTS = (443, 8443)
"""Where https is spoken; other ports need an entry on the allow-list."""

MOST_READ = 64 * 1024
"""Bytes of an answer, headers and all."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
"""Host and port to addresses."""

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")


class Blocked(Exception):
    """The address may not be connected to; the message says why without naming it."""


class OutOfTime(Exception):
    """The deadline of the whole exchange has passed."""


class TooMuch(Exception):
    """The peer answers with more than is read."""


@dataclass
class Deadline:
    """An instant of the monotonic clock by which everything must be over."""

    seconds: float
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds that are left; OutOfTime when none is."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise OutOfTime
        return left


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, as the system knows it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def resolve_in_time(host: str, port: int, deadline: Deadline, how: Resolve = resolve) -> list[str]:
    """As `resolve`, given up at the deadline: the system's resolver knows no timeout of its own."""
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(how(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError("not a host name"))

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise OutOfTime from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def judge(text: str) -> str | None:
    """Why an address may not be connected to; None where it may: it is public, and so is each one wrapped in it."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "not an address"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # the same host; versions of Python differ on what they call it
    for one in (address, *_wrapped(address)):
        if not one.is_global or one.is_multicast or one.is_reserved or one.is_unspecified:
            return "not a public address"
    return None


def _wrapped(address: Address) -> Iterable[Address]:
    """IPv4 addresses that an IPv6 address leads to: 6to4, Teredo, NAT64, compatible."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if any(address in network for network in (*_NAT64, _COMPATIBLE)):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def checked(url: Secret, allowed: Collection[str]) -> tuple[SplitResult, str, int, bool]:
    """An address in its parts, host, port, and whether the allow-list names it ('host' or 'host:port').

    Raises Blocked for what is not https to a usual port; what the allow-list names may be http, on any port, inside.
    """
    try:
        parts = urlsplit(url.reveal().strip())
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        raise Blocked("not an address") from None
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("https", "http") or not host or not host.isascii() or any(c.isspace() or c == "\\" for c in parts.netloc):
        raise Blocked("not an https address")
    if "@" in parts.netloc:
        raise Blocked("an address with a user name in it")
    listed = host in allowed or f"{host}:{port}" in allowed
    if not listed and parts.scheme != "https":
        raise Blocked("not https, and not on the allow-list")
    if not listed and port not in PORTS:
        raise Blocked(f"port {port} is neither {PORTS[0]} nor {PORTS[1]}, and not on the allow-list")
    return parts, host, port, listed


@dataclass
class _Course:
    """How far an exchange has come: an answer was waited for; the request could not be written whole."""

    waiting: bool = False
    cut: bool = False


class _Stream(httpcore.NetworkStream):
    """A stream on which every wait ends at the deadline and only so much is read."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: Deadline, course: _Course) -> None:
        self._inner, self._deadline, self._course, self._read = inner, deadline, course, 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._course.waiting = True
        if self._read >= MOST_READ:
            raise TooMuch
        got = self._inner.read(min(max_bytes, MOST_READ - self._read), self._deadline.left())
        self._read += len(got)
        return got

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # not by the inner stream, which waits anew for each part that the peer takes
        plain: socket.socket = self._inner.get_extra_info("socket")
        try:
            while buffer:
                plain.settimeout(self._deadline.left())
                buffer = buffer[plain.send(buffer) :]
        except TimeoutError as error:
            self._course.cut = True
            raise OutOfTime from error
        except OSError as error:
            self._course.cut = True
            raise httpcore.WriteError from error

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _Stream(inner, self._deadline, self._course)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Guard(httpcore.NetworkBackend):
    """Connects to judged addresses only: all that the name has, or none."""

    def __init__(self, deadline: Deadline, course: _Course, *, listed: bool, how: Resolve = resolve) -> None:
        self._deadline, self._course, self._listed, self._how = deadline, course, listed, how
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """Resolve once, judge every address, connect to the first that answers."""
        found = list(dict.fromkeys(resolve_in_time(host, port, self._deadline, self._how)))
        for address in found:
            reason = None if self._listed else judge(address)
            if reason is not None:
                raise Blocked(reason)
        last: Exception = httpcore.ConnectError("no address")
        for place, address in enumerate(found):
            # one dead address of several must not use up the time of the others
            share = self._deadline.left() / (len(found) - place)
            try:
                inner = self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
                continue
            return _Stream(inner, self._deadline, self._course)
        raise last

    def connect_unix_socket(self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None) -> Any:
        """Never."""
        raise Blocked("not a network address")


def post(
    url: Secret, body: bytes, headers: Mapping[str, str], *, seconds: float, now: dt.datetime,
    allowed: Collection[str] = (), how: Resolve = resolve, tls: ssl.SSLContext | None = None,
) -> Outcome:  # fmt: skip
    """POST and say what became of it, within `seconds`. Raises nothing that a peer or a network can cause."""
    about = {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}
    return _exchange("POST", url, body, about, seconds, now, allowed, how, tls)


def get(
    url: Secret, *, seconds: float, now: dt.datetime,
    allowed: Collection[str] = (), how: Resolve = resolve, tls: ssl.SSLContext | None = None,
) -> Outcome:  # fmt: skip
    """GET and say whether it was answered well, as `post` does; the answer itself is not read."""
    return _exchange("GET", url, b"", {}, seconds, now, allowed, how, tls)


def _exchange(
    method: str, url: Secret, body: bytes, headers: Mapping[str, str], seconds: float, now: dt.datetime,
    allowed: Collection[str], how: Resolve, tls: ssl.SSLContext | None,
) -> Outcome:  # fmt: skip
    deadline, course = Deadline(seconds), _Course()
    try:
        parts, host, port, listed = checked(url, allowed)
        guard = Guard(deadline, course, listed=listed, how=how)
        context = tls or (ssl.create_default_context() if parts.scheme == "https" else None)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        address = httpcore.URL(scheme=parts.scheme, host=host, port=port, target=target)
        literal = f"[{host}]" if ":" in host else host
        usual = {"https": 443, "http": 80}[parts.scheme]
        lines = {
            "Host": literal if port == usual else f"{literal}:{port}", "User-Agent": "resilience-assets",
            "Connection": "close", **headers,
        }  # fmt: skip
        with (
            httpcore.ConnectionPool(network_backend=guard, ssl_context=context) as pool,
            pool.stream(method, address, headers=list(lines.items()), content=body) as answer,
        ):
            wish = next((v.decode("latin-1") for k, v in answer.headers if k.lower() == b"retry-after"), None)
            return of_http(answer.status, wish, now)
    except Exception as error:
        return _of_error(error, handed_over=course.waiting and not course.cut)


_SLOW = (OutOfTime, httpcore.TimeoutException, TimeoutError)
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, TooMuch, OSError)


def _of_error(error: Exception, *, handed_over: bool) -> Outcome:
    """An exception as an outcome, by its class alone: its text may quote the address.

    Once the whole request is with the peer, nobody knows whether it was taken: ambiguous.
    """
    if isinstance(error, Blocked):
        return Outcome("permanent", error=f"blocked: {error}")
    if isinstance(error, httpcore.LocalProtocolError):
        return Outcome("permanent", error="not a request that can be written")
    kind: Kind = "ambiguous" if handed_over else "temporary"
    if isinstance(error, _SLOW):
        return Outcome(kind, error="no answer in time", whole=True, stalled=True)
    if isinstance(error, _BROKEN):
        name = "name not known" if isinstance(error, socket.gaierror) else "connection broke" if handed_over else "no connection"
        return Outcome(kind, error=name, whole=True)
    return Outcome("permanent", error=type(error).__name__)
