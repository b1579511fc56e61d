"""What is wrong with a policy text, said so that its writer can mend it.

Belongs here: the one exception of this room. Does not belong here: finding the mistakes (load.py).
"""

from __future__ import annotations


class PolicyError(ValueError):
    """A policy that is refused: one line a mistake, each with its path, the value and what is allowed."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("policy refused:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
