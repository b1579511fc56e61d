"""The one truth for thresholds: dated, cited rules as data, and the model that holds them.

Belongs here: thresholds, sacrifice hierarchy, duty rules, alert rules, retention; reading, merging
and refusing them. Does not belong here: measuring anything against them (analysis), state of an
incident (alerting), the files of a deployment (the text of an overlay comes in as an argument).
"""

from resilience_assets.policy.alerts import AlertRule
from resilience_assets.policy.duty import DutyPolicy, DutyRule, ForbiddenPattern, RollingWindow, SlotRatio
from resilience_assets.policy.errors import PolicyError
from resilience_assets.policy.load import PRESETS, Policies, load_policies
from resilience_assets.policy.model import Policy
from resilience_assets.policy.routes import Recipient, Telling

__all__ = [
    "PRESETS",
    "AlertRule",
    "DutyPolicy",
    "DutyRule",
    "ForbiddenPattern",
    "Policies",
    "Policy",
    "PolicyError",
    "Recipient",
    "RollingWindow",
    "SlotRatio",
    "Telling",
    "load_policies",
]
