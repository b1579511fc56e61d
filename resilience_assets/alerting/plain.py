"""Text that may stand in a header, a terminal and a mail: nothing in it moves, hides or breaks a line.

Belongs here: stripping such characters. Does not belong here: HTML (html.py escapes), the text itself.
"""

from __future__ import annotations

import unicodedata

_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Control, format (zero-width and bidirectional marks are these), surrogate, private, unassigned, line and paragraph separators."""


def one_line(text: str, most: int = 300) -> str:
    """A single line: harmful characters gone, blanks of every kind become one, at most `most` characters."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _HARMFUL)
    short = " ".join(kept.split())
    return short if len(short) <= most else short[: most - 3].rstrip() + "..."


def lines_of(text: str, most: int = 2000) -> str:
    """Several lines, each as `one_line` makes it; at most `most` characters each."""
    return "\n".join(one_line(line, most) for line in text.splitlines())
