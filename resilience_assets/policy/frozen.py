"""The base of every policy record: frozen, nothing unknown accepted, finite numbers only.

Belongs here: that base. Does not belong here: any threshold.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A record that cannot be changed and refuses keys that it does not know and numbers that are not finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
