"""A text that must not reach a log.

Belongs here: the wrapper. Does not belong here: where secrets come from.
"""

from __future__ import annotations

import hashlib


class Secret:
    """A password, or an address with a token in it: every way of printing it gives ***."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: for the connection that needs it and nothing else."""
        return self._text

    def fingerprint(self) -> str:
        """A hash by which two secrets are told apart."""
        return hashlib.sha256(self._text.encode()).hexdigest()

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> str:
        raise TypeError("a secret is not pickled")


NO_SECRET = Secret()
"""Where there is none."""
