"""E-mail over SMTP: one message to one reader.

Belongs here: the message's headers and parts, one conversation with a mail server. Does not belong here: retries
(outcome.py), what the text says (alerting).

`smtplib` waits anew for each byte of a reply; here every wait ends at one deadline. A message goes to one reader
only, so a refused reader is a refused row and takes no other along.
"""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Literal

from resilience_assets.delivery.outbound import Deadline, OutOfTime, TooMuch, resolve_in_time
from resilience_assets.delivery.outcome import Outcome, of_smtp
from resilience_assets.delivery.secret import NO_SECRET, Secret
from resilience_assets.storage.outbox import Claim

MOST_TEXT = 100_000
"""Characters of a body; the rest is left to `resilience inbox`."""

MOST_REPLY = 64 * 1024
"""Bytes of all replies of one conversation."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whom. `context` replaces the system's trust where a test needs its own."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    sender_name: str = ""
    user: str = ""
    password: Secret = NO_SECRET
    context: ssl.SSLContext | None = None


def message(claim: Claim, server: MailServer, now: dt.datetime) -> EmailMessage:
    """The mail of a row. Its Message-ID is the same at every attempt; later notices refer to the incident's first.

    Raises ValueError for a subject or address that is no header (line ends), which the policy refuses.
    """
    domain = server.sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(server.sender_name, addr_spec=server.sender)
    mail["To"] = Address(addr_spec=claim.recipient)
    mail["Subject"] = claim.subject[:300]
    mail["Date"] = now
    mail["Message-ID"] = f"<{claim.idem_key[:40]}@{domain}>"
    if claim.thread is not None:
        mail["In-Reply-To"] = mail["References"] = f"<{claim.thread[:40]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_cut(_repeated(claim) + claim.text))
    if claim.html is not None and len(claim.html) <= MOST_TEXT:
        mail.add_alternative(claim.html, subtype="html")
    return mail


def _repeated(claim: Claim) -> str:
    if claim.repeat is None:
        return ""
    return f"(Perhaps a repeat: nobody knows whether the attempt of {claim.repeat:%Y-%m-%d %H:%M} UTC arrived.)\n\n"


def _cut(text: str) -> str:
    plain = text.replace("\x00", "")
    return plain if len(plain) <= MOST_TEXT else plain[:MOST_TEXT] + "\n[cut: the rest is in `resilience inbox`]\n"


def send_mail(claim: Claim, server: MailServer, *, now: dt.datetime, seconds: float) -> Outcome:
    """Hand one mail over and say what became of it, within `seconds`."""
    try:
        mail = message(claim, server, now)
        content = mail.as_bytes()
        recipient = mail["To"].addresses[0].addr_spec
        # a name or address beyond ASCII needs SMTPUTF8, which this does not speak
        recipient.encode("ascii")
    except (ValueError, IndexError, TypeError, AttributeError, LookupError) as error:
        return Outcome("permanent", error=f"not a mail that can be written ({type(error).__name__})")
    course = _Course()
    try:
        return _converse(server, recipient, content, Deadline(seconds), course)
    except Exception as error:
        return _of_error(error, course)


@dataclass
class _Course:
    """How far a conversation has come: the whole message was written."""

    written: bool = False


def _converse(server: MailServer, recipient: str, content: bytes, deadline: Deadline, course: _Course) -> Outcome:
    connection = _Connection(server, deadline)
    try:
        for step in (connection.greet, connection.secure, connection.log_in):
            refused = step()
            if refused is not None:
                return refused
        code, _ = connection.mail(server.sender)
        if code != 250:
            return of_smtp(code, whole=True)
        code, _ = connection.rcpt(recipient)
        if code not in (250, 251):
            return of_smtp(code, whole=False)
        code, _ = connection.docmd("DATA")
        if code != 354:
            return of_smtp(code, whole=False)
        connection.send(_dotted(content))
        course.written = True
        code, _ = connection.getreply()
        return of_smtp(code, whole=False) if 200 <= code < 600 else Outcome("ambiguous", error="no reply that can be read")
    finally:
        connection.hang_up()


def _dotted(content: bytes) -> bytes:
    """The message as it stands on the wire: lines that begin with a dot get another, and a dot ends it (RFC 5321, 4.5.2)."""
    lines = content.replace(b"\r\n.", b"\r\n..")
    lines = b"." + lines if lines.startswith(b".") else lines
    return lines + (b"" if lines.endswith(b"\r\n") else b"\r\n") + b".\r\n"


class _Connection(smtplib.SMTP):
    """smtplib's conversation, with every wait ending at one deadline and replies of bounded length."""

    def __init__(self, server: MailServer, deadline: Deadline) -> None:
        self._server, self._deadline, self._in_tls = server, deadline, False
        super().__init__(local_hostname="resilience")

    def greet(self) -> Outcome | None:
        """Connect, read the banner and say EHLO."""
        self.sock = self._connected()
        code, _ = self.getreply()
        if code != 220:
            # "no service" closes this connection, not the message
            return Outcome("temporary", code if code > 0 else None, "no service", whole=True)
        return self._hello()

    def _hello(self) -> Outcome | None:
        code, _ = self.ehlo()
        if not 200 <= code <= 299:
            code, _ = self.helo()
        return None if 200 <= code <= 299 else of_smtp(code, whole=True)

    def _connected(self) -> socket.socket:
        server, last = self._server, OSError("no address")
        found = list(dict.fromkeys(resolve_in_time(server.host, server.port, self._deadline)))
        for place, address in enumerate(found):
            try:
                plain = socket.create_connection((address, server.port), self._deadline.left() / (len(found) - place))
            except OSError as error:
                last = error
                continue
            return self._wrapped(plain) if server.security == "tls" else plain
        raise last

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        plain.settimeout(self._deadline.left())
        self._in_tls = True
        context = self._server.context or ssl.create_default_context()
        return context.wrap_socket(plain, server_hostname=self._server.host)

    def secure(self) -> Outcome | None:
        """STARTTLS where it is asked for: a server without it gets no mail, for it would go in the clear."""
        if self._server.security != "starttls":
            return None
        if not self.has_extn("starttls"):
            return Outcome("permanent", error="the mail server offers no STARTTLS", whole=True)
        code, _ = self.docmd("STARTTLS")
        if code != 220:
            return of_smtp(code, whole=True)
        assert self.sock is not None
        self.sock = self._wrapped(self.sock)
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        return self._hello()

    def log_in(self) -> Outcome | None:
        """Log in where a user is set."""
        if not self._server.user:
            return None
        try:
            self.login(self._server.user, self._server.password.reveal())
        except smtplib.SMTPAuthenticationError as error:
            return of_smtp(error.smtp_code, whole=True)
        except smtplib.SMTPException:
            return Outcome("permanent", error="the mail server takes no login", whole=True)
        return None

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            assert self.sock is not None
            self.file = _Lines(self.sock, self._deadline)
        return super().getreply()

    def send(self, s: Any) -> None:
        content = s.encode(self.command_encoding) if isinstance(s, str) else s
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected
        self.sock.settimeout(self._deadline.left())
        self.sock.sendall(content)  # one timeout for all of it

    def hang_up(self) -> None:
        """Close; what the server says to QUIT is of no interest."""
        try:
            if self.sock is not None:
                self.sock.settimeout(0.2)
                self.sock.sendall(b"QUIT\r\n")
        except OSError:
            pass
        finally:
            self.close()


class _Lines:
    """Lines of a socket, as smtplib reads them from a file; every wait ends at the deadline."""

    def __init__(self, plain: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline, self._buffer, self._read = plain, deadline, b"", 0

    def readline(self, most: int) -> bytes:
        while b"\n" not in self._buffer and len(self._buffer) < most:
            self._socket.settimeout(self._deadline.left())
            got = self._socket.recv(4096)
            if not got:
                break
            self._buffer += got
            self._read += len(got)
            if self._read > MOST_REPLY:
                raise TooMuch
        end = min(self._buffer.find(b"\n") + 1 or len(self._buffer), most)
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def close(self) -> None:
        """Nothing of its own to close."""


def _of_error(error: Exception, course: _Course) -> Outcome:
    """An exception as an outcome, by its class alone. Once the whole mail was written, nobody knows: ambiguous."""
    kind: Literal["ambiguous", "temporary"] = "ambiguous" if course.written else "temporary"
    # smtplib wraps what went wrong while it read a reply
    if any(isinstance(one, OutOfTime | TimeoutError) for one in (error, error.__context__)):
        return Outcome(kind, error="no answer in time", whole=True, stalled=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome("permanent", error="the mail server's certificate is not trusted", whole=True)
    if isinstance(error, OSError | smtplib.SMTPException | TooMuch | EOFError):
        name = "connection broke" if course.written else "no connection"
        return Outcome(kind, error=name, whole=True)
    return Outcome("permanent", error=type(error).__name__)
